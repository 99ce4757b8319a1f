/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fvsr join: the segments of a video become one file. The output is opened just as `fvsr upscale`
 * opens it, encoder included, so that its head is the same; the packets then come from the parts,
 * and the other streams from the input. Nothing is encoded.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "interrupt.h"
#include "manifest.h"
#include "part_file.h"
#include "platform.h"
#include "segment_plan.h"
#include "target.h"
#include "upscale.h"

/* What a part's record says of its frames' times. */
struct seam {
	json_t *first, *last, *before, *after;
};

struct join {
	const char *words[2]; /* manifest, output */
	const char *input;
	struct fvsr_upscale up;
	struct fvsr_manifest manifest;
	uint64_t frames, packets;
	int64_t last_dts;
};

/* ------------------------------------------------------------------------------------------- */
/* Checks                                                                                      */

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static int int_of(const json_t *object, const char *key)
{
	return (int)json_integer_value(json_object_get(object, key));
}

static void take_seam(struct seam *seam, const json_t *record)
{
	*seam = (struct seam){json_incref(json_object_get(record, "first_pts")),
			      json_incref(json_object_get(record, "last_pts")),
			      json_incref(json_object_get(record, "before_pts")),
			      json_incref(json_object_get(record, "after_pts"))};
}

static void drop_seam(struct seam *seam)
{
	json_decref(seam->first);
	json_decref(seam->last);
	json_decref(seam->before);
	json_decref(seam->after);
	*seam = (struct seam){0};
}

static int refuse(struct join *join, const char *path, const char *why)
{
	fvsr_media_fail(&join->up.err, 0, "%s %s", path, why);
	return FVSR_ERR_FORMAT;
}

/* Each part has seen the frames around it: they must be those that the others hold. */
static int check_seam(struct join *join, const char *path, const struct seam *last,
		      const struct seam *next)
{
	if (!json_equal(last->after, next->first) ||
	    (!json_is_null(next->before) && !json_equal(next->before, last->last)))
		return refuse(join, path,
			      "does not begin with the frame behind the one before it; was the "
			      "input changed?");
	return FVSR_OK;
}

static int check_record(struct join *join, const char *path, const json_t *record, int k)
{
	struct fvsr_manifest_segment segment = fvsr_manifest_segment(&join->manifest, k);
	int64_t want = segment.range.end - segment.range.first;
	const char *id = text_of(record, "manifest");
	json_int_t frames = json_integer_value(json_object_get(record, "frames"));

	if (!id || strcmp(id, join->manifest.id) != 0 || int_of(record, "segment") != k + 1)
		return refuse(join, path, "was not made for this manifest");
	if (frames < 1)
		return refuse(join, path, "has no frames");
	if (frames != want)
		fvsr_cli_warning("%s has %lld frames, and the input has %lld packets there", path,
				 (long long)frames, (long long)want);
	join->frames += (uint64_t)frames;
	return FVSR_OK;
}

static int check_part(struct join *join, int k, struct seam *last)
{
	char *path = fvsr_manifest_part_path(join->words[0], k);
	struct fvsr_cli_part_reader part = {0};
	struct seam next = {0};
	int result = path ? fvsr_cli_part_reader_open(&part, path, &join->up.err) : FVSR_ERR_MEMORY;

	if (result == FVSR_OK)
		result = check_record(join, path, part.record, k);
	if (result == FVSR_OK) {
		take_seam(&next, part.record);
		if (k > 0)
			result = check_seam(join, path, last, &next);
		drop_seam(last);
		*last = next;
	}
	if (result == FVSR_OK && k + 1 == join->manifest.count && !json_is_null(last->after))
		result = refuse(join, path, "does not reach to the end of the video");
	fvsr_cli_part_reader_close(&part);
	free(path);
	return result;
}

/* Says which parts there are not, in one line. */
static int check_all_there(struct join *join)
{
	int missing = 0, first = -1;

	for (int k = 0; k < join->manifest.count; k++) {
		char *path = fvsr_manifest_part_path(join->words[0], k);

		if (!path)
			return FVSR_ERR_MEMORY;
		if (fvsr_platform_file_size(path) < 0)
			first = missing++ ? first : k + 1;
		free(path);
	}
	if (!missing)
		return FVSR_OK;
	fvsr_media_fail(&join->up.err, 0, "%d of %d segments are missing, the first of them is %d",
			missing, join->manifest.count, first);
	return FVSR_ERR_IO;
}

static int check_parts(struct join *join)
{
	struct seam last = {0};
	int result = check_all_there(join);

	for (int k = 0; k < join->manifest.count && result == FVSR_OK; k++)
		result = fvsr_cli_interrupted() ? FVSR_ERR_CANCELLED : check_part(join, k, &last);
	drop_seam(&last);
	return result;
}

/* ------------------------------------------------------------------------------------------- */
/* The output                                                                                  */

/* Sets what the segments were made with. */
static void apply_manifest(struct join *join)
{
	const json_t *output = json_object_get(join->manifest.root, "output");
	struct fvsr_upscale *up = &join->up;

	up->words[0] = join->input ? join->input
				   : text_of(json_object_get(join->manifest.root, "input"), "path");
	up->words[1] = join->words[1];
	up->size = (struct fvsr_cli_size){int_of(output, "width"), int_of(output, "height")};
	up->output_options = (struct fvsr_media_output_options){
		.container = text_of(output, "container"),
		.codec = text_of(output, "codec"),
		.preset = text_of(output, "preset"),
		.pixel_format = text_of(output, "pixel_format"),
		.crf = int_of(output, "crf"),
	};
}

/* A name that promises another container would be wrong. */
static int check_ending(struct join *join)
{
	const AVOutputFormat *named = av_guess_format(NULL, join->words[1], NULL);
	const char *container = join->up.output_options.container;

	if (!named || !container || strcmp(named->name, container) == 0)
		return FVSR_OK;
	fvsr_media_fail(&join->up.err, 0, "the segments were made for container '%s', not for %s",
			container, join->words[1]);
	return FVSR_ERR_ARGUMENT;
}

static int open_output(struct join *join)
{
	struct fvsr_upscale *up = &join->up;
	int result;

	apply_manifest(join);
	if (!up->words[0])
		return refuse(join, join->words[0], "names no input");
	result = check_ending(join);
	if (result == FVSR_OK)
		result = fvsr_segment_check_input(fvsr_upscale_path(up->words[0]),
						  json_object_get(join->manifest.root, "input"),
						  &up->err);
	if (result == FVSR_OK)
		result = fvsr_upscale_prepare(up);
	if (result == FVSR_OK)
		result = fvsr_media_output_start(&up->out, &up->err);
	if (result == FVSR_OK)
		up->in.video->discard = AVDISCARD_ALL;
	return result;
}

/* A decoder gets one head for all packets. */
static int check_alike(struct join *join, const struct fvsr_cli_part_reader *part)
{
	const AVCodecContext *encoder = join->up.out.encoder;

	if (part->codec == encoder->codec_id && part->width == encoder->width &&
	    part->height == encoder->height && av_cmp_q(part->time_base, encoder->time_base) == 0 &&
	    part->extradata_bytes == (size_t)encoder->extradata_size &&
	    (!part->extradata_bytes ||
	     memcmp(part->extradata, encoder->extradata, part->extradata_bytes) == 0))
		return FVSR_OK;
	return refuse(join, part->path,
		      "was encoded in another way than this machine's encoder does; join where "
		      "the same versions of FFmpeg and its encoders are");
}

/*
 * Decoding times of a part's first packets were guessed without the part before it; with a
 * variable rate they can be too early. There is room for later ones: that part's last frames.
 */
static void fix_decoding_time(struct join *join, AVPacket *packet)
{
	if (packet->dts == AV_NOPTS_VALUE)
		return;
	if (join->packets && packet->dts <= join->last_dts)
		packet->dts = join->last_dts + 1;
	join->last_dts = packet->dts;
}

static int copy_packet(struct join *join, AVPacket *packet)
{
	struct fvsr_upscale *up = &join->up;
	int64_t time_us = av_rescale_q(packet->pts, up->out.encoder->time_base, AV_TIME_BASE_Q);
	int result = fvsr_media_input_skip(&up->in, time_us);

	if (result < 0)
		return result;
	fix_decoding_time(join, packet);
	join->packets++;
	result = fvsr_media_output_packet(&up->out, packet, &up->err);
	fvsr_cli_progress_frames(&up->progress, join->packets, join->frames);
	return result;
}

static int copy_part(struct join *join, int k, AVPacket *packet)
{
	char *path = fvsr_manifest_part_path(join->words[0], k);
	struct fvsr_cli_part_reader part = {0};
	int result = path ? fvsr_cli_part_reader_open(&part, path, &join->up.err) : FVSR_ERR_MEMORY;

	if (result == FVSR_OK)
		result = check_alike(join, &part);
	while (result == FVSR_OK) {
		result = fvsr_cli_part_reader_packet(&part, packet, &join->up.err);
		if (result == FVSR_OK)
			result = copy_packet(join, packet);
		av_packet_unref(packet);
	}
	fvsr_cli_part_reader_close(&part);
	free(path);
	return result == FVSR_ERR_EOF ? FVSR_OK : result;
}

static int copy_all(struct join *join)
{
	struct fvsr_upscale *up = &join->up;
	AVPacket *packet = av_packet_alloc();
	int result = packet ? FVSR_OK : FVSR_ERR_MEMORY;

	fvsr_cli_progress_start(&up->progress, up->quiet);
	for (int k = 0; k < join->manifest.count && result == FVSR_OK; k++)
		result = copy_part(join, k, packet);
	av_packet_free(&packet);
	if (result == FVSR_OK && join->packets != join->frames)
		result =
			refuse(join, join->words[0], "is of parts with packets that are no frames");
	if (result == FVSR_OK)
		result = fvsr_media_input_skip(&up->in, INT64_MAX);
	if (result == FVSR_OK && up->in.read_error)
		result = fvsr_media_fail(&up->err, up->in.read_error,
					 "%s could not be read to its end", up->words[0]);
	if (result == FVSR_OK)
		result = fvsr_media_output_finish(&up->out, false, &up->err);
	fvsr_cli_progress_clear(&up->progress);
	return result == FVSR_OK ? fvsr_media_sink_commit(&up->out.sink, &up->err) : result;
}

static int run(struct join *join)
{
	struct fvsr_upscale *up = &join->up;
	int result;

	fvsr_cli_catch_signals();
	fvsr_media_log(up->verbose, true);
	result = fvsr_manifest_open(&join->manifest, join->words[0], &up->err);
	if (result == FVSR_OK)
		result = check_parts(join);
	if (result == FVSR_OK)
		result = open_output(join);
	fvsr_media_log(up->verbose, false);
	if (result == FVSR_OK)
		result = copy_all(join);
	if (result < 0)
		return fvsr_upscale_fail_early(up, result);
	if (!up->quiet)
		fvsr_cli_note("%s: %llu frames of %dx%d from %d segments",
			      fvsr_cli_target_name(join->words[1]),
			      (unsigned long long)join->frames, up->size.width, up->size.height,
			      join->manifest.count);
	return FVSR_CLI_OK;
}

/* ------------------------------------------------------------------------------------------- */
/* Usage                                                                                       */

static const char description[] =
	"Makes OUT of the segments that `fvsr upscale --segment` has made. MANIFEST is\n"
	"OUT.parts/manifest.json. All parts are checked first: that they are there, whole\n"
	"and of this manifest, and that each begins with the frame behind the last one of\n"
	"the part before it. The video is copied as the parts hold it; sound, subtitles,\n"
	"chapters and tags come from the input, as `fvsr upscale` takes them over. OUT\n"
	"appears when it is complete; the parts stay.\n";

static const char epilogue[] =
	"Exit status: 0 when OUT is complete, 1 when parts are missing or damaged or the\n"
	"work failed, 2 for wrong usage, 128 + N when signal N stopped it.\n"
	"\n"
	"Example:\n"
	"  fvsr join out.mp4.parts/manifest.json out.mp4\n";

int fvsr_cmd_join(int argc, char **argv)
{
	struct join join = {0};
	const struct fvsr_cli_option own[] = {
		{"input", 'i', FVSR_CLI_STRING, &join.input, "FILE",
		 "where the input is now, if it has been moved", 0, 0, NULL},
		{"quiet", 'q', FVSR_CLI_FLAG, &join.up.quiet, NULL,
		 "no progress and no summary, only warnings and errors", 0, 0, NULL},
		{"verbose", 'v', FVSR_CLI_FLAG, &join.up.verbose, NULL,
		 "also the messages of FFmpeg", 0, 0, NULL},
	};
	const struct fvsr_cli_group groups[] = {
		{"Options", own, sizeof(own) / sizeof(own[0])},
	};
	const struct fvsr_cli_usage usage = {.name = "join",
					     .summary = "make one file of a video's segments",
					     .synopsis = "[options] MANIFEST OUT",
					     .description = description,
					     .epilogue = epilogue,
					     .groups = groups,
					     .num_groups = sizeof(groups) / sizeof(groups[0]),
					     .min_words = 2,
					     .max_words = 2};
	int status = fvsr_cli_parse(&usage, argc, argv, join.words);

	if (status != FVSR_CLI_GO)
		return status;
	status = run(&join);
	fvsr_upscale_close(&join.up);
	fvsr_manifest_close(&join.manifest);
	return status;
}
