/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fvsr pipe: raw video from stdin through the network to stdout, so that any program that decodes
 * and encodes can be put around it. It needs no FFmpeg libraries and is the way to upscale files
 * with a build that lacks them.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "console.h"
#include "interrupt.h"
#include "model_args.h"
#include "options.h"
#include "platform.h"
#include "y4m.h"

struct pipe {
	const char *words[2]; /* input, output; NULL or "-": the standard streams */
	struct fvsr_cli_model_args model_args;
	struct fvsr_cli_stream_args stream_args;
	double scale;
	struct fvsr_cli_size size, raw; /* raw: of RGBA frames without any header */
	bool quiet, verbose;

	FILE *from, *to;
	struct fvsr_y4m in, out;
	fvsr_model *model;
	fvsr_stream *stream;
	fvsr_frame *small, *large;
	uint64_t frames;
	struct fvsr_cli_progress progress;
	struct fvsr_error err;
};

static int failed(struct pipe *pipe, int code, const char *text)
{
	snprintf(pipe->err.text, sizeof(pipe->err.text), "%s", text);
	return code;
}

static bool is_standard(const char *word)
{
	return !word || strcmp(word, "-") == 0;
}

static int open_files(struct pipe *pipe)
{
	fvsr_platform_binary_streams();
	pipe->from = is_standard(pipe->words[0]) ? stdin : fvsr_platform_open(pipe->words[0], "rb");
	if (!pipe->from)
		return failed(pipe, FVSR_ERR_IO, "cannot open the input");
	if (is_standard(pipe->words[1]) && fvsr_platform_is_terminal(stdout))
		return failed(pipe, FVSR_ERR_ARGUMENT,
			      "video would go to the terminal; name an output or a pipe");
	return FVSR_OK;
}

static int choose_sizes(struct pipe *pipe)
{
	int ret = FVSR_OK;

	if (pipe->raw.width) {
		pipe->in.width = pipe->raw.width;
		pipe->in.height = pipe->raw.height;
	} else {
		ret = fvsr_y4m_read_header(&pipe->in, pipe->from, &pipe->err);
	}
	if (ret < 0)
		return ret;
	if (!pipe->size.width) {
		pipe->size.width = (int)lround(pipe->in.width * pipe->scale);
		pipe->size.height = (int)lround(pipe->in.height * pipe->scale);
	}
	if (pipe->size.width < pipe->in.width || pipe->size.height < pipe->in.height)
		return failed(pipe, FVSR_ERR_ARGUMENT, "the output is smaller than the video");
	if (pipe->size.width > FVSR_Y4M_MAX_SIDE || pipe->size.height > FVSR_Y4M_MAX_SIDE)
		return failed(pipe, FVSR_ERR_ARGUMENT, "the output is too large");
	return FVSR_OK;
}

static int open_stream(struct pipe *pipe)
{
	struct fvsr_settings set;
	int ret;

	fvsr_settings_default(&set);
	fvsr_cli_apply_stream_args(&pipe->stream_args, &set);
	set.in_width = pipe->in.width;
	set.in_height = pipe->in.height;
	set.out_width = pipe->size.width;
	set.out_height = pipe->size.height;
	ret = fvsr_stream_open(&pipe->stream, pipe->model, &set, &pipe->err);
	if (ret == FVSR_OK)
		ret = fvsr_frame_create(&pipe->small, FVSR_FORMAT_RGBA8, set.in_width,
					set.in_height);
	if (ret == FVSR_OK)
		ret = fvsr_frame_create(&pipe->large, FVSR_FORMAT_RGBA8, set.out_width,
					set.out_height);
	return ret;
}

static int start_output(struct pipe *pipe)
{
	pipe->to = is_standard(pipe->words[1]) ? stdout : fvsr_platform_open(pipe->words[1], "wb");
	if (!pipe->to)
		return failed(pipe, FVSR_ERR_IO, "cannot write the output");
	if (pipe->raw.width)
		return FVSR_OK;
	return fvsr_y4m_write_header(&pipe->out, pipe->to, &pipe->in, pipe->size.width,
				     pipe->size.height, &pipe->err);
}

/* RGBA rows without anything between them. The end is only between two frames. */
static int read_raw(struct pipe *pipe, const struct fvsr_picture *picture)
{
	size_t row = (size_t)picture->width * 4, done = 0, n;
	int y = 0;

	for (; y < picture->height; y++, done += n) {
		n = fread((uint8_t *)picture->data + y * picture->stride, 1, row, pipe->from);
		if (n != row)
			return done + n ? failed(pipe, FVSR_ERR_FORMAT,
						 "the input ends in the middle of a frame")
					: FVSR_ERR_EOF;
	}
	return FVSR_OK;
}

static int write_raw(struct pipe *pipe, const struct fvsr_picture *picture)
{
	for (int y = 0; y < picture->height; y++)
		fwrite((const uint8_t *)picture->data + y * picture->stride, 4,
		       (size_t)picture->width, pipe->to);
	return fflush(pipe->to) || ferror(pipe->to) ? failed(pipe, FVSR_ERR_IO, "cannot write")
						    : FVSR_OK;
}

static int stream_failed(struct pipe *pipe, int code)
{
	const char *text = fvsr_stream_error(pipe->stream);

	return failed(pipe, code, text && *text ? text : fvsr_result_text(code));
}

/* Writes every frame that is ready. */
static int receive(struct pipe *pipe)
{
	int ret;

	while (!fvsr_cli_interrupted()) {
		ret = fvsr_stream_receive(pipe->stream, pipe->large);
		if (ret == FVSR_ERR_AGAIN || ret == FVSR_ERR_EOF)
			return FVSR_OK;
		if (ret < 0)
			return stream_failed(pipe, ret);
		ret = pipe->raw.width ? write_raw(pipe, fvsr_frame_picture(pipe->large))
				      : fvsr_y4m_write(&pipe->out, fvsr_frame_picture(pipe->large),
						       &pipe->err);
		if (ret < 0)
			return ret;
		fvsr_cli_progress_frames(&pipe->progress, ++pipe->frames, 0);
	}
	return FVSR_ERR_CANCELLED;
}

static int pump(struct pipe *pipe)
{
	int ret = FVSR_OK;

	while (ret == FVSR_OK) {
		const struct fvsr_picture *picture = fvsr_frame_picture(pipe->small);

		ret = fvsr_cli_interrupted() ? FVSR_ERR_CANCELLED
		      : pipe->raw.width      ? read_raw(pipe, picture)
					     : fvsr_y4m_read(&pipe->in, picture, &pipe->err);
		if (ret == FVSR_OK && (ret = fvsr_stream_send(pipe->stream, pipe->small)) < 0)
			return stream_failed(pipe, ret);
		if (ret == FVSR_OK)
			ret = receive(pipe);
	}
	if (ret == FVSR_ERR_CANCELLED)
		return ret;
	/* Also after damage: what was read before it comes out. */
	if (fvsr_stream_end(pipe->stream) == FVSR_OK) {
		int end = receive(pipe);

		if (ret == FVSR_ERR_EOF)
			ret = end;
	}
	return ret;
}

static int report(const struct pipe *pipe, int ret)
{
	if (fvsr_cli_interrupted())
		return FVSR_CLI_SIGNAL + fvsr_cli_interrupted();
	if (ret < 0) {
		fvsr_cli_error("%s", pipe->err.text[0] ? pipe->err.text : fvsr_result_text(ret));
		return ret == FVSR_ERR_ARGUMENT ? FVSR_CLI_USAGE : FVSR_CLI_FAILED;
	}
	if (!pipe->quiet)
		fvsr_cli_note("%llu frames of %dx%d", (unsigned long long)pipe->frames,
			      pipe->size.width, pipe->size.height);
	return FVSR_CLI_OK;
}

static int run(struct pipe *pipe)
{
	int ret;

	fvsr_cli_catch_signals();
	ret = open_files(pipe);
	if (ret == FVSR_OK)
		ret = choose_sizes(pipe);
	if (ret < 0)
		return report(pipe, ret);
	pipe->model = fvsr_cli_open_model(&pipe->model_args, pipe->quiet, pipe->verbose);
	if (!pipe->model)
		return fvsr_cli_interrupted() ? report(pipe, FVSR_OK) : FVSR_CLI_USAGE;
	ret = open_stream(pipe);
	if (ret == FVSR_OK)
		ret = start_output(pipe);
	if (ret == FVSR_OK) {
		fvsr_cli_progress_start(&pipe->progress, pipe->quiet);
		ret = pump(pipe);
		fvsr_cli_progress_clear(&pipe->progress);
	}
	return report(pipe, ret);
}

static void clean_up(struct pipe *pipe)
{
	fvsr_frame_destroy(pipe->small);
	fvsr_frame_destroy(pipe->large);
	fvsr_stream_close(pipe->stream);
	fvsr_model_unref(pipe->model);
	fvsr_y4m_close(&pipe->in);
	fvsr_y4m_close(&pipe->out);
	if (pipe->from && pipe->from != stdin)
		fclose(pipe->from);
	if (pipe->to && pipe->to != stdout)
		fclose(pipe->to);
}

static const char description[] =
	"Reads raw video from IN and writes it, upscaled, to OUT; both are pipes unless\n"
	"named. The video is YUV4MPEG2 with 8 bits (4:2:0, 4:2:2, 4:4:4 or grey), as\n"
	"ffmpeg's yuv4mpegpipe writes and reads it, and comes out as the same kind. It\n"
	"is taken for BT.601 up to 576 lines and for BT.709 above, as players do. With\n"
	"--raw it is RGBA, four bytes a pixel, without any header.\n";

static const char epilogue[] =
	"Exit status: 0 when all frames came out, 1 when the work failed, 2 for wrong\n"
	"usage or a model that cannot be opened, 128 + N when signal N stopped it.\n"
	"\n"
	"Example:\n"
	"  ffmpeg -i in.mp4 -pix_fmt yuv420p -f yuv4mpegpipe - |\n"
	"  fvsr pipe --scale 2 | ffmpeg -i - out.mp4\n";

int fvsr_cmd_pipe(int argc, char **argv)
{
	struct pipe pipe = {.scale = 4};
	struct fvsr_cli_option model_options[FVSR_CLI_MODEL_OPTIONS];
	struct fvsr_cli_option stream_options[FVSR_CLI_STREAM_OPTIONS];
	const struct fvsr_cli_option own[] = {
		{"scale", 's', FVSR_CLI_REAL, &pipe.scale, "S",
		 "how much larger the output is (default 4)", 1, 16, NULL},
		{"size", 0, FVSR_CLI_SIZE, &pipe.size, "WxH",
		 "the output's size, instead of --scale", 0, 0, NULL},
		{"raw", 0, FVSR_CLI_SIZE, &pipe.raw, "WxH",
		 "the input is RGBA of this size without headers, and\nso is the output", 0, 0,
		 NULL},
		{"quiet", 'q', FVSR_CLI_FLAG, &pipe.quiet, NULL,
		 "no progress and no summary, only warnings and errors", 0, 0, NULL},
		{"verbose", 'v', FVSR_CLI_FLAG, &pipe.verbose, NULL,
		 "also the messages of the library", 0, 0, NULL},
	};
	const struct fvsr_cli_group groups[] = {
		{"Model", model_options, FVSR_CLI_MODEL_OPTIONS},
		{"Network", stream_options, FVSR_CLI_STREAM_OPTIONS},
		{"Options", own, sizeof(own) / sizeof(own[0])},
	};
	const struct fvsr_cli_usage usage = {.name = "pipe",
					     .summary = "upscale raw video from a pipe to a pipe",
					     .synopsis = "[options] [IN [OUT]]",
					     .description = description,
					     .epilogue = epilogue,
					     .groups = groups,
					     .num_groups = sizeof(groups) / sizeof(groups[0]),
					     .min_words = 0,
					     .max_words = 2};
	int status;

	fvsr_cli_model_options(&pipe.model_args, model_options);
	fvsr_cli_stream_options(&pipe.stream_args, stream_options);
	status = fvsr_cli_parse(&usage, argc, argv, pipe.words);
	if (status != FVSR_CLI_GO)
		return status;
	status = run(&pipe);
	clean_up(&pipe);
	return status;
}
