/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Printing and counting: see check.h.
 */
#include "check.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static atomic_int failures;

bool check_one(bool ok, const char *condition, const char *file, int line, const char *format, ...)
{
	const char *name = strrchr(file, '/');
	va_list args;

	if (ok)
		return true;
	fprintf(stderr, "FAILED %s:%d: %s:", name ? name + 1 : file, line, condition);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	atomic_fetch_add(&failures, 1);
	return false;
}

int check_failures(void)
{
	return atomic_load(&failures);
}

int check_result(void)
{
	printf("%s\n", check_failures() ? "FAILED" : "OK");
	return check_failures() ? 1 : 0;
}
