/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What host and device must agree on about the generic kernels: their parameters, their tiles, and
 * the list of them. C on the host and CUDA on the device read the same numbers here, so that a
 * launch cannot have another size than the kernel was written for.
 *
 * A new kernel touches three files: this one (parameters, and a row in the list at the end), its
 * .cu, and the file of core/backend/cuda/ops that launches it. A kernel takes one structure by
 * value. Addresses in it are the device's; the comments give types and shapes, row-major.
 */
#ifndef FVSR_KERNELS_GENERIC_PARAMS_H
#define FVSR_KERNELS_GENERIC_PARAMS_H

#include <stdint.h>

enum {
	FVSR_PARAMS_MAX_SLICES = 9, /* FVSR_MAX_SLICES of the backend */
	FVSR_PARAMS_BLOCK_SIDE = 8, /* FVSR_BLOCK_SIDE of core/base/geometry.h: tokens */
	FVSR_ITEM_THREADS = 256,    /* of kernels with a thread for each item of a list */
};

/* ------------------------------------------------------------------------------------------- */
/* picture.cu                                                                                  */

enum {
	FVSR_LINE_THREADS = 128,     /* pixels of a line that a block has, one each */
	FVSR_CANVAS_PIECES = 96,     /* of 8 features: FVSR_TOKEN_SAMPLES, FVSR_CONDITION_SAMPLES */
	FVSR_SHUFFLE_POSITIONS = 32, /* of a block of pixel_shuffle_* */
};

/* A position has 'side' rows of each of the three colours. */
#define FVSR_SHUFFLE_THREADS(side) (FVSR_SHUFFLE_POSITIONS * 3 * (side))

/* One axis of bicubic: output i reads count[i] inputs from first[i] on. */
struct fvsr_resize_params {
	const void *src; /* rows: u8x4 (in_height, in_width), pitch in_width */
	void *dst;       /* rows: u8x4 (in_height, width); columns: half canvas */
	void *alpha;     /* columns: u8 (height, width) */
	const int32_t *first, *count, *weight; /* (out), (out), (out, taps) */
	int taps;
	int in_width, in_height; /* of this pass */
	int width, height;       /* visible */
	int pad_width, pad_height;
	int swap; /* columns: blue comes first */
};

struct fvsr_ingest_planar_params {
	const float *src; /* (3, height, width), tight */
	void *canvas;     /* half (3, pad_height, pad_width) */
	void *alpha;
	int width, height, pad_width, pad_height;
};

struct fvsr_unshuffle_params {
	void *dst;          /* bf16 (h, w, 768) */
	const void *canvas; /* half (3, 16 h, 16 w) */
	int h, w;
};

struct fvsr_unpatchify_params {
	float *latent; /* (2, lh, lw, channels) */
	const float *noise;
	const void *patches; /* bf16 (tokens, 4 channels) */
	int lh, lw, channels;
};

struct fvsr_decoder_input_params {
	void *dst;             /* bf16 (lh, lw, 768 + channels) */
	const void *canvas[4]; /* half (3, 8 lh, 8 lw) */
	const float *latent;   /* (lh, lw, channels) */
	int lh, lw, channels;
};

struct fvsr_pixel_shuffle_params {
	float *dst;         /* (3, h * side, w * side) */
	const void *src;    /* bf16 (h, w, channels) */
	const void *canvas; /* half, the same shape as dst, or NULL */
	int h, w, channels;
	int first; /* channel of the wanted frame */
};

struct fvsr_shrink_params {
	void *dst;          /* bf16 (h, w, 8) */
	const void *canvas; /* half (3, h * side, w * side) */
	int h, w, side;
	float told;
};

/* ------------------------------------------------------------------------------------------- */
/* noise.cu                                                                                    */

enum {
	FVSR_PARAMS_MAX_PAIRS = 64,
	FVSR_ROPE_TABLE_THREADS = 128, /* one for each pair */
};

struct fvsr_noise_params {
	float *latent; /* (2, lh, lw, channels) */
	void *patches; /* bf16 (tokens, channels * 4) */
	uint64_t key;
	int normal, lh, lw, channels, first_frame, frames;
};

struct fvsr_rope_table_params {
	float *dst; /* (positions, pairs, 2) */
	int64_t first;
	int positions, pairs;
	double frequency[FVSR_PARAMS_MAX_PAIRS]; /* angle of a position, from the host's pow() */
};

/* ------------------------------------------------------------------------------------------- */
/* norm.cu                                                                                     */

enum {
	FVSR_NORM_WARPS = 8, /* of a block; each has a row, but in norm_any */
	FVSR_NORM_THREADS = 32 * FVSR_NORM_WARPS,
	FVSR_ADD_ELEMENTS = 8, /* of a thread */
};

enum fvsr_norm_mode {
	FVSR_NORM_LAYER = 1,   /* (x - mean) / deviation * scale + shift */
	FVSR_NORM_RMS = 2,     /* x / sqrt(mean(x^2) + eps) * scale */
	FVSR_NORM_L2_SILU = 3, /* silu(x / max(|x|, 1e-12) * sqrt(columns) * scale) */
};

struct fvsr_norm_params {
	void *dst; /* bf16 (rows, columns), may be src */
	const void *src;
	const float *scale, *shift;
	int rows, columns, mode;
	float eps;
};

struct fvsr_add_params {
	void *dst; /* bf16 */
	const void *src;
	uint64_t count;
};

struct fvsr_to_bf16_params {
	void *dst; /* bf16 */
	const float *src;
	uint64_t count;
};

/* Numbers that look like activations, to time on. */
struct fvsr_fill_params {
	void *dst; /* bf16 */
	uint64_t count;
	uint32_t seed;
};

/* ------------------------------------------------------------------------------------------- */
/* delay.cu                                                                                    */

struct fvsr_delay_params {
	uint64_t ns;
};

/* ------------------------------------------------------------------------------------------- */
/* rope.cu                                                                                     */

enum {
	FVSR_ROPE_WARPS = 8,
	FVSR_ROPE_THREADS = 32 * FVSR_ROPE_WARPS,
};

/* Dynamic shared memory of qk_rope_any in bytes, a float for each element of a token. */
#define FVSR_ROPE_ANY_SHARED(dim) ((dim)*4)

struct fvsr_qk_rope_params {
	const void *qkv; /* bf16 (2 h w, 3 dim) */
	void *dst[3];    /* bf16 (nb * 128, dim): q, k, v */
	float *mean[2];  /* (nb, dim): q, k */
	const float *norm[2];
	const float *rope_frame, *rope_row, *rope_column; /* (positions, c / 2, 2) */
	int h, w, dim, head_dim;
	float eps;
};

/* ------------------------------------------------------------------------------------------- */
/* select.cu                                                                                   */

enum {
	FVSR_SCORE_QUERIES = 8, /* query blocks of a block of threads, one for each warp */
	FVSR_SCORE_THREADS = 32 * FVSR_SCORE_QUERIES,
	FVSR_KEEP_THREADS = 1024,
};

struct fvsr_select_params {
	int *index; /* (heads, queries, keys) */
	int *count; /* (heads, queries) */
	float *map; /* (heads, queries, keys): softmax of the scores */
	const float *q_mean, *k_mean;
	int slot[FVSR_PARAMS_MAX_SLICES];
	int query_slices, key_slices;
	int block_rows, block_columns;
	int dim, heads, head_dim, local_range;
	int64_t rank; /* how many values are larger than the limit, at most; 0 .. n - 1 */
};

/* ------------------------------------------------------------------------------------------- */
/* attention.cu                                                                                */

enum {
	FVSR_ATTENTION_THREADS = 256,
	FVSR_ATTENTION_QUERIES = 128, /* of a block of threads; a block of tokens */
	FVSR_ATTENTION_KEYS = 64,     /* of a tile */
	FVSR_ATTENTION_STAGES = 3,    /* tiles in shared memory */
};

/* Dynamic shared memory in bytes: tiles of keys and values, rows of 'width' bf16. */
#define FVSR_ATTENTION_SHARED(width) (FVSR_ATTENTION_STAGES * 2 * FVSR_ATTENTION_KEYS * (width)*2)

struct fvsr_attention_params {
	void *dst; /* bf16 (tokens, dim) */
	const void *q, *k, *v;
	/* over selected blocks; cross-attention: NULL */
	const int *index, *count;
	/* cross-attention */
	const float *bias;
	int tokens, keys;
	int slot[FVSR_PARAMS_MAX_SLICES];
	int blocks;            /* of a slice */
	int queries, all_keys; /* blocks: of all query slices, of all key slices */
	int h, w, dim, head_dim;
	float scale; /* log2(e) / sqrt(head_dim) */
};

/* ------------------------------------------------------------------------------------------- */
/* gemm.cu, conv_direct.cu                                                                     */

enum {
	FVSR_GEMM_THREADS = 256,
	FVSR_GEMM_ROWS = 128, /* output positions of a tile */
	FVSR_GEMM_DEPTH = 32, /* k of a step */
	FVSR_GEMM_STAGES = 4, /* steps in shared memory */
};

/* Dynamic shared memory in bytes: a step's positions and 'width' channels, DEPTH bf16 each. */
#define FVSR_GEMM_SHARED(width)                                                                    \
	(FVSR_GEMM_STAGES * (FVSR_GEMM_ROWS + (width)) * FVSR_GEMM_DEPTH * 2)

enum fvsr_conv_border {
	FVSR_BORDER_ZERO = 1,
	FVSR_BORDER_REPLICATE = 2,
};

enum fvsr_conv_activation {
	FVSR_CONV_NONE = 1,
	FVSR_CONV_SILU = 2,
	FVSR_CONV_GELU_TANH = 3,
	FVSR_CONV_GATE = 4, /* (x + residual) (sigmoid(x) - 1/2) */
};

/*
 * A convolution as a matrix product: a row per output position, a column per output channel, and
 * k = (tap, channel). A linear layer is the case of one tap and a picture one row high.
 *
 * Image z of the grid is:
 *	phases == 1: output frame z; its taps read frame frames[z][tap / ksize^2] if frame_taps,
 *	             else frame z
 *	phases == 4: phase z % 4 of output frame z / 4, which reads frame z / 4 / grow
 */
struct fvsr_conv_params {
	const void *src, *past; /* bf16 (any, h, w, cin); past: more channels, or NULL */
	const void *weight;     /* bf16 (images of weights, cout, k) */
	const float *bias;      /* (cout), or NULL */
	const void *residual;   /* bf16, shape of dst, or NULL */
	void *dst;              /* bf16 */
	int h, w, cin, cout;
	int channels;       /* cin, or 2 cin with past */
	int ksize, taps, k; /* k = taps * channels */
	int border, activation, relu;
	int phases, grow;
	int frame_taps;
	int frames[4][4];
};

/* ------------------------------------------------------------------------------------------- */
/* conv_rgb.cu                                                                                 */

enum {
	FVSR_CONV_RGB_THREADS = 256,
	FVSR_CONV_RGB_SIDE = 16,                     /* of a tile's square of outputs */
	FVSR_CONV_RGB_HALO = FVSR_CONV_RGB_SIDE + 2, /* of the inputs that it reads */
	FVSR_CONV_RGB_DEPTH = 32,                    /* channels of a step */
	FVSR_CONV_RGB_STAGES = 2,                    /* steps in shared memory */
	FVSR_CONV_RGB_WEIGHTS = 9 * 8, /* rows: 3 output channels and 5 of zeros for each tap */
	FVSR_CONV_RGB_DIRECT_THREADS = 64,
};

/* Dynamic shared memory in bytes: a step's pixels and weights, DEPTH bf16 each. */
#define FVSR_CONV_RGB_SHARED                                                                       \
	(FVSR_CONV_RGB_STAGES *                                                                    \
	 (FVSR_CONV_RGB_HALO * FVSR_CONV_RGB_HALO + FVSR_CONV_RGB_WEIGHTS) * FVSR_CONV_RGB_DEPTH * \
	 2)

/* The last convolution: three output channels, planar float. */
struct fvsr_conv_rgb_params {
	const void *src;    /* bf16 (h, w, cin) */
	const void *weight; /* bf16 (3, 9, cin) */
	const float *bias;
	const void *canvas; /* half (3, h, w), or NULL */
	float *dst;         /* (3, h, w) */
	int h, w, cin;
};

/* ------------------------------------------------------------------------------------------- */
/* color.cu                                                                                    */

enum {
	FVSR_COLOR_THREADS = 256,
	FVSR_COLOR_PARTS = 128,    /* partial sums of a plane */
	FVSR_COLOR_MODE_ADAIN = 1, /* FVSR_COLOR_ADAIN of the public header */
};

#define FVSR_COLOR_LIMIT 16.0f /* FVSR_PICTURE_LIMIT of backend.h */

struct fvsr_color_params {
	const float *decoded; /* (3, pad_height, pad_width) */
	const void *canvas;   /* half, the same shape */
	const uint8_t *alpha; /* (height, width) */
	void *dst;            /* u8x4 (height, width), or float (3, height, width) */
	float *final;         /* (3, height, width), or NULL */
	double *sums;         /* (2 kinds, 3 channels, parts, 2): around the first sample */
	const float *low;     /* wavelet: (3, height, width) blurred so far; NULL: none yet */
	float *blurred;       /* wavelet: where the next level goes */
	int width, height, pad_width, pad_height;
	int mode; /* enum fvsr_color */
	int step; /* wavelet: distance of the taps */
	int planar, swap, nearest;
};

/* ------------------------------------------------------------------------------------------- */
/* The list                                                                                    */

/*
 * X(kernel, threads of a block, most dynamic shared memory in bytes, width)
 *
 * 'width' tells kernels of a family apart, in ascending order: the most columns of a row (norm,
 * qk_rope) or elements of a head (attention) that the kernel takes, or the output channels of its
 * tile (gemm), or a position's side (pixel_shuffle). 0: there is no family.
 */
#define FVSR_GENERIC_KERNELS(X)                                                                    \
	X(resize_rows, FVSR_LINE_THREADS, 0, 0)                                                    \
	X(resize_columns, FVSR_LINE_THREADS, 0, 0)                                                 \
	X(ingest_planar, FVSR_LINE_THREADS, 0, 0)                                                  \
	X(unshuffle, FVSR_ITEM_THREADS, 0, 0)                                                      \
	X(unpatchify, FVSR_ITEM_THREADS, 0, 0)                                                     \
	X(decoder_input, FVSR_ITEM_THREADS, 0, 0)                                                  \
	X(pixel_shuffle_2, FVSR_SHUFFLE_THREADS(2), 0, 2)                                          \
	X(pixel_shuffle_3, FVSR_SHUFFLE_THREADS(3), 0, 3)                                          \
	X(pixel_shuffle_4, FVSR_SHUFFLE_THREADS(4), 0, 4)                                          \
	X(shrink, FVSR_ITEM_THREADS, 0, 0)                                                         \
	X(noise_slice, FVSR_ITEM_THREADS, 0, 0)                                                    \
	X(rope_table, FVSR_ROPE_TABLE_THREADS, 0, 0)                                               \
	X(norm_512, FVSR_NORM_THREADS, 0, 512)                                                     \
	X(norm_1536, FVSR_NORM_THREADS, 0, 1536)                                                   \
	X(norm_4096, FVSR_NORM_THREADS, 0, 4096)                                                   \
	X(norm_any, FVSR_NORM_THREADS, 0, 0)                                                       \
	X(add, FVSR_ITEM_THREADS, 0, 0)                                                            \
	X(to_bf16, FVSR_ITEM_THREADS, 0, 0)                                                        \
	X(fill, FVSR_ITEM_THREADS, 0, 0)                                                           \
	X(delay, 1, 0, 0)                                                                          \
	X(qk_rope_512, FVSR_ROPE_THREADS, 0, 512)                                                  \
	X(qk_rope_1536, FVSR_ROPE_THREADS, 0, 1536)                                                \
	X(qk_rope_any, FVSR_ROPE_THREADS, FVSR_ROPE_ANY_SHARED(12288), 12288)                      \
	X(block_scores, FVSR_SCORE_THREADS, 0, 0)                                                  \
	X(block_keep, FVSR_KEEP_THREADS, 0, 0)                                                     \
	X(attention_32, FVSR_ATTENTION_THREADS, FVSR_ATTENTION_SHARED(32), 32)                     \
	X(attention_64, FVSR_ATTENTION_THREADS, FVSR_ATTENTION_SHARED(64), 64)                     \
	X(attention_128, FVSR_ATTENTION_THREADS, FVSR_ATTENTION_SHARED(128), 128)                  \
	X(gemm_16, FVSR_GEMM_THREADS, FVSR_GEMM_SHARED(16), 16)                                    \
	X(gemm_32, FVSR_GEMM_THREADS, FVSR_GEMM_SHARED(32), 32)                                    \
	X(gemm_64, FVSR_GEMM_THREADS, FVSR_GEMM_SHARED(64), 64)                                    \
	X(gemm_128, FVSR_GEMM_THREADS, FVSR_GEMM_SHARED(128), 128)                                 \
	X(conv_direct, FVSR_ITEM_THREADS, 0, 0)                                                    \
	X(conv_rgb, FVSR_CONV_RGB_THREADS, FVSR_CONV_RGB_SHARED, 0)                                \
	X(conv_rgb_direct, FVSR_CONV_RGB_DIRECT_THREADS, 0, 0)                                     \
	X(color_sums, FVSR_COLOR_THREADS, 0, 0)                                                    \
	X(color_apply, FVSR_COLOR_THREADS, 0, 0)                                                   \
	X(wavelet_level, FVSR_COLOR_THREADS, 0, 0)                                                 \
	X(wavelet_apply, FVSR_COLOR_THREADS, 0, 0)

/* FVSR_WIDTH_norm_512 and so on. */
enum fvsr_generic_width {
#define X(kernel, threads, shared_bytes, width) FVSR_WIDTH_##kernel = width,
	FVSR_GENERIC_KERNELS(X)
#undef X
};

#endif
