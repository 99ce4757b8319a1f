/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the time of a queue goes, kernel by kernel: with FVSR_CUDA_PROFILE=1 in the environment
 * each launch is waited for and timed, and the sums are logged when the queue is closed. For the
 * ledger in docs/benchmarks.md; nothing overlaps then, so a chunk takes longer.
 *
 * A launch is enqueued behind a kernel that keeps the stream for a while. Its time is then the
 * card's alone; where the host took longer than that to enqueue it, because it was interrupted or
 * waited for a lock of the driver's, the launch is counted but not timed.
 */
#include "backend/cuda/ops/ops.h"
#include "kernels/generic/params.h"

#include <stdlib.h>
#include <string.h>

#define MOST_LINES 128
#define DELAY_MS   0.2

struct fvsr_cuda_profile {
	CUevent begin, end;
	double began_ms; /* of the host's clock */
	enum fvsr_stage stage;
	int count;
	struct {
		enum fvsr_stage stage;
		const char *name;
		double ms, longest_ms;
		long launches, not_timed;
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
	result =
		FVSR_CUDA_GET(queue->device, err, cuEventCreate, &profile->begin, CU_EVENT_DEFAULT);
	if (!result)
		result = FVSR_CUDA_GET(queue->device, err, cuEventCreate, &profile->end,
				       CU_EVENT_DEFAULT);
	return result;
}

void fvsr_cuda_profile_close(struct fvsr_cuda_queue *queue, bool alive)
{
	static const char *const stages[FVSR_STAGES] = {
		[FVSR_STAGE_INGEST] = "scaling",
		[FVSR_STAGE_PROJECTION] = "projection",
		[FVSR_STAGE_TRANSFORMER] = "transformer",
		[FVSR_STAGE_DECODER] = "decoder",
		[FVSR_STAGE_TRUNK] = "trunk",
		[FVSR_STAGE_COLOR] = "colour",
		[FVSR_STAGE_IDLE] = "other",
	};
	struct fvsr_cuda_profile *profile = queue->profile;

	if (!profile)
		return;
	for (int i = 0; i < profile->count; i++)
		fvsr_log(&queue->device->base.log, FVSR_LOG_INFO,
			 "%-11s %10.2f ms %7ld times, %.2f ms the longest, %ld not timed  %s",
			 stages[profile->line[i].stage], profile->line[i].ms,
			 profile->line[i].launches, profile->line[i].longest_ms,
			 profile->line[i].not_timed, profile->line[i].name);
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

/* Enqueues a kernel that keeps the stream until the host has enqueued the next. */
static bool keep_stream(struct fvsr_cuda_queue *queue)
{
	struct fvsr_delay_params p = {.ns = (uint64_t)(DELAY_MS * 1e6)};
	void *params = &p;
	const struct fvsr_cuda_launch launch = {.kernel = FVSR_KERNEL_delay};
	CUlaunchConfig config = fvsr_cuda_launch_config(&launch, queue->stream);

	return FVSR_CUDA_TRY(queue, cuLaunchKernelEx, &config,
			     queue->device->kernels[FVSR_KERNEL_delay], &params, NULL);
}

void fvsr_cuda_profile_begin(struct fvsr_cuda_queue *queue)
{
	if (!queue->profile)
		return;
	queue->profile->began_ms = fvsr_now_ms();
	if (keep_stream(queue))
		FVSR_CUDA_TRY(queue, cuEventRecord, queue->profile->begin, queue->stream);
}

/* Returns the line of the stage and this kernel; -1 when there are too many. */
static int find_line(struct fvsr_cuda_profile *profile, const char *name)
{
	int i = 0;

	while (i < profile->count &&
	       (profile->line[i].stage != profile->stage || strcmp(profile->line[i].name, name)))
		i++;
	if (i == MOST_LINES)
		return -1;
	if (i == profile->count) {
		profile->line[i].stage = profile->stage;
		profile->line[i].name = name;
		profile->count++;
	}
	return i;
}

void fvsr_cuda_profile_end(struct fvsr_cuda_queue *queue, const char *name)
{
	struct fvsr_cuda_profile *profile = queue->profile;
	float ms = 0;
	bool timed;
	int i;

	if (!profile || !FVSR_CUDA_TRY(queue, cuEventRecord, profile->end, queue->stream))
		return;
	timed = fvsr_now_ms() - profile->began_ms < DELAY_MS;
	if (!FVSR_CUDA_TRY(queue, cuEventSynchronize, profile->end) ||
	    !FVSR_CUDA_TRY(queue, cuEventElapsedTime, &ms, profile->begin, profile->end))
		return;
	i = find_line(profile, name);
	if (i < 0)
		return;
	profile->line[i].launches++;
	if (!timed) {
		profile->line[i].not_timed++;
		return;
	}
	profile->line[i].ms += (double)ms;
	if ((double)ms > profile->line[i].longest_ms)
		profile->line[i].longest_ms = (double)ms;
}
