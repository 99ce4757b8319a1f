/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every kernel by name: the lists of kernels/generic/params.h and kernels/hopper/params.h as one
 * enumeration and one table. A kernel 'name' is extern "C" in one of the files of kernels/ and is
 * launched as FVSR_KERNEL_name. Those of the generic path must all be there when a device is
 * opened; Hopper's only on a Hopper.
 */
#ifndef FVSR_CUDA_KERNEL_LIST_H
#define FVSR_CUDA_KERNEL_LIST_H

#include <stdbool.h>

#include "kernels/generic/params.h"
#include "kernels/hopper/params.h"

enum fvsr_cuda_kernel {
#define X(name, threads, shared_bytes, width) FVSR_KERNEL_##name,
	FVSR_GENERIC_KERNELS(X) FVSR_HOPPER_KERNELS(X)
#undef X
		FVSR_KERNEL_COUNT,
};

/* A row of the lists, which say what the width is. */
struct fvsr_cuda_kernel_row {
	const char *name;
	unsigned threads, shared_bytes;
	int width;
	bool hopper;
};
extern const struct fvsr_cuda_kernel_row fvsr_cuda_kernels[FVSR_KERNEL_COUNT];

/*
 * Returns the narrowest kernel that is at least 'width' wide, of the family whose rows are 'first'
 * to 'last'; 'last' where none is.
 */
enum fvsr_cuda_kernel fvsr_cuda_kernel_for(enum fvsr_cuda_kernel first, enum fvsr_cuda_kernel last,
					   int width);

/* What a launch needs and the kernel's row does not say. */
struct fvsr_cuda_launch {
	enum fvsr_cuda_kernel kernel;
	unsigned grid[3];   /* blocks of threads; 0 counts as 1 */
	unsigned shared;    /* bytes of dynamic shared memory; 0: what the row says */
	const void *params; /* the structure that the kernel takes by value */
};

/* Returns what the driver needs for a launch. */
CUlaunchConfig fvsr_cuda_launch_config(const struct fvsr_cuda_launch *launch, CUstream stream);

#endif
