/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plain C version of every op: short and obvious rather than fast, float32 throughout. It
 * defines what the op is: other backends are tested against it, and the backend "cpu" uses it where
 * there is no faster one.
 */
#ifndef FVSR_CPU_PLAIN_H
#define FVSR_CPU_PLAIN_H

#include "backend/cpu/host.h"

#define FVSR_PLAIN_OP(name, cpu) fvsr_op_##name fvsr_plain_##name;
FVSR_OPS(FVSR_PLAIN_OP)
#undef FVSR_PLAIN_OP

/* Returns a picture's sample as colour correction takes it: finite, see "NaN and infinity". */
static inline float fvsr_picture_sample(float x)
{
	x = x > -FVSR_PICTURE_LIMIT ? x : -FVSR_PICTURE_LIMIT;
	return x < FVSR_PICTURE_LIMIT ? x : FVSR_PICTURE_LIMIT;
}

/* Returns the sum of the products of 'n' pairs. */
static inline float fvsr_plain_dot(const float *a, const float *b, int n)
{
	float sum = 0;

#pragma omp simd reduction(+ : sum)
	for (int i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

#endif
