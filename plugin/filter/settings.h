/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter's settings: their keys and values in OBS's files, which stay readable for ever, their
 * limits and defaults, and the structure that they are read into.
 */
#ifndef FLASHVSR_FILTER_SETTINGS_H
#define FLASHVSR_FILTER_SETTINGS_H

#include <obs-module.h>

#include "picture/compare.h"
#include "session/settings.h"

#define S_MODEL        "model" /* MODEL_BUNDLED or MODEL_FILE */
#define S_MODEL_FILE   "model_file"
#define S_SCALE        "scale"
#define S_BACKEND      "backend"
#define S_SPARSE_RATIO "sparse_ratio"
#define S_LOCAL_RANGE  "local_range"
#define S_KV_RATIO     "kv_ratio"
#define S_COLOR        "color"
#define S_MIN_FPS      "min_fps"
#define S_KEEP_SYNC    "keep_sync"
#define S_KEEP_PLACE   "keep_place"
#define S_COMPARE      "compare"
#define S_COMPARE_AT   "compare_at"   /* percent of the width, where the line is */
#define S_COMPARE_ENDS "compare_ends" /* when an output begins */
#define S_PRESET       "preset"
#define S_WIDTH        "custom_width"
#define S_HEIGHT       "custom_height"
#define S_STEP         "step"         /* STEP_AUTO, or what the ladder is pinned to */
#define S_HIDDEN_S     "free_after_s" /* memory is freed so long after the source was hidden */
#define S_ADVANCED     "advanced"     /* concerns the dialog only */
#define S_DETAILS      "details"      /* concerns the dialog only */
#define S_LIVE         "live_status"  /* concerns the dialog only */

#define MODEL_BUNDLED "bundled"
#define MODEL_FILE    "file"
#define BACKEND_AUTO  "auto"
#define COLOR_AUTO    "auto"
#define COLOR_ADAIN   "adain"
#define COLOR_WAVELET "wavelet"
#define COLOR_OFF     "off"

#define COMPARE_IS_OFF  "off"
#define COMPARE_IS_LINE "line"
#define COMPARE_IS_HOLD "hold"

#define PRESET_FAST     "fast"
#define PRESET_BALANCED "balanced"
#define PRESET_BEST     "best"
#define PRESET_CUSTOM   "custom"

#define STEP_AUTO    "auto"
#define STEP_FULL    "full"
#define STEP_SPARSE  "sparse"
#define STEP_SLICES  "slices"
#define STEP_SMALL   "small"
#define STEP_RATE    "rate"
#define STEP_BICUBIC "bicubic"

/* Values of S_SCALE that are not factors. */
#define SCALE_CANVAS 0
#define SCALE_CUSTOM 1

#define SCALE_MIN          SIZES_SCALE_MIN
#define SCALE_MAX          SIZES_SCALE_MAX
#define SIDE_DEFAULT_W     1920
#define SIDE_DEFAULT_H     1080
#define SPARSE_RATIO_MIN   1.0
#define SPARSE_RATIO_MAX   4.0
#define LOCAL_RANGE_MIN    3
#define LOCAL_RANGE_MAX    31
#define KV_RATIO_MIN       1
#define KV_RATIO_MAX       8
#define MIN_FPS_MIN        1
#define MIN_FPS_MAX        60
#define MIN_FPS_DEFAULT    12 /* half of 24, which is as slow as video gets */
#define COMPARE_AT_DEFAULT 50
#define HIDDEN_S_MAX       600
#define HIDDEN_S_DEFAULT   10

struct filter_settings {
	struct session_settings session;
	bool keep_sync; /* the sound is delayed with the picture */
	enum compare_mode compare;
	int compare_percent;
	bool compare_ends;
	bool keep_place; /* the source stays as large on the canvas as without the filter */
};

void filter_settings_defaults(obs_data_t *data);
/* Makes settings from before there were presets go on to mean what they meant. */
void filter_settings_migrate(obs_data_t *data);
/* Reads the settings, and brings values that are out of range into it. */
void filter_settings_read(struct filter_settings *settings, obs_data_t *data);

#endif
