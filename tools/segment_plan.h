/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a video and the options to the manifest of its segments.
 */
#ifndef FVSR_TOOLS_SEGMENT_PLAN_H
#define FVSR_TOOLS_SEGMENT_PLAN_H

#include <jansson.h>

#include "upscale.h"

/*
 * Describes input, model, output and network of a video that is prepared and whose model is open.
 * NULL with up->err.
 */
json_t *fvsr_segment_settings(struct fvsr_upscale *up);
/* Returns how many frames of run-up segments get, or a negative FVSR_ERR_*. */
int fvsr_segment_run_up(struct fvsr_upscale *up);
/*
 * Adds the frames and 'count' segments to 'root': reads the whole input, and decodes it where cuts
 * may be. The input is read on from another place afterwards.
 */
int fvsr_segment_plan(struct fvsr_upscale *up, int count, json_t *root);
/* Checks the input 'path' against the manifest's object "input". */
int fvsr_segment_check_input(const char *path, const json_t *input, struct fvsr_error *err);

#endif
