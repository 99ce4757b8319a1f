/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fvsr upscale: a video file through the network. Every frame that goes in comes out, at its own
 * time.
 */
#include <stdio.h>

#include "cli.h"
#include "interrupt.h"
#include "part.h"
#include "upscale.h"

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
	"as NAME.partial.ENDING. Ctrl-C twice stops at once.\n"
	"\n"
	"With --segment K/N only the K-th of N segments is made, into the folder\n"
	"OUT.parts, and fvsr join makes OUT when all are there; each may run anywhere,\n"
	"at any time and more than once. See the user guide.\n";

static const char epilogue[] =
	"Exit status: 0 when OUT is complete, 1 when the work failed (what came out\n"
	"until then is kept, where it can be read), 2 for wrong usage or a model that\n"
	"cannot be opened, 128 + N when signal N stopped it.\n"
	"\n"
	"Examples:\n"
	"  fvsr upscale --scale 2 talk.mp4 talk-2x.mp4\n"
	"  fvsr upscale -m flashvsr-v1.1.safetensors --size 1920x1080 old.avi new.mkv\n"
	"  fvsr upscale --codec ffv1 --scale 4 titles.mov titles.mkv\n"
	"  fvsr upscale in.mp4 - | mpv -\n"
	"  fvsr upscale --segment 3/12 in.mp4 out.mp4\n";

static int begin(struct fvsr_upscale *up)
{
	int result = up->part ? fvsr_cli_part_begin(up) : FVSR_OK;

	if (result < 0 || (up->part && up->part->there))
		return result;
	result = fvsr_upscale_open_stream(up, up->part ? up->part->range.run_from : 0);
	if (result == FVSR_OK)
		result = fvsr_media_output_start(&up->out, &up->err);
	return result;
}

static int run(struct fvsr_upscale *up)
{
	double start_s;
	int result;

	fvsr_cli_catch_signals();
	fvsr_media_log(up->verbose, true);
	result = fvsr_upscale_prepare(up);
	if (result < 0)
		return fvsr_upscale_fail_early(up, result);
	up->model = fvsr_cli_open_model(&up->model_args, up->quiet, up->verbose);
	if (!up->model)
		return fvsr_cli_interrupted() ? FVSR_CLI_SIGNAL + fvsr_cli_interrupted()
					      : FVSR_CLI_USAGE;
	result = begin(up);
	if (result == FVSR_OK && up->part && up->part->there) {
		if (!up->quiet)
			fvsr_cli_note("%s is there already", up->part->path);
		return FVSR_CLI_OK;
	}
	if (result < 0)
		return fvsr_upscale_fail_early(up, result);
	fvsr_media_log(up->verbose, false);
	start_s = fvsr_cli_clock_s();
	result = fvsr_upscale_pump(up);
	return fvsr_upscale_finish(up, result, fvsr_cli_clock_s() - start_s);
}

int fvsr_cmd_upscale(int argc, char **argv)
{
	struct fvsr_upscale up = {.scale = 4, .output_options = {.crf = -1}, .run_up = -1};
	struct fvsr_cli_part part = {0};
	const char *segment = NULL;
	struct fvsr_cli_option model_options[FVSR_CLI_MODEL_OPTIONS];
	struct fvsr_cli_option stream_options[FVSR_CLI_STREAM_OPTIONS];
	struct fvsr_cli_option encoding[FVSR_UPSCALE_ENCODING_OPTIONS];
	struct fvsr_cli_option size[FVSR_UPSCALE_SIZE_OPTIONS];
	const struct fvsr_cli_option segments[] = {
		{"segment", 0, FVSR_CLI_STRING, &segment, "K/N",
		 "make only segment K of N, into the folder OUT.parts", 0, 0, NULL},
		{"run-up", 0, FVSR_CLI_INT, &up.run_up, "N",
		 "frames that the network sees before a segment begins\n(default: as many as it "
		 "remembers, so that seams\ncannot be seen)",
		 0, 100000, NULL},
	};
	const struct fvsr_cli_option own[] = {
		{"quiet", 'q', FVSR_CLI_FLAG, &up.quiet, NULL,
		 "no progress and no summary, only warnings and errors", 0, 0, NULL},
		{"verbose", 'v', FVSR_CLI_FLAG, &up.verbose, NULL,
		 "also the messages of the library and of FFmpeg", 0, 0, NULL},
	};
	const struct fvsr_cli_group groups[] = {
		{"Size", size, FVSR_UPSCALE_SIZE_OPTIONS},
		{"Encoding", encoding, FVSR_UPSCALE_ENCODING_OPTIONS},
		{"Model", model_options, FVSR_CLI_MODEL_OPTIONS},
		{"Network", stream_options, FVSR_CLI_STREAM_OPTIONS},
		{"Segments", segments, sizeof(segments) / sizeof(segments[0])},
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

	fvsr_upscale_size_options(&up, size);
	fvsr_upscale_encoding_options(&up, encoding);
	fvsr_cli_model_options(&up.model_args, model_options);
	fvsr_cli_stream_options(&up.stream_args, stream_options);
	status = fvsr_cli_parse(&usage, argc, argv, up.words);
	if (status != FVSR_CLI_GO)
		return status;
	if (segment && !fvsr_cli_part_parse(&part, segment)) {
		fvsr_cli_error("--segment: '%s' is not a number of how many, such as 3/12",
			       segment);
		return FVSR_CLI_USAGE;
	}
	if (segment)
		fvsr_cli_part_attach(&part, &up);
	status = run(&up);
	fvsr_upscale_close(&up);
	fvsr_cli_part_close(&part);
	return status;
}
