/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making the bicubic picture, and comparing: see compare.h.
 */
#include "compare.h"

#include "fvsr/fvsr.h"

#include <util/platform.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define PATIENCE_S 100.0 /* for an upscaled picture, on a busy machine */

struct comparison compare(const struct view *view)
{
	const size_t count = (size_t)view->width * view->height;
	uint8_t *expected = malloc(count * 4);
	struct fvsr_picture from = {.format = FVSR_FORMAT_RGBA8,
				    .memory = FVSR_MEMORY_HOST,
				    .width = (int)view->source_width,
				    .height = (int)view->source_height,
				    .stride = (size_t)view->source_width * 4,
				    .data = view->source_pixels};
	struct fvsr_picture to = from;
	struct comparison result = {0};
	double sum[3] = {0}, shift[3] = {0}, close = 0.0;
	struct fvsr_error err = {""};

	to.width = (int)view->width;
	to.height = (int)view->height;
	to.stride = (size_t)view->width * 4;
	to.data = expected;
	CHECK(fvsr_bicubic(&from, &to, &err) == FVSR_OK, "%s", err.text);
	for (size_t i = 0; i < count * 4; i++) {
		double difference = view->pixels[i] - expected[i];

		if (i % 4 == 3) {
			result.alpha_difference = fmax(result.alpha_difference, fabs(difference));
			continue;
		}
		sum[i % 4] += fabs(difference);
		shift[i % 4] += difference;
		close += fabs(difference) <= 2.0;
	}
	for (int c = 0; c < 3; c++) {
		result.mean_difference += sum[c] / (double)count / 3.0;
		result.mean_shift = fmax(result.mean_shift, fabs(shift[c] / (double)count));
	}
	result.close_share = close / (double)(count * 3);
	free(expected);
	return result;
}

bool is_bicubic(const struct view *view)
{
	struct comparison c = compare(view);

	return c.close_share > 0.99 && c.mean_difference < 1.0;
}

bool is_upscaled(const struct view *view)
{
	struct comparison c = compare(view);

	return c.mean_difference > 2.0 && c.mean_shift < 6.0;
}

void report(const char *what, const struct view *view)
{
	struct comparison c = compare(view);

	printf("  %-32s %ux%u from %ux%u: mean difference to bicubic %.2f, close %.2f %%, "
	       "shift %.2f, alpha %.0f\n",
	       what, view->width, view->height, view->source_width, view->source_height,
	       c.mean_difference, c.close_share * 100.0, c.mean_shift, c.alpha_difference);
}

void expect_bicubic(struct watch *watch, const char *what)
{
	const struct view *view = watch_next(watch, UINT64_MAX);

	if (!CHECK(view != NULL, "%s: no picture", what))
		return;
	report(what, view);
	CHECK(is_bicubic(view), "%s", what);
}

void expect_upscaled(struct watch *watch, const char *what)
{
	const uint64_t end_ns = os_gettime_ns() + (uint64_t)(PATIENCE_S * 1e9);
	const struct view *view = watch_next(watch, UINT64_MAX);

	while (view && !is_upscaled(view) && os_gettime_ns() < end_ns) {
		if (!CHECK(is_bicubic(view), "%s: neither bicubic nor upscaled", what))
			break;
		view = watch_next(watch, UINT64_MAX);
	}
	if (!CHECK(view != NULL, "%s: no picture", what))
		return;
	report(what, view);
	CHECK(is_upscaled(view), "%s", what);
}
