/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Weights come from one of three places, of each of which weights.c asks the same.
 */
#ifndef FVSR_MODEL_SOURCE_H
#define FVSR_MODEL_SOURCE_H

#include "model/config.h"
#include "model/shapes.h"

struct fvsr_intake;

/* Takes elements of tensor 'index' as they come by, tensors in any order. */
struct fvsr_weight_sink {
	int (*take)(void *opaque, size_t index, uint64_t first, size_t count, const float *values,
		    struct fvsr_error *err);
	void *opaque;
};

/* 'index' is that of a tensor in fvsr_weights.shapes; ranges are checked by the caller. */
struct fvsr_source_ops {
	enum fvsr_dtype (*dtype)(const void *source, size_t index);
	int (*read)(const void *source, size_t index, uint64_t first, size_t count, float *out,
		    struct fvsr_error *err);
	/*
	 * Both NULL, or: pour() hands over, once and for all, the tensors for which pours() is
	 * true; they come from a file that is read only then, from front to back.
	 */
	bool (*pours)(const void *source, size_t index);
	int (*pour)(void *source, const struct fvsr_weight_sink *sink, struct fvsr_error *err);
	void (*close)(void *source);
};

struct fvsr_weights {
	struct fvsr_config config;
	struct fvsr_shapes shapes;
	char name[128];
	const struct fvsr_source_ops *ops;
	void *source; /* private to ops */
};

/*
 * Each fills 'weights' (all zero before). On failure it may be partly filled; the caller closes
 * it in both cases. A set 'ops' says that 'source' is to be closed through it.
 */
int fvsr_synth_open(struct fvsr_weights *weights, const char *spec, struct fvsr_error *err);
int fvsr_packed_open(struct fvsr_weights *weights, const char *path, const struct fvsr_log *log,
		     struct fvsr_error *err);
/* Does so for a directory. 'intake' (directory.h) may be NULL; else it outlives the weights. */
int fvsr_directory_open(struct fvsr_weights *weights, const char *path, const struct fvsr_log *log,
			const struct fvsr_progress *progress, struct fvsr_intake *intake,
			struct fvsr_error *err);

/* Checks that values are finite; FVSR_ERR_FORMAT, with the tensor's name and the element. */
int fvsr_weights_check(const char *name, uint64_t first, const float *values, size_t count,
		       struct fvsr_error *err);

/* Tells whether it is "synth:...". */
bool fvsr_synth_is_spec(const char *spec);
/* Returns CONFIG.json of "synth:CONFIG.json:SEED", malloc'ed; NULL for none or no memory. */
char *fvsr_synth_config_path(const char *spec);

#endif
