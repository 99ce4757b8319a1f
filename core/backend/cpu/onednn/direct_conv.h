/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One convolution by oneDNN, which the network's convolutions are made of.
 */
#ifndef FVSR_CPU_ONEDNN_DIRECT_CONV_H
#define FVSR_CPU_ONEDNN_DIRECT_CONV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fvsr_queue;

/* A square convolution, stride 1, NHWC, of one weight tensor of the network. */
struct fvsr_onednn_conv {
	const float *weight; /* (cout, size, size, cin) with the strides below, in elements */
	const float *bias;   /* NULL: none */
	int frames, h, w;    /* of the source */
	int cin, cout, size;
	int top, left, bottom, right; /* zeros around the source */
	int64_t stride_cout, stride_row, stride_column;
	bool sum, relu; /* dst = relu(dst + conv) */
	bool silu;      /* dst = silu(conv), instead */
	bool dry;       /* addresses are not known yet: only the scratch size matters */
};

/*
 * Prepares the convolution while the queue is planning, and computes it otherwise. 'offset' is how
 * many bytes of the queue's scratch the caller uses itself.
 */
void fvsr_onednn_direct_conv(struct fvsr_queue *queue, const struct fvsr_onednn_conv *conv,
			     float *dst, const float *src, size_t offset);

#endif
