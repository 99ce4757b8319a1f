/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings: see filter-settings.h. The quality settings' defaults are the engine's.
 */
#include "filter-settings.h"

#include <stdio.h>
#include <string.h>

void filter_settings_defaults(obs_data_t *data)
{
	struct fvsr_settings engine;

	fvsr_settings_default(&engine);
	obs_data_set_default_string(data, S_MODEL, MODEL_BUNDLED);
	obs_data_set_default_string(data, S_MODEL_FILE, "");
	obs_data_set_default_int(data, S_SCALE, 2);
	obs_data_set_default_string(data, S_BACKEND, BACKEND_AUTO);
	obs_data_set_default_double(data, S_SPARSE_RATIO, engine.sparse_ratio);
	obs_data_set_default_int(data, S_LOCAL_RANGE, engine.local_range);
	obs_data_set_default_int(data, S_KV_RATIO, engine.kv_ratio);
	obs_data_set_default_string(data, S_COLOR, COLOR_AUTO);
	obs_data_set_default_int(data, S_MIN_FPS, MIN_FPS_MIN);
	obs_data_set_default_bool(data, S_KEEP_SYNC, true);
}

static int read_int(obs_data_t *data, const char *key, int min, int max)
{
	long long value = obs_data_get_int(data, key);

	return value < min ? min : value > max ? max : (int)value;
}

static double read_double(obs_data_t *data, const char *key, double min, double max)
{
	double value = obs_data_get_double(data, key);

	/* Written so that NaN becomes 'min'. */
	return value > max ? max : value >= min ? value : min;
}

static enum fvsr_color read_color(obs_data_t *data)
{
	const char *color = obs_data_get_string(data, S_COLOR);

	if (strcmp(color, COLOR_WAVELET) == 0)
		return FVSR_COLOR_WAVELET;
	if (strcmp(color, COLOR_ADAIN) == 0)
		return FVSR_COLOR_ADAIN;
	return strcmp(color, COLOR_OFF) == 0 ? FVSR_COLOR_OFF : FVSR_COLOR_MODEL;
}

static void read_model(char *model, size_t size, obs_data_t *data)
{
	char *bundled;

	if (strcmp(obs_data_get_string(data, S_MODEL), MODEL_FILE) == 0) {
		snprintf(model, size, "%s", obs_data_get_string(data, S_MODEL_FILE));
		return;
	}
	bundled = obs_module_file("models/bundled.safetensors");
	snprintf(model, size, "%s", bundled ? bundled : "models/bundled.safetensors");
	bfree(bundled);
}

void filter_settings_read(struct filter_settings *settings, obs_data_t *data)
{
	struct job_request *request = &settings->request;

	memset(settings, 0, sizeof(*settings));
	fvsr_settings_default(&request->settings);
	read_model(request->model, sizeof(request->model), data);
	snprintf(request->backend, sizeof(request->backend), "%s",
		 obs_data_get_string(data, S_BACKEND));
	request->settings.sparse_ratio =
		read_double(data, S_SPARSE_RATIO, SPARSE_RATIO_MIN, SPARSE_RATIO_MAX);
	request->settings.local_range =
		read_int(data, S_LOCAL_RANGE, LOCAL_RANGE_MIN, LOCAL_RANGE_MAX);
	request->settings.kv_ratio = read_int(data, S_KV_RATIO, KV_RATIO_MIN, KV_RATIO_MAX);
	request->settings.color = read_color(data);
	settings->scale = read_int(data, S_SCALE, SCALE_MIN, SCALE_MAX);
	settings->min_fps = read_int(data, S_MIN_FPS, MIN_FPS_MIN, MIN_FPS_MAX);
	settings->keep_sync = obs_data_get_bool(data, S_KEEP_SYNC);
}
