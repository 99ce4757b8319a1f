/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parameters of the generic kernels: one structure each, passed by value, read by C on the
 * host and by CUDA on the device. Addresses are device addresses; bf16, half, float and so on as
 * the comments say.
 */
#ifndef FVSR_KERNELS_PARAMS_H
#define FVSR_KERNELS_PARAMS_H

#include <stdint.h>

#define FVSR_PARAMS_MAX_SLICES 9

/* ------------------------------------------------------------------------------------------- */
/* picture.cu                                                                                  */

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

/* ------------------------------------------------------------------------------------------- */
/* noise.cu                                                                                    */

struct fvsr_noise_params {
	float *latent; /* (2, lh, lw, channels) */
	void *patches; /* bf16 (tokens, channels * 4) */
	uint64_t key;
	int normal, lh, lw, channels, first_frame, frames;
};

#define FVSR_PARAMS_MAX_PAIRS 64

struct fvsr_rope_table_params {
	float *dst; /* (positions, pairs, 2) */
	int64_t first;
	int positions, pairs;
	double frequency[FVSR_PARAMS_MAX_PAIRS]; /* angle of a position, from the host's pow() */
};

/* ------------------------------------------------------------------------------------------- */
/* norm.cu                                                                                     */

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
/* gemm.cu, conv_halo.cu, conv_direct.cu                                                       */

enum fvsr_conv_border {
	FVSR_BORDER_ZERO = 1,
	FVSR_BORDER_REPLICATE = 2,
};

enum fvsr_conv_activation {
	FVSR_CONV_NONE = 1,
	FVSR_CONV_SILU = 2,
	FVSR_CONV_GELU_TANH = 3,
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

#define FVSR_COLOR_PARTS 128 /* partial sums of a plane */

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

#endif
