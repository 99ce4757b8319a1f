/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CUDA driver, found at run time: a machine without one still loads the library and learns
 * why there is no GPU. Only cuda.h is needed to build; nothing of CUDA is linked.
 */
#ifndef FVSR_CUDA_DRIVER_H
#define FVSR_CUDA_DRIVER_H

#include <stdbool.h>
#include <stddef.h>

#include <cuda.h>

/*
 * cuda.h renames most functions to their current version (cuMemAlloc is cuMemAlloc_v2); fields,
 * types and looked-up names all follow it.
 */
#define FVSR_CUDA_DRIVER_FUNCTIONS(X)                                                              \
	X(cuInit)                                                                                  \
	X(cuDriverGetVersion)                                                                      \
	X(cuGetErrorName)                                                                          \
	X(cuGetErrorString)                                                                        \
	X(cuDeviceGetCount)                                                                        \
	X(cuDeviceGet)                                                                             \
	X(cuDeviceGetName)                                                                         \
	X(cuDeviceGetAttribute)                                                                    \
	X(cuDeviceTotalMem)                                                                        \
	X(cuDevicePrimaryCtxRetain)                                                                \
	X(cuDevicePrimaryCtxRelease)                                                               \
	X(cuCtxGetId)                                                                              \
	X(cuCtxPushCurrent)                                                                        \
	X(cuCtxPopCurrent)                                                                         \
	X(cuModuleLoadDataEx)                                                                      \
	X(cuModuleUnload)                                                                          \
	X(cuModuleGetFunctionCount)                                                                \
	X(cuModuleEnumerateFunctions)                                                              \
	X(cuFuncGetName)                                                                           \
	X(cuFuncLoad)                                                                              \
	X(cuFuncSetAttribute)                                                                      \
	X(cuMemAlloc)                                                                              \
	X(cuMemFree)                                                                               \
	X(cuMemHostAlloc)                                                                          \
	X(cuMemFreeHost)                                                                           \
	X(cuMemGetInfo)                                                                            \
	X(cuMemcpyHtoDAsync)                                                                       \
	X(cuMemcpyDtoHAsync)                                                                       \
	X(cuMemcpyDtoDAsync)                                                                       \
	X(cuMemcpy2DAsync)                                                                         \
	X(cuMemsetD8Async)                                                                         \
	X(cuCtxGetStreamPriorityRange)                                                             \
	X(cuStreamCreateWithPriority)                                                              \
	X(cuStreamCreate)                                                                          \
	X(cuStreamDestroy)                                                                         \
	X(cuStreamSynchronize)                                                                     \
	X(cuStreamWaitEvent)                                                                       \
	X(cuEventCreate)                                                                           \
	X(cuEventDestroy)                                                                          \
	X(cuEventRecord)                                                                           \
	X(cuEventQuery)                                                                            \
	X(cuEventSynchronize)                                                                      \
	X(cuEventElapsedTime)                                                                      \
	X(cuLaunchKernelEx)                                                                        \
	X(cuTensorMapEncodeTiled)                                                                  \
	X(cuTensorMapEncodeIm2col)

struct fvsr_cuda_driver {
	void *library;
	int version; /* of CUDA that the driver supports: 13000 for 13.0 */
#define X(name) __typeof__(name) *name;
	FVSR_CUDA_DRIVER_FUNCTIONS(X)
#undef X
};

/* Opens the driver and initialises it; false on failure, with the cause in 'reason'. */
bool fvsr_cuda_driver_open(struct fvsr_cuda_driver *driver, char *reason, size_t reason_bytes);
void fvsr_cuda_driver_close(struct fvsr_cuda_driver *driver);

/*
 * Shared libraries and their symbols; NULL when there is none. No library is ever taken from the
 * current folder, where anybody may have put it.
 *
 * fvsr_cuda_library_open_system() opens what the system's own loader finds under a bare name: on
 * Windows in System32 and nowhere else, elsewhere wherever ld.so looks.
 *
 * fvsr_cuda_library_open_file() opens a file by its full path and refuses any other path. On
 * Windows what that file needs itself comes from its own folder or from System32.
 */
void *fvsr_cuda_library_open_system(const char *name);
void *fvsr_cuda_library_open_file(const char *path);
void *fvsr_cuda_library_symbol(void *library, const char *name);
void fvsr_cuda_library_close(void *library);

#endif
