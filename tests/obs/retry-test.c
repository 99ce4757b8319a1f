/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When what failed is tried again, and when the graphics card is given up.
 */
#include "check.h"
#include "policy/retry.h"
#include "units.h"

#include <stdio.h>

/* Pauses are 1, 2, 4 ... 60 s, the card is given up, and a minute's work forgives everything. */
static void test_retry(void)
{
	static const int pauses_s[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
	struct retry retry;
	int64_t now = 100 * NS_PER_S;

	retry_init(&retry);
	CHECK(!retry_due(&retry, now), "nothing has failed yet");
	for (size_t i = 0; i < sizeof(pauses_s) / sizeof(*pauses_s); i++) {
		CHECK(retry_without(&retry) == (i >= 5), "failure %zu", i);
		retry_failed(&retry, true, now);
		CHECK(!retry_due(&retry, now + pauses_s[i] * NS_PER_S - 1), "early, %zu", i);
		now += pauses_s[i] * NS_PER_S;
		CHECK(retry_due(&retry, now), "late, %zu", i);
		CHECK(!retry_due(&retry, now), "twice, %zu", i);
	}
	retry_init(&retry);
	retry_failed(&retry, true, now);
	retry_failed(&retry, true, now);
	retry_working(&retry, now + NS_PER_S);
	retry_working(&retry, now + 30 * NS_PER_S);
	retry_failed(&retry, true, now);
	CHECK(!retry_due(&retry, now + 4 * NS_PER_S - 1), "forgiven too soon");
	retry_working(&retry, now);
	retry_working(&retry, now + 61 * NS_PER_S);
	retry_failed(&retry, true, now);
	CHECK(retry_left(&retry, now) == NS_PER_S, "how long is left");
	CHECK(retry_due(&retry, now + NS_PER_S), "not forgiven");
	CHECK(retry_left(&retry, now) == 0, "tried already");
	retry_init(&retry);
	for (int i = 0; i < 10; i++)
		retry_failed(&retry, false, now);
	CHECK(!retry_without(&retry), "the card is blamed for what it has not done");
	CHECK(retry_left(&retry, now) == 60 * NS_PER_S, "no growing pauses without the card");
}

int main(void)
{
	test_retry();
	return check_result();
}
