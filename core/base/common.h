/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every part of the library fills errors, logs and tells its progress in the same way, and needs
 * the same small arithmetic.
 */
#ifndef FVSR_BASE_COMMON_H
#define FVSR_BASE_COMMON_H

#include <stdarg.h>

#include "fvsr/fvsr.h"

#if defined(__MINGW32__)
#define FVSR_PRINTF(fmt, args) __attribute__((format(gnu_printf, fmt, args)))
#elif defined(__GNUC__)
#define FVSR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define FVSR_PRINTF(fmt, args)
#endif

/* Writes the message (if 'err' is not NULL) and returns 'code', so that callers can return it. */
int fvsr_fail(struct fvsr_error *err, int code, const char *format, ...) FVSR_PRINTF(3, 4);
#ifdef __clang_analyzer__
/* The analyzer reads one file at a time: without this an error might be success to it. */
#define fvsr_fail(err, code, ...) (fvsr_fail(err, code, __VA_ARGS__), (code))
#endif

/* Writes one line to 'log', which may be NULL. Lines longer than 1 KiB are cut. */
void fvsr_log(const struct fvsr_log *log, enum fvsr_log_level level, const char *format, ...)
	FVSR_PRINTF(3, 4);

/* Reports progress and returns true to go on. 'progress' may be NULL. */
bool fvsr_progress(const struct fvsr_progress *progress, uint64_t done, uint64_t total,
		   const char *what);

/* Returns the time of a clock that never goes back, in milliseconds. */
double fvsr_now_ms(void);

/* Puts a * b into *out; returns false when it does not fit. */
bool fvsr_mul_size(size_t a, size_t b, size_t *out);

/* Returns the smallest multiple that is not less than 'value', which is not negative. */
static inline int fvsr_round_up(int value, int multiple)
{
	return (value + multiple - 1) / multiple * multiple;
}

#endif
