/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What host and device must agree on about the Hopper kernels: their parameters, their tiles, and
 * the list of them, for C and CUDA alike. Every kernel takes one of these structures by value;
 * tensor maps live inside, so that a launch needs nothing in device memory.
 *
 * A new kernel touches three files: this one (parameters, and a row in the list at the end), its
 * .cu, and the file of core/backend/cuda/hopper that launches it.
 */
#ifndef FVSR_KERNELS_HOPPER_PARAMS_H
#define FVSR_KERNELS_HOPPER_PARAMS_H

#include <cuda.h>

enum {
	FVSR_HOPPER_WARPGROUP = 128,
	FVSR_HOPPER_THREADS = 3 * FVSR_HOPPER_WARPGROUP, /* one group copies, two multiply */
	FVSR_HOPPER_SWIZZLE = 64, /* elements of two bytes in a row of a tile: 128 bytes */
};

/* ------------------------------------------------------------------------------------------- */
/* attention.cu                                                                                */

enum {
	FVSR_HOPPER_SLOTS = 9,   /* slices attended at once, FVSR_MAX_SLICES of backend.h */
	FVSR_HOPPER_BLOCK = 128, /* tokens: queries of an item, and keys of a tile */
	FVSR_HOPPER_RING = 6,    /* tiles of keys or values in shared memory */
	FVSR_HOPPER_ORDER_THREADS = 128,
};

/*
 * Dynamic shared memory in bytes: queries and the ring, barriers, and what moving the first buffer
 * to a whole kilobyte takes.
 */
#define FVSR_HOPPER_ATTENTION_SHARED(head_dim)                                                     \
	((1 + FVSR_HOPPER_RING) * FVSR_HOPPER_BLOCK * (head_dim)*2 + 1280)

/* hopper_order: the order in which attention takes its query blocks. */
struct fvsr_hopper_order_params {
	const int *count; /* (items): key blocks of a query block */
	int *order;       /* (items): out, item numbers; longest first inside each group */
	int *next;        /* out, zero: the counter that hands the items out */
	int items;
	int group; /* items that run at the same time */
};

/* hopper_attention_*: block-sparse attention; an item is (head, query block). */
struct fvsr_hopper_attention_params {
	CUtensorMap q, k, v; /* (rows, dim), boxes of 64 columns x 128 rows, 128-byte swizzle */
	void *dst;           /* bfloat16 (query_slices * 2 h w, dim), token order */
	const int *index;    /* (items, keys) */
	const int *count;    /* (items) */
	const int *order;    /* (items) */
	int *next;
	int slot[FVSR_HOPPER_SLOTS];
	int items;
	int queries; /* query blocks of a head */
	int keys;    /* key blocks of a head: the step of 'index' */
	int blocks;  /* blocks of a slice */
	int block_columns;
	int h, w, dim; /* of the picture in tokens; elements of a row */
	float scale;   /* log2(e) / sqrt(head_dim) */
};

/* hopper_cross_*: 128 tokens of a head against all keys; an item is (head, 128 tokens). */
struct fvsr_hopper_cross_params {
	CUtensorMap q, k, v; /* as above; rows past the last are zeros */
	void *dst;           /* bfloat16 (tokens, dim) */
	const float *bias;   /* (keys), natural */
	int items, queries;  /* queries: items of a head */
	int tokens, keys, dim;
	float scale;
};

/* ------------------------------------------------------------------------------------------- */
/* conv.cu                                                                                     */

enum {
	FVSR_HOPPER_TILE_H = 16,          /* rows of pixels in a tile */
	FVSR_HOPPER_PERMUTED = 32,        /* output channels that the copy of weights reorders */
	FVSR_HOPPER_CONV_SHARED = 232448, /* dynamic shared memory in bytes: all there is */
	FVSR_HOPPER_PAD_THREADS = 256,
	FVSR_HOPPER_PAD_STEPS = 4, /* vectors that a thread copies */
};

/* Columns of pixels in a tile of 'width' output channels. */
#define FVSR_HOPPER_TILE_W(width) ((width) == 256 ? 8 : 16)

/*
 * hopper_conv_*: convolutions as implicit matrix products, and, with a window of one pixel,
 * matrix products of rows that are called pixels. Output 'o' of 'outputs' is one
 * frame (and, for upsampling, one of 'phases' interleaved parts of one); it sums over 'sources'
 * input frames, all channels, and a ksize x ksize window whose first tap is at
 * (y + first_y, x + first_x) of the input.
 */
struct fvsr_hopper_conv_params {
	CUtensorMap src, past; /* (frames, h, w, cin); 'past' is source 1 when 'two' is set */
	CUtensorMap weight;    /* (rows / 32, 4, 4, 2, columns): see conv.cu */
	void *dst;             /* bfloat16 */
	const float *bias;     /* (cout), or NULL */
	const void *residual;  /* bfloat16, as dst, or NULL */
	int taps[4][4];        /* input frame of (output, source) when 'temporal' is set */
	int temporal, two;
	int tiles, tiles_x, tiles_y, tiles_n;
	int outputs;         /* input frames, or outputs of a temporal convolution */
	int phases;          /* 1, or 4 * grow: (grow, dy, dx) */
	int rows_first;      /* tiles of one cout range follow one another, not those of a place */
	int h, w, cout;      /* of one phase */
	int sources, chunks; /* chunks of 64 input channels of a source */
	int tail_steps;      /* steps of 16 channels in the last chunk, 1 .. 4 */
	int ksize;
	int first;                     /* first_y and first_x; ksize 2 adds the phase's dy and dx */
	int source_column, tap_column; /* weight columns from a source or tap to the next */
	int relu, gelu;                /* after the bias; gelu: the tanh form, without a residual */
};

/* hopper_pad: frames with a border of one replicated pixel. */
struct fvsr_hopper_pad_params {
	void *dst;       /* bfloat16 (frames, h + 2, w + 2, c) */
	const void *src; /* bfloat16 (frames, h, w, c) */
	int frames, h, w;
	int vectors; /* c / 8 */
};

/* ------------------------------------------------------------------------------------------- */
/* The list                                                                                    */

/*
 * X(kernel, threads of a block, most dynamic shared memory in bytes, width): elements of a head
 * (attention) or output channels of a tile (conv), in ascending order; 0: there is no family.
 */
#define FVSR_HOPPER_KERNELS(X)                                                                     \
	X(hopper_order, FVSR_HOPPER_ORDER_THREADS, 0, 0)                                           \
	X(hopper_attention_64, FVSR_HOPPER_THREADS, FVSR_HOPPER_ATTENTION_SHARED(64), 64)          \
	X(hopper_attention_128, FVSR_HOPPER_THREADS, FVSR_HOPPER_ATTENTION_SHARED(128), 128)       \
	X(hopper_cross_64, FVSR_HOPPER_THREADS, FVSR_HOPPER_ATTENTION_SHARED(64), 64)              \
	X(hopper_cross_128, FVSR_HOPPER_THREADS, FVSR_HOPPER_ATTENTION_SHARED(128), 128)           \
	X(hopper_conv_64, FVSR_HOPPER_THREADS, FVSR_HOPPER_CONV_SHARED, 64)                        \
	X(hopper_conv_128, FVSR_HOPPER_THREADS, FVSR_HOPPER_CONV_SHARED, 128)                      \
	X(hopper_conv_256, FVSR_HOPPER_THREADS, FVSR_HOPPER_CONV_SHARED, 256)                      \
	X(hopper_pad, FVSR_HOPPER_PAD_THREADS, 0, 0)

/* FVSR_WIDTH_hopper_conv_64 and so on. */
enum fvsr_hopper_width {
#define X(kernel, threads, shared_bytes, width) FVSR_WIDTH_##kernel = width,
	FVSR_HOPPER_KERNELS(X)
#undef X
};

#endif
