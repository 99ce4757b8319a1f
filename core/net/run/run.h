/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * State of one video on its way through the network, shared by the files that implement the
 * stages. Sizes: h x w tokens and lh x lw latent positions a frame, 'rows' tokens a slice.
 */
#ifndef FVSR_NET_RUN_H
#define FVSR_NET_RUN_H

#include "net/net.h"

#define FVSR_EPS 1e-6f

struct fvsr_tap_state;
struct fvsr_arena;

/* Buffers of the projection. */
struct fvsr_projection {
	void *input;  /* ACT (10, h, w, 768): two frames before the slice, then its eight */
	void *middle; /* ACT (6, h, w, hidden1): two from before, then the slice's four */
	void *output; /* ACT (2, h, w, hidden2) */
	void *tokens[FVSR_MAX_LQ_LAYERS]; /* ACT (3 slices, rows, dim) */
};

/* Buffers of the transformer. */
struct fvsr_transformer {
	void *x;      /* ACT (3 slices, rows, dim) */
	void *q;      /* ACT (3 slices, rows, dim), window order */
	void *a;      /* ACT (rows, dim) */
	void *wide;   /* ACT (rows, max(3 dim, ffn)) */
	void *q_mean; /* F32 (3 slices, nb, dim) */
	void *index, *count;
	void *rope_frame[FVSR_CHUNK0_SLICES], *rope_row, *rope_column;
	void *noise, *patches; /* of one slice */
};

/* Memory of slices by slot; k_mean is always the device's. */
struct fvsr_kv_pool {
	void *k, *v;  /* ACT (slots, nb * 128, dim) */
	void *k_mean; /* F32 (slots, nb, dim) */
	int slots;
	int *free_slots, free_count;
};

/*
 * Keys and values; a slot is free or belongs to one slice of one layer. One slot more than the
 * layers keep is enough: a layer's oldest slice is dropped before the next layer needs room.
 */
struct fvsr_kv {
	int kept;     /* slices that a layer holds between chunks */
	int resident; /* the first so many layers are in pool[0], the others away, in pool[1] */
	struct fvsr_kv_pool pool[2];
	void *host; /* keys and values of pool[1] */
	struct {
		void *k, *v;
	} stage[2]; /* a layer that is away computes in one of these, by turns */
	int *held;  /* (layers, kept + 2): slots, oldest first */
	int *held_count;
};

/* Where one slice's keys, values and block means of keys are written to. */
struct fvsr_kv_slice {
	void *k, *v, *mean;
};

/* All slices of a layer, oldest first. */
struct fvsr_kv_view {
	const void *k, *v, *k_mean;
	int slot[FVSR_MAX_SLICES], mean_slot[FVSR_MAX_SLICES];
	int slices;
};

/* Buffers of the decoder, by level: 1/8, 1/4, 1/2, 1/1. */
struct fvsr_decoder {
	void *input;                         /* ACT (2, lh, lw, 768 + channels) */
	void *block[3][FVSR_DEC_BLOCKS_MAX]; /* ACT (1 + frames, ...): a MemBlock's input, behind
						one frame of past */
	void *t1[3], *t2[3]; /* ACT, frames of a level; t2: input of a level without MemBlocks */
	void *top[2];        /* ACT (H, W, c3); of a strip, when there are several */
	void *flat; /* ACT (h, w, rgb channels): end of a decoder of fewer levels, or NULL */
	void *rgb;  /* F32 (3, H, W) */
	void *strip_rgb,
		*strip_canvas; /* (3, rows of a strip, W) F32, CANVAS; if there are several */
};

struct fvsr_run {
	const struct fvsr_net *net;
	const struct fvsr_backend *backend;
	struct fvsr_queue *queue;
	struct fvsr_run_settings set;
	int pad_width, pad_height, lh, lw, h, w;
	int block_rows, block_columns, blocks, rows;
	int64_t topk;
	bool lean; /* the decoder takes one frame at a time, and strips of the largest level */

	void *memory, *scratch, *work; /* 'work' is shared by stages that do not overlap */
	void *canvas, *alpha;          /* FVSR_RUN_CANVASES of each */
	void *latent;                  /* F32 (3 slices, 2, lh, lw, channels) */
	void *picture;                 /* finished pictures, 8 slots */
	void *final;                   /* F32 (3, height, width), only read by taps */
	struct fvsr_projection projection;
	struct fvsr_transformer transformer;
	struct fvsr_kv kv;
	struct fvsr_decoder decoder;
	struct fvsr_tap_state *tap;
	void (*breathe)(void *opaque); /* or NULL */
	void *breathe_opaque;
};

/* First slice of chunk k, and how many it has. */
static inline int64_t fvsr_chunk_slice(int64_t k)
{
	return k ? k + 2 : 0;
}

static inline int fvsr_chunk_slices(int64_t k)
{
	return k ? 1 : FVSR_CHUNK0_SLICES;
}

/* Between two pieces of work. */
static inline void fvsr_run_breathe(struct fvsr_run *run)
{
	if (run->breathe)
		run->breathe(run->breathe_opaque);
}

/* Canvas of frame n; frames before the first and after the last repeat them. */
void *fvsr_run_canvas(const struct fvsr_run *run, int64_t n, int64_t last);
size_t fvsr_run_act(const struct fvsr_run *run, size_t elements);

/* LQ tokens of slice s to place 'i' of projection.tokens. */
void fvsr_projection_slice(struct fvsr_run *run, int64_t s, int i, int64_t last);
void fvsr_transformer_chunk(struct fvsr_run *run, int64_t k);

/* kv.c; 'open' leaves all layers on the device. */
int fvsr_kv_open(struct fvsr_run *run, int kv_ratio);
void fvsr_kv_close(struct fvsr_run *run);
/* The last 'layers_away' layers live in host memory; before placing. */
void fvsr_kv_split(struct fvsr_run *run, int layers_away);
void fvsr_kv_place(struct fvsr_run *run, struct fvsr_arena *arena);
size_t fvsr_kv_host_bytes(const struct fvsr_run *run);
int fvsr_kv_allocate_host(struct fvsr_run *run);
void fvsr_kv_reset(struct fvsr_run *run);
/* A layer's turn begins: its slices are there afterwards, those of the next are on their way. */
void fvsr_kv_enter(struct fvsr_run *run, int layer);
/* One more slice, to be written by the caller; when all of a chunk are written, tell so. */
struct fvsr_kv_slice fvsr_kv_add(struct fvsr_run *run, int layer);
void fvsr_kv_added(struct fvsr_run *run, int layer, int slices);
struct fvsr_kv_view fvsr_kv_view(struct fvsr_run *run, int layer);
/* A layer's turn ends: it drops what it keeps no longer. */
void fvsr_kv_leave(struct fvsr_run *run, int layer);

void fvsr_decoder_reset(struct fvsr_run *run);
/* Places the decoder's buffers: those that outlive a slice, or those that do not. */
void fvsr_decoder_place(struct fvsr_run *run, struct fvsr_arena *arena, bool work);
/* Calls "finish" for every picture 8s - 3 + j between 0 and "last", when it is in decoder.rgb. */
void fvsr_decoder_slice(struct fvsr_run *run, int64_t s, int64_t last,
			void (*finish)(struct fvsr_run *run, int64_t n));

/* Taps: each does nothing unless its tensor is wanted. 'i' counts slices of the chunk. */
int fvsr_tap_open(struct fvsr_tap_state **out, const struct fvsr_run *run,
		  const struct fvsr_tap *tap);
void fvsr_tap_close(struct fvsr_tap_state *state);
void fvsr_tap_tokens(struct fvsr_run *run, int64_t k, const char *what, const void *tokens);
void fvsr_tap_mask(struct fvsr_run *run, int64_t k, int i, int key_slices);
void fvsr_tap_latent(struct fvsr_run *run, int64_t k, int i);
void fvsr_tap_picture(struct fvsr_run *run, int64_t n, const char *what, const void *picture,
		      int width, int height);

#endif
