/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything at picture size that is not colour: bicubic canvas (sections 1 and 3) and reordering
 * between canvas, latent and features (sections 4, 5, 7, 9 and 11). Memory bounds all of it; a
 * thread moves 16 bytes where the order of the elements allows it, and what neighbours read
 * overlaps in the cache.
 */
#include "generic.cuh"

enum {
	LINE_THREADS = FVSR_LINE_THREADS,
	ITEM_THREADS = FVSR_ITEM_THREADS,
	CANVAS_PIECES = FVSR_CANVAS_PIECES,
	POSITIONS = FVSR_SHUFFLE_POSITIONS,
	RESIZE_BITS = 22, /* Pillow's precision for 8-bit channels */
};

/*
 * Returns one output value of four channels, from inputs that are 'step' pixels apart; the same as
 * the C definition's.
 */
DEVICE uchar4 resize_at(const uchar4 *src, size_t step, const int32_t *weight, int count)
{
	int x = 1 << (RESIZE_BITS - 1), y = x, z = x, w = x;

	for (int i = 0; i < count; i++, src += step) {
		uchar4 v = *src;
		int scale = weight[i];

		x += v.x * scale, y += v.y * scale, z += v.z * scale, w += v.w * scale;
	}
	x = min(max(x >> RESIZE_BITS, 0), 255), y = min(max(y >> RESIZE_BITS, 0), 255);
	z = min(max(z >> RESIZE_BITS, 0), 255), w = min(max(w >> RESIZE_BITS, 0), 255);
	return make_uchar4(x, y, z, w);
}

/* Scales the width; grid: (width / LINE_THREADS, in_height) */
KERNEL __launch_bounds__(LINE_THREADS)
	resize_rows(const __grid_constant__ struct fvsr_resize_params p)
{
	int x = blockIdx.x * LINE_THREADS + threadIdx.x, y = blockIdx.y;

	if (x >= p.width)
		return;
	((uchar4 *)p.dst)[(size_t)y * p.width + x] =
		resize_at((const uchar4 *)p.src + (size_t)y * p.in_width + p.first[x], 1,
			  p.weight + (size_t)x * p.taps, p.count[x]);
}

DEVICE __half canvas_of(unsigned char level)
{
	return __float2half_rn(__fadd_rn(__fmul_rn(__fdiv_rn(level, 255.0f), 2.0f), -1.0f));
}

/*
 * Scales the height, to the canvas with its right and lower border repeated;
 * grid: (pad_width / LINE_THREADS, pad_height)
 */
KERNEL __launch_bounds__(LINE_THREADS)
	resize_columns(const __grid_constant__ struct fvsr_resize_params p)
{
	int column = blockIdx.x * LINE_THREADS + threadIdx.x, row = blockIdx.y;
	int x = min(column, p.width - 1), y = min(row, p.height - 1);
	size_t plane = (size_t)p.pad_width * p.pad_height;
	__half *canvas = (__half *)p.dst + (size_t)row * p.pad_width + column;
	uchar4 v;

	if (column >= p.pad_width)
		return;
	v = resize_at((const uchar4 *)p.src + (size_t)p.first[y] * p.width + x, p.width,
		      p.weight + (size_t)y * p.taps, p.count[y]);
	canvas[0] = canvas_of(p.swap ? v.z : v.x);
	canvas[plane] = canvas_of(v.y);
	canvas[2 * plane] = canvas_of(p.swap ? v.x : v.z);
	if (column < p.width && row < p.height)
		((unsigned char *)p.alpha)[(size_t)row * p.width + column] = v.w;
}

/* Takes over a canvas of floats; grid: (pad_width / LINE_THREADS, pad_height, 3) */
KERNEL __launch_bounds__(LINE_THREADS)
	ingest_planar(const __grid_constant__ struct fvsr_ingest_planar_params p)
{
	int column = blockIdx.x * LINE_THREADS + threadIdx.x, row = blockIdx.y,
	    channel = blockIdx.z;
	int x = min(column, p.width - 1), y = min(row, p.height - 1);
	float value;

	if (column >= p.pad_width)
		return;
	value = p.src[((size_t)channel * p.height + y) * p.width + x];
	value = fminf(fmaxf(value, -1), 1); /* NaN: -1 */
	((__half *)p.canvas)[((size_t)channel * p.pad_height + row) * p.pad_width + column] =
		__float2half_rn(value);
	if (!channel && column < p.width && row < p.height)
		((unsigned char *)p.alpha)[(size_t)row * p.width + column] = 255;
}

/* Loads eight neighbouring canvas samples; 'at' is a multiple of 8 samples. */
DEVICE void load_half8(float x[8], const __half *at)
{
	uint4 v = *(const uint4 *)at;
	const __half2 *pair = (const __half2 *)&v;

#pragma unroll
	for (int i = 0; i < 4; i++) {
		float2 f = __half22float2(pair[i]);

		x[2 * i] = f.x, x[2 * i + 1] = f.y;
	}
}

/* A thread has 8 samples: (token, c, y, half a row); grid: x */
KERNEL __launch_bounds__(ITEM_THREADS)
	unshuffle(const __grid_constant__ struct fvsr_unshuffle_params p)
{
	int i = blockIdx.x * ITEM_THREADS + threadIdx.x;
	int piece = i % CANVAS_PIECES, token = i / CANVAS_PIECES;
	int c = piece / 32, y = piece / 2 % 16, x = piece % 2 * 8;
	int row = token / p.w, column = token % p.w;
	float v[8];

	if (token >= p.h * p.w)
		return;
	load_half8(v, (const __half *)p.canvas + ((size_t)(c * p.h + row) * 16 + y) * p.w * 16 +
			      column * 16 + x);
	((uint4 *)p.dst)[i] = pack8(v);
}

/* A thread has one latent position and channel; grid: x */
KERNEL __launch_bounds__(ITEM_THREADS)
	unpatchify(const __grid_constant__ struct fvsr_unpatchify_params p)
{
	size_t i = (size_t)blockIdx.x * ITEM_THREADS + threadIdx.x;
	int c = i % p.channels, x = i / p.channels % p.lw;
	int row = i / p.channels / p.lw, frame = row / p.lh, y = row % p.lh;
	size_t token = ((size_t)frame * (p.lh / 2) + y / 2) * (p.lw / 2) + x / 2;

	if (row >= 2 * p.lh)
		return;
	token = token * 4 + (y & 1) * 2 + (x & 1);
	p.latent[i] =
		p.noise[i] - __bfloat162float(((const bf16 *)p.patches)[token * p.channels + c]);
}

DEVICE float soft_clamp(float x)
{
	return 3 * tanhf(x / 3);
}

/* A thread has 8 features of a position, of the canvas or of the latent; grid: x */
KERNEL __launch_bounds__(ITEM_THREADS)
	decoder_input(const __grid_constant__ struct fvsr_decoder_input_params p)
{
	int pieces = CANVAS_PIECES + (p.channels + 7) / 8;
	int i = blockIdx.x * ITEM_THREADS + threadIdx.x, piece = i % pieces, at = i / pieces;
	int channels = CANVAS_PIECES * 8 + p.channels, width = p.lw * 8;
	bf16 *dst = (bf16 *)p.dst + (size_t)at * channels + piece * 8;
	float v[8];
	int n = 8;

	if (at >= p.lh * p.lw)
		return;
	if (piece < CANVAS_PIECES) {
		const __half *canvas = (const __half *)p.canvas[piece / 8 % 4];
		int c = piece / 32, y = at / p.lw * 8 + piece % 8;

		load_half8(v, canvas + ((size_t)c * p.lh * 8 + y) * width + at % p.lw * 8);
	} else {
		int first = (piece - CANVAS_PIECES) * 8;
		const float *latent = p.latent + (size_t)at * p.channels + first;

		n = min(8, p.channels - first);
#pragma unroll
		for (int j = 0; j < 8; j++)
			v[j] = j < n ? latent[j] : 0;
	}
#pragma unroll
	for (int j = 0; j < 8; j++)
		v[j] = soft_clamp(v[j]);
	if (channels % 8 == 0) {
		*(uint4 *)dst = pack8(v);
		return;
	}
#pragma unroll
	for (int j = 0; j < 8; j++)
		if (j < n)
			dst[j] = __float2bfloat16_rn(v[j]);
}

/* Rows of an odd number of pixels are read and written one by one. */
template <int COUNT> struct __align__(COUNT % 2 ? 2 : 2 * COUNT) row16
{
	uint16_t value[COUNT];
};

template <int COUNT> struct __align__(COUNT % 2 ? 4 : 4 * COUNT) row32
{
	float value[COUNT];
};

/*
 * A thread has a row of SIDE pixels. A warp writes side by side; what it leaves of the sectors that
 * it reads, the block's other warps take, which have the other rows and colours.
 */
template <int SIDE> DEVICE void pixel_shuffle(const struct fvsr_pixel_shuffle_params &p)
{
	int x = blockIdx.x * POSITIONS + threadIdx.x % POSITIONS, y = blockIdx.y,
	    row = threadIdx.x / POSITIONS;
	size_t at = ((size_t)(row / SIDE * p.h + y) * SIDE + row % SIDE) * p.w + x;
	size_t from = ((size_t)y * p.w + x) * p.channels + p.first + row * SIDE;
	row16<SIDE> src, canvas;
	row32<SIDE> dst;

	if (x >= p.w)
		return;
	src = *(const row16<SIDE> *)((const bf16 *)p.src + from);
	if (p.canvas)
		canvas = ((const row16<SIDE> *)p.canvas)[at];
#pragma unroll
	for (int i = 0; i < SIDE; i++) {
		float value = __uint_as_float((uint32_t)src.value[i] << 16);

		dst.value[i] = p.canvas ? __half2float(__ushort_as_half(canvas.value[i])) + value
					: value * 2 - 1;
	}
	((row32<SIDE> *)p.dst)[at] = dst;
}

/* grid: (w / POSITIONS, h); threads: (3 * side rows, POSITIONS) */
KERNEL __launch_bounds__(FVSR_SHUFFLE_THREADS(2))
	pixel_shuffle_2(const __grid_constant__ struct fvsr_pixel_shuffle_params p)
{
	pixel_shuffle<FVSR_WIDTH_pixel_shuffle_2>(p);
}

KERNEL __launch_bounds__(FVSR_SHUFFLE_THREADS(3))
	pixel_shuffle_3(const __grid_constant__ struct fvsr_pixel_shuffle_params p)
{
	pixel_shuffle<FVSR_WIDTH_pixel_shuffle_3>(p);
}

KERNEL __launch_bounds__(FVSR_SHUFFLE_THREADS(4))
	pixel_shuffle_4(const __grid_constant__ struct fvsr_pixel_shuffle_params p)
{
	pixel_shuffle<FVSR_WIDTH_pixel_shuffle_4>(p);
}

/* A thread has a square of the canvas; grid: x */
KERNEL __launch_bounds__(ITEM_THREADS) shrink(const __grid_constant__ struct fvsr_shrink_params p)
{
	int i = blockIdx.x * ITEM_THREADS + threadIdx.x, row = i / p.w, column = i % p.w;
	size_t width = (size_t)p.w * p.side, plane = width * p.h * p.side;
	const __half *at =
		(const __half *)p.canvas + (size_t)row * p.side * width + (size_t)column * p.side;
	float v[8] = {};

	if (row >= p.h)
		return;
	for (int y = 0; y < p.side; y++, at += width)
		for (int x = 0; x < p.side; x++)
#pragma unroll
			for (int c = 0; c < 3; c++)
				v[c] += __half2float(at[c * plane + x]);
#pragma unroll
	for (int c = 0; c < 3; c++)
		v[c] /= p.side * p.side;
	v[3] = p.told;
	((uint4 *)p.dst)[i] = pack8(v);
}
