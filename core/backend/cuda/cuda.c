/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The backend "cuda": bfloat16 activations, float32 sums, everything enqueued on a stream.
 */
#include "backend/cuda/device.h"
#include "backend/cuda/ops.h"

const struct fvsr_backend fvsr_backend_cuda = {
	.name = "cuda",
	.act_bytes = 2,
	.canvas_bytes = 2,
	.describe = fvsr_cuda_describe,
	.device_open = fvsr_cuda_device_open,
	.device_close = fvsr_cuda_device_close,
	.alloc = fvsr_cuda_alloc,
	.free = fvsr_cuda_free,
	.upload = fvsr_cuda_upload,
	.forget = fvsr_cuda_forget,
	.queue_open = fvsr_cuda_queue_open,
	.queue_close = fvsr_cuda_queue_close,
	.finish = fvsr_cuda_finish,
	.stage = fvsr_cuda_stage,
	.download = fvsr_cuda_download,
	.copy = fvsr_cuda_copy,
	.zero = fvsr_cuda_zero,
	.emit = fvsr_cuda_emit,
	.ingest = fvsr_cuda_ingest,
	.unshuffle = fvsr_cuda_unshuffle,
	.conv_frames = fvsr_cuda_conv_frames,
	.rms_silu = fvsr_cuda_rms_silu,
	.linear = fvsr_cuda_linear,
	.layer_norm = fvsr_cuda_layer_norm,
	.rms_norm = fvsr_cuda_rms_norm,
	.add = fvsr_cuda_add,
	.rope_table = fvsr_cuda_rope_table,
	.qk_rope = fvsr_cuda_qk_rope,
	.block_select = fvsr_cuda_block_select,
	.block_attention = fvsr_cuda_block_attention,
	.cross_attention = fvsr_cuda_cross_attention,
	.noise_slice = fvsr_cuda_noise_slice,
	.unpatchify = fvsr_cuda_unpatchify,
	.decoder_input = fvsr_cuda_decoder_input,
	.conv3x3 = fvsr_cuda_conv3x3,
	.upsample_conv = fvsr_cuda_upsample_conv,
	.conv_rgb = fvsr_cuda_conv_rgb,
	.color_finish = fvsr_cuda_color_finish,
};
