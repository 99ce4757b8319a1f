/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dialect of all device code, generic and Hopper's: how kernels and their functions are
 * declared, pairs of bfloat16, and the few formulas that both need.
 */
#ifndef FVSR_KERNELS_COMMON_CUH
#define FVSR_KERNELS_COMMON_CUH

#include <stdint.h>

#define KERNEL extern "C" __global__ void
#define DEVICE static __device__ __forceinline__

constexpr unsigned ALL_LANES = 0xFFFFFFFFu; /* of a warp, for shuffles and votes */
constexpr float LOG2_E = 1.4426950408889634f;

DEVICE uint32_t shared_address(const void *p)
{
	return (uint32_t)__cvta_generic_to_shared(p);
}

/* Rounds two floats to nearest and packs them, 'low' into the lower half. */
DEVICE uint32_t pack_bf16(float low, float high)
{
	uint32_t packed;

	asm("cvt.rn.bf16x2.f32 %0, %2, %1;" : "=r"(packed) : "f"(low), "f"(high));
	return packed;
}

DEVICE float bf16_low(uint32_t packed)
{
	return __uint_as_float(packed << 16);
}

DEVICE float bf16_high(uint32_t packed)
{
	return __uint_as_float(packed & 0xFFFF0000u);
}

/* Returns 2 to the power of x, by one instruction; subnormal results become zero. */
DEVICE float exp2_fast(float x)
{
	float y;

	asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
	return y;
}

DEVICE float silu(float x)
{
	return x / (1 + __expf(-x));
}

DEVICE float gelu_tanh(float x)
{
	/* (1 + tanh(u)) / 2 = 1 / (1 + exp(-2u)) */
	return x / (1 + __expf(-1.5957691216f * (x + 0.044715f * x * x * x)));
}

#endif
