/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening a stream only where the machine has the memory for it, and words for its failures.
 */
#ifndef FVSR_TOOLS_OPEN_STREAM_H
#define FVSR_TOOLS_OPEN_STREAM_H

#include "fvsr/fvsr.h"

/*
 * As fvsr_stream_open(), with one frame of the input's and one of the output's size, RGBA8. Fails
 * with FVSR_ERR_MEMORY before anything is taken when more is needed than is free; the message then
 * says how much of both, and what would fit. What was opened before a failure is the caller's to
 * close.
 */
int fvsr_cli_open_stream(fvsr_model *model, const struct fvsr_settings *settings, bool verbose,
			 fvsr_stream **stream, fvsr_frame **small, fvsr_frame **large,
			 struct fvsr_error *err);

/* Writes why a call of the stream failed to *err; returns 'result'. */
int fvsr_cli_stream_failed(const fvsr_stream *stream, int result, struct fvsr_error *err);

#endif
