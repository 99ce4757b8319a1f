/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Matrix products by cuBLASLt, where the machine has it. It is opened at run time; without it all
 * products are ours.
 */
#ifndef FVSR_CUDA_BLAS_H
#define FVSR_CUDA_BLAS_H

#include "backend/cuda/runtime/cuda_backend.h"

/* NULL when there is no such library. Inside fvsr_cuda_enter(). */
struct fvsr_cuda_blas *fvsr_cuda_blas_open(struct fvsr_cuda_device *device);
/* NULL is allowed. 'alive': inside fvsr_cuda_enter(); else the context is lost. */
void fvsr_cuda_blas_close(struct fvsr_cuda_blas *blas, bool alive);

/*
 * Does a linear layer; false when it cannot (then nothing was done). While planning the fastest
 * algorithm for the shape is found, once per device.
 */
bool fvsr_cuda_blas_linear(struct fvsr_cuda_queue *queue, const struct fvsr_linear *a);

/* What was kept of a bias within 'bytes' from 'memory' on is out of date. */
void fvsr_cuda_blas_forget(struct fvsr_cuda_device *device, const void *memory, size_t bytes);

#endif
