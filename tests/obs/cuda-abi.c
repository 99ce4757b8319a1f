/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compares what the plugin declares of CUDA's driver with CUDA's own header, when it is compiled.
 */
#include <cuda.h>

#include <stddef.h>

#include "transport/cuda-driver.h"

#define SAME(theirs, ours)                                                                         \
	_Static_assert(offsetof(CUDA_MEMCPY2D, theirs) == offsetof(struct cuda_copy, ours) &&      \
			       sizeof(((CUDA_MEMCPY2D *)0)->theirs) ==                             \
				       sizeof(((struct cuda_copy *)0)->ours),                      \
		       #theirs)

SAME(srcXInBytes, from.x_bytes);
SAME(srcY, from.y);
SAME(srcMemoryType, from.memory);
SAME(srcHost, from.host);
SAME(srcDevice, from.device);
SAME(srcArray, from.array);
SAME(srcPitch, from.pitch);
SAME(dstXInBytes, to.x_bytes);
SAME(dstY, to.y);
SAME(dstMemoryType, to.memory);
SAME(dstHost, to.host);
SAME(dstDevice, to.device);
SAME(dstArray, to.array);
SAME(dstPitch, to.pitch);
SAME(WidthInBytes, width_bytes);
SAME(Height, height);
_Static_assert(sizeof(CUDA_MEMCPY2D) == sizeof(struct cuda_copy), "a copy");

_Static_assert(sizeof(CUdeviceptr) == sizeof(cuda_pointer), "a pointer");
_Static_assert(sizeof(CUdevice) == sizeof(int) && sizeof(CUresult) == sizeof(cuda_result), "ints");
_Static_assert((int)CU_MEMORYTYPE_DEVICE == (int)CUDA_MEMORY_DEVICE, "device memory");
_Static_assert((int)CU_MEMORYTYPE_ARRAY == (int)CUDA_MEMORY_ARRAY, "an array");
_Static_assert(CU_STREAM_NON_BLOCKING == CUDA_STREAM_NON_BLOCKING, "a stream");
_Static_assert(CU_EVENT_DISABLE_TIMING == CUDA_EVENT_DISABLE_TIMING, "an event");
_Static_assert((int)CU_GRAPHICS_REGISTER_FLAGS_READ_ONLY == (int)CUDA_REGISTER_READ_ONLY, "a hint");
_Static_assert((int)CU_GRAPHICS_REGISTER_FLAGS_WRITE_DISCARD == (int)CUDA_REGISTER_WRITE_DISCARD,
	       "a hint");
