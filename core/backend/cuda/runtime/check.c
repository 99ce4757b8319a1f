/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results of driver calls to messages and error codes, the context of the calling thread, and
 * letting calls fail on purpose.
 */
#include "backend/cuda/runtime/cuda_backend.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define HOLD_NAP_NS 20000
#define HOLD_NAPS   100

/* Waits, but not for ever: the caller may have been interrupted while it held. */
static void wait_while_held(const struct fvsr_hold *hold)
{
	const struct timespec nap = {.tv_nsec = HOLD_NAP_NS};

	for (int i = 0; i < HOLD_NAPS && hold->held && hold->held(hold->opaque); i++)
		nanosleep(&nap, NULL);
}

bool fvsr_cuda_enter(struct fvsr_cuda_device *device)
{
	unsigned long long id;

	wait_while_held(&device->hold);
	return device->driver.cuCtxGetId(device->context, &id) == CUDA_SUCCESS &&
	       id == device->context_id &&
	       device->driver.cuCtxPushCurrent(device->context) == CUDA_SUCCESS;
}

void fvsr_cuda_leave(struct fvsr_cuda_device *device)
{
	CUcontext context;

	device->driver.cuCtxPopCurrent(&context);
}

bool fvsr_cuda_queue_enter(struct fvsr_cuda_queue *queue)
{
	if (queue->base.error)
		return false;
	if (fvsr_cuda_enter(queue->device))
		return true;
	fvsr_queue_fail(&queue->base, FVSR_ERR_BACKEND, "the GPU's context cannot be used");
	return false;
}

/* Lets each call after the chosen one fail too, as it does when a context is lost. */
bool fvsr_cuda_inject(struct fvsr_cuda_device *device)
{
	long left = atomic_load_explicit(&device->calls_left, memory_order_relaxed);

	if (left < 0)
		return false;
	while (left > 0)
		if (atomic_compare_exchange_weak(&device->calls_left, &left, left - 1))
			return false;
	return true;
}

/* Leaves out the folders, which are those of the machine that built this. */
static const char *base_name(const char *path)
{
	const char *name = path;

	for (; *path; path++)
		if (*path == '/' || *path == '\\')
			name = path + 1;
	return name;
}

/*
 * Tells whether the driver answers this to everything after a kernel has failed. No context of the
 * process works again then, not one that is reset or made anew (driver 580, seen with all of
 * these): only a new process gets the GPU back.
 */
static bool lost(CUresult result)
{
	return result == CUDA_ERROR_ECC_UNCORRECTABLE || result == CUDA_ERROR_ILLEGAL_ADDRESS ||
	       result == CUDA_ERROR_LAUNCH_TIMEOUT || result == CUDA_ERROR_ASSERT ||
	       (result >= CUDA_ERROR_HARDWARE_STACK_ERROR && result <= CUDA_ERROR_LAUNCH_FAILED);
}

int fvsr_cuda_error(struct fvsr_cuda_device *device, struct fvsr_error *err, CUresult result,
		    const char *what, const char *file, int line)
{
	const char *name = NULL, *text = NULL;

	if (result == CUDA_SUCCESS)
		return 0;
	device->driver.cuGetErrorName(result, &name);
	device->driver.cuGetErrorString(result, &text);
	return fvsr_fail(
		err, result == CUDA_ERROR_OUT_OF_MEMORY ? FVSR_ERR_MEMORY : FVSR_ERR_BACKEND,
		"%s: %s (%s) at %s:%d%s", what, text ? text : "unknown error", name ? name : "?",
		base_name(file), line,
		lost(result) ? "; this program must be restarted to use the GPU again" : "");
}

bool fvsr_cuda_check(struct fvsr_cuda_queue *queue, CUresult result, const char *what,
		     const char *file, int line)
{
	struct fvsr_error err;
	int code = fvsr_cuda_error(queue->device, &err, result, what, file, line);

	if (code)
		fvsr_queue_fail(&queue->base, code, "%s", err.text);
	return !code;
}
