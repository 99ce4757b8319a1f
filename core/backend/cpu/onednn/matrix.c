/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Matrix products with bias, activation and residual in one pass over the result (section 5).
 */
#include "backend/cpu/onednn/onednn.h"

#include <string.h>

void fvsr_dnnl_copy(struct fvsr_queue *queue, void *dst, const void *src, size_t bytes)
{
	const size_t part = 1 << 16;

#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (size_t at = 0; at < bytes; at += part)
		memcpy((char *)dst + at, (const char *)src + at,
		       bytes - at < part ? bytes - at : part);
}

void fvsr_onednn_linear(struct fvsr_queue *queue, const struct fvsr_linear *a)
{
	/* oneDNN adds to what is there */
	if (!fvsr_queue_idle(queue) && a->residual && a->residual != a->y)
		fvsr_dnnl_copy(queue, a->y, a->residual, (size_t)a->m * a->n * sizeof(float));
	fvsr_dnnl_run_linear(queue, a);
}
