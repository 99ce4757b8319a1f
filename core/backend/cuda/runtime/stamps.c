/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long the stages of the work take: an event, a stamp, between the ops where a stage begins.
 * The time between two stamps is added up when both have been reached, so that nobody waits for it.
 */
#include "backend/cuda/ops/ops.h"

/* Adds the time from the oldest stamp to the next to the oldest one's stage; waits for the next. */
static bool collect_stamp(struct fvsr_cuda_queue *queue)
{
	int first = queue->stamps.first, next = (first + 1) % FVSR_CUDA_STAMPS;
	float ms = 0;

	if (!FVSR_CUDA_TRY(queue, cuEventSynchronize, queue->stamps.event[next]) ||
	    !FVSR_CUDA_TRY(queue, cuEventElapsedTime, &ms, queue->stamps.event[first],
			   queue->stamps.event[next]))
		return false;
	queue->base.stage_ms[queue->stamps.stage[first]] += (double)ms;
	queue->stamps.first = next;
	queue->stamps.count--;
	return true;
}

void fvsr_cuda_stage(struct fvsr_queue *base, enum fvsr_stage stage)
{
	struct fvsr_cuda_queue *queue = fvsr_cuda_queue(base);
	int at;

	if (fvsr_queue_idle(base) || !fvsr_cuda_queue_enter(queue))
		return;
	fvsr_cuda_profile_stage(queue, stage);
	if (queue->stamps.count < FVSR_CUDA_STAMPS || collect_stamp(queue)) {
		at = (queue->stamps.first + queue->stamps.count) % FVSR_CUDA_STAMPS;
		if (FVSR_CUDA_TRY(queue, cuEventRecord, queue->stamps.event[at], queue->stream)) {
			queue->stamps.stage[at] = stage;
			queue->stamps.count++;
		}
	}
	fvsr_cuda_leave(queue->device);
}

/* Tells whether the oldest stamp's stage has ended: the next stamp has been reached. */
static bool stamp_done(struct fvsr_cuda_queue *queue)
{
	const int next = (queue->stamps.first + 1) % FVSR_CUDA_STAMPS;
	const CUresult result =
		FVSR_CUDA_CALL(queue->device, cuEventQuery, queue->stamps.event[next]);

	return result != CUDA_ERROR_NOT_READY &&
	       fvsr_cuda_check(queue, result, "cuEventQuery", __FILE__, __LINE__);
}

void fvsr_cuda_collect_stages(struct fvsr_cuda_queue *queue)
{
	while (queue->stamps.count > 1 && stamp_done(queue) && collect_stamp(queue))
		continue;
}
