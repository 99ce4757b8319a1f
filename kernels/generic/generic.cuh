/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the generic kernels share, all of compute capability 8.0: asynchronous copies to shared
 * memory, matrix fragments, the tensor-core product of 16 x 8 x 16, eight bfloat16 at a time, and
 * sums over a warp.
 */
#ifndef FVSR_KERNELS_GENERIC_CUH
#define FVSR_KERNELS_GENERIC_CUH

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <stdint.h>

#include "../common.cuh"
#include "params.h"

typedef __nv_bfloat16 bf16;

/* Copies 16 bytes from global to shared memory in the background; zeros when not 'valid'. */
DEVICE void copy16(uint32_t dst, const void *src, bool valid)
{
	asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
		     :
		     : "r"(dst), "l"(src), "r"(valid ? 16 : 0)
		     : "memory");
}

DEVICE void copy_commit(void)
{
	asm volatile("cp.async.commit_group;" : : : "memory");
}

/* Waits until at most PENDING of this thread's groups are still on their way. */
template <int PENDING> DEVICE void copy_wait(void)
{
	asm volatile("cp.async.wait_group %0;" : : "n"(PENDING) : "memory");
}

DEVICE void load_matrix_x4(uint32_t r[4], uint32_t address)
{
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
		     : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
		     : "r"(address)
		     : "memory");
}

DEVICE void load_matrix_x4_transposed(uint32_t r[4], uint32_t address)
{
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
		     : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
		     : "r"(address)
		     : "memory");
}

/* Adds the product of a (16 x 16) and b (16 x 8) to d (16 x 8). */
DEVICE void mma_bf16(float d[4], const uint32_t a[4], const uint32_t b[2])
{
	asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
		     "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
		     : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
		     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

DEVICE void unpack8(float x[8], uint4 v)
{
	x[0] = bf16_low(v.x), x[1] = bf16_high(v.x);
	x[2] = bf16_low(v.y), x[3] = bf16_high(v.y);
	x[4] = bf16_low(v.z), x[5] = bf16_high(v.z);
	x[6] = bf16_low(v.w), x[7] = bf16_high(v.w);
}

DEVICE uint4 pack8(const float x[8])
{
	return make_uint4(pack_bf16(x[0], x[1]), pack_bf16(x[2], x[3]), pack_bf16(x[4], x[5]),
			  pack_bf16(x[6], x[7]));
}

DEVICE float warp_sum(float x)
{
#pragma unroll
	for (int i = 16; i; i /= 2)
		x += __shfl_xor_sync(ALL_LANES, x, i);
	return x;
}

#endif
