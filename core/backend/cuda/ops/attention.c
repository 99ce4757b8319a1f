/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queries, keys and values, the block mask and attention: the launches of kernels/generic/rope.cu,
 * select.cu and attention.cu. On a Hopper kernels/hopper/attention.cu is asked first.
 */
#include "backend/cuda/hopper/hopper.h"
#include "backend/cuda/ops/ops.h"

#include <math.h>
#include <string.h>

#include "kernels/generic/params.h"

_Static_assert((int)FVSR_PARAMS_MAX_SLICES == FVSR_MAX_SLICES, "lists of slots differ in length");
_Static_assert((int)FVSR_PARAMS_BLOCK_SIDE == FVSR_BLOCK_SIDE, "blocks of tokens differ in size");
_Static_assert((int)FVSR_ATTENTION_QUERIES == FVSR_BLOCK_TOKENS,
	       "blocks of tokens differ in length");

/* Says at once, while planning, what no kernel here can do. */
static bool check_heads(struct fvsr_queue *queue, int dim, int heads)
{
	int head_dim = dim / heads;

	if (head_dim % 2 == 0 && head_dim <= FVSR_WIDTH_attention_128)
		return true;
	fvsr_queue_fail(queue, FVSR_ERR_UNSUPPORTED,
			"attention on CUDA needs heads of an even number of elements up to %d, "
			"and the model's have %d",
			FVSR_WIDTH_attention_128, head_dim);
	return false;
}

void fvsr_cuda_rope_table(struct fvsr_queue *queue, void *dst, int64_t first, int positions,
			  int size)
{
	struct fvsr_rope_table_params p = {
		.dst = dst,
		.first = first,
		.positions = positions,
		.pairs = size / 2,
	};
	struct fvsr_cuda_launch launch = {
		.kernel = FVSR_KERNEL_rope_table,
		.grid = {fvsr_cuda_blocks((size_t)positions * p.pairs, FVSR_ROPE_TABLE_THREADS)},
		.params = &p,
	};

	if (p.pairs > FVSR_PARAMS_MAX_PAIRS)
		fvsr_queue_fail(queue, FVSR_ERR_UNSUPPORTED,
				"rotary positions over %d elements are too many for CUDA", size);
	if (fvsr_queue_idle(queue) || positions <= 0 || !p.pairs)
		return;
	/* The host's pow(), so that far positions turn by the same angle on every backend. */
	for (int j = 0; j < p.pairs; j++)
		p.frequency[j] = pow(10000.0, -2.0 * j / size);
	fvsr_cuda_launch(fvsr_cuda_queue(queue), &launch);
}

static bool rope_aligned(const struct fvsr_qk_rope *a)
{
	uintptr_t all = (uintptr_t)a->qkv | (uintptr_t)a->q | (uintptr_t)a->k | (uintptr_t)a->v |
			(uintptr_t)a->norm_q | (uintptr_t)a->norm_k;

	return a->dim % 8 == 0 && a->dim / a->heads % 8 == 0 && all % 16 == 0;
}

void fvsr_cuda_qk_rope(struct fvsr_queue *base, const struct fvsr_qk_rope *a)
{
	struct fvsr_qk_rope_params p = {
		.qkv = a->qkv,
		.dst = {a->q, a->k, a->v},
		.mean = {a->q_mean, a->k_mean},
		.norm = {a->norm_q, a->norm_k},
		.rope_frame = a->rope_frame,
		.rope_row = a->rope_row,
		.rope_column = a->rope_column,
		.h = a->h,
		.w = a->w,
		.dim = a->dim,
		.head_dim = a->dim / a->heads,
		.eps = a->eps,
	};
	struct fvsr_cuda_launch launch = {
		.kernel = FVSR_KERNEL_qk_rope_any,
		.grid = {(unsigned)(a->h / FVSR_BLOCK_SIDE * (a->w / FVSR_BLOCK_SIDE)), 3},
		.shared = FVSR_ROPE_ANY_SHARED((unsigned)a->dim),
		.params = &p,
	};

	if (a->dim > FVSR_WIDTH_qk_rope_any)
		fvsr_queue_fail(base, FVSR_ERR_UNSUPPORTED, "a model %d wide is too wide for CUDA",
				a->dim);
	if (fvsr_queue_idle(base))
		return;
	if (rope_aligned(a) && a->dim <= FVSR_WIDTH_qk_rope_1536) {
		launch.kernel = fvsr_cuda_kernel_for(FVSR_KERNEL_qk_rope_512,
						     FVSR_KERNEL_qk_rope_1536, a->dim);
		launch.shared = 0;
	}
	fvsr_cuda_launch(fvsr_cuda_queue(base), &launch);
}

void fvsr_cuda_block_select(struct fvsr_queue *base, const struct fvsr_block_select *a)
{
	struct fvsr_cuda_queue *queue = fvsr_cuda_queue(base);
	size_t blocks = (size_t)a->block_rows * a->block_columns;
	size_t n = blocks * blocks * a->key_slices;
	int64_t last = (int64_t)n - 1, rank = a->topk < last ? a->topk : last;
	struct fvsr_select_params p = {
		.index = a->index,
		.count = a->count,
		.q_mean = a->q_mean,
		.k_mean = a->k_mean,
		.query_slices = a->query_slices,
		.key_slices = a->key_slices,
		.block_rows = a->block_rows,
		.block_columns = a->block_columns,
		.dim = a->dim,
		.heads = a->heads,
		.head_dim = a->dim / a->heads,
		.local_range = a->local_range,
		.rank = rank > 0 ? rank : 0,
	};
	struct fvsr_cuda_launch launch = {
		.kernel = FVSR_KERNEL_block_scores,
		.grid = {fvsr_cuda_blocks(blocks, FVSR_SCORE_QUERIES), (unsigned)a->query_slices,
			 (unsigned)a->heads},
		.params = &p,
	};

	p.map = fvsr_cuda_scratch(queue, n * a->query_slices * a->heads * sizeof(float));
	if (!check_heads(base, a->dim, a->heads) || fvsr_queue_idle(base))
		return;
	memcpy(p.slot, a->slot, sizeof(p.slot));
	fvsr_cuda_launch(queue, &launch);
	launch.kernel = FVSR_KERNEL_block_keep;
	launch.grid[0] = (unsigned)a->query_slices;
	launch.grid[1] = (unsigned)a->heads;
	launch.grid[2] = 1;
	fvsr_cuda_launch(queue, &launch);
}

static void attend(struct fvsr_queue *base, const struct fvsr_attention_params *p,
		   unsigned query_blocks, int heads)
{
	struct fvsr_cuda_launch launch = {
		.kernel = fvsr_cuda_kernel_for(FVSR_KERNEL_attention_32, FVSR_KERNEL_attention_128,
					       p->head_dim),
		.grid = {query_blocks, (unsigned)heads},
		.params = p,
	};

	if (!check_heads(base, p->dim, heads) || fvsr_queue_idle(base))
		return;
	fvsr_cuda_launch(fvsr_cuda_queue(base), &launch);
}

/* Returns what scores are multiplied with for a softmax by powers of two instead of e. */
static float score_scale(int head_dim)
{
	return 1.44269504f / sqrtf((float)head_dim);
}

void fvsr_cuda_block_attention(struct fvsr_queue *queue, const struct fvsr_block_attention *a)
{
	int blocks = a->h / FVSR_BLOCK_SIDE * (a->w / FVSR_BLOCK_SIDE);
	int head_dim = a->dim / a->heads;
	struct fvsr_attention_params p = {
		.dst = a->dst,
		.q = a->q,
		.k = a->k,
		.v = a->v,
		.index = a->index,
		.count = a->count,
		.blocks = blocks,
		.queries = a->query_slices * blocks,
		.all_keys = a->key_slices * blocks,
		.h = a->h,
		.w = a->w,
		.dim = a->dim,
		.head_dim = head_dim,
		.scale = score_scale(head_dim),
	};

	if (fvsr_cuda_queue(queue)->device->hopper &&
	    fvsr_cuda_hopper_block_attention(fvsr_cuda_queue(queue), a))
		return;
	memcpy(p.slot, a->slot, sizeof(p.slot));
	attend(queue, &p, (unsigned)p.queries, a->heads);
}

void fvsr_cuda_cross_attention(struct fvsr_queue *base, const struct fvsr_cross_attention *a)
{
	struct fvsr_cuda_queue *queue = fvsr_cuda_queue(base);
	int head_dim = a->dim / a->heads;
	struct fvsr_attention_params p = {
		.dst = a->dst,
		.q = a->q,
		.k = a->k,
		.v = a->v,
		.bias = a->bias,
		.tokens = a->tokens,
		.keys = a->keys,
		.blocks = 1,
		.dim = a->dim,
		.head_dim = head_dim,
		.scale = score_scale(head_dim),
	};

	if (!queue->device->hopper || !fvsr_cuda_hopper_cross_attention(queue, a))
		attend(base, &p, fvsr_cuda_blocks((size_t)a->tokens, FVSR_ATTENTION_QUERIES),
		       a->heads);
}
