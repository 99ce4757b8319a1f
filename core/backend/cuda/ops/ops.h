/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the backend's table is made of: the ops of the list, and the other functions by the file
 * that has them.
 */
#ifndef FVSR_CUDA_OPS_H
#define FVSR_CUDA_OPS_H

#include "backend/cuda/runtime/cuda_backend.h"

#define FVSR_CUDA_OP(name, cpu) fvsr_op_##name fvsr_cuda_##name;
FVSR_OPS(FVSR_CUDA_OP)
#undef FVSR_CUDA_OP

/* queue.c */
int fvsr_cuda_queue_open(struct fvsr_queue **out, struct fvsr_device *device,
			 struct fvsr_error *err);
void fvsr_cuda_queue_close(struct fvsr_queue *queue);
int fvsr_cuda_finish(struct fvsr_queue *queue);
void fvsr_cuda_copy(struct fvsr_queue *queue, void *dst, const void *src, size_t bytes);
void fvsr_cuda_zero(struct fvsr_queue *queue, void *dst, size_t bytes);

/* stamps.c */
void fvsr_cuda_stage(struct fvsr_queue *queue, enum fvsr_stage stage);
/* Adds up the times of the stages that are done, in the context; waits for none. */
void fvsr_cuda_collect_stages(struct fvsr_cuda_queue *queue);

/* offload.c */
void *fvsr_cuda_host_alloc(struct fvsr_device *device, size_t bytes);
void fvsr_cuda_host_free(struct fvsr_device *device, void *memory);
size_t fvsr_cuda_free_bytes(struct fvsr_device *device);

/* ingest_emit.c */
void fvsr_cuda_wait_ingested(struct fvsr_queue *queue);
void fvsr_cuda_wait_emitted(struct fvsr_queue *queue);
/* Makes room for an outgoing picture of 'bytes', while planning. */
void fvsr_cuda_frames_prepare(struct fvsr_cuda_queue *queue, size_t bytes);
/* Frees what there is; 'alive' says that the context is there and entered. */
void fvsr_cuda_frames_close(struct fvsr_cuda_queue *queue, bool alive);

/* profile.c, to be called in the context; each does nothing unless FVSR_CUDA_PROFILE is set. */
int fvsr_cuda_profile_open(struct fvsr_cuda_queue *queue, struct fvsr_error *err);
void fvsr_cuda_profile_close(struct fvsr_cuda_queue *queue, bool alive);
void fvsr_cuda_profile_stage(struct fvsr_cuda_queue *queue, enum fvsr_stage stage);
void fvsr_cuda_profile_begin(struct fvsr_cuda_queue *queue);
/* Ends a measurement; 'name' lives as long as the device. */
void fvsr_cuda_profile_end(struct fvsr_cuda_queue *queue, const char *name);

extern const struct fvsr_backend fvsr_backend_cuda;

#endif
