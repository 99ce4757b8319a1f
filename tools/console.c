/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages and the progress bar. A message first wipes the terminal's current line, so that it
 * never lands in the middle of a bar; the bar is drawn again with the next frame.
 */
#include "console.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "interrupt.h"
#include "platform.h"

#define REDRAW_S 0.1

static void wipe_line(void)
{
	if (fvsr_platform_is_terminal(stderr))
		fputs("\r\033[K", stderr);
}

static void say(const char *head, const char *format, va_list args)
{
	wipe_line();
	fputs(head, stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void fvsr_cli_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("fvsr: error: ", format, args);
	va_end(args);
}

void fvsr_cli_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("fvsr: warning: ", format, args);
	va_end(args);
}

void fvsr_cli_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("fvsr: ", format, args);
	va_end(args);
}

static void write_log(void *opaque, enum fvsr_log_level level, const char *text)
{
	if ((intptr_t)level > (intptr_t)opaque)
		return;
	if (level == FVSR_LOG_ERROR)
		fvsr_cli_error("%s", text);
	else if (level == FVSR_LOG_WARNING)
		fvsr_cli_warning("%s", text);
	else
		fvsr_cli_note("%s", text);
}

struct fvsr_log fvsr_cli_log(enum fvsr_log_level level)
{
	return (struct fvsr_log){.write = write_log, .opaque = (void *)(intptr_t)level};
}

void fvsr_cli_print_text(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		/* Bytes from 0x80 on are parts of UTF-8, which the library has checked. */
		if (*c < 0x20 || *c == 0x7f)
			printf("\\x%02x", *c);
		else
			putchar(*c);
	}
}

double fvsr_cli_clock_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void fvsr_cli_progress_start(struct fvsr_cli_progress *progress, bool quiet)
{
	progress->shown = !quiet && fvsr_platform_is_terminal(stderr);
	progress->start_s = fvsr_cli_clock_s();
	progress->drawn_s = progress->start_s - REDRAW_S;
}

static bool is_due(struct fvsr_cli_progress *progress)
{
	double now_s = fvsr_cli_clock_s();

	if (!progress->shown || now_s - progress->drawn_s < REDRAW_S)
		return false;
	progress->drawn_s = now_s;
	return true;
}

static void format_time(char *text, size_t size, double seconds)
{
	unsigned long s = (unsigned long)(seconds + 0.5);

	if (s >= 3600)
		snprintf(text, size, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
	else
		snprintf(text, size, "%lu:%02lu", s / 60, s % 60);
}

/* [#####.....] with what follows it, cut to the width of the terminal. */
static void draw_bar(double part, const char *text)
{
	char bar[64];
	int width = fvsr_platform_terminal_columns() - (int)strlen(text) - 4;
	int full;

	if (width > (int)sizeof(bar) - 1)
		width = (int)sizeof(bar) - 1;
	if (width < 5) {
		fprintf(stderr, "\r\033[K%.*s", fvsr_platform_terminal_columns() - 1, text);
		return;
	}
	full = (int)(part * width + 0.5);
	memset(bar, '.', (size_t)width);
	memset(bar, '#', (size_t)full);
	fprintf(stderr, "\r\033[K[%.*s] %s", width, bar, text);
}

void fvsr_cli_progress_frames(struct fvsr_cli_progress *progress, uint64_t done, uint64_t total)
{
	char text[128];
	char left[32];
	double elapsed_s, part;

	if (!is_due(progress))
		return;
	elapsed_s = fvsr_cli_clock_s() - progress->start_s;
	if (done == 0) {
		draw_bar(0, "waiting for the first frames");
	} else if (total == 0) {
		snprintf(text, sizeof(text), "%llu frames  %.2f frames/s", (unsigned long long)done,
			 (double)done / elapsed_s);
		fprintf(stderr, "\r\033[K%s", text);
	} else {
		/* The total comes from the container and may be a little short. */
		part = done < total ? (double)done / (double)total : 1;
		format_time(left, sizeof(left), elapsed_s * (1 / part - 1));
		snprintf(text, sizeof(text), "%llu/%llu  %.0f %%  %.2f frames/s  %s left",
			 (unsigned long long)done, (unsigned long long)total, 100 * part,
			 (double)done / elapsed_s, left);
		draw_bar(part, text);
	}
	fflush(stderr);
}

void fvsr_cli_progress_clear(struct fvsr_cli_progress *progress)
{
	if (progress->shown)
		wipe_line();
	fflush(stderr);
}

static bool report(void *opaque, uint64_t done, uint64_t total, const char *what)
{
	struct fvsr_cli_progress *progress = opaque;
	char text[96];

	if (is_due(progress) && total > 0) {
		double part = done < total ? (double)done / (double)total : 1;
		snprintf(text, sizeof(text), "%3.0f %%  %s", 100 * part, what ? what : "");
		draw_bar(part, text);
		fflush(stderr);
	}
	return fvsr_cli_interrupted() == 0;
}

struct fvsr_progress fvsr_cli_progress_callback(struct fvsr_cli_progress *progress)
{
	return (struct fvsr_progress){.report = report, .opaque = progress};
}
