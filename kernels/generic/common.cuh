/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the generic kernels share: asynchronous copies to shared memory, matrix fragments and the
 * tensor-core product of compute capability 8.0, and sums over a warp.
 */
#ifndef FVSR_KERNELS_COMMON_CUH
#define FVSR_KERNELS_COMMON_CUH

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <stdint.h>

#include "activation.cuh"
#include "../params.h"

typedef __nv_bfloat16 bf16;

#define KERNEL extern "C" __global__ void
#define DEVICE static __device__ __forceinline__

DEVICE uint32_t shared_address(const void *p)
{
	return (uint32_t)__cvta_generic_to_shared(p);
}

/* 16 bytes from global to shared memory, in the background; zeros when not 'valid'. */
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

/* Until at most 'pending' of this thread's groups are still on their way. */
template <int pending> DEVICE void copy_wait(void)
{
	asm volatile("cp.async.wait_group %0;" : : "n"(pending) : "memory");
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

/* d (16 x 8) += a (16 x 16) b (16 x 8) */
DEVICE void mma_bf16(float d[4], const uint32_t a[4], const uint32_t b[2])
{
	asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
		     "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
		     : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
		     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

DEVICE uint32_t pack_bf16(float low, float high)
{
	__nv_bfloat162 pair = __floats2bfloat162_rn(low, high);

	return *reinterpret_cast<uint32_t *>(&pair);
}

DEVICE float low_bf16(uint32_t pair)
{
	return __uint_as_float(pair << 16);
}

DEVICE float high_bf16(uint32_t pair)
{
	return __uint_as_float(pair & 0xFFFF0000u);
}

DEVICE void unpack8(float x[8], uint4 v)
{
	x[0] = low_bf16(v.x), x[1] = high_bf16(v.x);
	x[2] = low_bf16(v.y), x[3] = high_bf16(v.y);
	x[4] = low_bf16(v.z), x[5] = high_bf16(v.z);
	x[6] = low_bf16(v.w), x[7] = high_bf16(v.w);
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
		x += __shfl_xor_sync(0xFFFFFFFFu, x, i);
	return x;
}

#endif
