/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration says which tensors a model has, and in which shapes.
 */
#ifndef FVSR_MODEL_SHAPES_H
#define FVSR_MODEL_SHAPES_H

#include "model/weights.h"

struct fvsr_shape {
	char name[48]; /* with the prefix of its part: "dit.", "lq.", "dec.", "prompt" */
	int rank;
	int64_t dims[FVSR_MAX_RANK];
	uint64_t count;
	bool grow; /* TGrow: a source may have more output channels, of which the last count */
};

struct fvsr_shapes {
	struct fvsr_shape *items; /* dit, lq, dec, prompt; each in the released order */
	size_t count;
	size_t *by_name; /* indices of items, sorted */
	uint64_t parameters;
};

/* Lists the tensors of a configuration that has passed fvsr_config_check(). FVSR_ERR_MEMORY. */
int fvsr_shapes_create(struct fvsr_shapes *shapes, const struct fvsr_config *config,
		       struct fvsr_error *err);
void fvsr_shapes_free(struct fvsr_shapes *shapes);
/* Returns the index of 'name' in items, or SIZE_MAX. */
size_t fvsr_shapes_find(const struct fvsr_shapes *shapes, const char *name);
/* Writes a shape as "2 x 3 x 4". */
void fvsr_shape_text(char *out, size_t size, int rank, const int64_t *dims);

#endif
