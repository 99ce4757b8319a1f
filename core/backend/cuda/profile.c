/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the time of a queue goes, kernel by kernel: with FVSR_CUDA_PROFILE=1 in the environment
 * each launch is waited for and timed, and the sums are logged when the queue is closed. For the
 * ledger in docs/benchmarks.md; nothing overlaps then, so a chunk takes a little longer.
 */
#include "backend/cuda/ops.h"

#include <stdlib.h>
#include <string.h>

#define MOST_LINES 128

struct fvsr_cuda_profile {
	CUevent begin, end;
	enum fvsr_stage stage;
	int count;
	struct {
		enum fvsr_stage stage;
		const char *name;
		double ms, longest_ms;
		long launches;
	} line[MOST_LINES];
};

int fvsr_cuda_profile_open(struct fvsr_cuda_queue *queue, struct fvsr_error *err)
{
	const char *wanted = getenv("FVSR_CUDA_PROFILE");
	struct fvsr_cuda_profile *profile;
	int result;

	if (!wanted || strcmp(wanted, "1"))
		return 0;
	profile = calloc(1, sizeof(*profile));
	if (!profile)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	profile->stage = FVSR_STAGE_IDLE;
	queue->profile = profile;
	result = FVSR_CUDA_GET(queue->device, err, cuEventCreate, &profile->begin,
			       CU_EVENT_DEFAULT);
	if (!result)
		result = FVSR_CUDA_GET(queue->device, err, cuEventCreate, &profile->end,
				       CU_EVENT_DEFAULT);
	return result;
}

void fvsr_cuda_profile_close(struct fvsr_cuda_queue *queue, bool alive)
{
	static const char *const stages[FVSR_STAGES] = {
		[FVSR_STAGE_INGEST] = "scaling",	  [FVSR_STAGE_PROJECTION] = "projection",
		[FVSR_STAGE_TRANSFORMER] = "transformer", [FVSR_STAGE_DECODER] = "decoder",
		[FVSR_STAGE_COLOR] = "colour",		  [FVSR_STAGE_IDLE] = "other",
	};
	struct fvsr_cuda_profile *profile = queue->profile;

	if (!profile)
		return;
	for (int i = 0; i < profile->count; i++)
		fvsr_log(&queue->device->base.log, FVSR_LOG_INFO,
			 "%-11s %10.2f ms %7ld times, %.2f ms the longest  %s",
			 stages[profile->line[i].stage], profile->line[i].ms,
			 profile->line[i].launches, profile->line[i].longest_ms,
			 profile->line[i].name);
	if (alive && profile->begin)
		queue->device->driver.cuEventDestroy(profile->begin);
	if (alive && profile->end)
		queue->device->driver.cuEventDestroy(profile->end);
	free(profile);
}

void fvsr_cuda_profile_stage(struct fvsr_cuda_queue *queue, enum fvsr_stage stage)
{
	if (queue->profile)
		queue->profile->stage = stage;
}

void fvsr_cuda_profile_begin(struct fvsr_cuda_queue *queue)
{
	if (queue->profile)
		FVSR_CUDA_TRY(queue, cuEventRecord, queue->profile->begin, queue->stream);
}

void fvsr_cuda_profile_end(struct fvsr_cuda_queue *queue, const char *name)
{
	struct fvsr_cuda_profile *profile = queue->profile;
	float ms = 0;
	int i = 0;

	if (!profile || !FVSR_CUDA_TRY(queue, cuEventRecord, profile->end, queue->stream) ||
	    !FVSR_CUDA_TRY(queue, cuEventSynchronize, profile->end) ||
	    !FVSR_CUDA_TRY(queue, cuEventElapsedTime, &ms, profile->begin, profile->end))
		return;
	while (i < profile->count && (profile->line[i].stage != profile->stage ||
				      strcmp(profile->line[i].name, name)))
		i++;
	if (i == MOST_LINES)
		return;
	if (i == profile->count) {
		profile->line[i].stage = profile->stage;
		profile->line[i].name = name;
		profile->count++;
	}
	profile->line[i].ms += (double)ms;
	if ((double)ms > profile->line[i].longest_ms)
		profile->line[i].longest_ms = (double)ms;
	profile->line[i].launches++;
}
