/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * This is the one door to all weights. It finds out what a specification names, checks ranges, and
 * refuses values that are not finite, whoever made them.
 */
#include "model/weights.h"

#include <stdlib.h>
#include <string.h>

#include "base/common.h"
#include "base/dtype.h"
#include "model/file.h"
#include "model/source.h"

static int open_source(struct fvsr_weights *weights, const char *spec, bool allow_directory,
		       const struct fvsr_log *log, const struct fvsr_progress *progress,
		       struct fvsr_error *err)
{
	if (fvsr_synth_is_spec(spec))
		return fvsr_synth_open(weights, spec, err);
	if (!fvsr_path_is_folder(spec))
		return fvsr_packed_open(weights, spec, log, err);
	if (!allow_directory)
		return fvsr_fail(err, FVSR_ERR_FORMAT,
				 "'%.300s' is a folder; import the released files first", spec);
	return fvsr_directory_open(weights, spec, log, progress, NULL, err);
}

int fvsr_weights_open(struct fvsr_weights **out, const char *spec, bool allow_directory,
		      const struct fvsr_log *log, const struct fvsr_progress *progress,
		      struct fvsr_error *err)
{
	struct fvsr_weights *weights;
	int result;

	if (!spec || !*spec)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "no model is named");
	weights = calloc(1, sizeof(*weights));
	if (!weights)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	result = open_source(weights, spec, allow_directory, log, progress, err);
	if (result < 0) {
		fvsr_weights_close(weights);
		return result;
	}
	*out = weights;
	return 0;
}

void fvsr_weights_close(struct fvsr_weights *weights)
{
	if (!weights)
		return;
	if (weights->ops)
		weights->ops->close(weights->source);
	fvsr_shapes_free(&weights->shapes);
	free(weights);
}

const struct fvsr_config *fvsr_weights_config(const struct fvsr_weights *weights)
{
	return &weights->config;
}

const char *fvsr_weights_name(const struct fvsr_weights *weights)
{
	return weights->name;
}

uint64_t fvsr_weights_parameters(const struct fvsr_weights *weights)
{
	return weights->shapes.parameters;
}

int fvsr_weights_find(const struct fvsr_weights *weights, const char *name, struct fvsr_weight *out,
		      struct fvsr_error *err)
{
	size_t index = fvsr_shapes_find(&weights->shapes, name);
	const struct fvsr_shape *shape;

	if (index == SIZE_MAX)
		return fvsr_fail(err, FVSR_ERR_FORMAT, "the model has no tensor '%s'", name);
	shape = &weights->shapes.items[index];
	out->name = shape->name;
	out->dtype = weights->ops->dtype(weights->source, index);
	out->rank = shape->rank;
	memcpy(out->shape, shape->dims, sizeof(out->shape));
	out->count = shape->count;
	out->index = index;
	return 0;
}

int fvsr_weights_check(const char *name, uint64_t first, const float *values, size_t count,
		       struct fvsr_error *err)
{
	size_t bad = fvsr_find_nonfinite(values, count);

	if (bad < count)
		return fvsr_fail(err, FVSR_ERR_FORMAT,
				 "tensor '%s': element %llu is not a finite number", name,
				 (unsigned long long)(first + bad));
	return 0;
}

int fvsr_weights_read(const struct fvsr_weights *weights, const struct fvsr_weight *weight,
		      uint64_t first, uint64_t count, float *out, struct fvsr_error *err)
{
	size_t bytes;
	uint64_t all;
	int result;

	all = weight->index < weights->shapes.count ? weights->shapes.items[weight->index].count
						    : 0;
	if (first > all || count > all - first || count > SIZE_MAX ||
	    !fvsr_mul_size((size_t)count, sizeof(float), &bytes))
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "tensor '%s' has no such range",
				 weight->name);
	result = weights->ops->read(weights->source, weight->index, first, (size_t)count, out, err);
	return result < 0 ? result
			  : fvsr_weights_check(weight->name, first, out, (size_t)count, err);
}
