/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fvsr bench: how fast a model runs here. The first chunk is longer than the others and warms
 * everything up, so it is reported apart.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "console.h"
#include "interrupt.h"
#include "model_args.h"
#include "options.h"
#include "platform.h"
#include "report.h"

struct bench {
	struct fvsr_cli_model_args model_args;
	struct fvsr_cli_stream_args stream_args;
	struct fvsr_cli_size size;
	double scale;
	int chunks;
	bool json, quiet, verbose;

	struct fvsr_model_info model;
	struct fvsr_stream_cost cost;
	struct fvsr_settings set;
	struct fvsr_timing first, later;
	double first_s, later_s; /* wall time of everything, sending included */
};

/* A picture that moves and has detail, so that no path is shorter than with real video. */
static void draw_frame(const struct fvsr_picture *picture, int t)
{
	uint32_t state = 12345u + (uint32_t)t;

	for (int y = 0; y < picture->height; y++) {
		uint8_t *row = (uint8_t *)picture->data + (size_t)y * picture->stride;
		for (int x = 0; x < picture->width; x++, row += 4) {
			state = state * 1664525u + 1013904223u;
			row[0] = (uint8_t)(x + 2 * t + (int)(state >> 28));
			row[1] = (uint8_t)(y + t + (int)(state >> 28));
			row[2] = (uint8_t)((x ^ y) + t);
			row[3] = 255;
		}
	}
}

struct run {
	fvsr_stream *stream;
	fvsr_frame *in, *out;
	struct fvsr_cli_progress progress;
	int sent;
	uint64_t received, total;
};

/* Sends and receives until 'frames' have come out. */
static int run_frames(struct run *run, uint64_t frames)
{
	int result = FVSR_OK;

	while (run->received < frames && result == FVSR_OK && !fvsr_cli_interrupted()) {
		draw_frame(fvsr_frame_picture(run->in), run->sent++);
		result = fvsr_stream_send(run->stream, run->in);
		while (result == FVSR_OK &&
		       (result = fvsr_stream_receive(run->stream, run->out)) == 0)
			run->received++;
		if (result == FVSR_ERR_AGAIN)
			result = FVSR_OK;
		fvsr_cli_progress_frames(&run->progress, run->received, run->total);
	}
	return fvsr_cli_interrupted() ? FVSR_ERR_CANCELLED : result;
}

static int measure(struct bench *bench, struct run *run)
{
	const uint64_t first = FVSR_FIRST_CHUNK_FRAMES;
	double start_s = fvsr_cli_clock_s();
	int result;

	run->total = first + FVSR_CHUNK_FRAMES * (uint64_t)bench->chunks;
	fvsr_cli_progress_start(&run->progress, bench->quiet || bench->json);
	result = run_frames(run, first);
	bench->first_s = fvsr_cli_clock_s() - start_s;
	fvsr_stream_timing(run->stream, &bench->first, true);
	start_s = fvsr_cli_clock_s();
	if (result == FVSR_OK)
		result = run_frames(run, run->total);
	bench->later_s = fvsr_cli_clock_s() - start_s;
	fvsr_stream_timing(run->stream, &bench->later, true);
	fvsr_cli_progress_clear(&run->progress);
	return result;
}

static int run_stream(struct bench *bench, fvsr_model *model)
{
	struct run run = {0};
	struct fvsr_error err = {""};
	const char *text = err.text;
	int result = fvsr_stream_cost(model, &bench->set, &bench->cost, &err);

	if (result == FVSR_OK)
		result = fvsr_stream_open(&run.stream, model, &bench->set, &err);
	if (result == FVSR_OK)
		result = fvsr_frame_create(&run.in, FVSR_FORMAT_RGBA8, bench->set.in_width,
					   bench->set.in_height);
	if (result == FVSR_OK)
		result = fvsr_frame_create(&run.out, FVSR_FORMAT_RGBA8, bench->set.out_width,
					   bench->set.out_height);
	if (result == FVSR_OK) {
		result = measure(bench, &run);
		text = result == FVSR_OK ? "" : fvsr_stream_error(run.stream);
	}
	if (result < 0 && !fvsr_cli_interrupted())
		fvsr_cli_error("cannot measure: %s",
			       text && *text ? text : fvsr_result_text(result));
	fvsr_frame_destroy(run.out);
	fvsr_frame_destroy(run.in);
	fvsr_stream_close(run.stream);
	return result;
}

static double per_chunk(double ms, const struct fvsr_timing *timing)
{
	return timing->chunks ? ms / (double)timing->chunks : 0;
}

static double frames_per_s(const struct bench *bench)
{
	return bench->later_s > 0 ? (double)bench->later.frames / bench->later_s : 0;
}

static void print_column(const char *name, double first_ms, double later_ms)
{
	printf("%-12s  %12.2f  %12.2f\n", name, first_ms, later_ms);
}

/* Prints the stages that the model has. */
static void print_network(const struct bench *bench)
{
	const struct fvsr_timing *a = &bench->first, *b = &bench->later;

	if (bench->model.config.trunk_scales[0]) {
		print_column("trunk", per_chunk(a->trunk_ms, a), per_chunk(b->trunk_ms, b));
		return;
	}
	print_column("projection", per_chunk(a->projection_ms, a), per_chunk(b->projection_ms, b));
	print_column("transformer", per_chunk(a->transformer_ms, a),
		     per_chunk(b->transformer_ms, b));
	print_column("decoder", per_chunk(a->decoder_ms, a), per_chunk(b->decoder_ms, b));
}

static void print_result(const struct bench *bench)
{
	const struct fvsr_timing *a = &bench->first, *b = &bench->later;
	char text[FVSR_CLI_BYTES_TEXT];

	printf("%s on %s, %dx%d to %dx%d (canvas %dx%d), %d chunks after the first\n\n",
	       bench->model.name[0] ? bench->model.name : "model", bench->model.backend,
	       bench->set.in_width, bench->set.in_height, bench->set.out_width,
	       bench->set.out_height, bench->cost.canvas_width, bench->cost.canvas_height,
	       bench->chunks);
	printf("%-12s  %12s  %12s\n", "ms", "first chunk", "later chunk");
	print_network(bench);
	print_column("colour", per_chunk(a->color_ms, a), per_chunk(b->color_ms, b));
	print_column("total", per_chunk(a->total_ms, a), per_chunk(b->total_ms, b));
	/* Done frame by frame as they come in, so not a part of the chunks' time. */
	print_column("scaling", per_chunk(a->ingest_ms, a), per_chunk(b->ingest_ms, b));
	printf("\n%.2f frames/s after the first chunk\n\n", frames_per_s(bench));
	printf("model        %s\n", fvsr_cli_bytes(bench->model.host_bytes, text));
	printf("stream       %s\n", fvsr_cli_bytes(bench->cost.host_bytes, text));
	if (bench->model.device_bytes || bench->cost.device_bytes) {
		printf("model, device   %s\n", fvsr_cli_bytes(bench->model.device_bytes, text));
		printf("stream, device  %s\n", fvsr_cli_bytes(bench->cost.device_bytes, text));
	}
	printf("peak memory  %s\n", fvsr_cli_bytes(fvsr_platform_peak_rss(), text));
}

static json_t *timing_to_json(const struct fvsr_timing *timing)
{
	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:I}", "ingest_ms",
			 per_chunk(timing->ingest_ms, timing), "projection_ms",
			 per_chunk(timing->projection_ms, timing), "transformer_ms",
			 per_chunk(timing->transformer_ms, timing), "decoder_ms",
			 per_chunk(timing->decoder_ms, timing), "trunk_ms",
			 per_chunk(timing->trunk_ms, timing), "color_ms",
			 per_chunk(timing->color_ms, timing), "total_ms",
			 per_chunk(timing->total_ms, timing), "chunks", (json_int_t)timing->chunks,
			 "frames", (json_int_t)timing->frames);
}

static int print_json(const struct bench *bench)
{
	json_t *root = json_object();

	json_object_set_new(root, "model", json_string(bench->model.name));
	json_object_set_new(root, "backend", json_string(bench->model.backend));
	json_object_set_new(root, "parameters", json_integer((json_int_t)bench->model.parameters));
	json_object_set_new(root, "in_size",
			    json_pack("[i, i]", bench->set.in_width, bench->set.in_height));
	json_object_set_new(root, "out_size",
			    json_pack("[i, i]", bench->set.out_width, bench->set.out_height));
	json_object_set_new(
		root, "canvas_size",
		json_pack("[i, i]", bench->cost.canvas_width, bench->cost.canvas_height));
	json_object_set_new(root, "first_chunk", timing_to_json(&bench->first));
	json_object_set_new(root, "later_chunk", timing_to_json(&bench->later));
	json_object_set_new(root, "frames_per_s", fvsr_cli_json_real(frames_per_s(bench)));
	json_object_set_new(root, "memory_bytes",
			    json_pack("{s:I, s:I, s:I, s:I, s:I}", "model",
				      (json_int_t)bench->model.host_bytes, "model_device",
				      (json_int_t)bench->model.device_bytes, "stream",
				      (json_int_t)bench->cost.host_bytes, "stream_device",
				      (json_int_t)bench->cost.device_bytes, "peak_resident",
				      (json_int_t)fvsr_platform_peak_rss()));
	return fvsr_cli_print_json(root);
}

static int run(struct bench *bench)
{
	fvsr_model *model;
	int result;

	fvsr_settings_default(&bench->set);
	fvsr_cli_apply_stream_args(&bench->stream_args, &bench->set);
	bench->set.out_width = bench->size.width;
	bench->set.out_height = bench->size.height;
	bench->set.in_width = (int)lround(bench->size.width / bench->scale);
	bench->set.in_height = (int)lround(bench->size.height / bench->scale);
	fvsr_cli_catch_signals();
	model = fvsr_cli_open_model(&bench->model_args, bench->quiet || bench->json,
				    bench->verbose);
	if (!model)
		return FVSR_CLI_USAGE;
	fvsr_model_describe(model, &bench->model);
	result = run_stream(bench, model);
	fvsr_model_unref(model);
	if (fvsr_cli_interrupted())
		return FVSR_CLI_SIGNAL + fvsr_cli_interrupted();
	if (result < 0)
		return FVSR_CLI_FAILED;
	if (bench->json)
		return print_json(bench);
	print_result(bench);
	return FVSR_CLI_OK;
}

static const char description[] =
	"Upscales a generated video and prints the milliseconds that each stage of the\n"
	"network takes per chunk, the frames per second after the first chunk, and the\n"
	"memory of the model, of the stream and of the whole process. A model of\n"
	"trunks has no chunks: as many frames count as one.\n";

static const char epilogue[] =
	"Exit status: 0 on success, 1 when it failed, 2 for wrong usage or a model\n"
	"that cannot be opened.\n"
	"\n"
	"Example:\n"
	"  fvsr bench --model synth:full:1 --size 768x1408 --chunks 5 --json\n";

int fvsr_cmd_bench(int argc, char **argv)
{
	struct bench bench = {.scale = 4, .chunks = 3};
	struct fvsr_cli_option model_options[FVSR_CLI_MODEL_OPTIONS];
	struct fvsr_cli_option stream_options[FVSR_CLI_STREAM_OPTIONS];
	const struct fvsr_cli_option own[] = {
		{"size", 's', FVSR_CLI_SIZE, &bench.size, "WxH", "size of the output (needed)", 0,
		 0, NULL},
		{"scale", 0, FVSR_CLI_REAL, &bench.scale, "S",
		 "how much smaller the input is (default 4)", 1, 16, NULL},
		{"chunks", 'n', FVSR_CLI_INT, &bench.chunks, "N",
		 "chunks of 8 frames to measure after the first one\n(default 3)", 1, 1000000,
		 NULL},
		{"json", 0, FVSR_CLI_FLAG, &bench.json, NULL, "the result as JSON", 0, 0, NULL},
		{"quiet", 'q', FVSR_CLI_FLAG, &bench.quiet, NULL, "no progress", 0, 0, NULL},
		{"verbose", 'v', FVSR_CLI_FLAG, &bench.verbose, NULL, "the library's messages", 0,
		 0, NULL},
	};
	const struct fvsr_cli_group groups[] = {
		{"Model", model_options, FVSR_CLI_MODEL_OPTIONS},
		{"Network", stream_options, FVSR_CLI_STREAM_OPTIONS},
		{"Options", own, sizeof(own) / sizeof(own[0])},
	};
	const struct fvsr_cli_usage usage = {
		.name = "bench",
		.summary = "measure speed and memory",
		.synopsis = "[options] --size WxH",
		.description = description,
		.epilogue = epilogue,
		.groups = groups,
		.num_groups = sizeof(groups) / sizeof(groups[0]),
		.max_words = 0,
	};
	int status;

	fvsr_cli_model_options(&bench.model_args, model_options);
	fvsr_cli_stream_options(&bench.stream_args, stream_options);
	status = fvsr_cli_parse(&usage, argc, argv, NULL);
	if (status != FVSR_CLI_GO)
		return status;
	if (bench.size.width == 0) {
		fvsr_cli_error("--size is missing; see fvsr bench --help");
		return FVSR_CLI_USAGE;
	}
	return run(&bench);
}
