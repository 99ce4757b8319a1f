/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The op table: all that the network may ask of a machine. One network is written against it
 * (core/net), each backend fills it in. The plain C versions in cpu/ are the definition of every
 * operation; the others are tested against them (tests/ops).
 *
 * Memory. An address is a void pointer of the backend's: the network does arithmetic in bytes on
 * it and never reads through it. Elements have one of four kinds:
 *
 *	ACT     an activation or a matrix weight, backend->act_bytes each (float32 or bfloat16)
 *	CANVAS  a canvas sample in [-1, 1], backend->canvas_bytes each
 *	F32     norm weights, biases, latents, statistics, pictures between stages
 *	I32, U8 lists and 8-bit samples
 *
 * Shapes are row-major. Pictures inside the network are NHWC; canvases and decoded pictures are
 * planar (3, H, W). "tokens" is the order (frame, row, column) within a slice, "window order" is
 * (block row, block column; frame, row, column inside the block of 2 x 8 x 8).
 *
 * Order. Ops of one queue happen in the order of the calls; whether a call waits for its work is
 * the backend's choice. download() and finish() wait. Failures stick to the queue: ops after one
 * do nothing, and finish() tells.
 *
 * Planning. While queue->planning is set, ops touch no memory and may get NULL addresses; they
 * prepare what the shapes need (primitives, algorithms, tables) and raise queue->scratch_bytes,
 * which whoever plans a queue anew sets to 0 before. With NULL addresses that is only an estimate
 * of cost; a queue that is to run must have planned every op with the addresses that it will run
 * with. After planning nothing is allocated any more.
 *
 * NaN and infinity. Weights are finite when they are loaded (model/weights.h), but products of huge
 * ones overflow, so every activation may be infinite or NaN. Ops hand such values on by the rules
 * of IEEE 754; which elements a NaN spreads to within a convolution or a softmax, and whether a
 * ReLU makes 0 of it, may differ between backends, as roundings do. Where a value becomes an
 * integer, an index or a pixel, all backends follow one rule, and no op reads or writes outside
 * its operands because of a value:
 *
 *	ingest         a float canvas is clamped to [-1, 1]; NaN becomes -1
 *	block_select   a score that is NaN counts as -infinity, +infinity as the largest float;
 *	               a row of the map without a score above -infinity keeps nothing
 *	color_finish   both pictures are clamped to +-FVSR_PICTURE_LIMIT before anything is
 *	               computed of them, and NaN becomes -FVSR_PICTURE_LIMIT: means and deviations
 *	               are finite, and the result lies in [-1, 1]. Alpha is a copy of the input's,
 *	               whatever the colours are.
 */
#ifndef FVSR_BACKEND_H
#define FVSR_BACKEND_H

#include <stdatomic.h>

#include "base/common.h"
#include "base/geometry.h"

#define FVSR_MAX_SLICES    9  /* attended at once: kv_ratio <= 8, plus the chunk's own */
#define FVSR_PICTURE_LIMIT 16 /* see "NaN and infinity"; pictures lie in [-1, 1] or near it */

struct fvsr_backend;

/* Parts of the work that are timed. */
enum fvsr_stage {
	FVSR_STAGE_INGEST,
	FVSR_STAGE_PROJECTION,
	FVSR_STAGE_TRANSFORMER,
	FVSR_STAGE_DECODER,
	FVSR_STAGE_COLOR,
	FVSR_STAGE_IDLE, /* nothing that counts */
	FVSR_STAGES,
};

/* What a backend keeps per opened device; backends put it first in a structure of theirs. */
struct fvsr_device {
	const struct fvsr_backend *backend;
	struct fvsr_log log;
	int threads;
	int card; /* of a GPU backend: see struct fvsr_model_options */
};

/* An ordered stream of work; backends put it first in a structure of theirs. */
struct fvsr_queue {
	const struct fvsr_backend *backend;
	struct fvsr_device *device;
	bool planning;
	size_t scratch_bytes; /* what ops asked for while planning */
	void *scratch;        /* set by the owner afterwards; shared by all ops, used within one */
	double stage_ms[FVSR_STAGES]; /* sums of what finish() or wait_emitted() has waited for */
	int error;                    /* the first failure, FVSR_ERR_*; 0 if none */
	struct fvsr_error message;
	atomic_bool interrupted; /* by another thread: the next op fails with FVSR_ERR_CANCELLED */
};

enum fvsr_kind {
	FVSR_ACT = 1,
	FVSR_CANVAS = 2,
	FVSR_F32 = 3,
	FVSR_I32 = 4,
	FVSR_U8 = 5,
};

enum fvsr_activation {
	FVSR_ACT_NONE = 1,
	FVSR_ACT_SILU = 2,
	FVSR_ACT_GELU_TANH = 3,
};

/*
 * A frame arrives: 'src' -> canvas in [-1, 1], padded by replication, and alpha of the visible
 * part.
 */
struct fvsr_ingest {
	const struct fvsr_picture
		*src;      /* 8-bit: scaled (bicubic); RGBF32P: already width x height */
	void *canvas;      /* CANVAS (3, pad_height, pad_width) */
	void *alpha;       /* U8 (height, width) */
	int width, height; /* visible */
	int pad_width, pad_height;
};

/*
 * Convolution over frames of the projection (section 4): output i reads the four frames
 * src[taps[i][0..3]], 3x3 in space with the border replicated.
 */
struct fvsr_conv_frames {
	void *dst;          /* ACT (outputs, h, w, cout) */
	const void *src;    /* ACT (any, h, w, cin) */
	const void *weight; /* ACT (cout, 4, 3, 3, cin) */
	const void *bias;   /* F32 (cout) */
	int taps[4][4];
	int outputs, h, w, cin, cout;
};

/* y = residual + activation(x W^T + b) */
struct fvsr_linear {
	void *y;              /* ACT (m, n) */
	const void *x;        /* ACT (m, k) */
	const void *weight;   /* ACT (n, k) */
	const void *bias;     /* F32 (n) */
	const void *residual; /* ACT (m, n), may be y; NULL: none */
	int m, n, k;
	enum fvsr_activation activation;
};

/* Section 5, steps 3 to 5, for one slice; also the block means of section 6. */
struct fvsr_qk_rope {
	const void *qkv;             /* ACT (2 h w, 3 dim): q, k, v of a token side by side */
	void *q, *k, *v;             /* ACT (nb * 128, dim), window order */
	void *q_mean, *k_mean;       /* F32 (nb, dim) */
	const void *norm_q, *norm_k; /* F32 (dim) */
	const void *rope_frame;  /* F32 (2, c/2, 2): cosine and sine of each pair, see rope_table */
	const void *rope_row;    /* F32 (h, c/2, 2) */
	const void *rope_column; /* F32 (w, c/2, 2) */
	int h, w, dim, heads;    /* h, w in tokens, multiples of 8 */
	float eps;
};

/* Section 6: which key blocks each query block attends to. */
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

/* softmax(q k^T / sqrt(head_dim)) v over the selected blocks. */
struct fvsr_block_attention {
	void *dst;     /* ACT (query_slices * 2 h w, dim), tokens of each slice in token order */
	const void *q; /* ACT (query_slices * nb * 128, dim), window order */
	const void *k, *v;         /* ACT (slots, nb * 128, dim), window order */
	const void *index, *count; /* from block_select */
	int slot[FVSR_MAX_SLICES];
	int query_slices, key_slices;
	int h, w, dim, heads;
};

/* softmax(q k^T / sqrt(head_dim) + bias) v, every token over all keys. */
struct fvsr_cross_attention {
	void *dst;         /* ACT (tokens, dim) */
	const void *q;     /* ACT (tokens, dim) */
	const void *k, *v; /* ACT (keys, dim) */
	const void *bias;  /* F32 (keys) */
	int tokens, keys, dim, heads;
};

/* Noise of one slice, as latent and as patches. Element order of the generator: section 3. */
struct fvsr_noise_slice {
	void *latent;  /* F32 (2, lh, lw, channels) */
	void *patches; /* ACT (2 * lh/2 * lw/2, channels * 4), feature c * 4 + py * 2 + px */
	enum fvsr_noise kind;
	uint64_t key; /* from fvsr_noise_key() */
	int lh, lw, channels;
	int first_frame, frames; /* this slice's first latent frame in a chunk of 'frames' */
};

/* latent = noise - velocity */
struct fvsr_unpatchify {
	void *latent;      /* F32 (2, lh, lw, channels) */
	const void *noise; /* F32, the same shape */
	const void *
		patches; /* ACT (2 * lh/2 * lw/2, 4 * channels), feature (py*2 + px)*channels + c */
	int lh, lw, channels;
};

/* Section 7, n = 0: condition and latent, clamped. */
struct fvsr_decoder_input {
	void *dst;             /* ACT (lh, lw, 768 + channels) */
	const void *canvas[4]; /* CANVAS (3, 8 lh, 8 lw) each */
	const void *latent;    /* F32 (lh, lw, channels) */
	int lh, lw, channels;
};

/* y = relu(residual + conv([x, past]) + b), borders zero. */
struct fvsr_conv3x3 {
	void *dst;            /* ACT (frames, h, w, cout) */
	const void *src;      /* ACT (frames, h, w, cin) */
	const void *past;     /* ACT, the same shape as src, or NULL */
	const void *weight;   /* ACT (cout, 3, 3, cin or 2 cin): channels of src, then of past */
	const void *bias;     /* F32 (cout), or NULL */
	const void *residual; /* ACT, the same shape as dst, or NULL */
	int frames, h, w, cin, cout;
	bool relu;
};

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

/* Last convolution: y * 2 - 1, or canvas + y. */
struct fvsr_conv_rgb {
	void *dst;          /* F32 (3, h, w) */
	const void *src;    /* ACT (h, w, cin) */
	const void *weight; /* ACT (3, 3, 3, cin) */
	const void *bias;   /* F32 (3) */
	const void *canvas; /* CANVAS (3, h, w), or NULL: y * 2 - 1 */
	int h, w, cin;
};

/*
 * The end of a decoder of fewer levels (section 9): a frame's pixels from the channels, whose
 * order is (frame, colour, row, column); y * 2 - 1, or canvas + y.
 */
struct fvsr_pixel_shuffle {
	void *dst;          /* F32 (3, h * side, w * side) */
	const void *src;    /* ACT (h, w, frames * 3 * side * side) */
	const void *canvas; /* CANVAS, the same shape as dst, or NULL: y * 2 - 1 */
	int h, w;           /* of src */
	int side;           /* 2 or 4 */
	int frames, frame;  /* how many src holds, and which one is wanted */
};

/* Section 8, on the visible part. */
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

struct fvsr_backend {
	const char *name;
	size_t act_bytes, canvas_bytes;
	bool host_memory; /* what alloc() gives is host memory */

	/* Fills 'device', 'available' and 'reason'. */
	void (*describe)(struct fvsr_backend_info *info);
	/* Of the options: threads, card, background, hold and log. */
	int (*device_open)(struct fvsr_device **out, const struct fvsr_model_options *options,
			   struct fvsr_error *err);
	void (*device_close)(struct fvsr_device *device);

	/* 256-byte aligned, content undefined; NULL when there is not enough. */
	void *(*alloc)(struct fvsr_device *device, size_t bytes);
	void (*free)(struct fvsr_device *device, void *memory);
	/* Memory of the host for offload() and reload(), content undefined; NULL for none. */
	void *(*host_alloc)(struct fvsr_device *device, size_t bytes);
	void (*host_free)(struct fvsr_device *device, void *memory);
	/* Bytes that alloc() could give now; NULL for backends that need not ask. */
	size_t (*free_bytes)(struct fvsr_device *device);
	/* Converts float32 from the host to 'kind' at dst; waits. Used while loading. */
	int (*upload)(struct fvsr_device *device, void *dst, enum fvsr_kind kind, const float *src,
		      size_t count, struct fvsr_error *err);
	/* Tells that a weight that ops cached something of is about to be freed. */
	void (*forget)(struct fvsr_device *device, const void *memory, size_t bytes);

	int (*queue_open)(struct fvsr_queue **out, struct fvsr_device *device,
			  struct fvsr_error *err);
	void (*queue_close)(struct fvsr_queue *queue);
	/* Waits for all work; returns queue->error. */
	int (*finish)(struct fvsr_queue *queue);
	/* The ops that follow belong to 'stage'. */
	void (*stage)(struct fvsr_queue *queue, enum fvsr_stage stage);
	/* Waits, then converts 'count' elements to float32 on the host. */
	void (*download)(struct fvsr_queue *queue, float *dst, const void *src, enum fvsr_kind kind,
			 size_t count);
	void (*copy)(struct fvsr_queue *queue, void *dst, const void *src, size_t bytes);
	void (*zero)(struct fvsr_queue *queue, void *dst, size_t bytes);
	/*
	 * Copies to memory of host_alloc() and back, beside the ops: each begins when the ops
	 * called before it are done, and they happen in the order of their calls. Ops called after
	 * a join() wait for all copies called before it.
	 */
	void (*offload)(struct fvsr_queue *queue, void *host, const void *src, size_t bytes);
	void (*reload)(struct fvsr_queue *queue, void *dst, const void *host, size_t bytes);
	void (*join)(struct fvsr_queue *queue);
	/* A finished picture (FVSR_U8 x 4 or planar float, tight rows) to the caller's frame. */
	void (*emit)(struct fvsr_queue *queue, const struct fvsr_picture *dst, const void *src);
	/*
	 * Wait until the last ingest() has read its frame, or the last emit() has written its, and
	 * for nothing that was called after it. NULL for backends whose calls return when it is
	 * done.
	 */
	void (*wait_ingested)(struct fvsr_queue *queue);
	void (*wait_emitted)(struct fvsr_queue *queue);

	void (*ingest)(struct fvsr_queue *queue, const struct fvsr_ingest *a);
	/* Space-to-depth by 16: CANVAS (3, 16 h, 16 w) -> ACT (h, w, 768), c*256 + y*16 + x. */
	void (*unshuffle)(struct fvsr_queue *queue, void *dst, const void *canvas, int h, int w);
	void (*conv_frames)(struct fvsr_queue *queue, const struct fvsr_conv_frames *a);
	/* silu(x / max(|x|, 1e-12) * sqrt(channels) * gamma) per row; dst may be src. */
	void (*rms_silu)(struct fvsr_queue *queue, void *dst, const void *src, const void *gamma,
			 int rows, int channels);
	void (*linear)(struct fvsr_queue *queue, const struct fvsr_linear *a);
	/* LN(x) * scale + shift, scale and shift F32 (dim). */
	void (*layer_norm)(struct fvsr_queue *queue, void *dst, const void *src, const void *scale,
			   const void *shift, int rows, int dim, float eps);
	/* x / sqrt(mean(x^2) + eps) * weight, weight F32 (dim); dst may be src. */
	void (*rms_norm)(struct fvsr_queue *queue, void *dst, const void *src, const void *weight,
			 int rows, int dim, float eps);
	/* dst += src, ACT (count). */
	void (*add)(struct fvsr_queue *queue, void *dst, const void *src, size_t count);
	/* F32 (positions, size / 2, 2): cos and sin of (first + i) * 10000^(-2j / size), in double.
	 */
	void (*rope_table)(struct fvsr_queue *queue, void *dst, int64_t first, int positions,
			   int size);
	void (*qk_rope)(struct fvsr_queue *queue, const struct fvsr_qk_rope *a);
	void (*block_select)(struct fvsr_queue *queue, const struct fvsr_block_select *a);
	void (*block_attention)(struct fvsr_queue *queue, const struct fvsr_block_attention *a);
	void (*cross_attention)(struct fvsr_queue *queue, const struct fvsr_cross_attention *a);
	void (*noise_slice)(struct fvsr_queue *queue, const struct fvsr_noise_slice *a);
	void (*unpatchify)(struct fvsr_queue *queue, const struct fvsr_unpatchify *a);
	void (*decoder_input)(struct fvsr_queue *queue, const struct fvsr_decoder_input *a);
	void (*conv3x3)(struct fvsr_queue *queue, const struct fvsr_conv3x3 *a);
	void (*upsample_conv)(struct fvsr_queue *queue, const struct fvsr_upsample_conv *a);
	void (*conv_rgb)(struct fvsr_queue *queue, const struct fvsr_conv_rgb *a);
	void (*pixel_shuffle)(struct fvsr_queue *queue, const struct fvsr_pixel_shuffle *a);
	void (*color_finish)(struct fvsr_queue *queue, const struct fvsr_color_finish *a);
};

/* Backend 'index', best first; NULL past the last. */
const struct fvsr_backend *fvsr_backend_at(unsigned index);
/* By name; NULL or "auto" is the best available one. NULL (and a message) if there is none. */
const struct fvsr_backend *fvsr_backend_find(const char *name, struct fvsr_error *err);

/* Records the first failure of a queue. */
void fvsr_queue_fail(struct fvsr_queue *queue, int code, const char *format, ...) FVSR_PRINTF(3, 4);
/* While planning: this op will use 'bytes' of scratch memory. */
static inline void fvsr_queue_scratch(struct fvsr_queue *queue, size_t bytes)
{
	if (bytes > queue->scratch_bytes)
		queue->scratch_bytes = bytes;
}
/* An interruption becomes a failure, so that nothing of the work at hand goes on. */
void fvsr_queue_stop(struct fvsr_queue *queue);
/* True when an op has nothing more to do: planning, a failure before it, or an interruption. */
static inline bool fvsr_queue_idle(struct fvsr_queue *queue)
{
	if (!queue->planning && atomic_load_explicit(&queue->interrupted, memory_order_relaxed))
		fvsr_queue_stop(queue);
	return queue->planning || queue->error;
}

extern const struct fvsr_backend fvsr_backend_cuda; /* listed also where it is not built */
extern const struct fvsr_backend fvsr_backend_cpu_plain;
#ifdef FVSR_WITH_ONEDNN
extern const struct fvsr_backend fvsr_backend_cpu;
#endif

#endif
