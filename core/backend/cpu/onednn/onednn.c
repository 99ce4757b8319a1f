/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The backend "cpu": the plain ops, with oneDNN for convolutions and matrix products and wider
 * vectors for attention. Float32 as well; results differ from the plain ones in the order of sums
 * only.
 *
 * After planning nothing of ours allocates. oneDNN's execute() itself makes small objects on the
 * heap and frees them before it returns; no option of version 2 turns that off.
 *
 * Threads are OpenMP's, the same for oneDNN and for our loops. GNU's runtime lets them spin for
 * milliseconds at the end of a loop. Where others want the processor too (OBS does), the
 * environment variable OMP_WAIT_POLICY=passive about doubles the speed; it is read when the
 * process starts, so that a library cannot set it.
 */
#include "backend/cpu/onednn/onednn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct fvsr_loops *best_loops(void)
{
#ifdef FVSR_X86_64
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
	    __builtin_cpu_supports("avx512vl"))
		return &fvsr_loops_v4;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
	    __builtin_cpu_supports("bmi2"))
		return &fvsr_loops_v3;
#endif
	return &fvsr_loops_base;
}

static void describe(struct fvsr_backend_info *info)
{
	struct fvsr_dnnl_library library;
	const dnnl_version_t *version;
	char device[sizeof(info->device)];

	if (!fvsr_dnnl_library_open(&library, info->reason, sizeof(info->reason)))
		return;
	version = dnnl_version();
	fvsr_cpu_describe(info);
	snprintf(device, sizeof(device), "%.90s, oneDNN %d.%d, %s", info->device, version->major,
		 version->minor, best_loops()->name);
	memcpy(info->device, device, sizeof(device));
	fvsr_dnnl_library_close(&library);
}

static void device_close(struct fvsr_device *base)
{
	struct fvsr_dnnl_device *device = (struct fvsr_dnnl_device *)base;

	if (!device)
		return;
	fvsr_dnnl_forget(base, NULL, SIZE_MAX);
	dnnl_engine_destroy(device->engine);
	pthread_mutex_destroy(&device->lock);
	fvsr_openmp_passive_stop(device->passive);
	fvsr_dnnl_library_close(&device->library);
	free(device);
}

static int device_open(struct fvsr_device **out, const struct fvsr_model_options *options,
		       struct fvsr_error *err)
{
	struct fvsr_dnnl_device *device = calloc(1, sizeof(*device));
	char reason[128];
	dnnl_status_t status;

	if (!device)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	if (!fvsr_dnnl_library_open(&device->library, reason, sizeof(reason))) {
		free(device);
		return fvsr_fail(err, FVSR_ERR_BACKEND, "%s", reason);
	}
	device->base.backend = &fvsr_backend_cpu;
	device->base.threads = options->threads > 0 ? options->threads : fvsr_cpu_count();
	device->base.log = options->log;
	device->loops = best_loops();
	device->passive = fvsr_openmp_passive_start();
	status = dnnl_engine_create(&device->engine, dnnl_cpu, 0);
	if (status || pthread_mutex_init(&device->lock, NULL)) {
		dnnl_engine_destroy(device->engine);
		fvsr_openmp_passive_stop(device->passive);
		fvsr_dnnl_library_close(&device->library);
		free(device);
		return fvsr_fail(err, FVSR_ERR_BACKEND, "oneDNN cannot be started (status %d)",
				 (int)status);
	}
	*out = &device->base;
	return 0;
}

static void queue_close(struct fvsr_queue *base)
{
	struct fvsr_dnnl_queue *queue = (struct fvsr_dnnl_queue *)base;

	if (!queue)
		return;
	fvsr_dnnl_plans_free(queue);
	dnnl_stream_destroy(queue->stream);
	fvsr_cpu_queue_clear(&queue->base);
	free(queue);
}

static int queue_open(struct fvsr_queue **out, struct fvsr_device *base, struct fvsr_error *err)
{
	struct fvsr_dnnl_device *device = (struct fvsr_dnnl_device *)base;
	struct fvsr_dnnl_queue *queue = calloc(1, sizeof(*queue));
	dnnl_status_t status;

	if (!queue)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	fvsr_cpu_queue_init(&queue->base, base);
	status = dnnl_stream_create(&queue->stream, device->engine, dnnl_stream_in_order);
	if (status) {
		queue_close(&queue->base.base);
		return fvsr_fail(err, FVSR_ERR_BACKEND, "oneDNN makes no stream (status %d)",
				 (int)status);
	}
	*out = &queue->base.base;
	return 0;
}

const struct fvsr_backend fvsr_backend_cpu = {
	.name = "cpu",
	.act_bytes = sizeof(float),
	.canvas_bytes = sizeof(float),
	.host_memory = true,
	.describe = describe,
	.device_open = device_open,
	.device_close = device_close,
	.alloc = fvsr_cpu_alloc,
	.free = fvsr_cpu_free,
	.host_alloc = fvsr_cpu_alloc,
	.host_free = fvsr_cpu_free,
	.upload = fvsr_cpu_upload,
	.forget = fvsr_dnnl_forget,
	.queue_open = queue_open,
	.queue_close = queue_close,
	.finish = fvsr_plain_finish,
	.stage = fvsr_plain_stage,
	.download = fvsr_plain_download,
	.copy = fvsr_plain_copy,
	.zero = fvsr_plain_zero,
	.offload = fvsr_plain_copy,
	.reload = fvsr_plain_copy,
	.join = fvsr_plain_join,
	.emit = fvsr_plain_emit,
	.ingest = fvsr_onednn_ingest,
	.unshuffle = fvsr_plain_unshuffle,
	.conv_frames = fvsr_onednn_conv_frames,
	.rms_silu = fvsr_plain_rms_silu,
	.linear = fvsr_onednn_linear,
	.layer_norm = fvsr_plain_layer_norm,
	.rms_norm = fvsr_plain_rms_norm,
	.add = fvsr_plain_add,
	.rope_table = fvsr_plain_rope_table,
	.qk_rope = fvsr_plain_qk_rope,
	.block_select = fvsr_plain_block_select,
	.block_attention = fvsr_onednn_block_attention,
	.cross_attention = fvsr_onednn_cross_attention,
	.noise_slice = fvsr_plain_noise_slice,
	.unpatchify = fvsr_plain_unpatchify,
	.decoder_input = fvsr_onednn_decoder_input,
	.conv3x3 = fvsr_onednn_conv3x3,
	.upsample_conv = fvsr_onednn_upsample_conv,
	.conv_rgb = fvsr_onednn_conv_rgb,
	.pixel_shuffle = fvsr_plain_pixel_shuffle,
	.color_finish = fvsr_onednn_color_finish,
};
