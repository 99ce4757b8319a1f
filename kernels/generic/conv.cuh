/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What gemm.cu and conv_direct.cu share: where a tap of an image reads, where a position is
 * written, and how a sum is finished (struct fvsr_conv_params says what an image is).
 */
#ifndef FVSR_KERNELS_CONV_CUH
#define FVSR_KERNELS_CONV_CUH

#include "generic.cuh"

/* A tap, counted up without divisions. */
struct tap {
	int frame, y, x; /* y, x: 0 .. ksize - 1 */
};

DEVICE void next_tap(struct tap &tap, int ksize)
{
	if (++tap.x < ksize)
		return;
	tap.x = 0;
	if (++tap.y < ksize)
		return;
	tap.y = 0;
	tap.frame++;
}

DEVICE int image_phase(const struct fvsr_conv_params &p, int z)
{
	return p.phases == 4 ? z & 3 : 0;
}

/* Returns the frame that tap frame 't' of image z reads. */
DEVICE int image_frame(const struct fvsr_conv_params &p, int z, int t)
{
	if (p.frame_taps)
		return p.frames[z][t];
	return p.phases == 4 ? z / 4 / p.grow : z;
}

/* Returns the set of weights of image z. */
DEVICE const bf16 *image_weight(const struct fvsr_conv_params &p, int z)
{
	int set = p.phases == 4 ? z / 4 % p.grow * 4 + z % 4 : 0;

	return (const bf16 *)p.weight + (size_t)set * p.cout * p.k;
}

/* These two return row and column of the first tap, relative to the output position. */
DEVICE int first_row(const struct fvsr_conv_params &p, int z)
{
	if (p.ksize == 1)
		return 0;
	return p.ksize == 2 ? image_phase(p, z) / 2 - 1 : -1;
}

DEVICE int first_column(const struct fvsr_conv_params &p, int z)
{
	if (p.ksize == 1)
		return 0;
	return p.ksize == 2 ? image_phase(p, z) % 2 - 1 : -1;
}

/* Returns the pixel of the source at a row and column, -1 outside of a zero border. */
DEVICE int source_pixel(const struct fvsr_conv_params &p, int row, int column)
{
	if (p.border == FVSR_BORDER_REPLICATE)
		return min(max(row, 0), p.h - 1) * p.w + min(max(column, 0), p.w - 1);
	if ((unsigned)row >= (unsigned)p.h || (unsigned)column >= (unsigned)p.w)
		return -1;
	return row * p.w + column;
}

/* Returns which pixel of dst the output position (y, x) of image z is. */
DEVICE size_t target_pixel(const struct fvsr_conv_params &p, int z, int y, int x)
{
	if (p.phases == 4)
		return ((size_t)(z / 4) * 2 * p.h + 2 * y + (z & 3) / 2) * 2 * p.w + 2 * x +
		       (z & 1);
	return ((size_t)z * p.h + y) * p.w + x;
}

DEVICE float activate(float x, int activation)
{
	if (activation == FVSR_CONV_SILU)
		return silu(x);
	if (activation == FVSR_CONV_GELU_TANH)
		return gelu_tanh(x);
	return x;
}

/* Applies activation, residual and ReLU to a sum with its bias; 'residual' is 0 for none. */
DEVICE float finish_value(const struct fvsr_conv_params &p, float x, float residual)
{
	if (p.activation == FVSR_CONV_GATE)
		return (x + residual) * (1 / (1 + __expf(-x)) - 0.5f);
	x = activate(x, p.activation) + residual;
	return p.relu ? fmaxf(x, 0) : x;
}

#endif
