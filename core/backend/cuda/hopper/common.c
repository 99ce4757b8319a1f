/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tensor maps and grids for the Hopper kernels. A tensor map says where a bulk copy finds a tensor;
 * making one is arithmetic on the host, so maps are made for each launch and travel with its
 * parameters.
 */
#include "backend/cuda/hopper/common.h"

bool fvsr_cuda_hopper_make_map(struct fvsr_cuda_queue *queue, CUtensorMap *map,
			       const struct fvsr_hopper_tensor *t)
{
	static const cuuint32_t ones[5] = {1, 1, 1, 1, 1};
	bool made;

	if (!fvsr_cuda_enter(queue->device)) /* the driver refuses without a context */
		return false;
	made = FVSR_CUDA_TRY(queue, cuTensorMapEncodeTiled, map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16,
			     t->rank, (void *)t->address, t->size, t->step, t->box, ones,
			     CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
			     CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
	fvsr_cuda_leave(queue->device);
	return made;
}

unsigned fvsr_cuda_hopper_grid(const struct fvsr_cuda_queue *queue, int work)
{
	int limit = queue->device->multiprocessors;

	return (unsigned)(work < limit ? work : limit);
}
