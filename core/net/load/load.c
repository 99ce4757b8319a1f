/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From released tensors to what the ops want, once per model and device: channels last,
 * modulation folded where it is exact, upsampling reduced to its phases (section 7), and the
 * prompts' keys and values, which never change, computed (section 5). A trunk is its convolutions
 * as they are (section 11).
 */
#include "net/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/config.h"
#include "net/load/constants.h"
#include "net/load/loader.h"

static void load_vector(struct fvsr_loader *l, void **out, const char *name)
{
	uint64_t count = fvsr_loader_count(l, name);

	*out = fvsr_loader_place(l, FVSR_F32, count);
	fvsr_loader_rows(l, *out, FVSR_F32, name, 1, count, NULL);
}

/* Loads a linear layer; 'gate' (n), or NULL, multiplies its outputs. */
static void load_linear(struct fvsr_loader *l, struct fvsr_linear_param *out, const char *prefix,
			int n, int k, const float *gate)
{
	char name[128];

	out->n = n;
	out->k = k;
	out->weight = fvsr_loader_place(l, FVSR_ACT, (uint64_t)n * k);
	out->bias = fvsr_loader_place(l, FVSR_F32, n);
	snprintf(name, sizeof(name), "%s.weight", prefix);
	fvsr_loader_rows(l, out->weight, FVSR_ACT, name, n, k, gate);
	snprintf(name, sizeof(name), "%s.bias", prefix);
	fvsr_loader_rows(l, out->bias, FVSR_F32, name, n, 1, gate);
}

/* Loads q, k and v as one product. */
static void load_qkv(struct fvsr_loader *l, struct fvsr_linear_param *out, const char *prefix,
		     int dim)
{
	size_t act = l->net->backend->act_bytes;
	char name[128];

	out->n = 3 * dim;
	out->k = dim;
	out->weight = fvsr_loader_place(l, FVSR_ACT, (uint64_t)3 * dim * dim);
	out->bias = fvsr_loader_place(l, FVSR_F32, 3 * dim);
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s.%c.weight", prefix, "qkv"[i]);
		fvsr_loader_rows(l, fvsr_at(out->weight, (size_t)i * dim * dim * act), FVSR_ACT,
				 name, dim, dim, NULL);
		snprintf(name, sizeof(name), "%s.%c.bias", prefix, "qkv"[i]);
		fvsr_loader_rows(l, fvsr_at(out->bias, (size_t)i * dim * sizeof(float)), FVSR_F32,
				 name, 1, dim, NULL);
	}
}

/* Loads (cout, cin, taps...) as (cout, taps, cin). */
static void *load_conv_weight(struct fvsr_loader *l, const char *name, int cout, int cin, int taps)
{
	void *dst = fvsr_loader_place(l, FVSR_ACT, (uint64_t)cout * cin * taps);

	fvsr_loader_channels_last(l, dst, name, cout, cin, taps);
	return dst;
}

static void load_conv(struct fvsr_loader *l, struct fvsr_conv_param *out, const char *prefix,
		      int cout, int cin, int taps, bool bias)
{
	char name[128];

	snprintf(name, sizeof(name), "%s.weight", prefix);
	out->weight = load_conv_weight(l, name, cout, cin, taps);
	snprintf(name, sizeof(name), "%s.bias", prefix);
	out->bias = NULL;
	if (bias)
		load_vector(l, &out->bias, name);
}

static void load_projection(struct fvsr_loader *l, struct fvsr_net *net)
{
	const struct fvsr_config *c = &net->config;
	char name[64];

	load_conv(l, &net->lq_conv1, "lq.conv1", c->lq_hidden1, FVSR_TOKEN_SAMPLES, 36, true);
	load_vector(l, &net->lq_gamma1, "lq.norm1.gamma");
	load_conv(l, &net->lq_conv2, "lq.conv2", c->lq_hidden2, c->lq_hidden1, 36, true);
	load_vector(l, &net->lq_gamma2, "lq.norm2.gamma");
	for (int i = 0; i < c->lq_layers; i++) {
		snprintf(name, sizeof(name), "lq.linear_layers.%d", i);
		load_linear(l, &net->lq_linear[i], name, c->dim, c->lq_hidden2, NULL);
	}
}

/* Places one row of a modulation, plus 'add' (1 for scales). */
static void *place_row(struct fvsr_loader *l, const float *row, int dim, float add)
{
	void *dst = fvsr_loader_place(l, FVSR_F32, dim);
	float *copy = l->row;

	for (int i = 0; i < dim; i++)
		copy[i] = row[i] + add;
	fvsr_loader_put(l, dst, FVSR_F32, copy, dim);
	return dst;
}

static void load_layer(struct fvsr_loader *l, const struct fvsr_constants *constants,
		       struct fvsr_layer_param *p, int i)
{
	const struct fvsr_config *c = &l->net->config;
	int dim = c->dim;
	float *mod = l->modulation; /* shift1, scale1, gate1, shift2, scale2, gate2 */
	char name[96];

	snprintf(name, sizeof(name), "dit.blocks.%d.modulation", i);
	fvsr_loader_host(l, mod, name, 6 * (uint64_t)dim);
	for (int j = 0; j < 6 * dim; j++)
		mod[j] += constants->t_mod[j];
	p->norm1_shift = place_row(l, mod, dim, 0);
	p->norm1_scale = place_row(l, mod + dim, dim, 1);
	p->norm2_shift = place_row(l, mod + 3 * dim, dim, 0);
	p->norm2_scale = place_row(l, mod + 4 * dim, dim, 1);

	snprintf(name, sizeof(name), "dit.blocks.%d.self_attn", i);
	load_qkv(l, &p->qkv, name, dim);
	snprintf(name, sizeof(name), "dit.blocks.%d.self_attn.o", i);
	load_linear(l, &p->out, name, dim, dim, mod + 2 * dim);
	snprintf(name, sizeof(name), "dit.blocks.%d.self_attn.norm_q.weight", i);
	load_vector(l, &p->norm_q, name);
	snprintf(name, sizeof(name), "dit.blocks.%d.self_attn.norm_k.weight", i);
	load_vector(l, &p->norm_k, name);
	snprintf(name, sizeof(name), "dit.blocks.%d.norm3.weight", i);
	load_vector(l, &p->norm3_weight, name);
	snprintf(name, sizeof(name), "dit.blocks.%d.norm3.bias", i);
	load_vector(l, &p->norm3_bias, name);
	snprintf(name, sizeof(name), "dit.blocks.%d.cross_attn.norm_q.weight", i);
	load_vector(l, &p->cross_norm_q, name);
	snprintf(name, sizeof(name), "dit.blocks.%d.cross_attn.q", i);
	load_linear(l, &p->cross_query, name, dim, dim, NULL);
	snprintf(name, sizeof(name), "dit.blocks.%d.cross_attn.o", i);
	load_linear(l, &p->cross_out, name, dim, dim, NULL);
	snprintf(name, sizeof(name), "dit.blocks.%d.ffn.0", i);
	load_linear(l, &p->ffn_in, name, c->ffn_dim, dim, NULL);
	snprintf(name, sizeof(name), "dit.blocks.%d.ffn.2", i);
	load_linear(l, &p->ffn_out, name, dim, c->ffn_dim, mod + 5 * dim);
	p->cross_key = fvsr_loader_place(l, FVSR_ACT, (uint64_t)fvsr_net_keys(l->net) * dim);
	p->cross_value = fvsr_loader_place(l, FVSR_ACT, (uint64_t)fvsr_net_keys(l->net) * dim);
}

static void load_transformer(struct fvsr_loader *l, const struct fvsr_constants *constants,
			     struct fvsr_net *net)
{
	const struct fvsr_config *c = &net->config;
	float *mod = l->modulation; /* shift, scale */

	load_linear(l, &net->patch, "dit.patch_embedding", c->dim, c->in_dim * FVSR_PATCH, NULL);
	load_linear(l, &net->head, "dit.head.head", c->out_dim * FVSR_PATCH, c->dim, NULL);
	fvsr_loader_host(l, mod, "dit.head.modulation", 2 * (uint64_t)c->dim);
	for (int i = 0; i < 2 * c->dim; i++)
		mod[i] += constants->t[i % c->dim];
	net->head_shift = place_row(l, mod, c->dim, 0);
	net->head_scale = place_row(l, mod + c->dim, c->dim, 1);
	net->prompt_bias = fvsr_loader_place(l, FVSR_F32, fvsr_net_keys(net));
	for (int i = 0; i < c->num_layers; i++)
		load_layer(l, constants, &net->layers[i], i);
}

/* Folds 'grow' (c, c), a 1x1, into w3 (outputs, c, 3, 3) behind it: (outputs, 9, c). */
static void fold_grow(float *dst, const float *w3, const float *grow, int outputs, int c)
{
	memset(dst, 0, (size_t)outputs * 9 * c * sizeof(*dst));
	for (int o = 0; o < outputs; o++) {
		for (int m = 0; m < c; m++) {
			for (int tap = 0; tap < 9; tap++) {
				float weight = w3[((size_t)o * c + m) * 9 + tap];
				float *out = dst + ((size_t)o * 9 + tap) * c;

				for (int i = 0; i < c; i++)
					out[i] += weight * grow[(size_t)m * c + i];
			}
		}
	}
}

/* Makes the 2x2 kernel that a phase of a 3x3 on the nearest-upsampled picture comes down to. */
static void phase_of_nearest(float *dst, const float *w3, int phase, int outputs, int c)
{
	int dy = phase / 2, dx = phase % 2;

	memset(dst, 0, (size_t)outputs * 4 * c * sizeof(*dst));
	for (int o = 0; o < outputs; o++) {
		for (int tap = 0; tap < 9; tap++) {
			/* upsampled row 2y + dy + t - 1 is row y - 1 + dy + ty of the input */
			int ty = (dy + tap / 3 + 1) / 2 - dy, tx = (dx + tap % 3 + 1) / 2 - dx;
			float *out = dst + ((size_t)o * 4 + ty * 2 + tx) * c;

			for (int i = 0; i < c; i++)
				out[i] += w3[((size_t)o * 9 + tap) * c + i];
		}
	}
}

/* Picks a phase of a pixel shuffle: channel o * 4 + phase becomes its channel o. */
static void phase_of_shuffle(float *dst, const float *w3, int phase, int outputs, int c)
{
	size_t kernel = (size_t)9 * c;

	for (int o = 0; o < outputs; o++)
		memcpy(dst + o * kernel, w3 + ((size_t)o * 4 + phase) * kernel,
		       kernel * sizeof(*dst));
}

static void load_upsample(struct fvsr_loader *l, void **out, int stage, int position)
{
	const struct fvsr_config *c = &l->net->config;
	int cin = c->dec_channels[stage], cout = c->dec_channels[stage + 1];
	int grow = fvsr_net_grow(stage), ksize = fvsr_net_upsample_ksize(c);
	int outputs = c->dec_depth_to_space ? 4 * cout : cout;
	size_t phase_count = (size_t)cout * ksize * ksize * cin;
	size_t w3_count = (size_t)outputs * 9 * cin, grow_count = (size_t)grow * cin * cin;
	char name[64];
	float *w3, *folded, *w1, *phase;

	*out = fvsr_loader_place(l, FVSR_ACT, (uint64_t)grow * 4 * phase_count);
	if (fvsr_loader_skip(l))
		return;
	w3 = malloc((2 * w3_count + grow_count + phase_count) * sizeof(*w3));
	if (!w3) {
		l->error = fvsr_fail(l->err, FVSR_ERR_MEMORY, "out of memory");
		return;
	}
	folded = w3 + w3_count, w1 = folded + w3_count, phase = w1 + grow_count;
	snprintf(name, sizeof(name), "dec.decoder.%d.conv.weight", position);
	fvsr_loader_host(l, w1, name, grow_count);
	snprintf(name, sizeof(name), "dec.decoder.%d.weight", position + 1);
	fvsr_loader_host(l, w3, name, w3_count);
	for (int g = 0; g < grow; g++) {
		fold_grow(folded, w3, w1 + (size_t)g * cin * cin, outputs, cin);
		for (int p = 0; p < 4; p++) {
			size_t at = ((size_t)g * 4 + p) * phase_count;

			if (c->dec_depth_to_space)
				phase_of_shuffle(phase, folded, p, cout, cin);
			else
				phase_of_nearest(phase, folded, p, cout, cin);
			fvsr_loader_put(l, fvsr_at(*out, at * l->net->backend->act_bytes), FVSR_ACT,
					phase, phase_count);
		}
	}
	free(w3);
}

/* Loads the decoder; the table of section 7 has the positions in the file's sequence. */
static void load_decoder(struct fvsr_loader *l, struct fvsr_net *net)
{
	const struct fvsr_config *c = &net->config;
	const int *ch = c->dec_channels;
	char name[64];

	load_conv(l, &net->dec_in, "dec.decoder.1", ch[0], FVSR_CONDITION_SAMPLES + c->in_dim, 9,
		  true);
	load_conv(l, &net->dec_extra, "dec.decoder.3", ch[0], ch[0], 9, false);
	for (int stage = 0; stage < 3 && stage < c->dec_levels; stage++) {
		int first = 5 + stage * 6;

		for (int i = 0; i < c->dec_blocks[stage]; i++) {
			for (int j = 0; j < 3; j++) {
				snprintf(name, sizeof(name), "dec.decoder.%d.conv.%d", first + i,
					 2 * j);
				load_conv(l, &net->dec_block[stage][i][j], name, ch[stage],
					  j ? ch[stage] : 2 * ch[stage], 9, true);
			}
		}
		if (stage < c->dec_levels - 1)
			load_upsample(l, &net->dec_up[stage], stage, first + 4);
	}
	if (c->dec_levels == FVSR_DEC_LEVELS)
		net->dec_last = load_conv_weight(l, "dec.decoder.24.weight", ch[3], ch[3], 9);
	load_conv(l, &net->dec_rgb, "dec.decoder.26", fvsr_config_rgb_channels(c),
		  ch[c->dec_levels - 1], 9, true);
}

/* Loads the first convolution of a trunk, whose inputs are fewer than there are in memory. */
static void load_trunk_first(struct fvsr_loader *l, struct fvsr_conv_param *out, int scale,
			     int channels)
{
	size_t kernel = (size_t)9 * FVSR_TRUNK_INPUTS, padded = (size_t)9 * FVSR_TRUNK_CHANNELS;
	char name[64];
	float *src, *dst;

	out->weight = fvsr_loader_place(l, FVSR_ACT, (uint64_t)channels * padded);
	snprintf(name, sizeof(name), "trunk.%d.first.bias", scale);
	load_vector(l, &out->bias, name);
	if (fvsr_loader_skip(l))
		return;
	src = calloc((size_t)channels * (kernel + padded), sizeof(*src));
	if (!src) {
		l->error = fvsr_fail(l->err, FVSR_ERR_MEMORY, "out of memory");
		return;
	}
	dst = src + channels * kernel;
	snprintf(name, sizeof(name), "trunk.%d.first.weight", scale);
	fvsr_loader_host(l, src, name, channels * kernel);
	for (size_t i = 0; i < channels * kernel; i++) {
		size_t tap = i % 9, input = i / 9 % FVSR_TRUNK_INPUTS;

		dst[i / kernel * padded + tap * FVSR_TRUNK_CHANNELS + input] = src[i];
	}
	fvsr_loader_put(l, out->weight, FVSR_ACT, dst, channels * padded);
	free(src);
}

static void load_trunk(struct fvsr_loader *l, struct fvsr_trunk_param *out, int i)
{
	const struct fvsr_config *c = &l->net->config;
	int channels = c->trunk_channels[i], scale = c->trunk_scales[i];
	char name[64];

	load_trunk_first(l, &out->first, scale, channels);
	for (int j = 0; j < 3 * c->trunk_blocks[i]; j++) {
		snprintf(name, sizeof(name), "trunk.%d.blocks.%d.conv.%d", scale, j / 3, j % 3);
		load_conv(l, &out->blocks[j / 3][j % 3], name, channels, channels, 9, true);
	}
	snprintf(name, sizeof(name), "trunk.%d.last", scale);
	load_conv(l, &out->last, name, channels, channels, 9, true);
	snprintf(name, sizeof(name), "trunk.%d.join", scale);
	load_conv(l, &out->join, name, channels, FVSR_TRUNK_SKIPS * channels, 1, true);
	snprintf(name, sizeof(name), "trunk.%d.head", scale);
	load_conv(l, &out->head, name, 3 * scale * scale, channels, 9, true);
}

static void load_all(struct fvsr_loader *l, const struct fvsr_constants *constants,
		     struct fvsr_net *net)
{
	if (fvsr_config_is_trunk(&net->config)) {
		for (int i = 0; i < fvsr_config_trunks(&net->config); i++)
			load_trunk(l, &net->trunk[i], i);
		return;
	}
	load_projection(l, net);
	load_transformer(l, constants, net);
	load_decoder(l, net);
}

/* Computes what does not depend on the device. */
static int compute_constants(struct fvsr_loader *l, struct fvsr_constants *constants)
{
	int result = fvsr_constants_time(constants, l);

	if (result < 0 || (result = fvsr_constants_prompt(constants, l)) < 0)
		return result;
	memcpy(l->net->prompt_first, constants->prompt_first, sizeof(l->net->prompt_first));
	return 0;
}

static int load(struct fvsr_loader *l, struct fvsr_constants *constants, struct fvsr_net *net)
{
	bool trunk = fvsr_config_is_trunk(&net->config);
	struct fvsr_arena *arena = &l->arena;
	int result = trunk ? 0 : compute_constants(l, constants);

	if (result < 0)
		return result;
	load_all(l, constants, net);
	if (l->error)
		return l->error;
	net->bytes = arena->used;
	net->memory = net->backend->alloc(net->device, net->bytes);
	if (!net->memory)
		return fvsr_fail(l->err, FVSR_ERR_MEMORY,
				 "the model needs %.2f GiB on %s, which are not free",
				 (double)net->bytes / (1 << 30), net->backend->name);
	*arena = (struct fvsr_arena){.base = net->memory};
	l->measuring = false;
	load_all(l, constants, net);
	if (l->error || trunk)
		return l->error;
	return fvsr_constants_cross(constants, l);
}

/* Makes room for the lists of parameters that the model has; false when there is none. */
static bool make_lists(struct fvsr_net *net, const struct fvsr_config *config)
{
	if (!fvsr_config_is_trunk(config)) {
		net->layers = calloc((size_t)config->num_layers, sizeof(*net->layers));
		return net->layers;
	}
	for (int i = 0; i < fvsr_config_trunks(config); i++) {
		struct fvsr_trunk_param *p = &net->trunk[i];

		p->blocks = calloc((size_t)config->trunk_blocks[i], sizeof(*p->blocks));
		if (!p->blocks)
			return false;
	}
	return true;
}

static void free_memory(struct fvsr_net *net)
{
	if (!net)
		return;
	for (int i = 0; i < FVSR_TRUNKS_MAX; i++)
		free(net->trunk[i].blocks);
	free(net->layers);
	free(net);
}

int fvsr_net_load(struct fvsr_net **out, struct fvsr_device *device,
		  const struct fvsr_weights *weights, const struct fvsr_progress *progress,
		  struct fvsr_error *err)
{
	const struct fvsr_config *config = fvsr_weights_config(weights);
	struct fvsr_net *net = calloc(1, sizeof(*net));
	struct fvsr_constants constants = {0};
	struct fvsr_loader loader;
	int result;

	if (!net || !make_lists(net, config)) {
		free_memory(net);
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	}
	net->backend = device->backend;
	net->device = device;
	net->config = *config;
	result = fvsr_loader_init(&loader, net, weights, progress, err);
	if (!result)
		result = load(&loader, &constants, net);
	fvsr_constants_clear(&constants);
	fvsr_loader_clear(&loader);
	if (result < 0) {
		fvsr_net_free(net);
		return result;
	}
	*out = net;
	return 0;
}

void fvsr_net_free(struct fvsr_net *net)
{
	if (!net)
		return;
	if (net->memory)
		net->backend->forget(net->device, net->memory, net->bytes);
	net->backend->free(net->device, net->memory);
	free_memory(net);
}
