/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The input video of the golden streams, from its formula.
 */
#ifndef FVSR_TOOLS_GOLDEN_INPUTS_H
#define FVSR_TOOLS_GOLDEN_INPUTS_H

#include <stdint.h>

/* Frames that a stream of 'chunks' chunks reads: 25 for the first, 8 for each later one. */
int fvsr_cli_golden_frames(int chunks);

/*
 * Canvas of frame t in [-1, 1]: three planes of height x width floats. 'noise' is room for width
 * floats.
 */
void fvsr_cli_golden_canvas(int t, int height, int width, uint64_t seed, float *noise, float *out);

#endif
