/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Element types of weights and their way to and from float32.
 */
#ifndef FVSR_MODEL_DTYPE_H
#define FVSR_MODEL_DTYPE_H

#include "model/file.h"
#include "model/weights.h"

size_t fvsr_dtype_size(enum fvsr_dtype dtype);
const char *fvsr_dtype_name(enum fvsr_dtype dtype);

/* 'src' is little-endian and may be unaligned. */
void fvsr_dtype_to_f32(enum fvsr_dtype dtype, const void *src, size_t count, float *dst);
/* Reads 'count' elements that lie at 'offset' of a file and converts them. */
int fvsr_dtype_read_f32(const struct fvsr_file *file, uint64_t offset, enum fvsr_dtype dtype,
			size_t count, float *out, struct fvsr_error *err);

/* Round to nearest, ties to even. A finite value above the largest BF16 becomes infinite. */
uint16_t fvsr_bf16_from_f32(float value);
float fvsr_bf16_to_f32(uint16_t value);

/* Index of the first NaN or infinity, or 'count'. */
size_t fvsr_find_nonfinite(const float *values, size_t count);

#endif
