/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ops by kernels that use what only Hopper has (wgmma, bulk copies; kernels/hopper, built for
 * sm_90a). The generic ops ask here first when device->hopper is set. A function returns false when
 * the shape is not for its kernels, and then has done nothing; while planning it answers as it will
 * later, and asks for its scratch memory.
 */
#ifndef FVSR_CUDA_HOPPER_H
#define FVSR_CUDA_HOPPER_H

#include <stdbool.h>

struct fvsr_cuda_queue;
struct fvsr_block_attention;
struct fvsr_conv3x3;
struct fvsr_conv_frames;
struct fvsr_cross_attention;
struct fvsr_linear;
struct fvsr_upsample_conv;

bool fvsr_cuda_hopper_block_attention(struct fvsr_cuda_queue *queue,
				      const struct fvsr_block_attention *a);
bool fvsr_cuda_hopper_cross_attention(struct fvsr_cuda_queue *queue,
				      const struct fvsr_cross_attention *a);
bool fvsr_cuda_hopper_linear(struct fvsr_cuda_queue *queue, const struct fvsr_linear *a);
bool fvsr_cuda_hopper_conv3x3(struct fvsr_cuda_queue *queue, const struct fvsr_conv3x3 *a);
bool fvsr_cuda_hopper_upsample_conv(struct fvsr_cuda_queue *queue,
				    const struct fvsr_upsample_conv *a);
bool fvsr_cuda_hopper_conv_frames(struct fvsr_cuda_queue *queue, const struct fvsr_conv_frames *a);

#endif
