/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One video through the network: where its buffers are, and the order of the stages. The same
 * code runs three times: to measure, to plan, and then for every slice of the video.
 */
#include "net/run/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/run/arena.h"

#define LEFT_FREE ((uint64_t)256 << 20) /* of the device's memory, when there is no limit */

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
	return fvsr_at(run->picture, (size_t)((n + 3) % FVSR_SLICE_FRAMES) * picture_bytes(run));
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
	run->projection.output =
		fvsr_arena_take(arena, fvsr_run_act(run, 2 * frame * run->net->config.lq_hidden2));
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
	t->noise =
		fvsr_arena_take(arena, slices * 2 * run->lh * run->lw * c->in_dim * sizeof(float));
	t->patches = fvsr_arena_take(arena, fvsr_run_act(run, rows * c->in_dim * 4));
}

/* Stages that never overlap start at the same place. */
static size_t place_work(struct fvsr_run *run)
{
	struct fvsr_arena projection = {.base = run->work}, transformer = projection,
			  decoder = projection;
	size_t bytes;

	place_projection_work(run, &projection);
	place_transformer_work(run, &transformer);
	fvsr_decoder_place(run, &decoder, true);
	run->final = fvsr_arena_take(&decoder, 3 * alpha_bytes(run) * sizeof(float));
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
	fvsr_kv_place(run, arena);
	fvsr_decoder_place(run, arena, false);
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

static void set_topk(struct fvsr_run *run, double ratio)
{
	run->topk = (int64_t)floor((double)run->blocks * run->blocks * ratio) - 1;
}

static void set_sizes(struct fvsr_run *run, const struct fvsr_run_settings *settings)
{
	run->set = *settings;
	run->pad_width = fvsr_round_up(settings->width, 128);
	run->pad_height = fvsr_round_up(settings->height, 128);
	run->lw = run->pad_width / 8, run->lh = run->pad_height / 8;
	run->w = run->pad_width / 16, run->h = run->pad_height / 16;
	run->block_columns = run->w / 8, run->block_rows = run->h / 8;
	run->blocks = run->block_rows * run->block_columns;
	run->rows = 2 * run->h * run->w;
	set_topk(run, settings->topk_ratio);
}

/* Device memory that the run takes as it is split now; the ops have been planned for it. */
static size_t device_bytes(struct fvsr_run *run)
{
	struct fvsr_arena arena = {0};

	place(run, &arena);
	return arena.used + run->queue->scratch_bytes;
}

static int failed(struct fvsr_run *run, struct fvsr_error *err)
{
	return fvsr_fail(err, run->queue->error, "%s", run->queue->message.text);
}

static int too_small(const struct fvsr_run *run, size_t needed, uint64_t limit,
		     struct fvsr_error *err)
{
	return fvsr_fail(err, FVSR_ERR_MEMORY,
			 "a stream of %d x %d needs %.2f GiB on %s, and there are %.2f",
			 run->set.width, run->set.height, (double)needed / (1 << 30),
			 run->backend->name, (double)limit / (1 << 30));
}

/*
 * The fastest way that fits into 'limit': everything at once, a lean decoder, and then as few
 * layers' keys and values in host memory as it takes.
 */
static int fit(struct fvsr_run *run, uint64_t limit, struct fvsr_error *err)
{
	int layers_away = 0;

	for (int lean = 0; lean < 2; lean++) {
		struct fvsr_arena arena = {0};

		run->lean = lean;
		place(run, &arena);
		plan(run);
		if (run->queue->error)
			return failed(run, err);
		if (device_bytes(run) <= limit)
			return 0;
	}
	while (device_bytes(run) > limit) {
		if (++layers_away > run->net->config.num_layers)
			return too_small(run, device_bytes(run), limit, err);
		fvsr_kv_split(run, layers_away);
	}
	return 0;
}

/* What may be taken: what was allowed, or what is free but for a rest that others may need. */
static uint64_t memory_limit(const struct fvsr_run *run)
{
	const struct fvsr_backend *backend = run->backend;
	uint64_t free_bytes;

	if (run->set.memory_limit || !backend->free_bytes)
		return run->set.memory_limit;
	free_bytes = backend->free_bytes(run->net->device);
	return free_bytes > LEFT_FREE ? free_bytes - LEFT_FREE : 1;
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
	if (fvsr_kv_allocate_host(run) < 0)
		return fvsr_fail(err, FVSR_ERR_MEMORY,
				 "a stream of %d x %d needs %.2f GiB of host memory beside %s",
				 run->set.width, run->set.height,
				 (double)fvsr_kv_host_bytes(run) / (1 << 30), backend->name);
	return 0;
}

static int allocate_scratch(struct fvsr_run *run, struct fvsr_error *err)
{
	if (run->queue->scratch_bytes) {
		run->scratch = run->backend->alloc(run->net->device, run->queue->scratch_bytes);
		if (!run->scratch)
			return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory on %s",
					 run->backend->name);
	}
	run->queue->scratch = run->scratch;
	return 0;
}

static int plan_and_allocate(struct fvsr_run *run, bool keep, struct fvsr_run_cost *cost,
			     struct fvsr_error *err)
{
	uint64_t limit = memory_limit(run);
	struct fvsr_arena arena = {0};
	int result = limit ? fit(run, limit, err) : 0;

	if (!result && keep)
		result = allocate(run, err);
	else if (!result)
		place(run, &arena);
	if (result < 0)
		return result;
	plan(run);
	if (run->queue->error)
		return failed(run, err);
	if (cost)
		*cost = (struct fvsr_run_cost){
			.bytes = device_bytes(run),
			.host_bytes = fvsr_kv_host_bytes(run),
		};
	if (!keep)
		return 0;
	result = allocate_scratch(run, err);
	if (!result)
		fvsr_run_reset(run);
	return result;
}

int fvsr_run_open(struct fvsr_run **out, const struct fvsr_net *net,
		  const struct fvsr_run_settings *settings, struct fvsr_run_cost *cost,
		  struct fvsr_error *err)
{
	struct fvsr_run *run = calloc(1, sizeof(*run));
	int result;

	if (!run)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	run->net = net;
	run->backend = net->backend;
	set_sizes(run, settings);
	if (fvsr_kv_open(run, settings->kv_ratio) < 0)
		result = fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	else
		result = run->backend->queue_open(&run->queue, net->device, err);
	if (!result)
		result = plan_and_allocate(run, out != NULL, cost, err);
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
	fvsr_kv_close(run);
	free(run);
}

struct fvsr_queue *fvsr_run_queue(struct fvsr_run *run)
{
	return run->queue;
}

void fvsr_run_set_breathe(struct fvsr_run *run, void (*breathe)(void *opaque), void *opaque)
{
	run->breathe = breathe;
	run->breathe_opaque = opaque;
}

void fvsr_run_set_effort(struct fvsr_run *run, double topk, int kv_ratio)
{
	set_topk(run, topk);
	run->set.kv_ratio = kv_ratio;
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
	for (int i = 0; i < fvsr_chunk_slices(k); i++) {
		fvsr_projection_slice(run, fvsr_chunk_slice(k) + i, i, last);
		fvsr_run_breathe(run);
	}
	run->backend->stage(run->queue, FVSR_STAGE_TRANSFORMER);
	fvsr_transformer_chunk(run, k);
	run->backend->stage(run->queue, FVSR_STAGE_IDLE);
}

/* Colour of picture n, and its place in the slots. */
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
	fvsr_run_breathe(run);
}

void fvsr_run_decode(struct fvsr_run *run, int64_t s, int64_t last)
{
	run->backend->stage(run->queue, FVSR_STAGE_DECODER);
	fvsr_decoder_slice(run, s, last, finish_picture);
	run->backend->stage(run->queue, FVSR_STAGE_IDLE);
}

void fvsr_run_emit(struct fvsr_run *run, int64_t n, const struct fvsr_picture *picture)
{
	run->backend->emit(run->queue, picture, picture_slot(run, n));
}
