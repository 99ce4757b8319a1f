/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts and stops the windowless OBS and makes its sources: see obs-host.h.
 */
#include "obs-host.h"

#include <obs-module.h>
#include <util/dstr.h>
#include <util/platform.h>

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void host_sleep(double seconds)
{
	os_sleep_ms((uint32_t)(seconds * 1000.0));
}

/* ---- start and stop ------------------------------------------------------------------------ */

static struct {
	pthread_mutex_t lock;
	struct dstr lines;
} filter_log = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void note_line(const char *text)
{
	pthread_mutex_lock(&filter_log.lock);
	dstr_catf(&filter_log.lines, "%s\n", text);
	pthread_mutex_unlock(&filter_log.lock);
}

bool host_log_has(const char *text)
{
	bool has;

	pthread_mutex_lock(&filter_log.lock);
	has = filter_log.lines.array && strstr(filter_log.lines.array, text);
	pthread_mutex_unlock(&filter_log.lock);
	return has;
}

static void log_line(int level, const char *format, va_list args, void *data)
{
	char text[1024];

	(void)data;
	vsnprintf(text, sizeof(text), format, args);
	if (strstr(text, "FlashVSR"))
		note_line(text);
	if (level <= LOG_ERROR || strstr(text, "FlashVSR") || getenv("TEST_OBS_LOG"))
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

bool host_load_module(const char *name)
{
	char binary[1024], data[1024];

	snprintf(binary, sizeof(binary), "%s/%s.so", TEST_OBS_PLUGINS, name);
	snprintf(data, sizeof(data), "%s/%s", TEST_OBS_PLUGIN_DATA, name);
	return load_module(binary, data);
}

static bool load_modules(const char *plugin_folder)
{
	char binary[1024], data[1024];

	snprintf(binary, sizeof(binary), "%s/bin/64bit/obs-flashvsr.so", plugin_folder);
	snprintf(data, sizeof(data), "%s/data", plugin_folder);
	return load_module(TEST_OBS_PLUGINS "/obs-ffmpeg.so", TEST_OBS_PLUGIN_DATA "/obs-ffmpeg") &&
	       load_module(TEST_OBS_PLUGINS "/image-source.so",
			   TEST_OBS_PLUGIN_DATA "/image-source") &&
	       load_module(binary, data);
}

static bool start_video_and_audio(void)
{
	struct obs_video_info video = {
		.graphics_module = "libobs-opengl",
		.fps_num = HOST_FPS,
		.fps_den = 1,
		.base_width = HOST_WIDTH,
		.base_height = HOST_HEIGHT,
		.output_width = HOST_WIDTH,
		.output_height = HOST_HEIGHT,
		.output_format = VIDEO_FORMAT_NV12,
		.gpu_conversion = true,
		.colorspace = VIDEO_CS_709,
		.range = VIDEO_RANGE_PARTIAL,
		.scale_type = OBS_SCALE_BICUBIC,
	};
	struct obs_audio_info audio = {.samples_per_sec = 48000, .speakers = SPEAKERS_STEREO};

	return obs_reset_video(&video) == OBS_VIDEO_SUCCESS && obs_reset_audio(&audio);
}

bool host_start(const char *plugin_folder)
{
	base_set_log_handler(log_line, NULL);
	if (!obs_startup("en-US", NULL, NULL)) {
		fprintf(stderr, "obs_startup failed\n");
		return false;
	}
	if (start_video_and_audio() && load_modules(plugin_folder)) {
		obs_post_load_modules();
		return true;
	}
	fprintf(stderr, "libobs cannot start its graphics or modules here\n");
	obs_shutdown();
	return false;
}

/* Threads of the filter, by name; those that OpenMP starts for them inherit it. */
static int count_workers(void)
{
	os_dir_t *tasks = os_opendir("/proc/self/task");
	struct os_dirent *task;
	int count = 0;

	while (tasks && (task = os_readdir(tasks)) != NULL) {
		char path[512], name[32] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", task->d_name);
		file = fopen(path, "re");
		if (file && fgets(name, sizeof(name), file))
			count += strncmp(name, "flashvsr", 8) == 0;
		if (file)
			fclose(file);
	}
	os_closedir(tasks);
	return count;
}

/* A thread that was joined can be listed for a moment longer. */
static bool workers_gone(void)
{
	for (int i = 0; i < 100 && count_workers(); i++)
		os_sleep_ms(20);
	return count_workers() == 0;
}

int host_workers(void)
{
	return count_workers();
}

void host_stop(void)
{
	obs_shutdown();
	base_set_log_handler(NULL, NULL);
	dstr_free(&filter_log.lines);
	CHECK(workers_gone(), "%d threads of the filter are left", count_workers());
	CHECK(bnum_allocs() == 0, "%ld blocks leaked", bnum_allocs());
}

/* ---- sources ------------------------------------------------------------------------------- */

static obs_source_t *create(const char *id, const char *name, obs_data_t *settings)
{
	obs_source_t *source = obs_source_create_private(id, name, settings);

	obs_data_release(settings);
	if (!source) {
		fprintf(stderr, "no source type %s\n", id);
		abort();
	}
	return source;
}

obs_source_t *host_media(const char *name, const char *path)
{
	obs_data_t *settings = obs_data_create();

	obs_data_set_string(settings, "local_file", path);
	obs_data_set_bool(settings, "looping", true);
	obs_data_set_bool(settings, "hw_decode", false);
	return create("ffmpeg_source", name, settings);
}

void host_media_set_path(obs_source_t *media, const char *path)
{
	obs_data_t *settings = obs_data_create();

	obs_data_set_string(settings, "local_file", path);
	obs_source_update(media, settings);
	obs_data_release(settings);
}

obs_source_t *host_image(const char *name, const char *path)
{
	obs_data_t *settings = obs_data_create();

	obs_data_set_string(settings, "file", path);
	return create("image_source", name, settings);
}

obs_source_t *host_create_filter(const char *name, const char *model, int scale, const char *step)
{
	obs_data_t *settings = obs_data_create();

	if (model) {
		obs_data_set_string(settings, "model", "file");
		obs_data_set_string(settings, "model_file", model);
	}
	obs_data_set_int(settings, "scale", scale);
	if (step)
		obs_data_set_string(settings, "step", step);
	/* However slow the machine is, it is upscaling that is tested. */
	obs_data_set_int(settings, "min_fps", 1);
	return create("flashvsr_filter", name, settings);
}

/* ---- status -------------------------------------------------------------------------------- */

char *host_status(obs_source_t *filter)
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

bool host_wait_status(obs_source_t *filter, const char *text, double timeout_s)
{
	const uint64_t end_ns = os_gettime_ns() + (uint64_t)(timeout_s * 1e9);
	char *status = NULL;
	bool found = false;

	do {
		bfree(status);
		status = host_status(filter);
		found = strstr(status, text) != NULL;
		if (!found)
			os_sleep_ms(20);
	} while (!found && os_gettime_ns() < end_ns);
	if (!found)
		fprintf(stderr, "waited %.0f s for \"%s\", the status is: %s\n", timeout_s, text,
			status);
	bfree(status);
	return found;
}
