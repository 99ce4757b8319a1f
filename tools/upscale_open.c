/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Before frames run: what can fail early (input, encoder, sizes, output) is tried before the model
 * is loaded.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/avstring.h>

#include "open_stream.h"
#include "target.h"
#include "upscale.h"

#define MAX_SIDE 16384

const char *fvsr_upscale_path(const char *word)
{
	av_strstart(word, "file:", &word);
	return word;
}

/* What would destroy the input or the model, or fill a terminal with video. */
static int check_output(struct fvsr_upscale *up)
{
	const char *input = fvsr_upscale_path(up->words[0]),
		   *output = fvsr_upscale_path(up->words[1]);
	char path[FVSR_CLI_PATH_BYTES];
	int result = fvsr_cli_check_target(
		output, input, fvsr_cli_model_spec(&up->model_args, path),
		"name a file, or send it to another program: fvsr upscale IN - | mpv -", &up->err);

	if (result == FVSR_OK && av_filename_number_test(output) &&
	    fvsr_media_sequence_overlaps(input, output)) {
		fvsr_media_fail(&up->err, 0, "%s would replace pictures of the input", output);
		return FVSR_ERR_ARGUMENT;
	}
	return result;
}

bool fvsr_upscale_takes_one_picture(const struct fvsr_upscale *up)
{
	return strcmp(up->container->name, "image2") == 0 && !fvsr_cli_is_standard(up->words[1]) &&
	       !av_filename_number_test(up->words[1]);
}

/* "clip.png" and a video: "clip-%05d.png" is what was meant. */
static int refuse_video(struct fvsr_upscale *up)
{
	const char *path = up->words[1], *ending = strrchr(path, '.');

	fvsr_media_fail(&up->err, 0,
			"%s holds one picture, and the input has several; name a numbered row of "
			"them: %.*s-%%05d%s",
			path, (int)(ending ? ending - path : 0), path, ending ? ending : "");
	return FVSR_ERR_ARGUMENT;
}

static int choose_size(struct fvsr_upscale *up)
{
	double stretch;

	if (up->size.width == 0) {
		up->size.width = (int)lround(up->in_width * up->scale);
		up->size.height = (int)lround(up->in_height * up->scale);
	}
	if (up->size.width < up->in_width || up->size.height < up->in_height) {
		fvsr_media_fail(&up->err, 0, "%dx%d is smaller than the video, which is %dx%d",
				up->size.width, up->size.height, up->in_width, up->in_height);
		return FVSR_ERR_ARGUMENT;
	}
	if (up->size.width > MAX_SIDE || up->size.height > MAX_SIDE) {
		fvsr_media_fail(&up->err, 0, "%dx%d is larger than %dx%d; choose a smaller --scale",
				up->size.width, up->size.height, MAX_SIDE, MAX_SIDE);
		return FVSR_ERR_ARGUMENT;
	}
	stretch = (double)up->size.width * up->in_height / ((double)up->size.height * up->in_width);
	if (fabs(stretch - 1) > 0.01)
		fvsr_cli_warning("%dx%d has another aspect ratio than the video's %dx%d: the "
				 "picture is stretched",
				 up->size.width, up->size.height, up->in_width, up->in_height);
	return FVSR_OK;
}

static void warn_about_input(const struct fvsr_upscale *up)
{
	int depth = fvsr_media_depth((enum AVPixelFormat)up->decoded->format);
	int order = up->in.video->codecpar->field_order;

	if (depth > 8)
		fvsr_cli_warning("the video has %d bits per colour; the network works on 8", depth);
	if (order != AV_FIELD_UNKNOWN && order != AV_FIELD_PROGRESSIVE)
		fvsr_cli_warning("the video is interlaced; deinterlace it first, or its comb "
				 "lines are upscaled as if they were detail");
}

/* Opens the input and decodes its first frame, which says what the video really is. */
static int open_file(struct fvsr_upscale *up)
{
	int result = fvsr_media_input_open(&up->in, up->words[0], &up->err);

	if (result < 0)
		return result;
	up->decoded = av_frame_alloc();
	if (!up->decoded)
		return fvsr_media_fail(&up->err, AVERROR(ENOMEM), "cannot decode");
	if (up->in.alpha_unseen)
		fvsr_cli_warning(
			"the video has an alpha channel, which this FFmpeg cannot read for "
			"want of libvpx; it is dropped");
	fvsr_media_streams_init(&up->out.streams, up->in.format);
	up->in.other = fvsr_media_streams_take;
	up->in.opaque = &up->out.streams;
	return FVSR_OK;
}

static int check_single(struct fvsr_upscale *up)
{
	AVFrame *second = av_frame_alloc();
	int result;

	if (!second)
		return fvsr_media_fail(&up->err, AVERROR(ENOMEM), "cannot decode");
	result = fvsr_media_input_read(&up->in, second);
	av_frame_free(&second);
	if (result == FVSR_OK)
		return refuse_video(up);
	return result == FVSR_ERR_EOF ? FVSR_OK : result;
}

/* Pixels are turned where the container cannot say that the player is to do it. */
static void choose_turn(struct fvsr_upscale *up)
{
	const int32_t *matrix = fvsr_media_matrix(up->in.video, up->decoded);
	bool swaps;

	up->turn = (struct fvsr_media_turn){1, 0, 0, 1};
	if (matrix && !fvsr_media_carries_matrix(up->container) &&
	    !fvsr_media_turn_of(matrix, &up->turn)) {
		fvsr_cli_warning("the video is to be shown at an angle, of which '%s' has no "
				 "notion: it comes out as it was filmed",
				 up->container->name);
		up->turn = (struct fvsr_media_turn){1, 0, 0, 1};
	}
	swaps = fvsr_media_swaps_sides(&up->turn);
	up->in_width = swaps ? up->decoded_height : up->decoded_width;
	up->in_height = swaps ? up->decoded_width : up->decoded_height;
}

static int read_first(struct fvsr_upscale *up)
{
	int result = fvsr_media_input_read(&up->in, up->decoded);

	if (result == FVSR_ERR_CANCELLED)
		return result;
	if (result < 0)
		return fvsr_media_fail(&up->err, up->in.read_error,
				       "no picture of %s could be decoded", up->words[0]);
	up->decoded_width = up->decoded->width;
	up->decoded_height = up->decoded->height;
	up->total = fvsr_media_input_frame_hint(&up->in);
	choose_turn(up);
	return fvsr_media_color_of(up->decoded, &up->color, &up->err);
}

static int open_output(struct fvsr_upscale *up)
{
	const int32_t *matrix = fvsr_media_matrix(up->in.video, up->decoded);
	struct fvsr_media_picture picture = {
		.width = up->size.width,
		.height = up->size.height,
		.first = up->decoded,
		.color = &up->color,
		.alpha = fvsr_media_has_alpha((enum AVPixelFormat)up->decoded->format),
		.swapped = fvsr_media_swaps_sides(&up->turn),
		.matrix = fvsr_media_carries_matrix(up->container) ? matrix : NULL,
	};
	int result =
		fvsr_media_output_open(&up->out, fvsr_upscale_path(up->words[1]), up->container,
				       &up->in, &picture, &up->output_options, &up->err);

	if (result == FVSR_OK && up->out.alpha_lost)
		fvsr_cli_warning(
			"%s cannot hold the video's alpha channel; it is dropped (try "
			"--codec prores_ks or qtrle in a .mov file, or libvpx-vp9 in .webm)",
			up->out.encoder->codec->name);
	return result;
}

void fvsr_upscale_settings(const struct fvsr_upscale *up, struct fvsr_settings *set)
{
	fvsr_settings_default(set);
	fvsr_cli_apply_stream_args(&up->stream_args, set);
	set->in_width = up->in_width;
	set->in_height = up->in_height;
	set->out_width = up->size.width;
	set->out_height = up->size.height;
}

int fvsr_upscale_open_stream(struct fvsr_upscale *up, int64_t first_frame)
{
	struct fvsr_settings set;
	int result;

	fvsr_upscale_settings(up, &set);
	set.first_frame = first_frame;
	result = fvsr_cli_open_stream(up->model, &set, up->verbose, &up->stream, &up->small,
				      &up->large, &up->err);
	if (result == FVSR_OK && fvsr_media_turns(&up->turn))
		result = fvsr_frame_create(&up->unturned, FVSR_FORMAT_RGBA8, up->decoded_width,
					   up->decoded_height);
	return result;
}

int fvsr_upscale_open_input(struct fvsr_upscale *up)
{
	int result = open_file(up);

	if (result < 0)
		return result;
	up->container = fvsr_media_output_container(fvsr_upscale_path(up->words[1]),
						    &up->output_options, &up->err);
	if (!up->container)
		return FVSR_ERR_IO;
	result = read_first(up);
	if (result == FVSR_OK && fvsr_upscale_takes_one_picture(up))
		result = check_single(up);
	if (result == FVSR_OK)
		result = choose_size(up);
	if (result == FVSR_OK)
		warn_about_input(up);
	return result;
}

int fvsr_upscale_prepare(struct fvsr_upscale *up)
{
	int result = check_output(up);

	if (result == FVSR_OK)
		result = fvsr_upscale_open_input(up);
	return result == FVSR_OK ? open_output(up) : result;
}

void fvsr_upscale_close(struct fvsr_upscale *up)
{
	fvsr_frame_destroy(up->small);
	fvsr_frame_destroy(up->large);
	fvsr_frame_destroy(up->unturned);
	fvsr_stream_close(up->stream);
	fvsr_model_unref(up->model);
	fvsr_media_output_close(&up->out);
	fvsr_media_converter_free(&up->converter);
	av_frame_free(&up->decoded);
	fvsr_media_input_close(&up->in);
}
