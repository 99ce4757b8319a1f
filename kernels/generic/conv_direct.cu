/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Convolutions and matrix products of any shape and alignment, for the few shapes that the tensor
 * cores' kernels leave. A thread computes an output value and reads every input of it from memory,
 * which bounds the kernel.
 */
#include "conv.cuh"

enum { THREADS = FVSR_ITEM_THREADS };

/* Sums over the channels of one source at one tap. */
DEVICE float dot(const bf16 *x, const bf16 *weight, int n)
{
	float sum = 0;

	for (int i = 0; i < n; i++)
		sum += __bfloat162float(x[i]) * __bfloat162float(weight[i]);
	return sum;
}

/* grid: (positions * cout / THREADS, 1, images) */
KERNEL __launch_bounds__(THREADS) conv_direct(const __grid_constant__ struct fvsr_conv_params p)
{
	size_t i = (size_t)blockIdx.x * THREADS + threadIdx.x;
	int n = i % p.cout, z = blockIdx.z, y, x;
	const bf16 *weight = image_weight(p, z) + (size_t)n * p.k;
	struct tap tap = {};
	float sum = p.bias ? p.bias[n] : 0, residual = 0;
	size_t at;

	if (i / p.cout >= (size_t)p.h * p.w)
		return;
	y = i / p.cout / p.w, x = i / p.cout % p.w;
	for (int t = 0; t < p.taps; t++, weight += p.channels, next_tap(tap, p.ksize)) {
		int pixel = source_pixel(p, y + first_row(p, z) + tap.y,
					 x + first_column(p, z) + tap.x);
		size_t from = ((size_t)image_frame(p, z, tap.frame) * p.h * p.w + pixel) * p.cin;

		if (pixel < 0)
			continue;
		sum += dot((const bf16 *)p.src + from, weight, p.cin);
		if (p.past)
			sum += dot((const bf16 *)p.past + from, weight + p.cin, p.cin);
	}
	at = target_pixel(p, z, y, x) * p.cout + n;
	if (p.residual)
		residual = __bfloat162float(((const bf16 *)p.residual)[at]);
	((bf16 *)p.dst)[at] = __float2bfloat16_rn(finish_value(p, sum, residual));
}
