/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Norms of rows and sums of tensors: which kernel of kernels/generic/norm.cu a row takes.
 */
#include "backend/cuda/ops/ops.h"
#include "kernels/generic/params.h"

static bool aligned(const void *address)
{
	return (uintptr_t)address % 16 == 0;
}

static void norm(struct fvsr_queue *base, const struct fvsr_norm_params *p)
{
	struct fvsr_cuda_launch launch = {
		.kernel = FVSR_KERNEL_norm_any,
		.grid = {(unsigned)p->rows},
		.params = p,
	};

	if (fvsr_queue_idle(base) || p->rows <= 0)
		return;
	if (p->columns % 8 == 0 && p->columns <= FVSR_WIDTH_norm_4096 && aligned(p->dst) &&
	    aligned(p->src) && aligned(p->scale) && aligned(p->shift)) {
		launch.kernel = fvsr_cuda_kernel_for(FVSR_KERNEL_norm_512, FVSR_KERNEL_norm_4096,
						     p->columns);
		launch.grid[0] = fvsr_cuda_blocks((size_t)p->rows, FVSR_NORM_WARPS);
	}
	fvsr_cuda_launch(fvsr_cuda_queue(base), &launch);
}

void fvsr_cuda_rms_silu(struct fvsr_queue *queue, void *dst, const void *src, const void *gamma,
			int rows, int channels)
{
	struct fvsr_norm_params p = {
		.dst = dst,
		.src = src,
		.scale = gamma,
		.rows = rows,
		.columns = channels,
		.mode = FVSR_NORM_L2_SILU,
	};

	norm(queue, &p);
}

void fvsr_cuda_layer_norm(struct fvsr_queue *queue, void *dst, const void *src, const void *scale,
			  const void *shift, int rows, int dim, float eps)
{
	struct fvsr_norm_params p = {
		.dst = dst,
		.src = src,
		.scale = scale,
		.shift = shift,
		.rows = rows,
		.columns = dim,
		.mode = FVSR_NORM_LAYER,
		.eps = eps,
	};

	norm(queue, &p);
}

void fvsr_cuda_rms_norm(struct fvsr_queue *queue, void *dst, const void *src, const void *weight,
			int rows, int dim, float eps)
{
	struct fvsr_norm_params p = {
		.dst = dst,
		.src = src,
		.scale = weight,
		.rows = rows,
		.columns = dim,
		.mode = FVSR_NORM_RMS,
		.eps = eps,
	};

	norm(queue, &p);
}

void fvsr_cuda_add(struct fvsr_queue *queue, void *dst, const void *src, size_t count)
{
	struct fvsr_add_params p = {.dst = dst, .src = src, .count = count};
	struct fvsr_cuda_launch launch = {
		.kernel = FVSR_KERNEL_add,
		.grid = {fvsr_cuda_blocks(count, FVSR_ITEM_THREADS * FVSR_ADD_ELEMENTS)},
		.params = &p,
	};

	if (count)
		fvsr_cuda_launch(fvsr_cuda_queue(queue), &launch);
}
