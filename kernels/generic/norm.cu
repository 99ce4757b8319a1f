/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Norms of rows (sections 4 and 5), and the small element-wise operations. Memory bounds all of
 * them, so a warp holds a whole row in registers, reads it once and writes it once, 16 bytes at a
 * time. Rows that do not fit or are not aligned take norm_any.
 */
#include "generic.cuh"

enum {
	WARPS = FVSR_NORM_WARPS,
	THREADS = FVSR_NORM_THREADS,
	ITEM_THREADS = FVSR_ITEM_THREADS,
	ADD_ELEMENTS = FVSR_ADD_ELEMENTS,
};

DEVICE float finish(float x, int mode)
{
	return mode == FVSR_NORM_L2_SILU ? silu(x) : x;
}

/* Returns what x - mean is multiplied with, from the sum of its squares. */
DEVICE float factor_of(const struct fvsr_norm_params &p, float squares)
{
	if (p.mode == FVSR_NORM_L2_SILU)
		return sqrtf((float)p.columns) / fmaxf(sqrtf(squares), 1e-12f);
	return rsqrtf(squares / p.columns + p.eps);
}

/* Does a row of up to COLUMNS, each lane pieces of 8 columns. */
template <int COLUMNS> DEVICE void norm_row(const struct fvsr_norm_params &p)
{
	constexpr int pieces = COLUMNS / 256;
	int row = blockIdx.x * WARPS + threadIdx.x / 32, lane = threadIdx.x % 32;
	int used = p.columns / 8;
	const uint4 *src = (const uint4 *)((const bf16 *)p.src + (size_t)row * p.columns);
	uint4 *dst = (uint4 *)((bf16 *)p.dst + (size_t)row * p.columns);
	uint4 held[pieces];
	float mean = 0, squares = 0, factor;

	static_assert(COLUMNS % 256 == 0, "a warp has 256 columns at a time");
	if (row >= p.rows)
		return;
#pragma unroll
	for (int i = 0; i < pieces; i++)
		held[i] = lane + 32 * i < used ? src[lane + 32 * i] : make_uint4(0, 0, 0, 0);
	if (p.mode == FVSR_NORM_LAYER) {
#pragma unroll
		for (int i = 0; i < pieces; i++) {
			float x[8];

			unpack8(x, held[i]);
#pragma unroll
			for (int j = 0; j < 8; j++)
				mean += x[j];
		}
		mean = warp_sum(mean) / p.columns;
	}
#pragma unroll
	for (int i = 0; i < pieces; i++) {
		float x[8];

		unpack8(x, held[i]);
#pragma unroll
		for (int j = 0; j < 8; j++)
			squares += lane + 32 * i < used ? (x[j] - mean) * (x[j] - mean) : 0;
	}
	factor = factor_of(p, warp_sum(squares));
#pragma unroll
	for (int i = 0; i < pieces; i++) {
		int piece = lane + 32 * i;
		float x[8];

		if (piece >= used)
			continue;
		unpack8(x, held[i]);
#pragma unroll
		for (int j = 0; j < 8; j += 4) {
			float4 scale = *(const float4 *)(p.scale + piece * 8 + j);
			float4 shift = p.shift ? *(const float4 *)(p.shift + piece * 8 + j)
					       : make_float4(0, 0, 0, 0);

			x[j] = finish((x[j] - mean) * factor * scale.x + shift.x, p.mode);
			x[j + 1] = finish((x[j + 1] - mean) * factor * scale.y + shift.y, p.mode);
			x[j + 2] = finish((x[j + 2] - mean) * factor * scale.z + shift.z, p.mode);
			x[j + 3] = finish((x[j + 3] - mean) * factor * scale.w + shift.w, p.mode);
		}
		dst[piece] = pack8(x);
	}
}

/* grid: rows / WARPS */
KERNEL __launch_bounds__(THREADS) norm_512(const __grid_constant__ struct fvsr_norm_params p)
{
	norm_row<FVSR_WIDTH_norm_512>(p);
}

KERNEL __launch_bounds__(THREADS) norm_1536(const __grid_constant__ struct fvsr_norm_params p)
{
	norm_row<FVSR_WIDTH_norm_1536>(p);
}

KERNEL __launch_bounds__(THREADS) norm_4096(const __grid_constant__ struct fvsr_norm_params p)
{
	norm_row<FVSR_WIDTH_norm_4096>(p);
}

/* Returns the sum over the block of threads. */
DEVICE float block_sum(float x, float *room)
{
	x = warp_sum(x);
	__syncthreads(); /* 'room' may still be read from the sum before */
	if (threadIdx.x % 32 == 0)
		room[threadIdx.x / 32] = x;
	__syncthreads();
	x = 0;
	for (int i = 0; i < WARPS; i++)
		x += room[i];
	return x;
}

/* A block of threads has a row of any length; grid: rows */
KERNEL __launch_bounds__(THREADS) norm_any(const __grid_constant__ struct fvsr_norm_params p)
{
	const bf16 *src = (const bf16 *)p.src + (size_t)blockIdx.x * p.columns;
	bf16 *dst = (bf16 *)p.dst + (size_t)blockIdx.x * p.columns;
	__shared__ float room[WARPS];
	float mean = 0, squares = 0, factor;

	if (p.mode == FVSR_NORM_LAYER) {
		for (int c = threadIdx.x; c < p.columns; c += blockDim.x)
			mean += __bfloat162float(src[c]);
		mean = block_sum(mean, room) / p.columns;
	}
	for (int c = threadIdx.x; c < p.columns; c += blockDim.x) {
		float x = __bfloat162float(src[c]) - mean;

		squares += x * x;
	}
	factor = factor_of(p, block_sum(squares, room));
	for (int c = threadIdx.x; c < p.columns; c += blockDim.x) {
		float x = (__bfloat162float(src[c]) - mean) * factor * p.scale[c];

		dst[c] = __float2bfloat16_rn(finish(x + (p.shift ? p.shift[c] : 0), p.mode));
	}
}

/* Adds src to dst; grid: count / (ITEM_THREADS * ADD_ELEMENTS) */
KERNEL __launch_bounds__(ITEM_THREADS) add(const __grid_constant__ struct fvsr_add_params p)
{
	uint64_t i = ((uint64_t)blockIdx.x * ITEM_THREADS + threadIdx.x) * ADD_ELEMENTS;
	bf16 *dst = (bf16 *)p.dst;
	const bf16 *src = (const bf16 *)p.src;

	static_assert(ADD_ELEMENTS == 8, "16 bytes of a thread");
	if (i + ADD_ELEMENTS <= p.count && !((uintptr_t)dst % 16) && !((uintptr_t)src % 16)) {
		float x[8], y[8];

		unpack8(x, *(const uint4 *)(dst + i));
		unpack8(y, *(const uint4 *)(src + i));
#pragma unroll
		for (int j = 0; j < 8; j++)
			x[j] += y[j];
		*(uint4 *)(dst + i) = pack8(x);
		return;
	}
	for (uint64_t j = i; j < i + ADD_ELEMENTS && j < p.count; j++)
		dst[j] = __float2bfloat16_rn(__bfloat162float(dst[j]) + __bfloat162float(src[j]));
}

/* Rounds floats to bfloat16; grid: x */
KERNEL __launch_bounds__(ITEM_THREADS) to_bf16(const __grid_constant__ struct fvsr_to_bf16_params p)
{
	uint64_t i = (uint64_t)blockIdx.x * ITEM_THREADS + threadIdx.x;

	if (i < p.count)
		((bf16 *)p.dst)[i] = __float2bfloat16_rn(p.src[i]);
}

/* Fills dst with numbers in [-1, 1); grid: x */
KERNEL __launch_bounds__(ITEM_THREADS) fill(const __grid_constant__ struct fvsr_fill_params p)
{
	uint64_t i = (uint64_t)blockIdx.x * ITEM_THREADS + threadIdx.x;
	uint32_t z = (uint32_t)i * 0x9E3779B9u + p.seed;

	z = (z ^ (z >> 16)) * 0x85EBCA6Bu;
	z = (z ^ (z >> 13)) * 0xC2B2AE35u;
	if (i < p.count)
		((bf16 *)p.dst)[i] =
			__float2bfloat16_rn((float)(int)(z ^ (z >> 16)) * (1.0f / 2147483648.0f));
}
