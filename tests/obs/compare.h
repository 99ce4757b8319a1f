/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compares what a watch saw with what the library's own bicubic makes of the source's picture.
 */
#ifndef TEST_OBS_COMPARE_H
#define TEST_OBS_COMPARE_H

#include "obs-host.h"

struct comparison {
	double mean_difference;  /* of the levels of R, G and B */
	double close_share;      /* of the levels at most 2 apart */
	double alpha_difference; /* the largest */
	double mean_shift;       /* of a channel's mean, the largest */
};

struct comparison compare(const struct view *view);
bool is_bicubic(const struct view *view);
/*
 * The synthetic model is not trained, so its pictures differ visibly from the bicubic one; the
 * colour correction gives them the means of the source's picture all the same.
 */
bool is_upscaled(const struct view *view);
/* Prints the comparison. */
void report(const char *what, const struct view *view);
/* Checks that the next picture is bicubic. */
void expect_bicubic(struct watch *watch, const char *what);
/*
 * Checks that sooner or later an upscaled picture is shown, and until then bicubic ones. On a busy
 * machine the filter may fall behind at any moment.
 */
void expect_upscaled(struct watch *watch, const char *what);

#endif
