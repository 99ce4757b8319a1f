/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checking a stream's settings, and what they mean for a run of the network.
 */
#ifndef FVSR_STREAM_SETTINGS_H
#define FVSR_STREAM_SETTINGS_H

#include "net/run/run.h"
#include "stream/model.h"

/* Returns 0, or FVSR_ERR_ARGUMENT and a message that says what is possible. */
int fvsr_settings_check(const struct fvsr_settings *settings, struct fvsr_error *err);
/* Does the same for the two settings that may change while a stream runs. */
int fvsr_settings_check_effort(double sparse_ratio, int kv_ratio, int most_kv_ratio,
			       struct fvsr_error *err);
/* Returns the share of pairs of blocks that attention keeps (section 6). */
double fvsr_settings_topk_ratio(const struct fvsr_settings *settings, double sparse_ratio);
/* Returns what checked settings mean for a run of this model. */
struct fvsr_run_settings fvsr_settings_for_run(const struct fvsr_settings *settings,
					       const fvsr_model *model);

#endif
