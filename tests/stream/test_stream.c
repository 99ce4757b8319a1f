/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The contract of streams: every frame comes out once, in order, with its tag; when it does; what
 * reset, end and errors do; odd sizes; alpha; cost known beforehand.
 *
 *	test_stream MODEL BACKEND
 */
#ifdef _WIN32
#include <windows.h>

#include <psapi.h>
#else
#include <malloc.h>
#endif
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "test_support.h"

#define MAX_FRAMES 64

/* Sends the next picture of the video. */
static int rig_send(struct test_rig *rig)
{
	int result;

	test_picture_fill(fvsr_frame_picture(rig->in), rig->sent);
	fvsr_frame_set_tag(rig->in, 1000 + rig->sent);
	result = fvsr_stream_send(rig->stream, rig->in);
	rig->sent += !result;
	return result;
}

/* Receives until it may not; returns how many came and stores their hashes behind 'hashes'. */
static int rig_receive(struct test_rig *rig, int first, uint64_t *hashes, int *result)
{
	int n = 0;

	for (;;) {
		enum fvsr_next next = fvsr_stream_next(rig->stream);

		*result = fvsr_stream_receive(rig->stream, rig->out);
		CHECK((next == FVSR_NEXT_NOTHING) == (*result != 0));
		if (*result)
			break;
		CHECK(next == FVSR_NEXT_FRAME || first + n == 0 || (first + n) % 8 == 5);
		CHECK(fvsr_frame_tag(rig->out) == 1000 + first + n);
		if (hashes && first + n < MAX_FRAMES)
			hashes[first + n] = test_picture_hash(fvsr_frame_picture(rig->out));
		n++;
	}
	return n;
}

/* Sends a whole video of 'frames'; returns how many came out. */
static int rig_video(struct test_rig *rig, int frames, uint64_t *hashes)
{
	int received = 0, result;

	rig->sent = 0;
	while (rig->sent < frames) {
		CHECK(!rig_send(rig));
		received += rig_receive(rig, received, hashes, &result);
		CHECK(result == FVSR_ERR_AGAIN);
	}
	CHECK(!fvsr_stream_end(rig->stream));
	CHECK(rig_send(rig) == FVSR_ERR_EOF);
	received += rig_receive(rig, received, hashes, &result);
	CHECK(result == FVSR_ERR_EOF);
	return received;
}

static void test_counts(fvsr_model *model)
{
	static const int counts[] = {0, 1, 5, 21, 22, 25, 29, 41};
	struct fvsr_settings settings;
	uint64_t whole[MAX_FRAMES], part[MAX_FRAMES];
	struct test_rig rig;

	test_settings(&settings, 24, 16, 48, 32);
	test_rig_open(&rig, model, &settings);
	CHECK(rig_video(&rig, 45, whole) == 45);
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		fvsr_stream_reset(rig.stream);
		CHECK(rig_video(&rig, counts[i], part) == counts[i]);
		/* causal: an earlier end changes nothing that was decided before it */
		if (counts[i] >= 41)
			CHECK(!memcmp(whole, part, 29 * sizeof(*whole)));
	}
	fvsr_stream_reset(rig.stream);
	CHECK(rig_video(&rig, 45, part) == 45);
	CHECK(!memcmp(whole, part, 45 * sizeof(*whole)));
	CHECK(whole[0] != whole[1] && whole[21] != whole[22]);
	test_rig_close(&rig);
}

static void test_latency(fvsr_model *model)
{
	struct fvsr_settings settings;
	struct fvsr_stream_cost cost;
	int received = 0, result;
	struct test_rig rig;

	test_settings(&settings, 16, 16, 32, 32);
	CHECK(!fvsr_stream_cost(model, &settings, &cost, NULL));
	test_rig_open(&rig, model, &settings);
	for (int n = 0; n < cost.first_latency - 1; n++) {
		CHECK(!rig_send(&rig));
		CHECK(fvsr_stream_receive(rig.stream, rig.out) == FVSR_ERR_AGAIN);
	}
	while (rig.sent < 70) {
		CHECK(!rig_send(&rig));
		received += rig_receive(&rig, received, NULL, &result);
		CHECK(rig.sent - received < cost.latency);
	}
	test_rig_close(&rig);
}

/* Checks that frames that nobody fetches fill the stream, which goes on where it stopped. */
static void test_full(fvsr_model *model)
{
	struct fvsr_settings settings;
	int received, result;
	struct test_rig rig;

	test_settings(&settings, 16, 16, 16, 16);
	test_rig_open(&rig, model, &settings);
	while (!(result = rig_send(&rig)) && rig.sent < 1000)
		;
	CHECK(result == FVSR_ERR_AGAIN);
	CHECK(rig.sent >= 25 && rig.sent < MAX_FRAMES);
	received = rig_receive(&rig, 0, NULL, &result);
	CHECK(received >= 21 && result == FVSR_ERR_AGAIN);
	CHECK(!rig_send(&rig));
	CHECK(!fvsr_stream_end(rig.stream));
	received += rig_receive(&rig, received, NULL, &result);
	CHECK(received == rig.sent && result == FVSR_ERR_EOF);
	test_rig_close(&rig);
}

static void test_alpha(const struct test_rig *rig, int frame)
{
	const struct fvsr_picture *in = fvsr_frame_picture(rig->in);
	const struct fvsr_picture *out = fvsr_frame_picture(rig->out);
	struct fvsr_picture scaled = *out;
	int different = 0;

	scaled.data = malloc(scaled.stride * (size_t)scaled.height);
	test_picture_fill(in, frame);
	CHECK(!fvsr_bicubic(in, &scaled, NULL));
	for (int y = 0; y < out->height; y++)
		for (int x = 0; x < out->width; x++)
			different += ((uint8_t *)out->data)[y * out->stride + x * 4 + 3] !=
				     ((uint8_t *)scaled.data)[y * out->stride + x * 4 + 3];
	CHECK(different == 0);
	free(scaled.data);
}

static void test_sizes(fvsr_model *model)
{
	static const int sizes[][4] = {
		{16, 16, 16, 16},  {16, 16, 64, 64},    {17, 33, 51, 99},
		{61, 16, 130, 40}, {100, 30, 131, 129},
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct fvsr_settings settings;
		int received = 0, result = 0;
		struct test_rig rig;

		test_settings(&settings, sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3]);
		settings.color = i % 2 ? FVSR_COLOR_WAVELET : FVSR_COLOR_ADAIN;
		settings.kv_ratio = 1 + (int)i;
		test_rig_open(&rig, model, &settings);
		for (int n = 0; n < 3; n++)
			CHECK(!rig_send(&rig));
		fvsr_stream_end(rig.stream);
		while (!(result = fvsr_stream_receive(rig.stream, rig.out)))
			test_alpha(&rig, received++);
		CHECK(received == 3 && result == FVSR_ERR_EOF);
		test_rig_close(&rig);
	}
}

/* Checks that BGRA in and out is RGBA in and out with two channels exchanged. */
static void test_formats(fvsr_model *model)
{
	struct fvsr_settings settings;
	uint8_t *pixels[2];
	struct test_rig rig;

	for (int swap = 0; swap < 2; swap++) {
		const struct fvsr_picture *in, *out;

		test_settings(&settings, 20, 20, 40, 40);
		settings.in_format = swap ? FVSR_FORMAT_BGRA8 : FVSR_FORMAT_RGBA8;
		settings.out_format = settings.in_format;
		test_rig_open(&rig, model, &settings);
		in = fvsr_frame_picture(rig.in), out = fvsr_frame_picture(rig.out);
		test_picture_fill(in, 0);
		for (int i = 0; swap && i < 20 * 20; i++) {
			uint8_t *p = (uint8_t *)in->data + i / 20 * in->stride + i % 20 * 4;
			uint8_t red = p[0];

			p[0] = p[2], p[2] = red;
		}
		CHECK(!fvsr_stream_send(rig.stream, rig.in));
		fvsr_stream_end(rig.stream);
		CHECK(!fvsr_stream_receive(rig.stream, rig.out));
		pixels[swap] = malloc(40 * 40 * 4);
		for (int i = 0; i < 40 * 40; i++) {
			const uint8_t *p = (uint8_t *)out->data + i / 40 * out->stride + i % 40 * 4;

			for (int c = 0; c < 4; c++)
				pixels[swap][i * 4 + c] = p[swap && c < 3 ? 2 - c : c];
		}
		test_rig_close(&rig);
	}
	CHECK(!memcmp(pixels[0], pixels[1], 40 * 40 * 4));
	free(pixels[0]);
	free(pixels[1]);
}

/* Checks that two streams of one model, taking turns, give what each gives alone. */
static void test_two_streams(fvsr_model *model)
{
	uint64_t alone[2][MAX_FRAMES], together[2][MAX_FRAMES];
	struct fvsr_settings settings[2];
	struct test_rig rig[2];
	int received[2] = {0, 0}, result;

	for (int i = 0; i < 2; i++) {
		test_settings(&settings[i], 16, 16, 32, 32);
		settings[i].seed = (uint64_t)i;
		test_rig_open(&rig[i], model, &settings[i]);
		CHECK(rig_video(&rig[i], 30, alone[i]) == 30);
		fvsr_stream_reset(rig[i].stream);
		rig[i].sent = 0;
	}
	for (int n = 0; n < 30; n++) {
		for (int i = 0; i < 2; i++) {
			CHECK(!rig_send(&rig[i]));
			received[i] += rig_receive(&rig[i], received[i], together[i], &result);
		}
	}
	for (int i = 0; i < 2; i++) {
		CHECK(received[i] == 21);
		CHECK(!memcmp(alone[i], together[i], 21 * sizeof(**alone)));
		test_rig_close(&rig[i]);
	}
	CHECK(alone[0][0] != alone[1][0]); /* the seed matters */
}

static void expect_refused(fvsr_model *model, const struct fvsr_settings *settings, int line)
{
	struct fvsr_error err = {{0}};
	struct fvsr_stream_cost cost;
	fvsr_stream *stream = NULL;

	if (fvsr_stream_open(&stream, model, settings, &err) != FVSR_ERR_ARGUMENT || stream ||
	    !err.text[0] || fvsr_stream_cost(model, settings, &cost, NULL) != FVSR_ERR_ARGUMENT) {
		CHECK(false, "the settings of line %d were not refused", line);
		fvsr_stream_close(stream);
	}
}

/* Checks that colours are corrected without a model, but not in the way that a model chooses. */
static void test_color(fvsr_model *model)
{
	static const enum fvsr_color unknown[] = {0, FVSR_COLOR_MODEL, FVSR_COLOR_MODEL + 1};
	float picture[3 * 4 * 4], canvas[3 * 4 * 4], before[3 * 4 * 4];
	struct fvsr_model_info info;
	struct fvsr_error err;

	fvsr_model_describe(model, &info);
	for (int i = 0; i < 3 * 4 * 4; i++) {
		picture[i] = (float)(i % 7) / 8;
		canvas[i] = (float)(i % 5) / 8 - 0.25f;
	}
	memcpy(before, picture, sizeof(before));
	for (int i = 0; i < 3; i++) {
		err.text[0] = '\0';
		CHECK(fvsr_color_correct(info.backend, unknown[i], 4, 4, picture, canvas, &err) ==
		      FVSR_ERR_ARGUMENT);
		CHECK(err.text[0] && !memcmp(before, picture, sizeof(before)));
	}
	CHECK(!fvsr_color_correct(info.backend, FVSR_COLOR_ADAIN, 4, 4, picture, canvas, &err));
	CHECK(memcmp(before, picture, sizeof(before)));
}

static void test_refusals(fvsr_model *model)
{
	struct fvsr_settings good, bad;
	struct fvsr_error err;
	struct fvsr_backend_info info;
	fvsr_model *none = NULL;
	fvsr_frame *frame;
	struct test_rig rig;

	test_settings(&good, 32, 32, 64, 64);
#define REFUSED(field, value)                                                                      \
	(bad = good, bad.field = (value), expect_refused(model, &bad, __LINE__))
	REFUSED(in_width, 15);
	REFUSED(in_height, 0);
	REFUSED(out_width, 31);
	REFUSED(out_height, 1 << 20);
	REFUSED(scale, -1.0);
	REFUSED(scale, 1e6);
	REFUSED(sparse_ratio, 0);
	REFUSED(sparse_ratio, -1.0);
	REFUSED(local_range, 0);
	REFUSED(kv_ratio, 0);
	REFUSED(kv_ratio, 100);
	REFUSED(color, 9);
	REFUSED(noise, 0);
	REFUSED(lq_version, 3);
	REFUSED(scale, NAN);
	REFUSED(sparse_ratio, INFINITY);
	REFUSED(in_format, 0);
	REFUSED(out_format, 17);
	REFUSED(in_format, FVSR_FORMAT_RGBF32P);
#undef REFUSED
	test_rig_open(&rig, model, &good);
	fvsr_frame_create(&frame, FVSR_FORMAT_RGBA8, 31, 32);
	CHECK(fvsr_stream_send(rig.stream, frame) == FVSR_ERR_ARGUMENT);
	CHECK(fvsr_stream_error(rig.stream)[0]);
	CHECK(fvsr_stream_receive(rig.stream, frame) == FVSR_ERR_ARGUMENT);
	CHECK(fvsr_stream_send(rig.stream, NULL) == FVSR_ERR_ARGUMENT);
	fvsr_frame_destroy(frame);
	test_rig_close(&rig);
	CHECK(fvsr_model_open(&none, "no such file", NULL, &err) == FVSR_ERR_IO && !none);
	CHECK(fvsr_model_open(&none, NULL, NULL, &err) == FVSR_ERR_ARGUMENT);
	CHECK(fvsr_backend_describe(1000, &info) == FVSR_ERR_EOF);
}

/* Returns the bytes that were allocated and not freed. */
static double heap_bytes(void)
{
#ifdef _WIN32
	PROCESS_MEMORY_COUNTERS_EX counters = {.cb = sizeof(counters)};

	GetProcessMemoryInfo(GetCurrentProcess(), (PROCESS_MEMORY_COUNTERS *)&counters,
			     sizeof(counters));
	return (double)counters.PrivateUsage;
#else
	struct mallinfo2 info = mallinfo2();

	return (double)(info.uordblks + info.hblkhd);
#endif
}

/* Checks that a stream takes what it was said to cost. */
static void test_cost(fvsr_model *model)
{
	struct fvsr_settings settings;
	struct fvsr_stream_cost cost;
	double before, taken;
	struct test_rig rig;

	test_settings(&settings, 128, 128, 256, 256);
	CHECK(!fvsr_stream_cost(model, &settings, &cost, NULL));
	CHECK(cost.canvas_width == 256 && cost.canvas_height == 256);
	if (!cost.host_bytes)
		return; /* the memory of a device */
	before = heap_bytes();
	test_rig_open(&rig, model, &settings);
	taken = heap_bytes() - before;
	if (taken > 0) /* sanitizers have a heap of their own */
		CHECK(taken > 0.95 * (double)cost.host_bytes &&
		      taken < 1.05 * (double)cost.host_bytes + (4 << 20));
	test_rig_close(&rig);
}

/* Checks that an interruption ends what is computed, and that a reset undoes it. */
static void test_interrupt(fvsr_model *model)
{
	uint64_t whole[MAX_FRAMES], again[MAX_FRAMES];
	struct fvsr_settings settings;
	struct test_rig rig;

	test_settings(&settings, 16, 16, 32, 32);
	test_rig_open(&rig, model, &settings);
	CHECK(rig_video(&rig, 30, whole) == 30);
	fvsr_stream_reset(rig.stream);
	for (rig.sent = 0; rig.sent < 25;)
		CHECK(!rig_send(&rig));
	fvsr_stream_interrupt(rig.stream);
	CHECK(fvsr_stream_receive(rig.stream, rig.out) == FVSR_ERR_CANCELLED);
	CHECK(!strcmp(fvsr_stream_error(rig.stream), "interrupted"));
	CHECK(fvsr_stream_receive(rig.stream, rig.out) == FVSR_ERR_CANCELLED);
	fvsr_stream_reset(rig.stream);
	CHECK(rig_video(&rig, 30, again) == 30);
	CHECK(!memcmp(whole, again, 30 * sizeof(*whole)));
	test_rig_close(&rig);
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

struct interruption {
	fvsr_stream *stream;
	double after_s; /* when to interrupt, from the thread's start on */
	double at_s;    /* when it did */
};

static void *interrupt_soon(void *opaque)
{
	struct interruption *a = opaque;
	struct timespec soon = {.tv_nsec = (long)(a->after_s * 1e9)};

	nanosleep(&soon, NULL);
	a->at_s = now_s();
	fvsr_stream_interrupt(a->stream);
	return NULL;
}

/* Returns what the first chunk's receive() does, and how long; interrupts it if 'after_s' > 0. */
static int rig_first_chunk(struct test_rig *rig, double after_s, double *took_s)
{
	struct interruption interruption = {.stream = rig->stream, .after_s = after_s};
	pthread_t thread;
	double began;
	int result;

	for (rig->sent = 0; rig->sent < 25;)
		CHECK(!rig_send(rig));
	began = now_s();
	if (after_s > 0)
		pthread_create(&thread, NULL, interrupt_soon, &interruption);
	result = fvsr_stream_receive(rig->stream, rig->out);
	*took_s = now_s() - began;
	if (after_s > 0)
		pthread_join(thread, NULL);
	fvsr_stream_reset(rig->stream);
	return result;
}

/*
 * Interrupts from another thread, in the middle of a chunk, well before it would have ended. A card
 * has this small chunk done in a few milliseconds, and what is in its queue already it finishes:
 * there an interruption may come too late, but not each time.
 */
static void test_interrupt_busy(fvsr_model *model)
{
	struct fvsr_settings settings;
	struct fvsr_model_info info;
	double whole_s, took_s = 0;
	struct test_rig rig;
	int result = FVSR_OK;

	fvsr_model_describe(model, &info);
	test_settings(&settings, 64, 64, 256, 256);
	test_rig_open(&rig, model, &settings);
	for (int i = 0; i < 2; i++) /* the first one also sets things up */
		CHECK(rig_first_chunk(&rig, 0, &whole_s) == FVSR_OK);
	for (int i = 0; i < (info.card < 0 ? 1 : 20) && result == FVSR_OK; i++)
		result = rig_first_chunk(&rig, whole_s / 4, &took_s);
	printf("a chunk of %.1f ms, interrupted after %.1f\n", whole_s * 1e3, took_s * 1e3);
	CHECK(result == FVSR_ERR_CANCELLED);
	CHECK(took_s < whole_s);
	test_rig_close(&rig);
}

/*
 * Interrupts a pause, which a budget without end makes one without end. An interruption still ends
 * them within what an operation may take, of which these are far shorter than the second that a
 * busy machine is given.
 */
static void test_interrupt_paused(fvsr_model *model)
{
	static const double budgets_ms[] = {1e7, INFINITY};
	const double most_s = 1;
	struct fvsr_settings settings;

	test_settings(&settings, 64, 64, 128, 128);
	for (int i = 0; i < 2; i++) {
		struct interruption interruption = {.after_s = 0.5};
		double interrupted_s, ended_s;
		int received = 0, result;
		pthread_t thread;
		struct test_rig rig;

		test_rig_open(&rig, model, &settings);
		interruption.stream = rig.stream;
		/* what a chunk takes is known after a few of them */
		while (rig.sent < 48) {
			CHECK(!rig_send(&rig));
			received += rig_receive(&rig, received, NULL, &result);
		}
		fvsr_stream_set_budget(rig.stream, budgets_ms[i]);
		pthread_create(&thread, NULL, interrupt_soon, &interruption);
		do {
			(void)rig_send(&rig);
			result = fvsr_stream_receive(rig.stream, rig.out);
		} while (result == 0 || result == FVSR_ERR_AGAIN);
		CHECK(result == FVSR_ERR_CANCELLED);
		ended_s = now_s();
		pthread_join(thread, NULL);
		interrupted_s = interruption.at_s;
		printf("a pause ended %.1f ms after its interruption\n",
		       (ended_s - interrupted_s) * 1e3);
		CHECK(ended_s - interrupted_s < most_s);
		test_rig_close(&rig);
	}
}

/* Checks that a smaller effort changes only what comes later, and can be taken back. */
static void test_effort(fvsr_model *model)
{
	uint64_t whole[MAX_FRAMES], less[MAX_FRAMES], same[MAX_FRAMES];
	struct fvsr_settings settings;
	struct test_rig rig;

	test_settings(&settings, 64, 64, 128, 128);
	settings.kv_ratio = 4;
	test_rig_open(&rig, model, &settings);
	for (int pass = 0; pass < 3; pass++) {
		uint64_t *hashes = pass == 0 ? whole : pass == 1 ? less : same;
		int received = 0, result;

		fvsr_stream_reset(rig.stream);
		CHECK(!fvsr_stream_set_effort(rig.stream, settings.sparse_ratio, 4));
		for (rig.sent = 0; rig.sent < MAX_FRAMES;) {
			if (rig.sent == 30 && pass == 1)
				CHECK(!fvsr_stream_set_effort(rig.stream, 0.05, 2));
			CHECK(!rig_send(&rig));
			received += rig_receive(&rig, received, hashes, &result);
		}
		CHECK(received == 53);
	}
	CHECK(!memcmp(whole, less, 21 * sizeof(*whole)));
	CHECK(memcmp(whole, less, 53 * sizeof(*whole)));
	CHECK(!memcmp(whole, same, 53 * sizeof(*whole)));
	CHECK(fvsr_stream_set_effort(rig.stream, 2.0, 5) == FVSR_ERR_ARGUMENT);
	CHECK(fvsr_stream_set_effort(rig.stream, 0.0, 2) == FVSR_ERR_ARGUMENT);
	CHECK(fvsr_stream_set_effort(rig.stream, 2.0, 0) == FVSR_ERR_ARGUMENT);
	test_rig_close(&rig);
}

/* Checks for the prompt of the nearest scale, which the sizes say where settings do not. */
static void test_scale(fvsr_model *model)
{
	static const double scales[] = {0, 2, 2.4, 1, 2.5, 3, 8};
	uint64_t hashes[7][4];
	struct fvsr_settings settings;
	struct fvsr_model_info info;
	struct test_rig rig;

	fvsr_model_describe(model, &info);
	test_settings(&settings, 64, 64, 128, 128);
	for (int i = 0; i < 7; i++) {
		settings.scale = scales[i];
		test_rig_open(&rig, model, &settings);
		CHECK(rig_video(&rig, 4, hashes[i]) == 4);
		test_rig_close(&rig);
	}
	for (int i = 1; i < 7; i++) {
		bool same = !memcmp(hashes[0], hashes[i], sizeof(hashes[0]));

		CHECK(same == (i < 4 || info.config.prompts == 1));
	}
	CHECK(!memcmp(hashes[4], hashes[5], sizeof(hashes[4])));
	CHECK(!memcmp(hashes[4], hashes[6], sizeof(hashes[4])));
}

/* Hashes the pictures of frames 'first' to 'end' of a video, by a stream that begins there. */
static void hash_from(fvsr_model *model, struct fvsr_settings *settings, int first, int end,
		      uint64_t *hashes)
{
	struct test_rig rig;
	int n = first;

	settings->first_frame = first;
	test_rig_open(&rig, model, settings);
	for (rig.sent = first; rig.sent < end;) {
		CHECK(!rig_send(&rig));
		while (!fvsr_stream_receive(rig.stream, rig.out))
			hashes[n++] = test_picture_hash(fvsr_frame_picture(rig.out));
	}
	CHECK(!fvsr_stream_end(rig.stream));
	while (!fvsr_stream_receive(rig.stream, rig.out))
		hashes[n++] = test_picture_hash(fvsr_frame_picture(rig.out));
	CHECK(n == end);
	test_rig_close(&rig);
}

/* Checks that a stream which begins in the middle gives, after its run-up, the same pictures. */
static void test_first_frame(fvsr_model *model)
{
	static const int firsts[] = {8, 16, 24, 40}, ratios[] = {1, 3, 4};
	static uint64_t whole[256], part[256];
	struct fvsr_settings settings;
	struct fvsr_stream_cost cost;

	test_settings(&settings, 64, 64, 128, 128);
	for (int r = 0; r < 3; r++) {
		settings.kv_ratio = ratios[r];
		CHECK(!fvsr_stream_cost(model, &settings, &cost, NULL));
		CHECK(cost.run_up > 0 && cost.run_up < 200);
		hash_from(model, &settings, 0, 60 + cost.run_up, whole);
		for (int i = 0; i < 4; i++) {
			int settled = firsts[i] + cost.run_up;

			hash_from(model, &settings, firsts[i], 60 + cost.run_up, part);
			CHECK(memcmp(whole + firsts[i], part + firsts[i], 21 * sizeof(*whole)));
			CHECK(!memcmp(whole + settled, part + settled,
				      (60 + cost.run_up - settled) * sizeof(*whole)));
		}
	}
	settings.first_frame = 4;
	expect_refused(model, &settings, __LINE__);
	settings.first_frame = -8;
	expect_refused(model, &settings, __LINE__);
}

int main(int argc, char **argv)
{
	fvsr_model *model;

	if (argc != 3)
		return 2;
	model = test_model_open(argv[1], argv[2]);
	test_counts(model);
	test_latency(model);
	test_full(model);
	test_sizes(model);
	test_formats(model);
	test_two_streams(model);
	test_refusals(model);
	test_color(model);
	test_cost(model);
	test_interrupt(model);
	test_interrupt_busy(model);
	test_interrupt_paused(model);
	test_effort(model);
	test_scale(model);
	test_first_frame(model);
	fvsr_model_unref(model);
	return check_result();
}
