/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When to try again what failed: after 1, 2, 4 ... 60 s, and when a graphics card goes on failing,
 * without it. Arithmetic only, for one thread; times are in nanoseconds.
 */
#ifndef FLASHVSR_RETRY_H
#define FLASHVSR_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct retry {
	int attempts;      /* in vain, since it last worked for a while */
	int failures;      /* of the card, among them */
	int64_t due_ns;    /* when to try again; 0: nothing is to be tried */
	int64_t worked_ns; /* since when it works; 0: it does not */
};

void retry_init(struct retry *retry);
/* 'card': it was the card that failed, and not something that others may give back. */
void retry_failed(struct retry *retry, bool card, int64_t now);
/* Works, at 'now': after a minute of this the failures are forgotten. */
void retry_working(struct retry *retry, int64_t now);
/* True, once, when it is time to try again. */
bool retry_due(struct retry *retry, int64_t now);
/* Until it is time; 0: nothing is to be tried. */
int64_t retry_left(const struct retry *retry, int64_t now);
/* True when the card has failed so often that a processor has to do. */
bool retry_without(const struct retry *retry);

#endif
