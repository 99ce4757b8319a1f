/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One video through the network: where its buffers are, and the order of the stages, which know
 * nothing of one another or of the run. The same code runs three times: to measure, to plan, and
 * then for every slice of the video.
 */
#include "net/run/run.h"

#include <stdlib.h>

#include "net/run/canvas.h"
#include "net/run/decoder.h"
#include "net/run/projection.h"
#include "net/run/tap.h"
#include "net/run/transformer.h"
#include "net/run/trunk.h"

#define LEFT_FREE ((uint64_t)256 << 20) /* of the device's memory, when there is no limit */

struct fvsr_run {
	struct fvsr_context ctx;
	struct fvsr_run_settings set;
	struct fvsr_canvases canvases;
	struct fvsr_projection projection;
	struct fvsr_transformer transformer;
	struct fvsr_decoder decoder;
	struct fvsr_trunk trunk; /* or the three before */
	struct fvsr_tap_state *tap;

	void *memory, *scratch;
	void *work;    /* shared by stages that do not overlap */
	void *picture; /* finished pictures of a slice, by slot */
	void *final;   /* F32 (3, height, width), only read by taps */
};

static bool is_trunk(const struct fvsr_run *run)
{
	return fvsr_config_is_trunk(&run->ctx.net->config);
}

static size_t picture_bytes(const struct fvsr_run *run)
{
	size_t pixels = (size_t)run->ctx.width * run->ctx.height;

	return pixels * (run->set.out_format == FVSR_FORMAT_RGBF32P ? 3 * sizeof(float) : 4);
}

static void *picture_slot(const struct fvsr_run *run, int64_t n)
{
	int slot = is_trunk(run) ? 0 : fvsr_picture_slot(n);

	return fvsr_at(run->picture, (size_t)slot * picture_bytes(run));
}

/* ---- memory --------------------------------------------------------------------------------- */

static void place_final(struct fvsr_run *run, struct fvsr_arena *arena)
{
	run->final = fvsr_arena_take(arena,
				     (size_t)3 * run->ctx.width * run->ctx.height * sizeof(float));
}

/* Places what stages need for one piece of work; stages that never overlap share a place. */
static size_t place_work(struct fvsr_run *run)
{
	struct fvsr_arena projection = {.base = run->work}, transformer = projection,
			  decoder = projection;
	size_t bytes;

	fvsr_projection_place_work(&run->projection, &projection);
	fvsr_transformer_place_work(&run->transformer, &transformer);
	fvsr_decoder_place_work(&run->decoder, &decoder);
	place_final(run, &decoder);
	bytes = projection.used > transformer.used ? projection.used : transformer.used;
	return bytes > decoder.used ? bytes : decoder.used;
}

static void place(struct fvsr_run *run, struct fvsr_arena *arena)
{
	fvsr_canvases_place(&run->canvases, arena);
	if (is_trunk(run)) {
		run->picture = fvsr_arena_take(arena, picture_bytes(run));
		fvsr_trunk_place_work(&run->trunk, arena);
		place_final(run, arena);
		return;
	}
	run->picture = fvsr_arena_take(arena, FVSR_SLICE_FRAMES * picture_bytes(run));
	fvsr_projection_place(&run->projection, arena);
	fvsr_transformer_place(&run->transformer, arena);
	fvsr_decoder_place(&run->decoder, arena);
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

static void plan_chunks(struct fvsr_run *run)
{
	for (int64_t k = 0; k < fvsr_chunks_until_steady(run->transformer.kv.most); k++)
		fvsr_run_chunk(run, k, FVSR_LAST_UNKNOWN);
	fvsr_run_decode(run, 0, FVSR_LAST_UNKNOWN);
	fvsr_run_decode(run, 1, FVSR_LAST_UNKNOWN);
}

/* Shows every op every shape that it will see, which also finds out how much scratch they need. */
static void plan(struct fvsr_run *run)
{
	struct fvsr_picture picture = input_picture(run);

	run->ctx.queue->planning = true;
	run->ctx.queue->scratch_bytes = 0;
	fvsr_run_reset(run);
	fvsr_run_ingest(run, 0, &picture);
	if (is_trunk(run))
		fvsr_run_frame(run, 0);
	else
		plan_chunks(run);
	run->ctx.queue->planning = false;
}

/* Returns the device memory that the run takes as it is split now; the ops must be planned. */
static size_t device_bytes(struct fvsr_run *run)
{
	struct fvsr_arena arena = {0};

	place(run, &arena);
	return arena.used + run->ctx.queue->scratch_bytes;
}

static int failed(struct fvsr_run *run, struct fvsr_error *err)
{
	return fvsr_fail(err, run->ctx.queue->error, "%s", run->ctx.queue->message.text);
}

static int too_small(const struct fvsr_run *run, size_t needed, uint64_t limit,
		     struct fvsr_error *err)
{
	return fvsr_fail(err, FVSR_ERR_MEMORY,
			 "a stream of %d x %d needs %.2f GiB on %s, and there are %.2f",
			 run->set.width, run->set.height, (double)needed / (1 << 30),
			 run->ctx.backend->name, (double)limit / (1 << 30));
}

/*
 * Finds the fastest way that fits into 'limit': everything at once, a lean decoder, and then as
 * few layers' keys and values in host memory as it takes.
 */
static int fit(struct fvsr_run *run, uint64_t limit, struct fvsr_error *err)
{
	int layers_away = 0;

	for (int lean = 0; lean < (is_trunk(run) ? 1 : 2); lean++) {
		struct fvsr_arena arena = {0};

		run->decoder.lean = lean;
		place(run, &arena);
		plan(run);
		if (run->ctx.queue->error)
			return failed(run, err);
		if (device_bytes(run) <= limit)
			return 0;
	}
	while (device_bytes(run) > limit) {
		if (++layers_away > run->ctx.net->config.num_layers)
			return too_small(run, device_bytes(run), limit, err);
		fvsr_kv_split(&run->transformer.kv, layers_away);
	}
	return 0;
}

/* Returns what may be taken: what was allowed, or what is free but for a rest for others. */
static uint64_t memory_limit(const struct fvsr_run *run)
{
	const struct fvsr_backend *backend = run->ctx.backend;
	uint64_t free_bytes;

	if (run->set.memory_limit || !backend->free_bytes)
		return run->set.memory_limit;
	free_bytes = backend->free_bytes(run->ctx.net->device);
	return free_bytes > LEFT_FREE ? free_bytes - LEFT_FREE : 1;
}

static int allocate(struct fvsr_run *run, struct fvsr_error *err)
{
	struct fvsr_arena arena = {0};
	const struct fvsr_backend *backend = run->ctx.backend;
	const struct fvsr_kv *kv = &run->transformer.kv;

	place(run, &arena);
	run->memory = backend->alloc(run->ctx.net->device, arena.used);
	if (!run->memory)
		return fvsr_fail(err, FVSR_ERR_MEMORY,
				 "a stream of %d x %d needs %.2f GiB on %s, which are not free",
				 run->set.width, run->set.height, (double)arena.used / (1 << 30),
				 backend->name);
	arena = (struct fvsr_arena){.base = run->memory};
	place(run, &arena);
	if (!is_trunk(run) && fvsr_kv_allocate_host(&run->transformer.kv) < 0)
		return fvsr_fail(err, FVSR_ERR_MEMORY,
				 "a stream of %d x %d needs %.2f GiB of host memory beside %s",
				 run->set.width, run->set.height,
				 (double)fvsr_kv_host_bytes(kv) / (1 << 30), backend->name);
	return 0;
}

static int allocate_scratch(struct fvsr_run *run, struct fvsr_error *err)
{
	struct fvsr_queue *queue = run->ctx.queue;

	if (queue->scratch_bytes) {
		run->scratch = run->ctx.backend->alloc(run->ctx.net->device, queue->scratch_bytes);
		if (!run->scratch)
			return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory on %s",
					 run->ctx.backend->name);
	}
	queue->scratch = run->scratch;
	return 0;
}

static size_t host_bytes(const struct fvsr_run *run)
{
	return is_trunk(run) ? 0 : fvsr_kv_host_bytes(&run->transformer.kv);
}

/* Returns how many pictures depend on where the run began; a trunk has no memory. */
static int run_up(const struct fvsr_run *run)
{
	const struct fvsr_config *config = &run->ctx.net->config;

	return is_trunk(run)
		       ? 0
		       : (int)fvsr_settled_picture(config->num_layers, run->transformer.kv.most,
						   fvsr_decoder_past(config));
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
	if (run->ctx.queue->error)
		return failed(run, err);
	if (cost)
		*cost = (struct fvsr_run_cost){
			.bytes = device_bytes(run),
			.host_bytes = host_bytes(run),
			.run_up = run_up(run),
		};
	if (!keep)
		return 0;
	result = allocate_scratch(run, err);
	if (!result)
		fvsr_run_reset(run);
	return result;
}

/* ---- opening -------------------------------------------------------------------------------- */

int fvsr_run_canvas_px(const struct fvsr_config *config, double scale, int px)
{
	return fvsr_config_is_trunk(config) ? fvsr_trunk_canvas_px(config, scale, px)
					    : fvsr_canvas_px(px);
}

static void set_context(struct fvsr_context *ctx, const struct fvsr_net *net,
			const struct fvsr_run_settings *settings)
{
	ctx->net = net;
	ctx->backend = net->backend;
	ctx->width = settings->width, ctx->height = settings->height;
	ctx->pad_width = fvsr_run_canvas_px(&net->config, settings->scale, settings->width);
	ctx->pad_height = fvsr_run_canvas_px(&net->config, settings->scale, settings->height);
	if (fvsr_config_is_trunk(&net->config))
		return;
	ctx->lw = ctx->pad_width / FVSR_LATENT_PX, ctx->lh = ctx->pad_height / FVSR_LATENT_PX;
	ctx->w = ctx->pad_width / FVSR_TOKEN_PX, ctx->h = ctx->pad_height / FVSR_TOKEN_PX;
	ctx->block_columns = ctx->w / FVSR_BLOCK_SIDE;
	ctx->block_rows = ctx->h / FVSR_BLOCK_SIDE;
	ctx->blocks = ctx->block_rows * ctx->block_columns;
	ctx->rows = FVSR_SLICE_LATENTS * ctx->h * ctx->w;
}

/* Corrects the colours of picture n, which the decoder has just made, into the picture's slot. */
static void finish_picture(void *opaque, int64_t n)
{
	struct fvsr_run *run = opaque;
	const struct fvsr_context *ctx = &run->ctx;
	struct fvsr_color_finish a = {
		.decoded = is_trunk(run) ? run->trunk.rgb : run->decoder.rgb,
		.canvas = fvsr_canvas(&run->canvases, n, n),
		.alpha = fvsr_canvas_alpha(&run->canvases, n),
		.mode = run->set.color,
		.width = ctx->width,
		.height = ctx->height,
		.pad_width = ctx->pad_width,
		.pad_height = ctx->pad_height,
		.format = run->set.out_format,
		.nearest = ctx->net->config.residual,
		.dst = picture_slot(run, n),
		.final = run->tap ? run->final : NULL,
	};

	fvsr_tap_picture(run->tap, n, "decoded", a.decoded, a.pad_width, a.pad_height);
	ctx->backend->stage(ctx->queue, FVSR_STAGE_COLOR);
	ctx->backend->color_finish(ctx->queue, &a);
	ctx->backend->stage(ctx->queue, is_trunk(run) ? FVSR_STAGE_TRUNK : FVSR_STAGE_DECODER);
	fvsr_tap_picture(run->tap, n, "final", a.final, a.width, a.height);
	fvsr_breathe(ctx);
}

static void open_trunk(struct fvsr_run *run)
{
	const struct fvsr_config *config = &run->ctx.net->config;
	int index = fvsr_trunk_for(config, run->set.scale);

	run->canvases.ctx = &run->ctx;
	run->canvases.count = FVSR_TRUNK_CANVASES;
	run->trunk = (struct fvsr_trunk){
		.ctx = &run->ctx,
		.canvases = &run->canvases,
		.index = index,
		.side = config->trunk_scales[index],
		.scale = run->set.scale,
		.finish = finish_picture,
		.opaque = run,
	};
}

/* Gives each stage its choices, and what it reads of other stages. */
static int open_stages(struct fvsr_run *run, struct fvsr_error *err)
{
	const struct fvsr_run_settings *set = &run->set;
	const struct fvsr_context *ctx = &run->ctx;
	struct fvsr_transformer *t = &run->transformer;

	if (is_trunk(run)) {
		open_trunk(run);
		return 0;
	}
	run->canvases.ctx = ctx;
	run->canvases.count = FVSR_CANVASES;
	run->projection.ctx = ctx;
	run->projection.canvases = &run->canvases;
	run->projection.version = set->lq_version;
	t->ctx = ctx;
	t->tokens = run->projection.tokens;
	t->prompt = set->prompt;
	t->local_range = set->local_range;
	t->noise_kind = set->noise;
	t->seed = set->seed;
	t->first_slice = set->first_slice;
	fvsr_transformer_set_topk(t, set->topk_ratio);
	run->decoder.ctx = ctx;
	run->decoder.canvases = &run->canvases;
	run->decoder.finish = finish_picture;
	run->decoder.opaque = run;
	if (fvsr_kv_open(&t->kv, ctx, set->kv_ratio) < 0)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	return 0;
}

int fvsr_run_open(struct fvsr_run **out, const struct fvsr_net *net,
		  const struct fvsr_run_settings *settings, struct fvsr_run_cost *cost,
		  struct fvsr_error *err)
{
	struct fvsr_run *run = calloc(1, sizeof(*run));
	int result;

	if (!run)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	run->set = *settings;
	set_context(&run->ctx, net, settings);
	result = open_stages(run, err);
	if (!result)
		result = net->backend->queue_open(&run->ctx.queue, net->device, err);
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
	const struct fvsr_context *ctx;

	if (!run)
		return;
	ctx = &run->ctx;
	if (ctx->queue)
		ctx->backend->queue_close(ctx->queue);
	ctx->backend->free(ctx->net->device, run->scratch);
	ctx->backend->free(ctx->net->device, run->memory);
	fvsr_tap_close(run->tap);
	if (!is_trunk(run))
		fvsr_kv_close(&run->transformer.kv);
	free(run);
}

struct fvsr_queue *fvsr_run_queue(struct fvsr_run *run)
{
	return run->ctx.queue;
}

void fvsr_run_set_breathe(struct fvsr_run *run, void (*breathe)(void *opaque), void *opaque)
{
	run->ctx.breathe = breathe;
	run->ctx.breathe_opaque = opaque;
}

void fvsr_run_set_effort(struct fvsr_run *run, double topk_ratio, int kv_ratio)
{
	if (is_trunk(run))
		return;
	fvsr_transformer_set_topk(&run->transformer, topk_ratio);
	fvsr_kv_set_ratio(&run->transformer.kv, kv_ratio);
}

int fvsr_run_set_tap(struct fvsr_run *run, const struct fvsr_tap *tap)
{
	int key_slices = fvsr_attended_slices(run->transformer.kv.most), result = 0;

	fvsr_tap_close(run->tap);
	run->tap = NULL;
	if (tap)
		result = fvsr_tap_open(&run->tap, &run->ctx, key_slices, tap);
	run->transformer.tap = run->tap;
	return result;
}

/* ---- running -------------------------------------------------------------------------------- */

void fvsr_run_reset(struct fvsr_run *run)
{
	if (is_trunk(run))
		return;
	fvsr_kv_reset(&run->transformer.kv);
	fvsr_decoder_reset(&run->decoder);
}

static void stage(const struct fvsr_run *run, enum fvsr_stage stage)
{
	run->ctx.backend->stage(run->ctx.queue, stage);
}

void fvsr_run_ingest(struct fvsr_run *run, int64_t n, const struct fvsr_picture *picture)
{
	stage(run, FVSR_STAGE_INGEST);
	fvsr_canvases_ingest(&run->canvases, n, picture);
	stage(run, FVSR_STAGE_IDLE);
}

void fvsr_run_chunk(struct fvsr_run *run, int64_t k, int64_t last)
{
	stage(run, FVSR_STAGE_PROJECTION);
	for (int i = 0; i < fvsr_chunk_slices(k); i++) {
		fvsr_projection_slice(&run->projection, fvsr_chunk_slice(k) + i, last);
		fvsr_breathe(&run->ctx);
	}
	stage(run, FVSR_STAGE_TRANSFORMER);
	fvsr_transformer_chunk(&run->transformer, k);
	stage(run, FVSR_STAGE_IDLE);
}

void fvsr_run_decode(struct fvsr_run *run, int64_t s, int64_t last)
{
	stage(run, FVSR_STAGE_DECODER);
	fvsr_decoder_slice(&run->decoder, fvsr_transformer_latent(&run->transformer, s), s, last);
	stage(run, FVSR_STAGE_IDLE);
}

void fvsr_run_frame(struct fvsr_run *run, int64_t n)
{
	stage(run, FVSR_STAGE_TRUNK);
	fvsr_trunk_frame(&run->trunk, n);
	stage(run, FVSR_STAGE_IDLE);
}

void fvsr_run_emit(struct fvsr_run *run, int64_t n, const struct fvsr_picture *picture)
{
	run->ctx.backend->emit(run->ctx.queue, picture, picture_slot(run, n));
}
