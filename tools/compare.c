/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Differences are summed in double. A NaN anywhere makes every figure NaN, and no limit is kept
 * by NaN: the tests below are written so that they fail then.
 */
#include "compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pictures are in [-1, 1], so the peak of the signal is 2. */
#define PEAK 2.0

size_t fvsr_cli_tensor_count(const struct fvsr_tensor_info *info)
{
	size_t count = 1;

	/* The product fits: the library has checked it against the size of the file. */
	for (int i = 0; i < info->rank; i++)
		count *= (size_t)info->shape[i];
	return count;
}

struct fvsr_cli_limit fvsr_cli_no_limit(void)
{
	return (struct fvsr_cli_limit){.rel_l2 = INFINITY,
				       .max_abs = INFINITY,
				       .psnr_db = -INFINITY,
				       .agreement = -INFINITY};
}

int fvsr_cli_results_init(struct fvsr_cli_results *results, const fvsr_tensors *file)
{
	struct fvsr_tensor_info info;
	size_t largest = 1;

	memset(results, 0, sizeof(*results));
	while (fvsr_tensors_get(file, results->count, &info) == FVSR_OK)
		results->count++;
	results->items = calloc(results->count + 1, sizeof(*results->items));
	if (!results->items)
		return FVSR_ERR_MEMORY;
	for (size_t i = 0; i < results->count; i++) {
		struct fvsr_cli_result *item = &results->items[i];
		fvsr_tensors_get(file, i, &item->golden);
		item->limit = fvsr_cli_no_limit();
		if (fvsr_cli_tensor_count(&item->golden) > largest)
			largest = fvsr_cli_tensor_count(&item->golden);
	}
	results->golden = malloc(largest * sizeof(float));
	if (!results->golden) {
		fvsr_cli_results_free(results);
		return FVSR_ERR_MEMORY;
	}
	return FVSR_OK;
}

void fvsr_cli_results_free(struct fvsr_cli_results *results)
{
	free(results->items);
	free(results->golden);
	memset(results, 0, sizeof(*results));
}

struct fvsr_cli_result *fvsr_cli_results_find(struct fvsr_cli_results *results, const char *name)
{
	for (size_t i = 0; i < results->count; i++) {
		if (strcmp(results->items[i].golden.name, name) == 0)
			return &results->items[i];
	}
	return NULL;
}

static void measure(const float *golden, const float *got, size_t count,
		    struct fvsr_cli_difference *out)
{
	double error = 0, energy = 0, max_abs = 0;
	size_t equal = 0;

	for (size_t i = 0; i < count; i++) {
		double d = (double)got[i] - (double)golden[i];
		error += d * d;
		energy += (double)golden[i] * (double)golden[i];
		equal += got[i] == golden[i];
		if (!(fabs(d) <= max_abs))
			max_abs = fabs(d);
	}
	out->rel_l2 = error > 0 || isnan(error) ? sqrt(error / energy) : 0;
	/* A NaN may have been overwritten by a later, larger number; the sum has kept it. */
	out->max_abs = isnan(error) ? error : max_abs;
	out->psnr_db = error > 0 || isnan(error) ? 10 * log10(PEAK * PEAK * (double)count / error)
						 : INFINITY;
	out->agreement = (double)equal / (double)count;
}

static bool keeps(const struct fvsr_cli_difference *d, const struct fvsr_cli_limit *limit)
{
	/* inf - inf is NaN: a result with infinities never passes, whatever it is compared by. */
	return d->max_abs <= limit->max_abs && d->rel_l2 <= limit->rel_l2 &&
	       d->psnr_db >= limit->psnr_db && d->agreement >= limit->agreement;
}

void fvsr_cli_results_check(struct fvsr_cli_results *results, struct fvsr_cli_result *result,
			    const float *got)
{
	size_t count = fvsr_cli_tensor_count(&result->golden);
	int code = fvsr_tensor_to_f32(&result->golden, 0, count, results->golden);

	result->produced = true;
	if (code < 0) {
		snprintf(result->problem, sizeof(result->problem), "type %s of the file: %s",
			 result->golden.dtype, fvsr_result_text(code));
		return;
	}
	measure(results->golden, got, count, &result->difference);
	result->ok = keeps(&result->difference, &result->limit);
}
