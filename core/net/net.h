/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network on a device: parameters in the form that the ops want, and a run of it over one
 * video. Written against the op table only; knows neither backends nor where weights come from.
 *
 * Everything happens in slices (section 1): slice s holds latent frames 2s and 2s + 1, its clips
 * read video frames 8s + 1 .. 8s + 8 and its pictures are frames 8s - 3 .. 8s + 4. The first chunk
 * is slices 0, 1 and 2, attending to one another; chunk k >= 1 is slice k + 2.
 */
#ifndef FVSR_NET_NET_H
#define FVSR_NET_NET_H

#include "backend/backend.h"
#include "model/config.h"
#include "model/weights.h"

#define FVSR_LAST_UNKNOWN  INT64_MAX /* the video has not ended yet */
#define FVSR_SLICE_FRAMES  8
#define FVSR_MAX_LQ_LAYERS 64

struct fvsr_linear_param {
	void *weight, *bias;
	int n, k;
};

struct fvsr_conv_param {
	void *weight, *bias;
};

struct fvsr_layer_param {
	void *norm1_scale, *norm1_shift, *norm2_scale, *norm2_shift;
	void *norm3_weight, *norm3_bias;
	void *norm_q, *norm_k, *cross_norm_q;
	struct fvsr_linear_param qkv, out; /* gate folded into 'out' */
	struct fvsr_linear_param cross_query, cross_out;
	void *cross_key, *cross_value;            /* ACT (keys, dim), from the prompts */
	struct fvsr_linear_param ffn_in, ffn_out; /* gate folded into 'ffn_out' */
};

struct fvsr_net {
	const struct fvsr_backend *backend;
	struct fvsr_device *device;
	struct fvsr_config config;
	void *memory;
	size_t bytes;

	struct fvsr_conv_param lq_conv1, lq_conv2;
	void *lq_gamma1, *lq_gamma2;
	struct fvsr_linear_param lq_linear[FVSR_MAX_LQ_LAYERS];

	struct fvsr_linear_param patch, head;
	void *head_scale, *head_shift;
	struct fvsr_layer_param *layers;
	void *prompt_bias;                      /* F32 (keys): log of merged rows */
	int prompt_first[FVSR_PROMPTS_MAX + 1]; /* keys of prompt i: from i's on, to i + 1's */

	struct fvsr_conv_param dec_in, dec_extra, dec_block[3][FVSR_DEC_BLOCKS_MAX][3];
	void *dec_up[3], *dec_last;
	struct fvsr_conv_param dec_rgb;
};

int fvsr_net_load(struct fvsr_net **out, struct fvsr_device *device,
		  const struct fvsr_weights *weights, const struct fvsr_progress *progress,
		  struct fvsr_error *err);
void fvsr_net_free(struct fvsr_net *net);

/* Of all prompts. */
static inline int fvsr_net_keys(const struct fvsr_net *net)
{
	return net->prompt_first[net->config.prompts];
}

/* Upsampling stage k multiplies the frames by this (section 7). */
static inline int fvsr_net_grow(int stage)
{
	return stage == 0 ? 1 : 2;
}

/* Taps of the upsampling kernels: nearest x2 and a 3x3 leave 2x2 a phase. */
static inline int fvsr_net_upsample_ksize(const struct fvsr_config *config)
{
	return config->dec_depth_to_space ? 3 : 2;
}

/* ------------------------------------------------------------------------------------------- */

struct fvsr_run;

/* Sizes and choices of a run, all checked by the caller. */
struct fvsr_run_settings {
	int in_width, in_height, width, height; /* visible size of input and output */
	enum fvsr_format in_format, out_format;
	int prompt; /* which of the model's */
	int local_range, kv_ratio;
	double topk_ratio;
	enum fvsr_color color;
	enum fvsr_noise noise;
	uint64_t seed;
	enum fvsr_lq_version lq_version;
	uint64_t memory_limit; /* bytes on the device; 0: what is free there */
};

struct fvsr_run_cost {
	size_t bytes;      /* of the backend's memory */
	size_t host_bytes; /* beside it */
};

/* Allocates and plans; with out == NULL only *cost is found out and nothing is kept. */
int fvsr_run_open(struct fvsr_run **out, const struct fvsr_net *net,
		  const struct fvsr_run_settings *settings, struct fvsr_run_cost *cost,
		  struct fvsr_error *err);
void fvsr_run_close(struct fvsr_run *run);
void fvsr_run_reset(struct fvsr_run *run);
/*
 * 'breathe' is called again and again while a chunk or slice is put into the queue, at places where
 * the work may rest; NULL: never.
 */
void fvsr_run_set_breathe(struct fvsr_run *run, void (*breathe)(void *opaque), void *opaque);
/* From the next chunk on; kv_ratio at most what the run was opened with. */
void fvsr_run_set_effort(struct fvsr_run *run, double topk_ratio, int kv_ratio);
int fvsr_run_set_tap(struct fvsr_run *run, const struct fvsr_tap *tap);
struct fvsr_queue *fvsr_run_queue(struct fvsr_run *run);

/* Canvases that are kept: frame n is there until frame n + FVSR_RUN_CANVASES is ingested. */
#define FVSR_RUN_CANVASES 33

/* Puts frame 'n' on its canvas. */
void fvsr_run_ingest(struct fvsr_run *run, int64_t n, const struct fvsr_picture *picture);
/* Projection and transformer of chunk k. 'last': the last frame there is; repeated as needed. */
void fvsr_run_chunk(struct fvsr_run *run, int64_t k, int64_t last);
/*
 * Decoder and colour of slice s, whose chunk has run: pictures 8s - 3 .. 8s + 4, but not those
 * before 0 or after 'last', go to slot (n + 3) % 8.
 */
void fvsr_run_decode(struct fvsr_run *run, int64_t s, int64_t last);
/* Picture n, still in its slot, to the caller's memory. */
void fvsr_run_emit(struct fvsr_run *run, int64_t n, const struct fvsr_picture *picture);

#endif
