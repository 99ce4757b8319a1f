/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plain C version of every op: short and obvious rather than fast, float32 throughout. It is
 * the definition that other backends are tested against, and what they fall back to on the CPU.
 */
#ifndef FVSR_CPU_PLAIN_H
#define FVSR_CPU_PLAIN_H

#include "backend/backend.h"
#include "base/bicubic.h"

struct fvsr_cpu_queue {
	struct fvsr_queue base;
	enum fvsr_stage stage;
	double stage_began_ms;
	struct fvsr_resize_axis horizontal, vertical; /* made while planning */
};

/* A sample of a picture as colour correction takes it: finite, see "NaN and infinity". */
static inline float fvsr_picture_sample(float x)
{
	x = x > -FVSR_PICTURE_LIMIT ? x : -FVSR_PICTURE_LIMIT;
	return x < FVSR_PICTURE_LIMIT ? x : FVSR_PICTURE_LIMIT;
}

/* Threads that an op of this queue may use. */
static inline int fvsr_cpu_threads(const struct fvsr_queue *queue)
{
	return queue->device->threads;
}

void fvsr_cpu_describe(struct fvsr_backend_info *info);
int fvsr_cpu_count(void);
void *fvsr_cpu_alloc(struct fvsr_device *device, size_t bytes);
void fvsr_cpu_free(struct fvsr_device *device, void *memory);
int fvsr_cpu_upload(struct fvsr_device *device, void *dst, enum fvsr_kind kind, const float *src,
		    size_t count, struct fvsr_error *err);
void fvsr_cpu_queue_init(struct fvsr_cpu_queue *queue, struct fvsr_device *device);
void fvsr_cpu_queue_clear(struct fvsr_cpu_queue *queue);
int fvsr_plain_finish(struct fvsr_queue *queue);
void fvsr_plain_stage(struct fvsr_queue *queue, enum fvsr_stage stage);
void fvsr_plain_download(struct fvsr_queue *queue, float *dst, const void *src, enum fvsr_kind kind,
			 size_t count);
void fvsr_plain_copy(struct fvsr_queue *queue, void *dst, const void *src, size_t bytes);
void fvsr_plain_zero(struct fvsr_queue *queue, void *dst, size_t bytes);
void fvsr_plain_join(struct fvsr_queue *queue);
void fvsr_plain_emit(struct fvsr_queue *queue, const struct fvsr_picture *dst, const void *src);

void fvsr_plain_ingest(struct fvsr_queue *queue, const struct fvsr_ingest *a);
void fvsr_plain_unshuffle(struct fvsr_queue *queue, void *dst, const void *canvas, int h, int w);
void fvsr_plain_conv_frames(struct fvsr_queue *queue, const struct fvsr_conv_frames *a);
void fvsr_plain_rms_silu(struct fvsr_queue *queue, void *dst, const void *src, const void *gamma,
			 int rows, int channels);
void fvsr_plain_linear(struct fvsr_queue *queue, const struct fvsr_linear *a);
void fvsr_plain_layer_norm(struct fvsr_queue *queue, void *dst, const void *src, const void *scale,
			   const void *shift, int rows, int dim, float eps);
void fvsr_plain_rms_norm(struct fvsr_queue *queue, void *dst, const void *src, const void *weight,
			 int rows, int dim, float eps);
void fvsr_plain_add(struct fvsr_queue *queue, void *dst, const void *src, size_t count);
void fvsr_plain_rope_table(struct fvsr_queue *queue, void *dst, int64_t first, int positions,
			   int size);
void fvsr_plain_qk_rope(struct fvsr_queue *queue, const struct fvsr_qk_rope *a);
void fvsr_plain_block_select(struct fvsr_queue *queue, const struct fvsr_block_select *a);
void fvsr_plain_block_attention(struct fvsr_queue *queue, const struct fvsr_block_attention *a);
void fvsr_plain_cross_attention(struct fvsr_queue *queue, const struct fvsr_cross_attention *a);
void fvsr_plain_noise_slice(struct fvsr_queue *queue, const struct fvsr_noise_slice *a);
void fvsr_plain_unpatchify(struct fvsr_queue *queue, const struct fvsr_unpatchify *a);
void fvsr_plain_decoder_input(struct fvsr_queue *queue, const struct fvsr_decoder_input *a);
void fvsr_plain_conv3x3(struct fvsr_queue *queue, const struct fvsr_conv3x3 *a);
void fvsr_plain_upsample_conv(struct fvsr_queue *queue, const struct fvsr_upsample_conv *a);
void fvsr_plain_conv_rgb(struct fvsr_queue *queue, const struct fvsr_conv_rgb *a);
void fvsr_plain_pixel_shuffle(struct fvsr_queue *queue, const struct fvsr_pixel_shuffle *a);
void fvsr_plain_color_finish(struct fvsr_queue *queue, const struct fvsr_color_finish *a);

#endif
