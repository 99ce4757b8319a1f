/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plans segments: see segment_plan.h. Two tasks that plan the same video come to the same manifest,
 * byte for byte, so that it does not matter whose is there.
 */
#include "segment_plan.h"

#include <stdlib.h>
#include <string.h>

#include <libavutil/pixdesc.h>

#include "manifest.h"
#include "media.h"
#include "platform.h"
#include "segments.h"

#define END_BYTES  (1 << 20) /* of the input's beginning and end, which tell it from others */
#define CUT_WINDOW 240       /* frames on either side of an even division that are decoded */

/* ------------------------------------------------------------------------------------------- */
/* What is made of what                                                                        */

/* Reads the first and the last END_BYTES of a file; returns how many there are. */
static size_t read_ends(const char *path, int64_t bytes, uint8_t *data)
{
	FILE *file = fvsr_platform_open(path, "rb");
	size_t done = 0;

	if (!file)
		return 0;
	done = fread(data, 1, END_BYTES, file);
	if (bytes > 2 * END_BYTES && fseeko(file, (off_t)(bytes - END_BYTES), SEEK_SET) != 0)
		done = 0;
	else
		done += fread(data + done, 1, END_BYTES, file);
	fclose(file);
	return done;
}

static json_t *describe_input(const char *path, struct fvsr_error *err)
{
	int64_t bytes = fvsr_platform_file_size(path);
	uint8_t *ends = bytes > 0 ? malloc(2 * END_BYTES) : NULL;
	size_t read = ends ? read_ends(path, bytes, ends) : 0;
	char sum[65], full[FVSR_CLI_PATH_BYTES];
	bool good = read > 0 && fvsr_sha256_text(ends, read, sum) &&
		    fvsr_platform_full_path(path, full, sizeof(full));

	free(ends);
	if (!good) {
		fvsr_media_fail(err, 0, "%s is no file that segments can be made of", path);
		return NULL;
	}
	return json_pack("{s:s, s:I, s:s}", "path", full, "bytes", (json_int_t)bytes, "ends_sha256",
			 sum);
}

int fvsr_segment_check_input(const char *path, const json_t *input, struct fvsr_error *err)
{
	json_t *found = describe_input(path, err);
	bool same;

	if (!found)
		return FVSR_ERR_IO;
	same = json_equal(json_object_get(found, "bytes"), json_object_get(input, "bytes")) &&
	       json_equal(json_object_get(found, "ends_sha256"),
			  json_object_get(input, "ends_sha256"));
	json_decref(found);
	if (same)
		return FVSR_OK;
	fvsr_media_fail(err, 0, "%s is not the video that the segments were made of", path);
	return FVSR_ERR_ARGUMENT;
}

/* A model with weights from a formula is its configuration and its seed. */
static json_t *describe_synthetic(const char *words, struct fvsr_error *err)
{
	const char *colon = strrchr(words, ':');
	char *config = strdup(words), sum[65];
	json_t *model = NULL;

	if (config && colon) {
		config[colon - words] = '\0';
		if (strcmp(config, "full") == 0)
			model = json_pack("{s:s}", "synthetic", words);
		else if (fvsr_file_sha256(config, sum, NULL, err) == FVSR_OK)
			model = json_pack("{s:s, s:s}", "synthetic", colon + 1, "sha256", sum);
	}
	free(config);
	return model;
}

static json_t *describe_model(const struct fvsr_upscale *up, struct fvsr_error *err)
{
	char path[FVSR_CLI_PATH_BYTES], sum[65];
	const char *spec = fvsr_cli_model_spec(&up->model_args, path);

	if (strncmp(spec, "synth:", 6) == 0)
		return describe_synthetic(spec + 6, err);
	if (fvsr_platform_file_size(spec) < 0) {
		fvsr_media_fail(err, 0,
				"%s: segments want a model in one file; make it with fvsr import",
				spec);
		return NULL;
	}
	return fvsr_file_sha256(spec, sum, NULL, err) == FVSR_OK ? json_pack("{s:s}", "sha256", sum)
								 : NULL;
}

static json_t *describe_output(const struct fvsr_upscale *up)
{
	const struct fvsr_media_output_options *oo = &up->output_options;
	const AVCodecContext *encoder = up->out.encoder;

	return json_pack("{s:s, s:s, s:s?, s:s, s:i, s:i, s:i}", "container", up->container->name,
			 "codec", encoder->codec->name, "preset", oo->preset, "pixel_format",
			 av_get_pix_fmt_name(encoder->pix_fmt), "crf", oo->crf, "width",
			 up->size.width, "height", up->size.height);
}

static json_t *describe_network(const struct fvsr_upscale *up, int run_up)
{
	const struct fvsr_cli_stream_args *args = &up->stream_args;
	char seed[24];

	snprintf(seed, sizeof(seed), "%llu", (unsigned long long)args->seed);
	return json_pack("{s:f, s:i, s:i, s:i, s:s, s:i}", "sparse_ratio", args->sparse_ratio,
			 "local_range", args->local_range, "kv_ratio", args->kv_ratio, "color",
			 args->color, "seed", seed, "run_up", run_up);
}

int fvsr_segment_run_up(struct fvsr_upscale *up)
{
	struct fvsr_settings set;
	struct fvsr_stream_cost cost;
	int result;

	if (up->run_up >= 0)
		return up->run_up;
	fvsr_upscale_settings(up, &set);
	result = fvsr_stream_cost(up->model, &set, &cost, &up->err);
	return result < 0 ? result : cost.run_up;
}

json_t *fvsr_segment_settings(struct fvsr_upscale *up)
{
	int run_up = fvsr_segment_run_up(up);
	json_t *input =
		run_up >= 0 ? describe_input(fvsr_upscale_path(up->words[0]), &up->err) : NULL;
	json_t *model = input ? describe_model(up, &up->err) : NULL;

	if (!model) {
		json_decref(input);
		return NULL;
	}
	return json_pack("{s:o, s:o, s:o, s:o}", "input", input, "model", model, "output",
			 describe_output(up), "network", describe_network(up, run_up));
}

/* ------------------------------------------------------------------------------------------- */
/* Where it is cut                                                                             */

struct search {
	struct fvsr_media_input *in;
	const struct fvsr_media_scan *scan;
};

static int64_t find_cut(void *opaque, int64_t from, int64_t to, int64_t near)
{
	struct search *search = opaque;

	return fvsr_media_find_cut(search->in, search->scan, from, to, near);
}

static json_t *list_segments(const struct fvsr_media_scan *scan,
			     const struct fvsr_segment *segments, int count)
{
	json_t *list = json_array();

	for (int k = 0; k < count; k++) {
		struct fvsr_manifest_segment one = {
			.range = segments[k],
			.start_pts = scan->times[segments[k].first],
			.run_pts = scan->times[segments[k].run_from],
			.end_pts = k + 1 < count ? scan->times[segments[k].end] : INT64_MAX,
		};

		json_array_append_new(list, fvsr_manifest_of_segment(&one));
	}
	return list;
}

static int choose(struct fvsr_upscale *up, const struct fvsr_media_scan *scan, int count,
		  json_t *root)
{
	struct search search = {.in = &up->in, .scan = scan};
	struct fvsr_segment_video video = {
		.frames = scan->frames,
		.keys = scan->keys,
		.num_keys = scan->num_keys,
		.cut_window = CUT_WINDOW,
		.find_cut = find_cut,
		.opaque = &search,
	};
	int run_up = fvsr_segment_run_up(up);
	AVRational base = up->in.video->time_base;
	struct fvsr_segment *segments;

	if (run_up < 0)
		return run_up;
	if (count > scan->frames) {
		fvsr_media_fail(&up->err, 0, "%d segments of %lld frames are not possible", count,
				(long long)scan->frames);
		return FVSR_ERR_ARGUMENT;
	}
	segments = calloc((size_t)count, sizeof(*segments));
	if (!segments)
		return fvsr_media_fail(&up->err, AVERROR(ENOMEM), "cannot plan segments");
	fvsr_segments_choose(&video, count, run_up, segments);
	json_object_set_new(root, "segments", list_segments(scan, segments, count));
	json_object_set_new(root, "frames", json_integer(scan->frames));
	json_object_set_new(root, "time_base", json_pack("[i, i]", base.num, base.den));
	json_object_set_new(root, "format", json_string("fvsr-segments"));
	json_object_set_new(root, "version", json_integer(1));
	free(segments);
	return FVSR_OK;
}

int fvsr_segment_plan(struct fvsr_upscale *up, int count, json_t *root)
{
	struct fvsr_media_scan scan;
	int result = fvsr_media_scan(&scan, up->words[0], &up->err);

	fvsr_media_input_video_only(&up->in);
	if (result == FVSR_OK)
		result = choose(up, &scan, count, root);
	fvsr_media_scan_free(&scan);
	return result;
}
