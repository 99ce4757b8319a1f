/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linear layers: by cuBLASLt where there is one and it has the epilogue, else by our own kernels
 * (on a Hopper kernels/hopper/conv.cu, elsewhere kernels/generic/gemm.cu).
 */
#include "backend/cuda/runtime/blas.h"
#include "backend/cuda/ops/conv.h"
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
