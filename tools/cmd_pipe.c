/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fvsr pipe: raw video from stdin through the network to stdout, so that any program that decodes
 * and encodes can be put around it. It needs no FFmpeg libraries and is the way to upscale files
 * with a build that lacks them.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "console.h"
#include "interrupt.h"
#include "model_args.h"
#include "open_stream.h"
#include "options.h"
#include "platform.h"
#include "target.h"
#include "y4m.h"

struct pipe {
	const char *words[2]; /* input, output; NULL or "-": the standard streams */
	struct fvsr_cli_model_args model_args;
	struct fvsr_cli_stream_args stream_args;
	double scale;
	struct fvsr_cli_size size, raw; /* raw: of RGBA frames without any header */
	bool quiet, verbose;

	FILE *from, *to;
	struct fvsr_new_file *file; /* what 'to' writes, when it is a file */
	uint64_t whole_bytes;       /* of it up to the end of the last whole frame */
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

static int failed_with(struct pipe *pipe, const char *text, const char *path, int number)
{
	snprintf(pipe->err.text, sizeof(pipe->err.text), "%s %.300s: %s", text, path,
		 strerror(number));
	return FVSR_ERR_IO;
}

static int open_files(struct pipe *pipe)
{
	const char *input = pipe->words[0], *output = pipe->words[1];
	char path[FVSR_CLI_PATH_BYTES];
	int result;

	fvsr_platform_binary_streams();
	result = fvsr_cli_check_target(output, input, fvsr_cli_model_spec(&pipe->model_args, path),
				       "name an output or a pipe", &pipe->err);
	if (result < 0)
		return result;
	pipe->from = fvsr_cli_is_standard(input) ? stdin : fvsr_platform_open(input, "rb");
	if (!pipe->from)
		return failed_with(pipe, "cannot open", input, errno);
	/* A file is begun now: that it cannot be written is better known before the work. */
	if (!fvsr_cli_is_standard(output) && !fvsr_platform_is_special(output))
		return fvsr_new_file_create(&pipe->file, output, &pipe->err);
	return FVSR_OK;
}

static int choose_sizes(struct pipe *pipe)
{
	int result = FVSR_OK;

	if (pipe->raw.width) {
		pipe->in.width = pipe->raw.width;
		pipe->in.height = pipe->raw.height;
	} else {
		result = fvsr_y4m_read_header(&pipe->in, pipe->from, &pipe->err);
	}
	if (result < 0)
		return result;
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

	fvsr_settings_default(&set);
	fvsr_cli_apply_stream_args(&pipe->stream_args, &set);
	set.in_width = pipe->in.width;
	set.in_height = pipe->in.height;
	set.out_width = pipe->size.width;
	set.out_height = pipe->size.height;
	return fvsr_cli_open_stream(pipe->model, &set, pipe->verbose, &pipe->stream, &pipe->small,
				    &pipe->large, &pipe->err);
}

static int start_output(struct pipe *pipe)
{
	const char *output = pipe->words[1];
	int result;

	pipe->to = pipe->file ? fvsr_platform_stream(fvsr_new_file_handle(pipe->file))
		   : fvsr_cli_is_standard(output) ? stdout
						  : fvsr_platform_open(output, "wb");
	if (!pipe->to)
		return failed_with(pipe, "cannot write", fvsr_cli_target_name(output), errno);
	if (pipe->raw.width)
		return FVSR_OK;
	result = fvsr_y4m_write_header(&pipe->out, pipe->to, &pipe->in, pipe->size.width,
				       pipe->size.height, &pipe->err);
	if (result == FVSR_OK && pipe->file)
		pipe->whole_bytes = (uint64_t)ftell(pipe->to);
	return result;
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
	size_t width = (size_t)picture->width;
	bool written = true;

	for (int y = 0; y < picture->height && written; y++)
		written = fwrite((const uint8_t *)picture->data + y * picture->stride, 4, width,
				 pipe->to) == width;
	if (!written || fflush(pipe->to))
		return failed_with(pipe, "cannot write", fvsr_cli_target_name(pipe->words[1]),
				   errno);
	return FVSR_OK;
}

static int write_frame(struct pipe *pipe)
{
	const struct fvsr_picture *picture = fvsr_frame_picture(pipe->large);
	int result;

	if (pipe->raw.width) {
		result = write_raw(pipe, picture);
		pipe->whole_bytes +=
			result < 0 ? 0 : 4 * (uint64_t)picture->width * (uint64_t)picture->height;
	} else {
		result = fvsr_y4m_write(&pipe->out, picture, &pipe->err);
		pipe->whole_bytes += result < 0 ? 0 : fvsr_y4m_frame_bytes(&pipe->out);
	}
	return result;
}

static int stream_failed(struct pipe *pipe, int code)
{
	const char *text = fvsr_stream_error(pipe->stream);

	return failed(pipe, code, text && *text ? text : fvsr_result_text(code));
}

/* Writes every frame that is ready. */
static int receive(struct pipe *pipe)
{
	int result;

	while (!fvsr_cli_interrupted()) {
		result = fvsr_stream_receive(pipe->stream, pipe->large);
		if (result == FVSR_ERR_AGAIN || result == FVSR_ERR_EOF)
			return FVSR_OK;
		if (result < 0)
			return stream_failed(pipe, result);
		result = write_frame(pipe);
		if (result < 0)
			return result;
		fvsr_cli_progress_frames(&pipe->progress, ++pipe->frames, 0);
	}
	return FVSR_ERR_CANCELLED;
}

static int pump(struct pipe *pipe)
{
	int result = FVSR_OK;

	while (result == FVSR_OK) {
		const struct fvsr_picture *picture = fvsr_frame_picture(pipe->small);

		result = fvsr_cli_interrupted() ? FVSR_ERR_CANCELLED
			 : pipe->raw.width      ? read_raw(pipe, picture)
						: fvsr_y4m_read(&pipe->in, picture, &pipe->err);
		if (result == FVSR_OK && (result = fvsr_stream_send(pipe->stream, pipe->small)) < 0)
			return stream_failed(pipe, result);
		if (result == FVSR_OK)
			result = receive(pipe);
	}
	if (result == FVSR_ERR_CANCELLED)
		return result;
	/* Also after damage: what was read before it comes out. */
	if (fvsr_stream_end(pipe->stream) == FVSR_OK) {
		int end = receive(pipe);

		if (result == FVSR_ERR_EOF)
			result = end;
	}
	return result;
}

static void say_failed(const struct pipe *pipe, int result)
{
	fvsr_cli_error("%s", pipe->err.text[0] ? pipe->err.text : fvsr_result_text(result));
}

/* Keeps the whole frames of a file that is not complete, without half a one behind them. */
static void keep_part(struct pipe *pipe)
{
	struct fvsr_error err = {""};
	char *kept = NULL;

	if (fvsr_new_file_truncate(pipe->file, pipe->whole_bytes, &err) < 0) {
		fvsr_cli_error("%s", err.text);
		return;
	}
	if (fvsr_new_file_keep(pipe->file, &kept, &err) < 0)
		fvsr_cli_error("%s", err.text);
	else
		fvsr_cli_note("%s holds the first %llu frame%s", kept,
			      (unsigned long long)pipe->frames, pipe->frames == 1 ? "" : "s");
	free(kept);
	pipe->file = NULL;
}

/* Ends the output in whatever way the work ended. */
static int finish(struct pipe *pipe, int result)
{
	bool begun = pipe->to;

	if (pipe->to && pipe->to != stdout && fclose(pipe->to) != 0 && result == FVSR_OK)
		result = failed_with(pipe, "cannot write", pipe->words[1], errno);
	pipe->to = NULL;
	if (!pipe->file)
		return result;
	if (result < 0 && pipe->frames)
		keep_part(pipe);
	else if (result < 0 && begun)
		fvsr_cli_note("stopped before the first frame came out; nothing was written to %s",
			      pipe->words[1]);
	if (result == FVSR_OK) {
		result = fvsr_new_file_commit(pipe->file, &pipe->err);
		pipe->file = NULL;
	}
	return result;
}

static int work(struct pipe *pipe)
{
	int result = open_stream(pipe);

	if (result == FVSR_OK)
		result = start_output(pipe);
	if (result < 0)
		return result;
	fvsr_cli_progress_start(&pipe->progress, pipe->quiet);
	result = pump(pipe);
	fvsr_cli_progress_clear(&pipe->progress);
	return result;
}

/* Says how the work ended; returns the exit status. */
static int conclude(struct pipe *pipe, int result)
{
	int end;

	/* A read that a signal broke off looks like damage. */
	if (result < 0 && fvsr_cli_interrupted())
		result = FVSR_ERR_CANCELLED;
	if (result < 0 && result != FVSR_ERR_CANCELLED)
		say_failed(pipe, result);
	end = finish(pipe, result);
	if (result == FVSR_OK && end < 0)
		say_failed(pipe, result = end);
	if (result == FVSR_ERR_CANCELLED)
		return FVSR_CLI_SIGNAL + fvsr_cli_interrupted();
	if (result < 0)
		return result == FVSR_ERR_ARGUMENT ? FVSR_CLI_USAGE : FVSR_CLI_FAILED;
	if (!pipe->quiet)
		fvsr_cli_note("%llu frames of %dx%d", (unsigned long long)pipe->frames,
			      pipe->size.width, pipe->size.height);
	return FVSR_CLI_OK;
}

static int run(struct pipe *pipe)
{
	int result;

	fvsr_cli_catch_signals();
	result = open_files(pipe);
	if (result == FVSR_OK)
		result = choose_sizes(pipe);
	if (result < 0)
		return conclude(pipe, result);
	pipe->model = fvsr_cli_open_model(&pipe->model_args, pipe->quiet, pipe->verbose);
	if (!pipe->model && !fvsr_cli_interrupted())
		return FVSR_CLI_USAGE;
	return conclude(pipe, pipe->model ? work(pipe) : FVSR_ERR_CANCELLED);
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
	fvsr_new_file_abort(pipe->file);
}

static const char description[] =
	"Reads raw video from IN and writes it, upscaled, to OUT; both are pipes unless\n"
	"named. The video is YUV4MPEG2 with 8 bits (4:2:0, 4:2:2, 4:4:4 or grey), as\n"
	"ffmpeg's yuv4mpegpipe writes and reads it, and comes out as the same kind. It\n"
	"is taken for BT.601 up to 576 lines and for BT.709 above, as players do. With\n"
	"--raw it is RGBA, four bytes a pixel, without any header.\n"
	"\n"
	"A file appears under the name OUT only when it is complete; an earlier one\n"
	"stays until then. When the work stops early, the frames that have come out are\n"
	"kept, as OUT where nothing was there, else beside it as NAME.partial.ENDING.\n";

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
