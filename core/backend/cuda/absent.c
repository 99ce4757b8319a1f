/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The backend "cuda" of a build without CUDA: it is listed, with the reason, and never opened.
 */
#include <stdio.h>

#include "backend/backend.h"

static void describe(struct fvsr_backend_info *info)
{
	info->available = false;
	snprintf(info->reason, sizeof(info->reason), "built without CUDA");
}

static int device_open(struct fvsr_device **out, const struct fvsr_model_options *options,
		       struct fvsr_error *err)
{
	(void)out, (void)options;
	return fvsr_fail(err, FVSR_ERR_BACKEND, "built without CUDA");
}

const struct fvsr_backend fvsr_backend_cuda = {
	.name = "cuda",
	.act_bytes = 2,
	.canvas_bytes = 2,
	.describe = describe,
	.device_open = device_open,
};
