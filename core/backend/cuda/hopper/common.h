/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What launches of both families of Hopper kernels need: tensor maps, and a grid that fills the
 * card once, because a block of threads lives as long as the launch.
 */
#ifndef FVSR_CUDA_HOPPER_COMMON_H
#define FVSR_CUDA_HOPPER_COMMON_H

#include "backend/cuda/hopper/hopper.h"
#include "backend/cuda/runtime/cuda_backend.h"

/* A bfloat16 tensor; its dimensions are listed from the innermost out. */
struct fvsr_hopper_tensor {
	const void *address;
	unsigned rank;
	cuuint64_t size[5]; /* elements */
	cuuint64_t step[4]; /* bytes, from dimension 1 on */
	cuuint32_t box[5];  /* elements that a bulk copy takes */
};

/* Makes a map of a tensor; false, and a failure of the queue, where the driver refuses. */
bool fvsr_cuda_hopper_make_map(struct fvsr_cuda_queue *queue, CUtensorMap *map,
			       const struct fvsr_hopper_tensor *t);
/* Returns how many blocks of threads share 'work' pieces. */
unsigned fvsr_cuda_hopper_grid(const struct fvsr_cuda_queue *queue, int work);

static inline int fvsr_cuda_hopper_divide_up(int a, int b)
{
	return (a + b - 1) / b;
}

#endif
