/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * oneDNN's objects and their lives. Making a primitive takes milliseconds (code is generated for
 * its shape), so planning makes one for every call that the network will do and calls find it
 * again by shape and weight. Convolutions want their weights in blocks of the vector width: a
 * copy in that layout is made once and shared by all queues of a device. Matrix products take
 * theirs as they are, which is as fast and does not double the memory of large models.
 *
 * When addresses are not known yet, planning only finds out the size of scratch memory. Optional
 * operands look missing then, so it is the larger of both possibilities.
 */
#include "backend/cpu/onednn/onednn.h"

#include "backend/cpu/fast/winograd.h"

#include <stdlib.h>
#include <string.h>

/* Identifies a plan; zeroed before it is filled, so that it can be compared as bytes. */
struct plan_key {
	const void *weight; /* NULL for matrix products: any */
	int shape[8];
	int border[4];
	int bias, sum, after;
};

enum plan_memory { SRC, WEIGHT, BIAS, DST, SCRATCH, MEMORIES };

struct fvsr_dnnl_plan {
	struct plan_key key;
	dnnl_primitive_t primitive;
	dnnl_memory_t memory[MEMORIES];
	const void *weight; /* in the primitive's layout; NULL for matrix products */
	size_t scratch_bytes;
};

struct fvsr_dnnl_weight {
	struct fvsr_dnnl_weight *next;
	const void *source;
	fvsr_dnnl_layout from, to;
	void *data;
};

/* oneDNN takes the number of threads from the calling thread, which is not ours to change. */
static int enter_threads(const struct fvsr_queue *queue)
{
	const struct fvsr_dnnl_library *library = &fvsr_dnnl_device(queue)->library;
	int before = library->get_max_threads ? library->get_max_threads() : 0;

	if (library->set_num_threads)
		library->set_num_threads(fvsr_cpu_threads(queue));
	return before;
}

static void leave_threads(const struct fvsr_queue *queue, int before)
{
	const struct fvsr_dnnl_library *library = &fvsr_dnnl_device(queue)->library;

	if (library->set_num_threads && before > 0)
		library->set_num_threads(before);
}

static bool failed(struct fvsr_queue *queue, dnnl_status_t status, const char *what)
{
	if (status == dnnl_success)
		return false;
	if (status == dnnl_out_of_memory)
		fvsr_queue_fail(queue, FVSR_ERR_MEMORY, "out of memory");
	else
		fvsr_queue_fail(queue, FVSR_ERR_BACKEND, "oneDNN: %s (status %d)", what,
				(int)status);
	return true;
}

static void *handle_of(const void *address)
{
	return (void *)(uintptr_t)address;
}

/* ------------------------------------------------------------------------------------------- */
/* Weights                                                                                     */

static bool reorder(struct fvsr_queue *queue, struct fvsr_dnnl_weight *weight)
{
	dnnl_engine_t engine = fvsr_dnnl_device(queue)->engine;
	dnnl_stream_t stream = ((struct fvsr_dnnl_queue *)queue)->stream;
	dnnl_primitive_desc_t desc = NULL;
	dnnl_primitive_t primitive = NULL;
	dnnl_memory_t from = NULL, to = NULL;
	dnnl_status_t status;

	status = dnnl_reorder_primitive_desc_create(&desc, weight->from, engine, weight->to, engine,
						    NULL);
	if (!status)
		status = dnnl_primitive_create(&primitive, desc);
	if (!status)
		status = dnnl_memory_create(&from, weight->from, engine, handle_of(weight->source));
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
	return !failed(queue, status, "weights cannot be reordered");
}

static void free_weight(struct fvsr_device *device, struct fvsr_dnnl_weight *weight)
{
	fvsr_dnnl_layout_free(weight->from);
	fvsr_dnnl_layout_free(weight->to);
	fvsr_cpu_free(device, weight->data);
	free(weight);
}

static struct fvsr_dnnl_weight *new_weight(struct fvsr_queue *queue, const void *source,
					   fvsr_dnnl_const_layout from, fvsr_dnnl_const_layout to)
{
	struct fvsr_dnnl_weight *weight = calloc(1, sizeof(*weight));

	if (!weight) {
		fvsr_queue_fail(queue, FVSR_ERR_MEMORY, "out of memory");
		return NULL;
	}
	weight->source = source;
	weight->data = fvsr_cpu_alloc(queue->device, dnnl_memory_desc_get_size(to));
	if (!weight->data || fvsr_dnnl_layout_copy(&weight->from, from) ||
	    fvsr_dnnl_layout_copy(&weight->to, to))
		fvsr_queue_fail(queue, FVSR_ERR_MEMORY, "out of memory");
	else if (reorder(queue, weight))
		return weight;
	free_weight(queue->device, weight);
	return NULL;
}

/* The copy of 'source' in layout 'to', made if it is the first; NULL on failure. */
static const void *weight_in_layout(struct fvsr_queue *queue, const void *source,
				    fvsr_dnnl_const_layout from, fvsr_dnnl_const_layout to)
{
	struct fvsr_dnnl_device *device = fvsr_dnnl_device(queue);
	struct fvsr_dnnl_weight *weight;

	if (dnnl_memory_desc_equal(from, to))
		return source;
	pthread_mutex_lock(&device->lock);
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
	pthread_mutex_unlock(&device->lock);
	return weight ? weight->data : NULL;
}

/* Queues that planned with these weights are closed before: nobody else holds the copies. */
void fvsr_dnnl_forget(struct fvsr_device *base, const void *memory, size_t bytes)
{
	struct fvsr_dnnl_device *device = (struct fvsr_dnnl_device *)base;
	struct fvsr_dnnl_weight **link = &device->weights;

	pthread_mutex_lock(&device->lock);
	while (*link) {
		struct fvsr_dnnl_weight *weight = *link;

		if ((uintptr_t)weight->source - (uintptr_t)memory >= bytes) {
			link = &weight->next;
			continue;
		}
		*link = weight->next;
		free_weight(base, weight);
	}
	fvsr_winograd_forget(device, memory, bytes);
	pthread_mutex_unlock(&device->lock);
}

/* ------------------------------------------------------------------------------------------- */
/* Plans                                                                                       */

static struct fvsr_dnnl_plan *find_plan(struct fvsr_queue *base, const struct plan_key *key)
{
	struct fvsr_dnnl_queue *queue = (struct fvsr_dnnl_queue *)base;

	for (int i = 0; i < queue->count; i++)
		if (!memcmp(&queue->plans[i].key, key, sizeof(*key)))
			return &queue->plans[i];
	return NULL;
}

static struct fvsr_dnnl_plan *add_plan(struct fvsr_queue *base, const struct plan_key *key)
{
	struct fvsr_dnnl_queue *queue = (struct fvsr_dnnl_queue *)base;
	struct fvsr_dnnl_plan *plan;

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

void fvsr_dnnl_plans_free(struct fvsr_dnnl_queue *queue)
{
	for (int i = 0; i < queue->count; i++) {
		for (int j = 0; j < MEMORIES; j++)
			dnnl_memory_destroy(queue->plans[i].memory[j]);
		dnnl_primitive_destroy(queue->plans[i].primitive);
	}
	free(queue->plans);
	queue->plans = NULL;
	queue->count = queue->capacity = 0;
}

/* y = activation(..), then y += what was there, or the other way round. */
static dnnl_status_t make_attributes(dnnl_primitive_attr_t *out, bool sum, bool sum_first,
				     dnnl_alg_kind_t algorithm, float alpha)
{
	dnnl_post_ops_t ops = NULL;
	dnnl_status_t status = dnnl_primitive_attr_create(out);

	if (!status)
		status = dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user);
	if (!status)
		status = dnnl_post_ops_create(&ops);
	if (!status && sum && sum_first)
		status = fvsr_dnnl_append_sum(ops);
	if (!status && algorithm != dnnl_alg_kind_undef)
		status = fvsr_dnnl_append_eltwise(ops, algorithm, alpha);
	if (!status && sum && !sum_first)
		status = fvsr_dnnl_append_sum(ops);
	if (!status)
		status = dnnl_primitive_attr_set_post_ops(*out, ops);
	dnnl_post_ops_destroy(ops);
	return status;
}

static size_t scratch_of(dnnl_primitive_desc_t desc)
{
	return dnnl_memory_desc_get_size(
		dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0));
}

static dnnl_status_t make_memory(struct fvsr_dnnl_plan *plan, dnnl_primitive_desc_t desc,
				 dnnl_engine_t engine)
{
	static const struct {
		dnnl_query_t what;
		int index;
	} queries[MEMORIES] = {
		[SRC] = {dnnl_query_src_md, 0},
		[WEIGHT] = {dnnl_query_weights_md, 0},
		[BIAS] = {dnnl_query_weights_md, 1},
		[DST] = {dnnl_query_dst_md, 0},
		[SCRATCH] = {dnnl_query_scratchpad_md, 0},
	};
	dnnl_status_t status = dnnl_success;

	plan->scratch_bytes = scratch_of(desc);
	for (int i = 0; i < MEMORIES && !status; i++) {
		fvsr_dnnl_const_layout md =
			dnnl_primitive_desc_query_md(desc, queries[i].what, queries[i].index);

		if (i == BIAS && !plan->key.bias)
			continue;
		status = dnnl_memory_create(&plan->memory[i], md, engine, DNNL_MEMORY_NONE);
	}
	return status;
}

/* Completes a plan from oneDNN's description of the operation. */
static void make_primitive(struct fvsr_queue *queue, struct fvsr_dnnl_plan *plan,
			   dnnl_primitive_desc_t desc)
{
	dnnl_status_t status = dnnl_primitive_create(&plan->primitive, desc);

	if (!status)
		status = make_memory(plan, desc, fvsr_dnnl_device(queue)->engine);
	failed(queue, status, "a primitive cannot be made");
}

static void execute(struct fvsr_queue *queue, const struct fvsr_dnnl_plan *plan, void *dst,
		    const void *src, const void *weight, const void *bias, size_t offset)
{
	static const int names[MEMORIES] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS,
					    DNNL_ARG_DST, DNNL_ARG_SCRATCHPAD};
	const void *handles[MEMORIES] = {src, weight, bias, dst, (char *)queue->scratch + offset};
	dnnl_stream_t stream = ((struct fvsr_dnnl_queue *)queue)->stream;
	dnnl_exec_arg_t args[MEMORIES];
	dnnl_status_t status = dnnl_success;
	int count = 0, before;

	for (int i = 0; i < MEMORIES && !status; i++) {
		if (!plan->memory[i] || (i == SCRATCH && !plan->scratch_bytes))
			continue;
		args[count++] = (dnnl_exec_arg_t){names[i], plan->memory[i]};
		status = dnnl_memory_set_data_handle(plan->memory[i], handle_of(handles[i]));
	}
	before = enter_threads(queue);
	if (!status)
		status = dnnl_primitive_execute(plan->primitive, stream, count, args);
	if (!status)
		status = dnnl_stream_wait(stream);
	leave_threads(queue, before);
	failed(queue, status, "a primitive failed");
}

/* The plan of a call, or NULL when there is nothing to compute. */
static const struct fvsr_dnnl_plan *plan_to_run(struct fvsr_queue *queue,
						const struct plan_key *key)
{
	const struct fvsr_dnnl_plan *plan;

	if (fvsr_queue_idle(queue))
		return NULL;
	plan = find_plan(queue, key);
	if (!plan)
		fvsr_queue_fail(queue, FVSR_ERR_BACKEND, "an operation was not planned");
	return plan;
}

/* ------------------------------------------------------------------------------------------- */
/* Convolutions                                                                                */

static struct plan_key conv_key(const struct fvsr_dnnl_conv *c)
{
	struct plan_key key;

	memset(&key, 0, sizeof(key));
	key.weight = c->weight;
	key.shape[0] = 1;
	key.shape[1] = c->frames;
	key.shape[2] = c->h;
	key.shape[3] = c->w;
	key.shape[4] = c->cin;
	key.shape[5] = c->cout;
	key.shape[6] = c->size;
	key.border[0] = c->top;
	key.border[1] = c->left;
	key.border[2] = c->bottom;
	key.border[3] = c->right;
	key.bias = c->bias != NULL;
	key.sum = c->sum;
	key.after = c->relu;
	return key;
}

/* 'source' becomes the layout of the weights as they are; a primitive may want another one. */
static dnnl_status_t describe_conv(struct fvsr_dnnl_operands *out, fvsr_dnnl_layout *source,
				   const struct fvsr_dnnl_conv *c)
{
	int height = c->h + c->top + c->bottom - c->size + 1;
	int width = c->w + c->left + c->right - c->size + 1;
	dnnl_dims_t src = {c->frames, c->cin, c->h, c->w};
	dnnl_dims_t dst = {c->frames, c->cout, height, width};
	dnnl_dims_t weight = {c->cout, c->cin, c->size, c->size}, bias = {c->cout};
	dnnl_dims_t weight_strides = {c->stride_cout, 1, c->stride_row, c->stride_column};
	dnnl_status_t status = fvsr_dnnl_layout_by_tag(&out->src, 4, src, dnnl_nhwc);

	if (!status)
		status = fvsr_dnnl_layout_by_tag(&out->dst, 4, dst, dnnl_nhwc);
	if (!status)
		status = fvsr_dnnl_layout_by_tag(&out->weight, 4, weight, dnnl_format_tag_any);
	if (!status)
		status = fvsr_dnnl_layout_by_strides(source, 4, weight, weight_strides);
	if (!status && c->bias)
		status = fvsr_dnnl_layout_by_tag(&out->bias, 1, bias, dnnl_a);
	return status;
}

/* NULL on failure. Otherwise 'source' is to be freed, too. */
static dnnl_primitive_desc_t conv_desc(struct fvsr_queue *queue, const struct plan_key *key,
				       const struct fvsr_dnnl_conv *c, fvsr_dnnl_layout *source)
{
	dnnl_alg_kind_t algorithm = c->relu ? dnnl_eltwise_relu : dnnl_alg_kind_undef;
	dnnl_dims_t begin = {c->top, c->left}, end = {c->bottom, c->right};
	struct fvsr_dnnl_operands operands = {0};
	dnnl_primitive_attr_t attributes = NULL;
	dnnl_primitive_desc_t desc = NULL;
	dnnl_status_t status;

	*source = NULL;
	status = describe_conv(&operands, source, c);
	if (!status)
		status = make_attributes(&attributes, key->sum, true, algorithm, 0);
	if (!status)
		status = fvsr_dnnl_conv_desc(&desc, fvsr_dnnl_device(queue)->engine, &operands,
					     begin, end, attributes);
	if (failed(queue, status, "there is no such convolution")) {
		fvsr_dnnl_layout_free(*source);
		desc = NULL;
	}
	fvsr_dnnl_operands_free(&operands);
	dnnl_primitive_attr_destroy(attributes);
	return desc;
}

static void plan_conv(struct fvsr_queue *queue, struct plan_key *key,
		      const struct fvsr_dnnl_conv *c, size_t offset)
{
	struct fvsr_dnnl_plan *plan = find_plan(queue, key);
	fvsr_dnnl_layout source;
	dnnl_primitive_desc_t desc;

	if (plan) {
		fvsr_queue_scratch(queue, offset + plan->scratch_bytes);
		return;
	}
	desc = conv_desc(queue, key, c, &source);
	if (!desc)
		return;
	fvsr_queue_scratch(queue, offset + scratch_of(desc));
	plan = c->dry ? NULL : add_plan(queue, key);
	if (plan)
		make_primitive(queue, plan, desc);
	if (plan && !queue->error)
		plan->weight = weight_in_layout(
			queue, c->weight, source,
			dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0));
	dnnl_primitive_desc_destroy(desc);
	fvsr_dnnl_layout_free(source);
	if (c->dry && !key->sum) {
		key->sum = true;
		plan_conv(queue, key, c, offset);
	}
}

void fvsr_dnnl_run_conv(struct fvsr_queue *queue, const struct fvsr_dnnl_conv *conv, float *dst,
			const float *src, size_t offset)
{
	struct plan_key key = conv_key(conv);
	const struct fvsr_dnnl_plan *plan;

	if (queue->planning && !queue->error) {
		int before = enter_threads(queue);

		plan_conv(queue, &key, conv, fvsr_dnnl_aligned(offset));
		leave_threads(queue, before);
	}
	plan = plan_to_run(queue, &key);
	if (plan)
		execute(queue, plan, dst, src, plan->weight, conv->bias, fvsr_dnnl_aligned(offset));
}

/* ------------------------------------------------------------------------------------------- */
/* Matrix products                                                                             */

static struct plan_key linear_key(const struct fvsr_linear *a)
{
	struct plan_key key;

	memset(&key, 0, sizeof(key));
	key.shape[0] = 2;
	key.shape[1] = a->m;
	key.shape[2] = a->n;
	key.shape[3] = a->k;
	key.bias = 1;
	key.sum = a->residual != NULL;
	key.after = (int)a->activation;
	return key;
}

static dnnl_status_t describe_linear(struct fvsr_dnnl_operands *out, const struct fvsr_linear *a)
{
	dnnl_dims_t x = {a->m, a->k}, weight = {a->k, a->n}, y = {a->m, a->n}, bias = {1, a->n};
	dnnl_status_t status = fvsr_dnnl_layout_by_tag(&out->src, 2, x, dnnl_ab);

	if (!status)
		status = fvsr_dnnl_layout_by_tag(&out->weight, 2, weight, dnnl_ba);
	if (!status)
		status = fvsr_dnnl_layout_by_tag(&out->dst, 2, y, dnnl_ab);
	if (!status)
		status = fvsr_dnnl_layout_by_tag(&out->bias, 2, bias, dnnl_ab);
	return status;
}

static dnnl_primitive_desc_t linear_desc(struct fvsr_queue *queue, const struct plan_key *key,
					 const struct fvsr_linear *a)
{
	static const dnnl_alg_kind_t algorithms[] = {
		[FVSR_ACT_NONE] = dnnl_alg_kind_undef,
		[FVSR_ACT_SILU] = dnnl_eltwise_swish,
		[FVSR_ACT_GELU_TANH] = dnnl_eltwise_gelu_tanh,
	};
	struct fvsr_dnnl_operands operands = {0};
	dnnl_primitive_attr_t attributes = NULL;
	dnnl_primitive_desc_t desc = NULL;
	dnnl_status_t status = describe_linear(&operands, a);

	if (!status)
		status =
			make_attributes(&attributes, key->sum, false, algorithms[a->activation], 1);
	if (!status)
		status = fvsr_dnnl_matmul_desc(&desc, fvsr_dnnl_device(queue)->engine, &operands,
					       attributes);
	failed(queue, status, "there is no such matrix product");
	fvsr_dnnl_operands_free(&operands);
	dnnl_primitive_attr_destroy(attributes);
	return desc;
}

static void plan_linear(struct fvsr_queue *queue, struct plan_key *key, const struct fvsr_linear *a)
{
	struct fvsr_dnnl_plan *plan = find_plan(queue, key);
	dnnl_primitive_desc_t desc;

	if (plan) {
		fvsr_queue_scratch(queue, plan->scratch_bytes);
		return;
	}
	desc = linear_desc(queue, key, a);
	if (!desc)
		return;
	fvsr_queue_scratch(queue, scratch_of(desc));
	plan = a->y ? add_plan(queue, key) : NULL;
	if (plan)
		make_primitive(queue, plan, desc);
	dnnl_primitive_desc_destroy(desc);
	if (!a->y && !key->sum) {
		key->sum = true;
		plan_linear(queue, key, a);
	}
}

void fvsr_dnnl_run_linear(struct fvsr_queue *queue, const struct fvsr_linear *a)
{
	struct plan_key key = linear_key(a);
	const struct fvsr_dnnl_plan *plan;

	if (queue->planning && !queue->error) {
		int before = enter_threads(queue);

		plan_linear(queue, &key, a);
		leave_threads(queue, before);
	}
	plan = plan_to_run(queue, &key);
	if (plan)
		execute(queue, plan, a->y, a->x, a->weight, a->bias, 0);
}
