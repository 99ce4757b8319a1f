/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds the files of a released model from synthetic weights, with the writers of craft.c.
 */
#include "released.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dtype.h"
#include "model/source.h"

#define NAME_BYTES 64

const char released_config[] =
	"{\"model\": {\"dim\": 12, \"num_heads\": 2, \"num_layers\": 2, \"ffn_dim\": 8,"
	" \"in_dim\": 4, \"out_dim\": 4, \"text_dim\": 4, \"text_len\": 3, \"freq_dim\": 8,"
	" \"lq_hidden1\": 2, \"lq_hidden2\": 3, \"lq_layers\": 1,"
	" \"dec_channels\": [4, 3, 2, 2]}, \"seed\": 5}";

const char *const released_files[RELEASED_PARTS] = {
	"diffusion_pytorch_model_streaming_dmd.safetensors",
	"LQ_proj_in.ckpt",
	"TCDecoder.ckpt",
	"posi_prompt.pth",
};

static const char *const prefixes[RELEASED_PARTS] = {"dit.", "lq.", "dec.", "prompt"};

static size_t part_of(const char *name)
{
	size_t part = 0;

	while (part < RELEASED_PARTS - 1 && strncmp(name, prefixes[part], strlen(prefixes[part])))
		part++;
	return part;
}

static void *read_data(const struct fvsr_weights *weights, const struct fvsr_weight *w)
{
	float *values = malloc(w->count * sizeof(*values));
	uint16_t *halves;
	size_t i;

	if (!values || fvsr_weights_read(weights, w, 0, w->count, values, NULL) < 0)
		abort();
	if (w->dtype == FVSR_DTYPE_F32)
		return values;
	halves = malloc(w->count * sizeof(*halves));
	if (!halves)
		abort();
	for (i = 0; i < w->count; i++)
		halves[i] = fvsr_bf16_from_f32(values[i]);
	free(values);
	return halves;
}

static void load_tensors(struct released *r, const struct fvsr_weights *weights)
{
	size_t n = weights->shapes.count, i;

	r->names = calloc(n, NAME_BYTES);
	r->blocks = calloc(n, sizeof(*r->blocks));
	for (i = 0; i < RELEASED_PARTS; i++)
		r->parts[i] = calloc(n, sizeof(*r->parts[i]));
	if (!r->names || !r->blocks || !r->parts[RELEASED_PARTS - 1])
		abort();
	for (i = 0; i < n; i++) {
		const char *name = weights->shapes.items[i].name;
		size_t part = part_of(name);
		struct craft_tensor *t = &r->parts[part][r->counts[part]++];
		struct fvsr_weight w;

		if (fvsr_weights_find(weights, name, &w, NULL) < 0)
			abort();
		snprintf(r->names + NAME_BYTES * i, NAME_BYTES, "%s",
			 name + strlen(prefixes[part]));
		r->blocks[r->block_count++] = read_data(weights, &w);
		*t = (struct craft_tensor){
			.name = r->names + NAME_BYTES * i,
			.dtype = (int)w.dtype,
			.rank = w.rank,
			.data = r->blocks[i],
		};
		memcpy(t->shape, w.shape, sizeof(t->shape));
	}
}

bool released_load(struct released *r, const char *folder)
{
	struct fvsr_weights *weights;
	struct fvsr_error err;
	char path[512], spec[600];

	memset(r, 0, sizeof(*r));
	temp_path(path, folder, "config.json");
	if (!write_file(path, released_config, strlen(released_config)))
		return false;
	snprintf(spec, sizeof(spec), "synth:%s:5", path);
	if (fvsr_weights_open(&weights, spec, false, NULL, NULL, &err) < 0) {
		printf("%s\n", err.text);
		return false;
	}
	load_tensors(r, weights);
	fvsr_weights_close(weights);
	return true;
}

void released_free(struct released *r)
{
	size_t i;

	for (i = 0; i < r->block_count; i++)
		free(r->blocks[i]);
	for (i = 0; i < RELEASED_PARTS; i++)
		free(r->parts[i]);
	free(r->blocks);
	free(r->names);
	memset(r, 0, sizeof(*r));
}

struct craft_tensor *released_find(struct released *r, const char *name)
{
	size_t part = part_of(name), i;

	for (i = 0; i < r->counts[part]; i++)
		if (!strcmp(r->parts[part][i].name, name + strlen(prefixes[part])))
			return &r->parts[part][i];
	return NULL;
}

void released_drop(struct released *r, const char *name)
{
	struct craft_tensor *t = released_find(r, name);
	size_t part = part_of(name), index;

	if (!t)
		return;
	index = (size_t)(t - r->parts[part]);
	r->counts[part]--;
	memmove(t, t + 1, (r->counts[part] - index) * sizeof(*t));
}

bool released_write(const struct released *r, const char *folder)
{
	bool ok = true;
	size_t part;

	for (part = 0; part < RELEASED_PARTS; part++) {
		struct bytes b = {0};
		char path[512];

		if (part)
			craft_archive(&b, r->parts[part], r->counts[part]);
		else
			craft_st_tensors(&b, r->parts[part], r->counts[part], NULL);
		ok = write_file(temp_path(path, folder, released_files[part]), b.data, b.size) &&
		     ok;
		bytes_free(&b);
	}
	return ok;
}
