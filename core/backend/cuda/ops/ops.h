/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The entries of the op table, by the file that has them.
 */
#ifndef FVSR_CUDA_OPS_H
#define FVSR_CUDA_OPS_H

#include "backend/cuda/runtime/cuda_backend.h"

/* queue.c */
int fvsr_cuda_queue_open(struct fvsr_queue **out, struct fvsr_device *device,
			 struct fvsr_error *err);
void fvsr_cuda_queue_close(struct fvsr_queue *queue);
int fvsr_cuda_finish(struct fvsr_queue *queue);
void fvsr_cuda_copy(struct fvsr_queue *queue, void *dst, const void *src, size_t bytes);
void fvsr_cuda_zero(struct fvsr_queue *queue, void *dst, size_t bytes);

/* stamps.c */
void fvsr_cuda_stage(struct fvsr_queue *queue, enum fvsr_stage stage);
/* In the context: adds up the times of the stages that are done. Waits for none. */
void fvsr_cuda_collect_stages(struct fvsr_cuda_queue *queue);

/* offload.c */
void *fvsr_cuda_host_alloc(struct fvsr_device *device, size_t bytes);
void fvsr_cuda_host_free(struct fvsr_device *device, void *memory);
size_t fvsr_cuda_free_bytes(struct fvsr_device *device);
void fvsr_cuda_offload(struct fvsr_queue *queue, void *host, const void *src, size_t bytes);
void fvsr_cuda_reload(struct fvsr_queue *queue, void *dst, const void *host, size_t bytes);
void fvsr_cuda_join(struct fvsr_queue *queue);

/* ingest_emit.c */
void fvsr_cuda_emit(struct fvsr_queue *queue, const struct fvsr_picture *dst, const void *src);
void fvsr_cuda_ingest(struct fvsr_queue *queue, const struct fvsr_ingest *a);
void fvsr_cuda_wait_ingested(struct fvsr_queue *queue);
void fvsr_cuda_wait_emitted(struct fvsr_queue *queue);
/* While planning: room for an outgoing picture of 'bytes'. */
void fvsr_cuda_frames_prepare(struct fvsr_cuda_queue *queue, size_t bytes);
/* 'alive': the context is there and entered, so there is something to free in it. */
void fvsr_cuda_frames_close(struct fvsr_cuda_queue *queue, bool alive);

/* profile.c: see there; each does nothing unless FVSR_CUDA_PROFILE is set. In the context. */
int fvsr_cuda_profile_open(struct fvsr_cuda_queue *queue, struct fvsr_error *err);
void fvsr_cuda_profile_close(struct fvsr_cuda_queue *queue, bool alive);
void fvsr_cuda_profile_stage(struct fvsr_cuda_queue *queue, enum fvsr_stage stage);
void fvsr_cuda_profile_begin(struct fvsr_cuda_queue *queue);
/* 'name' lives as long as the device. */
void fvsr_cuda_profile_end(struct fvsr_cuda_queue *queue, const char *name);

/* norm.c */
void fvsr_cuda_rms_silu(struct fvsr_queue *queue, void *dst, const void *src, const void *gamma,
			int rows, int channels);
void fvsr_cuda_layer_norm(struct fvsr_queue *queue, void *dst, const void *src, const void *scale,
			  const void *shift, int rows, int dim, float eps);
void fvsr_cuda_rms_norm(struct fvsr_queue *queue, void *dst, const void *src, const void *weight,
			int rows, int dim, float eps);
void fvsr_cuda_add(struct fvsr_queue *queue, void *dst, const void *src, size_t count);

/* linear.c */
void fvsr_cuda_linear(struct fvsr_queue *queue, const struct fvsr_linear *a);

/* conv.c */
void fvsr_cuda_conv_frames(struct fvsr_queue *queue, const struct fvsr_conv_frames *a);
void fvsr_cuda_conv3x3(struct fvsr_queue *queue, const struct fvsr_conv3x3 *a);
void fvsr_cuda_upsample_conv(struct fvsr_queue *queue, const struct fvsr_upsample_conv *a);
void fvsr_cuda_conv_rgb(struct fvsr_queue *queue, const struct fvsr_conv_rgb *a);

/* attention.c */
void fvsr_cuda_rope_table(struct fvsr_queue *queue, void *dst, int64_t first, int positions,
			  int size);
void fvsr_cuda_qk_rope(struct fvsr_queue *queue, const struct fvsr_qk_rope *a);
void fvsr_cuda_block_select(struct fvsr_queue *queue, const struct fvsr_block_select *a);
void fvsr_cuda_block_attention(struct fvsr_queue *queue, const struct fvsr_block_attention *a);
void fvsr_cuda_cross_attention(struct fvsr_queue *queue, const struct fvsr_cross_attention *a);

/* picture.c */
void fvsr_cuda_unshuffle(struct fvsr_queue *queue, void *dst, const void *canvas, int h, int w);
void fvsr_cuda_noise_slice(struct fvsr_queue *queue, const struct fvsr_noise_slice *a);
void fvsr_cuda_unpatchify(struct fvsr_queue *queue, const struct fvsr_unpatchify *a);
void fvsr_cuda_decoder_input(struct fvsr_queue *queue, const struct fvsr_decoder_input *a);
void fvsr_cuda_pixel_shuffle(struct fvsr_queue *queue, const struct fvsr_pixel_shuffle *a);
void fvsr_cuda_color_finish(struct fvsr_queue *queue, const struct fvsr_color_finish *a);

extern const struct fvsr_backend fvsr_backend_cuda;

#endif
