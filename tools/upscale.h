/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One video on its way from a file through the network into another: what `fvsr upscale` does with
 * all of it or with a segment, and as far as `fvsr join` and `fvsr plan` begin in the same way.
 */
#ifndef FVSR_TOOLS_UPSCALE_H
#define FVSR_TOOLS_UPSCALE_H

#include "console.h"
#include "media.h"
#include "model_args.h"
#include "options.h"

struct fvsr_cli_part;

struct fvsr_upscale {
	const char *words[2]; /* input, output */
	struct fvsr_cli_model_args model_args;
	struct fvsr_cli_stream_args stream_args;
	struct fvsr_media_output_options output_options;
	double scale;
	struct fvsr_cli_size size;
	int run_up; /* frames before a segment; -1: as many as the network remembers */
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
	struct fvsr_cli_part *part; /* the segment that is made; NULL: all of the video */
	struct fvsr_error err;
};

/* The options that upscale and plan have in common, with their defaults. */
#define FVSR_UPSCALE_SIZE_OPTIONS     2
#define FVSR_UPSCALE_ENCODING_OPTIONS 5

void fvsr_upscale_size_options(struct fvsr_upscale *up, struct fvsr_cli_option *options);
void fvsr_upscale_encoding_options(struct fvsr_upscale *up, struct fvsr_cli_option *options);

/* Opens the input, whose first frame is decoded then, and decides on sizes and turns. */
int fvsr_upscale_open_input(struct fvsr_upscale *up);
/* The same, behind checks of the output, which is prepared too. */
int fvsr_upscale_prepare(struct fvsr_upscale *up);
/* What the stream is to do, without the first frame's number. */
void fvsr_upscale_settings(const struct fvsr_upscale *up, struct fvsr_settings *set);
int fvsr_upscale_open_stream(struct fvsr_upscale *up, int64_t first_frame);
/* Sends every frame, the first of which is decoded already, and writes what comes out. */
int fvsr_upscale_pump(struct fvsr_upscale *up);
/* Ends the file in whatever way the work ended; returns the exit status. */
int fvsr_upscale_finish(struct fvsr_upscale *up, int result, double seconds);
/* Reports why nothing was begun; returns the exit status. */
int fvsr_upscale_fail_early(const struct fvsr_upscale *up, int result);
void fvsr_upscale_close(struct fvsr_upscale *up);

/* A path without the "file:" that says that it is no name of a protocol. */
const char *fvsr_upscale_path(const char *word);
bool fvsr_upscale_takes_one_picture(const struct fvsr_upscale *up);

#endif
