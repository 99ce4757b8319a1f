/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parameters of the kernels of check.cu, which host and device read.
 */
#ifndef FVSR_BENCH_HOPPER_CHECK_H
#define FVSR_BENCH_HOPPER_CHECK_H

#include <stdint.h>

struct check_result {
	double error, size;     /* sums of squares */
	unsigned long long bad; /* values that are not numbers */
	unsigned worst;         /* bits of the largest relative error of a row, a float */
};

/* Every 'stride'-th row of the result is checked. */
struct check_conv {
	const uint16_t *dst, *src, *past, *weight, *residual;
	const float *bias;
	int taps[4][4];
	int h, w, cin, cout, grow, ksize, relu, stride;
	struct check_result *result;
};

struct check_attention {
	const uint16_t *dst, *q, *k, *v;
	const int *index, *count;
	int slot[9];
	int queries, keys, blocks, h, w, dim, head_dim, stride;
	struct check_result *result;
};

#endif
