/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stand-in for cuBLASLt that multiplies nothing: it counts products and what it has made,
 * proposes two algorithms for any shape, and wants biases in bfloat16, so that the engine keeps
 * copies of them. It aborts when two threads are in it at once, which the engine's lock must not
 * allow.
 */
#include <cublasLt.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY __attribute__((visibility("default")))

/* The test reads these. */
ENTRY atomic_int fake_blas_products;
ENTRY atomic_int fake_blas_objects;

static atomic_int inside;

static void enter(void)
{
	if (atomic_fetch_add(&inside, 1))
		abort();
}

static cublasStatus_t leave(void)
{
	atomic_fetch_sub(&inside, 1);
	return CUBLAS_STATUS_SUCCESS;
}

/* Everything that is made is one of these; only descriptions of products use what is in it. */
struct object {
	int32_t bias_type;
};

static void *make(void)
{
	atomic_fetch_add(&fake_blas_objects, 1);
	return calloc(1, sizeof(struct object));
}

static cublasStatus_t destroy(void *object)
{
	atomic_fetch_sub(&fake_blas_objects, 1);
	free(object);
	return CUBLAS_STATUS_SUCCESS;
}

ENTRY size_t cublasLtGetVersion(void)
{
	return 130000;
}

ENTRY cublasStatus_t cublasLtCreate(cublasLtHandle_t *handle)
{
	*handle = make();
	return CUBLAS_STATUS_SUCCESS;
}

ENTRY cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle)
{
	return destroy(handle);
}

ENTRY cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *desc,
					      cublasComputeType_t compute, cudaDataType_t scale)
{
	(void)compute, (void)scale;
	enter();
	*desc = make();
	return leave();
}

ENTRY cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t desc)
{
	return destroy(desc);
}

ENTRY cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t desc,
						    cublasLtMatmulDescAttributes_t attribute,
						    const void *value, size_t bytes)
{
	enter();
	if (attribute == CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE)
		memcpy(&((struct object *)desc)->bias_type, value, bytes);
	return leave();
}

ENTRY cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *layout, cudaDataType type,
						uint64_t rows, uint64_t columns, int64_t step)
{
	(void)type, (void)rows, (void)columns, (void)step;
	enter();
	*layout = make();
	return leave();
}

ENTRY cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout)
{
	return destroy(layout);
}

ENTRY cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *preference)
{
	enter();
	*preference = make();
	return leave();
}

ENTRY cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference)
{
	return destroy(preference);
}

ENTRY cublasStatus_t cublasLtMatmulPreferenceSetAttribute(
	cublasLtMatmulPreference_t preference, cublasLtMatmulPreferenceAttributes_t attribute,
	const void *value, size_t bytes)
{
	(void)preference, (void)attribute, (void)value, (void)bytes;
	enter();
	return leave();
}

ENTRY cublasStatus_t cublasLtMatmulAlgoGetHeuristic(
	cublasLtHandle_t handle, cublasLtMatmulDesc_t desc, cublasLtMatrixLayout_t a,
	cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
	cublasLtMatmulPreference_t preference, int wanted, cublasLtMatmulHeuristicResult_t *results,
	int *found)
{
	(void)handle, (void)a, (void)b, (void)c, (void)d, (void)preference;
	enter();
	*found = ((struct object *)desc)->bias_type == CUDA_R_16BF && wanted >= 2 ? 2 : 0;
	memset(results, 0, (size_t)*found * sizeof(*results));
	for (int i = 0; i < *found; i++)
		results[i].workspaceSize = 1024;
	return leave();
}

ENTRY cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t desc,
				    const void *alpha, const void *a, cublasLtMatrixLayout_t a_desc,
				    const void *b, cublasLtMatrixLayout_t b_desc, const void *beta,
				    const void *c, cublasLtMatrixLayout_t c_desc, void *d,
				    cublasLtMatrixLayout_t d_desc, const cublasLtMatmulAlgo_t *algo,
				    void *workspace, size_t workspace_bytes, cudaStream_t stream)
{
	(void)handle, (void)desc, (void)alpha, (void)a, (void)a_desc, (void)b, (void)b_desc;
	(void)beta, (void)c, (void)c_desc, (void)d, (void)d_desc, (void)algo, (void)workspace;
	(void)workspace_bytes, (void)stream;
	enter();
	atomic_fetch_add(&fake_blas_products, 1);
	return leave();
}
