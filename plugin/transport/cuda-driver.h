/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The few functions of the CUDA driver that sharing textures takes, found at run time. The plugin
 * is built with or without CUDA's headers, so what it needs of the driver's interface, which does
 * not change, is declared here; tests/obs/cuda-abi.c compares it with cuda.h where there is one.
 */
#ifndef FLASHVSR_CUDA_DRIVER_H
#define FLASHVSR_CUDA_DRIVER_H

#include <stdbool.h>
#include <stddef.h>

#ifdef _WIN32
#define CUDA_CALL __stdcall
#else
#define CUDA_CALL
#endif

typedef int cuda_result; /* 0: success */
typedef unsigned long long cuda_pointer;
typedef void *cuda_handle; /* of a context, stream, event, array or registered resource */

#define CUDA_STREAM_NON_BLOCKING  1u
#define CUDA_EVENT_DISABLE_TIMING 2u
#define CUDA_DEVICE_LIST_ALL      1 /* of a GL context or a D3D11 device */

#define CUDA_REGISTER_READ_ONLY     1u
#define CUDA_REGISTER_WRITE_DISCARD 2u

enum cuda_memory {
	CUDA_MEMORY_DEVICE = 2,
	CUDA_MEMORY_ARRAY = 3,
};

/* One side of a copy. */
struct cuda_place {
	size_t x_bytes, y;
	int memory; /* enum cuda_memory */
	void *host;
	cuda_pointer device;
	cuda_handle array;
	size_t pitch; /* bytes from a row to the next; not of arrays */
};

struct cuda_copy {
	struct cuda_place from, to;
	size_t width_bytes, height;
};

/* X(name here, name in the library, parameters) */
#define CUDA_DRIVER_FUNCTIONS(X)                                                                   \
	X(init, "cuInit", (unsigned flags))                                                        \
	X(error_name, "cuGetErrorName", (cuda_result result, const char **name))                   \
	X(context_retain, "cuDevicePrimaryCtxRetain", (cuda_handle * context, int card))           \
	X(context_release, "cuDevicePrimaryCtxRelease_v2", (int card))                             \
	X(context_id, "cuCtxGetId", (cuda_handle context, unsigned long long *id))                 \
	X(context_push, "cuCtxPushCurrent_v2", (cuda_handle context))                              \
	X(context_pop, "cuCtxPopCurrent_v2", (cuda_handle * context))                              \
	X(priorities, "cuCtxGetStreamPriorityRange", (int *lowest, int *highest))                  \
	X(stream_create, "cuStreamCreateWithPriority",                                             \
	  (cuda_handle * stream, unsigned flags, int priority))                                    \
	X(stream_destroy, "cuStreamDestroy_v2", (cuda_handle stream))                              \
	X(stream_wait, "cuStreamWaitEvent", (cuda_handle stream, cuda_handle event, unsigned))     \
	X(stream_synchronize, "cuStreamSynchronize", (cuda_handle stream))                         \
	X(event_create, "cuEventCreate", (cuda_handle * event, unsigned flags))                    \
	X(event_destroy, "cuEventDestroy_v2", (cuda_handle event))                                 \
	X(event_record, "cuEventRecord", (cuda_handle event, cuda_handle stream))                  \
	X(alloc, "cuMemAlloc_v2", (cuda_pointer * memory, size_t bytes))                           \
	X(free, "cuMemFree_v2", (cuda_pointer memory))                                             \
	X(copy, "cuMemcpy2DAsync_v2", (const struct cuda_copy *copy, cuda_handle stream))          \
	X(unregister, "cuGraphicsUnregisterResource", (cuda_handle resource))                      \
	X(map, "cuGraphicsMapResources",                                                           \
	  (unsigned count, cuda_handle *resources, cuda_handle stream))                            \
	X(unmap, "cuGraphicsUnmapResources",                                                       \
	  (unsigned count, cuda_handle *resources, cuda_handle stream))                            \
	X(mapped_array, "cuGraphicsSubResourceGetMappedArray",                                     \
	  (cuda_handle * array, cuda_handle resource, unsigned index, unsigned level))

/* The same; a driver may lack one of these, and then has no such textures to share. */
#define CUDA_DRIVER_GRAPHICS_FUNCTIONS(X)                                                          \
	X(gl_devices, "cuGLGetDevices_v2", (unsigned *count, int *cards, unsigned max, int list))  \
	X(gl_register, "cuGraphicsGLRegisterImage",                                                \
	  (cuda_handle * resource, unsigned texture, unsigned target, unsigned flags))             \
	X(d3d11_devices, "cuD3D11GetDevices",                                                      \
	  (unsigned *count, int *cards, unsigned max, void *device, int list))                     \
	X(d3d11_register, "cuGraphicsD3D11RegisterResource",                                       \
	  (cuda_handle * resource, void *texture, unsigned flags))

struct cuda_driver {
	void *library;
#define X(name, symbol, parameters) cuda_result(CUDA_CALL *name) parameters;
	CUDA_DRIVER_FUNCTIONS(X)
	CUDA_DRIVER_GRAPHICS_FUNCTIONS(X)
#undef X
};

/* Opens the driver and starts it, which can take a while. On failure false, and why. */
bool cuda_driver_open(struct cuda_driver *driver, char *reason, size_t reason_size);
/* Also after a failure. */
void cuda_driver_close(struct cuda_driver *driver);

/* "map: CUDA_ERROR_UNKNOWN" to 'reason'. */
void cuda_driver_describe(const struct cuda_driver *driver, const char *what, cuda_result result,
			  char *reason, size_t reason_size);

#endif
