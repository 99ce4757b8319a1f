/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When something that failed is tried again: after 1, 2, 4 ... 60 s. A graphics card that goes on
 * failing is given up. Arithmetic only, for one thread; times are in nanoseconds.
 */
#ifndef FLASHVSR_RETRY_H
#define FLASHVSR_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct retry {
	int attempts;      /* that failed since it last worked for a while */
	int failures;      /* so many of these were the card's fault */
	int64_t due_ns;    /* when to try again; 0: nothing is to be tried */
	int64_t worked_ns; /* it has worked since then; 0: it does not */
};

void retry_init(struct retry *retry);
/* Notes a failure. 'card': it is the card's, and not a lack of what others may give back. */
void retry_failed(struct retry *retry, bool card, int64_t now);
/* Notes that it works at 'now'. After a minute of working, the failures are forgotten. */
void retry_working(struct retry *retry, int64_t now);
/* Returns true, once, when it is time to try again. */
bool retry_due(struct retry *retry, int64_t now);
/* Returns the time until the next attempt; 0: there will be none. */
int64_t retry_left(const struct retry *retry, int64_t now);
/* Returns true when the card has failed so often that the processor computes instead. */
bool retry_without(const struct retry *retry);

#endif
