/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loops that oneDNN has no primitive for and that are too slow in baseline instructions. They are
 * written once (onednn_loops_body.h) and compiled for several processors; a device picks a table
 * when it is opened.
 */
#ifndef FVSR_CPU_ONEDNN_LOOPS_H
#define FVSR_CPU_ONEDNN_LOOPS_H

#include <stdbool.h>
#include <stddef.h>

#define FVSR_TILE 128 /* queries, and at most as many keys, in one step of attention */

/*
 * Attention of one head and 128 queries, keys arriving in pieces: the usual running softmax.
 * Everything is stored with the queries side by side, so that all loops are along them.
 */
struct fvsr_attend {
	float *query;   /* (head_dim, 128), already divided by sqrt(head_dim) */
	float *scores;  /* (128 keys, 128) */
	float *sums;    /* (head_dim, 128): sums of values, to be divided by 'total' */
	float *largest; /* (128): largest score so far, -INFINITY at the start */
	float *total;   /* (128): sum of the weights so far */
	int head_dim;
};

struct fvsr_loops {
	const char *name;
	/* Adds keys and values whose rows are 'stride' elements apart; 'bias' of a key or NULL. */
	void (*attend)(const struct fvsr_attend *a, const float *k, const float *v, size_t stride,
		       int keys, const float *bias);
	/* x = 3 tanh(x / 3) */
	void (*soft_clamp)(float *x, size_t count);
};

extern const struct fvsr_loops fvsr_loops_base;
#ifdef FVSR_X86_64
extern const struct fvsr_loops fvsr_loops_v3; /* AVX2, FMA */
extern const struct fvsr_loops fvsr_loops_v4; /* AVX-512 */
#endif

#endif
