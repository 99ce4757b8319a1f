/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inner loops of the fast ops, too slow in the instructions that every processor has. They are
 * written once (loops_body.h) and compiled for several generations of processors; a device takes
 * the best table that its processor can run.
 */
#ifndef FVSR_CPU_FAST_LOOPS_H
#define FVSR_CPU_FAST_LOOPS_H

#include <stddef.h>
#include <stdint.h>

struct fvsr_resize_axis;
struct fvsr_winograd_tile;

#define FVSR_TILE 128 /* queries, and at most as many keys, in one step of attention */

/*
 * Attention of one head and 128 queries to keys that arrive in pieces, by the usual running
 * softmax. Everything is stored with the queries side by side, so that all loops run along them.
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
	/* Adds keys and values whose rows are 'stride' elements apart; a bias per key, or NULL. */
	void (*attend)(const struct fvsr_attend *a, const float *k, const float *v, size_t stride,
		       int keys, const float *bias);
	/* Computes x = 3 tanh(x / 3). */
	void (*soft_clamp)(float *x, size_t count);
	/* Computes o = (o + x) (sigmoid(o) - 1/2). */
	void (*gate)(float *o, const float *x, size_t count);
	/* Adds a row's sum and sum of squares to sums[0] and sums[1]. */
	void (*statistics)(double *sums, const float *x, size_t count);
	/*
	 * Computes out = clamp((x - from[0]) / from[1] * to[1] + to[0]); 'from' and 'to' are mean
	 * and deviation.
	 */
	void (*follow)(float *out, const float *x, size_t count, const float *from,
		       const float *to);
	/* Computes out = clamp(x + low). */
	void (*lift)(float *out, const float *x, const float *low, size_t count);
	/* Blur by [1 2 1] / 4: along a row with holes of 'step', ends repeated; and across rows. */
	void (*blur_row)(float *out, const float *x, int width, int step);
	void (*blur_column)(float *out, const float *above, const float *here, const float *below,
			    size_t count);
	/*
	 * Makes pixels of three planes in [-1, 1] and alpha: 'half' is 0.5 to round to the nearest
	 * level, 0 to round down.
	 */
	void (*pixels)(uint8_t *dst, const float *red, const float *green, const float *blue,
		       const uint8_t *alpha, size_t count, float half);
	/* Makes three planes in [-1, 1] and alpha of pixels. */
	void (*planes)(float *red, float *green, float *blue, uint8_t *alpha, const uint8_t *src,
		       size_t count);
	/* Resizes a row of four-channel pixels along it, to the same bits as fvsr_resize_u8x4(). */
	void (*resize_row)(uint8_t *dst, const uint8_t *src, const struct fvsr_resize_axis *axis);
	/* Makes row 'i' of what resizing across rows of 'bytes' bytes each results in. */
	void (*resize_column)(uint8_t *dst, const uint8_t *src, size_t bytes,
			      const struct fvsr_resize_axis *axis, int i);
	/*
	 * The three steps of winograd.h: 36 pixels' channels to v[i * step + c]; m (tiles, columns)
	 * = v (tiles, depth) u (depth, columns); and m[i * step + c] to 16 pixels.
	 */
	void (*winograd_in)(float *v, size_t step, const float *const *pixels, int channels);
	void (*winograd_multiply)(float *m, const float *v, const float *u, int tiles, int depth,
				  int columns);
	void (*winograd_out)(const struct fvsr_winograd_tile *tile, const float *m, size_t step);
};

/*
 * Returns the tables that this processor can run, best first; NULL past the last one, which is the
 * baseline that every processor of the architecture can run.
 */
const struct fvsr_loops *fvsr_loops_at(unsigned index);

/* The tables themselves; only fvsr_loops_at() knows which of them may be called. */
extern const struct fvsr_loops fvsr_loops_base;
#ifdef FVSR_X86_64
extern const struct fvsr_loops fvsr_loops_v3; /* AVX2, FMA */
extern const struct fvsr_loops fvsr_loops_v4; /* AVX-512 */
#endif

#endif
