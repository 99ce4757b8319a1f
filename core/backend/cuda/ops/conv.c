/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Convolutions: on a Hopper by kernels/hopper/conv.cu where that has the shape, else by
 * kernels/generic/gemm.cu, and by conv_direct.cu what is not aligned; the last one by conv_rgb.cu.
 */
#include "backend/cuda/ops/conv.h"

#include <string.h>

#include "backend/cuda/hopper/hopper.h"
#include "backend/cuda/ops/ops.h"

static bool aligned(const struct fvsr_conv_params *p)
{
	uintptr_t all = (uintptr_t)p->src | (uintptr_t)p->past | (uintptr_t)p->weight |
			(uintptr_t)p->dst | (uintptr_t)p->residual;

	return p->cin % 8 == 0 && all % 16 == 0;
}

/* Chooses the narrowest tile that has all output channels, or the widest there is. */
static void choose_tile(struct fvsr_cuda_launch *launch, const struct fvsr_conv_params *p)
{
	launch->kernel = fvsr_cuda_kernel_for(FVSR_KERNEL_gemm_16, FVSR_KERNEL_gemm_128, p->cout);
	launch->grid[0] = fvsr_cuda_blocks((size_t)p->h * p->w, FVSR_GEMM_ROWS);
	launch->grid[1] =
		fvsr_cuda_blocks((size_t)p->cout, (size_t)fvsr_cuda_kernels[launch->kernel].width);
}

void fvsr_cuda_conv(struct fvsr_cuda_queue *queue, struct fvsr_conv_params *p, int tap_frames,
		    int images)
{
	struct fvsr_cuda_launch launch = {
		.kernel = FVSR_KERNEL_conv_direct,
		.grid = {fvsr_cuda_blocks((size_t)p->h * p->w * p->cout, FVSR_ITEM_THREADS), 1,
			 (unsigned)images},
		.params = p,
	};

	p->channels = p->past ? 2 * p->cin : p->cin;
	p->taps = tap_frames * p->ksize * p->ksize;
	p->k = p->taps * p->channels;
	if (fvsr_queue_idle(&queue->base))
		return;
	if (aligned(p))
		choose_tile(&launch, p);
	fvsr_cuda_launch(queue, &launch);
}

void fvsr_cuda_conv_frames(struct fvsr_queue *base, const struct fvsr_conv_frames *a)
{
	struct fvsr_cuda_queue *queue = fvsr_cuda_queue(base);
	struct fvsr_conv_params p = {
		.src = a->src,
		.weight = a->weight,
		.bias = a->bias,
		.dst = a->dst,
		.h = a->h,
		.w = a->w,
		.cin = a->cin,
		.cout = a->cout,
		.ksize = 3,
		.border = FVSR_BORDER_REPLICATE,
		.activation = FVSR_CONV_NONE,
		.phases = 1,
		.grow = 1,
		.frame_taps = 1,
	};

	if (queue->device->hopper && fvsr_cuda_hopper_conv_frames(queue, a))
		return;
	memcpy(p.frames, a->taps, sizeof(p.frames));
	fvsr_cuda_conv(queue, &p, 4, a->outputs);
}

static int conv_activation(enum fvsr_trunk_end end)
{
	if (end == FVSR_END_GATE)
		return FVSR_CONV_GATE;
	return end == FVSR_END_SILU ? FVSR_CONV_SILU : FVSR_CONV_NONE;
}

void fvsr_cuda_conv3x3(struct fvsr_queue *base, const struct fvsr_conv3x3 *a)
{
	struct fvsr_cuda_queue *queue = fvsr_cuda_queue(base);
	struct fvsr_conv_params p = {
		.src = a->src,
		.past = a->past,
		.weight = a->weight,
		.bias = a->bias,
		.residual = a->residual,
		.dst = a->dst,
		.h = a->h,
		.w = a->w,
		.cin = a->cin,
		.cout = a->cout,
		.ksize = 3,
		.border = FVSR_BORDER_ZERO,
		.activation = conv_activation(a->end),
		.relu = a->relu,
		.phases = 1,
		.grow = 1,
	};

	if (queue->device->hopper && p.activation == FVSR_CONV_NONE &&
	    fvsr_cuda_hopper_conv3x3(queue, a))
		return;
	fvsr_cuda_conv(queue, &p, 1, a->frames);
}

void fvsr_cuda_upsample_conv(struct fvsr_queue *base, const struct fvsr_upsample_conv *a)
{
	struct fvsr_cuda_queue *queue = fvsr_cuda_queue(base);
	struct fvsr_conv_params p = {
		.src = a->src,
		.weight = a->weight,
		.dst = a->dst,
		.h = a->h,
		.w = a->w,
		.cin = a->cin,
		.cout = a->cout,
		.ksize = a->ksize,
		.border = FVSR_BORDER_ZERO,
		.activation = FVSR_CONV_NONE,
		.relu = a->relu,
		.phases = 4,
		.grow = a->grow,
	};

	if (queue->device->hopper && fvsr_cuda_hopper_upsample_conv(queue, a))
		return;
	fvsr_cuda_conv(queue, &p, 1, a->frames * a->grow * 4);
}

/* Convolves as if the sources were four frames of one kernel of a single pixel. */
void fvsr_cuda_mix(struct fvsr_queue *base, const struct fvsr_mix *a)
{
	struct fvsr_conv_params p = {
		.src = a->src,
		.weight = a->weight,
		.bias = a->bias,
		.dst = a->dst,
		.h = a->h,
		.w = a->w,
		.cin = a->cin,
		.cout = a->cout,
		.ksize = 1,
		.border = FVSR_BORDER_ZERO,
		.activation = FVSR_CONV_NONE,
		.phases = 1,
		.grow = 1,
		.frame_taps = 1,
		.frames = {{0, 1, 2, 3}},
	};

	fvsr_cuda_conv(fvsr_cuda_queue(base), &p, a->sources, 1);
}

void fvsr_cuda_conv_rgb(struct fvsr_queue *base, const struct fvsr_conv_rgb *a)
{
	struct fvsr_conv_rgb_params p = {
		.src = a->src,
		.weight = a->weight,
		.bias = a->bias,
		.canvas = a->canvas,
		.dst = a->dst,
		.h = a->h,
		.w = a->w,
		.cin = a->cin,
	};
	struct fvsr_cuda_launch launch = {
		.kernel = FVSR_KERNEL_conv_rgb_direct,
		.grid = {fvsr_cuda_blocks((size_t)a->w, FVSR_CONV_RGB_DIRECT_THREADS),
			 (unsigned)a->h, 3},
		.params = &p,
	};

	if (a->cin % 8 == 0 && ((uintptr_t)a->src | (uintptr_t)a->weight) % 16 == 0) {
		launch.kernel = FVSR_KERNEL_conv_rgb;
		launch.grid[0] = fvsr_cuda_blocks((size_t)a->w, FVSR_CONV_RGB_SIDE);
		launch.grid[1] = fvsr_cuda_blocks((size_t)a->h, FVSR_CONV_RGB_SIDE);
		launch.grid[2] = 1;
	}
	fvsr_cuda_launch(fvsr_cuda_queue(base), &launch);
}
