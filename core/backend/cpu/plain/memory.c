/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ops that move memory. Host memory is all that the CPU backends have, so every copy is one and the
 * same, and is done when it returns.
 */
#include "backend/cpu/plain/plain.h"

#include <string.h>

void fvsr_plain_copy(struct fvsr_queue *queue, void *dst, const void *src, size_t bytes)
{
	if (!fvsr_queue_idle(queue))
		memcpy(dst, src, bytes);
}

void fvsr_plain_zero(struct fvsr_queue *queue, void *dst, size_t bytes)
{
	if (!fvsr_queue_idle(queue))
		memset(dst, 0, bytes);
}

void fvsr_plain_offload(struct fvsr_queue *queue, void *host, const void *src, size_t bytes)
{
	fvsr_plain_copy(queue, host, src, bytes);
}

void fvsr_plain_reload(struct fvsr_queue *queue, void *dst, const void *host, size_t bytes)
{
	fvsr_plain_copy(queue, dst, host, bytes);
}

/* Has nothing to wait for. */
void fvsr_plain_join(struct fvsr_queue *queue)
{
	(void)queue;
}

void fvsr_plain_emit(struct fvsr_queue *queue, const struct fvsr_picture *dst, const void *src)
{
	bool planar = dst->format == FVSR_FORMAT_RGBF32P;
	size_t row = (size_t)dst->width * 4;
	size_t rows = (size_t)dst->height * (planar ? 3 : 1);

	if (fvsr_queue_idle(queue))
		return;
	if (dst->memory != FVSR_MEMORY_HOST) {
		fvsr_queue_fail(queue, FVSR_ERR_UNSUPPORTED,
				"the CPU backends take frames in host memory only");
		return;
	}
	for (size_t y = 0; y < rows; y++)
		memcpy((char *)dst->data + y * dst->stride, (const char *)src + y * row, row);
}
