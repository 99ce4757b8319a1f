/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of all kernels, and what follows from a row of it for a launch. Nothing here asks the
 * driver, so that the bench of the Hopper kernels uses it without the rest of the backend.
 */
#include "backend/cuda/runtime/kernel_list.h"

const struct fvsr_cuda_kernel_row fvsr_cuda_kernels[FVSR_KERNEL_COUNT] = {
#define X(name, threads, shared_bytes, width) {#name, threads, shared_bytes, width, false},
	FVSR_GENERIC_KERNELS(X)
#undef X
#define X(name, threads, shared_bytes, width) {#name, threads, shared_bytes, width, true},
		FVSR_HOPPER_KERNELS(X)
#undef X
};

enum fvsr_cuda_kernel fvsr_cuda_kernel_for(enum fvsr_cuda_kernel first, enum fvsr_cuda_kernel last,
					   int width)
{
	enum fvsr_cuda_kernel kernel = first;

	while (kernel < last && fvsr_cuda_kernels[kernel].width < width)
		kernel++;
	return kernel;
}

static unsigned at_least_one(unsigned x)
{
	return x ? x : 1;
}

CUlaunchConfig fvsr_cuda_launch_config(const struct fvsr_cuda_launch *launch, CUstream stream)
{
	const struct fvsr_cuda_kernel_row *row = &fvsr_cuda_kernels[launch->kernel];

	return (CUlaunchConfig){
		.gridDimX = at_least_one(launch->grid[0]),
		.gridDimY = at_least_one(launch->grid[1]),
		.gridDimZ = at_least_one(launch->grid[2]),
		.blockDimX = row->threads,
		.blockDimY = 1,
		.blockDimZ = 1,
		.sharedMemBytes = launch->shared ? launch->shared : row->shared_bytes,
		.hStream = stream,
	};
}
