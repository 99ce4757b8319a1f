/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The counter-based generator behind noise and synthetic weights: element i of a named tensor
 * depends on (name, seed, i) alone, so any part of a tensor can be made anywhere, in any order.
 * docs/model-format.md has the formula under "Synthetic models".
 */
#ifndef FVSR_BASE_NOISE_H
#define FVSR_BASE_NOISE_H

#include <stdint.h>

#define FVSR_NOISE_STEP 0x9E3779B97F4A7C15u

/* Returns the key of a tensor: FNV-1a of the name, moved on by the seed. */
static inline uint64_t fvsr_noise_key(const char *name, uint64_t seed)
{
	uint64_t hash = 0xCBF29CE484222325u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001B3u;
	return hash + seed * FVSR_NOISE_STEP;
}

/* Returns 64 random bits for counter 'i' (SplitMix64). */
static inline uint64_t fvsr_noise_bits(uint64_t key, uint64_t i)
{
	uint64_t z = key + (i + 1) * FVSR_NOISE_STEP;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

#endif
