/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Matrix products by oneDNN, with bias, activation and residual in one pass over the result
 * (section 5).
 */
#include <string.h>

#include "backend/cpu/onednn/plan.h"

static struct fvsr_onednn_key linear_key(const struct fvsr_linear *a)
{
	struct fvsr_onednn_key key;

	memset(&key, 0, sizeof(key));
	key.operation = FVSR_ONEDNN_LINEAR;
	key.shape[0] = a->m;
	key.shape[1] = a->n;
	key.shape[2] = a->k;
	key.bias = 1;
	key.sum = a->residual != NULL;
	key.after = (int)a->activation;
	return key;
}

static dnnl_status_t describe_linear(struct fvsr_onednn_operands *out, const struct fvsr_linear *a)
{
	dnnl_dims_t x = {a->m, a->k}, weight = {a->k, a->n}, y = {a->m, a->n}, bias = {1, a->n};
	dnnl_status_t status = fvsr_onednn_layout_by_tag(&out->src, 2, x, dnnl_ab);

	if (!status)
		status = fvsr_onednn_layout_by_tag(&out->weight, 2, weight, dnnl_ba);
	if (!status)
		status = fvsr_onednn_layout_by_tag(&out->dst, 2, y, dnnl_ab);
	if (!status)
		status = fvsr_onednn_layout_by_tag(&out->bias, 2, bias, dnnl_ab);
	return status;
}

static dnnl_primitive_desc_t linear_desc(struct fvsr_queue *queue,
					 const struct fvsr_onednn_key *key,
					 const struct fvsr_linear *a)
{
	static const dnnl_alg_kind_t algorithms[] = {
		[FVSR_ACT_NONE] = dnnl_alg_kind_undef,
		[FVSR_ACT_SILU] = dnnl_eltwise_swish,
		[FVSR_ACT_GELU_TANH] = dnnl_eltwise_gelu_tanh,
	};
	struct fvsr_onednn_operands operands = {0};
	dnnl_primitive_attr_t attributes = NULL;
	dnnl_primitive_desc_t desc = NULL;
	dnnl_status_t status = describe_linear(&operands, a);

	if (!status)
		status = fvsr_onednn_attributes(&attributes, key->sum, false,
						algorithms[a->activation], 1);
	if (!status)
		status = fvsr_onednn_matmul_desc(&desc, fvsr_onednn_device(queue)->engine,
						 &operands, attributes);
	fvsr_onednn_failed(queue, status, "there is no such matrix product");
	fvsr_onednn_operands_free(&operands);
	dnnl_primitive_attr_destroy(attributes);
	return desc;
}

static void plan_linear(struct fvsr_queue *queue, struct fvsr_onednn_key *key,
			const struct fvsr_linear *a)
{
	struct fvsr_onednn_plan *plan = fvsr_onednn_plan_find(queue, key);
	dnnl_primitive_desc_t desc;

	if (plan) {
		fvsr_queue_scratch(queue, plan->scratch_bytes);
		return;
	}
	desc = linear_desc(queue, key, a);
	if (!desc)
		return;
	fvsr_queue_scratch(queue, fvsr_onednn_scratch_of(desc));
	if (a->y)
		fvsr_onednn_plan_add(queue, key, desc);
	dnnl_primitive_desc_destroy(desc);
	if (!a->y && !key->sum) {
		key->sum = true;
		plan_linear(queue, key, a);
	}
}

void fvsr_onednn_linear(struct fvsr_queue *queue, const struct fvsr_linear *a)
{
	struct fvsr_onednn_key key = linear_key(a);
	const struct fvsr_onednn_plan *plan;

	/* The product is added to what is in y. */
	if (!fvsr_queue_idle(queue) && a->residual && a->residual != a->y)
		fvsr_cpu_parallel_copy(queue, a->y, a->residual,
				       (size_t)a->m * a->n * sizeof(float));
	if (queue->planning && !queue->error) {
		int before = fvsr_onednn_enter_threads(queue);

		plan_linear(queue, &key, a);
		fvsr_onednn_leave_threads(queue, before);
	}
	plan = fvsr_onednn_plan_to_run(queue, &key);
	if (plan)
		fvsr_onednn_execute(queue, plan,
				    &(struct fvsr_onednn_call){
					    .src = a->x,
					    .weight = a->weight,
					    .bias = a->bias,
					    .dst = a->y,
				    });
}
