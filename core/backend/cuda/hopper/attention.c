/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Launching kernels/hopper/attention.cu: block-sparse attention, whose query blocks another kernel
 * brings into order first, and cross-attention.
 */
#include <math.h>

#include "backend/cuda/hopper/common.h"

#define COUNTER_BYTES 256 /* keeps the order behind it aligned */

_Static_assert((int)FVSR_HOPPER_SLOTS == FVSR_MAX_SLICES, "lists of slots differ in length");
_Static_assert((int)FVSR_HOPPER_BLOCK == FVSR_BLOCK_TOKENS, "blocks of tokens differ in length");

static bool head_fits(int head_dim)
{
	return head_dim == FVSR_WIDTH_hopper_attention_128 ||
	       head_dim == FVSR_WIDTH_hopper_attention_64;
}

/* Maps (rows, dim), in boxes of 64 columns x 128 rows. */
static bool make_rows_map(struct fvsr_cuda_queue *queue, CUtensorMap *map, const void *address,
			  int rows, int dim)
{
	struct fvsr_hopper_tensor t = {
		.address = address,
		.rank = 2,
		.size = {(cuuint64_t)dim, (cuuint64_t)rows},
		.step = {(cuuint64_t)dim * 2},
		.box = {FVSR_HOPPER_SWIZZLE, FVSR_HOPPER_BLOCK},
	};

	return fvsr_cuda_hopper_make_map(queue, map, &t);
}

/* Returns room for the counter, then for the order. */
static int *plan_order(struct fvsr_cuda_queue *queue, int items)
{
	return fvsr_cuda_scratch(queue, COUNTER_BYTES + (size_t)items * sizeof(int));
}

static void launch_order(struct fvsr_cuda_queue *queue,
			 const struct fvsr_hopper_attention_params *p)
{
	struct fvsr_hopper_order_params order = {
		.count = p->count,
		.order = (int *)p->order,
		.next = p->next,
		.items = p->items,
		.group = queue->device->multiprocessors,
	};
	struct fvsr_cuda_launch launch = {
		.kernel = FVSR_KERNEL_hopper_order,
		.grid = {fvsr_cuda_blocks((size_t)p->items, FVSR_HOPPER_ORDER_THREADS)},
		.params = &order,
	};

	fvsr_cuda_launch(queue, &launch);
}

static void launch_attention(struct fvsr_cuda_queue *queue,
			     const struct fvsr_hopper_attention_params *p, int head_dim)
{
	struct fvsr_cuda_launch launch = {
		.kernel = fvsr_cuda_kernel_for(FVSR_KERNEL_hopper_attention_64,
					       FVSR_KERNEL_hopper_attention_128, head_dim),
		.grid = {fvsr_cuda_hopper_grid(queue, p->items)},
		.params = p,
	};

	fvsr_cuda_launch(queue, &launch);
}

bool fvsr_cuda_hopper_block_attention(struct fvsr_cuda_queue *queue,
				      const struct fvsr_block_attention *a)
{
	int blocks = a->h / FVSR_BLOCK_SIDE * (a->w / FVSR_BLOCK_SIDE);
	int head_dim = a->dim / a->heads;
	int queries = a->query_slices * blocks, items = a->heads * queries, slots = 0;
	struct fvsr_hopper_attention_params p = {
		.dst = a->dst,
		.index = a->index,
		.count = a->count,
		.items = items,
		.queries = queries,
		.keys = a->key_slices * blocks,
		.blocks = blocks,
		.block_columns = a->w / FVSR_BLOCK_SIDE,
		.h = a->h,
		.w = a->w,
		.dim = a->dim,
		.scale = (float)(M_LOG2E / sqrt(head_dim)),
	};
	int *scratch;

	if (!head_fits(head_dim) || a->key_slices > FVSR_HOPPER_SLOTS)
		return false;
	scratch = plan_order(queue, items);
	if (fvsr_queue_idle(&queue->base))
		return true;
	p.next = scratch;
	p.order = scratch + COUNTER_BYTES / sizeof(int);
	for (int i = 0; i < a->key_slices; i++) {
		p.slot[i] = a->slot[i];
		slots = a->slot[i] >= slots ? a->slot[i] + 1 : slots;
	}
	if (!make_rows_map(queue, &p.q, a->q, queries * FVSR_HOPPER_BLOCK, a->dim) ||
	    !make_rows_map(queue, &p.k, a->k, slots * blocks * FVSR_HOPPER_BLOCK, a->dim) ||
	    !make_rows_map(queue, &p.v, a->v, slots * blocks * FVSR_HOPPER_BLOCK, a->dim))
		return true;
	launch_order(queue, &p);
	launch_attention(queue, &p, head_dim);
	return true;
}

bool fvsr_cuda_hopper_cross_attention(struct fvsr_cuda_queue *queue,
				      const struct fvsr_cross_attention *a)
{
	int head_dim = a->dim / a->heads,
	    queries = fvsr_cuda_hopper_divide_up(a->tokens, FVSR_HOPPER_BLOCK);
	struct fvsr_hopper_cross_params p = {
		.dst = a->dst,
		.bias = a->bias,
		.items = a->heads * queries,
		.queries = queries,
		.tokens = a->tokens,
		.keys = a->keys,
		.dim = a->dim,
		.scale = (float)(M_LOG2E / sqrt(head_dim)),
	};
	struct fvsr_cuda_launch launch = {
		.kernel = fvsr_cuda_kernel_for(FVSR_KERNEL_hopper_cross_64,
					       FVSR_KERNEL_hopper_cross_128, head_dim),
		.grid = {fvsr_cuda_hopper_grid(queue, p.items)},
		.params = &p,
	};

	if (!head_fits(head_dim))
		return false;
	if (fvsr_queue_idle(&queue->base))
		return true;
	if (make_rows_map(queue, &p.q, a->q, a->tokens, a->dim) &&
	    make_rows_map(queue, &p.k, a->k, a->keys, a->dim) &&
	    make_rows_map(queue, &p.v, a->v, a->keys, a->dim))
		fvsr_cuda_launch(queue, &launch);
	return true;
}
