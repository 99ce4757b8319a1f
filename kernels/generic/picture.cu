/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything at picture size that is not colour: bicubic canvas (sections 1 and 3) and reordering
 * between canvas, latent and features (4, 5, 7).
 */
#include "common.cuh"

#define RESIZE_BITS 22 /* Pillow's precision for 8-bit channels */

/* One output value of four channels; inputs are 'step' pixels apart. Equal to the C definition. */
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

/* grid: (width / 128, in_height) */
KERNEL __launch_bounds__(128) resize_rows(const __grid_constant__ struct fvsr_resize_params p)
{
	int x = blockIdx.x * 128 + threadIdx.x, y = blockIdx.y;

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

/* grid: (pad_width / 128, pad_height); right and lower border repeated */
KERNEL __launch_bounds__(128) resize_columns(const __grid_constant__ struct fvsr_resize_params p)
{
	int column = blockIdx.x * 128 + threadIdx.x, row = blockIdx.y;
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

/* grid: (pad_width / 128, pad_height, 3) */
KERNEL __launch_bounds__(128)
	ingest_planar(const __grid_constant__ struct fvsr_ingest_planar_params p)
{
	int column = blockIdx.x * 128 + threadIdx.x, row = blockIdx.y, channel = blockIdx.z;
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

/* Eight neighbouring canvas samples; 'at' is a multiple of 8 samples. */
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

/* A thread for 8 samples: (token, c, y, half a row); grid: x */
KERNEL __launch_bounds__(256) unshuffle(const __grid_constant__ struct fvsr_unshuffle_params p)
{
	int i = blockIdx.x * 256 + threadIdx.x;
	int piece = i % 96, token = i / 96;
	int c = piece / 32, y = piece / 2 % 16, x = piece % 2 * 8;
	int row = token / p.w, column = token % p.w;
	float v[8];

	if (token >= p.h * p.w)
		return;
	load_half8(v, (const __half *)p.canvas + ((size_t)(c * p.h + row) * 16 + y) * p.w * 16 +
			      column * 16 + x);
	((uint4 *)p.dst)[i] = pack8(v);
}

/* A thread for one latent position and channel; grid: x */
KERNEL __launch_bounds__(256) unpatchify(const __grid_constant__ struct fvsr_unpatchify_params p)
{
	size_t i = (size_t)blockIdx.x * 256 + threadIdx.x;
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

/* A thread for 8 features of a position, 96 of canvas and the rest of latent; grid: x */
KERNEL __launch_bounds__(256)
	decoder_input(const __grid_constant__ struct fvsr_decoder_input_params p)
{
	int pieces = 96 + (p.channels + 7) / 8;
	int i = blockIdx.x * 256 + threadIdx.x, piece = i % pieces, at = i / pieces;
	int channels = 768 + p.channels, width = p.lw * 8;
	bf16 *dst = (bf16 *)p.dst + (size_t)at * channels + piece * 8;
	float v[8];
	int n = 8;

	if (at >= p.lh * p.lw)
		return;
	if (piece < 96) {
		const __half *canvas = (const __half *)p.canvas[piece / 8 % 4];
		int c = piece / 32, y = at / p.lw * 8 + piece % 8;

		load_half8(v, canvas + ((size_t)c * p.lh * 8 + y) * width + at % p.lw * 8);
	} else {
		const float *latent = p.latent + (size_t)at * p.channels + (piece - 96) * 8;

		n = min(8, p.channels - (piece - 96) * 8);
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

template <int count> struct __align__(2 * count) row16
{
	uint16_t value[count];
};

template <int count> struct __align__(4 * count) row32
{
	float value[count];
};

/*
 * A thread for a row of 'side' pixels. A warp writes side by side; what it leaves of the sectors
 * that it reads, the block's other warps take: they have the other rows and colours.
 */
template <int side> DEVICE void pixel_shuffle(const struct fvsr_pixel_shuffle_params &p)
{
	int x = blockIdx.x * 32 + threadIdx.x % 32, y = blockIdx.y, row = threadIdx.x / 32;
	size_t at = ((size_t)(row / side * p.h + y) * side + row % side) * p.w + x;
	size_t from = ((size_t)y * p.w + x) * p.channels + p.first + row * side;
	row16<side> src, canvas;
	row32<side> dst;

	if (x >= p.w)
		return;
	src = *(const row16<side> *)((const bf16 *)p.src + from);
	if (p.canvas)
		canvas = ((const row16<side> *)p.canvas)[at];
#pragma unroll
	for (int i = 0; i < side; i++) {
		float value = __uint_as_float((uint32_t)src.value[i] << 16);

		dst.value[i] = p.canvas ? __half2float(__ushort_as_half(canvas.value[i])) + value
					: value * 2 - 1;
	}
	((row32<side> *)p.dst)[at] = dst;
}

/* grid: (w / 32, h), block: (32 pixels, 3 * side rows) */
KERNEL __launch_bounds__(192)
	pixel_shuffle_2(const __grid_constant__ struct fvsr_pixel_shuffle_params p)
{
	pixel_shuffle<2>(p);
}

KERNEL __launch_bounds__(384)
	pixel_shuffle_4(const __grid_constant__ struct fvsr_pixel_shuffle_params p)
{
	pixel_shuffle<4>(p);
}
