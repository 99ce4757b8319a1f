/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scaling of frames to their canvas on its own, for verification and for callers that need
 * nothing else.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bicubic.h"
#include "base/common.h"

static bool valid_bytes(const struct fvsr_picture *p)
{
	return p && p->data && p->memory == FVSR_MEMORY_HOST && p->width > 0 && p->height > 0 &&
	       (p->format == FVSR_FORMAT_RGBA8 || p->format == FVSR_FORMAT_BGRA8) &&
	       p->stride >= (size_t)p->width * 4;
}

static void copy_rows(const struct fvsr_picture *dst, const uint8_t *src)
{
	size_t row = (size_t)dst->width * 4;

	for (int y = 0; y < dst->height; y++)
		memcpy((uint8_t *)dst->data + y * dst->stride, src + y * row, row);
}

int fvsr_bicubic(const struct fvsr_picture *src, const struct fvsr_picture *dst,
		 struct fvsr_error *err)
{
	struct fvsr_resize_axis horizontal = {0}, vertical = {0};
	uint8_t *scaled = NULL;
	size_t out_bytes;

	if (!valid_bytes(src) || !valid_bytes(dst) || src->format != dst->format)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "not two 8-bit pictures of one format");
	out_bytes = (size_t)dst->width * dst->height * 4;
	if (!fvsr_resize_axis_init(&horizontal, src->width, dst->width) &&
	    !fvsr_resize_axis_init(&vertical, src->height, dst->height))
		scaled = malloc(out_bytes + (size_t)dst->width * src->height * 4);
	if (scaled) {
		fvsr_resize_u8x4(scaled, scaled + out_bytes, src->data, src->stride, &horizontal,
				 &vertical, 1);
		copy_rows(dst, scaled);
	}
	fvsr_resize_axis_clear(&horizontal);
	fvsr_resize_axis_clear(&vertical);
	if (!scaled)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	free(scaled);
	return 0;
}
