/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same calls for versions 2 and 3 of oneDNN; its header says which one it is.
 */
#include "backend/cpu/onednn/version.h"

#include <stdlib.h>

static const dnnl_dims_t step = {1, 1};

void fvsr_onednn_operands_free(struct fvsr_onednn_operands *operands)
{
	fvsr_onednn_layout_free(operands->src);
	fvsr_onednn_layout_free(operands->weight);
	fvsr_onednn_layout_free(operands->bias);
	fvsr_onednn_layout_free(operands->dst);
}

#if DNNL_VERSION_MAJOR >= 3

dnnl_status_t fvsr_onednn_layout_by_tag(fvsr_onednn_layout *out, int count, const dnnl_dims_t dims,
					dnnl_format_tag_t tag)
{
	*out = NULL;
	return dnnl_memory_desc_create_with_tag(out, count, dims, dnnl_f32, tag);
}

dnnl_status_t fvsr_onednn_layout_by_strides(fvsr_onednn_layout *out, int count,
					    const dnnl_dims_t dims, const dnnl_dims_t strides)
{
	*out = NULL;
	return dnnl_memory_desc_create_with_strides(out, count, dims, dnnl_f32, strides);
}

dnnl_status_t fvsr_onednn_layout_copy(fvsr_onednn_layout *out, fvsr_onednn_const_layout layout)
{
	*out = NULL;
	return dnnl_memory_desc_clone(out, layout);
}

void fvsr_onednn_layout_free(fvsr_onednn_layout layout)
{
	if (layout)
		dnnl_memory_desc_destroy(layout);
}

dnnl_status_t fvsr_onednn_append_sum(dnnl_post_ops_t ops)
{
	return dnnl_post_ops_append_sum(ops, 1, 0, dnnl_data_type_undef);
}

dnnl_status_t fvsr_onednn_append_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t algorithm,
					 float alpha)
{
	return dnnl_post_ops_append_eltwise(ops, algorithm, alpha, 0);
}

dnnl_status_t fvsr_onednn_conv_desc(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
				    const struct fvsr_onednn_operands *operands,
				    const dnnl_dims_t begin, const dnnl_dims_t end,
				    dnnl_primitive_attr_t attributes)
{
	return dnnl_convolution_forward_primitive_desc_create(
		out, engine, dnnl_forward_inference, dnnl_convolution_direct, operands->src,
		operands->weight, operands->bias, operands->dst, step, NULL, begin, end,
		attributes);
}

dnnl_status_t fvsr_onednn_matmul_desc(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
				      const struct fvsr_onednn_operands *operands,
				      dnnl_primitive_attr_t attributes)
{
	return dnnl_matmul_primitive_desc_create(out, engine, operands->src, operands->weight,
						 operands->bias, operands->dst, attributes);
}

#else

/* Makes *out of a layout if filling it went well, else frees it; returns the status. */
static dnnl_status_t keep(fvsr_onednn_layout *out, fvsr_onednn_layout layout, dnnl_status_t status)
{
	if (status) {
		free(layout);
		layout = NULL;
	}
	*out = layout;
	return status;
}

dnnl_status_t fvsr_onednn_layout_by_tag(fvsr_onednn_layout *out, int count, const dnnl_dims_t dims,
					dnnl_format_tag_t tag)
{
	fvsr_onednn_layout layout = malloc(sizeof(*layout));

	return keep(out, layout,
		    layout ? dnnl_memory_desc_init_by_tag(layout, count, dims, dnnl_f32, tag)
			   : dnnl_out_of_memory);
}

dnnl_status_t fvsr_onednn_layout_by_strides(fvsr_onednn_layout *out, int count,
					    const dnnl_dims_t dims, const dnnl_dims_t strides)
{
	fvsr_onednn_layout layout = malloc(sizeof(*layout));

	return keep(
		out, layout,
		layout ? dnnl_memory_desc_init_by_strides(layout, count, dims, dnnl_f32, strides)
		       : dnnl_out_of_memory);
}

dnnl_status_t fvsr_onednn_layout_copy(fvsr_onednn_layout *out, fvsr_onednn_const_layout layout)
{
	*out = malloc(sizeof(**out));
	if (!*out)
		return dnnl_out_of_memory;
	**out = *layout;
	return dnnl_success;
}

void fvsr_onednn_layout_free(fvsr_onednn_layout layout)
{
	free(layout);
}

dnnl_status_t fvsr_onednn_append_sum(dnnl_post_ops_t ops)
{
	return dnnl_post_ops_append_sum(ops, 1);
}

dnnl_status_t fvsr_onednn_append_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t algorithm,
					 float alpha)
{
	return dnnl_post_ops_append_eltwise(ops, 1, algorithm, alpha, 0);
}

dnnl_status_t fvsr_onednn_conv_desc(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
				    const struct fvsr_onednn_operands *operands,
				    const dnnl_dims_t begin, const dnnl_dims_t end,
				    dnnl_primitive_attr_t attributes)
{
	dnnl_convolution_desc_t operation;
	dnnl_status_t status;

	status = dnnl_convolution_forward_desc_init(
		&operation, dnnl_forward_inference, dnnl_convolution_direct, operands->src,
		operands->weight, operands->bias, operands->dst, step, begin, end);
	if (!status)
		status = dnnl_primitive_desc_create(out, &operation, attributes, engine, NULL);
	return status;
}

dnnl_status_t fvsr_onednn_matmul_desc(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
				      const struct fvsr_onednn_operands *operands,
				      dnnl_primitive_attr_t attributes)
{
	dnnl_matmul_desc_t operation;
	dnnl_status_t status;

	status = dnnl_matmul_desc_init(&operation, operands->src, operands->weight, operands->bias,
				       operands->dst);
	if (!status)
		status = dnnl_primitive_desc_create(out, &operation, attributes, engine, NULL);
	return status;
}

#endif
