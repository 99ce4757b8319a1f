/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Colour correction (section 8) and conversion to 8 bits, a thread for a pixel. Memory bounds all
 * of it, so a picture is read as seldom as can be: adain reads both pictures twice, once for the
 * sums, once to correct, clamp and convert. The wavelet's blur is linear, so only the difference
 * canvas - picture is blurred; each level is one pass, and the last one also finishes.
 */
#include "generic.cuh"

enum {
	THREADS = FVSR_COLOR_THREADS,
	PARTS = FVSR_COLOR_PARTS,
	PLANES = 6, /* of the picture, then of the canvas */
};

static_assert(THREADS / 32 >= PLANES, "a warp has the statistics of a plane");

DEVICE size_t padded(const struct fvsr_color_params &p, int c, int y, int x)
{
	return ((size_t)c * p.pad_height + y) * p.pad_width + x;
}

/* Returns a finite value, see "NaN and infinity" in backend.h. */
DEVICE float sample(const struct fvsr_color_params &p, int kind, size_t at)
{
	float x = kind ? __half2float(((const __half *)p.canvas)[at]) : p.decoded[at];

	return fminf(fmaxf(x, -FVSR_COLOR_LIMIT), FVSR_COLOR_LIMIT); /* NaN: the lower */
}

/* Sums parts of the planes; grid: (PARTS, 3 channels, 2 kinds: picture, canvas) */
KERNEL __launch_bounds__(THREADS) color_sums(const __grid_constant__ struct fvsr_color_params p)
{
	int part = blockIdx.x, c = blockIdx.y, kind = blockIdx.z;
	float pivot = sample(p, kind, padded(p, c, 0, 0)), sum = 0, squares = 0;
	__shared__ double room[2][THREADS / 32];
	double total[2];

	for (int y = part; y < p.height; y += PARTS) {
		for (int x = threadIdx.x; x < p.width; x += THREADS) {
			float d = sample(p, kind, padded(p, c, y, x)) - pivot;

			sum += d;
			squares += d * d;
		}
	}
	total[0] = sum, total[1] = squares;
#pragma unroll
	for (int i = 0; i < 2; i++) {
#pragma unroll
		for (int step = 16; step; step /= 2)
			total[i] += __shfl_xor_sync(ALL_LANES, total[i], step);
		if (threadIdx.x % 32 == 0)
			room[i][threadIdx.x / 32] = total[i];
	}
	__syncthreads();
	if (threadIdx.x < 2) {
		double all = 0;

		for (int i = 0; i < THREADS / 32; i++)
			all += room[threadIdx.x][i];
		p.sums[((size_t)(kind * 3 + c) * PARTS + part) * 2 + threadIdx.x] = all;
	}
}

/* Returns mean and deviation of plane 'plane'; a whole warp calls it. */
DEVICE float2 statistics(const struct fvsr_color_params &p, int plane)
{
	const double2 *parts = (const double2 *)p.sums + (size_t)plane * PARTS;
	double n = (double)p.width * p.height, sum = 0, squares = 0;
	float pivot = sample(p, plane / 3, padded(p, plane % 3, 0, 0));

	for (int i = threadIdx.x % 32; i < PARTS; i += 32) {
		sum += parts[i].x;
		squares += parts[i].y;
	}
#pragma unroll
	for (int step = 16; step; step /= 2) {
		sum += __shfl_xor_sync(ALL_LANES, sum, step);
		squares += __shfl_xor_sync(ALL_LANES, squares, step);
	}
	sum /= n;
	squares = fmax(squares / n - sum * sum, 0.0);
	return make_float2((float)(sum + pivot), (float)sqrt(squares + 1e-5));
}

DEVICE unsigned to_byte(const struct fvsr_color_params &p, float x)
{
	float level = __fmul_rn(x + 1, 127.5f) + (p.nearest ? 0.5f : 0.0f);

	return (unsigned)fminf(fmaxf(level, 0), 255);
}

/* Clamps a finished pixel and puts it where it is wanted. */
DEVICE void put(const struct fvsr_color_params &p, int x, int y, float rgb[3])
{
	size_t at = (size_t)y * p.width + x, plane = (size_t)p.width * p.height;

#pragma unroll
	for (int c = 0; c < 3; c++) {
		rgb[c] = fminf(fmaxf(rgb[c], -1), 1);
		if (p.final)
			p.final[c * plane + at] = rgb[c];
		if (p.planar)
			((float *)p.dst)[c * plane + at] = rgb[c];
	}
	if (!p.planar) {
		unsigned first = to_byte(p, rgb[p.swap ? 2 : 0]);
		unsigned last = to_byte(p, rgb[p.swap ? 0 : 2]);

		((unsigned *)p.dst)[at] =
			first | to_byte(p, rgb[1]) << 8 | last << 16 | (unsigned)p.alpha[at] << 24;
	}
}

/* Corrects by adain or not at all; grid: (width / THREADS, rows in steps of gridDim.y) */
KERNEL __launch_bounds__(THREADS) color_apply(const __grid_constant__ struct fvsr_color_params p)
{
	__shared__ float2 known[PLANES];
	int x = blockIdx.x * THREADS + threadIdx.x;

	if (p.mode == FVSR_COLOR_MODE_ADAIN && threadIdx.x / 32 < PLANES) {
		float2 s = statistics(p, threadIdx.x / 32);

		if (threadIdx.x % 32 == 0)
			known[threadIdx.x / 32] = s;
	}
	__syncthreads();
	if (x >= p.width)
		return;
	for (int y = blockIdx.y; y < p.height; y += gridDim.y) {
		float rgb[3];

#pragma unroll
		for (int c = 0; c < 3; c++) {
			rgb[c] = sample(p, 0, padded(p, c, y, x));
			if (p.mode == FVSR_COLOR_MODE_ADAIN)
				rgb[c] = (rgb[c] - known[c].x) / known[c].y * known[3 + c].y +
					 known[3 + c].x;
		}
		put(p, x, y, rgb);
	}
}

/* Returns canvas - picture, blurred by the levels before. */
DEVICE float difference(const struct fvsr_color_params &p, int c, int y, int x)
{
	if (p.low)
		return p.low[((size_t)c * p.height + y) * p.width + x];
	return sample(p, 1, padded(p, c, y, x)) - sample(p, 0, padded(p, c, y, x));
}

DEVICE float blur_row(const struct fvsr_color_params &p, int c, int y, int x)
{
	return 0.25f * difference(p, c, y, max(x - p.step, 0)) + 0.5f * difference(p, c, y, x) +
	       0.25f * difference(p, c, y, min(x + p.step, p.width - 1));
}

/* Weighs by [1 2 1] x [1 2 1] / 16 with holes; borders are repeated. */
DEVICE float blur(const struct fvsr_color_params &p, int c, int y, int x)
{
	return 0.25f * blur_row(p, c, max(y - p.step, 0), x) + 0.5f * blur_row(p, c, y, x) +
	       0.25f * blur_row(p, c, min(y + p.step, p.height - 1), x);
}

/* Blurs the difference once; grid: (width / THREADS, height, 3) */
KERNEL __launch_bounds__(THREADS) wavelet_level(const __grid_constant__ struct fvsr_color_params p)
{
	int x = blockIdx.x * THREADS + threadIdx.x, y = blockIdx.y, c = blockIdx.z;

	if (x < p.width)
		p.blurred[((size_t)c * p.height + y) * p.width + x] = blur(p, c, y, x);
}

/* Adds the last level; grid: (width / THREADS, height) */
KERNEL __launch_bounds__(THREADS) wavelet_apply(const __grid_constant__ struct fvsr_color_params p)
{
	int x = blockIdx.x * THREADS + threadIdx.x, y = blockIdx.y;
	float rgb[3];

	if (x >= p.width)
		return;
#pragma unroll
	for (int c = 0; c < 3; c++)
		rgb[c] = sample(p, 0, padded(p, c, y, x)) + blur(p, c, y, x);
	put(p, x, y, rgb);
}
