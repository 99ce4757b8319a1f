/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Activations, for the generic kernels and for Hopper's, which share nothing else.
 */
#ifndef FVSR_KERNELS_ACTIVATION_CUH
#define FVSR_KERNELS_ACTIVATION_CUH

static __device__ __forceinline__ float silu(float x)
{
	return x / (1 + __expf(-x));
}

static __device__ __forceinline__ float gelu_tanh(float x)
{
	/* (1 + tanh(u)) / 2 = 1 / (1 + exp(-2u)) */
	return x / (1 + __expf(-1.5957691216f * (x + 0.044715f * x * x * x)));
}

#endif
