/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The header of a safetensors file is checked as a whole before anything of it is used.
 */
#ifndef FVSR_MODEL_SAFETENSORS_H
#define FVSR_MODEL_SAFETENSORS_H

#include "model/file.h"
#include "model/sha256.h"
#include "model/weights.h"

struct fvsr_st_type {
	const char *name;
	unsigned int bytes;
	enum fvsr_dtype weight; /* 0: not a type of weights */
};

struct fvsr_st_tensor {
	const char *name;
	const struct fvsr_st_type *type;
	int rank;
	int64_t shape[FVSR_MAX_RANK];
	uint64_t count;
	uint64_t offset; /* in the file */
	uint64_t bytes;
};

struct fvsr_st_pair {
	const char *key, *value;
};

struct fvsr_safetensors {
	struct fvsr_file *file;         /* the caller's */
	struct fvsr_st_tensor *tensors; /* in file order, together all of the data */
	size_t *by_name;
	size_t count;
	struct fvsr_st_pair *metadata;
	size_t metadata_count;
	uint64_t data_offset;
	struct fvsr_sha256 sum; /* over the bytes before data_offset, as they were read */
	char *text;             /* holds all names, keys and values */
};

/*
 * Reads and checks the header: on success every tensor's bytes lie inside the file, none overlap
 * and nothing is left between or behind them. 'file' must stay open; it is not closed by free.
 */
int fvsr_st_read(struct fvsr_safetensors *st, struct fvsr_file *file, struct fvsr_error *err);
void fvsr_st_free(struct fvsr_safetensors *st);
/* Returns the tensor of that name, or NULL. */
const struct fvsr_st_tensor *fvsr_st_find(const struct fvsr_safetensors *st, const char *name);
const char *fvsr_st_metadata(const struct fvsr_safetensors *st, const char *key);
const struct fvsr_st_type *fvsr_st_type_find(const char *name);

#endif
