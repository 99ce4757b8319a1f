/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The functions of cuBLASLt that are used, looked up in the library where that is found.
 */
#ifndef FVSR_CUDA_BLAS_LIBRARY_H
#define FVSR_CUDA_BLAS_LIBRARY_H

#include <stdbool.h>

#include <cublasLt.h>

#define FVSR_CUDA_BLAS_FUNCTIONS(X)                                                                \
	X(cublasLtCreate)                                                                          \
	X(cublasLtDestroy)                                                                         \
	X(cublasLtGetVersion)                                                                      \
	X(cublasLtMatmul)                                                                          \
	X(cublasLtMatmulAlgoGetHeuristic)                                                          \
	X(cublasLtMatmulDescCreate)                                                                \
	X(cublasLtMatmulDescDestroy)                                                               \
	X(cublasLtMatmulDescSetAttribute)                                                          \
	X(cublasLtMatmulPreferenceCreate)                                                          \
	X(cublasLtMatmulPreferenceDestroy)                                                         \
	X(cublasLtMatmulPreferenceSetAttribute)                                                    \
	X(cublasLtMatrixLayoutCreate)                                                              \
	X(cublasLtMatrixLayoutDestroy)

struct fvsr_cuda_blas_library {
	void *library;
#define X(name) __typeof__(name) *name;
	FVSR_CUDA_BLAS_FUNCTIONS(X)
#undef X
};

/*
 * Looks beside our own file on Windows, or where ld.so finds the name elsewhere, then in the usual
 * places of the toolkit and, except on Windows, of Python packages. The environment's FVSR_CUBLASLT
 * is the full path of a file to open instead, or "off". A variable with a relative path is ignored,
 * because the library would come from the current folder.
 */
bool fvsr_cuda_blas_library_open(struct fvsr_cuda_blas_library *library);
void fvsr_cuda_blas_library_close(struct fvsr_cuda_blas_library *library);

#endif
