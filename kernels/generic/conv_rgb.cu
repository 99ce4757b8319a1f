/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decoder's last convolution (section 7, n = 26): many channels to three, planar float. Reading
 * the input bounds it, so a block of threads copies a tile of 16 x 16 outputs with its border once,
 * 32 channels at a time, two copies deep, and takes all nine taps from shared memory.
 */
#include "generic.cuh"

enum {
	THREADS = FVSR_CONV_RGB_THREADS,
	SIDE = FVSR_CONV_RGB_SIDE,
	HALO = FVSR_CONV_RGB_HALO,
	DEPTH = FVSR_CONV_RGB_DEPTH,
	STAGES = FVSR_CONV_RGB_STAGES,
	WEIGHTS = FVSR_CONV_RGB_WEIGHTS,
	ROW_BYTES = DEPTH * 2,                           /* of a pixel, or of a tap's channel */
	INPUT_BYTES = HALO * HALO * ROW_BYTES,           /* of a step, */
	STAGE_BYTES = INPUT_BYTES + WEIGHTS * ROW_BYTES, /* with the weights (9, 8, DEPTH) */
	DIRECT_THREADS = FVSR_CONV_RGB_DIRECT_THREADS,
};

static_assert(STAGES * STAGE_BYTES <= FVSR_CONV_RGB_SHARED, "shared memory");
static_assert(THREADS / 32 * 2 == SIDE, "a warp has two rows of outputs");
static_assert(ROW_BYTES == 64, "four lanes copy a row, and it is swizzled");

/* Returns the byte offset of a 16-byte piece of a row. */
DEVICE uint32_t swizzled(int row, int piece)
{
	return row * ROW_BYTES + ((piece ^ (row >> 1 & 3)) << 4);
}

/* Copies the pixels and weights of a step; what lies outside becomes zero. */
DEVICE void copy_step(uint32_t stage, const struct fvsr_conv_rgb_params &p, int c)
{
	int top = blockIdx.y * SIDE - 1, left = blockIdx.x * SIDE - 1;
	int piece = threadIdx.x % 4, channel = c + piece * 8;
	const bf16 *src = (const bf16 *)p.src, *weight = (const bf16 *)p.weight;

	for (int i = threadIdx.x / 4; i < HALO * HALO; i += THREADS / 4) {
		int y = top + i / HALO, x = left + i % HALO;
		bool valid = (unsigned)y < (unsigned)p.h && (unsigned)x < (unsigned)p.w &&
			     channel < p.cin;

		copy16(stage + swizzled(i, piece),
		       valid ? src + ((size_t)y * p.w + x) * p.cin + channel : src, valid);
	}
	for (int i = threadIdx.x / 4; i < WEIGHTS; i += THREADS / 4) {
		int tap = i / 8, n = i % 8;
		bool valid = n < 3 && channel < p.cin;

		copy16(stage + INPUT_BYTES + swizzled(i, piece),
		       valid ? weight + ((size_t)n * 9 + tap) * p.cin + channel : weight, valid);
	}
}

/* Adds a step to the sums of a warp's two rows of 16 outputs. */
DEVICE void multiply_step(float sum[2][4], uint32_t stage)
{
	int lane = threadIdx.x % 32, warp = threadIdx.x / 32;

#pragma unroll
	for (int tap = 0; tap < 9; tap++) {
		uint32_t a[4], b[4];

		load_matrix_x4(b, stage + INPUT_BYTES + swizzled(tap * 8 + (lane & 7), lane >> 3));
#pragma unroll
		for (int i = 0; i < 2; i++) {
			int pixel = (warp * 2 + i + tap / 3) * HALO + tap % 3 + (lane & 15);

#pragma unroll
			for (int half = 0; half < 2; half++) {
				load_matrix_x4(a, stage + swizzled(pixel, half * 2 + (lane >> 4)));
				mma_bf16(sum[i], a, b + half * 2);
			}
		}
	}
}

DEVICE void put(const struct fvsr_conv_rgb_params &p, int y, int x, int n, float sum)
{
	size_t at = ((size_t)n * p.h + y) * p.w + x;

	if (y >= p.h || x >= p.w)
		return;
	sum += p.bias[n];
	p.dst[at] = p.canvas ? __half2float(((const __half *)p.canvas)[at]) + sum : sum * 2 - 1;
}

/* grid: (w / SIDE, h / SIDE); cin a multiple of 8 */
KERNEL __launch_bounds__(THREADS, 2) conv_rgb(const __grid_constant__ struct fvsr_conv_rgb_params p)
{
	extern __shared__ __align__(128) unsigned char room[];
	uint32_t base = shared_address(room);
	int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
	int steps = (p.cin + DEPTH - 1) / DEPTH;
	float sum[2][4] = {};

	copy_step(base, p, 0);
	copy_commit();
	for (int i = 0; i < steps; i++) {
		if (i + 1 < steps)
			copy_step(base + (i + 1) % STAGES * STAGE_BYTES, p, (i + 1) * DEPTH);
		copy_commit();
		copy_wait<1>();
		__syncthreads();
		multiply_step(sum, base + i % STAGES * STAGE_BYTES);
		__syncthreads();
	}
#pragma unroll
	for (int i = 0; i < 4; i++) {
		int y = blockIdx.y * SIDE + warp * 2 + i / 2;
		int x = blockIdx.x * SIDE + lane / 4 + i % 2 * 8;
		const float *pair = sum[i / 2] + i % 2 * 2;

		if (lane % 4 == 0)
			put(p, y, x, 0, pair[0]);
		if (lane % 4 == 0)
			put(p, y, x, 1, pair[1]);
		if (lane % 4 == 1)
			put(p, y, x, 2, pair[0]);
	}
}

/* Takes any number of channels, a thread for a value; grid: (w / DIRECT_THREADS, h, 3) */
KERNEL __launch_bounds__(DIRECT_THREADS)
	conv_rgb_direct(const __grid_constant__ struct fvsr_conv_rgb_params p)
{
	int x = blockIdx.x * DIRECT_THREADS + threadIdx.x, y = blockIdx.y, n = blockIdx.z;
	float sum = 0;

	if (x >= p.w)
		return;
	for (int tap = 0; tap < 9; tap++) {
		int row = y + tap / 3 - 1, column = x + tap % 3 - 1;
		const bf16 *src = (const bf16 *)p.src + ((size_t)row * p.w + column) * p.cin;
		const bf16 *weight = (const bf16 *)p.weight + ((size_t)n * 9 + tap) * p.cin;

		if ((unsigned)row >= (unsigned)p.h || (unsigned)column >= (unsigned)p.w)
			continue;
		for (int c = 0; c < p.cin; c++)
			sum += __bfloat162float(src[c]) * __bfloat162float(weight[c]);
	}
	put(p, y, x, n, sum);
}
