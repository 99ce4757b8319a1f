/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter in a real libobs on a card, as in a live stream: a media source of numbered pictures
 * at 60 frames/s, the filter on it at 2x, and what OBS puts out, looked at picture by picture.
 *
 *	obs_live PLUGIN_FOLDER MEDIA WIDTH HEIGHT MODEL BACKEND SECONDS [TRANSPORT]
 *
 * MODEL: "bundled", or as for fvsr_model_open(). TRANSPORT: the name that the status must tell.
 * Pictures are numbered by eight blocks at the top, a twentieth of the width each (obs.sh).
 * Exits with 77 and the reason where the backend cannot be had. Prints one line of results last.
 */
#include <obs.h>
#include <util/dstr.h>
#include <util/platform.h>

#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fvsr/fvsr.h"

#define FPS        60
#define BITS       8
#define NUMBERS    240 /* of pictures, until the clip begins again */
#define START_S    60
#define BASELINE_S 4
#define LEAST_DB   30.0
#define MOST_MS    0.3 /* of the graphics thread, for 99 of 100 pictures */
#define FAIL_AFTER "FVSR_CUDA_FAIL_AFTER"

struct run {
	const char *plugin, *media, *model, *backend, *transport;
	uint32_t width, height; /* of the source */
	double seconds, least_db;
	bool demanding; /* it must keep up with every picture */
};

static int failures;

static bool check(bool ok, const char *what)
{
	if (!ok) {
		printf("FAILED: %s\n", what);
		failures++;
	}
	return ok;
}

/* ---- what the plugin asks of the graphics -------------------------------------------------- */

/*
 * The program's own functions come before libobs's when the plugin's calls are bound; they count
 * and pass on.
 */
static atomic_long read_backs, uploads;

static bool from_plugin(const void *caller)
{
	Dl_info info;

	return dladdr(caller, &info) && info.dli_fname && strstr(info.dli_fname, "obs-flashvsr");
}

void gs_stage_texture(gs_stagesurf_t *dst, gs_texture_t *src)
{
	static void (*real)(gs_stagesurf_t *, gs_texture_t *);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "gs_stage_texture");
	if (from_plugin(__builtin_return_address(0)))
		atomic_fetch_add(&read_backs, 1);
	real(dst, src);
}

void gs_texture_set_image(gs_texture_t *texture, const uint8_t *data, uint32_t linesize, bool flip)
{
	static void (*real)(gs_texture_t *, const uint8_t *, uint32_t, bool);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "gs_texture_set_image");
	if (from_plugin(__builtin_return_address(0)))
		atomic_fetch_add(&uploads, 1);
	real(texture, data, linesize, flip);
}

/* ---- what OBS takes in --------------------------------------------------------------------- */

/*
 * A filter below ours that counts the frames which OBS picks: where a clip begins again, libobs
 * shows some twice and leaves some out for a while, filter or not.
 */
static atomic_uint frames_in;

static struct obs_source_frame *probe_video(void *data, struct obs_source_frame *frame)
{
	(void)data;
	atomic_fetch_add(&frames_in, 1);
	return frame;
}

static const char *probe_name(void *type_data)
{
	(void)type_data;
	return "probe";
}

static void *probe_create(obs_data_t *settings, obs_source_t *source)
{
	(void)settings;
	return source;
}

static void probe_destroy(void *data)
{
	(void)data;
}

static struct obs_source_info probe_info = {
	.id = "frame_probe",
	.type = OBS_SOURCE_TYPE_FILTER,
	.output_flags = OBS_SOURCE_ASYNC_VIDEO,
	.get_name = probe_name,
	.create = probe_create,
	.destroy = probe_destroy,
	.filter_video = probe_video,
};

/* ---- what OBS puts out --------------------------------------------------------------------- */

struct watch {
	pthread_mutex_t lock;
	uint32_t width, height; /* of the source as it is shown */
	bool counting;
	int last;
	unsigned pictures, next, same, skipping, unreadable, frames_in;
	uint8_t *source[NUMBERS]; /* luma of the source's pictures, while they are collected */
	bool collecting;
	uint8_t *shown; /* luma of the first picture that is one of them, by 'shown_number' */
	int shown_number;
};

static int read_number(const struct watch *watch, const struct video_data *frame)
{
	int number = 0;

	for (int i = 0; i < BITS; i++) {
		uint32_t x = (uint32_t)(2 * i + 1) * watch->width / 40; /* middles */
		uint32_t y = watch->width / 40;
		uint8_t luma = frame->data[0][(size_t)y * frame->linesize[0] + x];

		if (luma > 100 && luma < 150)
			return -1;
		number |= (luma >= 150) << i;
	}
	return number;
}

static uint8_t *copy_luma(const struct watch *watch, const struct video_data *frame)
{
	uint8_t *luma = malloc((size_t)watch->width * watch->height);

	for (uint32_t y = 0; y < watch->height; y++)
		memcpy(luma + (size_t)y * watch->width,
		       frame->data[0] + (size_t)y * frame->linesize[0], watch->width);
	return luma;
}

static void keep(struct watch *watch, const struct video_data *frame, int number)
{
	if (number < 0 || number >= NUMBERS)
		return;
	if (watch->collecting && !watch->source[number]) {
		watch->source[number] = copy_luma(watch, frame);
	} else if (!watch->collecting && watch->source[number] && !watch->shown) {
		watch->shown = copy_luma(watch, frame);
		watch->shown_number = number;
	}
}

static void look(void *opaque, struct video_data *frame)
{
	struct watch *watch = opaque;
	int number;

	pthread_mutex_lock(&watch->lock);
	number = watch->counting ? read_number(watch, frame) : -1;
	if (watch->counting) {
		watch->pictures++;
		if (number < 0)
			watch->unreadable++;
		else if (number == watch->last)
			watch->same++;
		else if (number == watch->last + 1 || number == 0)
			watch->next++;
		else
			watch->skipping++;
		keep(watch, frame, number);
		watch->last = number;
	}
	pthread_mutex_unlock(&watch->lock);
}

/* Counts from now on the pictures of a source that is shown with this size. */
static void watch_begin(struct watch *watch, uint32_t width, uint32_t height)
{
	pthread_mutex_lock(&watch->lock);
	watch->width = width;
	watch->height = height;
	watch->pictures = watch->next = watch->same = watch->skipping = watch->unreadable = 0;
	watch->last = -1;
	watch->frames_in = atomic_load(&frames_in);
	watch->counting = true;
	pthread_mutex_unlock(&watch->lock);
}

static void watch_end(struct watch *watch)
{
	pthread_mutex_lock(&watch->lock);
	watch->counting = false;
	watch->frames_in = atomic_load(&frames_in) - watch->frames_in;
	pthread_mutex_unlock(&watch->lock);
}

static void watch_for(struct watch *watch, uint32_t width, uint32_t height, double seconds)
{
	watch_begin(watch, width, height);
	os_sleep_ms((uint32_t)(seconds * 1e3));
	watch_end(watch);
}

static void print_pictures(const struct watch *watch)
{
	printf("  %u pictures, %u of them the next, %u the same, %u after a gap, %u unreadable; "
	       "OBS took in %u\n",
	       watch->pictures, watch->next, watch->same, watch->skipping, watch->unreadable,
	       watch->frames_in);
}

/* Compares the source's picture with four pixels each of the upscaled one. */
static double psnr(const uint8_t *source, const uint8_t *shown, uint32_t width, uint32_t height)
{
	double sum = 0;

	for (uint32_t y = 0; y < height; y++)
		for (uint32_t x = 0; x < width; x++) {
			const uint8_t *p = shown + (size_t)2 * y * 2 * width + 2 * x;
			double mean = (p[0] + p[1] + p[2 * width] + p[2 * width + 1]) / 4.0;
			double difference = mean - source[(size_t)y * width + x];

			sum += difference * difference;
		}
	sum /= (double)width * height;
	return sum > 0 ? 10 * log10(255 * 255 / sum) : 99;
}

/* ---- OBS ----------------------------------------------------------------------------------- */

static void log_line(int level, const char *format, va_list args, void *data)
{
	char text[1024];

	(void)data;
	vsnprintf(text, sizeof(text), format, args);
	if (level <= LOG_WARNING || strstr(text, "FlashVSR") || getenv("TEST_OBS_LOG"))
		fprintf(stderr, "    %s\n", text);
}

static bool load_module(const char *binary, const char *data)
{
	obs_module_t *module;

	if (obs_open_module(&module, binary, data) == MODULE_SUCCESS && obs_init_module(module))
		return true;
	fprintf(stderr, "cannot load %s\n", binary);
	return false;
}

static bool load_modules(const struct run *run)
{
	const char *binaries = getenv("OBS_HEADLESS_MODULES"), *kit = getenv("OBS_HEADLESS_KIT");
	char binary[1024], data[1024];

	obs_register_source(&probe_info);
	snprintf(binary, sizeof(binary), "%s/obs-ffmpeg.so",
		 binaries ? binaries : TEST_OBS_PLUGINS);
	if (kit)
		snprintf(data, sizeof(data), "%s/share/obs/obs-plugins/obs-ffmpeg", kit);
	else
		snprintf(data, sizeof(data), "%s/obs-ffmpeg", TEST_OBS_PLUGIN_DATA);
	if (!load_module(binary, data))
		return false;
	snprintf(binary, sizeof(binary), "%s/bin/64bit/obs-flashvsr.so", run->plugin);
	snprintf(data, sizeof(data), "%s/data", run->plugin);
	return load_module(binary, data);
}

static bool start(const struct run *run)
{
	struct obs_video_info video = {
		.graphics_module = "libobs-opengl.so.1",
		.fps_num = FPS,
		.fps_den = 1,
		.base_width = 2 * run->width,
		.base_height = 2 * run->height,
		.output_width = 2 * run->width,
		.output_height = 2 * run->height,
		.output_format = VIDEO_FORMAT_NV12,
		.gpu_conversion = true,
		.colorspace = VIDEO_CS_709,
		.range = VIDEO_RANGE_FULL,
		.scale_type = OBS_SCALE_BICUBIC,
	};
	struct obs_audio_info audio = {.samples_per_sec = 48000, .speakers = SPEAKERS_STEREO};

	base_set_log_handler(log_line, NULL);
	if (!obs_startup("en-US", NULL, NULL))
		return false;
	if (getenv("OBS_HEADLESS_DATA"))
		obs_add_data_path(getenv("OBS_HEADLESS_DATA"));
	return obs_reset_video(&video) == OBS_VIDEO_SUCCESS && obs_reset_audio(&audio) &&
	       load_modules(run);
}

static obs_source_t *make_media(const struct run *run)
{
	obs_data_t *settings = obs_data_create();
	obs_source_t *source;

	obs_data_set_string(settings, "local_file", run->media);
	obs_data_set_bool(settings, "looping", true);
	obs_data_set_bool(settings, "hw_decode", false);
	source = obs_source_create_private("ffmpeg_source", "media", settings);
	obs_data_release(settings);
	return source;
}

static obs_source_t *make_filter(const struct run *run)
{
	obs_data_t *settings = obs_data_create();
	obs_source_t *filter;

	if (strcmp(run->model, "bundled") != 0) {
		obs_data_set_string(settings, "model", "file");
		obs_data_set_string(settings, "model_file", run->model);
		obs_data_set_string(settings, "step", "full"); /* of the overload ladder */
	}
	obs_data_set_string(settings, "backend", run->backend);
	obs_data_set_int(settings, "scale", 2);
	filter = obs_source_create_private("flashvsr_filter", "filter", settings);
	obs_data_release(settings);
	return filter;
}

static char *status_of(obs_source_t *filter)
{
	obs_properties_t *props = obs_source_properties(filter);
	obs_property_t *status = obs_properties_get(props, "status");
	obs_property_t *figures = obs_properties_get(props, "figures");
	struct dstr text = {0};

	dstr_printf(&text, "%s\n%s", status ? obs_property_description(status) : "no status",
		    figures ? obs_property_description(figures) : "no figures");
	obs_properties_destroy(props);
	return text.array;
}

static bool wait_for(obs_source_t *filter, const char *what, double seconds)
{
	const uint64_t end_ns = os_gettime_ns() + (uint64_t)(seconds * 1e9);
	bool found = false;

	while (!found && os_gettime_ns() < end_ns) {
		char *status = status_of(filter);

		found = strstr(status, what) != NULL;
		bfree(status);
		if (!found)
			os_sleep_ms(100);
	}
	return found;
}

/* ---- the measurement ----------------------------------------------------------------------- */

struct figures {
	double fps, delay_s, chunk_ms, render_ms, vram;
	unsigned left_out;
	char transport[200];
	bool upscaling;
};

/* Returns the number before a word of the English status; -1 where there is none. */
static double number_before(const char *text, const char *word)
{
	const char *at = strstr(text, word), *begin = at;

	while (begin && begin > text && strchr("0123456789.", begin[-1]))
		begin--;
	return at && begin < at ? atof(begin) : -1;
}

static void read_figures(obs_source_t *filter, struct figures *figures)
{
	char *text = status_of(filter), *transport = strstr(text, "frames by ");

	printf("  status: %s\n", text);
	memset(figures, 0, sizeof(*figures));
	figures->upscaling = strncmp(text, "Sharpening", 10) == 0;
	figures->fps = number_before(text, " frames/s");
	figures->delay_s = number_before(text, " ms late") / 1e3;
	figures->chunk_ms = number_before(text, " ms for ");
	figures->left_out = (unsigned)number_before(text, " frames left out");
	figures->render_ms = number_before(text, " ms of the time");
	figures->vram = number_before(text, " GiB on the graphics card");
	if (transport)
		snprintf(figures->transport, sizeof(figures->transport), "%s", transport + 10);
	if (strrchr(figures->transport, '.'))
		*strrchr(figures->transport, '.') = 0;
	bfree(text);
}

static void measure(const struct run *run, struct watch *watch, obs_source_t *filter)
{
	struct figures before, after;
	uint32_t lagged = obs_get_lagged_frames(), total = obs_get_total_frames();
	long backs = atomic_load(&read_backs), ups = atomic_load(&uploads);
	double db = 0;

	read_figures(filter, &before);
	watch_for(watch, 2 * run->width, 2 * run->height, run->seconds);
	lagged = obs_get_lagged_frames() - lagged;
	total = obs_get_total_frames() - total;
	backs = atomic_load(&read_backs) - backs;
	ups = atomic_load(&uploads) - ups;
	read_figures(filter, &after);
	if (watch->shown)
		db = psnr(watch->source[watch->shown_number], watch->shown, run->width,
			  run->height);
	check(watch->unreadable == 0 || run->least_db < LEAST_DB, "a picture without its number");
	check(db > run->least_db, "the picture is not the source's");
	check(before.upscaling && after.upscaling, "it does not keep upscaling");
	if (run->demanding) {
		check(after.fps > FPS - 1, "not each picture is taken");
		check(watch->pictures - watch->same >= watch->frames_in * 0.98,
		      "not each new frame is a new picture");
		check(after.render_ms <= MOST_MS, "the filter keeps the graphics thread too long");
		check(after.left_out == before.left_out, "frames were left out");
	}
	if (run->transport) {
		bool shared = strcmp(run->transport, "shared textures") == 0;

		check(strncmp(after.transport, run->transport, strlen(run->transport)) == 0,
		      "frames travel in another way");
		check(shared ? backs == 0 && ups == 0 : backs > 0,
		      "read-backs do not fit the transport");
	}
	printf("RESULT %ux%u|%s|%.1f|%u of %u|%u|%.2f|%.1f|%.2f|%u of %u|%ld|%.1f|%.2f|%u\n",
	       2 * run->width, 2 * run->height, after.transport, after.fps,
	       watch->pictures - watch->same, watch->pictures, watch->frames_in, after.delay_s,
	       after.chunk_ms, after.render_ms, lagged, total, backs, db, after.vram,
	       after.left_out - before.left_out);
}

/*
 * The engine's calls of the driver fail from some number on (FVSR_CUDA_FAIL_AFTER): a picture all
 * the same, the reason in the dialog, and upscaled ones again when they no longer do.
 */
static void fail_and_come_back(const struct run *run, struct watch *watch, obs_source_t *filter)
{
	char *status;

	watch_begin(watch, 2 * run->width, 2 * run->height);
	check(wait_for(filter, "Something went wrong", START_S), "nothing failed");
	status = status_of(filter);
	printf("  %s\n", status);
	check(strstr(status, "CUDA") != NULL, "it does not say what failed");
	bfree(status);
	unsetenv(FAIL_AFTER);
	check(wait_for(filter, "Sharpening", START_S), "it does not come back");
	os_sleep_ms(1000);
	watch_end(watch);
	print_pictures(watch);
	check(watch->unreadable == 0, "a picture without its number");
	check(watch->next > watch->pictures / 2, "the picture stood still");
}

static void test(const struct run *run)
{
	struct watch watch = {.lock = PTHREAD_MUTEX_INITIALIZER};
	obs_source_t *media = make_media(run), *filter = make_filter(run);
	obs_source_t *probe = obs_source_create_private("frame_probe", "probe", NULL);

	if (!check(media && filter && probe, "a source or a filter cannot be made"))
		return;
	obs_source_filter_add(media, probe);
	obs_set_output_source(0, media);
	obs_add_raw_video_callback(NULL, look, &watch);
	os_sleep_ms(1000);
	watch.collecting = true;
	watch_for(&watch, run->width, run->height, BASELINE_S);
	check(watch.next > BASELINE_S * FPS / 2, "the media source does not run");
	print_pictures(&watch);
	watch.collecting = false;
	obs_source_filter_add(media, filter);
	if (check(wait_for(filter, "Sharpening", START_S), "the filter does not start")) {
		if (getenv(FAIL_AFTER))
			fail_and_come_back(run, &watch, filter);
		os_sleep_ms(3000); /* the delay settles, and the cost is that of running */
		measure(run, &watch, filter);
	} else {
		struct figures figures;

		read_figures(filter, &figures);
	}
	obs_remove_raw_video_callback(look, &watch);
	obs_set_output_source(0, NULL);
	obs_source_filter_remove(media, filter);
	obs_source_filter_remove(media, probe);
	obs_source_release(probe);
	obs_source_release(filter);
	obs_source_release(media);
	for (int i = 0; i < NUMBERS; i++)
		free(watch.source[i]);
	free(watch.shown);
}

static bool available(const char *backend)
{
	struct fvsr_backend_info info;

	for (unsigned i = 0; fvsr_backend_describe(i, &info) == FVSR_OK; i++) {
		if (strcmp(info.name, backend) != 0)
			continue;
		printf("%s: %s\n", backend, info.available ? info.device : info.reason);
		if (!info.available)
			printf("skipped: needs a card: %s: %s\n", backend, info.reason);
		return info.available;
	}
	return false;
}

int main(int argc, char **argv)
{
	struct run run;
	long kept;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 8) {
		fprintf(stderr, "usage: obs_live PLUGIN_FOLDER MEDIA WIDTH HEIGHT MODEL BACKEND "
				"SECONDS [TRANSPORT]\n");
		return 2;
	}
	run = (struct run){
		.plugin = argv[1],
		.media = argv[2],
		.width = (uint32_t)atoi(argv[3]),
		.height = (uint32_t)atoi(argv[4]),
		.model = argv[5],
		.backend = argv[6],
		.seconds = atof(argv[7]),
		/* A model from a formula keeps the colours at most. */
		.least_db = strncmp(argv[5], "synth:", 6) ? LEAST_DB : 5.0,
		.transport = argc > 8 ? argv[8] : NULL,
	};
	run.demanding = run.transport && strcmp(run.transport, "shared textures") == 0 &&
			strcmp(run.model, "bundled") == 0;
	if (!available(run.backend))
		return 77;
	/* libobs never frees the list behind obs_add_data_path, even when it is empty again. */
	obs_add_data_path("/");
	obs_remove_data_path("/");
	kept = bnum_allocs();
	if (!start(&run)) {
		printf("FAILED: libobs does not start here\n");
		return 1;
	}
	test(&run);
	if (getenv("OBS_HEADLESS_DATA"))
		obs_remove_data_path(getenv("OBS_HEADLESS_DATA"));
	obs_shutdown();
	if (!check(bnum_allocs() <= kept, "memory leaked"))
		printf("  %ld blocks\n", bnum_allocs() - kept);
	printf("%s\n", failures ? "FAILED" : "OK");
	return failures ? 1 : 0;
}
