/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests that are one program: what fails is told, with a reason, and counted, and the program
 * goes on.
 */
#ifndef FLASHVSR_TESTS_CHECK_H
#define FLASHVSR_TESTS_CHECK_H

#include <stdio.h>

static int failures;

#define CHECK(ok, ...)                                                                             \
	do {                                                                                       \
		if (!(ok)) {                                                                       \
			printf("FAILED line %d: %s: ", __LINE__, #ok);                             \
			printf(__VA_ARGS__);                                                       \
			printf("\n");                                                              \
			failures++;                                                                \
		}                                                                                  \
	} while (0)

/* The last line, and what main() returns. */
static inline int check_result(void)
{
	printf("%s\n", failures ? "FAILED" : "OK");
	return failures ? 1 : 0;
}

#endif
