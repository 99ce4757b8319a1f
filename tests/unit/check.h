/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a test program needs to say what went wrong and to go on. Counts per program; main()
 * returns check_result().
 */
#ifndef FVSR_TEST_CHECK_H
#define FVSR_TEST_CHECK_H

#include <stdbool.h>
#include <stdio.h>

struct check_counts {
	unsigned int run, failed;
};

static struct check_counts check_counts;

static inline bool check_one(bool ok, const char *file, int line, const char *what)
{
	check_counts.run++;
	if (!ok) {
		check_counts.failed++;
		printf("%s:%d: failed: %s\n", file, line, what);
	}
	return ok;
}

#define CHECK(condition) check_one(condition, __FILE__, __LINE__, #condition)
/* The same with a name for what was being tried. */
#define CHECK_CASE(condition, name) check_one(condition, __FILE__, __LINE__, name)

static inline int check_result(void)
{
	printf("%u checks, %u failed\n", check_counts.run, check_counts.failed);
	return check_counts.failed || !check_counts.run ? 1 : 0;
}

#endif
