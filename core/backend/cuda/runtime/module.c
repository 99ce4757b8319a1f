/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The embedded device code, which is loaded once per opened device; kernels are found by name.
 */
#include "backend/cuda/runtime/module.h"

#include <string.h>

#define LOG_BYTES 2048

static CUresult load(struct fvsr_cuda_device *device, CUmodule *module, const void *data, char *log)
{
	CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
	void *values[] = {log, (void *)(uintptr_t)LOG_BYTES};

	log[0] = 0;
	return FVSR_CUDA_CALL(device, cuModuleLoadDataEx, module, data, 2, options, values);
}

/* Loads machine code where there is some for this chip, else PTX that the driver compiles. */
static int load_image(struct fvsr_cuda_device *device, const struct fvsr_cuda_image *image,
		      struct fvsr_error *err)
{
	CUmodule *module = &device->modules[device->module_count];
	CUresult result = CUDA_ERROR_NO_BINARY_FOR_GPU;
	char log[LOG_BYTES];

	if (device->module_count == FVSR_CUDA_MAX_MODULES)
		return fvsr_fail(err, FVSR_ERR_BACKEND, "too many modules of device code");
	log[0] = 0;
	if (image->native && !device->generic)
		result = load(device, module, image->native, log);
	if (result == CUDA_ERROR_NO_BINARY_FOR_GPU && image->portable)
		result = load(device, module, image->portable, log);
	if (result != CUDA_SUCCESS && log[0])
		fvsr_log(&device->base.log, FVSR_LOG_ERROR, "%s: %s", image->name, log);
	if (result == CUDA_ERROR_NO_BINARY_FOR_GPU)
		return fvsr_fail(err, FVSR_ERR_UNSUPPORTED,
				 "this build has no device code for compute capability %d.%d",
				 device->sm / 10, device->sm % 10);
	if (result == CUDA_SUCCESS)
		device->module_count++;
	return fvsr_cuda_error(device, err, result, image->name, __FILE__, __LINE__);
}

static void note_kernel(struct fvsr_cuda_device *device, const char *name, CUfunction function)
{
	for (int i = 0; i < FVSR_KERNEL_COUNT; i++)
		if (!strcmp(name, fvsr_cuda_kernels[i].name))
			device->kernels[i] = function;
}

/* Asks a module what it has: asking for what it may lack would be an error each time. */
static int note_kernels(struct fvsr_cuda_device *device, CUmodule module, struct fvsr_error *err)
{
	CUfunction functions[FVSR_KERNEL_COUNT] = {0};
	const char *name = "";
	unsigned count = 0;
	int result = FVSR_CUDA_GET(device, err, cuModuleGetFunctionCount, &count, module);

	if (count > FVSR_KERNEL_COUNT)
		count = FVSR_KERNEL_COUNT;
	if (!result)
		result = FVSR_CUDA_GET(device, err, cuModuleEnumerateFunctions, functions, count,
				       module);
	for (unsigned i = 0; i < count && !result; i++) {
		result = FVSR_CUDA_GET(device, err, cuFuncGetName, &name, functions[i]);
		if (!result)
			note_kernel(device, name, functions[i]);
	}
	return result;
}

/*
 * Loads a kernel now. Left alone, the driver would do it at the first launch, which can keep the
 * card, and OBS with it, in the midst of a stream. More than 48 KiB of shared memory must be asked
 * for.
 */
static int prepare_kernel(struct fvsr_cuda_device *device, int i, struct fvsr_error *err)
{
	const struct fvsr_cuda_kernel_row *row = &fvsr_cuda_kernels[i];
	int result;

	if ((int)row->shared_bytes > device->shared_limit)
		return fvsr_fail(err, FVSR_ERR_UNSUPPORTED,
				 "kernel %s needs more shared memory than this GPU has", row->name);
	result = FVSR_CUDA_GET(device, err, cuFuncLoad, device->kernels[i]);
	if (result < 0 || row->shared_bytes <= 48 * 1024)
		return result;
	return FVSR_CUDA_GET(device, err, cuFuncSetAttribute, device->kernels[i],
			     CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
			     (int)row->shared_bytes);
}

static int load_images(struct fvsr_cuda_device *device, bool hopper, struct fvsr_error *err)
{
	int result = 0;

	for (const struct fvsr_cuda_image *image = fvsr_cuda_images; image->name && !result;
	     image++) {
		if (image->hopper && (!hopper || !image->native))
			continue;
		result = load_image(device, image, err);
		if (!result)
			result = note_kernels(device, device->modules[device->module_count - 1],
					      err);
	}
	return result;
}

/* Prepares all kernels; without all of Hopper's, which not every build has, none of those is used.
 */
static int prepare_kernels(struct fvsr_cuda_device *device, bool hopper, struct fvsr_error *err)
{
	device->hopper = hopper;
	for (int i = 0; i < FVSR_KERNEL_COUNT; i++) {
		const struct fvsr_cuda_kernel_row *row = &fvsr_cuda_kernels[i];
		int result;

		if (row->hopper && !hopper)
			continue;
		if (!device->kernels[i]) {
			if (!row->hopper)
				return fvsr_fail(err, FVSR_ERR_BACKEND, "kernel %s is missing",
						 row->name);
			device->hopper = false;
			continue;
		}
		result = prepare_kernel(device, i, err);
		if (result < 0)
			return result;
	}
	return 0;
}

int fvsr_cuda_modules_load(struct fvsr_cuda_device *device, struct fvsr_error *err)
{
	bool hopper = device->sm == 90 && !device->generic;
	int result = load_images(device, hopper, err);

	return result < 0 ? result : prepare_kernels(device, hopper, err);
}

void fvsr_cuda_modules_unload(struct fvsr_cuda_device *device)
{
	while (device->module_count)
		device->driver.cuModuleUnload(device->modules[--device->module_count]);
}
