/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The calls in which versions 2 and 3 of oneDNN differ, in one form for both. Version 3 makes
 * descriptions of memory opaque objects, has none of operations, and knows no scale of activations.
 */
#ifndef FVSR_CPU_ONEDNN_VERSION_H
#define FVSR_CPU_ONEDNN_VERSION_H

#include <dnnl.h>

/* The shape and layout of a tensor of float32, to be freed; a constant one is oneDNN's own. */
#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t fvsr_onednn_layout;
typedef const_dnnl_memory_desc_t fvsr_onednn_const_layout;
#else
typedef dnnl_memory_desc_t *fvsr_onednn_layout;
typedef const dnnl_memory_desc_t *fvsr_onednn_const_layout;
#endif

/* These three leave NULL in *out when they fail. */
dnnl_status_t fvsr_onednn_layout_by_tag(fvsr_onednn_layout *out, int count, const dnnl_dims_t dims,
					dnnl_format_tag_t tag);
dnnl_status_t fvsr_onednn_layout_by_strides(fvsr_onednn_layout *out, int count,
					    const dnnl_dims_t dims, const dnnl_dims_t strides);
dnnl_status_t fvsr_onednn_layout_copy(fvsr_onednn_layout *out, fvsr_onednn_const_layout layout);
void fvsr_onednn_layout_free(fvsr_onednn_layout layout);

dnnl_status_t fvsr_onednn_append_sum(dnnl_post_ops_t ops);
dnnl_status_t fvsr_onednn_append_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t algorithm,
					 float alpha);

/* Operands of an operation; 'bias' may be NULL. */
struct fvsr_onednn_operands {
	fvsr_onednn_layout src, weight, bias, dst;
};

void fvsr_onednn_operands_free(struct fvsr_onednn_operands *operands);
/* Describes an operation; of a convolution the stride is 1, with zeros around the source. */
dnnl_status_t fvsr_onednn_conv_desc(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
				    const struct fvsr_onednn_operands *operands,
				    const dnnl_dims_t begin, const dnnl_dims_t end,
				    dnnl_primitive_attr_t attributes);
dnnl_status_t fvsr_onednn_matmul_desc(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
				      const struct fvsr_onednn_operands *operands,
				      dnnl_primitive_attr_t attributes);

#endif
