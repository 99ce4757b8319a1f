/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A packed model is a safetensors file with certain metadata (docs/model-format.md).
 */
#ifndef FVSR_MODEL_PACKED_H
#define FVSR_MODEL_PACKED_H

#include "model/safetensors.h"
#include "model/source.h"

#define FVSR_PACKED_FORMAT  "fvsr-packed"
#define FVSR_PACKED_VERSION "1"

/* Opens the packed model in 'file', which is closed with the weights, or at once on failure. */
int fvsr_packed_open_file(struct fvsr_weights *weights, struct fvsr_file *file,
			  const struct fvsr_log *log, struct fvsr_error *err);
/* Checks the shape of a stored tensor against the one expected. FVSR_ERR_FORMAT, with both. */
int fvsr_shape_check(const struct fvsr_shape *want, int rank, const int64_t *dims,
		     const char *where, struct fvsr_error *err);

#endif
