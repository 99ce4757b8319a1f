/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other side of the Hopper kernels' test: random inputs, the definition of each operation in
 * float32 without any cleverness, and what is compared. A thread block checks one row (a pixel's
 * channels, or a head of a token) of the result.
 */
#include <stdint.h>

#include "check.h"

static __device__ float value_of(uint16_t bits)
{
	return __uint_as_float((uint32_t)bits << 16);
}

static __device__ uint16_t bits_of(float value)
{
	uint32_t u = __float_as_uint(value);

	return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

static __device__ uint32_t mix(uint64_t x)
{
	x = (x ^ x >> 31) * 0x9e3779b97f4a7c15ull;
	x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9ull;
	return (uint32_t)(x >> 32);
}

static __device__ float sum_of_block(float x)
{
	static __shared__ float part[32];

	for (int i = 16; i; i /= 2)
		x += __shfl_xor_sync(0xffffffff, x, i);
	__syncthreads();
	if (threadIdx.x % 32 == 0)
		part[threadIdx.x / 32] = x;
	__syncthreads();
	x = 0;
	for (int i = 0; i < (int)blockDim.x / 32; i++)
		x += part[i];
	return x;
}

/* Adds a row's squared error and squared size, summed over the block's threads, to the result. */
static __device__ void report(struct check_result *result, float error, float size, int channels,
			      int bad)
{
	error = sum_of_block(error);
	size = sum_of_block(size);
	bad = (int)sum_of_block((float)bad);
	if (threadIdx.x)
		return;
	atomicAdd(&result->error, (double)error);
	atomicAdd(&result->size, (double)size);
	atomicAdd(&result->bad, (unsigned long long)bad);
	error = sqrtf(error / (size + 1e-4f * (float)channels));
	atomicMax(&result->worst, __float_as_uint(error));
}

static __device__ float window(const uint16_t *frame, const uint16_t *weight, size_t weight_step,
			       int y, int x, int size, int h, int w, int channels, bool replicate)
{
	float sum = 0;

	for (int i = 0; i < size * size; i++, weight += weight_step) {
		int row = y + i / size, column = x + i % size;

		if (replicate) {
			row = min(max(row, 0), h - 1);
			column = min(max(column, 0), w - 1);
		} else if (row < 0 || row >= h || column < 0 || column >= w) {
			continue;
		}
		for (int c = 0; c < channels; c++)
			sum += value_of(frame[((size_t)row * w + column) * channels + c]) *
			       value_of(weight[c]);
	}
	return sum;
}

static __device__ void compare(float expected, uint16_t found, float *error, float *size, int *bad)
{
	float got = value_of(found);

	if (!(fabsf(got) < 1e30f)) {
		*bad += 1;
		return;
	}
	*error += (got - expected) * (got - expected);
	*size += expected * expected;
}

extern "C" {

/* Fills with values around zero of the given size, or with NaN when it is negative. */
__global__ void fill_bf16(uint16_t *dst, size_t count, float size, unsigned seed)
{
	size_t step = (size_t)gridDim.x * blockDim.x;

	for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step) {
		uint32_t r = mix(i * 2654435761u + (uint64_t)seed * 0x1000193);
		float x = (float)(r >> 16) + (float)(r & 0xffff) - 65535;

		dst[i] = size < 0 ? 0xffff : bits_of(x * size / 26755);
	}
}

__global__ void fill_f32(float *dst, size_t count, float size, unsigned seed)
{
	size_t step = (size_t)gridDim.x * blockDim.x;

	for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step)
		dst[i] = ((float)mix(i + (uint64_t)seed * 0x1000193) / 4294967296.0f - 0.5f) * size;
}

/* Counts the values that are still NaN, and sums over the bits, which tells two results apart. */
__global__ void scan_bf16(const uint16_t *src, size_t count, unsigned long long *out)
{
	size_t step = (size_t)gridDim.x * blockDim.x;
	unsigned long long sum = 0, nans = 0;

	for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step) {
		nans += (src[i] & 0x7fff) > 0x7f80;
		sum += (unsigned long long)mix(i * 65536 + src[i]);
	}
	for (int i = 16; i; i /= 2) {
		sum += __shfl_xor_sync(0xffffffff, sum, i);
		nans += __shfl_xor_sync(0xffffffff, nans, i);
	}
	if (threadIdx.x % 32 == 0) {
		atomicAdd(&out[0], nans);
		atomicAdd(&out[1], sum);
	}
}

__global__ void check_conv3x3(struct check_conv a)
{
	size_t pixel = (size_t)blockIdx.x * a.stride + blockIdx.x % a.stride;
	size_t area = (size_t)a.h * a.w;
	int frame = (int)(pixel / area), y = (int)(pixel % area / a.w), x = (int)(pixel % a.w);
	int step = a.past ? 2 * a.cin : a.cin, bad = 0;
	float error = 0, size = 0;

	for (int n = threadIdx.x; n < a.cout; n += blockDim.x) {
		const uint16_t *weight = a.weight + (size_t)n * 9 * step;
		float sum = a.bias ? a.bias[n] : 0;

		sum += window(a.src + frame * area * a.cin, weight, step, y - 1, x - 1, 3, a.h, a.w,
			      a.cin, false);
		if (a.past)
			sum += window(a.past + frame * area * a.cin, weight + a.cin, step, y - 1,
				      x - 1, 3, a.h, a.w, a.cin, false);
		if (a.residual)
			sum += value_of(a.residual[pixel * a.cout + n]);
		if (a.relu)
			sum = fmaxf(sum, 0);
		compare(sum, a.dst[pixel * a.cout + n], &error, &size, &bad);
	}
	report(a.result, error, size, a.cout, bad);
}

__global__ void check_upsample(struct check_conv a)
{
	size_t pixel = (size_t)blockIdx.x * a.stride + blockIdx.x % a.stride;
	size_t area = (size_t)4 * a.h * a.w;
	int frame = (int)(pixel / area), y = (int)(pixel % area / (2 * a.w));
	int x = (int)(pixel % (2 * a.w)), dy = y % 2, dx = x % 2, bad = 0;
	int phase = frame % a.grow * 4 + dy * 2 + dx;
	float error = 0, size = 0;

	for (int n = threadIdx.x; n < a.cout; n += blockDim.x) {
		size_t row = (size_t)phase * a.cout + n;
		float sum = window(a.src + (size_t)(frame / a.grow) * a.h * a.w * a.cin,
				   a.weight + row * a.ksize * a.ksize * a.cin, a.cin,
				   y / 2 - 1 + (a.ksize == 2 ? dy : 0),
				   x / 2 - 1 + (a.ksize == 2 ? dx : 0), a.ksize, a.h, a.w, a.cin,
				   false);

		if (a.relu)
			sum = fmaxf(sum, 0);
		compare(sum, a.dst[pixel * a.cout + n], &error, &size, &bad);
	}
	report(a.result, error, size, a.cout, bad);
}

__global__ void check_frames(struct check_conv a)
{
	size_t pixel = (size_t)blockIdx.x * a.stride + blockIdx.x % a.stride;
	size_t area = (size_t)a.h * a.w;
	int output = (int)(pixel / area), y = (int)(pixel % area / a.w), x = (int)(pixel % a.w);
	float error = 0, size = 0;
	int bad = 0;

	for (int n = threadIdx.x; n < a.cout; n += blockDim.x) {
		float sum = a.bias[n];

		for (int t = 0; t < 4; t++)
			sum += window(a.src + (size_t)a.taps[output][t] * area * a.cin,
				      a.weight + ((size_t)n * 4 + t) * 9 * a.cin, a.cin, y - 1,
				      x - 1, 3, a.h, a.w, a.cin, true);
		compare(sum, a.dst[pixel * a.cout + n], &error, &size, &bad);
	}
	report(a.result, error, size, a.cout, bad);
}

/* Checks one query of one head; thread t of 128 has key t of a block, then column t. */
__global__ void check_attention(struct check_attention a)
{
	__shared__ float q[128], p[128];
	size_t work = (size_t)blockIdx.x * a.stride + blockIdx.x % a.stride;
	int t = threadIdx.x, i = (int)(work % 128), item = (int)(work / 128), bad = 0;
	int head = item / a.queries, query = item % a.queries, columns = a.w / 8;
	int slice = query / a.blocks, block = query % a.blocks;
	size_t token =
		((size_t)(slice * 2 + i / 64) * a.h + block / columns * 8 + i / 8 % 8) * a.w +
		block % columns * 8 + i % 8;
	float sum = 0, largest = -INFINITY, out = 0, error = 0, size = 0;

	if (t < a.head_dim)
		q[t] = value_of(a.q[((size_t)query * 128 + i) * a.dim + head * a.head_dim + t]);
	for (int j = 0; j < a.count[item]; j++) {
		int key = a.index[(size_t)item * a.keys + j];
		size_t row = ((size_t)a.slot[key / a.blocks] * a.blocks + key % a.blocks) * 128;
		const uint16_t *k = a.k + (row + t) * a.dim + head * a.head_dim;
		float score = 0, before = largest, alpha;

		__syncthreads();
		for (int c = 0; c < a.head_dim; c++)
			score += q[c] * value_of(k[c]);
		p[t] = score / sqrtf((float)a.head_dim);
		__syncthreads();
		for (int c = 0; c < 128; c++)
			largest = fmaxf(largest, p[c]);
		alpha = expf(before - largest);
		sum *= alpha;
		out *= alpha;
		for (int c = 0; c < 128; c++) {
			float weight = expf(p[c] - largest);

			sum += weight;
			if (t < a.head_dim)
				out += weight *
				       value_of(a.v[(row + c) * a.dim + head * a.head_dim + t]);
		}
	}
	if (a.count[item])
		out /= sum;
	if (t < a.head_dim)
		compare(out, a.dst[token * a.dim + head * a.head_dim + t], &error, &size, &bad);
	report(a.result, error, size, a.head_dim, bad);
}
}
