/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests that are one program: a check that fails is printed and counted, and the program goes
 * on. Any thread may check.
 */
#ifndef FVSR_TESTS_CHECK_H
#define FVSR_TESTS_CHECK_H

#include <stdbool.h>

/* mingw-w64's own printf() knows C's conversions, Windows' does not. */
#if defined(_WIN32) && !defined(__clang__)
#define CHECK_PRINTF(at, first) __attribute__((format(gnu_printf, at, first)))
#else
#define CHECK_PRINTF(at, first) __attribute__((format(printf, at, first)))
#endif

/* CHECK(condition) or CHECK(condition, "format", ...): the rest says what was found instead. */
#define CHECK(condition, ...)                                                                      \
	check_one((condition), #condition, __FILE__, __LINE__, " " __VA_ARGS__)
/* The same with a name for what was being tried. */
#define CHECK_CASE(condition, name) CHECK(condition, "%s", name)
bool check_one(bool ok, const char *condition, const char *file, int line, const char *format, ...)
	CHECK_PRINTF(5, 6);

/* Returns how many checks have failed. */
int check_failures(void);
/* Prints the last lines of a test and returns what its main() returns; no check at all is a
 * failure. */
int check_result(void);

#endif
