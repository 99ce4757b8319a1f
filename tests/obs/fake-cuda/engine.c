/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the engine asks of the stand-in beside driver.c: a card, modules, kernels and plain copies.
 * Kernels do nothing, but for those that pictures pass on their way in and out: they scale to the
 * nearest pixel and leave the network out. So a picture comes out larger and otherwise as it went
 * in, if it was handed over right, and as something else if it was not.
 */
#include <cuda.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cuda/runtime/kernel_list.h"
#include "fake.h"
#include "kernels/generic/params.h"
#include "queues.h"

#define ENTRY __attribute__((visibility("default"))) CUresult

/* ---- the card ------------------------------------------------------------------------------ */

ENTRY cuDriverGetVersion(int *version)
{
	*version = CUDA_VERSION;
	return CUDA_SUCCESS;
}

ENTRY cuGetErrorString(CUresult result, const char **text)
{
	*text = result == CUDA_SUCCESS ? "success" : "an error of the stand-in";
	return CUDA_SUCCESS;
}

ENTRY cuDeviceGetCount(int *count)
{
	*count = 1;
	return CUDA_SUCCESS;
}

ENTRY cuDeviceGet(CUdevice *device, int number)
{
	*device = number;
	return number ? CUDA_ERROR_INVALID_DEVICE : CUDA_SUCCESS;
}

ENTRY cuDeviceGetName(char *name, int bytes, CUdevice device)
{
	(void)device;
	strncpy(name, "stand-in", (size_t)bytes);
	return CUDA_SUCCESS;
}

/* Answers as a GeForce RTX 30 would. */
ENTRY cuDeviceGetAttribute(int *value, CUdevice_attribute which, CUdevice device)
{
	(void)device;
	switch ((int)which) {
	case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
		*value = 8;
		break;
	case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:
		*value = 6;
		break;
	case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN:
		*value = 101376;
		break;
	default:
		*value = 1;
	}
	return CUDA_SUCCESS;
}

ENTRY cuDeviceTotalMem(size_t *bytes, CUdevice device)
{
	(void)device;
	*bytes = (size_t)8 << 30;
	return CUDA_SUCCESS;
}

ENTRY cuMemGetInfo(size_t *free_bytes, size_t *all)
{
	*free_bytes = (size_t)4 << 30;
	*all = (size_t)8 << 30;
	return fake_begin() ? CUDA_ERROR_UNKNOWN : CUDA_SUCCESS;
}

/* ---- modules ------------------------------------------------------------------------------- */

static const char *const kernels[FVSR_KERNEL_COUNT] = {
#define X(name, threads, shared_bytes, width) [FVSR_KERNEL_##name] = #name,
	FVSR_GENERIC_KERNELS(X) FVSR_HOPPER_KERNELS(X)
#undef X
};

/* Loads nothing: every module has all the kernels. */
ENTRY cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned count, CUjit_option *options,
			 void **values)
{
	(void)count;
	(void)options;
	(void)values;
	*module = (CUmodule)(uintptr_t)image;
	return fake_begin() ? CUDA_ERROR_UNKNOWN : CUDA_SUCCESS;
}

ENTRY cuModuleUnload(CUmodule module)
{
	(void)module;
	return fake_begin() ? CUDA_ERROR_UNKNOWN : CUDA_SUCCESS;
}

ENTRY cuModuleGetFunctionCount(unsigned *count, CUmodule module)
{
	(void)module;
	*count = FVSR_KERNEL_COUNT;
	return fake_begin() ? CUDA_ERROR_UNKNOWN : CUDA_SUCCESS;
}

ENTRY cuModuleEnumerateFunctions(CUfunction *functions, unsigned count, CUmodule module)
{
	(void)module;
	for (unsigned i = 0; i < count; i++)
		functions[i] = (CUfunction)(uintptr_t)&kernels[i];
	return fake_begin() ? CUDA_ERROR_UNKNOWN : CUDA_SUCCESS;
}

ENTRY cuFuncGetName(const char **name, CUfunction function)
{
	*name = *(const char *const *)function;
	return CUDA_SUCCESS;
}

ENTRY cuFuncLoad(CUfunction function)
{
	(void)function;
	return fake_begin() ? CUDA_ERROR_UNKNOWN : CUDA_SUCCESS;
}

ENTRY cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute, int value)
{
	(void)function;
	(void)attribute;
	(void)value;
	return fake_begin() ? CUDA_ERROR_UNKNOWN : CUDA_SUCCESS;
}

/* Makes none: only Hopper has tensor maps. */
ENTRY cuTensorMapEncodeTiled(CUtensorMap *map, CUtensorMapDataType type, cuuint32_t rank,
			     void *address, const cuuint64_t *size, const cuuint64_t *stride,
			     const cuuint32_t *box, const cuuint32_t *element_stride,
			     CUtensorMapInterleave interleave, CUtensorMapSwizzle swizzle,
			     CUtensorMapL2promotion promotion, CUtensorMapFloatOOBfill fill)
{
	(void)map, (void)type, (void)rank, (void)address, (void)size, (void)stride, (void)box;
	(void)element_stride, (void)interleave, (void)swizzle, (void)promotion, (void)fill;
	return CUDA_ERROR_NOT_SUPPORTED;
}

ENTRY cuTensorMapEncodeIm2col(CUtensorMap *map, CUtensorMapDataType type, cuuint32_t rank,
			      void *address, const cuuint64_t *size, const cuuint64_t *stride,
			      const int *lower, const int *upper, cuuint32_t channels,
			      cuuint32_t pixels, const cuuint32_t *element_stride,
			      CUtensorMapInterleave interleave, CUtensorMapSwizzle swizzle,
			      CUtensorMapL2promotion promotion, CUtensorMapFloatOOBfill fill)
{
	(void)map, (void)type, (void)rank, (void)address, (void)size, (void)stride, (void)lower;
	(void)upper, (void)channels, (void)pixels, (void)element_stride, (void)interleave;
	(void)swizzle, (void)promotion, (void)fill;
	return CUDA_ERROR_NOT_SUPPORTED;
}

/* ---- memory, streams, events --------------------------------------------------------------- */

ENTRY cuMemHostAlloc(void **memory, size_t bytes, unsigned flags)
{
	CUdeviceptr address = 0;
	CUresult result = cuMemAlloc(&address, bytes);

	(void)flags;
	*memory = (void *)(uintptr_t)address;
	return result;
}

ENTRY cuMemFreeHost(void *memory)
{
	return cuMemFree((CUdeviceptr)(uintptr_t)memory);
}

struct bytes {
	void *to;
	const void *from; /* NULL: zeros */
	size_t count;
};

static void move_bytes(const void *argument)
{
	const struct bytes *bytes = argument;

	if (bytes->from)
		memmove(bytes->to, bytes->from, bytes->count);
	else
		memset(bytes->to, 0, bytes->count);
}

static CUresult add_bytes(void *to, const void *from, size_t count, CUstream stream)
{
	const struct bytes bytes = {to, from, count};

	if (fake_begin())
		return CUDA_ERROR_UNKNOWN;
	fake_stream_add((struct fake_stream *)stream, move_bytes, &bytes, sizeof(bytes));
	return CUDA_SUCCESS;
}

ENTRY cuMemcpyHtoDAsync(CUdeviceptr to, const void *from, size_t count, CUstream stream)
{
	return add_bytes((void *)(uintptr_t)to, from, count, stream);
}

ENTRY cuMemcpyDtoHAsync(void *to, CUdeviceptr from, size_t count, CUstream stream)
{
	return add_bytes(to, (const void *)(uintptr_t)from, count, stream);
}

ENTRY cuMemcpyDtoDAsync(CUdeviceptr to, CUdeviceptr from, size_t count, CUstream stream)
{
	return add_bytes((void *)(uintptr_t)to, (const void *)(uintptr_t)from, count, stream);
}

ENTRY cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count, CUstream stream)
{
	if (value)
		fake_broken("a byte that is not zero");
	return add_bytes((void *)(uintptr_t)to, NULL, count, stream);
}

ENTRY cuStreamCreate(CUstream *stream, unsigned flags)
{
	return cuStreamCreateWithPriority(stream, flags, FAKE_LOWEST_PRIORITY);
}

ENTRY cuEventQuery(CUevent event)
{
	if (fake_begin())
		return CUDA_ERROR_UNKNOWN;
	return fake_event_happened((struct fake_event *)event) ? CUDA_SUCCESS
							       : CUDA_ERROR_NOT_READY;
}

ENTRY cuEventSynchronize(CUevent event)
{
	if (fake_begin())
		return CUDA_ERROR_UNKNOWN;
	fake_event_synchronize((struct fake_event *)event);
	return CUDA_SUCCESS;
}

ENTRY cuEventElapsedTime(float *ms, CUevent begin, CUevent end)
{
	*ms = (float)(fake_event_ms((struct fake_event *)end) -
		      fake_event_ms((struct fake_event *)begin));
	return fake_begin() ? CUDA_ERROR_UNKNOWN : CUDA_SUCCESS;
}

/* ---- kernels ------------------------------------------------------------------------------- */

static void resize_rows(const void *argument)
{
	const struct fvsr_resize_params *p = argument;
	const uint32_t *from = p->src;
	uint32_t *to = p->dst;

	for (int y = 0; y < p->in_height; y++)
		for (int x = 0; x < p->width; x++)
			to[y * p->width + x] = from[y * p->in_width + x * p->in_width / p->width];
}

/* Puts bytes in place of halves into the canvas, which only color_apply() below reads. */
static void resize_columns(const void *argument)
{
	const struct fvsr_resize_params *p = argument;
	const size_t plane = (size_t)p->pad_width * (size_t)p->pad_height;
	uint16_t *canvas = p->dst;
	uint8_t *alpha = p->alpha;

	for (int y = 0; y < p->height; y++)
		for (int x = 0; x < p->width; x++) {
			const size_t row = (size_t)(y * p->in_height / p->height);
			const uint8_t *from =
				(const uint8_t *)p->src + (row * (size_t)p->width + (size_t)x) * 4;
			uint16_t *to = canvas + (size_t)y * (size_t)p->pad_width + (size_t)x;

			to[0] = from[0];
			to[plane] = from[1];
			to[2 * plane] = from[2];
			alpha[y * p->width + x] = from[3];
		}
}

static void color_apply(const void *argument)
{
	const struct fvsr_color_params *p = argument;
	const size_t plane = (size_t)p->pad_width * (size_t)p->pad_height;
	const uint16_t *canvas = p->canvas;
	uint8_t *to = p->dst;

	for (int y = 0; y < p->height; y++)
		for (int x = 0; x < p->width; x++, to += 4) {
			const uint16_t *from =
				canvas + (size_t)y * (size_t)p->pad_width + (size_t)x;

			to[0] = (uint8_t)from[0];
			to[1] = (uint8_t)from[plane];
			to[2] = (uint8_t)from[2 * plane];
			to[3] = p->alpha[y * p->width + x];
		}
}

static const struct {
	enum fvsr_cuda_kernel kernel;
	void (*run)(const void *argument);
	size_t bytes;
} real[] = {
	{FVSR_KERNEL_resize_rows, resize_rows, sizeof(struct fvsr_resize_params)},
	{FVSR_KERNEL_resize_columns, resize_columns, sizeof(struct fvsr_resize_params)},
	{FVSR_KERNEL_color_apply, color_apply, sizeof(struct fvsr_color_params)},
};

ENTRY cuLaunchKernelEx(const CUlaunchConfig *config, CUfunction function, void **params,
		       void **extra)
{
	const ptrdiff_t kernel = (const char *const *)function - kernels;

	(void)extra;
	if (fake_begin())
		return CUDA_ERROR_UNKNOWN;
	for (size_t i = 0; i < sizeof(real) / sizeof(*real); i++)
		if (kernel == (ptrdiff_t)real[i].kernel)
			fake_stream_add((struct fake_stream *)config->hStream, real[i].run,
					params[0], real[i].bytes);
	return CUDA_SUCCESS;
}
