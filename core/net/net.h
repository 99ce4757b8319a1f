/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network on a device: its parameters in the form that the ops want. The network is written
 * against the op table only; it knows neither backends nor where weights come from. What it does
 * with a video is in run/, and which frames go where in slices.h.
 */
#ifndef FVSR_NET_NET_H
#define FVSR_NET_NET_H

#include "backend/backend.h"
#include "model/config.h"
#include "model/weights.h"

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

struct fvsr_trunk_param {
	struct fvsr_conv_param first, last, join, head;
	struct fvsr_conv_param (*blocks)[3];
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
	int prompt_first[FVSR_PROMPTS_MAX + 1]; /* first key of each prompt; the last: of all */

	struct fvsr_conv_param dec_in, dec_extra, dec_block[3][FVSR_DEC_BLOCKS_MAX][3];
	void *dec_up[3], *dec_last;
	struct fvsr_conv_param dec_rgb;

	struct fvsr_trunk_param trunk[FVSR_TRUNKS_MAX]; /* instead of all of the above */
};

/*
 * Reads the weights and brings them to the device. FVSR_ERR_MEMORY, FVSR_ERR_FORMAT,
 * FVSR_ERR_CANCELLED by 'progress', which may be NULL, or what reading and the device give.
 */
int fvsr_net_load(struct fvsr_net **out, struct fvsr_device *device,
		  const struct fvsr_weights *weights, const struct fvsr_progress *progress,
		  struct fvsr_error *err);
void fvsr_net_free(struct fvsr_net *net);

/* Returns the number of keys of all prompts. */
static inline int fvsr_net_keys(const struct fvsr_net *net)
{
	return net->prompt_first[net->config.prompts];
}

/* Returns by what upsampling stage k multiplies the frames (section 7). */
static inline int fvsr_net_grow(int stage)
{
	return stage == 0 ? 1 : 2;
}

/* Returns the side of the upsampling kernels: nearest x2 and a 3x3 leave 2x2 a phase. */
static inline int fvsr_net_upsample_ksize(const struct fvsr_config *config)
{
	return config->dec_depth_to_space ? 3 : 2;
}

#endif
