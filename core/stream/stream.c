/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Streams, by push and pull: which frames a chunk waits for, and when pictures are ready (section
 * 3).
 *
 * Frames sent are put on their canvas at once. receive() does the rest when nothing is ready: the
 * decoder for one slice of the last chunk, or a new chunk if its frames are there. A trunk knows
 * neither: the picture of each frame can be made when the frame is there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/run/run.h"
#include "net/slices.h"
#include "stream/frame.h"
#include "stream/model.h"
#include "stream/settings.h"
#include "stream/spread.h"

#define TAGS          64
#define PAUSE_STEP_MS 10
#define MAX_BUDGET_MS (3600 * 1e3) /* no chunk lasts that long, and sums with it stay numbers */

_Static_assert(TAGS > FVSR_CANVASES + FVSR_FIRST_CHUNK_FRAMES, "a frame inside loses its tag");

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
	struct fvsr_spread spread;
	struct fvsr_error err;
};

static bool is_trunk(const fvsr_model *model)
{
	return fvsr_config_is_trunk(&model->info.config);
}

int fvsr_stream_cost(const fvsr_model *model, const struct fvsr_settings *settings,
		     struct fvsr_stream_cost *cost, struct fvsr_error *err)
{
	struct fvsr_run_settings set;
	struct fvsr_run_cost run;
	int result;

	if (!model || !settings || !cost)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "NULL argument");
	result = fvsr_settings_check(settings, err);
	if (result < 0)
		return result;
	set = fvsr_settings_for_run(settings, model);
	result = fvsr_run_open(NULL, model->net, &set, &run, err);
	if (result < 0)
		return result;
	*cost = (struct fvsr_stream_cost){
		.first_latency = is_trunk(model) ? 1 : FVSR_FIRST_LATENCY,
		.latency = is_trunk(model) ? 1 : FVSR_LATENCY,
		.chunk = is_trunk(model) ? 1 : FVSR_CHUNK_FRAMES,
		.canvas_width =
			fvsr_run_canvas_px(&model->info.config, set.scale, settings->out_width),
		.canvas_height =
			fvsr_run_canvas_px(&model->info.config, set.scale, settings->out_height),
	};
	cost->host_bytes = run.host_bytes;
	cost->run_up = run.run_up;
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
	result = fvsr_settings_check(settings, err);
	if (result < 0)
		return result;
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	stream->set = *settings;
	set = fvsr_settings_for_run(settings, model);
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
	fvsr_spread_reset(&stream->spread);
	start(stream);
}

void fvsr_stream_interrupt(fvsr_stream *stream)
{
	if (stream)
		atomic_store(&fvsr_run_queue(stream->run)->interrupted, true);
}

int fvsr_stream_set_effort(fvsr_stream *stream, double sparse_ratio, int kv_ratio)
{
	int result;

	if (!stream)
		return FVSR_ERR_ARGUMENT;
	result = fvsr_settings_check_effort(sparse_ratio, kv_ratio, stream->set.kv_ratio,
					    &stream->err);
	if (!result)
		fvsr_run_set_effort(stream->run,
				    fvsr_settings_topk_ratio(&stream->set, sparse_ratio), kv_ratio);
	return result;
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

/* Returns the first frame for whose canvas there is no room. */
static int64_t first_without_room(const fvsr_stream *stream)
{
	if (is_trunk(stream->model))
		return stream->ready + FVSR_TRUNK_CANVASES;
	return fvsr_slice_oldest_frame(stream->slice) + FVSR_CANVASES;
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
	if (stream->sent >= first_without_room(stream))
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

/* Makes the next frame's picture. Frames are counted in chunks as those of all other models. */
static void make_picture(fvsr_stream *stream)
{
	int64_t n = stream->ready++;

	fvsr_run_frame(stream->run, n);
	stream->timing.chunks += n == fvsr_chunk_picture(fvsr_picture_chunk(n));
}

/* Tells whether there is something to compute. */
static bool work_due(const fvsr_stream *stream)
{
	if (is_trunk(stream->model))
		return stream->ready < stream->sent;
	return slice_due(stream) || chunk_due(stream);
}

/* Makes pictures ready; FVSR_ERR_AGAIN when frames are missing. */
static int advance(fvsr_stream *stream)
{
	if (stream->ended && stream->received >= stream->sent)
		return FVSR_ERR_EOF;
	if (!work_due(stream))
		return FVSR_ERR_AGAIN;
	if (is_trunk(stream->model)) {
		make_picture(stream);
	} else if (slice_due(stream)) {
		decode_slice(stream);
	} else {
		fvsr_spread_begin(&stream->spread, stream->chunk > 1);
		fvsr_run_chunk(stream->run, stream->chunk++, last_frame(stream));
		stream->timing.chunks++;
	}
	return queue_result(stream);
}

enum fvsr_next fvsr_stream_next(const fvsr_stream *stream)
{
	if (!stream || (stream->ended && stream->received >= stream->sent))
		return FVSR_NEXT_NOTHING;
	if (stream->received < stream->ready)
		return FVSR_NEXT_FRAME;
	return work_due(stream) ? FVSR_NEXT_COMPUTE : FVSR_NEXT_NOTHING;
}

/* Sleeps in steps, so that an interruption ends the pause within one. */
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

/* Rests behind a piece of a chunk, whose work is known when the queue has finished it. */
static void breathe(void *opaque)
{
	struct fvsr_stream *stream = opaque;
	double pause;

	if (!stream->spread.pausing)
		return;
	stream->model->device->backend->finish(fvsr_run_queue(stream->run));
	fvsr_spread_done(&stream->spread, fvsr_now_ms());
	pause = fvsr_spread_pause(&stream->spread);
	if (pause <= 0)
		return;
	pause_ms(stream, pause);
	stream->timing.paused_ms += fvsr_now_ms() - stream->spread.since_ms;
	fvsr_spread_paused(&stream->spread, fvsr_now_ms());
}

void fvsr_stream_set_budget(fvsr_stream *stream, double chunk_ms)
{
	if (!stream)
		return;
	stream->spread.budget_ms = !(chunk_ms > 0)            ? 0
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
	fvsr_spread_work(&stream->spread, began);
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
	fvsr_spread_done(&stream->spread, fvsr_now_ms());
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

/* Counts the wait as work: it is the rest of what the frame took. */
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
	fvsr_spread_work(&stream->spread, began);
	fvsr_spread_done(&stream->spread, fvsr_now_ms());
	return queue_result(stream);
}

void fvsr_stream_timing(fvsr_stream *stream, struct fvsr_timing *timing, bool restart)
{
	struct fvsr_queue *queue = fvsr_run_queue(stream->run);

	stream->timing.ingest_ms = queue->stage_ms[FVSR_STAGE_INGEST];
	stream->timing.projection_ms = queue->stage_ms[FVSR_STAGE_PROJECTION];
	stream->timing.transformer_ms = queue->stage_ms[FVSR_STAGE_TRANSFORMER];
	stream->timing.decoder_ms = queue->stage_ms[FVSR_STAGE_DECODER];
	stream->timing.trunk_ms = queue->stage_ms[FVSR_STAGE_TRUNK];
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
