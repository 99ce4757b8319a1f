/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The backend "cuda": bfloat16 activations, float32 sums, everything enqueued on a stream.
 */
#include "backend/cuda/runtime/device.h"
#include "backend/cuda/ops/ops.h"

#define CUDA_OP(name, cpu) .name = fvsr_cuda_##name,
/* clang-format off */
const struct fvsr_backend fvsr_backend_cuda = {
	.name = "cuda",
	.act_bytes = 2,
	.canvas_bytes = 2,
	.describe = fvsr_cuda_describe,
	.device_open = fvsr_cuda_device_open,
	.device_close = fvsr_cuda_device_close,
	.alloc = fvsr_cuda_alloc,
	.free = fvsr_cuda_free,
	.host_alloc = fvsr_cuda_host_alloc,
	.host_free = fvsr_cuda_host_free,
	.free_bytes = fvsr_cuda_free_bytes,
	.upload = fvsr_cuda_upload,
	.forget = fvsr_cuda_forget,
	.queue_open = fvsr_cuda_queue_open,
	.queue_close = fvsr_cuda_queue_close,
	.finish = fvsr_cuda_finish,
	.stage = fvsr_cuda_stage,
	.download = fvsr_cuda_download,
	.wait_ingested = fvsr_cuda_wait_ingested,
	.wait_emitted = fvsr_cuda_wait_emitted,
	FVSR_OPS(CUDA_OP)
};
/* clang-format on */
