/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every kernel by name, with the dynamic shared memory that it may ask for. A kernel 'name' is
 * extern "C" in one of the files of kernels/ and is launched as FVSR_KERNEL_name. Those of the
 * generic path must all be there when a device is opened; Hopper's (hopper.h) only on a Hopper.
 */
#ifndef FVSR_CUDA_KERNEL_LIST_H
#define FVSR_CUDA_KERNEL_LIST_H

#include "backend/cuda/hopper/hopper.h"

/* gemm: 4 stages of 128 + tile rows of 64 bytes; attention: 3 of 64 keys and 64 values */
#define FVSR_CUDA_GEMM_SHARED(tile)       (4 * (128 + (tile)) * 64)
#define FVSR_CUDA_ATTENTION_SHARED(width) (3 * 2 * 64 * (width)*2)
#define FVSR_CUDA_CONV_RGB_SHARED         (2 * (18 * 18 + 9 * 8) * 64)
#define FVSR_CUDA_ROPE_ANY_SHARED         49152 /* dim up to 12288 */

#define FVSR_CUDA_GENERIC_KERNELS(X)                                                               \
	X(resize_rows, 0)                                                                          \
	X(resize_columns, 0)                                                                       \
	X(ingest_planar, 0)                                                                        \
	X(unshuffle, 0)                                                                            \
	X(unpatchify, 0)                                                                           \
	X(decoder_input, 0)                                                                        \
	X(pixel_shuffle_2, 0)                                                                      \
	X(pixel_shuffle_4, 0)                                                                      \
	X(noise_slice, 0)                                                                          \
	X(rope_table, 0)                                                                           \
	X(norm_512, 0)                                                                             \
	X(norm_1536, 0)                                                                            \
	X(norm_4096, 0)                                                                            \
	X(norm_any, 0)                                                                             \
	X(add, 0)                                                                                  \
	X(to_bf16, 0)                                                                              \
	X(fill, 0)                                                                                 \
	X(delay, 0)                                                                                \
	X(qk_rope_512, 0)                                                                          \
	X(qk_rope_1536, 0)                                                                         \
	X(qk_rope_any, FVSR_CUDA_ROPE_ANY_SHARED)                                                  \
	X(block_scores, 0)                                                                         \
	X(block_keep, 0)                                                                           \
	X(attention_32, FVSR_CUDA_ATTENTION_SHARED(32))                                            \
	X(attention_64, FVSR_CUDA_ATTENTION_SHARED(64))                                            \
	X(attention_128, FVSR_CUDA_ATTENTION_SHARED(128))                                          \
	X(gemm_128, FVSR_CUDA_GEMM_SHARED(128))                                                    \
	X(gemm_64, FVSR_CUDA_GEMM_SHARED(64))                                                      \
	X(gemm_32, FVSR_CUDA_GEMM_SHARED(32))                                                      \
	X(gemm_16, FVSR_CUDA_GEMM_SHARED(16))                                                      \
	X(conv_direct, 0)                                                                          \
	X(conv_rgb, FVSR_CUDA_CONV_RGB_SHARED)                                                     \
	X(conv_rgb_direct, 0)                                                                      \
	X(color_sums, 0)                                                                           \
	X(color_apply, 0)                                                                          \
	X(wavelet_level, 0)                                                                        \
	X(wavelet_apply, 0)

enum fvsr_cuda_kernel {
#define X(name, shared_bytes) FVSR_KERNEL_##name,
	FVSR_CUDA_GENERIC_KERNELS(X) FVSR_CUDA_HOPPER_KERNELS(X)
#undef X
		FVSR_KERNEL_COUNT,
};

#endif
