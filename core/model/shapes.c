/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names and shapes of all tensors of a model follow from its configuration (sections 2, 4, 5,
 * 7 and 11). The names are the released ones behind the prefix of their part; both the
 * readers and the synthetic weights go by this table.
 */
#include "model/shapes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/geometry.h"
#include "model/config.h"

struct builder {
	struct fvsr_shapes *shapes;
	size_t capacity;
	bool failed; /* out of memory: further tensors are dropped */
};

static struct fvsr_shape *next_item(struct builder *b)
{
	struct fvsr_shapes *s = b->shapes;

	if (s->count == b->capacity) {
		size_t capacity = b->capacity ? 2 * b->capacity : 256;
		struct fvsr_shape *items = realloc(s->items, capacity * sizeof(*items));

		if (!items) {
			b->failed = true;
			return NULL;
		}
		s->items = items;
		b->capacity = capacity;
	}
	return &s->items[s->count++];
}

static void add(struct builder *b, int rank, const int *dims, const char *format, ...)
	FVSR_PRINTF(4, 5);

static void add(struct builder *b, int rank, const int *dims, const char *format, ...)
{
	struct fvsr_shape *item = b->failed ? NULL : next_item(b);
	va_list args;
	int i;

	if (!item)
		return;
	memset(item, 0, sizeof(*item));
	va_start(args, format);
	vsnprintf(item->name, sizeof(item->name), format, args);
	va_end(args);
	item->rank = rank;
	item->count = 1;
	for (i = 0; i < rank; i++) {
		item->dims[i] = dims[i];
		item->count *= (uint64_t)dims[i];
	}
	b->shapes->parameters += item->count;
}

#define DIMS(...)                                                                                  \
	(const int[])                                                                              \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

static void add_linear(struct builder *b, int out, int in, const char *name)
{
	add(b, 2, DIMS(out, in), "%s.weight", name);
	add(b, 1, DIMS(out), "%s.bias", name);
}

static void add_attention(struct builder *b, int dim, int layer, const char *kind)
{
	static const char *const names[] = {"q", "k", "v", "o"};
	char name[40];
	size_t i;

	for (i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "dit.blocks.%d.%s.%s", layer, kind, names[i]);
		add_linear(b, dim, dim, name);
	}
	add(b, 1, DIMS(dim), "dit.blocks.%d.%s.norm_q.weight", layer, kind);
	add(b, 1, DIMS(dim), "dit.blocks.%d.%s.norm_k.weight", layer, kind);
}

static void add_layer(struct builder *b, const struct fvsr_config *c, int layer)
{
	char name[40];

	add(b, 3, DIMS(1, 6, c->dim), "dit.blocks.%d.modulation", layer);
	add_attention(b, c->dim, layer, "self_attn");
	add_attention(b, c->dim, layer, "cross_attn");
	snprintf(name, sizeof(name), "dit.blocks.%d.norm3", layer);
	add(b, 1, DIMS(c->dim), "%s.weight", name);
	add(b, 1, DIMS(c->dim), "%s.bias", name);
	snprintf(name, sizeof(name), "dit.blocks.%d.ffn.0", layer);
	add_linear(b, c->ffn_dim, c->dim, name);
	snprintf(name, sizeof(name), "dit.blocks.%d.ffn.2", layer);
	add_linear(b, c->dim, c->ffn_dim, name);
}

static void add_dit(struct builder *b, const struct fvsr_config *c)
{
	int d = c->dim, i;

	add(b, 5, DIMS(d, c->in_dim, 1, 2, 2), "dit.patch_embedding.weight");
	add(b, 1, DIMS(d), "dit.patch_embedding.bias");
	add_linear(b, d, c->text_dim, "dit.text_embedding.0");
	add_linear(b, d, d, "dit.text_embedding.2");
	add_linear(b, d, c->freq_dim, "dit.time_embedding.0");
	add_linear(b, d, d, "dit.time_embedding.2");
	add_linear(b, 6 * d, d, "dit.time_projection.1");
	for (i = 0; i < c->num_layers; i++)
		add_layer(b, c, i);
	add(b, 3, DIMS(1, 2, d), "dit.head.modulation");
	add_linear(b, 4 * c->out_dim, d, "dit.head.head");
}

static void add_lq(struct builder *b, const struct fvsr_config *c)
{
	int h1 = c->lq_hidden1, h2 = c->lq_hidden2, i;
	char name[40];

	add(b, 5, DIMS(h1, FVSR_TOKEN_SAMPLES, 4, 3, 3), "lq.conv1.weight");
	add(b, 1, DIMS(h1), "lq.conv1.bias");
	add(b, 4, DIMS(h1, 1, 1, 1), "lq.norm1.gamma");
	add(b, 5, DIMS(h2, h1, 4, 3, 3), "lq.conv2.weight");
	add(b, 1, DIMS(h2), "lq.conv2.bias");
	add(b, 4, DIMS(h2, 1, 1, 1), "lq.norm2.gamma");
	for (i = 0; i < c->lq_layers; i++) {
		snprintf(name, sizeof(name), "lq.linear_layers.%d", i);
		add_linear(b, c->dim, h2, name);
	}
}

static void add_conv(struct builder *b, int n, int in, int out, bool bias)
{
	add(b, 4, DIMS(out, in, 3, 3), "dec.decoder.%d.weight", n);
	if (bias)
		add(b, 1, DIMS(out), "dec.decoder.%d.bias", n);
}

static void add_mem_block(struct builder *b, int n, int c)
{
	int j;

	for (j = 0; j <= 4; j += 2) {
		add(b, 4, DIMS(c, j ? c : 2 * c, 3, 3), "dec.decoder.%d.conv.%d.weight", n, j);
		add(b, 1, DIMS(c), "dec.decoder.%d.conv.%d.bias", n, j);
	}
}

static void add_kernel(struct builder *b, int out, int in, const char *name)
{
	add(b, 4, DIMS(out, in, 3, 3), "%s.weight", name);
	add(b, 1, DIMS(out), "%s.bias", name);
}

/* Adds trunk i (section 11), which has its scale in its tensors' names. */
static void add_trunk(struct builder *b, const struct fvsr_config *c, int i)
{
	int channels = c->trunk_channels[i], scale = c->trunk_scales[i], j;
	char name[40];

	snprintf(name, sizeof(name), "trunk.%d.first", scale);
	add_kernel(b, channels, FVSR_TRUNK_INPUTS, name);
	for (j = 0; j < 3 * c->trunk_blocks[i]; j++) {
		snprintf(name, sizeof(name), "trunk.%d.blocks.%d.conv.%d", scale, j / 3, j % 3);
		add_kernel(b, channels, channels, name);
	}
	snprintf(name, sizeof(name), "trunk.%d.last", scale);
	add_kernel(b, channels, channels, name);
	snprintf(name, sizeof(name), "trunk.%d.join", scale);
	add_linear(b, channels, FVSR_TRUNK_SKIPS * channels, name);
	snprintf(name, sizeof(name), "trunk.%d.head", scale);
	add_kernel(b, 3 * scale * scale, channels, name);
}

/* Adds the decoder, whose tensors have the positions of section 7 in their names. */
static void add_decoder(struct builder *b, const struct fvsr_config *c)
{
	static const int stride[3] = {1, 2, 2}; /* frames out of one TGrow */
	const int *ch = c->dec_channels;
	int level, i;

	add_conv(b, 1, c->in_dim + FVSR_CONDITION_SAMPLES, ch[0], true);
	add_conv(b, 3, ch[0], ch[0], false);
	for (level = 0; level < c->dec_levels && level < 3; level++) {
		int first = 5 + 6 * level, next = ch[level + 1];

		for (i = 0; i < c->dec_blocks[level]; i++)
			add_mem_block(b, first + i, ch[level]);
		if (level == c->dec_levels - 1)
			break;
		/* first + 3, the upsampling, has no weights */
		add(b, 4, DIMS(ch[level] * stride[level], ch[level], 1, 1),
		    "dec.decoder.%d.conv.weight", first + 4);
		if (!b->failed)
			b->shapes->items[b->shapes->count - 1].grow = true;
		add_conv(b, first + 5, ch[level], c->dec_depth_to_space ? 4 * next : next, false);
	}
	if (c->dec_levels == FVSR_DEC_LEVELS)
		add_conv(b, 24, ch[3], ch[3], false);
	add_conv(b, 26, ch[c->dec_levels - 1], fvsr_config_rgb_channels(c), true);
}

static void sift(const struct fvsr_shapes *s, size_t *heap, size_t root, size_t count)
{
	for (;;) {
		size_t child = 2 * root + 1, value;

		if (child >= count)
			return;
		if (child + 1 < count &&
		    strcmp(s->items[heap[child]].name, s->items[heap[child + 1]].name) < 0)
			child++;
		if (strcmp(s->items[heap[root]].name, s->items[heap[child]].name) >= 0)
			return;
		value = heap[root];
		heap[root] = heap[child];
		heap[child] = value;
		root = child;
	}
}

/* Sorts by heap, since C11's qsort() has no context argument and may allocate. */
static void sort_by_name(const struct fvsr_shapes *s)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		s->by_name[i] = i;
	for (i = s->count / 2; i-- > 0;)
		sift(s, s->by_name, i, s->count);
	for (i = s->count; i-- > 1;) {
		size_t largest = s->by_name[0];

		s->by_name[0] = s->by_name[i];
		s->by_name[i] = largest;
		sift(s, s->by_name, 0, i);
	}
}

int fvsr_shapes_create(struct fvsr_shapes *shapes, const struct fvsr_config *config,
		       struct fvsr_error *err)
{
	struct builder b = {.shapes = shapes};

	memset(shapes, 0, sizeof(*shapes));
	if (fvsr_config_is_trunk(config)) {
		for (int i = 0; i < fvsr_config_trunks(config); i++)
			add_trunk(&b, config, i);
	} else {
		add_dit(&b, config);
		add_lq(&b, config);
		add_decoder(&b, config);
		add(&b, 3, DIMS(config->prompts, config->text_len, config->text_dim), "prompt");
	}
	if (!b.failed)
		shapes->by_name = malloc(shapes->count * sizeof(*shapes->by_name));
	if (!shapes->by_name) {
		fvsr_shapes_free(shapes);
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory for the table of tensors");
	}
	sort_by_name(shapes);
	return 0;
}

void fvsr_shapes_free(struct fvsr_shapes *shapes)
{
	free(shapes->items);
	free(shapes->by_name);
	memset(shapes, 0, sizeof(*shapes));
}

size_t fvsr_shapes_find(const struct fvsr_shapes *shapes, const char *name)
{
	size_t low = 0, high = shapes->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		size_t index = shapes->by_name[middle];
		int order = strcmp(name, shapes->items[index].name);

		if (!order)
			return index;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return SIZE_MAX;
}

void fvsr_shape_text(char *out, size_t size, int rank, const int64_t *dims)
{
	size_t used = 0;
	int i;

	snprintf(out, size, "scalar");
	for (i = 0; i < rank && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%lld", i ? " x " : "",
					 (long long)dims[i]);
}
