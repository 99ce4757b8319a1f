/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything the commands say on standard error: messages, the library's log, a progress bar.
 */
#ifndef FVSR_TOOLS_CONSOLE_H
#define FVSR_TOOLS_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "fvsr/fvsr.h"

#ifdef __GNUC__
#define FVSR_CLI_PRINTF __attribute__((format(printf, 1, 2)))
#else
#define FVSR_CLI_PRINTF
#endif

/* One line on standard error, behind "fvsr: error: ", "fvsr: warning: " or "fvsr: ". */
void fvsr_cli_error(const char *format, ...) FVSR_CLI_PRINTF;
void fvsr_cli_warning(const char *format, ...) FVSR_CLI_PRINTF;
void fvsr_cli_note(const char *format, ...) FVSR_CLI_PRINTF;

/* The library's messages up to 'level', on standard error. */
struct fvsr_log fvsr_cli_log(enum fvsr_log_level level);

/* A text from a file: what a terminal could take for a command is shown as \xNN. */
void fvsr_cli_print_text(const char *text);

/* Seconds of a clock that never jumps. */
double fvsr_cli_clock_s(void);

struct fvsr_cli_progress {
	bool shown; /* a terminal is there and nobody asked for silence */
	double start_s, drawn_s;
};

void fvsr_cli_progress_start(struct fvsr_cli_progress *progress, bool quiet);
/* 'total' 0: not known. Frames/s and time left count from the start. */
void fvsr_cli_progress_frames(struct fvsr_cli_progress *progress, uint64_t done, uint64_t total);
void fvsr_cli_progress_clear(struct fvsr_cli_progress *progress);
/* For the library: a percentage; stops the work when a signal has come. */
struct fvsr_progress fvsr_cli_progress_callback(struct fvsr_cli_progress *progress);

#endif
