/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Push and pull: which frames a chunk waits for, and when pictures are ready (section 3).
 *
 * Frames sent are put on their canvas at once. receive() does the rest when nothing is ready: the
 * decoder for one slice of the last chunk, or a new chunk if its frames are there.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/run/run.h"
#include "net/slices.h"
#include "stream/frame.h"
#include "stream/model.h"
#include "stream/pace.h"

#define TAGS               64 /* more than frames can be inside */
#define MIN_SIDE_PX        16
#define MAX_SIDE_PX        16384
#define TOPK_AREA          (768.0 * 1280.0) /* section 6 */
#define FIRST_PROMPT_SCALE 2                /* section 9 */
#define PAUSE_STEP_MS      10
#define MAX_BUDGET_MS      (3600 * 1e3) /* no chunk lasts that long, and sums with it stay numbers */
#define CANVAS_SCALE       4.0          /* where neither settings nor sizes say it */

struct fvsr_stream {
	fvsr_model *model;
	struct fvsr_settings set;
	struct fvsr_run *run;
	int64_t sent, received; /* frames */
	int64_t ready;          /* pictures received .. ready - 1 are in their slots */
	int64_t chunk;          /* next to run */
	int64_t slice;          /* next to decode */
	int64_t tags[TAGS];
	bool ended;
	struct fvsr_timing timing;
	struct fvsr_pace pace;
	struct fvsr_error err;
};

static double topk_ratio(const struct fvsr_settings *s, double sparse_ratio)
{
	double area = (double)fvsr_canvas_px(s->out_width) * fvsr_canvas_px(s->out_height);

	return sparse_ratio * TOPK_AREA / area;
}

void fvsr_settings_default(struct fvsr_settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	settings->in_format = FVSR_FORMAT_RGBA8;
	settings->out_format = FVSR_FORMAT_RGBA8;
	settings->sparse_ratio = 2.0;
	settings->local_range = 11;
	settings->kv_ratio = 3;
	settings->color = FVSR_COLOR_MODEL;
	settings->noise = FVSR_NOISE_NORMAL;
}

static bool valid_side(int px)
{
	return px >= MIN_SIDE_PX && px <= MAX_SIDE_PX;
}

static bool valid_format(enum fvsr_format format)
{
	return format >= FVSR_FORMAT_RGBA8 && format <= FVSR_FORMAT_RGBF32P;
}

static int check_sizes(const struct fvsr_settings *s, struct fvsr_error *err)
{
	if (!valid_side(s->in_width) || !valid_side(s->in_height))
		return fvsr_fail(err, FVSR_ERR_ARGUMENT,
				 "input of %d x %d: sides from %d to %d pixels are possible",
				 s->in_width, s->in_height, MIN_SIDE_PX, MAX_SIDE_PX);
	if (!valid_side(s->out_width) || !valid_side(s->out_height) || s->out_width < s->in_width ||
	    s->out_height < s->in_height)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT,
				 "output of %d x %d: sides must be at least the input's and at "
				 "most %d pixels",
				 s->out_width, s->out_height, MAX_SIDE_PX);
	if (s->in_format == FVSR_FORMAT_RGBF32P &&
	    (s->in_width != s->out_width || s->in_height != s->out_height))
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "a float canvas must have output size");
	return 0;
}

static double scale_of(const struct fvsr_settings *s)
{
	if (s->scale > 0)
		return s->scale;
	if (s->in_format == FVSR_FORMAT_RGBF32P)
		return CANVAS_SCALE;
	return sqrt((double)s->out_width * s->out_height / ((double)s->in_width * s->in_height));
}

/* The one for the nearest scale. */
static int prompt_of(const fvsr_model *model, double scale)
{
	int prompt = (int)floor(scale + 0.5) - FIRST_PROMPT_SCALE;
	int last = model->info.config.prompts - 1;

	return prompt < 0 ? 0 : prompt > last ? last : prompt;
}

static int check(const struct fvsr_settings *s, struct fvsr_error *err)
{
	int result = check_sizes(s, err);

	if (result < 0)
		return result;
	if (!valid_format(s->in_format) || !valid_format(s->out_format))
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "unknown pixel format");
	if (!(s->scale >= 0) || s->scale > MAX_SIDE_PX)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "scale must be 0 or more");
	if (!(s->sparse_ratio > 0) || !(s->sparse_ratio <= 1000))
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "sparse ratio must be above 0");
	if (s->local_range < 1 || s->local_range > 1024)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "local range must be 1 .. 1024 blocks");
	if (s->kv_ratio < 1 || s->kv_ratio >= FVSR_MAX_SLICES)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "KV ratio must be 1 .. %d",
				 FVSR_MAX_SLICES - 1);
	if (s->color < FVSR_COLOR_ADAIN || s->color > FVSR_COLOR_MODEL)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "unknown colour correction");
	if (s->noise != FVSR_NOISE_NORMAL && s->noise != FVSR_NOISE_UNIFORM)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "unknown noise");
	if (s->lq_version != FVSR_LQ_MODEL && s->lq_version != FVSR_LQ_V1 &&
	    s->lq_version != FVSR_LQ_V1_1)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "unknown version of the projection");
	return 0;
}

static enum fvsr_color color_of(const fvsr_model *model)
{
	return model->info.config.residual ? FVSR_COLOR_OFF : FVSR_COLOR_ADAIN;
}

static void run_settings(struct fvsr_run_settings *out, const fvsr_model *model,
			 const struct fvsr_settings *s)
{
	*out = (struct fvsr_run_settings){
		.in_width = s->in_width,
		.in_height = s->in_height,
		.width = s->out_width,
		.height = s->out_height,
		.in_format = s->in_format,
		.out_format = s->out_format,
		.prompt = prompt_of(model, scale_of(s)),
		.local_range = s->local_range,
		.kv_ratio = s->kv_ratio,
		.topk_ratio = topk_ratio(s, s->sparse_ratio),
		.color = s->color == FVSR_COLOR_MODEL ? color_of(model) : s->color,
		.noise = s->noise,
		.seed = s->seed,
		.lq_version = s->lq_version ? s->lq_version : model->info.config.lq_version,
		.memory_limit = s->memory_limit,
	};
}

int fvsr_stream_cost(const fvsr_model *model, const struct fvsr_settings *settings,
		     struct fvsr_stream_cost *cost, struct fvsr_error *err)
{
	struct fvsr_run_settings set;
	struct fvsr_run_cost run;
	int result;

	if (!model || !settings || !cost)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "NULL argument");
	result = check(settings, err);
	if (result < 0)
		return result;
	run_settings(&set, model, settings);
	result = fvsr_run_open(NULL, model->net, &set, &run, err);
	if (result < 0)
		return result;
	*cost = (struct fvsr_stream_cost){
		.first_latency = FVSR_FIRST_LATENCY,
		.latency = FVSR_LATENCY,
		.chunk = FVSR_CHUNK_FRAMES,
		.canvas_width = fvsr_canvas_px(settings->out_width),
		.canvas_height = fvsr_canvas_px(settings->out_height),
	};
	cost->host_bytes = run.host_bytes;
	*(model->device->backend->host_memory ? &cost->host_bytes : &cost->device_bytes) +=
		run.bytes;
	return 0;
}

static void start(struct fvsr_stream *stream)
{
	stream->sent = stream->received = stream->ready = 0;
	stream->chunk = stream->slice = 0;
	stream->ended = false;
}

int fvsr_stream_open(fvsr_stream **out, fvsr_model *model, const struct fvsr_settings *settings,
		     struct fvsr_error *err)
{
	struct fvsr_run_settings set;
	fvsr_stream *stream;
	int result;

	if (!out || !model || !settings)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "NULL argument");
	result = check(settings, err);
	if (result < 0)
		return result;
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	stream->set = *settings;
	run_settings(&set, model, settings);
	result = fvsr_run_open(&stream->run, model->net, &set, NULL, err);
	if (result < 0) {
		free(stream);
		return result;
	}
	stream->model = fvsr_model_ref(model);
	start(stream);
	*out = stream;
	return 0;
}

void fvsr_stream_close(fvsr_stream *stream)
{
	if (!stream)
		return;
	fvsr_run_close(stream->run);
	fvsr_model_unref(stream->model);
	free(stream);
}

void fvsr_stream_reset(fvsr_stream *stream)
{
	fvsr_run_queue(stream->run)->error = 0;
	atomic_store(&fvsr_run_queue(stream->run)->interrupted, false);
	fvsr_run_reset(stream->run);
	fvsr_pace_reset(&stream->pace);
	start(stream);
}

void fvsr_stream_interrupt(fvsr_stream *stream)
{
	if (stream)
		atomic_store(&fvsr_run_queue(stream->run)->interrupted, true);
}

int fvsr_stream_set_effort(fvsr_stream *stream, double sparse_ratio, int kv_ratio)
{
	if (!stream)
		return FVSR_ERR_ARGUMENT;
	if (!(sparse_ratio > 0) || !(sparse_ratio <= 1000) || kv_ratio < 1 ||
	    kv_ratio > stream->set.kv_ratio)
		return fvsr_fail(&stream->err, FVSR_ERR_ARGUMENT,
				 "sparse ratio must be above 0, KV ratio 1 .. %d",
				 stream->set.kv_ratio);
	fvsr_run_set_effort(stream->run, topk_ratio(&stream->set, sparse_ratio), kv_ratio);
	return 0;
}

const char *fvsr_stream_error(const fvsr_stream *stream)
{
	return stream->err.text;
}

static int check_frame(fvsr_stream *stream, const fvsr_frame *frame, int width, int height,
		       enum fvsr_format format)
{
	const struct fvsr_picture *p;

	if (!frame)
		return fvsr_fail(&stream->err, FVSR_ERR_ARGUMENT, "no frame was given");
	p = &frame->picture;
	if (p->width != width || p->height != height || p->format != format)
		return fvsr_fail(
			&stream->err, FVSR_ERR_ARGUMENT,
			"a frame of %d x %d in format %d where %d x %d in format %d is due",
			p->width, p->height, p->format, width, height, format);
	if (p->memory != FVSR_MEMORY_HOST && stream->model->device->backend->host_memory)
		return fvsr_fail(&stream->err, FVSR_ERR_UNSUPPORTED,
				 "the CPU backends take and give frames in host memory only");
	if (!p->data || (p->memory != FVSR_MEMORY_CUDA_ARRAY && p->stride < (size_t)width * 4))
		return fvsr_fail(&stream->err, FVSR_ERR_ARGUMENT, "a frame without pixels");
	return 0;
}

static int queue_result(fvsr_stream *stream)
{
	struct fvsr_queue *queue = fvsr_run_queue(stream->run);

	if (queue->error)
		stream->err = queue->message;
	return queue->error;
}

int fvsr_stream_send(fvsr_stream *stream, const fvsr_frame *frame)
{
	int result;

	if (!stream)
		return FVSR_ERR_ARGUMENT;
	if (stream->ended)
		return fvsr_fail(&stream->err, FVSR_ERR_EOF, "the stream has ended");
	result = check_frame(stream, frame, stream->set.in_width, stream->set.in_height,
			     stream->set.in_format);
	if (result < 0)
		return result;
	if (stream->sent >= fvsr_slice_oldest_frame(stream->slice) + FVSR_CANVASES)
		return fvsr_fail(&stream->err, FVSR_ERR_AGAIN, "the stream is full");
	fvsr_run_ingest(stream->run, stream->sent, &frame->picture);
	result = queue_result(stream);
	if (result < 0)
		return result;
	stream->tags[stream->sent++ % TAGS] = frame->tag;
	return 0;
}

int fvsr_stream_end(fvsr_stream *stream)
{
	if (!stream)
		return FVSR_ERR_ARGUMENT;
	stream->ended = true;
	return 0;
}

/* Tells whether a chunk has run whose slices are not all decoded. */
static bool slice_due(const fvsr_stream *stream)
{
	return stream->slice < fvsr_chunk_slice(stream->chunk);
}

static int64_t last_frame(const fvsr_stream *stream)
{
	return stream->ended ? stream->sent - 1 : FVSR_LAST_UNKNOWN;
}

static void decode_slice(fvsr_stream *stream)
{
	int64_t last = last_frame(stream), end;

	fvsr_run_decode(stream->run, stream->slice++, last);
	end = fvsr_slice_picture(stream->slice);
	stream->ready = last < end - 1 ? last + 1 : end;
}

/* Tells whether the frames of the next chunk are there, or no more will come. */
static bool chunk_due(const fvsr_stream *stream)
{
	return stream->ended || stream->sent > fvsr_chunk_last_read(stream->chunk);
}

/* Makes pictures ready. FVSR_ERR_AGAIN when frames are missing. */
static int advance(fvsr_stream *stream)
{
	if (stream->ended && stream->received >= stream->sent)
		return FVSR_ERR_EOF;
	if (slice_due(stream)) {
		decode_slice(stream);
	} else if (chunk_due(stream)) {
		fvsr_pace_begin(&stream->pace, stream->chunk > 1);
		fvsr_run_chunk(stream->run, stream->chunk++, last_frame(stream));
		stream->timing.chunks++;
	} else {
		return FVSR_ERR_AGAIN;
	}
	return queue_result(stream);
}

enum fvsr_next fvsr_stream_next(const fvsr_stream *stream)
{
	if (!stream || (stream->ended && stream->received >= stream->sent))
		return FVSR_NEXT_NOTHING;
	if (stream->received < stream->ready)
		return FVSR_NEXT_FRAME;
	return slice_due(stream) || chunk_due(stream) ? FVSR_NEXT_COMPUTE : FVSR_NEXT_NOTHING;
}

/* In steps, so that an interruption ends it within one. */
static void pause_ms(struct fvsr_stream *stream, double ms)
{
	const struct fvsr_queue *queue = fvsr_run_queue(stream->run);
	double end = fvsr_now_ms() + ms, left;

	while (!atomic_load(&queue->interrupted) && (left = end - fvsr_now_ms()) > 0) {
		struct timespec time = {0};

		time.tv_nsec = (long)((left < PAUSE_STEP_MS ? left : PAUSE_STEP_MS) * 1e6);
		nanosleep(&time, NULL);
	}
}

/* A piece of a chunk is in the queue. What it takes is known when it is done. */
static void breathe(void *opaque)
{
	struct fvsr_stream *stream = opaque;
	double pause;

	if (!stream->pace.spreading)
		return;
	stream->model->device->backend->finish(fvsr_run_queue(stream->run));
	fvsr_pace_done(&stream->pace, fvsr_now_ms());
	pause = fvsr_pace_pause(&stream->pace);
	if (pause <= 0)
		return;
	pause_ms(stream, pause);
	stream->timing.paused_ms += fvsr_now_ms() - stream->pace.since_ms;
	fvsr_pace_paused(&stream->pace, fvsr_now_ms());
}

void fvsr_stream_set_budget(fvsr_stream *stream, double chunk_ms)
{
	if (!stream)
		return;
	stream->pace.budget_ms = !(chunk_ms > 0)            ? 0
				 : chunk_ms < MAX_BUDGET_MS ? chunk_ms
							    : MAX_BUDGET_MS;
	fvsr_run_set_breathe(stream->run, chunk_ms > 0 ? breathe : NULL, stream);
}

int fvsr_stream_receive(fvsr_stream *stream, fvsr_frame *frame)
{
	double began = fvsr_now_ms(), paused;
	int result;

	if (!stream)
		return FVSR_ERR_ARGUMENT;
	paused = stream->timing.paused_ms;
	fvsr_pace_work(&stream->pace, began);
	result = check_frame(stream, frame, stream->set.out_width, stream->set.out_height,
			     stream->set.out_format);
	while (!result && stream->received >= stream->ready)
		result = advance(stream);
	if (!result) {
		fvsr_run_emit(stream->run, stream->received, &frame->picture);
		result = queue_result(stream);
	}
	if (result < 0)
		return result;
	frame->tag = stream->tags[stream->received++ % TAGS];
	stream->timing.frames++;
	stream->timing.total_ms += fvsr_now_ms() - began - (stream->timing.paused_ms - paused);
	fvsr_pace_done(&stream->pace, fvsr_now_ms());
	return 0;
}

int fvsr_stream_wait_sent(fvsr_stream *stream)
{
	const struct fvsr_backend *backend;

	if (!stream)
		return FVSR_ERR_ARGUMENT;
	backend = stream->model->device->backend;
	if (backend->wait_ingested)
		backend->wait_ingested(fvsr_run_queue(stream->run));
	return queue_result(stream);
}

/* The wait is the rest of the work that the frame took. */
int fvsr_stream_wait_received(fvsr_stream *stream)
{
	const struct fvsr_backend *backend;
	double began = fvsr_now_ms();

	if (!stream)
		return FVSR_ERR_ARGUMENT;
	backend = stream->model->device->backend;
	if (backend->wait_emitted)
		backend->wait_emitted(fvsr_run_queue(stream->run));
	stream->timing.total_ms += fvsr_now_ms() - began;
	fvsr_pace_work(&stream->pace, began);
	fvsr_pace_done(&stream->pace, fvsr_now_ms());
	return queue_result(stream);
}

void fvsr_stream_timing(fvsr_stream *stream, struct fvsr_timing *timing, bool restart)
{
	struct fvsr_queue *queue = fvsr_run_queue(stream->run);

	stream->timing.ingest_ms = queue->stage_ms[FVSR_STAGE_INGEST];
	stream->timing.projection_ms = queue->stage_ms[FVSR_STAGE_PROJECTION];
	stream->timing.transformer_ms = queue->stage_ms[FVSR_STAGE_TRANSFORMER];
	stream->timing.decoder_ms = queue->stage_ms[FVSR_STAGE_DECODER];
	stream->timing.color_ms = queue->stage_ms[FVSR_STAGE_COLOR];
	*timing = stream->timing;
	if (restart) {
		memset(queue->stage_ms, 0, sizeof(queue->stage_ms));
		memset(&stream->timing, 0, sizeof(stream->timing));
	}
}

int fvsr_stream_set_tap(fvsr_stream *stream, const struct fvsr_tap *tap)
{
	if (!stream || stream->sent)
		return FVSR_ERR_ARGUMENT;
	return fvsr_run_set_tap(stream->run, tap);
}
