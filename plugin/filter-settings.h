/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter's settings: their keys, defaults, and what the code works with.
 */
#ifndef FLASHVSR_FILTER_SETTINGS_H
#define FLASHVSR_FILTER_SETTINGS_H

#include <obs-module.h>

#include "job.h"

#define S_MODEL        "model" /* S_MODEL_BUNDLED or S_MODEL_FILE */
#define S_MODEL_FILE   "model_file"
#define S_SCALE        "scale"
#define S_BACKEND      "backend"
#define S_SPARSE_RATIO "sparse_ratio"
#define S_LOCAL_RANGE  "local_range"
#define S_KV_RATIO     "kv_ratio"
#define S_COLOR        "color"
#define S_MIN_FPS      "min_fps"
#define S_KEEP_SYNC    "keep_sync"

#define MODEL_BUNDLED "bundled"
#define MODEL_FILE    "file"
#define BACKEND_AUTO  "auto"
#define COLOR_AUTO    "auto"
#define COLOR_ADAIN   "adain"
#define COLOR_WAVELET "wavelet"
#define COLOR_OFF     "off"

#define SCALE_MIN        2
#define SCALE_MAX        4
#define SPARSE_RATIO_MIN 1.0
#define SPARSE_RATIO_MAX 4.0
#define LOCAL_RANGE_MIN  3
#define LOCAL_RANGE_MAX  31
#define KV_RATIO_MIN     1
#define KV_RATIO_MAX     8
#define MIN_FPS_MIN      1
#define MIN_FPS_MAX      60

struct filter_settings {
	struct job_request request; /* all but the sizes */
	int scale;
	int min_fps;    /* below: bicubic */
	bool keep_sync; /* the sound is delayed with the picture */
};

void filter_settings_defaults(obs_data_t *data);
/* Values out of range are brought into it. */
void filter_settings_read(struct filter_settings *settings, obs_data_t *data);

#endif
