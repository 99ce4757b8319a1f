/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The entries of the op table that belong to a device: finding and opening the card, and its
 * memory.
 */
#ifndef FVSR_CUDA_DEVICE_H
#define FVSR_CUDA_DEVICE_H

#include "backend/cuda/runtime/cuda_backend.h"

void fvsr_cuda_describe(struct fvsr_backend_info *info);
int fvsr_cuda_device_open(struct fvsr_device **out, const struct fvsr_model_options *options,
			  struct fvsr_error *err);
void fvsr_cuda_device_close(struct fvsr_device *device);
void *fvsr_cuda_alloc(struct fvsr_device *device, size_t bytes);
void fvsr_cuda_free(struct fvsr_device *device, void *memory);

/* transfer.c: weights and results, through two pieces of pinned memory. */
int fvsr_cuda_staging_open(struct fvsr_cuda_device *device, struct fvsr_error *err);
void fvsr_cuda_staging_close(struct fvsr_cuda_device *device);
int fvsr_cuda_upload(struct fvsr_device *device, void *dst, enum fvsr_kind kind, const float *src,
		     size_t count, struct fvsr_error *err);
void fvsr_cuda_forget(struct fvsr_device *device, const void *memory, size_t bytes);
void fvsr_cuda_download(struct fvsr_queue *queue, float *dst, const void *src, enum fvsr_kind kind,
			size_t count);

#endif
