/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The data.pkl of a PyTorch archive says which tensors there are and where their numbers lie.
 */
#ifndef FVSR_MODEL_PICKLE_H
#define FVSR_MODEL_PICKLE_H

#include "model/weights.h"

struct fvsr_pickle_tensor {
	const char *name; /* "" when the pickle is one tensor rather than a dictionary */
	enum fvsr_dtype dtype;
	int rank;
	int64_t shape[FVSR_MAX_RANK];
	uint64_t count;         /* at least 1 */
	uint64_t offset;        /* of its first element in the storage, in elements */
	uint64_t storage_count; /* elements that the storage has; offset + count fit in it */
	char storage[12];       /* the storage's key: decimal digits */
};

struct fvsr_pickle {
	struct fvsr_pickle_tensor *tensors; /* in order; names are unique */
	size_t count;
	char *text; /* holds the names */
};

/* Reads a pickle, whose bytes are not needed afterwards. 'where' opens messages. */
int fvsr_pickle_read(struct fvsr_pickle *pickle, const void *data, size_t bytes, const char *where,
		     struct fvsr_error *err);
void fvsr_pickle_free(struct fvsr_pickle *pickle);

#endif
