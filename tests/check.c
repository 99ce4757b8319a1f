/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Printing and counting: see check.h.
 */
#include "check.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static atomic_uint checks, failures;

bool check_one(bool ok, const char *condition, const char *file, int line, const char *format, ...)
{
	const char *name = strrchr(file, '/');
	va_list args;

	atomic_fetch_add(&checks, 1);
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
	return (int)atomic_load(&failures);
}

int check_result(void)
{
	const unsigned made = atomic_load(&checks), failed = atomic_load(&failures);
	const bool good = made && !failed;

	printf("%u checks, %u failed\n%s\n", made, failed, good ? "OK" : "FAILED");
	return good ? 0 : 1;
}
