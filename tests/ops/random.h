/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random numbers of the op tests: a run can be repeated from its seed.
 */
#ifndef FVSR_TEST_RANDOM_H
#define FVSR_TEST_RANDOM_H

#include "base/noise.h"

static inline uint64_t next_random(uint64_t *state)
{
	const uint64_t bits = fvsr_noise_bits(*state, 0);

	*state += FVSR_NOISE_STEP;
	return bits;
}

#endif
