/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Noise that is the same to the last bit on every backend (section 3), and rotary angles in double
 * precision (section 5). The noise repeats the C definition of core/base/noise.h operation by
 * operation: every one is written as its correctly rounded intrinsic, so that none is contracted. A
 * thread computes one number; both kernels are so small beside others that nothing is tiled.
 */
#include "generic.cuh"

enum {
	THREADS = FVSR_ITEM_THREADS,
	TABLE_THREADS = FVSR_ROPE_TABLE_THREADS,
};

DEVICE uint64_t noise_bits(uint64_t key, uint64_t i)
{
	uint64_t z = key + (i + 1) * 0x9E3779B97F4A7C15ull;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
	return z ^ (z >> 31);
}

DEVICE float mul(float a, float b)
{
	return __fmul_rn(a, b);
}

DEVICE float add(float a, float b)
{
	return __fadd_rn(a, b);
}

/* Returns ln(n / 2^24) for odd n < 2^24. */
DEVICE float log_of(uint32_t n)
{
	int exponent = -24;
	float m = (float)n, s, square, sum;

	while (m >= 1.41421356f) {
		m = mul(m, 0.5f);
		exponent++;
	}
	s = __fdiv_rn(add(m, -1), add(m, 1));
	square = mul(s, s);
	sum = mul(square, 1.0f / 9);
	sum = mul(add(sum, 1.0f / 7), square);
	sum = mul(add(sum, 1.0f / 5), square);
	sum = mul(add(sum, 1.0f / 3), square);
	sum = add(mul(sum, s), s);
	return add(mul((float)exponent, 0.693147181f), add(sum, sum));
}

/* Returns cosine or sine of 2 pi n / 2^24. */
DEVICE float turn_of(uint32_t n, bool want_sine)
{
	float x = mul((float)(n & 0x3FFFFF), 1.57079633f / 4194304.0f), square = mul(x, x), c, s;

	s = add(mul(square, -1.0f / 39916800), 1.0f / 362880);
	s = add(mul(s, square), -1.0f / 5040);
	s = add(mul(s, square), 1.0f / 120);
	s = add(mul(s, square), -1.0f / 6);
	s = add(mul(mul(s, square), x), x);
	c = add(mul(square, 1.0f / 479001600), -1.0f / 3628800);
	c = add(mul(c, square), 1.0f / 40320);
	c = add(mul(c, square), -1.0f / 720);
	c = add(mul(c, square), 1.0f / 24);
	c = add(mul(c, square), -0.5f);
	c = add(mul(c, square), 1);
	switch (n >> 22) {
	case 0:
		return want_sine ? s : c;
	case 1:
		return want_sine ? c : -s;
	case 2:
		return want_sine ? -s : -c;
	default:
		return want_sine ? -c : s;
	}
}

DEVICE float normal(uint64_t key, uint64_t i)
{
	uint32_t a = (uint32_t)(noise_bits(key, i & ~(uint64_t)1) >> 41) * 2 + 1;
	uint32_t b = (uint32_t)(noise_bits(key, i | 1) >> 40);

	return mul(__fsqrt_rn(mul(-2, log_of(a))), turn_of(b, i & 1));
}

DEVICE float uniform(uint64_t key, uint64_t i)
{
	float u = mul((float)(uint32_t)(noise_bits(key, i) >> 40), 1.0f / 16777216.0f);

	return mul(1.73205081f, add(add(u, u), -1));
}

/* A thread has one latent position and channel; grid: x */
KERNEL __launch_bounds__(THREADS) noise_slice(const __grid_constant__ struct fvsr_noise_params p)
{
	size_t at = (size_t)blockIdx.x * THREADS + threadIdx.x;
	int c = at % p.channels, x = at / p.channels % p.lw;
	int row = at / p.channels / p.lw, frame = row / p.lh, y = row % p.lh;
	size_t token = ((size_t)frame * (p.lh / 2) + y / 2) * (p.lw / 2) + x / 2;
	uint64_t i = (uint64_t)c * p.frames + p.first_frame + frame;
	float value;

	if (row >= 2 * p.lh)
		return;
	i = (i * p.lh + y) * p.lw + x;
	value = p.normal ? normal(p.key, i) : uniform(p.key, i);
	p.latent[at] = value;
	((bf16 *)p.patches)[token * p.channels * 4 + c * 4 + (y & 1) * 2 + (x & 1)] =
		__float2bfloat16_rn(value);
}

/* A thread has one pair; grid: x */
KERNEL __launch_bounds__(TABLE_THREADS)
	rope_table(const __grid_constant__ struct fvsr_rope_table_params p)
{
	int i = blockIdx.x * TABLE_THREADS + threadIdx.x, half = p.pairs;
	double angle, s, c;

	if (i >= p.positions * half)
		return;
	angle = (double)(p.first + i / half) * p.frequency[i % half];
	sincos(fmod(angle, 2 * 3.14159265358979323846), &s, &c);
	p.dst[2 * i] = (float)c;
	p.dst[2 * i + 1] = (float)s;
}
