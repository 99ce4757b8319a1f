/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the ladder: see effort.h.
 */
#include "session/effort.h"

#include "units.h"

#include <stdio.h>
#include <string.h>

void effort_plan(struct ladder_plan *plan, const struct session_settings *settings, int64_t tick_ns)
{
	const struct job_request *request = &settings->request;
	const int64_t slowest_ns = NS_PER_S / (settings->min_fps > 0 ? settings->min_fps : 1);

	*plan = (struct ladder_plan){
		.tick_ns = tick_ns,
		/* OBS's own rate is always good enough. */
		.slowest_ns = slowest_ns > tick_ns ? slowest_ns : tick_ns,
		.sparse = request->settings.sparse_ratio > LADDER_SPARSE_RATIO,
		.slices = request->settings.kv_ratio > LADDER_KV_RATIO,
		.small = settings->small_model[0] &&
			 strcmp(settings->small_model, request->model) != 0,
		.pinned = settings->pinned,
	};
}

void effort_request(struct job_request *request, const struct ladder *ladder,
		    const struct session_settings *settings)
{
	if (ladder->plan.small && ladder->step >= LADDER_SMALL)
		snprintf(request->model, sizeof(request->model), "%s", settings->small_model);
	/*
	 * A stream that is opened with fewer slices needs less memory, but a step up would then
	 * need another stream. So this is done only where there is no memory for more.
	 */
	if (ladder->best >= LADDER_SLICES && request->settings.kv_ratio > LADDER_KV_RATIO)
		request->settings.kv_ratio = LADDER_KV_RATIO;
}

void effort_apply(struct job *job, const struct ladder *ladder)
{
	const struct fvsr_settings *set = &job->request.settings;
	double sparse_ratio = set->sparse_ratio;
	int kv_ratio = set->kv_ratio;

	if (ladder->step >= LADDER_SPARSE && sparse_ratio > LADDER_SPARSE_RATIO)
		sparse_ratio = LADDER_SPARSE_RATIO;
	if (ladder->step >= LADDER_SLICES && kv_ratio > LADDER_KV_RATIO)
		kv_ratio = LADDER_KV_RATIO;
	job_set_effort(job, sparse_ratio, kv_ratio);
}
