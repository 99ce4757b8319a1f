/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Weights to the device and results back, converted on the host between float32 and what the
 * device keeps, through two pieces of pinned memory: one is converted while the other travels.
 */
#include "backend/cuda/runtime/device.h"

#include <string.h>

#include "backend/cuda/runtime/blas.h"
#include "base/dtype.h"

#define STAGING_BYTES ((size_t)8 << 20)

int fvsr_cuda_staging_open(struct fvsr_cuda_device *device, struct fvsr_error *err)
{
	int result = FVSR_CUDA_GET(device, err, cuStreamCreate, &device->staging.stream,
				   CU_STREAM_NON_BLOCKING);

	for (int i = 0; i < 2 && !result; i++) {
		result = FVSR_CUDA_GET(device, err, cuMemHostAlloc, &device->staging.memory[i],
				       STAGING_BYTES, 0);
		if (!result)
			result = FVSR_CUDA_GET(device, err, cuEventCreate,
					       &device->staging.event[i], CU_EVENT_DISABLE_TIMING);
	}
	return result;
}

void fvsr_cuda_staging_close(struct fvsr_cuda_device *device)
{
	if (device->staging.stream) {
		device->driver.cuStreamSynchronize(device->staging.stream);
		device->driver.cuStreamDestroy(device->staging.stream);
	}
	for (int i = 0; i < 2; i++) {
		if (device->staging.memory[i])
			device->driver.cuMemFreeHost(device->staging.memory[i]);
		if (device->staging.event[i])
			device->driver.cuEventDestroy(device->staging.event[i]);
	}
	memset(&device->staging, 0, sizeof(device->staging));
}

static size_t size_of(enum fvsr_kind kind)
{
	switch (kind) {
	case FVSR_ACT:
	case FVSR_CANVAS:
		return 2;
	case FVSR_F32:
	case FVSR_I32:
		return 4;
	case FVSR_U8:
		return 1;
	}
	return 0;
}

static void encode(void *dst, enum fvsr_kind kind, const float *src, size_t count)
{
	switch (kind) {
	case FVSR_ACT:
		for (size_t i = 0; i < count; i++)
			((uint16_t *)dst)[i] = fvsr_bf16_from_f32(src[i]);
		break;
	case FVSR_CANVAS:
		for (size_t i = 0; i < count; i++)
			((uint16_t *)dst)[i] = fvsr_f16_from_f32(src[i]);
		break;
	case FVSR_F32:
		memcpy(dst, src, count * sizeof(float));
		break;
	case FVSR_I32:
		for (size_t i = 0; i < count; i++)
			((int32_t *)dst)[i] = (int32_t)src[i];
		break;
	case FVSR_U8:
		for (size_t i = 0; i < count; i++)
			((uint8_t *)dst)[i] = (uint8_t)src[i];
		break;
	}
}

static void decode(float *dst, enum fvsr_kind kind, const void *src, size_t count)
{
	switch (kind) {
	case FVSR_ACT:
		for (size_t i = 0; i < count; i++)
			dst[i] = fvsr_bf16_to_f32(((const uint16_t *)src)[i]);
		break;
	case FVSR_CANVAS:
		for (size_t i = 0; i < count; i++)
			dst[i] = fvsr_f16_to_f32(((const uint16_t *)src)[i]);
		break;
	case FVSR_F32:
		memcpy(dst, src, count * sizeof(float));
		break;
	case FVSR_I32:
		for (size_t i = 0; i < count; i++)
			dst[i] = (float)((const int32_t *)src)[i];
		break;
	case FVSR_U8:
		for (size_t i = 0; i < count; i++)
			dst[i] = ((const uint8_t *)src)[i];
		break;
	}
}

/* Sends one piece that fits the staging memory; waits only for the copy before the last. */
static int send(struct fvsr_cuda_device *device, CUdeviceptr dst, enum fvsr_kind kind,
		const float *src, size_t count, struct fvsr_error *err)
{
	int i = device->staging.next, result;

	device->staging.next = !i;
	result = FVSR_CUDA_GET(device, err, cuEventSynchronize, device->staging.event[i]);
	if (result < 0)
		return result;
	encode(device->staging.memory[i], kind, src, count);
	result = FVSR_CUDA_GET(device, err, cuMemcpyHtoDAsync, dst, device->staging.memory[i],
			       count * size_of(kind), device->staging.stream);
	if (!result)
		result = FVSR_CUDA_GET(device, err, cuEventRecord, device->staging.event[i],
				       device->staging.stream);
	return result;
}

int fvsr_cuda_upload(struct fvsr_device *base, void *dst, enum fvsr_kind kind, const float *src,
		     size_t count, struct fvsr_error *err)
{
	struct fvsr_cuda_device *device = (struct fvsr_cuda_device *)base;
	CUdeviceptr to = (CUdeviceptr)(uintptr_t)dst;
	int result = 0;

	if (!size_of(kind))
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "unknown kind of element");
	if (!fvsr_cuda_enter(device))
		return fvsr_fail(err, FVSR_ERR_BACKEND, "the GPU's context cannot be used");
	pthread_mutex_lock(&device->lock);
	while (count && !result) {
		size_t most = STAGING_BYTES / size_of(kind), n = count < most ? count : most;

		result = send(device, to, kind, src, n, err);
		src += n, to += n * size_of(kind), count -= n;
	}
	if (!result)
		result = FVSR_CUDA_GET(device, err, cuStreamSynchronize, device->staging.stream);
	pthread_mutex_unlock(&device->lock);
	fvsr_cuda_leave(device);
	return result;
}

void fvsr_cuda_forget(struct fvsr_device *device, const void *memory, size_t bytes)
{
	fvsr_cuda_blas_forget((struct fvsr_cuda_device *)device, memory, bytes);
}

void fvsr_cuda_download(struct fvsr_queue *base, float *dst, const void *src, enum fvsr_kind kind,
			size_t count)
{
	struct fvsr_cuda_queue *queue = fvsr_cuda_queue(base);
	struct fvsr_cuda_device *device = queue->device;
	CUdeviceptr from = (CUdeviceptr)(uintptr_t)src;

	if (fvsr_queue_idle(base) || !size_of(kind))
		return;
	if (!fvsr_cuda_enter(device)) {
		fvsr_queue_fail(base, FVSR_ERR_BACKEND, "the GPU's context cannot be used");
		return;
	}
	pthread_mutex_lock(&device->lock);
	/* the staging memory is free: uploads wait before they unlock */
	while (count && !base->error) {
		size_t most = STAGING_BYTES / size_of(kind), n = count < most ? count : most;

		if (!FVSR_CUDA_TRY(queue, cuMemcpyDtoHAsync, device->staging.memory[0], from,
				   n * size_of(kind), queue->stream) ||
		    !FVSR_CUDA_TRY(queue, cuStreamSynchronize, queue->stream))
			break;
		decode(dst, kind, device->staging.memory[0], n);
		dst += n, from += n * size_of(kind), count -= n;
	}
	pthread_mutex_unlock(&device->lock);
	fvsr_cuda_leave(device);
}
