/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ops. Each has a function type, fvsr_op_NAME, and those with many operands have a structure
 * for them. What exists once for every op is made from the list at the end: the members of the op
 * table (backend.h), the prototypes of each backend's functions and the backends' tables.
 *
 * A new op is a type and a line in this file, a plain version (cpu/plain), a version for each other
 * backend that does not take the plain one, and a case in tests/ops, where a test fails without
 * one. backend.h says what is true of all ops, and what kinds of elements and orders of tokens
 * there are. Sections are those of the specification.
 */
#ifndef FVSR_BACKEND_OPS_H
#define FVSR_BACKEND_OPS_H

#include "base/geometry.h"

#define FVSR_MAX_SLICES    9  /* attended at once: kv_ratio <= 8, plus the chunk's own */
#define FVSR_PICTURE_LIMIT 16 /* see "NaN and infinity"; pictures lie in [-1, 1] or near it */

struct fvsr_queue;

/* ------------------------------------------------------------------------------------------- */
/* Memory                                                                                      */

typedef void fvsr_op_copy(struct fvsr_queue *queue, void *dst, const void *src, size_t bytes);
typedef void fvsr_op_zero(struct fvsr_queue *queue, void *dst, size_t bytes);

/*
 * Offload and reload copy to memory of host_alloc() and back, beside the other ops: each copy
 * begins when the ops called before it are done, and the copies happen in the order of their calls.
 * Ops called after a join wait for all copies called before it.
 */
typedef void fvsr_op_offload(struct fvsr_queue *queue, void *host, const void *src, size_t bytes);
typedef void fvsr_op_reload(struct fvsr_queue *queue, void *dst, const void *host, size_t bytes);
typedef void fvsr_op_join(struct fvsr_queue *queue);

/* ------------------------------------------------------------------------------------------- */
/* Pictures of the caller (sections 1, 3 and 8)                                                */

/*
 * Makes the canvas of a frame that arrives: its colours in [-1, 1], padded by replication, and the
 * alpha of the visible part. A picture of 8 bits is scaled (bicubic); one of RGBF32P already
 * measures width x height.
 */
struct fvsr_ingest {
	const struct fvsr_picture *src;
	void *canvas;      /* CANVAS (3, pad_height, pad_width) */
	void *alpha;       /* U8 (height, width) */
	int width, height; /* visible */
	int pad_width, pad_height;
};
typedef void fvsr_op_ingest(struct fvsr_queue *queue, const struct fvsr_ingest *a);

/* Writes a finished picture (U8 x 4 or planar float, tight rows) to the caller's frame. */
typedef void fvsr_op_emit(struct fvsr_queue *queue, const struct fvsr_picture *dst,
			  const void *src);

/* Corrects the colours of the visible part and makes the finished picture of it. */
struct fvsr_color_finish {
	const void *decoded; /* F32 (3, pad_height, pad_width) */
	const void *canvas;  /* CANVAS, the same shape */
	const void *alpha;   /* U8 (height, width) */
	enum fvsr_color mode;
	int width, height, pad_width, pad_height;
	enum fvsr_format format;
	bool nearest; /* to 8 bits: round to nearest (residual models) instead of down */
	void *dst;    /* U8 (height, width, 4), or F32 (3, height, width) for RGBF32P */
	void *final;  /* F32 (3, height, width), or NULL */
};
typedef void fvsr_op_color_finish(struct fvsr_queue *queue, const struct fvsr_color_finish *a);

/* ------------------------------------------------------------------------------------------- */
/* Projection (section 4)                                                                      */

/* Moves space to depth: CANVAS (3, 16 h, 16 w) -> ACT (h, w, 768), feature c*256 + y*16 + x. */
typedef void fvsr_op_unshuffle(struct fvsr_queue *queue, void *dst, const void *canvas, int h,
			       int w);

/*
 * Convolves over four frames and 3x3 in space, the border replicated: output i reads the frames
 * src[taps[i][0..3]].
 */
struct fvsr_conv_frames {
	void *dst;          /* ACT (outputs, h, w, cout) */
	const void *src;    /* ACT (any, h, w, cin) */
	const void *weight; /* ACT (cout, 4, 3, 3, cin) */
	const void *bias;   /* F32 (cout) */
	int taps[4][4];
	int outputs, h, w, cin, cout;
};
typedef void fvsr_op_conv_frames(struct fvsr_queue *queue, const struct fvsr_conv_frames *a);

/*
 * Computes silu(x / max(|x|, 1e-12) * sqrt(channels) * gamma) of each row: ACT (rows, channels),
 * gamma F32 (channels). dst may be src.
 */
typedef void fvsr_op_rms_silu(struct fvsr_queue *queue, void *dst, const void *src,
			      const void *gamma, int rows, int channels);

/* ------------------------------------------------------------------------------------------- */
/* Transformer (sections 5 and 6)                                                              */

enum fvsr_activation {
	FVSR_ACT_NONE = 1,
	FVSR_ACT_SILU = 2,
	FVSR_ACT_GELU_TANH = 3,
};

/* Computes y = residual + activation(x W^T + b). */
struct fvsr_linear {
	void *y;              /* ACT (m, n) */
	const void *x;        /* ACT (m, k) */
	const void *weight;   /* ACT (n, k) */
	const void *bias;     /* F32 (n) */
	const void *residual; /* ACT (m, n), may be y; NULL: none */
	int m, n, k;
	enum fvsr_activation activation;
};
typedef void fvsr_op_linear(struct fvsr_queue *queue, const struct fvsr_linear *a);

/*
 * Computes (x - mean(x)) / sqrt(variance(x) + eps) * scale + shift of each row: ACT (rows, dim),
 * scale and shift F32 (dim).
 */
typedef void fvsr_op_layer_norm(struct fvsr_queue *queue, void *dst, const void *src,
				const void *scale, const void *shift, int rows, int dim, float eps);

/*
 * Computes x / sqrt(mean(x^2) + eps) * weight of each row: ACT (rows, dim), weight F32 (dim). dst
 * may be src.
 */
typedef void fvsr_op_rms_norm(struct fvsr_queue *queue, void *dst, const void *src,
			      const void *weight, int rows, int dim, float eps);

/* Adds src to dst, ACT (count) both. */
typedef void fvsr_op_add(struct fvsr_queue *queue, void *dst, const void *src, size_t count);

/*
 * Fills F32 (positions, size / 2, 2) with cosine and sine of (first + i) * 10000^(-2j / size), the
 * angle computed in double.
 */
typedef void fvsr_op_rope_table(struct fvsr_queue *queue, void *dst, int64_t first, int positions,
				int size);

/*
 * Takes queries and keys of one slice through norm and rotation, and all three into window order
 * (section 5, steps 3 to 5); also computes the means of the blocks (section 6). Each head's
 * channels are split among frame, row and column: c stands for the axis's own number of them.
 */
struct fvsr_qk_rope {
	const void *qkv;             /* ACT (2 h w, 3 dim): q, k, v of a token side by side */
	void *q, *k, *v;             /* ACT (nb * 128, dim), window order */
	void *q_mean, *k_mean;       /* F32 (nb, dim) */
	const void *norm_q, *norm_k; /* F32 (dim) */
	const void *rope_frame;      /* F32 (2, c/2, 2) from rope_table */
	const void *rope_row;        /* F32 (h, c/2, 2) */
	const void *rope_column;     /* F32 (w, c/2, 2) */
	int h, w, dim, heads;        /* h, w in tokens, multiples of 8 */
	float eps;
};
typedef void fvsr_op_qk_rope(struct fvsr_queue *queue, const struct fvsr_qk_rope *a);

/* Selects the key blocks that each query block attends to (section 6). */
struct fvsr_block_select {
	void *index;        /* I32 (heads, query blocks, key blocks): kept key blocks, ascending */
	void *count;        /* I32 (heads, query blocks) */
	const void *q_mean; /* F32 (query_slices * nb, dim) */
	const void *k_mean; /* F32 (slots, nb, dim) */
	int slot[FVSR_MAX_SLICES]; /* slots of the key slices, oldest first */
	int query_slices, key_slices;
	int block_rows, block_columns; /* nb = block_rows * block_columns */
	int dim, heads;
	int local_range;
	int64_t topk; /* floor(nb^2 * topk_ratio) - 1, may be negative */
};
typedef void fvsr_op_block_select(struct fvsr_queue *queue, const struct fvsr_block_select *a);

/* Computes softmax(q k^T / sqrt(head_dim)) v over the selected blocks. */
struct fvsr_block_attention {
	void *dst;     /* ACT (query_slices * 2 h w, dim), tokens of each slice in token order */
	const void *q; /* ACT (query_slices * nb * 128, dim), window order */
	const void *k, *v;         /* ACT (slots, nb * 128, dim), window order */
	const void *index, *count; /* from block_select */
	int slot[FVSR_MAX_SLICES];
	int query_slices, key_slices;
	int h, w, dim, heads;
};
typedef void fvsr_op_block_attention(struct fvsr_queue *queue,
				     const struct fvsr_block_attention *a);

/* Computes softmax(q k^T / sqrt(head_dim) + bias) v, for every token over all keys. */
struct fvsr_cross_attention {
	void *dst;         /* ACT (tokens, dim) */
	const void *q;     /* ACT (tokens, dim) */
	const void *k, *v; /* ACT (keys, dim) */
	const void *bias;  /* F32 (keys) */
	int tokens, keys, dim, heads;
};
typedef void fvsr_op_cross_attention(struct fvsr_queue *queue,
				     const struct fvsr_cross_attention *a);

/* ------------------------------------------------------------------------------------------- */
/* Latents (sections 3 and 5)                                                                  */

/*
 * Draws the noise of one slice, as latent and as patches. Section 3 has the order in which the
 * generator's elements are used.
 */
struct fvsr_noise_slice {
	void *latent;  /* F32 (2, lh, lw, channels) */
	void *patches; /* ACT (2 * lh/2 * lw/2, channels * 4), feature c * 4 + py * 2 + px */
	enum fvsr_noise kind;
	uint64_t key; /* from fvsr_noise_key() */
	int lh, lw, channels;
	int first_frame, frames; /* this slice's first latent frame in a chunk of 'frames' */
};
typedef void fvsr_op_noise_slice(struct fvsr_queue *queue, const struct fvsr_noise_slice *a);

/* Computes latent = noise - velocity, the velocity given as patches. */
struct fvsr_unpatchify {
	void *latent;      /* F32 (2, lh, lw, channels) */
	const void *noise; /* F32, the same shape */
	/* ACT (2 * lh/2 * lw/2, 4 * channels), feature (py * 2 + px) * channels + c */
	const void *patches;
	int lh, lw, channels;
};
typedef void fvsr_op_unpatchify(struct fvsr_queue *queue, const struct fvsr_unpatchify *a);

/* ------------------------------------------------------------------------------------------- */
/* Decoder (sections 7 and 9)                                                                  */

/* Computes 3 tanh(x / 3) of condition and latent side by side (section 7, n = 0). */
struct fvsr_decoder_input {
	void *dst;             /* ACT (lh, lw, 768 + channels) */
	const void *canvas[4]; /* CANVAS (3, 8 lh, 8 lw) each */
	const void *latent;    /* F32 (lh, lw, channels) */
	int lh, lw, channels;
};
typedef void fvsr_op_decoder_input(struct fvsr_queue *queue, const struct fvsr_decoder_input *a);

enum fvsr_trunk_end {
	FVSR_END_NONE = 0, /* of all convolutions that name no end */
	FVSR_END_SILU = 1,
	FVSR_END_GATE = 2,
};

/*
 * Computes dst = relu(residual + o) with o = conv([src, past]) + bias, borders zero. A trunk's
 * ends (section 11) stand for themselves, without 'past' and 'relu': SiLU is
 * o sigmoid(o) and has no residual, the gate is (o + residual) (sigmoid(o) - 1/2).
 */
struct fvsr_conv3x3 {
	void *dst;            /* ACT (frames, h, w, cout) */
	const void *src;      /* ACT (frames, h, w, cin) */
	const void *past;     /* ACT, the same shape as src, or NULL */
	const void *weight;   /* ACT (cout, 3, 3, cin or 2 cin): channels of src, then of past */
	const void *bias;     /* F32 (cout), or NULL */
	const void *residual; /* ACT, the same shape as dst, or NULL */
	int frames, h, w, cin, cout;
	bool relu;
	enum fvsr_trunk_end end;
};
typedef void fvsr_op_conv3x3(struct fvsr_queue *queue, const struct fvsr_conv3x3 *a);

/*
 * Doubles height and width and multiplies frames by 'grow'. Phase (dy, dx) of output frame
 * n * grow + g is a convolution of its own; its taps start at input row y - 1 (ksize 3) or
 * y - 1 + dy (ksize 2), columns alike; borders zero.
 */
struct fvsr_upsample_conv {
	void *dst;          /* ACT (frames * grow, 2 h, 2 w, cout) */
	const void *src;    /* ACT (frames, h, w, cin) */
	const void *weight; /* ACT (grow, 2, 2, cout, ksize, ksize, cin) */
	int frames, h, w, cin, cout, grow, ksize;
	bool relu;
};
typedef void fvsr_op_upsample_conv(struct fvsr_queue *queue, const struct fvsr_upsample_conv *a);

/* Computes the last convolution y of a decoder, and of it canvas + y or y * 2 - 1. */
struct fvsr_conv_rgb {
	void *dst;          /* F32 (3, h, w) */
	const void *src;    /* ACT (h, w, cin) */
	const void *weight; /* ACT (3, 3, 3, cin) */
	const void *bias;   /* F32 (3) */
	const void *canvas; /* CANVAS (3, h, w), or NULL: y * 2 - 1 */
	int h, w, cin;
};
typedef void fvsr_op_conv_rgb(struct fvsr_queue *queue, const struct fvsr_conv_rgb *a);

/*
 * Ends a decoder of fewer levels (section 9), or a trunk: makes a frame's pixels y of the channels,
 * whose order is (frame, colour, row, column), and of them canvas + y or y * 2 - 1.
 */
struct fvsr_pixel_shuffle {
	void *dst;          /* F32 (3, h * side, w * side) */
	const void *src;    /* ACT (h, w, frames * 3 * side * side) */
	const void *canvas; /* CANVAS, the same shape as dst, or NULL: y * 2 - 1 */
	int h, w;           /* of src */
	int side;           /* 2 to 4 */
	int frames, frame;  /* how many src holds, and which one is wanted */
};
typedef void fvsr_op_pixel_shuffle(struct fvsr_queue *queue, const struct fvsr_pixel_shuffle *a);

/* ------------------------------------------------------------------------------------------- */
/* Trunk (section 11), beside the decoder's convolutions and pixel_shuffle                     */

/*
 * Makes what a trunk sees: of each square of the canvas the mean of its colours, 'told' and zeros.
 */
struct fvsr_shrink {
	void *dst;          /* ACT (h, w, FVSR_TRUNK_CHANNELS) */
	const void *canvas; /* CANVAS (3, h * side, w * side) */
	int h, w, side;     /* side: 2 to 4 */
	float told;
};
typedef void fvsr_op_shrink(struct fvsr_queue *queue, const struct fvsr_shrink *a);

/* Computes dst = bias + the sum of a 1x1 convolution of each source. */
struct fvsr_mix {
	void *dst;          /* ACT (h, w, cout) */
	const void *src;    /* ACT (sources, h, w, cin) */
	const void *weight; /* ACT (cout, sources, cin) */
	const void *bias;   /* F32 (cout) */
	int sources;        /* 1 to 4 */
	int h, w, cin, cout;
};
typedef void fvsr_op_mix(struct fvsr_queue *queue, const struct fvsr_mix *a);

/* ------------------------------------------------------------------------------------------- */
/* The list                                                                                    */

/*
 * Lists every op as OP(name, cpu). The backend "cpu" uses the version of the folder cpu/'cpu':
 * onednn, fast (loops of our own), or plain where neither has one.
 */
#define FVSR_OPS(OP)                                                                               \
	OP(copy, plain)                                                                            \
	OP(zero, plain)                                                                            \
	OP(offload, plain)                                                                         \
	OP(reload, plain)                                                                          \
	OP(join, plain)                                                                            \
	OP(emit, plain)                                                                            \
	OP(ingest, fast)                                                                           \
	OP(unshuffle, plain)                                                                       \
	OP(conv_frames, onednn)                                                                    \
	OP(rms_silu, plain)                                                                        \
	OP(linear, onednn)                                                                         \
	OP(layer_norm, plain)                                                                      \
	OP(rms_norm, plain)                                                                        \
	OP(add, plain)                                                                             \
	OP(rope_table, plain)                                                                      \
	OP(qk_rope, plain)                                                                         \
	OP(block_select, plain)                                                                    \
	OP(block_attention, fast)                                                                  \
	OP(cross_attention, fast)                                                                  \
	OP(noise_slice, plain)                                                                     \
	OP(unpatchify, plain)                                                                      \
	OP(decoder_input, fast)                                                                    \
	OP(conv3x3, onednn)                                                                        \
	OP(upsample_conv, onednn)                                                                  \
	OP(conv_rgb, onednn)                                                                       \
	OP(pixel_shuffle, plain)                                                                   \
	OP(shrink, plain)                                                                          \
	OP(mix, onednn)                                                                            \
	OP(color_finish, fast)

#endif
