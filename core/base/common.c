/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors, log and version: the parts of the public interface that depend on nothing else.
 */
#include "base/common.h"

#include <stdint.h>
#include <stdio.h>
#include <time.h>

#undef fvsr_fail /* what the analyzer sees in its place */
int fvsr_fail(struct fvsr_error *err, int code, const char *format, ...)
{
	if (err) {
		va_list args;

		va_start(args, format);
		vsnprintf(err->text, sizeof(err->text), format, args);
		va_end(args);
	}
	return code;
}

void fvsr_log(const struct fvsr_log *log, enum fvsr_log_level level, const char *format, ...)
{
	char line[1024];
	va_list args;

	if (!log || !log->write)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	log->write(log->opaque, level, line);
}

bool fvsr_progress(const struct fvsr_progress *progress, uint64_t done, uint64_t total,
		   const char *what)
{
	if (!progress || !progress->report)
		return true;
	return progress->report(progress->opaque, done, total, what);
}

double fvsr_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

bool fvsr_mul_size(size_t a, size_t b, size_t *out)
{
	if (a && b > SIZE_MAX / a)
		return false;
	*out = a * b;
	return true;
}

const char *fvsr_version(void)
{
	return FVSR_VERSION;
}

const char *fvsr_result_text(int result)
{
	switch (result) {
	case FVSR_OK:
		return "success";
	case FVSR_ERR_AGAIN:
		return "more frames are needed first";
	case FVSR_ERR_EOF:
		return "end of stream";
	case FVSR_ERR_ARGUMENT:
		return "invalid argument";
	case FVSR_ERR_MEMORY:
		return "out of memory";
	case FVSR_ERR_IO:
		return "input/output error";
	case FVSR_ERR_FORMAT:
		return "invalid data";
	case FVSR_ERR_UNSUPPORTED:
		return "not supported";
	case FVSR_ERR_BACKEND:
		return "backend failure";
	case FVSR_ERR_CANCELLED:
		return "cancelled";
	default:
		return result > 0 ? "success" : "unknown error";
	}
}
