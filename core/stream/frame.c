/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A frame is pixels of the library's or of the caller's, and a tag that travels with them.
 */
#include "stream/frame.h"

#include <stdlib.h>
#include <string.h>

#define STRIDE_ALIGNMENT 64

int fvsr_frame_create(fvsr_frame **out, enum fvsr_format format, int width, int height)
{
	size_t planes = format == FVSR_FORMAT_RGBF32P ? 3 : 1, stride, bytes;
	fvsr_frame *frame;

	if (!out || width <= 0 || height <= 0 || format < FVSR_FORMAT_RGBA8 ||
	    format > FVSR_FORMAT_RGBF32P)
		return FVSR_ERR_ARGUMENT;
	stride = ((size_t)width * 4 + STRIDE_ALIGNMENT - 1) / STRIDE_ALIGNMENT * STRIDE_ALIGNMENT;
	if (!fvsr_mul_size(stride, (size_t)height * planes, &bytes))
		return FVSR_ERR_MEMORY;
	frame = calloc(1, sizeof(*frame));
	if (!frame || !(frame->own = calloc(1, bytes))) {
		free(frame);
		return FVSR_ERR_MEMORY;
	}
	frame->picture = (struct fvsr_picture){
		.format = format,
		.memory = FVSR_MEMORY_HOST,
		.width = width,
		.height = height,
		.stride = stride,
		.data = frame->own,
	};
	*out = frame;
	return 0;
}

int fvsr_frame_wrap(fvsr_frame **out, const struct fvsr_picture *picture)
{
	fvsr_frame *frame;

	if (!out || !picture)
		return FVSR_ERR_ARGUMENT;
	frame = calloc(1, sizeof(*frame));
	if (!frame)
		return FVSR_ERR_MEMORY;
	frame->picture = *picture;
	*out = frame;
	return 0;
}

int fvsr_frame_rewrap(fvsr_frame *frame, const struct fvsr_picture *picture)
{
	if (!frame || !picture || frame->own || frame->release)
		return FVSR_ERR_ARGUMENT;
	frame->picture = *picture;
	return 0;
}

int fvsr_frame_adopt(fvsr_frame **out, const struct fvsr_picture *picture,
		     void (*release)(void *opaque, const struct fvsr_picture *picture),
		     void *opaque)
{
	int result = release ? fvsr_frame_wrap(out, picture) : FVSR_ERR_ARGUMENT;

	if (result < 0)
		return result;
	(*out)->release = release;
	(*out)->opaque = opaque;
	return 0;
}

void fvsr_frame_destroy(fvsr_frame *frame)
{
	if (!frame)
		return;
	if (frame->release)
		frame->release(frame->opaque, &frame->picture);
	free(frame->own);
	free(frame);
}

const struct fvsr_picture *fvsr_frame_picture(const fvsr_frame *frame)
{
	return &frame->picture;
}

void fvsr_frame_set_tag(fvsr_frame *frame, int64_t tag)
{
	frame->tag = tag;
}

int64_t fvsr_frame_tag(const fvsr_frame *frame)
{
	return frame->tag;
}
