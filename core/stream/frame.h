/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of a frame handle, which streams look into and callers do not.
 */
#ifndef FVSR_STREAM_FRAME_H
#define FVSR_STREAM_FRAME_H

#include "base/common.h"

struct fvsr_frame {
	struct fvsr_picture picture;
	int64_t tag;
	void *own; /* memory of the frame's own, or NULL */
	void (*release)(void *opaque, const struct fvsr_picture *picture); /* or NULL */
	void *opaque;
};

#endif
