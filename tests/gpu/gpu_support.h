/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the GPU tests share: a short video through a stream, with its pictures in host memory,
 * behind device pointers or in CUDA arrays, and the driver for what a caller of the library does.
 */
#ifndef FVSR_GPU_SUPPORT_H
#define FVSR_GPU_SUPPORT_H

#include "backend/cuda/runtime/driver.h"
#include "fvsr/fvsr.h"

#define GPU_IN_WIDTH   96
#define GPU_IN_HEIGHT  60
#define GPU_OUT_WIDTH  200
#define GPU_OUT_HEIGHT 120

/* The driver as a caller of the library has it. */
struct gpu {
	struct fvsr_cuda_driver driver;
	CUcontext context;
	CUstream stream;
	__typeof__(cuDevicePrimaryCtxReset) *reset;
	__typeof__(cuMemcpyHtoD) *to_device;
	__typeof__(cuMemcpyDtoH) *to_host;
	__typeof__(cuArrayCreate) *array_create; /* NULL: the driver has no arrays */
	__typeof__(cuArrayDestroy) *array_destroy;
	__typeof__(cuMemcpy2D) *copy_2d;
};

/* Opens the driver with its context current, or exits with 77 and the reason. */
void gpu_open(struct gpu *gpu);
/* Resets the context, which takes everything with it that anybody had in it. */
void gpu_reset(struct gpu *gpu);
void gpu_close(struct gpu *gpu);
size_t gpu_free_bytes(struct gpu *gpu);

/* What came of a video. */
struct gpu_result {
	int error; /* the first failure, 0 if none */
	char text[512];
	int frames;
	uint64_t hash; /* of all pictures, in order */
};

/*
 * Sends 'frames' pictures through a stream of 'model'; 'gpu' may be NULL for host memory. With
 * 'again' the video is sent a second time after a reset and must come out the same.
 */
struct gpu_result gpu_run(struct gpu *gpu, fvsr_model *model, enum fvsr_memory memory,
			  uint64_t seed, int frames, bool again);

#endif
