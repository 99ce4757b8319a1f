/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue's list of plans, and what is the same for plans of all operations; see plan.h.
 */
#include "backend/cpu/onednn/plan.h"

#include <stdlib.h>
#include <string.h>

enum { SRC, WEIGHT, BIAS, DST, SCRATCH };
_Static_assert(SCRATCH + 1 == FVSR_ONEDNN_MEMORIES, "one memory for each operand");

int fvsr_onednn_enter_threads(const struct fvsr_queue *queue)
{
	const struct fvsr_onednn_library *library = &fvsr_onednn_device(queue)->library;
	int before = library->get_max_threads ? library->get_max_threads() : 0;

	if (library->set_num_threads)
		library->set_num_threads(fvsr_cpu_threads(queue));
	return before;
}

void fvsr_onednn_leave_threads(const struct fvsr_queue *queue, int before)
{
	const struct fvsr_onednn_library *library = &fvsr_onednn_device(queue)->library;

	if (library->set_num_threads && before > 0)
		library->set_num_threads(before);
}

struct fvsr_onednn_plan *fvsr_onednn_plan_find(struct fvsr_queue *base,
					       const struct fvsr_onednn_key *key)
{
	struct fvsr_onednn_queue *queue = fvsr_onednn_queue(base);

	for (int i = 0; i < queue->count; i++)
		if (!memcmp(&queue->plans[i].key, key, sizeof(*key)))
			return &queue->plans[i];
	return NULL;
}

void fvsr_onednn_plans_free(struct fvsr_onednn_queue *queue)
{
	for (int i = 0; i < queue->count; i++) {
		for (int j = 0; j < FVSR_ONEDNN_MEMORIES; j++)
			dnnl_memory_destroy(queue->plans[i].memory[j]);
		dnnl_primitive_destroy(queue->plans[i].primitive);
	}
	free(queue->plans);
	queue->plans = NULL;
	queue->count = queue->capacity = 0;
}

dnnl_status_t fvsr_onednn_attributes(dnnl_primitive_attr_t *out, bool sum, bool sum_first,
				     dnnl_alg_kind_t algorithm, float alpha)
{
	dnnl_post_ops_t ops = NULL;
	dnnl_status_t status = dnnl_primitive_attr_create(out);

	if (!status)
		status = dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user);
	if (!status)
		status = dnnl_post_ops_create(&ops);
	if (!status && sum && sum_first)
		status = fvsr_onednn_append_sum(ops);
	if (!status && algorithm != dnnl_alg_kind_undef)
		status = fvsr_onednn_append_eltwise(ops, algorithm, alpha);
	if (!status && sum && !sum_first)
		status = fvsr_onednn_append_sum(ops);
	if (!status)
		status = dnnl_primitive_attr_set_post_ops(*out, ops);
	dnnl_post_ops_destroy(ops);
	return status;
}

size_t fvsr_onednn_scratch_of(dnnl_primitive_desc_t desc)
{
	return dnnl_memory_desc_get_size(
		dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0));
}

static dnnl_status_t make_memory(struct fvsr_onednn_plan *plan, dnnl_primitive_desc_t desc,
				 dnnl_engine_t engine)
{
	static const struct {
		dnnl_query_t what;
		int index;
	} queries[FVSR_ONEDNN_MEMORIES] = {
		[SRC] = {dnnl_query_src_md, 0},
		[WEIGHT] = {dnnl_query_weights_md, 0},
		[BIAS] = {dnnl_query_weights_md, 1},
		[DST] = {dnnl_query_dst_md, 0},
		[SCRATCH] = {dnnl_query_scratchpad_md, 0},
	};
	dnnl_status_t status = dnnl_success;

	plan->scratch_bytes = fvsr_onednn_scratch_of(desc);
	for (int i = 0; i < FVSR_ONEDNN_MEMORIES && !status; i++) {
		fvsr_onednn_const_layout md =
			dnnl_primitive_desc_query_md(desc, queries[i].what, queries[i].index);

		if (i == BIAS && !plan->key.bias)
			continue;
		status = dnnl_memory_create(&plan->memory[i], md, engine, DNNL_MEMORY_NONE);
	}
	return status;
}

/* Completes a plan from oneDNN's description of the operation. */
static void make_primitive(struct fvsr_queue *queue, struct fvsr_onednn_plan *plan,
			   dnnl_primitive_desc_t desc)
{
	dnnl_status_t status = dnnl_primitive_create(&plan->primitive, desc);

	if (!status)
		status = make_memory(plan, desc, fvsr_onednn_device(queue)->engine);
	fvsr_onednn_failed(queue, status, "a primitive cannot be made");
}

static struct fvsr_onednn_plan *new_plan(struct fvsr_queue *base, const struct fvsr_onednn_key *key)
{
	struct fvsr_onednn_queue *queue = fvsr_onednn_queue(base);
	struct fvsr_onednn_plan *plan;

	if (queue->count == queue->capacity) {
		int capacity = queue->capacity ? 2 * queue->capacity : 32;

		plan = realloc(queue->plans, (size_t)capacity * sizeof(*plan));
		if (!plan) {
			fvsr_queue_fail(base, FVSR_ERR_MEMORY, "out of memory");
			return NULL;
		}
		queue->plans = plan;
		queue->capacity = capacity;
	}
	plan = &queue->plans[queue->count++];
	memset(plan, 0, sizeof(*plan));
	plan->key = *key;
	return plan;
}

struct fvsr_onednn_plan *fvsr_onednn_plan_add(struct fvsr_queue *queue,
					      const struct fvsr_onednn_key *key,
					      dnnl_primitive_desc_t desc)
{
	struct fvsr_onednn_plan *plan = new_plan(queue, key);

	if (plan)
		make_primitive(queue, plan, desc);
	return queue->error ? NULL : plan;
}

const struct fvsr_onednn_plan *fvsr_onednn_plan_to_run(struct fvsr_queue *queue,
						       const struct fvsr_onednn_key *key)
{
	const struct fvsr_onednn_plan *plan;

	if (fvsr_queue_idle(queue))
		return NULL;
	plan = fvsr_onednn_plan_find(queue, key);
	if (!plan)
		fvsr_queue_fail(queue, FVSR_ERR_BACKEND, "an operation was not planned");
	return plan;
}

void fvsr_onednn_execute(struct fvsr_queue *queue, const struct fvsr_onednn_plan *plan,
			 const struct fvsr_onednn_call *call)
{
	static const int names[FVSR_ONEDNN_MEMORIES] = {
		[SRC] = DNNL_ARG_SRC, [WEIGHT] = DNNL_ARG_WEIGHTS,     [BIAS] = DNNL_ARG_BIAS,
		[DST] = DNNL_ARG_DST, [SCRATCH] = DNNL_ARG_SCRATCHPAD,
	};
	const void *handles[FVSR_ONEDNN_MEMORIES] = {
		[SRC] = call->src,
		[WEIGHT] = call->weight,
		[BIAS] = call->bias,
		[DST] = call->dst,
		[SCRATCH] = (char *)queue->scratch + call->scratch_offset,
	};
	dnnl_stream_t stream = fvsr_onednn_queue(queue)->stream;
	dnnl_exec_arg_t args[FVSR_ONEDNN_MEMORIES];
	dnnl_status_t status = dnnl_success;
	int count = 0, before;

	for (int i = 0; i < FVSR_ONEDNN_MEMORIES && !status; i++) {
		if (!plan->memory[i] || (i == SCRATCH && !plan->scratch_bytes))
			continue;
		args[count++] = (dnnl_exec_arg_t){names[i], plan->memory[i]};
		status =
			dnnl_memory_set_data_handle(plan->memory[i], (void *)(uintptr_t)handles[i]);
	}
	before = fvsr_onednn_enter_threads(queue);
	if (!status)
		status = dnnl_primitive_execute(plan->primitive, stream, count, args);
	if (!status)
		status = dnnl_stream_wait(stream);
	fvsr_onednn_leave_threads(queue, before);
	fvsr_onednn_failed(queue, status, "a primitive failed");
}
