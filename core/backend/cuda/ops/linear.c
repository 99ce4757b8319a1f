/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linear layers, y = residual + activation(x W^T + b). The first of these that can do a layer does
 * it, in the order of the calls at the end of this file:
 *
 *	runtime/blas.c  cuBLASLt, where the machine has it; no SiLU, no activation with a residual
 *	hopper/conv.c   kernels/hopper/conv.cu, on a Hopper: a convolution of one pixel over a
 *	                picture whose pixels are the rows of x
 *	ops/conv.c      kernels/generic/gemm.cu, on any card: the same over a picture one row high;
 *	                conv_direct.cu where memory is not aligned
 */
#include "backend/cuda/runtime/blas.h"
#include "backend/cuda/ops/conv.h"
#include "backend/cuda/hopper/hopper.h"
#include "backend/cuda/ops/ops.h"

static int activation_of(enum fvsr_activation activation)
{
	if (activation == FVSR_ACT_SILU)
		return FVSR_CONV_SILU;
	return activation == FVSR_ACT_GELU_TANH ? FVSR_CONV_GELU_TANH : FVSR_CONV_NONE;
}

void fvsr_cuda_linear(struct fvsr_queue *base, const struct fvsr_linear *a)
{
	struct fvsr_cuda_queue *queue = fvsr_cuda_queue(base);
	struct fvsr_conv_params p = {
		.src = a->x,
		.weight = a->weight,
		.bias = a->bias,
		.residual = a->residual,
		.dst = a->y,
		.h = 1,
		.w = a->m,
		.cin = a->k,
		.cout = a->n,
		.ksize = 1,
		.border = FVSR_BORDER_ZERO,
		.activation = activation_of(a->activation),
		.phases = 1,
		.grow = 1,
	};

	if (fvsr_cuda_blas_linear(queue, a) ||
	    (queue->device->hopper && fvsr_cuda_hopper_linear(queue, a)))
		return;
	fvsr_cuda_conv(queue, &p, 1, 1);
}
