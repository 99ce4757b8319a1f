/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Weights are the same to the network wherever they come from: it asks for tensors by name and
 * gets float32, a range at a time, without knowing whether a packed file is read, a released
 * directory was imported to memory or a formula makes the numbers.
 *
 * Names are the released ones behind a prefix for the file they come from: "dit.", "lq.", "dec.",
 * and "prompt" for the prompt (section 2 of the specification). Those of a trunk, which no released
 * file has, begin with "trunk.".
 */
#ifndef FVSR_MODEL_WEIGHTS_H
#define FVSR_MODEL_WEIGHTS_H

#include "base/dtype.h"
#include "fvsr/fvsr.h"

#define FVSR_MAX_RANK 5

struct fvsr_weights;

struct fvsr_weight {
	const char *name; /* valid while the weights are open */
	enum fvsr_dtype dtype;
	int rank;
	int64_t shape[FVSR_MAX_RANK];
	uint64_t count; /* product of shape */
	size_t index;   /* private to the implementation */
};

/*
 * Opens 'spec' as described at fvsr_model_open(). On success every tensor that the configuration
 * asks for is there in the right shape. 'log', 'progress' and 'err' may be NULL.
 */
int fvsr_weights_open(struct fvsr_weights **out, const char *spec, bool allow_directory,
		      const struct fvsr_log *log, const struct fvsr_progress *progress,
		      struct fvsr_error *err);
void fvsr_weights_close(struct fvsr_weights *weights);

const struct fvsr_config *fvsr_weights_config(const struct fvsr_weights *weights);
/* Returns the model's name from its metadata or specification; never NULL. */
const char *fvsr_weights_name(const struct fvsr_weights *weights);
/* Returns the number of elements of all tensors of the model. */
uint64_t fvsr_weights_parameters(const struct fvsr_weights *weights);

/* Finds a tensor by its name; FVSR_ERR_FORMAT (and a message) when there is none. */
int fvsr_weights_find(const struct fvsr_weights *weights, const char *name, struct fvsr_weight *out,
		      struct fvsr_error *err);
/*
 * Reads elements first .. first + count - 1, row-major, as float32. FVSR_ERR_FORMAT when one of
 * them is not finite. Any thread.
 */
int fvsr_weights_read(const struct fvsr_weights *weights, const struct fvsr_weight *weight,
		      uint64_t first, uint64_t count, float *out, struct fvsr_error *err);

#endif
