/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Matrix products by cuBLASLt, which is opened at run time where the machine has it; without that
 * library all products are ours.
 */
#ifndef FVSR_CUDA_BLAS_H
#define FVSR_CUDA_BLAS_H

#include "backend/cuda/runtime/cuda_backend.h"

/* Opens the library, inside fvsr_cuda_enter(); NULL when there is none. */
struct fvsr_cuda_blas *fvsr_cuda_blas_open(struct fvsr_cuda_device *device);
/* Closes it; NULL is allowed. 'alive' inside fvsr_cuda_enter(), or else the context is lost. */
void fvsr_cuda_blas_close(struct fvsr_cuda_blas *blas, bool alive);

/*
 * Does a linear layer, or returns false and has done nothing. While planning it finds the fastest
 * algorithm for the shape, once per device.
 */
bool fvsr_cuda_blas_linear(struct fvsr_cuda_queue *queue, const struct fvsr_linear *a);

/* Forgets what was kept of biases within 'bytes' from 'memory' on. */
void fvsr_cuda_blas_forget(struct fvsr_cuda_device *device, const void *memory, size_t bytes);

#endif
