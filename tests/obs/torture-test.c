/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything at once, and every picture looked at:
 *
 *	torture-test PLUGIN_FOLDER MODEL SLOW_MODEL SECONDS
 *
 * The source is our own, so that its pictures can say when they were made: their colour is the time
 * in ticks of OBS. Every picture that OBS draws of it, through the filter, must have the size that
 * it should have, must not be black, must not be older than the delay that the dialog tells, and
 * must not be older than the picture before; whatever is done to filter and source meanwhile.
 */
#include "engine-fault.h"
#include "obs-host.h"

#include <graphics/graphics.h>
#include <util/platform.h>

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_S     100.0
#define BLACK_BELOW 8.0
#define TICK_NS     (1000000000ULL / HOST_FPS)
/* Colours: red counts ticks, green what red cannot, blue what green cannot. */
#define BASE        64
#define RED_STEP    4
#define RED_COUNT   32
#define OTHER_STEP  8
#define OTHER_COUNT 16
#define TICKS_MAX   (RED_COUNT * OTHER_COUNT * OTHER_COUNT)
/* The network is not trained, so a colour can be off by a little. */
#define TICKS_OFF 2
/* So late it may be before the worker is called behind, with what rounding the delay adds. */
#define TICKS_LATE 4

#define GAPS  128
#define LATER 16 /* pictures */

struct torture {
	pthread_mutex_t lock; /* held around each change and each look */
	obs_source_t *source, *filter;
	uint32_t scale, scale_before; /* expected; the one before for some pictures */
	bool drawn;                   /* otherwise hidden */
	const char *what;             /* is being done */

	/* The dialog's words: the longest delay of late, in ticks. */
	double delay_ticks[16];
	unsigned delays;

	gs_texrender_t *texrender;
	gs_stagesurf_t *surface;
	uint32_t width, height;

	int64_t newest; /* tick that was seen */
	int64_t drawn_at;
	double gaps[GAPS]; /* in ticks, between the last pictures that were drawn */
	double ages[LATER];
	uint64_t pictures, delayed, violations;
	double oldest;     /* beyond the delay */
	unsigned failures; /* of the engine */
};

/* ---- the source ---------------------------------------------------------------------------- */

static atomic_uint source_size; /* width << 16 | height */

static uint32_t counter_width(void *data)
{
	(void)data;
	return atomic_load(&source_size) >> 16;
}

static uint32_t counter_height(void *data)
{
	(void)data;
	return atomic_load(&source_size) & 0xffff;
}

static int64_t now_ticks(void)
{
	static uint64_t first_ns;

	if (!first_ns)
		first_ns = obs_get_video_frame_time();
	return (int64_t)((obs_get_video_frame_time() - first_ns + TICK_NS / 2) / TICK_NS);
}

static void counter_render(void *data, gs_effect_t *effect)
{
	const uint32_t ticks = (uint32_t)(now_ticks() % TICKS_MAX);
	const uint32_t red = BASE + RED_STEP * (ticks % RED_COUNT);
	const uint32_t green = BASE + OTHER_STEP * (ticks / RED_COUNT % OTHER_COUNT);
	const uint32_t blue = BASE + OTHER_STEP * (ticks / RED_COUNT / OTHER_COUNT);
	const bool srgb_before = gs_framebuffer_srgb_enabled();
	struct vec4 color;

	(void)data, (void)effect;
	effect = obs_get_base_effect(OBS_EFFECT_SOLID);
	gs_enable_framebuffer_srgb(false);
	vec4_from_rgba(&color, red | green << 8 | blue << 16 | 0xff000000u);
	gs_effect_set_vec4(gs_effect_get_param_by_name(effect, "color"), &color);
	while (gs_effect_loop(effect, "Solid"))
		gs_draw_sprite(NULL, 0, counter_width(NULL), counter_height(NULL));
	gs_enable_framebuffer_srgb(srgb_before);
}

static const char *counter_name(void *data)
{
	(void)data;
	return "counter";
}

static void *counter_create(obs_data_t *settings, obs_source_t *source)
{
	(void)settings;
	return source;
}

static void counter_destroy(void *data)
{
	(void)data;
}

static void make_source(struct torture *torture)
{
	static const struct obs_source_info info = {
		.id = "torture_counter",
		.type = OBS_SOURCE_TYPE_INPUT,
		.output_flags = OBS_SOURCE_VIDEO | OBS_SOURCE_CUSTOM_DRAW | OBS_SOURCE_SRGB,
		.get_name = counter_name,
		.create = counter_create,
		.destroy = counter_destroy,
		.get_width = counter_width,
		.get_height = counter_height,
		.video_render = counter_render,
	};

	atomic_store(&source_size, 64 << 16 | 64);
	obs_register_source(&info);
	torture->source = obs_source_create_private(info.id, "counter", NULL);
	if (!torture->source)
		abort();
	obs_source_inc_active(torture->source);
}

/* ---- looking at every picture -------------------------------------------------------------- */

static void violation(struct torture *torture, const char *what, double number)
{
	if (++torture->violations <= 20)
		fprintf(stderr, "    picture %llu, %s: %s (%g)\n",
			(unsigned long long)torture->pictures, torture->what, what, number);
}

static bool prepare_grab(struct torture *torture, uint32_t width, uint32_t height)
{
	if (!torture->texrender)
		torture->texrender = gs_texrender_create(GS_RGBA, GS_ZS_NONE);
	if (!torture->surface || torture->width != width || torture->height != height) {
		gs_stagesurface_destroy(torture->surface);
		torture->surface = gs_stagesurface_create(width, height, GS_RGBA);
		torture->width = width;
		torture->height = height;
	}
	gs_texrender_reset(torture->texrender);
	return torture->surface && gs_texrender_begin(torture->texrender, width, height);
}

/* The mean of red, green and blue, as OBS draws the source. */
static bool grab(struct torture *torture, uint32_t width, uint32_t height, double *mean)
{
	struct vec4 clear_color;
	uint32_t linesize;
	uint8_t *data;

	if (!prepare_grab(torture, width, height))
		return false;
	vec4_zero(&clear_color);
	gs_clear(GS_CLEAR_COLOR, &clear_color, 0.0f, 0);
	gs_ortho(0.0f, (float)width, 0.0f, (float)height, -100.0f, 100.0f);
	gs_blend_state_push();
	gs_blend_function_separate(GS_BLEND_SRCALPHA, GS_BLEND_INVSRCALPHA, GS_BLEND_ONE,
				   GS_BLEND_INVSRCALPHA);
	obs_source_video_render(torture->source);
	gs_blend_state_pop();
	gs_texrender_end(torture->texrender);
	gs_stage_texture(torture->surface, gs_texrender_get_texture(torture->texrender));
	if (!gs_stagesurface_map(torture->surface, &data, &linesize))
		return false;
	mean[0] = mean[1] = mean[2] = 0.0;
	for (uint32_t i = 0; i < width * height; i++)
		for (uint32_t c = 0; c < 3; c++)
			mean[c] += data[(size_t)(i / width) * linesize + i % width * 4 + c];
	for (uint32_t c = 0; c < 3; c++)
		mean[c] /= (double)width * height;
	gs_stagesurface_unmap(torture->surface);
	return true;
}

/* The tick that the colour says: the last one before 'now' that it can be. */
static int64_t decode(const double *mean, int64_t now)
{
	const int64_t red = lround((mean[0] - BASE) / RED_STEP);
	const int64_t green = lround((mean[1] - BASE) / OTHER_STEP);
	const int64_t blue = lround((mean[2] - BASE) / OTHER_STEP);
	const int64_t ticks = red + RED_COUNT * (green + OTHER_COUNT * blue);

	return now - (now - ticks + TICKS_MAX + TICKS_OFF) % TICKS_MAX + TICKS_OFF;
}

static void judge_size(struct torture *torture, uint32_t width, uint32_t height)
{
	if (width == counter_width(NULL) * torture->scale &&
	    height == counter_height(NULL) * torture->scale)
		torture->scale_before = torture->scale;
	else if (width != counter_width(NULL) * torture->scale_before ||
		 height != counter_height(NULL) * torture->scale_before)
		violation(torture, "wrong width", width);
}

/*
 * Where OBS drew nothing for a while, because it hung on a busy machine or the source was hidden,
 * there are no pictures, and the nearest must do.
 */
static double longest_gap(const struct torture *torture)
{
	double longest = 0.0;

	for (unsigned i = 0; i < GAPS; i++)
		longest = fmax(longest, torture->gaps[i]);
	return longest;
}

/* Half a second later, when the dialog has told a delay that just changed. */
static void judge_age(struct torture *torture, double age)
{
	const double before = torture->ages[torture->pictures % LATER];
	double allowed = TICKS_LATE + fmax(0.0, longest_gap(torture) / 2.0 - TICKS_LATE);
	double delay = 0.0;

	for (unsigned i = 0; i < 16; i++)
		delay = fmax(delay, torture->delay_ticks[i]);
	torture->ages[torture->pictures % LATER] = age;
	if (before > delay + allowed)
		violation(torture, "half a second ago too old by ticks", before - delay);
	torture->oldest = fmax(torture->oldest, before - delay);
	torture->delayed += delay > 0.0;
}

static void judge(struct torture *torture, const double *mean, int64_t now)
{
	const int64_t tick = decode(mean, now);

	if (mean[0] < BLACK_BELOW && mean[1] < BLACK_BELOW && mean[2] < BLACK_BELOW) {
		violation(torture, "black", mean[0]);
		return;
	}
	torture->gaps[torture->pictures % GAPS] = (double)(now - torture->drawn_at);
	torture->drawn_at = now;
	if (tick < torture->newest - TICKS_OFF)
		violation(torture, "goes back by ticks", (double)(torture->newest - tick));
	if (tick > torture->newest)
		torture->newest = tick;
	judge_age(torture, (double)(now - tick));
}

static void look(void *opaque, uint32_t cx, uint32_t cy)
{
	struct torture *torture = opaque;
	const uint32_t width = obs_source_get_width(torture->source);
	const uint32_t height = obs_source_get_height(torture->source);
	double mean[3];

	(void)cx, (void)cy;
	pthread_mutex_lock(&torture->lock);
	if (torture->drawn) {
		torture->pictures++;
		judge_size(torture, width, height);
		if (grab(torture, width, height, mean))
			judge(torture, mean, now_ticks());
		else
			violation(torture, "cannot be read", 0.0);
	}
	pthread_mutex_unlock(&torture->lock);
}

/* ---- what is done to it -------------------------------------------------------------------- */

static void note_delay(struct torture *torture)
{
	char *status = torture->filter ? host_status(torture->filter) : bstrdup("");
	const char *text = strstr(status, "The picture is ");
	const char *rate = strstr(status, " frames/s");
	double delay_s = 0.0, per_s = HOST_FPS;

	if (text && sscanf(text, "The picture is %lf ms", &delay_s) == 1)
		delay_s /= 1e3;
	if (text && rate) {
		while (rate > status && strchr("0123456789.", rate[-1]))
			rate--;
		per_s = atof(rate);
	}
	bfree(status);
	pthread_mutex_lock(&torture->lock);
	torture->delay_ticks[torture->delays++ % 16] =
		delay_s * HOST_FPS + (delay_s > 0.0 && per_s > 0.0 ? HOST_FPS / per_s - 1.0 : 0.0);
	pthread_mutex_unlock(&torture->lock);
}

/* The delays of the last second and a half, so that one that changes is known in time. */
static void let_pass(struct torture *torture, double seconds)
{
	const uint64_t end_ns = os_gettime_ns() + (uint64_t)(seconds * 1e9);

	do {
		note_delay(torture);
		host_sleep(0.1);
	} while (os_gettime_ns() < end_ns);
}

static void begin(struct torture *torture, const char *what)
{
	pthread_mutex_lock(&torture->lock);
	torture->what = what;
}

static void end(struct torture *torture)
{
	pthread_mutex_unlock(&torture->lock);
}

static void add_filter(struct torture *torture, const char *model)
{
	torture->filter = host_create_filter("upscale", model, 2, NULL);
	begin(torture, "filter added");
	obs_source_filter_add(torture->source, torture->filter);
	torture->scale = 2;
	end(torture);
}

static void remove_filter(struct torture *torture)
{
	begin(torture, "filter removed");
	obs_source_filter_remove(torture->source, torture->filter);
	torture->scale = 1;
	end(torture);
	obs_source_release(torture->filter);
	torture->filter = NULL;
}

static void toggle(struct torture *torture, bool on)
{
	begin(torture, on ? "switched on" : "switched off");
	obs_source_set_enabled(torture->filter, on);
	torture->scale = on ? 2 : 1;
	end(torture);
}

static void resize(struct torture *torture, unsigned width, unsigned height)
{
	begin(torture, "resized");
	atomic_store(&source_size, width << 16 | height);
	torture->scale_before = torture->scale;
	end(torture);
}

static void set_model(struct torture *torture, const char *what, const char *model)
{
	obs_data_t *settings = obs_data_create();

	obs_data_set_string(settings, "model_file", model);
	begin(torture, what);
	obs_source_update(torture->filter, settings);
	end(torture);
	obs_data_release(settings);
}

static void set_scale(struct torture *torture, int scale)
{
	obs_data_t *settings = obs_data_create();

	obs_data_set_int(settings, "scale", scale);
	begin(torture, "another scale");
	obs_source_update(torture->filter, settings);
	torture->scale = (uint32_t)scale;
	end(torture);
	obs_data_release(settings);
}

static void draw(struct torture *torture, bool drawn)
{
	begin(torture, drawn ? "shown" : "hidden");
	torture->drawn = drawn;
	end(torture);
}

static void *spin(void *opaque)
{
	const atomic_bool *stop = opaque;

	while (!atomic_load(stop))
		;
	return NULL;
}

static void be_busy(struct torture *torture, double seconds)
{
	pthread_t threads[8];
	atomic_bool stop = false;
	unsigned count = 0;

	begin(torture, "others are busy");
	end(torture);
	while (count < 8 && pthread_create(&threads[count], NULL, spin, &stop) == 0)
		count++;
	let_pass(torture, seconds);
	atomic_store(&stop, true);
	while (count)
		pthread_join(threads[--count], NULL);
}

/* Once, while it computes. On a card it goes on: see engine-fault.h. */
static void fail_engine(struct torture *torture, double seconds)
{
	char *status = host_status(torture->filter);
	const bool can_fail = strstr(status, ", on cpu,") != NULL;
	const uint64_t end_ns = os_gettime_ns() + (uint64_t)(START_S * 1e9);

	bfree(status);
	begin(torture, "the engine fails");
	engine_fail(ENGINE_BROKEN, 1);
	end(torture);
	do
		let_pass(torture, seconds);
	while (can_fail && !engine_worked() && os_gettime_ns() < end_ns);
	torture->failures += engine_failed(NULL);
	CHECK(!can_fail || engine_worked(), "the engine did not fail or does not come back");
}

/* One round, of half a minute when nothing else wants the processor. */
static void round_of_events(struct torture *torture, const char *model, const char *slow_model)
{
	static const double hidden_s[] = {0.2, 0.9};

	toggle(torture, false);
	let_pass(torture, 0.7);
	toggle(torture, true);
	let_pass(torture, 2.5);
	for (int i = 0; i < 2; i++) { /* shorter and longer than the filter waits to stop */
		draw(torture, false);
		host_sleep(hidden_s[i]);
		draw(torture, true);
		let_pass(torture, 2.5);
	}
	resize(torture, 80, 48);
	let_pass(torture, 2.5);
	resize(torture, 48, 80);
	let_pass(torture, 0.3);
	resize(torture, 64, 64);
	let_pass(torture, 2.0);
	set_scale(torture, 3);
	let_pass(torture, 2.0);
	set_scale(torture, 2);
	let_pass(torture, 2.0);
	set_model(torture, "a slow model", slow_model);
	let_pass(torture, 3.0);
	set_model(torture, "no model", "/nowhere/none.safetensors");
	let_pass(torture, 1.0);
	set_model(torture, "the model again", model);
	let_pass(torture, 2.5);
	fail_engine(torture, 3.0);
	be_busy(torture, 2.0);
	let_pass(torture, 2.0);
	remove_filter(torture);
	let_pass(torture, 0.5);
	add_filter(torture, model);
	let_pass(torture, 3.0);
}

static void torment(struct torture *torture, const char *model, const char *slow_model,
		    double seconds)
{
	const uint64_t end_ns = os_gettime_ns() + (uint64_t)(seconds * 1e9);

	pthread_mutex_init(&torture->lock, NULL);
	torture->scale = torture->scale_before = 1;
	torture->drawn = true;
	torture->what = "start";
	make_source(torture);
	obs_add_main_render_callback(look, torture);
	add_filter(torture, model);
	CHECK(host_wait_status(torture->filter, "Sharpening", START_S), "no start");
	do
		round_of_events(torture, model, slow_model);
	while (os_gettime_ns() < end_ns);
	obs_remove_main_render_callback(look, torture);
	obs_enter_graphics();
	gs_stagesurface_destroy(torture->surface);
	gs_texrender_destroy(torture->texrender);
	obs_leave_graphics();
	obs_source_dec_active(torture->source);
	obs_source_release(torture->filter);
	obs_source_release(torture->source);
	pthread_mutex_destroy(&torture->lock);
}

int main(int argc, char **argv)
{
	struct torture torture = {0};

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 5) {
		fprintf(stderr, "usage: torture-test PLUGIN_FOLDER MODEL SLOW_MODEL SECONDS\n");
		return 2;
	}
	if (!host_start(argv[1]))
		return 1;
	torment(&torture, argv[2], argv[3], atof(argv[4]));
	host_stop();
	printf("%llu pictures, %u failures of the engine, %llu pictures delayed, the oldest %.1f "
	       "ticks older than said, %llu wrong\n",
	       (unsigned long long)torture.pictures, torture.failures,
	       (unsigned long long)torture.delayed, torture.oldest,
	       (unsigned long long)torture.violations);
	CHECK(!torture.violations, "%llu pictures were wrong",
	      (unsigned long long)torture.violations);
	CHECK(torture.delayed > torture.pictures / 3, "the filter hardly did anything");
	return check_result();
}
