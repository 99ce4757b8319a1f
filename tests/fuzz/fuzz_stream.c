/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any order of calls of the public stream interface, with good and bad arguments, on a tiny model
 * of the plain backend. Bad arguments are refused without effect; frames come out once each, in
 * order, with their tags, as long as nothing has failed.
 */
#include "fuzz.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fvsr/fvsr.h"

#define MAX_CALLS    96
#define MAX_COMPUTED 6           /* calls that compute a chunk or a slice */
#define MAX_BYTES    (64u << 20) /* streams that want more are not opened */

static fvsr_model *model;

struct input {
	const uint8_t *data;
	size_t size;
};

struct session {
	struct input *in;
	struct fvsr_settings settings;
	fvsr_stream *stream;
	int64_t sent, received;
	int calls, computed;
	bool ended, failed;
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct fvsr_model_options options;
	struct fvsr_error err;

	(void)argc, (void)argv;
	fvsr_model_options_default(&options);
	options.backend = "cpu-plain";
	options.threads = 1;
	PROMISE(fvsr_model_open(&model, "synth:" MODEL ":5", &options, &err) == 0);
	return 0;
}

static unsigned int next_byte(struct input *in)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->data++;
}

/* Mostly something good: bad numbers take a byte of their own. */
static int pick_side(struct input *in, int least)
{
	static const int bad[] = {0, -1, 15, 16385, INT_MAX, INT_MIN, 1000, 128};
	unsigned int byte = next_byte(in);

	return byte >= 240 ? bad[byte - 240 & 7] : least + (int)(byte % 100);
}

static double pick_number(struct input *in, double good)
{
	static const double bad[] = {0,    -1,   NAN, INFINITY, -INFINITY, 1e-300, 1e300,  1000,
				     1001, 0.05, 1,   2.5,      16384,     1e9,    -1e300, 1e-3};
	unsigned int byte = next_byte(in);

	return byte >= 128 ? bad[byte & 15] : good;
}

static void pick_settings(struct fvsr_settings *s, struct input *in)
{
	unsigned int byte = next_byte(in);

	fvsr_settings_default(s);
	s->in_width = pick_side(in, 16), s->in_height = pick_side(in, 16);
	s->out_width = pick_side(in, s->in_width > 28 ? 28 : s->in_width);
	s->out_height = pick_side(in, s->in_height > 28 ? 28 : s->in_height);
	if (byte & 1)
		s->out_width = s->in_width, s->out_height = s->in_height;
	s->in_format = (enum fvsr_format)(byte & 2 ? next_byte(in) % 5 : 1);
	s->out_format = (enum fvsr_format)(byte & 4 ? next_byte(in) % 5 : 2);
	s->scale = pick_number(in, 0);
	s->sparse_ratio = pick_number(in, 2);
	if (byte & 8)
		s->local_range = (int)next_byte(in) * 5 - 3;
	if (byte & 16)
		s->kv_ratio = (int)(next_byte(in) % 12) - 1;
	if (byte & 32)
		s->color = (enum fvsr_color)(next_byte(in) % 6);
	if (byte & 64)
		s->noise = (enum fvsr_noise)(next_byte(in) % 4);
	if (byte & 128)
		s->memory_limit = (uint64_t)next_byte(in) << (next_byte(in) % 64);
	s->lq_version = (enum fvsr_lq_version)(byte % 16 == 15 ? 3 : byte % 3);
	s->seed = byte;
}

static size_t rows_of(enum fvsr_format format, int height)
{
	return (size_t)height * (format == FVSR_FORMAT_RGBF32P ? 3 : 1);
}

/* A frame as it should be, its rows up to 63 bytes apart; its memory is the caller's to free. */
static fvsr_frame *good_frame(struct input *in, int width, int height, enum fvsr_format format,
			      void **memory)
{
	size_t stride = (size_t)width * 4 + next_byte(in) % 64, rows = rows_of(format, height);
	struct fvsr_picture picture = {.format = format,
				       .memory = FVSR_MEMORY_HOST,
				       .width = width,
				       .height = height,
				       .stride = stride};
	unsigned int fill = next_byte(in);
	fvsr_frame *frame;

	/* exactly as long as it must be: the last row has no gap */
	*memory = picture.data = malloc(stride * (rows - 1) + (size_t)width * 4);
	PROMISE(picture.data);
	for (size_t i = 0; i < stride * (rows - 1) + (size_t)width * 4; i++)
		((uint8_t *)picture.data)[i] = (uint8_t)(fill * (i + 1));
	PROMISE(fvsr_frame_wrap(&frame, &picture) == 0);
	return frame;
}

/* The same frame with one thing wrong; NULL for no frame at all. */
static fvsr_frame *spoil(fvsr_frame *frame, unsigned int how)
{
	struct fvsr_picture p = *fvsr_frame_picture(frame);

	switch (how % 8) {
	case 0:
		fvsr_frame_destroy(frame);
		return NULL;
	case 1:
		p.width++;
		break;
	case 2:
		p.height = -p.height;
		break;
	case 3:
		p.format = p.format == FVSR_FORMAT_RGBA8 ? FVSR_FORMAT_BGRA8 : FVSR_FORMAT_RGBA8;
		break;
	case 4:
		p.stride = (size_t)p.width * 4 - 1;
		break;
	case 5:
		p.memory = FVSR_MEMORY_CUDA_ARRAY;
		break;
	case 6:
		p.memory = (enum fvsr_memory)77;
		break;
	case 7:
		p.data = NULL;
		break;
	}
	PROMISE(fvsr_frame_rewrap(frame, &p) == 0);
	return frame;
}

static void send(struct session *s)
{
	unsigned int how = next_byte(s->in);
	void *memory;
	fvsr_frame *frame = good_frame(s->in, s->settings.in_width, s->settings.in_height,
				       s->settings.in_format, &memory);
	int result;

	fvsr_frame_set_tag(frame, s->sent);
	if (how >= 224)
		frame = spoil(frame, how);
	result = fvsr_stream_send(s->stream, frame);
	PROMISE(result == 0 || *fvsr_stream_error(s->stream));
	if (s->ended)
		PROMISE(result == FVSR_ERR_EOF);
	else if (how >= 224)
		PROMISE(result == FVSR_ERR_ARGUMENT || result == FVSR_ERR_UNSUPPORTED);
	else if (!s->failed)
		PROMISE(result == 0 || result == FVSR_ERR_AGAIN || result == FVSR_ERR_CANCELLED);
	s->sent += result == 0;
	s->failed = s->failed || result == FVSR_ERR_CANCELLED;
	fvsr_frame_destroy(frame);
	free(memory);
}

static void receive(struct session *s)
{
	unsigned int how = next_byte(s->in);
	enum fvsr_next next = fvsr_stream_next(s->stream);
	void *memory;
	fvsr_frame *frame;
	int result;

	s->computed += next == FVSR_NEXT_COMPUTE;
	if (s->computed > MAX_COMPUTED)
		return;
	frame = good_frame(s->in, s->settings.out_width, s->settings.out_height,
			   s->settings.out_format, &memory);
	if (how >= 224)
		frame = spoil(frame, how);
	result = fvsr_stream_receive(s->stream, frame);
	if (how >= 224) {
		PROMISE(result < 0);
	} else if (result == 0) {
		PROMISE(fvsr_frame_tag(frame) == s->received && s->received < s->sent);
		s->received++;
	} else if (!s->failed) {
		PROMISE(result == FVSR_ERR_AGAIN || result == FVSR_ERR_EOF ||
			result == FVSR_ERR_CANCELLED);
		PROMISE(result == FVSR_ERR_CANCELLED || next != FVSR_NEXT_FRAME);
		PROMISE(result != FVSR_ERR_EOF || (s->ended && s->received == s->sent));
	}
	s->failed = s->failed || result == FVSR_ERR_CANCELLED;
	fvsr_frame_destroy(frame);
	free(memory);
}

static void reset(struct session *s)
{
	fvsr_stream_reset(s->stream);
	s->sent = s->received = 0;
	s->ended = s->failed = false;
}

static void set_effort(struct session *s)
{
	double ratio = pick_number(s->in, 1.5);
	int kv = (int)(next_byte(s->in) % 12) - 1;
	int result = fvsr_stream_set_effort(s->stream, ratio, kv);
	bool good = ratio > 0 && ratio <= 1000 && kv >= 1 && kv <= s->settings.kv_ratio;

	PROMISE(result == (good ? 0 : FVSR_ERR_ARGUMENT));
}

/* Nobody has the time to wait for a large one: it is taken back at once. */
static void set_budget(struct session *s)
{
	double budget = pick_number(s->in, 2);

	fvsr_stream_set_budget(s->stream, budget);
	if (!(budget < 50))
		fvsr_stream_set_budget(s->stream, 0);
}

static bool wants(void *opaque, const char *name)
{
	return *(const unsigned int *)opaque & 1u << strlen(name) % 8;
}

static void tensor(void *opaque, const char *name, int rank, const int64_t *shape,
		   const float *data)
{
	volatile float sum = 0; /* every element is read */
	int64_t count = 1;

	(void)opaque, (void)name;
	for (int i = 0; i < rank; i++)
		count *= shape[i];
	for (int64_t i = 0; i < count; i++)
		sum += data[i];
	(void)sum;
}

static void set_tap(struct session *s)
{
	static unsigned int names;
	const struct fvsr_tap tap = {wants, tensor, &names};
	int result;

	names = next_byte(s->in);
	result = fvsr_stream_set_tap(s->stream, names ? &tap : NULL);
	PROMISE(result == (s->sent ? FVSR_ERR_ARGUMENT : 0));
}

static void read_timing(struct session *s)
{
	struct fvsr_timing timing;

	fvsr_stream_timing(s->stream, &timing, next_byte(s->in) & 1);
	PROMISE(timing.total_ms >= 0 && timing.paused_ms >= 0);
}

/* One call; more often than others the two that make things happen. */
static void call(struct session *s)
{
	unsigned int which = next_byte(s->in) % 24;

	if (which < 10)
		send(s);
	else if (which < 16)
		receive(s);
	else if (which == 16)
		set_effort(s);
	else if (which == 17)
		set_budget(s);
	else if (which == 18)
		fvsr_stream_interrupt(s->stream);
	else if (which == 19)
		reset(s);
	else if (which == 20)
		set_tap(s);
	else if (which == 21)
		read_timing(s);
	else if (which == 22)
		s->ended = fvsr_stream_end(s->stream) == 0;
	else
		for (int i = 0; i < 12; i++)
			send(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct session s = {.in = &in};
	struct fvsr_stream_cost cost;
	struct fvsr_error err = {""};
	int expected;

	pick_settings(&s.settings, &in);
	expected = fvsr_stream_cost(model, &s.settings, &cost, &err);
	PROMISE(expected == 0 || err.text[0]);
	if (expected == 0 && cost.host_bytes + cost.device_bytes > MAX_BYTES)
		return 0;
	if (fvsr_stream_open(&s.stream, model, &s.settings, &err) < 0) {
		PROMISE(err.text[0]);
		return 0;
	}
	PROMISE(expected == 0);
	while (in.size && s.calls++ < MAX_CALLS)
		call(&s);
	fvsr_stream_close(s.stream);
	return 0;
}
