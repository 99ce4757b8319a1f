/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Weights reordered for oneDNN. Convolutions want theirs in blocks of the vector width: a copy in
 * that layout is made once and shared by all queues of a device. Matrix products take theirs as
 * they are, which is as fast and does not double the memory of large models.
 */
#include "backend/cpu/onednn/weights.h"

#include <stdlib.h>

struct fvsr_onednn_weight {
	struct fvsr_onednn_weight *next;
	const void *source;
	fvsr_onednn_layout from, to;
	void *data;
};

static bool reorder(struct fvsr_queue *queue, struct fvsr_onednn_weight *weight)
{
	dnnl_engine_t engine = fvsr_onednn_device(queue)->engine;
	dnnl_stream_t stream = fvsr_onednn_queue(queue)->stream;
	dnnl_primitive_desc_t desc = NULL;
	dnnl_primitive_t primitive = NULL;
	dnnl_memory_t from = NULL, to = NULL;
	dnnl_status_t status;

	status = dnnl_reorder_primitive_desc_create(&desc, weight->from, engine, weight->to, engine,
						    NULL);
	if (!status)
		status = dnnl_primitive_create(&primitive, desc);
	if (!status)
		status = dnnl_memory_create(&from, weight->from, engine,
					    (void *)(uintptr_t)weight->source);
	if (!status)
		status = dnnl_memory_create(&to, weight->to, engine, weight->data);
	if (!status) {
		dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};

		status = dnnl_primitive_execute(primitive, stream, 2, args);
	}
	if (!status)
		status = dnnl_stream_wait(stream);
	dnnl_memory_destroy(to);
	dnnl_memory_destroy(from);
	dnnl_primitive_destroy(primitive);
	dnnl_primitive_desc_destroy(desc);
	return !fvsr_onednn_failed(queue, status, "weights cannot be reordered");
}

static void free_weight(struct fvsr_device *device, struct fvsr_onednn_weight *weight)
{
	fvsr_onednn_layout_free(weight->from);
	fvsr_onednn_layout_free(weight->to);
	fvsr_cpu_free(device, weight->data);
	free(weight);
}

static struct fvsr_onednn_weight *new_weight(struct fvsr_queue *queue, const void *source,
					     fvsr_onednn_const_layout from,
					     fvsr_onednn_const_layout to)
{
	struct fvsr_onednn_weight *weight = calloc(1, sizeof(*weight));

	if (!weight) {
		fvsr_queue_fail(queue, FVSR_ERR_MEMORY, "out of memory");
		return NULL;
	}
	weight->source = source;
	weight->data = fvsr_cpu_alloc(queue->device, dnnl_memory_desc_get_size(to));
	if (!weight->data || fvsr_onednn_layout_copy(&weight->from, from) ||
	    fvsr_onednn_layout_copy(&weight->to, to))
		fvsr_queue_fail(queue, FVSR_ERR_MEMORY, "out of memory");
	else if (reorder(queue, weight))
		return weight;
	free_weight(queue->device, weight);
	return NULL;
}

const void *fvsr_onednn_weight_in_layout(struct fvsr_queue *queue, const void *source,
					 fvsr_onednn_const_layout from, fvsr_onednn_const_layout to)
{
	struct fvsr_onednn_device *device = fvsr_onednn_device(queue);
	struct fvsr_onednn_weight *weight;

	if (dnnl_memory_desc_equal(from, to))
		return source;
	pthread_mutex_lock(&device->weights_lock);
	for (weight = device->weights; weight; weight = weight->next)
		if (weight->source == source && dnnl_memory_desc_equal(weight->from, from) &&
		    dnnl_memory_desc_equal(weight->to, to))
			break;
	if (!weight) {
		weight = new_weight(queue, source, from, to);
		if (weight) {
			weight->next = device->weights;
			device->weights = weight;
		}
	}
	pthread_mutex_unlock(&device->weights_lock);
	return weight ? weight->data : NULL;
}

void fvsr_onednn_weights_forget(struct fvsr_onednn_device *device, const void *memory, size_t bytes)
{
	struct fvsr_onednn_weight **link = &device->weights;

	pthread_mutex_lock(&device->weights_lock);
	while (*link) {
		struct fvsr_onednn_weight *weight = *link;

		if ((uintptr_t)weight->source - (uintptr_t)memory >= bytes) {
			link = &weight->next;
			continue;
		}
		*link = weight->next;
		free_weight(&device->fast.cpu.base, weight);
	}
	pthread_mutex_unlock(&device->weights_lock);
}
