/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How large the output is: two, three or four times the source, as large as the canvas, or of a
 * size that the user wants. The aspect is always kept. Arithmetic only.
 */
#ifndef FLASHVSR_SIZES_H
#define FLASHVSR_SIZES_H

#include <stdbool.h>
#include <stdint.h>

#define SIZES_SIDE_MIN  16    /* the engine's smallest input */
#define SIZES_SIDE_MAX  16384 /* the largest texture that every card has */
#define SIZES_SCALE_MIN 2     /* from here to there the bundled network was trained */
#define SIZES_SCALE_MAX 4

struct sizes {
	uint32_t in_width, in_height, out_width, out_height;
};

struct sizes_target {
	uint32_t scale;         /* times the source; 0: what fits into the following */
	uint32_t width, height; /* 0: the canvas */
};

/*
 * Chooses the output's size. Where a picture cannot be enlarged, or is large enough, it is passed
 * on and the output is as large as the input.
 */
struct sizes sizes_choose(const struct sizes_target *target, uint32_t in_width, uint32_t in_height,
			  uint32_t canvas_width, uint32_t canvas_height);
/*
 * Returns what a network makes that was trained to enlarge by two, three and four: the output is
 * larger by the least of these factors that is not much less than the wanted one. The picture is
 * then scaled to the wanted size.
 */
struct sizes sizes_whole(const struct sizes *wanted);
/* Returns true when all four are equal. */
bool sizes_same(const struct sizes *a, const struct sizes *b);
/* Returns true when the output is larger than the input. */
bool sizes_enlarge(const struct sizes *sizes);
/* Returns true when the picture is passed on because it is large enough already. */
bool sizes_reached(const struct sizes_target *target, const struct sizes *sizes);

/* Packs a target into a number, for an atomic variable. */
uint64_t sizes_pack(const struct sizes_target *target);
struct sizes_target sizes_unpack(uint64_t packed);

#endif
