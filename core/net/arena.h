/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory is planned, not allocated: the same function that places buffers is run once without
 * memory to learn how much it needs.
 */
#ifndef FVSR_NET_ARENA_H
#define FVSR_NET_ARENA_H

#include <stddef.h>

#define FVSR_ARENA_ALIGNMENT 256

struct fvsr_arena {
	char *base; /* NULL: only count */
	size_t used;
};

/* Returns 'base' plus 'bytes'; addresses that are only being planned stay NULL. */
static inline void *fvsr_at(const void *base, size_t bytes)
{
	return base ? (char *)base + bytes : NULL;
}

/* Takes the next bytes, in whole pieces of the alignment; NULL while only counting. */
static inline void *fvsr_arena_take(struct fvsr_arena *arena, size_t bytes)
{
	void *memory = fvsr_at(arena->base, arena->used);

	arena->used +=
		(bytes + FVSR_ARENA_ALIGNMENT - 1) / FVSR_ARENA_ALIGNMENT * FVSR_ARENA_ALIGNMENT;
	return memory;
}

#endif
