/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Noise (section 3) that is the same to the last bit on every backend: counters make the bits, and
 * the way to a normal distribution uses only operations that IEEE 754 rounds exactly (+ - * /
 * sqrt), in one fixed order and never contracted.
 */
#include "backend/cpu/plain/plain.h"

#include <math.h>

#include "base/noise.h"

/* Returns ln(n / 2^24) for odd n < 2^24: the exponent apart, then 2 artanh((m - 1) / (m + 1)). */
static float log_of(uint32_t n)
{
	int exponent = -24;
	float m = (float)n, s, square, sum;

	while (m >= 1.41421356f) {
		m *= 0.5f;
		exponent++;
	}
	s = (m - 1) / (m + 1);
	square = s * s;
	sum = square * (1.0f / 9);
	sum = (sum + 1.0f / 7) * square;
	sum = (sum + 1.0f / 5) * square;
	sum = (sum + 1.0f / 3) * square;
	sum = sum * s + s;
	return (float)exponent * 0.693147181f + (sum + sum);
}

/* Computes cosine and sine of 2 pi n / 2^24: the high bits are quarter turns, the rest Taylor's. */
static void turn_of(uint32_t n, float *cosine, float *sine)
{
	float x = (float)(n & 0x3FFFFF) * (1.57079633f / 4194304.0f), square = x * x, c, s;

	s = square * (-1.0f / 39916800) + 1.0f / 362880;
	s = s * square + -1.0f / 5040;
	s = s * square + 1.0f / 120;
	s = s * square + -1.0f / 6;
	s = s * square * x + x;
	c = square * (1.0f / 479001600) + -1.0f / 3628800;
	c = c * square + 1.0f / 40320;
	c = c * square + -1.0f / 720;
	c = c * square + 1.0f / 24;
	c = c * square + -0.5f;
	c = c * square + 1;
	switch (n >> 22) {
	case 0:
		*cosine = c, *sine = s;
		break;
	case 1:
		*cosine = -s, *sine = c;
		break;
	case 2:
		*cosine = -c, *sine = -s;
		break;
	default:
		*cosine = s, *sine = -c;
		break;
	}
}

/* Returns element i of a normal distribution (Box-Muller): 2p and 2p + 1 share a radius. */
static float normal(uint64_t key, uint64_t i)
{
	uint32_t a = (uint32_t)(fvsr_noise_bits(key, i & ~(uint64_t)1) >> 41) * 2 + 1;
	uint32_t b = (uint32_t)(fvsr_noise_bits(key, i | 1) >> 40);
	float radius = sqrtf(-2 * log_of(a)), cosine, sine;

	turn_of(b, &cosine, &sine);
	return radius * (i & 1 ? sine : cosine);
}

static float uniform(uint64_t key, uint64_t i)
{
	float u = (float)(fvsr_noise_bits(key, i) >> 40) * (1.0f / 16777216.0f);

	return 1.73205081f * (u + u - 1);
}

void fvsr_plain_noise_slice(struct fvsr_queue *queue, const struct fvsr_noise_slice *a)
{
	int w = a->lw / 2, features = a->channels * 4;
	float *latent = a->latent, *patches = a->patches;

	if (fvsr_queue_idle(queue))
		return;
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int row = 0; row < 2 * a->lh; row++) {
		int frame = row / a->lh, y = row % a->lh;

		for (int x = 0; x < a->lw; x++) {
			size_t token = ((size_t)frame * (a->lh / 2) + y / 2) * w + x / 2;

			for (int c = 0; c < a->channels; c++) {
				uint64_t i = (uint64_t)c * a->frames + a->first_frame + frame;
				float value;

				i = (i * a->lh + y) * a->lw + x;
				value = a->kind == FVSR_NOISE_NORMAL ? normal(a->key, i)
								     : uniform(a->key, i);
				latent[((size_t)row * a->lw + x) * a->channels + c] = value;
				patches[token * features + c * 4 + (y & 1) * 2 + (x & 1)] = value;
			}
		}
	}
}
