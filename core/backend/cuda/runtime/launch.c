/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ops ask of a queue: scratch memory, and launching a kernel.
 */
#include "backend/cuda/ops/ops.h"

/*
 * Notes what an op wants. Who plans anew has set the sum to 0, and then nothing else is wanted yet.
 */
static void want(struct fvsr_cuda_queue *queue, size_t bytes)
{
	if (!queue->base.scratch_bytes || bytes > queue->wanted)
		queue->wanted = bytes;
	fvsr_queue_scratch(&queue->base, queue->reserved + queue->wanted);
}

void *fvsr_cuda_scratch(struct fvsr_cuda_queue *queue, size_t bytes)
{
	want(queue, bytes);
	if (fvsr_queue_idle(&queue->base))
		return NULL;
	return (char *)queue->base.scratch + queue->reserved;
}

size_t fvsr_cuda_reserve(struct fvsr_cuda_queue *queue, size_t bytes)
{
	size_t offset = queue->reserved;

	queue->reserved += (bytes + 255) / 256 * 256;
	want(queue, 0);
	return offset;
}

void fvsr_cuda_launch(struct fvsr_cuda_queue *queue, const struct fvsr_cuda_launch *launch)
{
	CUlaunchConfig config = fvsr_cuda_launch_config(launch, queue->stream);
	void *params[] = {(void *)launch->params};

	if (fvsr_queue_idle(&queue->base) || !fvsr_cuda_queue_enter(queue))
		return;
	fvsr_cuda_profile_begin(queue);
	FVSR_CUDA_TRY(queue, cuLaunchKernelEx, &config, queue->device->kernels[launch->kernel],
		      params, NULL);
	fvsr_cuda_profile_end(queue, fvsr_cuda_kernels[launch->kernel].name);
	fvsr_cuda_leave(queue->device);
}
