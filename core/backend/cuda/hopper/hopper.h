/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels that use what only Hopper has (wgmma, bulk copies; kernels/hopper_*.cu, built for
 * sm_90a). The generic ops ask here first when device->hopper is set: false means that the shape
 * is not theirs and nothing was done. While queue->planning they answer as they will later and
 * raise the scratch memory by fvsr_cuda_scratch().
 */
#ifndef FVSR_CUDA_HOPPER_H
#define FVSR_CUDA_HOPPER_H

#include <stdbool.h>

#include "kernels/hopper/params.h"

struct fvsr_cuda_queue;
struct fvsr_block_attention;
struct fvsr_conv3x3;
struct fvsr_conv_frames;
struct fvsr_cross_attention;
struct fvsr_linear;
struct fvsr_upsample_conv;

/* X(name of the extern "C" kernel, most dynamic shared memory in bytes) */
#define FVSR_CUDA_HOPPER_KERNELS(X)                                                                \
	X(fvsr_hopper_order, 0)                                                                    \
	X(fvsr_hopper_attention_64, FVSR_HOPPER_ATTENTION_SHARED(64))                              \
	X(fvsr_hopper_attention_128, FVSR_HOPPER_ATTENTION_SHARED(128))                            \
	X(fvsr_hopper_cross_64, FVSR_HOPPER_ATTENTION_SHARED(64))                                  \
	X(fvsr_hopper_cross_128, FVSR_HOPPER_ATTENTION_SHARED(128))                                \
	X(fvsr_hopper_conv_64, FVSR_HOPPER_CONV_SHARED)                                            \
	X(fvsr_hopper_conv_128, FVSR_HOPPER_CONV_SHARED)                                           \
	X(fvsr_hopper_conv_256, FVSR_HOPPER_CONV_SHARED)                                           \
	X(fvsr_hopper_pad, 0)

bool fvsr_cuda_hopper_block_attention(struct fvsr_cuda_queue *queue,
				      const struct fvsr_block_attention *a);
bool fvsr_cuda_hopper_cross_attention(struct fvsr_cuda_queue *queue,
				      const struct fvsr_cross_attention *a);
/* A linear layer, where it has the shape for it. */
bool fvsr_cuda_hopper_linear(struct fvsr_cuda_queue *queue, const struct fvsr_linear *a);
bool fvsr_cuda_hopper_conv3x3(struct fvsr_cuda_queue *queue, const struct fvsr_conv3x3 *a);
bool fvsr_cuda_hopper_upsample_conv(struct fvsr_cuda_queue *queue,
				    const struct fvsr_upsample_conv *a);
bool fvsr_cuda_hopper_conv_frames(struct fvsr_cuda_queue *queue, const struct fvsr_conv_frames *a);

#endif
