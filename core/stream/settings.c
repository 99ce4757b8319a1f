/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings of a stream are checked in one place, and turned into what the network asks for.
 */
#include "stream/settings.h"

#include <math.h>
#include <string.h>

#include "base/geometry.h"

#define MIN_SIDE_PX        16
#define MAX_SIDE_PX        16384
#define TOPK_AREA          (768.0 * 1280.0) /* section 6 */
#define FIRST_PROMPT_SCALE 2                /* section 9 */
#define CANVAS_SCALE       4.0              /* where neither settings nor sizes say it */

double fvsr_settings_topk_ratio(const struct fvsr_settings *s, double sparse_ratio)
{
	double area = (double)fvsr_canvas_px(s->out_width) * fvsr_canvas_px(s->out_height);

	return sparse_ratio * TOPK_AREA / area;
}

void fvsr_settings_default(struct fvsr_settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	settings->in_format = FVSR_FORMAT_RGBA8;
	settings->out_format = FVSR_FORMAT_RGBA8;
	settings->sparse_ratio = 2.0;
	settings->local_range = 11;
	settings->kv_ratio = 3;
	settings->color = FVSR_COLOR_MODEL;
	settings->noise = FVSR_NOISE_NORMAL;
}

static bool valid_side(int px)
{
	return px >= MIN_SIDE_PX && px <= MAX_SIDE_PX;
}

static bool valid_format(enum fvsr_format format)
{
	return format >= FVSR_FORMAT_RGBA8 && format <= FVSR_FORMAT_RGBF32P;
}

static int check_sizes(const struct fvsr_settings *s, struct fvsr_error *err)
{
	if (!valid_side(s->in_width) || !valid_side(s->in_height))
		return fvsr_fail(err, FVSR_ERR_ARGUMENT,
				 "input of %d x %d: sides from %d to %d pixels are possible",
				 s->in_width, s->in_height, MIN_SIDE_PX, MAX_SIDE_PX);
	if (!valid_side(s->out_width) || !valid_side(s->out_height) || s->out_width < s->in_width ||
	    s->out_height < s->in_height)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT,
				 "output of %d x %d: sides must be at least the input's and at "
				 "most %d pixels",
				 s->out_width, s->out_height, MAX_SIDE_PX);
	if (s->in_format == FVSR_FORMAT_RGBF32P &&
	    (s->in_width != s->out_width || s->in_height != s->out_height))
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "a float canvas must have output size");
	return 0;
}

/* Returns how much the picture is enlarged. */
static double scale_of(const struct fvsr_settings *s)
{
	if (s->scale > 0)
		return s->scale;
	if (s->in_format == FVSR_FORMAT_RGBF32P)
		return CANVAS_SCALE;
	return sqrt((double)s->out_width * s->out_height / ((double)s->in_width * s->in_height));
}

/* Returns the number of the prompt for the nearest scale. */
static int prompt_of(const fvsr_model *model, double scale)
{
	int prompt = (int)floor(scale + 0.5) - FIRST_PROMPT_SCALE;
	int last = model->info.config.prompts - 1;

	return prompt < 0 ? 0 : prompt > last ? last : prompt;
}

int fvsr_settings_check_effort(double sparse_ratio, int kv_ratio, int most_kv_ratio,
			       struct fvsr_error *err)
{
	if (!(sparse_ratio > 0) || !(sparse_ratio <= 1000))
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "sparse ratio must be above 0");
	if (kv_ratio < 1 || kv_ratio > most_kv_ratio)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "KV ratio must be 1 .. %d", most_kv_ratio);
	return 0;
}

int fvsr_settings_check(const struct fvsr_settings *s, struct fvsr_error *err)
{
	int result = check_sizes(s, err);

	if (result < 0)
		return result;
	if (!valid_format(s->in_format) || !valid_format(s->out_format))
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "unknown pixel format");
	if (!(s->scale >= 0) || s->scale > MAX_SIDE_PX)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "scale must be 0 or more");
	result = fvsr_settings_check_effort(s->sparse_ratio, s->kv_ratio, FVSR_MAX_SLICES - 1, err);
	if (result < 0)
		return result;
	if (s->local_range < 1 || s->local_range > 1024)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "local range must be 1 .. 1024 blocks");
	if (s->color < FVSR_COLOR_ADAIN || s->color > FVSR_COLOR_MODEL)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "unknown colour correction");
	if (s->noise != FVSR_NOISE_NORMAL && s->noise != FVSR_NOISE_UNIFORM)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "unknown noise");
	if (s->lq_version != FVSR_LQ_MODEL && s->lq_version != FVSR_LQ_V1 &&
	    s->lq_version != FVSR_LQ_V1_1)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "unknown version of the projection");
	if (s->first_frame < 0 || s->first_frame % FVSR_CHUNK_FRAMES)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT,
				 "the first frame's number must be a multiple of %d",
				 FVSR_CHUNK_FRAMES);
	return 0;
}

/* Returns the colour correction that suits a model: see FVSR_COLOR_MODEL. */
static enum fvsr_color color_of(const fvsr_model *model)
{
	return model->info.config.residual ? FVSR_COLOR_OFF : FVSR_COLOR_ADAIN;
}

struct fvsr_run_settings fvsr_settings_for_run(const struct fvsr_settings *s,
					       const fvsr_model *model)
{
	return (struct fvsr_run_settings){
		.in_width = s->in_width,
		.in_height = s->in_height,
		.width = s->out_width,
		.height = s->out_height,
		.in_format = s->in_format,
		.out_format = s->out_format,
		.prompt = prompt_of(model, scale_of(s)),
		.local_range = s->local_range,
		.kv_ratio = s->kv_ratio,
		.scale = scale_of(s),
		.topk_ratio = fvsr_settings_topk_ratio(s, s->sparse_ratio),
		.color = s->color == FVSR_COLOR_MODEL ? color_of(model) : s->color,
		.noise = s->noise,
		.seed = s->seed,
		.lq_version = s->lq_version ? s->lq_version : model->info.config.lq_version,
		.memory_limit = s->memory_limit,
		.first_slice = s->first_frame / FVSR_CHUNK_FRAMES,
	};
}
