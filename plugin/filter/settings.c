/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading settings: see settings.h. The defaults of what the network does are the engine's.
 */
#include "filter/settings.h"

#include <stdio.h>
#include <string.h>

#define BUNDLED_MODEL "models/bundled.safetensors"

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
	obs_data_set_default_bool(data, S_KEEP_SYNC, true);
	obs_data_set_default_bool(data, S_KEEP_PLACE, true);
	obs_data_set_default_string(data, S_COMPARE, COMPARE_IS_OFF);
	obs_data_set_default_int(data, S_COMPARE_AT, COMPARE_AT_DEFAULT);
	obs_data_set_default_bool(data, S_COMPARE_ENDS, true);
	obs_data_set_default_int(data, S_MIN_FPS, MIN_FPS_DEFAULT);
	obs_data_set_default_string(data, S_PRESET, PRESET_BALANCED);
	obs_data_set_default_int(data, S_WIDTH, SIDE_DEFAULT_W);
	obs_data_set_default_int(data, S_HEIGHT, SIDE_DEFAULT_H);
	obs_data_set_default_string(data, S_STEP, STEP_AUTO);
	obs_data_set_default_int(data, S_HIDDEN_S, HIDDEN_S_DEFAULT);
	obs_data_set_default_bool(data, S_LIVE, true);
}

void filter_settings_migrate(obs_data_t *data)
{
	if (!obs_data_has_user_value(data, S_PRESET) &&
	    (obs_data_has_user_value(data, S_SPARSE_RATIO) ||
	     obs_data_has_user_value(data, S_LOCAL_RANGE) ||
	     obs_data_has_user_value(data, S_KV_RATIO)))
		obs_data_set_string(data, S_PRESET, PRESET_CUSTOM);
}

static int read_int(obs_data_t *data, const char *key, int min, int max)
{
	long long value = obs_data_get_int(data, key);

	return value < min ? min : value > max ? max : (int)value;
}

static double read_double(obs_data_t *data, const char *key, double min, double max)
{
	double value = obs_data_get_double(data, key);

	/* The order of the comparisons makes NaN 'min'. */
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

/*
 * Finds the models. Where the bundled one is missing, its path is used all the same, so that the
 * engine says which file it looked for. Until the user has said which file is to be the model, the
 * bundled one goes on.
 */
static void read_models(struct session_settings *settings, obs_data_t *data)
{
	const bool file = strcmp(obs_data_get_string(data, S_MODEL), MODEL_FILE) == 0;
	const bool own = file && obs_data_get_string(data, S_MODEL_FILE)[0];
	char *bundled = obs_module_file(BUNDLED_MODEL), *model = settings->request.model;
	const size_t size = sizeof(settings->request.model);

	snprintf(settings->small_model, sizeof(settings->small_model), "%s",
		 bundled ? bundled : "");
	settings->no_bundled_model = !own && !bundled;
	settings->own_model = own;
	settings->no_model_chosen = file && !own;
	if (own || bundled)
		snprintf(model, size, "%s",
			 own ? obs_data_get_string(data, S_MODEL_FILE) : bundled);
	else
		snprintf(model, size, "%s/" BUNDLED_MODEL,
			 obs_get_module_data_path(obs_current_module()));
	bfree(bundled);
}

static struct sizes_target read_target(obs_data_t *data)
{
	const int scale = read_int(data, S_SCALE, SCALE_CANVAS, SCALE_MAX);
	struct sizes_target target = {.scale = (uint32_t)scale};

	if (scale >= SCALE_MIN)
		return target;
	target.scale = 0;
	if (scale == SCALE_CUSTOM) {
		target.width = (uint32_t)read_int(data, S_WIDTH, SIZES_SIDE_MIN, SIZES_SIDE_MAX);
		target.height = (uint32_t)read_int(data, S_HEIGHT, SIZES_SIDE_MIN, SIZES_SIDE_MAX);
	}
	return target;
}

static enum compare_mode read_compare(obs_data_t *data)
{
	const char *mode = obs_data_get_string(data, S_COMPARE);

	if (strcmp(mode, COMPARE_IS_LINE) == 0)
		return COMPARE_LINE;
	return strcmp(mode, COMPARE_IS_HOLD) == 0 ? COMPARE_HOLD : COMPARE_OFF;
}

static enum ladder_step read_step(obs_data_t *data)
{
	static const char *const names[] = {STEP_FULL,  STEP_SPARSE, STEP_SLICES,
					    STEP_SMALL, STEP_RATE,   STEP_BICUBIC};
	const char *step = obs_data_get_string(data, S_STEP);

	for (int i = 0; i < 6; i++)
		if (strcmp(step, names[i]) == 0)
			return (enum ladder_step)(LADDER_FULL + i);
	return 0;
}

/* Reads how much work goes into a picture. The preset "balanced" is the engine's default. */
static void read_effort(struct fvsr_settings *engine, obs_data_t *data)
{
	const char *preset = obs_data_get_string(data, S_PRESET);

	if (strcmp(preset, PRESET_FAST) == 0) {
		engine->sparse_ratio = LADDER_SPARSE_RATIO;
		engine->kv_ratio = LADDER_KV_RATIO;
	} else if (strcmp(preset, PRESET_BEST) == 0) {
		engine->sparse_ratio = 3.0;
		engine->kv_ratio = 5;
	} else if (strcmp(preset, PRESET_CUSTOM) == 0) {
		engine->sparse_ratio =
			read_double(data, S_SPARSE_RATIO, SPARSE_RATIO_MIN, SPARSE_RATIO_MAX);
		engine->local_range =
			read_int(data, S_LOCAL_RANGE, LOCAL_RANGE_MIN, LOCAL_RANGE_MAX);
		engine->kv_ratio = read_int(data, S_KV_RATIO, KV_RATIO_MIN, KV_RATIO_MAX);
	}
}

void filter_settings_read(struct filter_settings *settings, obs_data_t *data)
{
	struct session_settings *session = &settings->session;
	struct job_request *request = &session->request;

	memset(settings, 0, sizeof(*settings));
	fvsr_settings_default(&request->settings);
	filter_settings_migrate(data);
	read_models(session, data);
	snprintf(request->backend, sizeof(request->backend), "%s",
		 obs_data_get_string(data, S_BACKEND));
	read_effort(&request->settings, data);
	request->settings.color = read_color(data);
	session->target = read_target(data);
	session->pinned = read_step(data);
	session->keep_s = read_int(data, S_HIDDEN_S, 0, HIDDEN_S_MAX);
	session->min_fps = read_int(data, S_MIN_FPS, MIN_FPS_MIN, MIN_FPS_MAX);
	settings->keep_sync = obs_data_get_bool(data, S_KEEP_SYNC);
	settings->compare = read_compare(data);
	settings->compare_percent = read_int(data, S_COMPARE_AT, 0, 100);
	settings->compare_ends = obs_data_get_bool(data, S_COMPARE_ENDS);
	settings->keep_place = obs_data_get_bool(data, S_KEEP_PLACE);
}
