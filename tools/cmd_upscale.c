/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fvsr upscale: a video file through the network. Every frame that goes in comes out, at its own
 * time; what can fail early (input, encoder, sizes, output) is tried before the model is loaded.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/avstring.h>

#include "cli.h"
#include "console.h"
#include "interrupt.h"
#include "media.h"
#include "model_args.h"
#include "open_stream.h"
#include "options.h"
#include "target.h"

#define MAX_SIDE 16384

struct upscale {
	const char *words[2]; /* input, output */
	struct fvsr_cli_model_args model_args;
	struct fvsr_cli_stream_args stream_args;
	struct fvsr_media_output_options output_options;
	double scale;
	struct fvsr_cli_size size;
	bool quiet, verbose;

	struct fvsr_media_input in;
	struct fvsr_media_output out;
	struct fvsr_media_color color;
	struct fvsr_media_converter converter;
	AVFrame *decoded;
	fvsr_model *model;
	fvsr_stream *stream;
	fvsr_frame *small, *large;
	fvsr_frame *unturned; /* as the file has it; NULL: no picture is turned */
	struct fvsr_media_turn turn;
	const AVOutputFormat *container;
	int decoded_width, decoded_height; /* of the first frame */
	int in_width, in_height;           /* the same, as they are shown */
	uint64_t total;
	bool size_changed;
	struct fvsr_cli_progress progress;
	struct fvsr_error err;
};

/* ------------------------------------------------------------------------------------------- */
/* Before the work                                                                             */

/* "file:" before a path says that it is no name of a protocol. */
static const char *path_of(const char *word)
{
	av_strstart(word, "file:", &word);
	return word;
}

/* What would destroy the input or the model, or fill a terminal with video. */
static int check_output(struct upscale *up)
{
	const char *input = path_of(up->words[0]), *output = path_of(up->words[1]);
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

static bool takes_one_picture(const struct upscale *up)
{
	return strcmp(up->container->name, "image2") == 0 && !fvsr_cli_is_standard(up->words[1]) &&
	       !av_filename_number_test(up->words[1]);
}

/* "clip.png" and a video: "clip-%05d.png" is what was meant. */
static int refuse_video(struct upscale *up)
{
	const char *path = up->words[1], *ending = strrchr(path, '.');

	fvsr_media_fail(&up->err, 0,
			"%s holds one picture, and the input has several; name a numbered row of "
			"them: %.*s-%%05d%s",
			path, (int)(ending ? ending - path : 0), path, ending ? ending : "");
	return FVSR_ERR_ARGUMENT;
}

static int choose_size(struct upscale *up)
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

static void warn_about_input(const struct upscale *up)
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
static int open_input(struct upscale *up)
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

static int check_single(struct upscale *up)
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
static void choose_turn(struct upscale *up)
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

static int read_first(struct upscale *up)
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

static int open_output(struct upscale *up)
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
	int result = fvsr_media_output_open(&up->out, path_of(up->words[1]), up->container, &up->in,
					    &picture, &up->output_options, &up->err);

	if (result == FVSR_OK && up->out.alpha_lost)
		fvsr_cli_warning(
			"%s cannot hold the video's alpha channel; it is dropped (try "
			"--codec prores_ks or qtrle in a .mov file, or libvpx-vp9 in .webm)",
			up->out.encoder->codec->name);
	return result;
}

static int open_stream(struct upscale *up)
{
	struct fvsr_settings set;
	int result;

	fvsr_settings_default(&set);
	fvsr_cli_apply_stream_args(&up->stream_args, &set);
	set.in_width = up->in_width;
	set.in_height = up->in_height;
	set.out_width = up->size.width;
	set.out_height = up->size.height;
	result = fvsr_cli_open_stream(up->model, &set, up->verbose, &up->stream, &up->small,
				      &up->large, &up->err);
	if (result == FVSR_OK && fvsr_media_turns(&up->turn))
		result = fvsr_frame_create(&up->unturned, FVSR_FORMAT_RGBA8, up->decoded_width,
					   up->decoded_height);
	return result;
}

/* ------------------------------------------------------------------------------------------- */
/* The work                                                                                    */

static int stream_failed(struct upscale *up, int result)
{
	const char *text = fvsr_stream_error(up->stream);

	snprintf(up->err.text, sizeof(up->err.text), "%s",
		 text && *text ? text : fvsr_result_text(result));
	return result;
}

/* Writes every frame that is ready. */
static int receive(struct upscale *up)
{
	int result;

	while (!fvsr_cli_interrupted()) {
		result = fvsr_stream_receive(up->stream, up->large);
		if (result == FVSR_ERR_AGAIN || result == FVSR_ERR_EOF)
			return FVSR_OK;
		if (result < 0)
			return stream_failed(up, result);
		result = fvsr_media_output_frame(&up->out, fvsr_frame_picture(up->large),
						 fvsr_frame_tag(up->large), &up->err);
		if (result < 0)
			return result;
		fvsr_cli_progress_frames(&up->progress, up->out.frames, up->total);
	}
	return FVSR_ERR_CANCELLED;
}

static int send_frame(struct upscale *up)
{
	int result = fvsr_media_color_of(up->decoded, &up->color, &up->err);

	if (result < 0)
		return result;
	if (!up->size_changed && (up->decoded->width != up->decoded_width ||
				  up->decoded->height != up->decoded_height)) {
		up->size_changed = true;
		fvsr_cli_warning("the video's size changes from %dx%d to %dx%d at frame %llu; "
				 "frames are scaled to the first size",
				 up->decoded_width, up->decoded_height, up->decoded->width,
				 up->decoded->height, (unsigned long long)up->in.frames - 1);
	}
	result = fvsr_media_to_rgba(&up->converter, up->decoded, &up->color,
				    fvsr_frame_picture(up->unturned ? up->unturned : up->small),
				    &up->err);
	if (result < 0)
		return result;
	if (up->unturned)
		fvsr_media_turn(&up->turn, fvsr_frame_picture(up->unturned),
				fvsr_frame_picture(up->small));
	fvsr_frame_set_tag(up->small, up->decoded->pts);
	fvsr_media_output_announce(&up->out, up->decoded->pts,
				   fvsr_media_frame_duration(up->decoded));
	result = fvsr_stream_send(up->stream, up->small);
	return result < 0 ? stream_failed(up, result) : FVSR_OK;
}

/* From the first frame, which is already decoded, to the end of the input. */
static int pump(struct upscale *up)
{
	int result = FVSR_OK;

	fvsr_cli_progress_start(&up->progress, up->quiet);
	while (result == FVSR_OK) {
		result = send_frame(up);
		if (result == FVSR_OK)
			result = receive(up);
		av_frame_unref(up->decoded);
		fvsr_cli_progress_frames(&up->progress, up->out.frames, up->total);
		if (result == FVSR_OK)
			result = fvsr_media_input_read(&up->in, up->decoded);
	}
	if (result != FVSR_ERR_EOF)
		return result;
	result = fvsr_stream_end(up->stream);
	return result < 0 ? stream_failed(up, result) : receive(up);
}

static void warn_about_damage(const struct upscale *up)
{
	if (up->in.damaged)
		fvsr_cli_warning("%llu packets of %s are damaged and could not be decoded",
				 (unsigned long long)up->in.damaged, up->words[0]);
	if (up->in.retimed)
		fvsr_cli_warning("%llu frames were not after the one before them in time and have "
				 "been moved",
				 (unsigned long long)up->in.retimed);
}

static void say_done(const struct upscale *up, double seconds)
{
	if (up->quiet)
		return;
	fvsr_cli_note("%s: %llu frame%s of %dx%d in %.1f s (%.2f frames/s)",
		      fvsr_cli_target_name(up->words[1]), (unsigned long long)up->out.frames,
		      up->out.frames == 1 ? "" : "s", up->size.width, up->size.height, seconds,
		      seconds > 0 ? (double)up->out.frames / seconds : 0);
}

/* What is no file cannot be kept or removed: what is there is there. */
static void say_what_went_out(const struct upscale *up)
{
	unsigned long long frames = up->out.written;

	if (up->out.sink.sequence)
		fvsr_cli_note("%s got its first %llu picture%s", up->words[1], frames,
			      frames == 1 ? "" : "s");
	else
		fvsr_cli_note("%llu frame%s went to %s", frames, frames == 1 ? "" : "s",
			      fvsr_cli_target_name(up->words[1]));
}

/*
 * Keeps what there is of a file that is not complete. 'sound': all of it has been written in good
 * order, else what can be read decides.
 */
static void keep_part(struct upscale *up, bool sound)
{
	struct fvsr_media_sink *sink = &up->out.sink;
	uint64_t frames = sink->single_picture ? 0 : up->out.written;
	struct fvsr_error err = {""};
	char *kept = NULL;

	if (!sink->file) {
		if (frames && sound)
			say_what_went_out(up);
		return;
	}
	if (frames && !sound)
		frames = fvsr_media_readable_frames(fvsr_new_file_part(sink->file));
	if (!frames) {
		fvsr_cli_note(up->out.written
				      ? "what was written cannot be read without its end, which "
					"is missing; no file is left of it"
				      : "stopped before the first frame came out; no file is left");
		return;
	}
	if (fvsr_media_sink_keep(sink, &kept, &err) < 0)
		fvsr_cli_error("%s", err.text);
	else
		fvsr_cli_note("%s holds the first %llu frame%s", kept, (unsigned long long)frames,
			      frames == 1 ? "" : "s");
	free(kept);
}

/* Ends the file in whatever way the work ended; returns the exit status. */
static int finish(struct upscale *up, int result, double seconds)
{
	struct fvsr_error err = {""};
	bool stopped = result == FVSR_ERR_CANCELLED;
	int status = stopped ? FVSR_CLI_SIGNAL + fvsr_cli_interrupted() : FVSR_CLI_OK;
	int end;

	fvsr_cli_progress_clear(&up->progress);
	if (result < 0 && !stopped) {
		fvsr_cli_error("%s", up->err.text);
		status = FVSR_CLI_FAILED;
	}
	end = fvsr_media_output_finish(&up->out, result < 0, &err);
	warn_about_damage(up);
	if (end < 0 && result != FVSR_ERR_IO) {
		fvsr_cli_error("%s", err.text);
		status = FVSR_CLI_FAILED;
	}
	if (up->in.read_error) {
		fvsr_media_fail(&err, up->in.read_error, "%s could not be read to its end",
				up->words[0]);
		fvsr_cli_error("%s", err.text);
		status = FVSR_CLI_FAILED;
	}
	if (result < 0 || status != FVSR_CLI_OK) {
		keep_part(up, end == FVSR_OK && result != FVSR_ERR_IO);
	} else if (fvsr_media_sink_commit(&up->out.sink, &err) < 0) {
		fvsr_cli_error("%s", err.text);
		status = FVSR_CLI_FAILED;
	} else {
		say_done(up, seconds);
	}
	return status;
}

static int prepare(struct upscale *up)
{
	int result = check_output(up);

	if (result == FVSR_OK)
		result = open_input(up);
	if (result < 0)
		return result;
	up->container =
		fvsr_media_output_container(path_of(up->words[1]), &up->output_options, &up->err);
	if (!up->container)
		return FVSR_ERR_IO;
	result = read_first(up);
	if (result == FVSR_OK && takes_one_picture(up))
		result = check_single(up);
	if (result == FVSR_OK)
		result = choose_size(up);
	if (result < 0)
		return result;
	warn_about_input(up);
	return open_output(up);
}

static int fail_early(const struct upscale *up, int result)
{
	if (fvsr_cli_interrupted())
		return FVSR_CLI_SIGNAL + fvsr_cli_interrupted();
	fvsr_cli_error("%s", up->err.text[0] ? up->err.text : fvsr_result_text(result));
	return result == FVSR_ERR_ARGUMENT ? FVSR_CLI_USAGE : FVSR_CLI_FAILED;
}

static int run(struct upscale *up)
{
	double start_s;
	int result;

	fvsr_cli_catch_signals();
	fvsr_media_log(up->verbose, true);
	result = prepare(up);
	if (result < 0)
		return fail_early(up, result);
	up->model = fvsr_cli_open_model(&up->model_args, up->quiet, up->verbose);
	if (!up->model)
		return fvsr_cli_interrupted() ? FVSR_CLI_SIGNAL + fvsr_cli_interrupted()
					      : FVSR_CLI_USAGE;
	result = open_stream(up);
	if (result < 0)
		return fail_early(up, result);
	result = fvsr_media_output_start(&up->out, &up->err);
	if (result < 0)
		return fail_early(up, result);
	fvsr_media_log(up->verbose, false);
	start_s = fvsr_cli_clock_s();
	result = pump(up);
	return finish(up, result, fvsr_cli_clock_s() - start_s);
}

static void clean_up(struct upscale *up)
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

/* ------------------------------------------------------------------------------------------- */
/* Usage                                                                                       */

static const char description[] =
	"Upscales the video of IN, any file that FFmpeg reads, and writes OUT in the\n"
	"container that its ending names. Every frame that goes in comes out at its own\n"
	"time, also with a variable frame rate. Sound, subtitles, chapters, tags and\n"
	"pixel aspect ratio are taken over as they are; text subtitles are converted to\n"
	"what the container takes; what it cannot hold is left out with a warning. A\n"
	"video that is to be shown turned stays so in MP4 and MOV; elsewhere its\n"
	"pictures are turned. Matrix, range, primaries and transfer stay those of the\n"
	"input; untagged video is read as BT.601 up to 576 lines and as BT.709 above,\n"
	"and is tagged so.\n"
	"\n"
	"The network works on 8 bits per colour: deeper video is reduced, with a\n"
	"warning, and HDR video (PQ, HLG) is refused. Alpha is kept where the encoder\n"
	"has it.\n"
	"\n"
	"\"-\" is standard input or output (then Matroska, unless --format says\n"
	"otherwise). A picture goes into one .png or .jpg, a video into a numbered row\n"
	"of them, as out-%05d.png.\n"
	"\n"
	"A file appears under the name OUT only when it is complete; an earlier one\n"
	"stays until then. Ctrl-C, or a full disk, completes the file with the frames\n"
	"that have come out: it is OUT where nothing was there, else it stands beside it\n"
	"as NAME.partial.ENDING. Ctrl-C twice stops at once.\n";

static const char epilogue[] =
	"Exit status: 0 when OUT is complete, 1 when the work failed (what came out\n"
	"until then is kept, where it can be read), 2 for wrong usage or a model that\n"
	"cannot be opened, 128 + N when signal N stopped it.\n"
	"\n"
	"Examples:\n"
	"  fvsr upscale --scale 2 talk.mp4 talk-2x.mp4\n"
	"  fvsr upscale -m flashvsr-v1.1.safetensors --size 1920x1080 old.avi new.mkv\n"
	"  fvsr upscale --codec ffv1 --scale 4 titles.mov titles.mkv\n"
	"  fvsr upscale in.mp4 - | mpv -\n";

int fvsr_cmd_upscale(int argc, char **argv)
{
	struct upscale up = {.scale = 4, .output_options = {.crf = -1}};
	struct fvsr_media_output_options *oo = &up.output_options;
	struct fvsr_cli_option model_options[FVSR_CLI_MODEL_OPTIONS];
	struct fvsr_cli_option stream_options[FVSR_CLI_STREAM_OPTIONS];
	const struct fvsr_cli_option own[] = {
		{"scale", 's', FVSR_CLI_REAL, &up.scale, "S",
		 "how much larger the output is (default 4)", 1, 16, NULL},
		{"size", 0, FVSR_CLI_SIZE, &up.size, "WxH", "the output's size, instead of --scale",
		 0, 0, NULL},
		{"quiet", 'q', FVSR_CLI_FLAG, &up.quiet, NULL,
		 "no progress and no summary, only warnings and errors", 0, 0, NULL},
		{"verbose", 'v', FVSR_CLI_FLAG, &up.verbose, NULL,
		 "also the messages of the library and of FFmpeg", 0, 0, NULL},
	};
	const struct fvsr_cli_option encoding[] = {
		{"format", 'f', FVSR_CLI_STRING, &oo->container, "NAME",
		 "FFmpeg's name of the container (default: what the\nending of OUT names)", 0, 0,
		 NULL},
		{"codec", 'c', FVSR_CLI_STRING, &oo->codec, "NAME",
		 "FFmpeg's name of the encoder (default libx264 where\nthe container takes it, "
		 "else "
		 "the container's own)",
		 0, 0, NULL},
		{"crf", 0, FVSR_CLI_INT, &oo->crf, "N",
		 "constant quality, lower is better (default 16)", 0, 63, NULL},
		{"preset", 0, FVSR_CLI_STRING, &oo->preset, "NAME", "the encoder's preset", 0, 0,
		 NULL},
		{"pixel-format", 0, FVSR_CLI_STRING, &oo->pixel_format, "NAME",
		 "FFmpeg's name of the format to encode (default\nyuv420p, with alpha if the input "
		 "and the encoder have\nit, yuv444p for odd sizes in H.264)",
		 0, 0, NULL},
	};
	const struct fvsr_cli_group groups[] = {
		{"Encoding", encoding, sizeof(encoding) / sizeof(encoding[0])},
		{"Model", model_options, FVSR_CLI_MODEL_OPTIONS},
		{"Network", stream_options, FVSR_CLI_STREAM_OPTIONS},
		{"Options", own, sizeof(own) / sizeof(own[0])},
	};
	const struct fvsr_cli_usage usage = {.name = "upscale",
					     .summary = "upscale a video file",
					     .synopsis = "[options] IN OUT",
					     .description = description,
					     .epilogue = epilogue,
					     .groups = groups,
					     .num_groups = sizeof(groups) / sizeof(groups[0]),
					     .min_words = 2,
					     .max_words = 2};
	int status;

	fvsr_cli_model_options(&up.model_args, model_options);
	fvsr_cli_stream_options(&up.stream_args, stream_options);
	status = fvsr_cli_parse(&usage, argc, argv, up.words);
	if (status != FVSR_CLI_GO)
		return status;
	status = run(&up);
	clean_up(&up);
	return status;
}
