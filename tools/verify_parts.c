/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Golden values of bicubic and colour correction, which need no model.
 */
#include "verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "console.h"

/* Pillow's own rounding differs between its versions in a value here and there. */
#define BICUBIC_LEVELS 1.0
#define BICUBIC_EQUAL  0.999
#define COLOR_ABS      1e-5
#define COLOR_HALF_ABS 1e-3 /* backends other than the CPU's keep the canvas in half precision */

static void problem(struct fvsr_cli_result *result, const char *text)
{
	result->produced = true;
	snprintf(result->problem, sizeof(result->problem), "%s", text);
}

static bool is_picture(const struct fvsr_tensor_info *info)
{
	return info->rank == 3 && info->shape[2] == 3 && info->shape[0] >= 1 &&
	       info->shape[1] >= 1 && info->shape[0] <= 16384 && info->shape[1] <= 16384 &&
	       strcmp(info->dtype, "U8") == 0;
}

static struct fvsr_picture rgba_picture(const struct fvsr_tensor_info *info, uint8_t *data)
{
	return (struct fvsr_picture){.format = FVSR_FORMAT_RGBA8,
				     .memory = FVSR_MEMORY_HOST,
				     .width = (int)info->shape[1],
				     .height = (int)info->shape[0],
				     .stride = (size_t)info->shape[1] * 4,
				     .data = data};
}

static void check_bicubic(struct fvsr_cli_results *results, struct fvsr_cli_result *result,
			  const struct fvsr_tensor_info *source)
{
	size_t from = (size_t)(source->shape[0] * source->shape[1]);
	size_t to = (size_t)(result->golden.shape[0] * result->golden.shape[1]);
	const uint8_t *rgb = source->data;
	struct fvsr_error err = {""};
	struct fvsr_picture src, dst;
	uint8_t *small = malloc(from * 4), *large = malloc(to * 4);
	float *got = malloc(to * 3 * sizeof(float));

	if (!small || !large || !got) {
		problem(result, "out of memory");
		goto end;
	}
	for (size_t i = 0; i < from; i++) {
		memcpy(small + 4 * i, rgb + 3 * i, 3);
		small[4 * i + 3] = 255;
	}
	src = rgba_picture(source, small);
	dst = rgba_picture(&result->golden, large);
	if (fvsr_bicubic(&src, &dst, &err) < 0) {
		problem(result, err.text);
		goto end;
	}
	for (size_t i = 0; i < to * 3; i++) {
		const size_t at = i / 3 * 4 + i % 3;

		got[i] = (float)large[at];
	}
	result->limit.max_abs = BICUBIC_LEVELS;
	result->limit.agreement = BICUBIC_EQUAL;
	fvsr_cli_results_check(results, result, got);
end:
	free(small);
	free(large);
	free(got);
}

/* Corrects frame f of (1, 3, frames, height, width) in place. */
static int correct_frame(const char *backend, enum fvsr_color color, const int64_t *shape,
			 int64_t f, float *picture, const float *canvas, struct fvsr_error *err)
{
	size_t plane = (size_t)(shape[3] * shape[4]);
	size_t step = (size_t)shape[2] * plane, at = (size_t)f * plane;
	float *one = malloc(6 * plane * sizeof(float));
	int code;

	if (!one)
		return FVSR_ERR_MEMORY;
	for (size_t c = 0; c < 3; c++) {
		memcpy(one + c * plane, picture + c * step + at, plane * sizeof(float));
		memcpy(one + (c + 3) * plane, canvas + c * step + at, plane * sizeof(float));
	}
	code = fvsr_color_correct(backend, color, (int)shape[4], (int)shape[3], one,
				  one + 3 * plane, err);
	for (size_t c = 0; c < 3; c++)
		memcpy(picture + c * step + at, one + c * plane, plane * sizeof(float));
	free(one);
	return code;
}

static bool same_shape(const struct fvsr_tensor_info *a, const struct fvsr_tensor_info *b)
{
	return a->rank == b->rank &&
	       memcmp(a->shape, b->shape, (size_t)a->rank * sizeof(a->shape[0])) == 0;
}

static void check_color(struct fvsr_cli_results *results, struct fvsr_cli_result *result,
			const char *backend, enum fvsr_color color)
{
	struct fvsr_cli_result *hq = fvsr_cli_results_find(results, "color.hq");
	struct fvsr_cli_result *lq = fvsr_cli_results_find(results, "color.lq");
	const int64_t *shape = result->golden.shape;
	size_t count = fvsr_cli_tensor_count(&result->golden);
	struct fvsr_error err = {""};
	float *picture, *canvas;
	int code = FVSR_OK;

	if (!hq || !lq || result->golden.rank != 5 || shape[0] != 1 || shape[1] != 3 ||
	    !same_shape(&hq->golden, &result->golden) ||
	    !same_shape(&lq->golden, &result->golden)) {
		problem(result, "color.hq and color.lq of this shape are missing");
		return;
	}
	picture = malloc(count * sizeof(float));
	canvas = malloc(count * sizeof(float));
	if (!picture || !canvas)
		code = FVSR_ERR_MEMORY;
	if (code == FVSR_OK)
		code = fvsr_tensor_to_f32(&hq->golden, 0, count, picture);
	if (code == FVSR_OK)
		code = fvsr_tensor_to_f32(&lq->golden, 0, count, canvas);
	for (int64_t f = 0; f < shape[2] && code == FVSR_OK; f++)
		code = correct_frame(backend, color, shape, f, picture, canvas, &err);
	if (code == FVSR_OK) {
		result->limit.max_abs = strncmp(backend, "cpu", 3) ? COLOR_HALF_ABS : COLOR_ABS;
		fvsr_cli_results_check(results, result, picture);
	} else {
		problem(result, err.text[0] ? err.text : fvsr_result_text(code));
	}
	free(picture);
	free(canvas);
}

/* The name of the backend that "auto" means, or the given one. */
static bool choose_backend(const char *wanted, struct fvsr_backend_info *info)
{
	for (unsigned i = 0; fvsr_backend_describe(i, info) == FVSR_OK; i++) {
		if (wanted && strcmp(wanted, "auto") != 0 ? strcmp(wanted, info->name) == 0
							  : info->available)
			return true;
	}
	return false;
}

int fvsr_cli_verify_parts(struct fvsr_cli_results *results, const char *backend)
{
	struct fvsr_cli_result *source = fvsr_cli_results_find(results, "lr_u8");
	struct fvsr_backend_info info;

	if (!choose_backend(backend, &info)) {
		fvsr_cli_error("there is no backend '%s'", backend ? backend : "auto");
		return FVSR_CLI_USAGE;
	}
	if (!info.available) {
		fvsr_cli_error("backend %s cannot be used: %s", info.name, info.reason);
		return FVSR_CLI_USAGE;
	}
	for (size_t i = 0; i < results->count; i++) {
		struct fvsr_cli_result *result = &results->items[i];
		const char *name = result->golden.name;
		if (strcmp(name, "lr_u8") == 0 || strcmp(name, "color.hq") == 0 ||
		    strcmp(name, "color.lq") == 0)
			result->is_input = true;
		else if (strcmp(name, "color.adain") == 0)
			check_color(results, result, info.name, FVSR_COLOR_ADAIN);
		else if (strcmp(name, "color.wavelet") == 0)
			check_color(results, result, info.name, FVSR_COLOR_WAVELET);
		else if (strncmp(name, "bicubic.", 8) == 0 && source &&
			 is_picture(&source->golden) && is_picture(&result->golden))
			check_bicubic(results, result, &source->golden);
	}
	return FVSR_CLI_OK;
}
