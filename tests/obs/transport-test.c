/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sharing textures with CUDA, without the filter around it: pictures from a texture into a frame
 * and from a frame into a texture, byte for byte; frames that outlive the transport; what happens
 * when it cannot be had, or ceases to work. Needs a display.
 *
 *	transport-test none           no CUDA here: that, and why, is noticed
 *	transport-test card [MODEL]   a card, or the stand-in for its driver (fake-cuda); with a
 *	                              model, also pictures of the engine on the card against those
 *	                              of the engine on the CPU. 77 and the reason without a card.
 *	transport-test faults         the stand-in only: each call of the driver fails in turn
 */
#include <obs.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bare-obs.h"
#include "check.h"
#include "transport/card.h"
#include "transport/choice.h"
#include "transport/cuda-driver.h"
#include "transport/transport.h"

#define IN_WIDTH   72
#define IN_HEIGHT  40
#define OUT_WIDTH  144
#define OUT_HEIGHT 80
#define FRAMES     4
#define VIDEO      45
#define LEAST_DB   40.0

#define CUDA_MEMORY_HOST 1

static const struct frame_transport_ops *const ops = &frame_transport_interop;
static const struct frame_transport_setup setup = {IN_WIDTH, IN_HEIGHT, OUT_WIDTH, OUT_HEIGHT, 0};

/* ---- pictures ------------------------------------------------------------------------------ */

/* A soft pattern that moves, with alpha; 'seed' numbers the picture. */
static void fill(uint8_t *pixels, int width, int height, int seed)
{
	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++, pixels += 4) {
			pixels[0] = (uint8_t)(128 + 90 * sin((x + seed) * 0.21));
			pixels[1] = (uint8_t)(128 + 90 * sin((y + 2 * seed) * 0.17));
			pixels[2] = (uint8_t)(128 + 90 * sin((x + y - seed) * 0.13));
			pixels[3] = (uint8_t)(255 - (x + 3 * y + seed) % 200);
		}
}

static gs_texture_t *make_texture(int width, int height, int seed)
{
	uint8_t *pixels = malloc((size_t)width * height * 4);
	gs_texture_t *texture;

	fill(pixels, width, height, seed);
	texture = bare_obs_texture(width, height, pixels);
	free(pixels);
	return texture;
}

static bool is_pattern(const uint8_t *pixels, int width, int height, int seed)
{
	uint8_t *expected = malloc((size_t)width * height * 4);
	bool same;

	fill(expected, width, height, seed);
	same = memcmp(pixels, expected, (size_t)width * height * 4) == 0;
	free(expected);
	return same;
}

/* ---- the card, as the engine uses it ------------------------------------------------------- */

struct card {
	struct cuda_driver driver;
	cuda_handle context;
};

static bool card_open(struct card *card)
{
	char reason[200];

	memset(card, 0, sizeof(*card));
	if (!cuda_driver_open(&card->driver, reason, sizeof(reason))) {
		printf("skipped: needs a card: %s\n", reason);
		cuda_driver_close(&card->driver);
		return false;
	}
	return card->driver.context_retain(&card->context, 0) == 0;
}

static void card_close(struct card *card)
{
	card->driver.context_release(0);
	cuda_driver_close(&card->driver);
}

/* Copies between host memory and a frame, in the order of the frame's stream, and waits. */
static bool move(struct card *card, const fvsr_frame *frame, uint8_t *pixels, bool to_frame)
{
	const struct fvsr_picture *picture = fvsr_frame_picture(frame);
	const struct cuda_place device = {.memory = CUDA_MEMORY_DEVICE,
					  .device = (cuda_pointer)(uintptr_t)picture->data,
					  .pitch = picture->stride};
	const struct cuda_place host = {
		.memory = CUDA_MEMORY_HOST, .host = pixels, .pitch = (size_t)picture->width * 4};
	struct cuda_copy copy = {.from = to_frame ? host : device,
				 .to = to_frame ? device : host,
				 .width_bytes = (size_t)picture->width * 4,
				 .height = (size_t)picture->height};
	cuda_handle context;
	bool ok;

	if (card->driver.context_push(card->context))
		return false;
	ok = !card->driver.copy(&copy, picture->queue) &&
	     !card->driver.stream_synchronize(picture->queue);
	card->driver.context_pop(&context);
	return ok;
}

/* ---- without a card ------------------------------------------------------------------------ */

static void test_none(void)
{
	struct transport_choice choice;
	char reason[200] = "";

	CHECK(card_of_obs() == -1);
	obs_enter_graphics();
	CHECK(ops->create(&setup, reason, sizeof(reason)) == NULL);
	obs_leave_graphics();
	printf("reason: %s\n", reason);
	CHECK(strstr(reason, "there is no NVIDIA driver"));

	transport_choice_init(&choice);
	CHECK(choice.kind == TRANSPORT_READBACK);
	CHECK(!transport_choice_follow(&choice, -1)); /* the engine runs on the CPU */
	CHECK(choice.kind == TRANSPORT_READBACK && !choice.reason[0]);
	CHECK(transport_choice_follow(&choice, 0)); /* and now on a card */
	CHECK(choice.kind == TRANSPORT_INTEROP);
	CHECK(!transport_choice_follow(&choice, 0));
	CHECK(transport_choice_refuse(&choice, "a cable fell out"));
	CHECK(choice.kind == TRANSPORT_READBACK);
	CHECK(strcmp(choice.reason, "a cable fell out") == 0);
	CHECK(!transport_choice_follow(&choice, 0)); /* not again with these settings */
	transport_choice_init(&choice);
	CHECK(!choice.reason[0] && transport_choice_follow(&choice, 0));
	CHECK(transport_choice_follow(&choice, -1)); /* the engine went over to the CPU */
	CHECK(choice.kind == TRANSPORT_READBACK && !choice.reason[0]);
}

/* ---- to and fro ---------------------------------------------------------------------------- */

struct frames {
	fvsr_frame *in[FRAMES], *out[FRAMES];
};

static bool make_frames(struct frame_transport *transport, struct frames *frames)
{
	bool ok = true;

	memset(frames, 0, sizeof(*frames));
	for (int i = 0; i < FRAMES; i++)
		ok = ok &&
		     !ops->make_frame(transport, &frames->in[i], FRAME_TO_ENGINE, IN_WIDTH,
				      IN_HEIGHT) &&
		     !ops->make_frame(transport, &frames->out[i], FRAME_FROM_ENGINE, OUT_WIDTH,
				      OUT_HEIGHT);
	return ok;
}

static void destroy_frames(struct frames *frames)
{
	for (int i = 0; i < FRAMES; i++) {
		fvsr_frame_destroy(frames->in[i]);
		fvsr_frame_destroy(frames->out[i]);
	}
}

static bool fetch(struct frame_transport *transport, fvsr_frame *frame)
{
	struct frame_exchange exchange = {.fetch = true, .in = frame};

	ops->exchange(transport, &exchange);
	CHECK(!exchange.shown);
	return exchange.fetched;
}

static gs_texture_t *show(struct frame_transport *transport, const fvsr_frame *frame)
{
	struct frame_exchange exchange = {.out = frame};

	ops->exchange(transport, &exchange);
	CHECK(!exchange.fetched);
	return exchange.shown;
}

static bool stage(struct frame_transport *transport, int n)
{
	gs_texture_t *texture = make_texture(IN_WIDTH, IN_HEIGHT, n);
	bool ok = ops->stage(transport, texture, n);

	gs_texture_destroy(texture); /* it need not be there any longer */
	CHECK(!ops->ready(transport));
	ops->advance(transport);
	CHECK(ops->ready(transport));
	return ok;
}

/* Carries picture 'n' from a texture into a frame. */
static bool carry_in(struct frame_transport *transport, fvsr_frame *frame, int n)
{
	return stage(transport, n) && fetch(transport, frame);
}

static void test_in(struct card *card, struct frame_transport *transport, struct frames *frames)
{
	uint8_t *pixels = malloc(IN_WIDTH * IN_HEIGHT * 4);

	for (int n = 0; n < 10; n++) {
		fvsr_frame *frame = frames->in[n % FRAMES];

		CHECK(carry_in(transport, frame, n));
		CHECK(fvsr_frame_tag(frame) == n);
		CHECK(move(card, frame, pixels, false));
		CHECK(is_pattern(pixels, IN_WIDTH, IN_HEIGHT, n));
	}
	free(pixels);
}

static void test_full(struct card *card, struct frame_transport *transport, struct frames *frames)
{
	gs_texture_t *texture = make_texture(IN_WIDTH, IN_HEIGHT, 50);
	uint8_t *pixels = malloc(IN_WIDTH * IN_HEIGHT * 4);
	int staged = 0;

	while (staged < 20 && ops->stage(transport, texture, 50 + staged))
		staged++;
	CHECK(staged >= 2 && staged < 20);
	ops->advance(transport);
	CHECK(!fetch(transport, NULL)); /* the first is dropped */
	CHECK(fetch(transport, frames->in[0]));
	CHECK(fvsr_frame_tag(frames->in[0]) == 51);
	CHECK(move(card, frames->in[0], pixels, false));
	CHECK(is_pattern(pixels, IN_WIDTH, IN_HEIGHT, 50));
	ops->clear(transport);
	CHECK(!ops->ready(transport));
	ops->advance(transport);
	CHECK(!ops->ready(transport));
	gs_texture_destroy(texture);
	free(pixels);
}

static void check_shown(gs_texture_t *texture, int n)
{
	uint8_t *shown;

	CHECK(texture != NULL);
	if (!texture)
		return;
	shown = bare_obs_read(texture, OUT_WIDTH, OUT_HEIGHT);
	CHECK(is_pattern(shown, OUT_WIDTH, OUT_HEIGHT, n));
	free(shown);
}

static void test_out(struct card *card, struct frame_transport *transport, struct frames *frames)
{
	uint8_t *pixels = malloc(OUT_WIDTH * OUT_HEIGHT * 4);

	for (int n = 0; n < 10; n++) {
		fill(pixels, OUT_WIDTH, OUT_HEIGHT, 100 + n);
		CHECK(move(card, frames->out[n % FRAMES], pixels, true));
		check_shown(show(transport, frames->out[n % FRAMES]), 100 + n);
	}
	free(pixels);
}

/* As in a live stream: with each picture of OBS one comes and one goes. */
static void test_both(struct card *card, struct frame_transport *transport, struct frames *frames)
{
	uint8_t *pixels = malloc(OUT_WIDTH * OUT_HEIGHT * 4);

	for (int n = 200; n < 210; n++) {
		struct frame_exchange exchange = {.fetch = true,
						  .in = frames->in[n % FRAMES],
						  .out = frames->out[n % FRAMES]};

		fill(pixels, OUT_WIDTH, OUT_HEIGHT, 100 + n);
		CHECK(move(card, frames->out[n % FRAMES], pixels, true));
		CHECK(stage(transport, n));
		ops->exchange(transport, &exchange);
		CHECK(exchange.fetched && fvsr_frame_tag(exchange.in) == n);
		CHECK(move(card, exchange.in, pixels, false));
		CHECK(is_pattern(pixels, IN_WIDTH, IN_HEIGHT, n));
		check_shown(exchange.shown, 100 + n);
	}
	free(pixels);
}

/* ---- the engine ---------------------------------------------------------------------------- */

static fvsr_stream *open_stream(const char *model_name, const char *backend)
{
	struct fvsr_model_options options;
	struct fvsr_settings settings;
	fvsr_stream *stream = NULL;
	fvsr_model *model;
	struct fvsr_error err = {""};

	fvsr_model_options_default(&options);
	fvsr_settings_default(&settings);
	options.backend = backend;
	options.background = true;
	settings.in_width = IN_WIDTH, settings.in_height = IN_HEIGHT;
	settings.out_width = OUT_WIDTH, settings.out_height = OUT_HEIGHT;
	if (fvsr_model_open(&model, model_name, &options, &err) < 0) {
		printf("%s: %s\n", backend, err.text);
		return NULL;
	}
	if (fvsr_stream_open(&stream, model, &settings, &err) < 0)
		printf("%s: %s\n", backend, err.text);
	fvsr_model_unref(model);
	return stream;
}

static double psnr(const uint8_t *a, const uint8_t *b, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
	return sum > 0 ? 10 * log10(255.0 * 255.0 * (double)count / sum) : 99;
}

struct engines {
	fvsr_stream *card, *cpu;
	fvsr_frame *cpu_in, *cpu_out;
	double worst_db;
	int compared;
};

/* Compares what comes out of both engines: a texture, and a picture in host memory. */
static void receive(struct engines *e, struct frame_transport *transport, struct frames *frames)
{
	for (;;) {
		fvsr_frame *out = frames->out[e->compared % FRAMES];
		int card = fvsr_stream_receive(e->card, out);
		int cpu = fvsr_stream_receive(e->cpu, e->cpu_out);
		const struct fvsr_picture *expected = fvsr_frame_picture(e->cpu_out);
		gs_texture_t *texture;
		uint8_t *shown;

		CHECK(card == cpu);
		if (card || cpu)
			return;
		CHECK(!fvsr_stream_wait_received(e->card)); /* as the worker does */
		CHECK(fvsr_frame_tag(out) == fvsr_frame_tag(e->cpu_out));
		texture = show(transport, out);
		CHECK(texture != NULL);
		if (!texture)
			return;
		shown = bare_obs_read(texture, OUT_WIDTH, OUT_HEIGHT);
		e->worst_db =
			fmin(e->worst_db, psnr(shown, expected->data, OUT_WIDTH * OUT_HEIGHT * 4));
		free(shown);
		e->compared++;
	}
}

static void test_engine(struct frame_transport *transport, struct frames *frames, const char *model)
{
	struct engines e = {.card = open_stream(model, "cuda"),
			    .cpu = open_stream(model, "cpu-plain"),
			    .worst_db = 99};

	CHECK(e.card && e.cpu && OUT_WIDTH * 4 % 64 == 0);
	fvsr_frame_create(&e.cpu_in, FVSR_FORMAT_RGBA8, IN_WIDTH, IN_HEIGHT);
	fvsr_frame_create(&e.cpu_out, FVSR_FORMAT_RGBA8, OUT_WIDTH, OUT_HEIGHT);
	for (int n = 0; n < VIDEO && e.card && e.cpu; n++) {
		const struct fvsr_picture *in = fvsr_frame_picture(e.cpu_in);
		uint8_t *pixels = malloc(IN_WIDTH * IN_HEIGHT * 4);

		fill(pixels, IN_WIDTH, IN_HEIGHT, n);
		for (int y = 0; y < IN_HEIGHT; y++)
			memcpy((uint8_t *)in->data + (size_t)y * in->stride,
			       pixels + y * IN_WIDTH * 4, IN_WIDTH * 4);
		free(pixels);
		fvsr_frame_set_tag(e.cpu_in, n);
		CHECK(carry_in(transport, frames->in[n % FRAMES], n));
		CHECK(!fvsr_stream_send(e.card, frames->in[n % FRAMES]));
		CHECK(!fvsr_stream_wait_sent(e.card));
		CHECK(!fvsr_stream_send(e.cpu, e.cpu_in));
		receive(&e, transport, frames);
	}
	printf("%d pictures of the card and the CPU, the worst %.1f dB\n", e.compared, e.worst_db);
	CHECK(e.compared >= VIDEO - 20 && e.worst_db >= LEAST_DB);
	fvsr_stream_close(e.card);
	fvsr_stream_close(e.cpu);
	fvsr_frame_destroy(e.cpu_in);
	fvsr_frame_destroy(e.cpu_out);
}

/* ---- cases --------------------------------------------------------------------------------- */

static void *destroy_frames_thread(void *frames)
{
	destroy_frames(frames);
	return NULL;
}

static int test_card(const char *model)
{
	struct frame_transport *transport;
	struct frame_transport_setup real = setup;
	struct frames frames;
	char reason[200] = "";
	pthread_t thread;
	struct card card;

	if (!card_open(&card))
		return 77;
	real.card = card_of_obs();
	printf("OBS renders on card %d\n", real.card);
	if (real.card < 0)
		real.card = 0; /* what CUDA cannot tell, registering will show */
	obs_enter_graphics();
	transport = ops->create(&real, reason, sizeof(reason));
	if (CHECK(transport, "%s", reason)) {
		CHECK(make_frames(transport, &frames));
		test_in(&card, transport, &frames);
		test_full(&card, transport, &frames);
		test_out(&card, transport, &frames);
		test_both(&card, transport, &frames);
		if (model)
			test_engine(transport, &frames, model);
		CHECK(!ops->trouble(transport));
		if (ops->trouble(transport))
			printf("%s\n", ops->trouble(transport));
		ops->destroy(transport);
	}
	obs_leave_graphics();
	if (transport && !pthread_create(&thread, NULL, destroy_frames_thread, &frames))
		pthread_join(thread, NULL);
	card_close(&card);
	return 0;
}

/* Lives a transport's short life, in which any call may fail. True when none did. */
static bool live_once(void)
{
	struct frame_transport *transport;
	struct frames frames = {0};
	char reason[200] = "";
	bool ok;

	obs_enter_graphics();
	transport = ops->create(&setup, reason, sizeof(reason));
	ok = transport && make_frames(transport, &frames);
	for (int n = 0; n < 3 && ok; n++) {
		struct frame_exchange both = {
			.fetch = true, .in = frames.in[n], .out = frames.out[n]};

		ok = carry_in(transport, frames.in[n], n) && stage(transport, n);
		if (ok)
			ops->exchange(transport, &both);
		ok = ok && both.fetched && both.shown;
		CHECK(ok == !ops->trouble(transport));
	}
	if (!transport)
		CHECK(reason[0]);
	/* After a failure nothing is tried any more, and nothing falls over. */
	if (transport && !ok && ops->trouble(transport))
		CHECK(!show(transport, frames.out[0]));
	ops->destroy(transport);
	obs_leave_graphics();
	destroy_frames(&frames);
	obs_wait_for_destroy_queue();
	return ok;
}

/* Some calls may fail without harm; when several in a row did not, there are no more of them. */
static void test_faults(void)
{
	char number[16];
	int n = 0, harmless = 0, failed = 0;

	while (harmless < 4 && n < 500) {
		snprintf(number, sizeof(number), "%d", ++n);
		setenv("FAKE_CUDA_FAIL", number, 1);
		harmless = live_once() ? harmless + 1 : 0;
		failed += !harmless;
		unsetenv("FAKE_CUDA_FAIL");
	}
	printf("%d calls failed, one after the other, %d with consequences\n", n, failed);
	CHECK(failed > 30 && n < 500);
}

int main(int argc, char **argv)
{
	const char *test = argc > 1 ? argv[1] : "";
	int result = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!bare_obs_start()) {
		printf("FAILED: libobs does not start here\n");
		return 1;
	}
	if (strcmp(test, "none") == 0)
		test_none();
	else if (strcmp(test, "card") == 0)
		result = test_card(argc > 2 ? argv[2] : NULL);
	else if (strcmp(test, "faults") == 0)
		test_faults();
	else
		result = 2;
	CHECK(bare_obs_stop());
	return result ? result : check_result();
}
