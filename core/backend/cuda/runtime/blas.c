/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linear layers by cuBLASLt, with bias, GELU and residual in its epilogue. Row-major y = x W^T is
 * column-major y^T = W x^T, whose rows are the output channels that the bias belongs to.
 *
 * A shape's algorithm is chosen when it is planned for the first time, by timing the library's
 * first proposals on memory of the real size; where that memory is not free, its first proposal is
 * taken. Plans belong to the device and serve all its queues.
 *
 * One lock guards plans, kept biases and every call of the library. It is never held while the host
 * waits for the card, or a stream that is being opened would hold up one that runs.
 */
#include "backend/cuda/runtime/blas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cuda/runtime/blas_library.h"
#include "backend/cuda/ops/ops.h"
#include "kernels/generic/params.h"

#define WORKSPACE_BYTES ((size_t)32 << 20)
#define PROPOSALS       8
#define TIMED_RUNS      5

/* How to do the products of one shape; never changed again once it is in the device's list. */
struct plan {
	struct plan *next;
	int m, n, k;
	bool gelu, residual;
	bool usable;
	bool short_bias; /* the library wants the bias in bfloat16 */
	cublasLtMatmulDesc_t desc;
	cublasLtMatrixLayout_t weight, x, y;
	cublasLtMatmulAlgo_t algo;
	size_t workspace;
	char name[48]; /* for the profile */
};

/* A layer's bias in bfloat16. */
struct short_bias {
	struct short_bias *next;
	const void *bias;
	CUdeviceptr copy;
};

struct fvsr_cuda_blas {
	struct fvsr_cuda_device *device;
	struct fvsr_cuda_blas_library library;
	cublasLtHandle_t handle;
	pthread_mutex_t lock; /* of the library's functions too */
	struct plan *plans;
	struct short_bias *biases;
};

static size_t padded(size_t bytes)
{
	return (bytes + 255) / 256 * 256;
}

/* One product's operands. */
struct operands {
	const void *weight, *x, *bias, *residual;
	void *y, *workspace;
};

struct fvsr_cuda_blas *fvsr_cuda_blas_open(struct fvsr_cuda_device *device)
{
	struct fvsr_cuda_blas *blas;

	if (device->generic || !(blas = calloc(1, sizeof(*blas))))
		return NULL;
	blas->device = device;
	if (pthread_mutex_init(&blas->lock, NULL)) {
		free(blas);
		return NULL;
	}
	if (fvsr_cuda_blas_library_open(&blas->library) &&
	    blas->library.cublasLtCreate(&blas->handle) == CUBLAS_STATUS_SUCCESS) {
		fvsr_log(&device->base.log, FVSR_LOG_DEBUG, "cuBLASLt %zu",
			 blas->library.cublasLtGetVersion());
		return blas;
	}
	blas->handle = NULL;
	fvsr_cuda_blas_close(blas, true);
	return NULL;
}

static void free_plan(const struct fvsr_cuda_blas *blas, struct plan *plan)
{
	if (plan->desc)
		blas->library.cublasLtMatmulDescDestroy(plan->desc);
	if (plan->weight)
		blas->library.cublasLtMatrixLayoutDestroy(plan->weight);
	if (plan->x)
		blas->library.cublasLtMatrixLayoutDestroy(plan->x);
	if (plan->y)
		blas->library.cublasLtMatrixLayoutDestroy(plan->y);
	free(plan);
}

/* Takes the copies of biases in a range of memory out of the list, and returns them as another. */
static struct short_bias *take_biases(struct fvsr_cuda_blas *blas, uintptr_t first, uintptr_t last)
{
	struct short_bias **at = &blas->biases, *bias, *taken = NULL;

	while ((bias = *at)) {
		if ((uintptr_t)bias->bias < first || (uintptr_t)bias->bias > last) {
			at = &bias->next;
			continue;
		}
		*at = bias->next;
		bias->next = taken;
		taken = bias;
	}
	return taken;
}

static void free_biases(const struct fvsr_cuda_device *device, struct short_bias *list, bool alive)
{
	while (list) {
		struct short_bias *bias = list;

		list = bias->next;
		if (alive)
			device->driver.cuMemFree(bias->copy); /* may wait for the card */
		free(bias);
	}
}

void fvsr_cuda_blas_forget(struct fvsr_cuda_device *device, const void *memory, size_t bytes)
{
	struct fvsr_cuda_blas *blas = device->blas;
	struct short_bias *taken;

	if (!blas || !bytes || !fvsr_cuda_enter(device))
		return;
	pthread_mutex_lock(&blas->lock);
	taken = take_biases(blas, (uintptr_t)memory, (uintptr_t)memory + bytes - 1);
	pthread_mutex_unlock(&blas->lock);
	free_biases(device, taken, true);
	fvsr_cuda_leave(device);
}

void fvsr_cuda_blas_close(struct fvsr_cuda_blas *blas, bool alive)
{
	if (!blas)
		return;
	free_biases(blas->device, blas->biases, alive);
	while (blas->plans) {
		struct plan *plan = blas->plans;

		blas->plans = plan->next;
		free_plan(blas, plan);
	}
	if (blas->handle && alive)
		blas->library.cublasLtDestroy(blas->handle);
	fvsr_cuda_blas_library_close(&blas->library);
	pthread_mutex_destroy(&blas->lock);
	free(blas);
}

static bool done(const struct fvsr_cuda_blas *blas, cublasStatus_t status)
{
	return !fvsr_cuda_inject(blas->device) && status == CUBLAS_STATUS_SUCCESS;
}

static bool set(const struct fvsr_cuda_blas *blas, const struct plan *plan,
		cublasLtMatmulDescAttributes_t attribute, const void *value, size_t bytes)
{
	return done(blas, blas->library.cublasLtMatmulDescSetAttribute(plan->desc, attribute, value,
								       bytes));
}

static bool describe(const struct fvsr_cuda_blas *blas, struct plan *plan)
{
	const struct fvsr_cuda_blas_library *lib = &blas->library;
	uint64_t m = (uint64_t)plan->m, n = (uint64_t)plan->n, k = (uint64_t)plan->k;
	cublasOperation_t transposed = CUBLAS_OP_T;
	cublasLtEpilogue_t epilogue =
		plan->gelu ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_BIAS;

	return done(blas,
		    lib->cublasLtMatmulDescCreate(&plan->desc, CUBLAS_COMPUTE_32F, CUDA_R_32F)) &&
	       done(blas, lib->cublasLtMatrixLayoutCreate(&plan->weight, CUDA_R_16BF, k, n,
							  (int64_t)k)) &&
	       done(blas,
		    lib->cublasLtMatrixLayoutCreate(&plan->x, CUDA_R_16BF, k, m, (int64_t)k)) &&
	       done(blas,
		    lib->cublasLtMatrixLayoutCreate(&plan->y, CUDA_R_16BF, n, m, (int64_t)n)) &&
	       set(blas, plan, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof(transposed)) &&
	       set(blas, plan, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof(epilogue));
}

/* Returns how many proposals there are for a bias of this type. */
static int propose(const struct fvsr_cuda_blas *blas, const struct plan *plan, cudaDataType_t bias,
		   cublasLtMatmulPreference_t preference,
		   cublasLtMatmulHeuristicResult_t proposals[PROPOSALS])
{
	int32_t type = (int32_t)bias;
	int found = 0;

	if (!set(blas, plan, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, &type, sizeof(type)) ||
	    !done(blas, blas->library.cublasLtMatmulAlgoGetHeuristic(
				blas->handle, plan->desc, plan->weight, plan->x, plan->y, plan->y,
				preference, PROPOSALS, proposals, &found)))
		return 0;
	return found;
}

static bool prefer(const struct fvsr_cuda_blas *blas, cublasLtMatmulPreference_t preference)
{
	static const cublasLtMatmulPreferenceAttributes_t alignments[] = {
		CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES,
		CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
		CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES,
		CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES,
	};
	const struct fvsr_cuda_blas_library *lib = &blas->library;
	uint64_t workspace = WORKSPACE_BYTES;
	uint32_t alignment = 16;
	bool good = done(blas, lib->cublasLtMatmulPreferenceSetAttribute(
				       preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
				       &workspace, sizeof(workspace)));

	for (size_t i = 0; i < sizeof(alignments) / sizeof(*alignments) && good; i++)
		good = done(blas,
			    lib->cublasLtMatmulPreferenceSetAttribute(
				    preference, alignments[i], &alignment, sizeof(alignment)));
	return good;
}

static int find_proposals(const struct fvsr_cuda_blas *blas, struct plan *plan,
			  cublasLtMatmulHeuristicResult_t proposals[PROPOSALS])
{
	const struct fvsr_cuda_blas_library *lib = &blas->library;
	cublasLtMatmulPreference_t preference;
	int found = 0;

	if (!done(blas, lib->cublasLtMatmulPreferenceCreate(&preference)))
		return 0;
	if (prefer(blas, preference)) {
		found = propose(blas, plan, CUDA_R_32F, preference, proposals);
		if (!found) {
			plan->short_bias = true;
			found = propose(blas, plan, CUDA_R_16BF, preference, proposals);
		}
	}
	lib->cublasLtMatmulPreferenceDestroy(preference);
	return found;
}

static bool multiply(const struct fvsr_cuda_blas *blas, const struct plan *plan,
		     const cublasLtMatmulAlgo_t *algo, const struct operands *o, size_t workspace,
		     CUstream stream)
{
	const float one = 1, beta = plan->residual ? 1 : 0;

	return set(blas, plan, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &o->bias, sizeof(o->bias)) &&
	       done(blas, blas->library.cublasLtMatmul(
				  blas->handle, plan->desc, &one, o->weight, plan->weight, o->x,
				  plan->x, &beta, plan->residual ? o->residual : o->y, plan->y,
				  o->y, plan->y, algo, o->workspace, workspace, stream));
}

/* ------------------------------------------------------------------------------------------- */
/* Choosing an algorithm                                                                       */

/* Memory, events and operands to time proposals on, which are freed as a whole. */
struct bench {
	struct fvsr_cuda_queue *queue;
	CUdeviceptr memory;
	CUevent begin, end;
	struct operands operands;
};

static void bench_close(struct bench *b)
{
	const struct fvsr_cuda_driver *driver = &b->queue->device->driver;

	driver->cuStreamSynchronize(b->queue->stream);
	if (b->memory)
		driver->cuMemFree(b->memory);
	if (b->begin)
		driver->cuEventDestroy(b->begin);
	if (b->end)
		driver->cuEventDestroy(b->end);
}

/* Launches a thread for each of 'count' elements, although the queue is planning. */
static bool launch_now(struct fvsr_cuda_queue *queue, enum fvsr_cuda_kernel kernel, uint64_t count,
		       void *params)
{
	const struct fvsr_cuda_launch launch = {
		.kernel = kernel,
		.grid = {fvsr_cuda_blocks(count, FVSR_ITEM_THREADS)},
	};
	CUlaunchConfig config = fvsr_cuda_launch_config(&launch, queue->stream);

	return FVSR_CUDA_CALL(queue->device, cuLaunchKernelEx, &config,
			      queue->device->kernels[kernel], &params, NULL) == CUDA_SUCCESS;
}

/* Fills the operands: zeros would be faster than what comes later. */
static bool fill(struct bench *b, size_t bytes)
{
	struct fvsr_fill_params p = {
		.dst = (void *)(uintptr_t)b->memory,
		.count = bytes / 2,
		.seed = 1,
	};

	return launch_now(b->queue, FVSR_KERNEL_fill, p.count, &p);
}

/* Returns false when there is no memory to time on. */
static bool bench_open(struct bench *b, const struct plan *plan)
{
	struct fvsr_cuda_device *device = b->queue->device;
	size_t weight = padded((size_t)plan->n * plan->k * 2);
	size_t x = padded((size_t)plan->m * plan->k * 2);
	size_t y = padded((size_t)plan->m * plan->n * 2);
	size_t bias = padded((size_t)plan->n * 4);
	char *at;

	if (FVSR_CUDA_CALL(device, cuMemAlloc, &b->memory,
			   weight + x + y + bias + WORKSPACE_BYTES) != CUDA_SUCCESS) {
		b->memory = 0;
		return false;
	}
	at = (char *)(uintptr_t)b->memory;
	b->operands = (struct operands){
		.weight = at,
		.x = at + weight,
		.y = at + weight + x,
		.residual = at + weight + x,
		.bias = at + weight + x + y,
		.workspace = at + weight + x + y + bias,
	};
	return FVSR_CUDA_CALL(device, cuEventCreate, &b->begin, CU_EVENT_DEFAULT) == CUDA_SUCCESS &&
	       FVSR_CUDA_CALL(device, cuEventCreate, &b->end, CU_EVENT_DEFAULT) == CUDA_SUCCESS &&
	       fill(b, weight + x + y + bias);
}

static bool multiply_on_bench(struct bench *b, struct fvsr_cuda_blas *blas, const struct plan *plan,
			      const cublasLtMatmulHeuristicResult_t *proposal)
{
	bool good;

	pthread_mutex_lock(&blas->lock);
	good = multiply(blas, plan, &proposal->algo, &b->operands, proposal->workspaceSize,
			b->queue->stream);
	pthread_mutex_unlock(&blas->lock);
	return good;
}

/*
 * Returns the milliseconds of several runs; negative when the proposal does not work. Other queues
 * go on meanwhile, and their work on the card blurs the measurement.
 */
static float time_proposal(struct bench *b, struct fvsr_cuda_blas *blas, const struct plan *plan,
			   const cublasLtMatmulHeuristicResult_t *proposal)
{
	const struct fvsr_cuda_driver *driver = &b->queue->device->driver;
	CUstream stream = b->queue->stream;
	float ms = -1;

	for (int i = 0; i < TIMED_RUNS + 1; i++) {
		/* the first run is not timed: it may load code */
		if (i == 1 && driver->cuEventRecord(b->begin, stream) != CUDA_SUCCESS)
			return -1;
		if (!multiply_on_bench(b, blas, plan, proposal))
			return -1;
	}
	if (driver->cuEventRecord(b->end, stream) != CUDA_SUCCESS ||
	    driver->cuEventSynchronize(b->end) != CUDA_SUCCESS ||
	    driver->cuEventElapsedTime(&ms, b->begin, b->end) != CUDA_SUCCESS)
		return -1;
	return ms;
}

static int fastest(struct fvsr_cuda_queue *queue, struct fvsr_cuda_blas *blas,
		   const struct plan *plan, const cublasLtMatmulHeuristicResult_t *proposals,
		   int found)
{
	struct bench b = {.queue = queue};
	float best = -1;
	int chosen = 0;

	if (bench_open(&b, plan)) {
		for (int i = 0; i < found; i++) {
			float ms = time_proposal(&b, blas, plan, &proposals[i]);

			if (ms >= 0 && (best < 0 || ms < best)) {
				best = ms;
				chosen = i;
			}
		}
	}
	bench_close(&b);
	fvsr_log(&queue->device->base.log, FVSR_LOG_DEBUG,
		 "linear %d x %d x %d: proposal %d of %d, %.3f ms", plan->m, plan->n, plan->k,
		 chosen + 1, found, best < 0 ? 0.0 : (double)best / TIMED_RUNS);
	return chosen;
}

/* Returns the plan of a layer, or NULL. The caller holds the lock. */
static struct plan *find_plan(struct fvsr_cuda_blas *blas, const struct fvsr_linear *a,
			      bool residual)
{
	struct plan *plan = blas->plans;

	while (plan &&
	       (plan->m != a->m || plan->n != a->n || plan->k != a->k ||
		plan->gelu != (a->activation == FVSR_ACT_GELU_TANH) || plan->residual != residual))
		plan = plan->next;
	return plan;
}

/* Chooses an algorithm; the plan is not in the list yet, so nobody else knows of it. */
static void complete_plan(struct fvsr_cuda_queue *queue, struct fvsr_cuda_blas *blas,
			  struct plan *plan)
{
	cublasLtMatmulHeuristicResult_t proposals[PROPOSALS];
	int found, chosen;

	pthread_mutex_lock(&blas->lock);
	found = describe(blas, plan) ? find_proposals(blas, plan, proposals) : 0;
	pthread_mutex_unlock(&blas->lock);
	if (!found)
		return;
	chosen = fastest(queue, blas, plan, proposals, found);
	plan->algo = proposals[chosen].algo;
	plan->workspace = proposals[chosen].workspaceSize;
	plan->usable = true;
}

/* Returns the plan to use: that of another queue if it was faster in making the same. */
static struct plan *publish_plan(struct fvsr_cuda_blas *blas, const struct fvsr_linear *a,
				 struct plan *plan)
{
	struct plan *other;

	pthread_mutex_lock(&blas->lock);
	other = find_plan(blas, a, plan->residual);
	if (other) {
		free_plan(blas, plan);
	} else {
		plan->next = blas->plans;
		blas->plans = plan;
	}
	pthread_mutex_unlock(&blas->lock);
	return other ? other : plan;
}

static struct plan *make_plan(struct fvsr_cuda_queue *queue, struct fvsr_cuda_blas *blas,
			      const struct fvsr_linear *a, bool residual)
{
	struct plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return NULL;
	plan->m = a->m, plan->n = a->n, plan->k = a->k;
	plan->gelu = a->activation == FVSR_ACT_GELU_TANH;
	plan->residual = residual;
	snprintf(plan->name, sizeof(plan->name), "cuBLASLt %d x %d x %d", a->m, a->n, a->k);
	complete_plan(queue, blas, plan);
	return publish_plan(blas, a, plan);
}

/* ------------------------------------------------------------------------------------------- */
/* Using it                                                                                    */

static bool fits(const struct fvsr_cuda_queue *queue, const struct fvsr_linear *a)
{
	uintptr_t all = (uintptr_t)a->y | (uintptr_t)a->x | (uintptr_t)a->weight |
			(uintptr_t)a->bias | (uintptr_t)a->residual;

	if (a->n % 8 || a->k % 8)
		return false;
	if (a->activation == FVSR_ACT_SILU || (a->activation != FVSR_ACT_NONE && a->residual))
		return false;
	return queue->base.planning || all % 16 == 0;
}

/* Returns what is kept of a bias, or NULL. The caller holds the lock. */
static const struct short_bias *find_bias(const struct fvsr_cuda_blas *blas, const void *bias)
{
	const struct short_bias *entry = blas->biases;

	while (entry && entry->bias != bias)
		entry = entry->next;
	return entry;
}

static bool bias_kept(struct fvsr_cuda_blas *blas, const void *bias)
{
	bool kept;

	pthread_mutex_lock(&blas->lock);
	kept = find_bias(blas, bias);
	pthread_mutex_unlock(&blas->lock);
	return kept;
}

/* Returns a converted copy that nobody else knows of yet; NULL when there is no room for it. */
static struct short_bias *convert_bias(struct fvsr_cuda_queue *queue, const struct fvsr_linear *a)
{
	struct fvsr_cuda_device *device = queue->device;
	struct fvsr_to_bf16_params p = {.src = a->bias, .count = (uint64_t)a->n};
	struct short_bias *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->bias = a->bias;
	if (FVSR_CUDA_CALL(device, cuMemAlloc, &entry->copy, (size_t)a->n * 2) != CUDA_SUCCESS) {
		free(entry);
		return NULL;
	}
	p.dst = (void *)(uintptr_t)entry->copy;
	if (launch_now(queue, FVSR_KERNEL_to_bf16, p.count, &p) &&
	    FVSR_CUDA_CALL(device, cuStreamSynchronize, queue->stream) == CUDA_SUCCESS)
		return entry;
	free_biases(device, entry, true);
	return NULL;
}

/* Keeps a converted copy, while planning; without one, the bias is converted with every product. */
static void keep_bias(struct fvsr_cuda_queue *queue, struct fvsr_cuda_blas *blas,
		      const struct fvsr_linear *a)
{
	struct short_bias *entry;
	bool twice;

	if (!a->bias || bias_kept(blas, a->bias) || !(entry = convert_bias(queue, a)))
		return;
	pthread_mutex_lock(&blas->lock);
	twice = find_bias(blas, a->bias);
	if (!twice) {
		entry->next = blas->biases;
		blas->biases = entry;
	}
	pthread_mutex_unlock(&blas->lock);
	if (twice)
		free_biases(queue->device, entry, true);
}

/*
 * Returns the bias as the library wants it; 'room' is for one that was not kept. The caller holds
 * the lock.
 */
static const void *short_bias(struct fvsr_cuda_queue *queue, const struct fvsr_cuda_blas *blas,
			      const struct fvsr_linear *a, void *room)
{
	const struct short_bias *kept = find_bias(blas, a->bias);
	struct fvsr_to_bf16_params p = {.dst = room, .src = a->bias, .count = (uint64_t)a->n};
	struct fvsr_cuda_launch launch = {
		.kernel = FVSR_KERNEL_to_bf16,
		.grid = {fvsr_cuda_blocks((size_t)a->n, FVSR_ITEM_THREADS)},
		.params = &p,
	};

	if (kept)
		return (const void *)(uintptr_t)kept->copy;
	fvsr_cuda_launch(queue, &launch);
	return room;
}

/* Enqueues a product. The caller holds the lock. */
static void run(struct fvsr_cuda_queue *queue, struct fvsr_cuda_blas *blas, const struct plan *plan,
		const struct fvsr_linear *a, void *scratch)
{
	struct operands o = {
		.weight = a->weight,
		.x = a->x,
		.bias = a->bias,
		.residual = a->residual,
		.y = a->y,
		.workspace = scratch,
	};

	if (plan->short_bias)
		o.bias = short_bias(queue, blas, a, (char *)scratch + padded(plan->workspace));
	if (queue->base.error)
		return;
	fvsr_cuda_profile_begin(queue);
	if (multiply(blas, plan, &plan->algo, &o, plan->workspace, queue->stream))
		fvsr_cuda_profile_end(queue, plan->name);
	else
		fvsr_queue_fail(&queue->base, FVSR_ERR_BACKEND,
				"cuBLASLt failed on a product of %d x %d x %d", a->m, a->n, a->k);
}

static size_t scratch_bytes(const struct plan *plan, const struct fvsr_linear *a)
{
	return padded(plan->workspace) + (size_t)a->n * 2;
}

static bool plan_linear(struct fvsr_cuda_queue *queue, struct fvsr_cuda_blas *blas,
			const struct fvsr_linear *a, bool residual)
{
	const struct plan *plan;

	pthread_mutex_lock(&blas->lock);
	plan = find_plan(blas, a, residual);
	pthread_mutex_unlock(&blas->lock);
	if (!plan)
		plan = make_plan(queue, blas, a, residual);
	if (!plan || !plan->usable)
		return false;
	if (plan->short_bias)
		keep_bias(queue, blas, a);
	fvsr_cuda_scratch(queue, scratch_bytes(plan, a));
	return true;
}

static bool run_linear(struct fvsr_cuda_queue *queue, struct fvsr_cuda_blas *blas,
		       const struct fvsr_linear *a)
{
	const struct plan *plan;
	bool usable;

	pthread_mutex_lock(&blas->lock);
	plan = find_plan(blas, a, a->residual);
	usable = plan && plan->usable;
	if (usable && !fvsr_queue_idle(&queue->base))
		run(queue, blas, plan, a, fvsr_cuda_scratch(queue, scratch_bytes(plan, a)));
	pthread_mutex_unlock(&blas->lock);
	return usable;
}

bool fvsr_cuda_blas_linear(struct fvsr_cuda_queue *queue, const struct fvsr_linear *a)
{
	struct fvsr_cuda_blas *blas = queue->device->blas;
	bool usable;

	if (!blas || !fits(queue, a) || queue->base.error || !fvsr_cuda_enter(queue->device))
		return false;
	if (!queue->base.planning) {
		usable = run_linear(queue, blas, a);
	} else {
		usable = plan_linear(queue, blas, a, a->residual);
		/* planning without addresses does not tell whether there will be a residual */
		if (!a->y && a->activation == FVSR_ACT_NONE)
			usable = plan_linear(queue, blas, a, true) && usable;
	}
	fvsr_cuda_leave(queue->device);
	return usable;
}
