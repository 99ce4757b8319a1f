/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counting failures and pauses: see retry.h.
 */
#include "policy/retry.h"

#include "units.h"

#define PAUSE_NS_MAX    (60 * NS_PER_S)
#define FORGET_NS       (60 * NS_PER_S)
#define FAILURES_ENOUGH 5 /* 1 + 2 + 4 + 8 + 16 s of trying */

void retry_init(struct retry *retry)
{
	*retry = (struct retry){0};
}

void retry_failed(struct retry *retry, bool card, int64_t now)
{
	int64_t pause_ns = NS_PER_S;

	for (int i = 0; i < retry->attempts && pause_ns < PAUSE_NS_MAX; i++)
		pause_ns *= 2;
	retry->attempts++;
	retry->failures += card;
	retry->worked_ns = 0;
	retry->due_ns = now + (pause_ns < PAUSE_NS_MAX ? pause_ns : PAUSE_NS_MAX);
}

void retry_working(struct retry *retry, int64_t now)
{
	retry->due_ns = 0;
	if (!retry->worked_ns)
		retry->worked_ns = now;
	if (now - retry->worked_ns < FORGET_NS)
		return;
	retry->attempts = 0;
	/* What works on the processor says nothing about the card. */
	if (!retry_without(retry))
		retry->failures = 0;
}

bool retry_due(struct retry *retry, int64_t now)
{
	if (!retry->due_ns || now < retry->due_ns)
		return false;
	retry->due_ns = 0;
	return true;
}

int64_t retry_left(const struct retry *retry, int64_t now)
{
	return retry->due_ns > now ? retry->due_ns - now : 0;
}

bool retry_without(const struct retry *retry)
{
	return retry->failures >= FAILURES_ENOUGH;
}
