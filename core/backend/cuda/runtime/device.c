/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Choosing and opening the card, or saying why there is none. Its primary context is used, so that
 * textures and pointers of the rest of the process can be shared; that context is current only
 * during calls.
 *
 * Environment, read when a device is opened: FVSR_CUDA_DEVICE chooses a card by number,
 * FVSR_CUDA_PATH=generic leaves out machine code and all that only newer chips have,
 * FVSR_CUDA_FAIL_AFTER=N (tests) lets every driver call after the first N fail. FVSR_CUDA_PROFILE=1
 * (profile.c) times every kernel.
 */
#include "backend/cuda/runtime/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cuda/runtime/blas.h"
#include "backend/cuda/runtime/module.h"
#include "backend/cuda/ops/ops.h"

#define OLDEST_SM 80 /* bfloat16 and asynchronous copies */
#define GIB       (1024.0 * 1024.0 * 1024.0)

static int attribute(const struct fvsr_cuda_driver *driver, CUdevice device,
		     CUdevice_attribute which)
{
	int value = 0;

	driver->cuDeviceGetAttribute(&value, which, device);
	return value;
}

static int sm_of(const struct fvsr_cuda_driver *driver, CUdevice device)
{
	return attribute(driver, device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) * 10 +
	       attribute(driver, device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
}

/*
 * Chooses the card that the environment asks for, or else the preferred one, or else the first that
 * is new enough (the driver lists the fastest first).
 */
static bool choose(const struct fvsr_cuda_driver *driver, int preferred, CUdevice *device,
		   char *reason, size_t reason_bytes)
{
	const char *asked = getenv("FVSR_CUDA_DEVICE");
	int count = 0, wanted = asked && *asked ? (int)strtol(asked, NULL, 10) : -1;
	char name[100] = "";

	if (driver->cuDeviceGetCount(&count) != CUDA_SUCCESS || count == 0) {
		snprintf(reason, reason_bytes, "there is no NVIDIA GPU");
		return false;
	}
	if (wanted >= count) {
		snprintf(reason, reason_bytes, "there is no NVIDIA GPU number %d", wanted);
		return false;
	}
	if (wanted < 0 && preferred >= 0 && preferred < count &&
	    driver->cuDeviceGet(device, preferred) == CUDA_SUCCESS &&
	    sm_of(driver, *device) >= OLDEST_SM)
		return true;
	for (int i = wanted < 0 ? 0 : wanted; i <= (wanted < 0 ? count - 1 : wanted); i++) {
		if (driver->cuDeviceGet(device, i) != CUDA_SUCCESS)
			continue;
		if (sm_of(driver, *device) >= OLDEST_SM)
			return true;
		driver->cuDeviceGetName(name, sizeof(name), *device);
	}
	snprintf(reason, reason_bytes,
		 "%s is too old: compute capability %d.%d or later is needed (RTX 30 series)",
		 *name ? name : "the NVIDIA GPU", OLDEST_SM / 10, OLDEST_SM % 10);
	return false;
}

void fvsr_cuda_describe(struct fvsr_backend_info *info)
{
	struct fvsr_cuda_driver driver;
	char name[100] = "NVIDIA GPU";
	size_t bytes = 0;
	CUdevice device;

	info->available = false;
	if (!fvsr_cuda_driver_open(&driver, info->reason, sizeof(info->reason)))
		return;
	if (choose(&driver, -1, &device, info->reason, sizeof(info->reason))) {
		driver.cuDeviceGetName(name, sizeof(name), device);
		driver.cuDeviceTotalMem(&bytes, device);
		snprintf(info->device, sizeof(info->device), "%s, %.0f GiB", name,
			 (double)bytes / GIB);
		info->available = true;
	}
	fvsr_cuda_driver_close(&driver);
}

static int retain(struct fvsr_cuda_device *device, struct fvsr_error *err)
{
	int result = FVSR_CUDA_GET(device, err, cuDevicePrimaryCtxRetain, &device->context,
				   device->device);

	device->retained = !result;
	if (!result)
		result = FVSR_CUDA_GET(device, err, cuCtxGetId, device->context,
				       &device->context_id);
	return result;
}

static int open_in_context(struct fvsr_cuda_device *device, struct fvsr_error *err)
{
	int result = fvsr_cuda_modules_load(device, err);

	if (!result)
		result = fvsr_cuda_staging_open(device, err);
	if (!result)
		device->blas = fvsr_cuda_blas_open(device);
	return result;
}

/* Chooses the streams' priority: the lowest there is for work that gives way, else the ordinary. */
static int choose_priority(struct fvsr_cuda_device *device, bool background, struct fvsr_error *err)
{
	int lowest = 0, highest = 0;
	int result = background ? FVSR_CUDA_GET(device, err, cuCtxGetStreamPriorityRange, &lowest,
						&highest)
				: 0;

	device->priority = lowest;
	return result;
}

static int open_device(struct fvsr_cuda_device *device, const struct fvsr_model_options *options,
		       struct fvsr_error *err)
{
	const struct fvsr_cuda_driver *driver = &device->driver;
	char reason[256];
	int result;

	if (!fvsr_cuda_driver_open(&device->driver, reason, sizeof(reason)) ||
	    !choose(driver, options->card, &device->device, reason, sizeof(reason)))
		return fvsr_fail(err, FVSR_ERR_BACKEND, "%s", reason);
	device->base.card = (int)device->device;
	device->sm = sm_of(driver, device->device);
	device->multiprocessors =
		attribute(driver, device->device, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
	device->shared_limit = attribute(driver, device->device,
					 CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
	result = retain(device, err);
	if (result < 0)
		return result;
	if (!fvsr_cuda_enter(device))
		return fvsr_fail(err, FVSR_ERR_BACKEND, "the GPU's context cannot be used");
	result = choose_priority(device, options->background, err);
	if (!result)
		result = open_in_context(device, err);
	fvsr_cuda_leave(device);
	return result;
}

static void read_environment(struct fvsr_cuda_device *device)
{
	const char *path = getenv("FVSR_CUDA_PATH"), *fail = getenv("FVSR_CUDA_FAIL_AFTER");

	device->generic = path && !strcmp(path, "generic");
	atomic_init(&device->calls_left, fail && *fail ? strtol(fail, NULL, 10) : -1);
}

int fvsr_cuda_device_open(struct fvsr_device **out, const struct fvsr_model_options *options,
			  struct fvsr_error *err)
{
	struct fvsr_cuda_device *device = calloc(1, sizeof(*device));
	int result;

	if (!device)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	device->base.backend = &fvsr_backend_cuda;
	device->base.threads = options->threads;
	device->base.log = options->log;
	device->background = options->background;
	device->hold = options->hold;
	if (pthread_mutex_init(&device->lock, NULL)) {
		free(device);
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	}
	read_environment(device);
	result = open_device(device, options, err);
	if (result < 0) {
		fvsr_cuda_device_close(&device->base);
		return result;
	}
	fvsr_log(&options->log, FVSR_LOG_INFO,
		 "CUDA %d.%d, compute capability %d.%d, %s kernels, %s",
		 device->driver.version / 1000, device->driver.version % 1000 / 10, device->sm / 10,
		 device->sm % 10, device->hopper ? "Hopper" : "generic",
		 device->blas ? "cuBLASLt" : "no cuBLASLt");
	*out = &device->base;
	return 0;
}

void fvsr_cuda_device_close(struct fvsr_device *base)
{
	struct fvsr_cuda_device *device = (struct fvsr_cuda_device *)base;
	bool alive;

	if (!device)
		return;
	alive = device->retained && fvsr_cuda_enter(device);
	fvsr_cuda_blas_close(device->blas, alive);
	if (alive) {
		fvsr_cuda_staging_close(device);
		fvsr_cuda_modules_unload(device);
		fvsr_cuda_leave(device);
	}
	if (device->retained)
		device->driver.cuDevicePrimaryCtxRelease(device->device);
	fvsr_cuda_driver_close(&device->driver);
	pthread_mutex_destroy(&device->lock);
	free(device);
}

void *fvsr_cuda_alloc(struct fvsr_device *base, size_t bytes)
{
	struct fvsr_cuda_device *device = (struct fvsr_cuda_device *)base;
	CUdeviceptr memory = 0;
	CUresult result;

	if (!fvsr_cuda_enter(device))
		return NULL;
	result = FVSR_CUDA_CALL(device, cuMemAlloc, &memory, bytes ? bytes : 1);
	fvsr_cuda_leave(device);
	return result == CUDA_SUCCESS ? (void *)(uintptr_t)memory : NULL;
}

void fvsr_cuda_free(struct fvsr_device *base, void *memory)
{
	struct fvsr_cuda_device *device = (struct fvsr_cuda_device *)base;

	if (!memory || !fvsr_cuda_enter(device))
		return;
	device->driver.cuMemFree((CUdeviceptr)(uintptr_t)memory);
	fvsr_cuda_leave(device);
}
