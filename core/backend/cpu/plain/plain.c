/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The backend "cpu-plain": every op in its plain version.
 */
#include "backend/cpu/plain/plain.h"

#include <stdlib.h>

static int device_open(struct fvsr_device **out, const struct fvsr_model_options *options,
		       struct fvsr_error *err)
{
	struct fvsr_cpu_device *device = malloc(sizeof(*device));

	if (!device)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	fvsr_cpu_device_init(device, &fvsr_backend_cpu_plain, options);
	*out = &device->base;
	return 0;
}

static void device_close(struct fvsr_device *device)
{
	if (!device)
		return;
	fvsr_cpu_device_clear((struct fvsr_cpu_device *)device);
	free(device);
}

/* Has nothing to drop: the plain ops use weights as they are. */
static void forget(struct fvsr_device *device, const void *memory, size_t bytes)
{
	(void)device, (void)memory, (void)bytes;
}

static int queue_open(struct fvsr_queue **out, struct fvsr_device *device, struct fvsr_error *err)
{
	struct fvsr_cpu_queue *queue = malloc(sizeof(*queue));

	if (!queue)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	fvsr_cpu_queue_init(queue, device);
	*out = &queue->base;
	return 0;
}

static void queue_close(struct fvsr_queue *queue)
{
	if (!queue)
		return;
	fvsr_cpu_queue_clear((struct fvsr_cpu_queue *)queue);
	free(queue);
}

#define PLAIN_OP(name, cpu) .name = fvsr_plain_##name,
/* clang-format off */
const struct fvsr_backend fvsr_backend_cpu_plain = {
	.name = "cpu-plain",
	.act_bytes = sizeof(float),
	.canvas_bytes = sizeof(float),
	.host_memory = true,
	.describe = fvsr_cpu_describe,
	.device_open = device_open,
	.device_close = device_close,
	.alloc = fvsr_cpu_alloc,
	.free = fvsr_cpu_free,
	.host_alloc = fvsr_cpu_alloc,
	.host_free = fvsr_cpu_free,
	.upload = fvsr_cpu_upload,
	.forget = forget,
	.queue_open = queue_open,
	.queue_close = queue_close,
	.finish = fvsr_cpu_finish,
	.stage = fvsr_cpu_stage,
	.download = fvsr_cpu_download,
	FVSR_OPS(PLAIN_OP)
};
/* clang-format on */
