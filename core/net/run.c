/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One video through the network: where its buffers are, and the order of the stages. The same
 * code runs three times: to measure, to plan, and then for every slice of the video.
 */
#include "net/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/arena.h"

size_t fvsr_run_act(const struct fvsr_run *run, size_t elements)
{
	return elements * run->backend->act_bytes;
}

static size_t canvas_bytes(const struct fvsr_run *run)
{
	return (size_t)3 * run->pad_width * run->pad_height * run->backend->canvas_bytes;
}

static size_t alpha_bytes(const struct fvsr_run *run)
{
	return (size_t)run->set.width * run->set.height;
}

static size_t picture_bytes(const struct fvsr_run *run)
{
	return alpha_bytes(run) * (run->set.out_format == FVSR_FORMAT_RGBF32P ? 12 : 4);
}

void *fvsr_run_canvas(const struct fvsr_run *run, int64_t n, int64_t last)
{
	n = n < 0 ? 0 : n > last ? last : n;
	return fvsr_at(run->canvas, (size_t)(n % FVSR_RUN_CANVASES) * canvas_bytes(run));
}

static void *alpha_of(const struct fvsr_run *run, int64_t n)
{
	return fvsr_at(run->alpha, (size_t)(n % FVSR_RUN_CANVASES) * alpha_bytes(run));
}

static void *picture_slot(const struct fvsr_run *run, int64_t n)
{
	return fvsr_at(run->picture,
		       (size_t)((n + 3) % FVSR_SLICE_FRAMES) * picture_bytes(run));
}

static void place_projection(struct fvsr_run *run, struct fvsr_arena *arena)
{
	const struct fvsr_config *c = &run->net->config;
	struct fvsr_projection *p = &run->projection;
	size_t frame = (size_t)run->h * run->w;

	p->middle = fvsr_arena_take(arena, fvsr_run_act(run, 6 * frame * c->lq_hidden1));
	for (int i = 0; i < c->lq_layers; i++)
		p->tokens[i] = fvsr_arena_take(
			arena, fvsr_run_act(run, (size_t)FVSR_CHUNK0_SLICES * run->rows * c->dim));
}

static void place_projection_work(struct fvsr_run *run, struct fvsr_arena *arena)
{
	size_t frame = (size_t)run->h * run->w;

	run->projection.input = fvsr_arena_take(arena, fvsr_run_act(run, 10 * frame * 768));
	run->projection.output = fvsr_arena_take(
		arena, fvsr_run_act(run, 2 * frame * run->net->config.lq_hidden2));
}

static void place_transformer_work(struct fvsr_run *run, struct fvsr_arena *arena)
{
	const struct fvsr_config *c = &run->net->config;
	struct fvsr_transformer *t = &run->transformer;
	size_t rows = (size_t)run->rows, slices = FVSR_CHUNK0_SLICES;
	size_t keys = (size_t)(run->kv.kept + 1 > 3 ? run->kv.kept + 1 : 3) * run->blocks;
	size_t wide = (size_t)(3 * c->dim > c->ffn_dim ? 3 * c->dim : c->ffn_dim);
	int head_dim = c->dim / c->num_heads, part = head_dim / 3 & ~1, first = head_dim - 2 * part;

	t->x = fvsr_arena_take(arena, fvsr_run_act(run, slices * rows * c->dim));
	t->q = fvsr_arena_take(arena, fvsr_run_act(run, slices * rows * c->dim));
	t->a = fvsr_arena_take(arena, fvsr_run_act(run, rows * c->dim));
	t->wide = fvsr_arena_take(arena, fvsr_run_act(run, rows * wide));
	t->q_mean = fvsr_arena_take(arena, slices * run->blocks * c->dim * sizeof(float));
	t->index = fvsr_arena_take(arena, (size_t)c->num_heads * run->blocks * keys * 4);
	t->count = fvsr_arena_take(arena, (size_t)c->num_heads * run->blocks * 4);
	for (size_t i = 0; i < slices; i++)
		t->rope_frame[i] = fvsr_arena_take(arena, (size_t)2 * first * sizeof(float));
	t->rope_row = fvsr_arena_take(arena, (size_t)run->h * part * sizeof(float));
	t->rope_column = fvsr_arena_take(arena, (size_t)run->w * part * sizeof(float));
	t->noise = fvsr_arena_take(arena,
				   slices * 2 * run->lh * run->lw * c->in_dim * sizeof(float));
	t->patches = fvsr_arena_take(arena, fvsr_run_act(run, rows * c->in_dim * 4));
}

static void place_kv(struct fvsr_run *run, struct fvsr_arena *arena)
{
	struct fvsr_kv *kv = &run->kv;
	size_t slots = (size_t)kv->slots, dim = (size_t)run->net->config.dim;

	kv->k = fvsr_arena_take(arena, fvsr_run_act(run, slots * run->rows * dim));
	kv->v = fvsr_arena_take(arena, fvsr_run_act(run, slots * run->rows * dim));
	kv->k_mean = fvsr_arena_take(arena, slots * run->blocks * dim * sizeof(float));
}

/* Frames that a level of the decoder works on at once. */
static int level_frames(int level)
{
	(void)level;
	return 2;
}

static void place_decoder(struct fvsr_run *run, struct fvsr_arena *arena, bool work)
{
	const struct fvsr_config *c = &run->net->config;
	struct fvsr_decoder *d = &run->decoder;
	size_t area = (size_t)run->lh * run->lw;

	if (work)
		d->input = fvsr_arena_take(arena,
					   fvsr_run_act(run, 2 * area * (768 + c->in_dim)));
	for (int level = 0; level < 3; level++, area *= 4) {
		size_t bytes = fvsr_run_act(run, area * c->dec_channels[level]);
		size_t frames = (size_t)level_frames(level);

		for (int i = 0; i < 3 && !work; i++)
			d->block[level][i] = fvsr_arena_take(arena, (1 + frames) * bytes);
		if (work) {
			d->t1[level] = fvsr_arena_take(arena, frames * bytes);
			d->t2[level] = fvsr_arena_take(arena, frames * bytes);
		}
	}
	if (!work)
		return;
	d->top[0] = fvsr_arena_take(arena, fvsr_run_act(run, 2 * area * c->dec_channels[3]));
	d->top[1] = fvsr_arena_take(arena, fvsr_run_act(run, area * c->dec_channels[3]));
	d->rgb = fvsr_arena_take(arena, 3 * area * sizeof(float));
	run->final = fvsr_arena_take(arena, 3 * alpha_bytes(run) * sizeof(float));
}

/* Stages that never overlap start at the same place. */
static size_t place_work(struct fvsr_run *run)
{
	struct fvsr_arena projection = {.base = run->work}, transformer = projection,
			  decoder = projection;
	size_t bytes;

	place_projection_work(run, &projection);
	place_transformer_work(run, &transformer);
	place_decoder(run, &decoder, true);
	bytes = projection.used > transformer.used ? projection.used : transformer.used;
	return bytes > decoder.used ? bytes : decoder.used;
}

static void place(struct fvsr_run *run, struct fvsr_arena *arena)
{
	const struct fvsr_config *c = &run->net->config;

	run->canvas = fvsr_arena_take(arena, FVSR_RUN_CANVASES * canvas_bytes(run));
	run->alpha = fvsr_arena_take(arena, FVSR_RUN_CANVASES * alpha_bytes(run));
	run->latent = fvsr_arena_take(arena, (size_t)FVSR_CHUNK0_SLICES * 2 * run->lh * run->lw *
						     c->in_dim * sizeof(float));
	run->picture = fvsr_arena_take(arena, FVSR_SLICE_FRAMES * picture_bytes(run));
	place_projection(run, arena);
	place_kv(run, arena);
	place_decoder(run, arena, false);
	run->work = fvsr_arena_take(arena, place_work(run));
	place_work(run);
}

static struct fvsr_picture input_picture(const struct fvsr_run *run)
{
	return (struct fvsr_picture){
		.format = run->set.in_format,
		.memory = FVSR_MEMORY_HOST,
		.width = run->set.in_width,
		.height = run->set.in_height,
		.stride = (size_t)run->set.in_width * 4,
	};
}

/* Every op with every shape that it will see. */
static void plan(struct fvsr_run *run)
{
	struct fvsr_picture picture = input_picture(run);

	run->queue->planning = true;
	fvsr_run_reset(run);
	fvsr_run_ingest(run, 0, &picture);
	for (int64_t k = 0; k < 2 + run->kv.kept; k++)
		fvsr_run_chunk(run, k, FVSR_LAST_UNKNOWN);
	fvsr_run_decode(run, 0, FVSR_LAST_UNKNOWN);
	fvsr_run_decode(run, 1, FVSR_LAST_UNKNOWN);
	run->queue->planning = false;
}

static void set_sizes(struct fvsr_run *run, const struct fvsr_run_settings *settings)
{
	struct fvsr_kv *kv = &run->kv;

	run->set = *settings;
	run->pad_width = fvsr_round_up(settings->width, 128);
	run->pad_height = fvsr_round_up(settings->height, 128);
	run->lw = run->pad_width / 8, run->lh = run->pad_height / 8;
	run->w = run->pad_width / 16, run->h = run->pad_height / 16;
	run->block_columns = run->w / 8, run->block_rows = run->h / 8;
	run->blocks = run->block_rows * run->block_columns;
	run->rows = 2 * run->h * run->w;
	run->topk = (int64_t)floor((double)run->blocks * run->blocks * settings->topk_ratio) - 1;
	kv->kept = settings->kv_ratio > 2 ? settings->kv_ratio : 2;
	kv->slots = run->net->config.num_layers * kv->kept + 1;
}

static int allocate(struct fvsr_run *run, struct fvsr_error *err)
{
	struct fvsr_arena arena = {0};
	const struct fvsr_backend *backend = run->backend;
	struct fvsr_device *device = run->net->device;

	place(run, &arena);
	run->memory = backend->alloc(device, arena.used);
	if (!run->memory)
		return fvsr_fail(err, FVSR_ERR_MEMORY,
				 "a stream of %d x %d needs %.2f GiB on %s, which are not free",
				 run->set.width, run->set.height, (double)arena.used / (1 << 30),
				 backend->name);
	arena = (struct fvsr_arena){.base = run->memory};
	place(run, &arena);
	return 0;
}

static int plan_and_allocate(struct fvsr_run *run, bool keep, size_t *bytes,
			     struct fvsr_error *err)
{
	struct fvsr_arena arena = {0};
	int result;

	place(run, &arena);
	if (keep && (result = allocate(run, err)) < 0)
		return result;
	plan(run);
	if (run->queue->error)
		return fvsr_fail(err, run->queue->error, "%s", run->queue->message.text);
	if (bytes)
		*bytes = arena.used + run->queue->scratch_bytes;
	if (!keep)
		return 0;
	if (run->queue->scratch_bytes) {
		run->scratch = run->backend->alloc(run->net->device, run->queue->scratch_bytes);
		if (!run->scratch)
			return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory on %s",
					 run->backend->name);
	}
	run->queue->scratch = run->scratch;
	fvsr_run_reset(run);
	return 0;
}

int fvsr_run_open(struct fvsr_run **out, const struct fvsr_net *net,
		  const struct fvsr_run_settings *settings, size_t *bytes, struct fvsr_error *err)
{
	struct fvsr_run *run = calloc(1, sizeof(*run));
	size_t layers = (size_t)net->config.num_layers;
	int result;

	if (!run)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	run->net = net;
	run->backend = net->backend;
	set_sizes(run, settings);
	run->kv.free_slots = calloc((size_t)run->kv.slots, sizeof(int));
	run->kv.held = calloc(layers * ((size_t)run->kv.kept + 2), sizeof(int));
	run->kv.held_count = calloc(layers, sizeof(int));
	if (!run->kv.free_slots || !run->kv.held || !run->kv.held_count)
		result = fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	else
		result = run->backend->queue_open(&run->queue, net->device, err);
	if (!result)
		result = plan_and_allocate(run, out != NULL, bytes, err);
	if (result < 0 || !out) {
		fvsr_run_close(run);
		return result;
	}
	*out = run;
	return 0;
}

void fvsr_run_close(struct fvsr_run *run)
{
	if (!run)
		return;
	if (run->queue)
		run->backend->queue_close(run->queue);
	run->backend->free(run->net->device, run->scratch);
	run->backend->free(run->net->device, run->memory);
	fvsr_tap_close(run->tap);
	free(run->kv.free_slots);
	free(run->kv.held);
	free(run->kv.held_count);
	free(run);
}

struct fvsr_queue *fvsr_run_queue(struct fvsr_run *run)
{
	return run->queue;
}

int fvsr_run_set_tap(struct fvsr_run *run, const struct fvsr_tap *tap)
{
	fvsr_tap_close(run->tap);
	run->tap = NULL;
	return tap ? fvsr_tap_open(&run->tap, run, tap) : 0;
}

void fvsr_run_reset(struct fvsr_run *run)
{
	fvsr_kv_reset(run);
	fvsr_decoder_reset(run);
}

void fvsr_run_ingest(struct fvsr_run *run, int64_t n, const struct fvsr_picture *picture)
{
	struct fvsr_ingest a = {
		.src = picture,
		.canvas = fvsr_run_canvas(run, n, n),
		.alpha = alpha_of(run, n),
		.width = run->set.width,
		.height = run->set.height,
		.pad_width = run->pad_width,
		.pad_height = run->pad_height,
	};

	run->backend->stage(run->queue, FVSR_STAGE_INGEST);
	run->backend->ingest(run->queue, &a);
	run->backend->stage(run->queue, FVSR_STAGE_IDLE);
}

void fvsr_run_chunk(struct fvsr_run *run, int64_t k, int64_t last)
{
	run->backend->stage(run->queue, FVSR_STAGE_PROJECTION);
	for (int i = 0; i < fvsr_chunk_slices(k); i++)
		fvsr_projection_slice(run, fvsr_chunk_slice(k) + i, i, last);
	run->backend->stage(run->queue, FVSR_STAGE_TRANSFORMER);
	fvsr_transformer_chunk(run, k);
	run->backend->stage(run->queue, FVSR_STAGE_IDLE);
}

static void finish_picture(struct fvsr_run *run, int64_t n)
{
	struct fvsr_color_finish a = {
		.decoded = run->decoder.rgb,
		.canvas = fvsr_run_canvas(run, n, n),
		.alpha = alpha_of(run, n),
		.mode = run->set.color,
		.width = run->set.width,
		.height = run->set.height,
		.pad_width = run->pad_width,
		.pad_height = run->pad_height,
		.format = run->set.out_format,
		.nearest = run->net->config.residual,
		.dst = picture_slot(run, n),
		.final = run->tap ? run->final : NULL,
	};

	fvsr_tap_picture(run, n, "decoded", run->decoder.rgb, run->pad_width, run->pad_height);
	run->backend->stage(run->queue, FVSR_STAGE_COLOR);
	run->backend->color_finish(run->queue, &a);
	run->backend->stage(run->queue, FVSR_STAGE_DECODER);
	fvsr_tap_picture(run, n, "final", run->final, run->set.width, run->set.height);
}

/* Last convolution and colour of picture n, whose features are at 'features'. */
static void finish_frame(struct fvsr_run *run, int64_t n, const void *features)
{
	const struct fvsr_net *net = run->net;
	struct fvsr_conv_rgb a = {
		.dst = run->decoder.rgb,
		.src = features,
		.weight = net->dec_rgb.weight,
		.bias = net->dec_rgb.bias,
		.canvas = net->config.residual ? fvsr_run_canvas(run, n, n) : NULL,
		.h = run->pad_height,
		.w = run->pad_width,
		.cin = net->config.dec_channels[3],
	};

	run->backend->conv_rgb(run->queue, &a);
	finish_picture(run, n);
}

void fvsr_run_decode(struct fvsr_run *run, int64_t s, int64_t last)
{
	run->backend->stage(run->queue, FVSR_STAGE_DECODER);
	fvsr_decoder_slice(run, s, last, finish_frame);
	run->backend->stage(run->queue, FVSR_STAGE_IDLE);
}

void fvsr_run_emit(struct fvsr_run *run, int64_t n, const struct fvsr_picture *picture)
{
	run->backend->emit(run->queue, picture, picture_slot(run, n));
}
