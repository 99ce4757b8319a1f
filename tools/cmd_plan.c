/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fvsr plan: what upscaling a video will cost, before it is begun: sizes, memory, hours, and where
 * the seams of its segments will be.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "interrupt.h"
#include "manifest.h"
#include "open_stream.h"
#include "report.h"
#include "segment_plan.h"
#include "upscale.h"

/* Measured behind the first chunk, which is not like the others. */
#define LEAST_FRAMES (2 * FVSR_CHUNK_FRAMES)
#define ENOUGH_S     3.0

struct plan {
	struct fvsr_upscale up;
	struct fvsr_manifest manifest;
	struct fvsr_model_info model;
	struct fvsr_stream_cost cost;
	int segments, cards;
	double speed; /* frames/s of one card; 0: unknown */
	bool given;   /* it is not measured here */
	bool no_measure, json;
	bool at_end;             /* of the input, whose last frame is repeated */
	double hours, one_hours; /* on the cards, and on one without segments */
};

/* ------------------------------------------------------------------------------------------- */
/* How fast                                                                                    */

/* Sends the frame that is decoded, and decodes the next one. */
static int send_frame(struct plan *plan)
{
	struct fvsr_upscale *up = &plan->up;
	AVFrame *next = av_frame_alloc();
	int result =
		next ? fvsr_media_to_shown(&up->converter, up->decoded, &up->color, &up->turn,
					   up->unturned, fvsr_frame_picture(up->small), &up->err)
		     : FVSR_ERR_MEMORY;

	if (result == FVSR_OK)
		result = fvsr_stream_send(up->stream, up->small);
	if (result == FVSR_OK && !plan->at_end) {
		result = fvsr_media_input_read(&up->in, next);
		plan->at_end = result == FVSR_ERR_EOF;
		if (result == FVSR_OK) {
			av_frame_unref(up->decoded);
			av_frame_move_ref(up->decoded, next);
		}
	}
	av_frame_free(&next);
	return plan->at_end && result == FVSR_ERR_EOF ? FVSR_OK : result;
}

/* Sends and receives until 'frames' have come out, and 'seconds' have passed. */
static int run_frames(struct plan *plan, int frames, double seconds, int *received)
{
	struct fvsr_upscale *up = &plan->up;
	double start_s = fvsr_cli_clock_s();
	int result = FVSR_OK;

	*received = 0;
	while (result == FVSR_OK &&
	       (*received < frames || fvsr_cli_clock_s() - start_s < seconds)) {
		if (fvsr_cli_interrupted())
			return FVSR_ERR_CANCELLED;
		result = send_frame(plan);
		while (result == FVSR_OK &&
		       (result = fvsr_stream_receive(up->stream, up->large)) == FVSR_OK)
			++*received;
		if (result == FVSR_ERR_AGAIN)
			result = FVSR_OK;
	}
	return result;
}

static int measure(struct plan *plan)
{
	struct fvsr_upscale *up = &plan->up;
	int result = fvsr_upscale_open_stream(up, 0), received;
	double start_s;

	if (result == FVSR_OK)
		result = run_frames(plan, FVSR_FIRST_CHUNK_FRAMES, 0, &received);
	start_s = fvsr_cli_clock_s();
	if (result == FVSR_OK)
		result = run_frames(plan, LEAST_FRAMES, ENOUGH_S, &received);
	if (result == FVSR_OK)
		plan->speed = received / (fvsr_cli_clock_s() - start_s);
	else if (up->stream && !up->err.text[0])
		fvsr_cli_stream_failed(up->stream, result, &up->err);
	return result;
}

/* ------------------------------------------------------------------------------------------- */
/* How long                                                                                    */

/* Returns how many frames go through the network for segment k, and how many come out. */
static int64_t work_of(const struct plan *plan, int k)
{
	struct fvsr_segment range = fvsr_manifest_segment(&plan->manifest, k).range;
	int64_t behind = k + 1 < plan->manifest.count ? plan->cost.latency : 0;

	return range.end - range.run_from + behind;
}

/* Returns the frames of the busiest card, when each takes the next segment as soon as it can. */
static int64_t busiest(const struct plan *plan)
{
	int64_t *load = calloc((size_t)plan->cards, sizeof(*load)), most = 0;

	for (int k = 0; load && k < plan->manifest.count; k++) {
		int least = 0;

		for (int card = 1; card < plan->cards; card++)
			least = load[card] < load[least] ? card : least;
		load[least] += work_of(plan, k);
		most = load[least] > most ? load[least] : most;
	}
	free(load);
	return most;
}

static int64_t frames_of(const struct plan *plan)
{
	return fvsr_manifest_segment(&plan->manifest, plan->manifest.count - 1).range.end;
}

static int make_plan(struct plan *plan)
{
	struct fvsr_upscale *up = &plan->up;
	int result;

	plan->manifest.root = json_object();
	plan->manifest.count = plan->segments;
	result = fvsr_segment_plan(up, plan->segments, plan->manifest.root);
	if (result == FVSR_OK && plan->speed > 0) {
		plan->one_hours = (double)frames_of(plan) / plan->speed / 3600;
		plan->hours = (double)busiest(plan) / plan->speed / 3600;
	}
	return result;
}

static int prepare(struct plan *plan)
{
	struct fvsr_upscale *up = &plan->up;
	struct fvsr_settings set;
	int result = fvsr_upscale_open_input(up);

	if (result < 0)
		return result;
	up->model = fvsr_cli_open_model(&up->model_args, up->quiet || plan->json, up->verbose);
	if (!up->model) {
		snprintf(up->err.text, sizeof(up->err.text), "nothing can be planned without it");
		return FVSR_ERR_ARGUMENT;
	}
	fvsr_model_describe(up->model, &plan->model);
	fvsr_upscale_settings(up, &set);
	return fvsr_stream_cost(up->model, &set, &plan->cost, &up->err);
}

/* ------------------------------------------------------------------------------------------- */
/* Answers                                                                                     */

static double seconds_of(const struct plan *plan, int64_t pts)
{
	const struct fvsr_upscale *up = &plan->up;
	int64_t start = fvsr_manifest_segment(&plan->manifest, 0).start_pts;

	return (double)(pts - start) * av_q2d(up->in.video->time_base);
}

static void print_segments(const struct plan *plan)
{
	printf("\n%8s  %12s  %10s  %10s  %s\n", "segment", "begins at", "frame", "frames", "where");
	for (int k = 0; k < plan->manifest.count; k++) {
		struct fvsr_manifest_segment one = fvsr_manifest_segment(&plan->manifest, k);
		double s = seconds_of(plan, one.start_pts);

		printf("%8d  %5d:%02d:%05.2f  %10lld  %10lld  %s\n", k + 1, (int)(s / 3600),
		       (int)(s / 60) % 60, fmod(s, 60), (long long)one.range.first,
		       (long long)(one.range.end - one.range.first),
		       fvsr_seam_word(one.range.seam));
	}
}

/* Hours as 12:34:56, rounded up. */
static const char *clock_of(double hours, char *text, size_t size)
{
	long long s = (long long)ceil(hours * 3600);

	snprintf(text, size, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
	return text;
}

static void print_speed(const struct plan *plan)
{
	char text[32];

	if (!(plan->speed > 0)) {
		printf("speed        not measured; see --speed\n");
		return;
	}
	printf("speed        %.2f frames/s%s\n", plan->speed,
	       plan->given ? ", as --speed says"
			   : ", measured here, with reading and without encoding");
	printf("hours        %s in one go\n", clock_of(plan->one_hours, text, sizeof(text)));
	if (plan->segments > 1)
		printf("             %s on %d card%s like it, in %d segments\n",
		       clock_of(plan->hours, text, sizeof(text)), plan->cards,
		       plan->cards == 1 ? "" : "s", plan->segments);
}

static void print_plan(const struct plan *plan)
{
	const struct fvsr_upscale *up = &plan->up;
	const struct fvsr_model_info *model = &plan->model;
	char text[FVSR_CLI_BYTES_TEXT];

	printf("%s on %s\n\n", model->name[0] ? model->name : "model", model->backend);
	printf("size         %dx%d to %dx%d\n", up->in_width, up->in_height, up->size.width,
	       up->size.height);
	printf("frames       %lld\n", (long long)frames_of(plan));
	printf("memory       %s\n",
	       fvsr_cli_bytes(model->host_bytes + plan->cost.host_bytes, text));
	if (model->device_bytes + plan->cost.device_bytes)
		printf("on the card  %s\n",
		       fvsr_cli_bytes(model->device_bytes + plan->cost.device_bytes, text));
	print_speed(plan);
	printf("run-up       %d frames before each segment\n",
	       up->run_up >= 0 ? up->run_up : plan->cost.run_up);
	if (plan->segments > 1)
		print_segments(plan);
}

static int print_json(struct plan *plan)
{
	const struct fvsr_upscale *up = &plan->up;
	json_t *root = plan->manifest.root;
	uint64_t host = plan->model.host_bytes + plan->cost.host_bytes;
	uint64_t device = plan->model.device_bytes + plan->cost.device_bytes;

	plan->manifest.root = NULL;
	json_object_del(root, "format");
	json_object_del(root, "version");
	json_object_set_new(root, "in_size", json_pack("[i, i]", up->in_width, up->in_height));
	json_object_set_new(root, "out_size", json_pack("[i, i]", up->size.width, up->size.height));
	json_object_set_new(root, "backend", json_string(plan->model.backend));
	json_object_set_new(
		root, "memory_bytes",
		json_pack("{s:I, s:I}", "host", (json_int_t)host, "device", (json_int_t)device));
	json_object_set_new(root, "run_up",
			    json_integer(up->run_up >= 0 ? up->run_up : plan->cost.run_up));
	json_object_set_new(root, "cards", json_integer(plan->cards));
	json_object_set_new(root, "frames_per_s",
			    plan->speed > 0 ? json_real(plan->speed) : json_null());
	json_object_set_new(root, "measured", json_boolean(plan->speed > 0 && !plan->given));
	json_object_set_new(root, "hours", plan->speed > 0 ? json_real(plan->hours) : json_null());
	json_object_set_new(root, "hours_in_one_go",
			    plan->speed > 0 ? json_real(plan->one_hours) : json_null());
	return fvsr_cli_print_json(root);
}

static int run(struct plan *plan)
{
	struct fvsr_upscale *up = &plan->up;
	int result;

	fvsr_cli_catch_signals();
	fvsr_media_log(up->verbose, true);
	result = prepare(plan);
	fvsr_media_log(up->verbose, false);
	if (result == FVSR_OK && !plan->given && !plan->no_measure)
		result = measure(plan);
	if (result == FVSR_OK)
		result = make_plan(plan);
	if (result < 0)
		return fvsr_upscale_fail_early(up, result);
	if (plan->json)
		return print_json(plan);
	print_plan(plan);
	return FVSR_CLI_OK;
}

/* ------------------------------------------------------------------------------------------- */
/* Usage                                                                                       */

static const char description[] =
	"Says what upscaling the video IN will cost, and writes nothing: sizes, memory,\n"
	"the frames per second that this machine reaches (measured for some seconds, or\n"
	"what --speed says), the hours that takes, on one card and on several of the same\n"
	"kind, and where the segments begin that `fvsr upscale --segment` makes.\n";

static const char epilogue[] =
	"Exit status: 0 on success, 1 when the video or the model cannot be used, 2 for\n"
	"wrong usage, 128 + N when signal N stopped it.\n"
	"\n"
	"Example:\n"
	"  fvsr plan --scale 2 --segments 12 --cards 4 talk.mp4\n";

int fvsr_cmd_plan(int argc, char **argv)
{
	struct plan plan = {.up = {.scale = 4, .output_options = {.crf = -1}, .run_up = -1},
			    .cards = 1};
	struct fvsr_cli_option model_options[FVSR_CLI_MODEL_OPTIONS];
	struct fvsr_cli_option stream_options[FVSR_CLI_STREAM_OPTIONS];
	struct fvsr_cli_option size[FVSR_UPSCALE_SIZE_OPTIONS];
	const struct fvsr_cli_option own[] = {
		{"segments", 'n', FVSR_CLI_INT, &plan.segments, "N",
		 "into how many segments (default: one for each card)", 1, FVSR_MAX_SEGMENTS, NULL},
		{"cards", 0, FVSR_CLI_INT, &plan.cards, "M",
		 "how many cards, or processors, work at once (default 1)", 1, 10000, NULL},
		{"run-up", 0, FVSR_CLI_INT, &plan.up.run_up, "N",
		 "frames that the network sees before a segment begins", 0, 100000, NULL},
		{"speed", 0, FVSR_CLI_REAL, &plan.speed, "FPS",
		 "frames/s of one card, if they are known: nothing is\nmeasured", 1e-6, 1e6, NULL},
		{"no-measure", 0, FVSR_CLI_FLAG, &plan.no_measure, NULL,
		 "measure nothing, and say no hours", 0, 0, NULL},
		{"json", 'j', FVSR_CLI_FLAG, &plan.json, NULL, "print JSON", 0, 0, NULL},
		{"verbose", 'v', FVSR_CLI_FLAG, &plan.up.verbose, NULL,
		 "also the messages of the library and of FFmpeg", 0, 0, NULL},
	};
	const struct fvsr_cli_group groups[] = {
		{"Size", size, FVSR_UPSCALE_SIZE_OPTIONS},
		{"Model", model_options, FVSR_CLI_MODEL_OPTIONS},
		{"Network", stream_options, FVSR_CLI_STREAM_OPTIONS},
		{"Options", own, sizeof(own) / sizeof(own[0])},
	};
	const struct fvsr_cli_usage usage = {.name = "plan",
					     .summary = "say what upscaling a video will cost",
					     .synopsis = "[options] IN",
					     .description = description,
					     .epilogue = epilogue,
					     .groups = groups,
					     .num_groups = sizeof(groups) / sizeof(groups[0]),
					     .min_words = 1,
					     .max_words = 1};
	int status;

	fvsr_upscale_size_options(&plan.up, size);
	fvsr_cli_model_options(&plan.up.model_args, model_options);
	fvsr_cli_stream_options(&plan.up.stream_args, stream_options);
	status = fvsr_cli_parse(&usage, argc, argv, plan.up.words);
	if (status != FVSR_CLI_GO)
		return status;
	plan.up.words[1] = "-"; /* nothing is written, in a container that takes everything */
	plan.given = plan.speed > 0;
	plan.segments = plan.segments ? plan.segments : plan.cards;
	status = run(&plan);
	fvsr_upscale_close(&plan.up);
	fvsr_manifest_close(&plan.manifest);
	return status;
}
