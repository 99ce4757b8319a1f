/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Convolutions by oneDNN: the direct algorithm, planned once for each shape and weight.
 */
#include "backend/cpu/onednn/direct_conv.h"

#include <string.h>

#include "backend/cpu/onednn/plan.h"
#include "backend/cpu/onednn/weights.h"

static dnnl_alg_kind_t activation_of(const struct fvsr_onednn_conv *c)
{
	return c->silu ? dnnl_eltwise_swish : c->relu ? dnnl_eltwise_relu : dnnl_alg_kind_undef;
}

static struct fvsr_onednn_key conv_key(const struct fvsr_onednn_conv *c)
{
	struct fvsr_onednn_key key;

	memset(&key, 0, sizeof(key));
	key.weight = c->weight;
	key.operation = FVSR_ONEDNN_CONV;
	key.shape[0] = c->frames;
	key.shape[1] = c->h;
	key.shape[2] = c->w;
	key.shape[3] = c->cin;
	key.shape[4] = c->cout;
	key.shape[5] = c->size;
	key.border[0] = c->top;
	key.border[1] = c->left;
	key.border[2] = c->bottom;
	key.border[3] = c->right;
	key.bias = c->bias != NULL;
	key.sum = c->sum;
	key.after = (int)activation_of(c);
	return key;
}

/* Describes the operands; 'source' becomes the layout that the weights have, not what is wanted. */
static dnnl_status_t describe_conv(struct fvsr_onednn_operands *out, fvsr_onednn_layout *source,
				   const struct fvsr_onednn_conv *c)
{
	int height = c->h + c->top + c->bottom - c->size + 1;
	int width = c->w + c->left + c->right - c->size + 1;
	dnnl_dims_t src = {c->frames, c->cin, c->h, c->w};
	dnnl_dims_t dst = {c->frames, c->cout, height, width};
	dnnl_dims_t weight = {c->cout, c->cin, c->size, c->size}, bias = {c->cout};
	dnnl_dims_t weight_strides = {c->stride_cout, 1, c->stride_row, c->stride_column};
	dnnl_status_t status = fvsr_onednn_layout_by_tag(&out->src, 4, src, dnnl_nhwc);

	if (!status)
		status = fvsr_onednn_layout_by_tag(&out->dst, 4, dst, dnnl_nhwc);
	if (!status)
		status = fvsr_onednn_layout_by_tag(&out->weight, 4, weight, dnnl_format_tag_any);
	if (!status)
		status = fvsr_onednn_layout_by_strides(source, 4, weight, weight_strides);
	if (!status && c->bias)
		status = fvsr_onednn_layout_by_tag(&out->bias, 1, bias, dnnl_a);
	return status;
}

/* Describes the operation; NULL on failure. Otherwise the caller frees 'source' as well. */
static dnnl_primitive_desc_t conv_desc(struct fvsr_queue *queue, const struct fvsr_onednn_key *key,
				       const struct fvsr_onednn_conv *c, fvsr_onednn_layout *source)
{
	dnnl_dims_t begin = {c->top, c->left}, end = {c->bottom, c->right};
	struct fvsr_onednn_operands operands = {0};
	dnnl_primitive_attr_t attributes = NULL;
	dnnl_primitive_desc_t desc = NULL;
	dnnl_status_t status;

	*source = NULL;
	status = describe_conv(&operands, source, c);
	if (!status)
		status = fvsr_onednn_attributes(&attributes, key->sum, true, activation_of(c),
						c->silu);
	if (!status)
		status = fvsr_onednn_conv_desc(&desc, fvsr_onednn_device(queue)->engine, &operands,
					       begin, end, attributes);
	if (fvsr_onednn_failed(queue, status, "there is no such convolution")) {
		fvsr_onednn_layout_free(*source);
		desc = NULL;
	}
	fvsr_onednn_operands_free(&operands);
	dnnl_primitive_attr_destroy(attributes);
	return desc;
}

static void plan_conv(struct fvsr_queue *queue, struct fvsr_onednn_key *key,
		      const struct fvsr_onednn_conv *c, size_t offset)
{
	struct fvsr_onednn_plan *plan = fvsr_onednn_plan_find(queue, key);
	fvsr_onednn_layout source;
	dnnl_primitive_desc_t desc;

	if (plan) {
		fvsr_queue_scratch(queue, offset + plan->scratch_bytes);
		return;
	}
	desc = conv_desc(queue, key, c, &source);
	if (!desc)
		return;
	fvsr_queue_scratch(queue, offset + fvsr_onednn_scratch_of(desc));
	plan = c->dry ? NULL : fvsr_onednn_plan_add(queue, key, desc);
	if (plan)
		plan->weight = fvsr_onednn_weight_in_layout(
			queue, c->weight, source,
			dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0));
	dnnl_primitive_desc_destroy(desc);
	fvsr_onednn_layout_free(source);
	if (c->dry && !key->sum) {
		key->sum = true;
		plan_conv(queue, key, c, offset);
	}
}

void fvsr_onednn_direct_conv(struct fvsr_queue *queue, const struct fvsr_onednn_conv *conv,
			     float *dst, const float *src, size_t offset)
{
	struct fvsr_onednn_key key = conv_key(conv);
	const struct fvsr_onednn_plan *plan;

	if (queue->planning && !queue->error) {
		int before = fvsr_onednn_enter_threads(queue);

		plan_conv(queue, &key, conv, fvsr_cpu_aligned(offset));
		fvsr_onednn_leave_threads(queue, before);
	}
	plan = fvsr_onednn_plan_to_run(queue, &key);
	if (plan)
		fvsr_onednn_execute(queue, plan,
				    &(struct fvsr_onednn_call){
					    .src = src,
					    .weight = plan->weight,
					    .bias = conv->bias,
					    .dst = dst,
					    .scratch_offset = fvsr_cpu_aligned(offset),
				    });
}
