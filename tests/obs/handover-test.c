/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pictures on the card, handed over between a render thread and two filters' workers. Every picture
 * that is shown must be, byte for byte, what the engine makes of the same pictures when they come
 * and go through host memory. The card is late: a real one is kept busy by a neighbour at the
 * highest priority, and the stand-in for the driver (fake-cuda) is late by itself. Needs a display.
 *
 *	handover-test MODEL WIDTH HEIGHT FRAMES
 *
 * at 2x, FRAMES of each filter. 77 and the reason without a card.
 */
#include <obs.h>
#include <util/platform.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bare-obs.h"
#include "check.h"
#include "transport/transport.h"
#include "session/model-pool.h"
#include "neighbour.h"
#include "transport/card.h"
#include "session/worker.h"

#define FILTERS    2
#define KEPT       8 /* shown pictures that are looked at together, so that the card goes on */
#define STANDING_S 30
#define BUDGET_NS  20000000 /* of a chunk: with pauses between its pieces */

static const struct frame_transport_ops *const ops = &frame_transport_interop;

struct test {
	const char *model;
	int width, height, frames;
	struct model_pool *pool;
};

struct filter {
	const struct test *test;
	int number;
	struct frame_transport *transport;
	struct worker *worker;
	struct job *job;
	uint64_t *expected; /* of each frame */
	int staged, shown, wrong;
	struct {
		gs_texture_t *texture;
		int64_t frame;
	} kept[KEPT];
	int kept_count;
};

/* ---- pictures ------------------------------------------------------------------------------ */

/* Differs from frame to frame, from filter to filter, and all over the picture. */
static void fill(const struct fvsr_picture *picture, int filter, int frame)
{
	for (int y = 0; y < picture->height; y++) {
		uint8_t *pixel = (uint8_t *)picture->data + (size_t)y * picture->stride;

		for (int x = 0; x < picture->width; x++, pixel += 4) {
			pixel[0] = (uint8_t)(x * 3 + frame * 7);
			pixel[1] = (uint8_t)(y * 5 + frame * 11 + filter * 128);
			pixel[2] = (uint8_t)(x + y + frame * 13);
			pixel[3] = (uint8_t)(255 - (x + y + frame) % 64);
		}
	}
}

/* FNV-1a, eight bytes at once. */
static uint64_t hash_rows(const uint8_t *data, size_t stride, int width, int height)
{
	uint64_t hash = 14695981039346656037ULL, word;

	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x += 2) {
			memcpy(&word, data + (size_t)y * stride + (size_t)x * 4, sizeof(word));
			hash = (hash ^ word) * 1099511628211ULL;
		}
	return hash;
}

/* ---- what is right ------------------------------------------------------------------------- */

static void settings_of(const struct test *test, struct fvsr_settings *settings)
{
	fvsr_settings_default(settings);
	settings->in_width = test->width, settings->in_height = test->height;
	settings->out_width = 2 * test->width, settings->out_height = 2 * test->height;
}

static bool receive_expected(struct filter *filter, fvsr_stream *stream, fvsr_frame *out)
{
	const struct fvsr_picture *picture = fvsr_frame_picture(out);
	int code;

	while ((code = fvsr_stream_receive(stream, out)) == FVSR_OK)
		filter->expected[fvsr_frame_tag(out)] =
			hash_rows(picture->data, picture->stride, picture->width, picture->height);
	return code == FVSR_ERR_AGAIN || code == FVSR_ERR_EOF;
}

/* Upscales the same pictures through host memory, by the same opened model. */
static bool expect(struct filter *filter, fvsr_model *model)
{
	const struct test *test = filter->test;
	struct fvsr_settings settings;
	fvsr_frame *in = NULL, *out = NULL;
	fvsr_stream *stream = NULL;
	struct fvsr_error err = {""};
	bool ok;

	settings_of(test, &settings);
	filter->expected = calloc((size_t)test->frames, sizeof(*filter->expected));
	ok = !fvsr_stream_open(&stream, model, &settings, &err) &&
	     !fvsr_frame_create(&in, FVSR_FORMAT_RGBA8, settings.in_width, settings.in_height) &&
	     !fvsr_frame_create(&out, FVSR_FORMAT_RGBA8, settings.out_width, settings.out_height);
	for (int i = 0; i < test->frames && ok; i++) {
		fill(fvsr_frame_picture(in), filter->number, i);
		fvsr_frame_set_tag(in, i);
		ok = !fvsr_stream_send(stream, in) && receive_expected(filter, stream, out);
	}
	CHECK(ok, "through host memory: %s", stream ? fvsr_stream_error(stream) : err.text);
	fvsr_frame_destroy(in);
	fvsr_frame_destroy(out);
	fvsr_stream_close(stream);
	return ok;
}

/* ---- holding the engine -------------------------------------------------------------------- */

#define HELD_ASKS  300
#define HELD_LEAST 0.006 /* seconds: it sleeps 20 us before it asks again */

struct holding {
	atomic_int left, asked; /* how often the answer is yes; how often it was asked */
};

static bool held(void *opaque)
{
	struct holding *holding = opaque;

	atomic_fetch_add(&holding->asked, 1);
	return atomic_fetch_sub(&holding->left, 1) > 0;
}

/* Work that is held begins later, and then goes on. */
static void test_hold(const struct test *test, const struct fvsr_model_options *from)
{
	struct fvsr_model_options options = *from;
	struct holding holding;
	struct fvsr_settings settings;
	struct fvsr_error err = {""};
	fvsr_stream *stream = NULL;
	fvsr_model *model = NULL;
	fvsr_frame *in = NULL;
	uint64_t began_ns;
	bool ok;

	atomic_init(&holding.left, 0);
	atomic_init(&holding.asked, 0);
	options.hold = (struct fvsr_hold){held, &holding};
	settings_of(test, &settings);
	ok = !fvsr_model_open(&model, test->model, &options, &err) &&
	     !fvsr_stream_open(&stream, model, &settings, &err) &&
	     !fvsr_frame_create(&in, FVSR_FORMAT_RGBA8, settings.in_width, settings.in_height);
	CHECK(ok, "%s", err.text);
	if (ok) {
		fill(fvsr_frame_picture(in), 0, 0);
		atomic_store(&holding.asked, 0);
		atomic_store(&holding.left, HELD_ASKS);
		began_ns = os_gettime_ns();
		CHECK(!fvsr_stream_send(stream, in) && !fvsr_stream_send(stream, in) &&
			      !fvsr_stream_send(stream, in) && !fvsr_stream_send(stream, in),
		      "%s", fvsr_stream_error(stream));
		CHECK(atomic_load(&holding.asked) > HELD_ASKS, "asked %d times",
		      atomic_load(&holding.asked));
		CHECK((double)(os_gettime_ns() - began_ns) / 1e9 > HELD_LEAST,
		      "it did not wait while it was held");
	}
	fvsr_frame_destroy(in);
	fvsr_stream_close(stream);
	fvsr_model_unref(model);
}

/* ---- a filter ------------------------------------------------------------------------------ */

static void print_line(void *opaque, enum fvsr_log_level level, const char *text)
{
	(void)opaque;
	if (level <= FVSR_LOG_WARNING)
		printf("  %s\n", text);
}

/* In the graphics context. */
static bool open_filter(struct filter *filter, int card)
{
	const struct test *test = filter->test;
	const struct fvsr_log log = {print_line, NULL};
	const struct frame_transport_setup setup = {test->width, test->height, 2 * test->width,
						    2 * test->height, card};
	struct job_request request = {.backend = "cuda", .card = card};
	struct frame_maker maker = {ops->make_frame, NULL};
	char reason[200] = "";

	filter->transport = ops->create(&setup, reason, sizeof(reason));
	CHECK(filter->transport, "%s", reason);
	if (!filter->transport)
		return false;
	maker.opaque = filter->transport;
	snprintf(request.model, sizeof(request.model), "%s", test->model);
	settings_of(test, &request.settings);
	for (int i = 0; i < KEPT; i++)
		filter->kept[i].texture = bare_obs_texture(setup.out_width, setup.out_height, NULL);
	filter->worker = worker_create(&log, test->pool);
	filter->job = job_create(&request, 1, &maker);
	CHECK(filter->worker && filter->job, "out of memory");
	if (!filter->worker || !filter->job)
		return false;
	filter->job->budget_ns = BUDGET_NS;
	worker_set_job(filter->worker, filter->job);
	return true;
}

static void close_filter(struct filter *filter)
{
	if (filter->worker)
		worker_destroy(filter->worker);
	job_unref(filter->job);
	obs_enter_graphics();
	ops->destroy(filter->transport);
	for (int i = 0; i < KEPT; i++)
		gs_texture_destroy(filter->kept[i].texture);
	obs_leave_graphics();
	free(filter->expected);
}

/* Looks at what was shown, which makes this thread wait for the card. */
static void look(struct filter *filter)
{
	const int width = 2 * filter->test->width, height = 2 * filter->test->height;

	for (int i = 0; i < filter->kept_count; i++) {
		uint8_t *pixels = bare_obs_read(filter->kept[i].texture, width, height);
		const int64_t frame = filter->kept[i].frame;

		if (hash_rows(pixels, (size_t)width * 4, width, height) !=
		    filter->expected[frame]) {
			if (!filter->wrong++)
				printf("  filter %d, picture %d is not what it should be\n",
				       filter->number, (int)frame);
		}
		free(pixels);
	}
	filter->kept_count = 0;
}

static void keep(struct filter *filter, gs_texture_t *shown, const fvsr_frame *frame)
{
	gs_copy_texture(filter->kept[filter->kept_count].texture, shown);
	filter->kept[filter->kept_count++].frame = fvsr_frame_tag(frame);
	CHECK(fvsr_frame_tag(frame) == filter->shown, "frame %d came for frame %d",
	      (int)fvsr_frame_tag(frame), filter->shown);
	filter->shown++;
	if (filter->kept_count == KEPT)
		look(filter);
}

static void stage_next(struct filter *filter)
{
	const struct test *test = filter->test;
	const size_t stride = (size_t)test->width * 4;
	uint8_t *pixels = malloc(stride * (size_t)test->height);
	const struct fvsr_picture picture = {
		.width = test->width, .height = test->height, .stride = stride, .data = pixels};
	gs_texture_t *texture;

	fill(&picture, filter->number, filter->staged);
	texture = bare_obs_texture(test->width, test->height, pixels);
	if (ops->stage(filter->transport, texture, filter->staged))
		filter->staged++;
	gs_texture_destroy(texture);
	free(pixels);
}

/* Does what the filter does for a picture of OBS: one frame goes, one comes. */
static void tick(struct filter *filter)
{
	const fvsr_frame *due = frame_queue_peek(filter->job->out, 0);
	struct frame_exchange exchange = {.out = due};

	ops->advance(filter->transport);
	if (ops->ready(filter->transport))
		exchange.in = frame_queue_write_begin(filter->job->in);
	exchange.fetch = exchange.in != NULL;
	if (exchange.fetch || due)
		ops->exchange(filter->transport, &exchange);
	if (exchange.fetched)
		frame_queue_write_end(filter->job->in);
	if (due) {
		CHECK(exchange.shown, "%s", ops->trouble(filter->transport));
		if (exchange.shown)
			keep(filter, exchange.shown, due);
		frame_queue_pop(filter->job->out);
	}
	if (exchange.fetched || due)
		worker_wake(filter->worker);
	if (filter->staged < filter->test->frames && !frame_queue_full(filter->job->in))
		stage_next(filter);
}

static bool failed(struct filter *filter)
{
	struct worker_status status;

	worker_get_status(filter->worker, &status);
	CHECK(status.state != WORKER_FAILED, "%s", status.reason);
	return status.state == WORKER_FAILED || ops->trouble(filter->transport);
}

/* The frames that a stream holds back come only when more go in. */
static int to_show(const struct test *test)
{
	return test->frames - 24;
}

static void run(struct filter filters[FILTERS])
{
	const int last = to_show(filters[0].test);
	uint64_t moved_ns = os_gettime_ns();
	int shown = 0, before;

	do {
		before = shown;
		shown = 0;
		obs_enter_graphics();
		for (int i = 0; i < FILTERS; i++) {
			model_pool_hold(filters[i].test->pool);
			tick(&filters[i]);
			model_pool_let_go(filters[i].test->pool);
			shown += filters[i].shown;
		}
		obs_leave_graphics();
		if (shown != before)
			moved_ns = os_gettime_ns();
		if (os_gettime_ns() - moved_ns > STANDING_S * 1000000000ULL) {
			CHECK(false, "after %d pictures none came for %d s", shown, STANDING_S);
			return;
		}
		for (int i = 0; i < FILTERS; i++)
			if (failed(&filters[i]))
				return;
	} while (filters[0].shown < last || filters[1].shown < last);
}

static void compare(struct filter filters[FILTERS])
{
	int shown = 0, wrong = 0;

	obs_enter_graphics();
	for (int i = 0; i < FILTERS; i++) {
		look(&filters[i]);
		shown += filters[i].shown;
		wrong += filters[i].wrong;
	}
	obs_leave_graphics();
	printf("%d wrong pictures of %d\n", wrong, shown);
	CHECK(!wrong, "%d pictures", wrong);
	CHECK(shown >= FILTERS * to_show(filters[0].test), "only %d", shown);
}

static void test_filters(struct test *test, fvsr_model *model, int card)
{
	struct filter filters[FILTERS] = {{0}};
	bool ok = true;

	for (int i = 0; i < FILTERS; i++) {
		filters[i].test = test;
		filters[i].number = i;
		ok = ok && expect(&filters[i], model);
	}
	obs_enter_graphics();
	for (int i = 0; i < FILTERS && ok; i++)
		ok = open_filter(&filters[i], card);
	obs_leave_graphics();
	if (ok) {
		struct neighbour *neighbour = neighbour_start(card);

		printf("%s\n", neighbour ? "a neighbour keeps the card busy" : "no neighbour");
		run(filters);
		neighbour_stop(neighbour);
		compare(filters);
	}
	for (int i = 0; i < FILTERS; i++)
		close_filter(&filters[i]);
}

static int test_card(struct test *test)
{
	struct fvsr_model_options options;
	struct fvsr_error err = {""};
	fvsr_model *model = NULL;
	int card, code;

	fvsr_model_options_default(&options);
	options.backend = "cuda";
	options.background = true;
	card = card_of_obs();
	options.card = card;
	test->pool = model_pool_create();
	code = model_pool_open(test->pool, &model, test->model, &options, &err);
	if (code == FVSR_ERR_BACKEND) {
		printf("skipped: %s\n", err.text);
		model_pool_unref(test->pool);
		return 77;
	}
	CHECK(code >= 0, "%s", err.text);
	if (code >= 0) {
		test_hold(test, &options);
		test_filters(test, model, card < 0 ? 0 : card);
		model_pool_close(test->pool, model);
	}
	model_pool_unref(test->pool);
	return 0;
}

int main(int argc, char **argv)
{
	struct test test = {0};
	int result;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 5) {
		fprintf(stderr, "usage: handover-test MODEL WIDTH HEIGHT FRAMES\n");
		return 2;
	}
	test.model = argv[1];
	test.width = atoi(argv[2]);
	test.height = atoi(argv[3]);
	test.frames = atoi(argv[4]);
	if (!bare_obs_start()) {
		printf("FAILED: libobs does not start here\n");
		return 1;
	}
	result = test_card(&test);
	CHECK(bare_obs_stop(), "memory leaked");
	return result ? result : check_result();
}
