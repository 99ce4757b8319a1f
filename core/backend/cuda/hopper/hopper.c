/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Launching the kernels of kernels/hopper_*.cu: which shapes they take, tensor maps and grids.
 *
 * A tensor map says where a bulk copy finds a tensor; making one is arithmetic on the host, so
 * maps are made for each launch and travel with its parameters.
 */
#include <math.h>

#include "backend/cuda/runtime/cuda_backend.h"

#define SWIZZLE_ELEMS 64 /* of two bytes: the 128 bytes that a row of a tile has */

/* Columns of output channels in a tile. */
#ifndef FVSR_HOPPER_TILE_N
#define FVSR_HOPPER_TILE_N(cout) ((cout) % 256 == 0 ? 256 : (cout) > 64 ? 128 : 64)
#endif

/* Extents from the innermost dimension out, in elements; steps in bytes, from dimension 1 on. */
struct tensor {
	const void *address;
	unsigned rank;
	cuuint64_t size[5], step[4];
	cuuint32_t box[5];
};

static bool make_map(struct fvsr_cuda_queue *queue, CUtensorMap *map, const struct tensor *t)
{
	static const cuuint32_t ones[5] = {1, 1, 1, 1, 1};
	bool made;

	if (!fvsr_cuda_enter(queue->device)) /* the driver refuses without a context */
		return false;
	made = FVSR_CUDA_TRY(queue, cuTensorMapEncodeTiled, map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16,
			     t->rank, (void *)t->address, t->size, t->step, t->box, ones,
			     CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
			     CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
	fvsr_cuda_leave(queue->device);
	return made;
}

static int divide_up(int a, int b)
{
	return (a + b - 1) / b;
}

static unsigned at_most(int work, int limit)
{
	return (unsigned)(work < limit ? work : limit);
}

/* ------------------------------------------------------------------------------------------- */
/* Attention                                                                                   */

/* (rows, dim), in boxes of 64 columns x 128 rows. */
static bool make_rows_map(struct fvsr_cuda_queue *queue, CUtensorMap *map, const void *address,
			  int rows, int dim)
{
	struct tensor t = {
		.address = address,
		.rank = 2,
		.size = {(cuuint64_t)dim, (cuuint64_t)rows},
		.step = {(cuuint64_t)dim * 2},
		.box = {SWIZZLE_ELEMS, FVSR_BLOCK_TOKENS},
	};

	return make_map(queue, map, &t);
}

/* Room for the counter, then for the order. */
static int *plan_order(struct fvsr_cuda_queue *queue, int items)
{
	return fvsr_cuda_scratch(queue, 256 + (size_t)items * sizeof(int));
}

static void launch_order(struct fvsr_cuda_queue *queue, const struct fvsr_hopper_attention *p)
{
	struct fvsr_hopper_order order = {
		.count = p->count,
		.order = (int *)p->order,
		.next = p->next,
		.items = p->items,
		.group = queue->device->multiprocessors,
	};
	struct fvsr_cuda_launch launch = {
		.kernel = FVSR_KERNEL_fvsr_hopper_order,
		.grid = {fvsr_cuda_blocks((size_t)p->items, 128)},
		.block = 128,
		.params = &order,
	};

	fvsr_cuda_launch(queue, &launch);
}

static void launch_attention(struct fvsr_cuda_queue *queue, const struct fvsr_hopper_attention *p,
			     int head_dim)
{
	struct fvsr_cuda_launch launch = {
		.kernel = head_dim == 128 ? FVSR_KERNEL_fvsr_hopper_attention_128
					  : FVSR_KERNEL_fvsr_hopper_attention_64,
		.grid = {at_most(p->items, queue->device->multiprocessors)},
		.block = FVSR_HOPPER_THREADS,
		.shared = (unsigned)FVSR_HOPPER_ATTENTION_SHARED(head_dim),
		.params = p,
	};

	fvsr_cuda_launch(queue, &launch);
}

bool fvsr_cuda_hopper_block_attention(struct fvsr_cuda_queue *queue,
				      const struct fvsr_block_attention *a)
{
	int head_dim = a->dim / a->heads, blocks = a->h / 8 * (a->w / 8);
	int queries = a->query_slices * blocks, items = a->heads * queries, slots = 0;
	struct fvsr_hopper_attention p = {
		.dst = a->dst,
		.index = a->index,
		.count = a->count,
		.items = items,
		.queries = queries,
		.keys = a->key_slices * blocks,
		.blocks = blocks,
		.block_columns = a->w / 8,
		.h = a->h,
		.w = a->w,
		.dim = a->dim,
		.scale = (float)(M_LOG2E / sqrt(head_dim)),
	};
	int *scratch;

	if ((head_dim != 128 && head_dim != 64) || a->key_slices > FVSR_HOPPER_SLOTS)
		return false;
	scratch = plan_order(queue, items);
	if (fvsr_queue_idle(&queue->base))
		return true;
	p.next = scratch;
	p.order = scratch + 256 / sizeof(int);
	for (int i = 0; i < a->key_slices; i++) {
		p.slot[i] = a->slot[i];
		slots = a->slot[i] >= slots ? a->slot[i] + 1 : slots;
	}
	if (!make_rows_map(queue, &p.q, a->q, queries * FVSR_BLOCK_TOKENS, a->dim) ||
	    !make_rows_map(queue, &p.k, a->k, slots * blocks * FVSR_BLOCK_TOKENS, a->dim) ||
	    !make_rows_map(queue, &p.v, a->v, slots * blocks * FVSR_BLOCK_TOKENS, a->dim))
		return true;
	launch_order(queue, &p);
	launch_attention(queue, &p, head_dim);
	return true;
}

bool fvsr_cuda_hopper_cross_attention(struct fvsr_cuda_queue *queue,
				      const struct fvsr_cross_attention *a)
{
	int head_dim = a->dim / a->heads, queries = divide_up(a->tokens, FVSR_BLOCK_TOKENS);
	struct fvsr_hopper_cross p = {
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
		.kernel = head_dim == 128 ? FVSR_KERNEL_fvsr_hopper_cross_128
					  : FVSR_KERNEL_fvsr_hopper_cross_64,
		.grid = {at_most(p.items, queue->device->multiprocessors)},
		.block = FVSR_HOPPER_THREADS,
		.shared = (unsigned)FVSR_HOPPER_ATTENTION_SHARED(head_dim),
		.params = &p,
	};

	if (head_dim != 128 && head_dim != 64)
		return false;
	if (fvsr_queue_idle(&queue->base))
		return true;
	if (make_rows_map(queue, &p.q, a->q, a->tokens, a->dim) &&
	    make_rows_map(queue, &p.k, a->k, a->keys, a->dim) &&
	    make_rows_map(queue, &p.v, a->v, a->keys, a->dim))
		fvsr_cuda_launch(queue, &launch);
	return true;
}

/* ------------------------------------------------------------------------------------------- */
/* Convolutions                                                                                */

struct conv_tile {
	int n, w;
	enum fvsr_cuda_kernel kernel;
};

static struct conv_tile tile_for(int cout)
{
	switch (FVSR_HOPPER_TILE_N(cout)) {
	case 256:
		return (struct conv_tile){256, 8, FVSR_KERNEL_fvsr_hopper_conv_256};
	case 128:
		return (struct conv_tile){128, 16, FVSR_KERNEL_fvsr_hopper_conv_128};
	default:
		return (struct conv_tile){64, 16, FVSR_KERNEL_fvsr_hopper_conv_64};
	}
}

/* Copies move 16 bytes at least, and a thread finishes eight of 32 channels. */
static bool conv_fits(int cin, int cout)
{
	return cin % 8 == 0 && cout % 32 == 0;
}

/* (frames, h, w, cin), in boxes of 64 channels and the pixels that a tile's taps read. */
static bool make_pixels_map(struct fvsr_cuda_queue *queue, CUtensorMap *map, const void *address,
			    const int size[4], int tile_w, int ksize)
{
	cuuint64_t frames = (cuuint64_t)size[0], h = (cuuint64_t)size[1], w = (cuuint64_t)size[2];
	cuuint64_t bytes = (cuuint64_t)size[3] * 2;
	struct tensor t = {
		.address = address,
		.rank = 4,
		.size = {(cuuint64_t)size[3], w, h, frames},
		.step = {bytes, w * bytes, h * w * bytes},
		.box = {SWIZZLE_ELEMS, (cuuint32_t)tile_w,
			(cuuint32_t)(FVSR_HOPPER_TILE_H + ksize - 1), 1},
	};

	return make_map(queue, map, &t);
}

/* (rows, columns), each 32 rows in the order that hopper_conv.cu explains. */
static bool make_weight_map(struct fvsr_cuda_queue *queue, CUtensorMap *map, const void *address,
			    int rows, int columns, int tile_n)
{
	cuuint64_t bytes = (cuuint64_t)columns * 2;
	struct tensor t = {
		.address = address,
		.rank = 5,
		.size = {(cuuint64_t)columns, 2, 4, 4, (cuuint64_t)rows / 32},
		.step = {bytes, 8 * bytes, 2 * bytes, 32 * bytes},
		.box = {SWIZZLE_ELEMS, 2, 4, 4, (cuuint32_t)tile_n / 32},
	};

	return make_map(queue, map, &t);
}

/* What follows from the sizes in p. */
static void set_tiles(struct fvsr_hopper_conv *p, const struct conv_tile *tile, int cin)
{
	p->tiles_x = divide_up(p->w, tile->w);
	p->tiles_y = divide_up(p->h, FVSR_HOPPER_TILE_H);
	p->tiles_n = divide_up(p->cout, tile->n);
	p->tiles = p->outputs * p->tiles_y * p->tiles_x * p->phases * p->tiles_n;
	p->chunks = divide_up(cin, SWIZZLE_ELEMS);
	p->tail_steps = divide_up(cin - (p->chunks - 1) * SWIZZLE_ELEMS, 16);
}

static void launch_conv(struct fvsr_cuda_queue *queue, const struct fvsr_hopper_conv *p,
			const struct conv_tile *tile)
{
	struct fvsr_cuda_launch launch = {
		.kernel = tile->kernel,
		.grid = {at_most(p->tiles, queue->device->multiprocessors)},
		.block = FVSR_HOPPER_THREADS,
		.shared = FVSR_HOPPER_CONV_SHARED,
		.params = p,
	};

	fvsr_cuda_launch(queue, &launch);
}

static bool linear_fits(const struct fvsr_linear *a, const struct conv_tile *tile)
{
	uintptr_t all =
		(uintptr_t)a->y | (uintptr_t)a->x | (uintptr_t)a->weight | (uintptr_t)a->residual;

	return conv_fits(a->k, a->n) && a->m % tile->w == 0 && all % 16 == 0 &&
	       (a->activation == FVSR_ACT_NONE ||
		(a->activation == FVSR_ACT_GELU_TANH && !a->residual));
}

bool fvsr_cuda_hopper_linear(struct fvsr_cuda_queue *queue, const struct fvsr_linear *a)
{
	struct conv_tile tile = tile_for(a->n);
	int size[4] = {1, a->m / tile.w, tile.w, a->k};
	struct fvsr_hopper_conv p = {
		.dst = a->y,
		.bias = a->bias,
		.residual = a->residual,
		.outputs = 1,
		.phases = 1,
		.h = size[1],
		.w = size[2],
		.cout = a->n,
		.sources = 1,
		.ksize = 1,
		.tap_column = a->k,
		.gelu = a->activation == FVSR_ACT_GELU_TANH,
	};

	if (!linear_fits(a, &tile))
		return false;
	if (fvsr_queue_idle(&queue->base))
		return true;
	set_tiles(&p, &tile, a->k);
	if (make_pixels_map(queue, &p.src, a->x, size, tile.w, 1) &&
	    make_weight_map(queue, &p.weight, a->weight, a->n, a->k, tile.n))
		launch_conv(queue, &p, &tile);
	return true;
}

bool fvsr_cuda_hopper_conv3x3(struct fvsr_cuda_queue *queue, const struct fvsr_conv3x3 *a)
{
	struct conv_tile tile = tile_for(a->cout);
	int size[4] = {a->frames, a->h, a->w, a->cin}, sources = a->past ? 2 : 1;
	struct fvsr_hopper_conv p = {
		.dst = a->dst,
		.bias = a->bias,
		.residual = a->residual,
		.two = a->past != NULL,
		.outputs = a->frames,
		.phases = 1,
		.h = a->h,
		.w = a->w,
		.cout = a->cout,
		.sources = sources,
		.ksize = 3,
		.first = -1,
		.source_column = a->cin,
		.tap_column = sources * a->cin,
		.relu = a->relu,
	};

	if (!conv_fits(a->cin, a->cout))
		return false;
	if (fvsr_queue_idle(&queue->base))
		return true;
	set_tiles(&p, &tile, a->cin);
	if (make_pixels_map(queue, &p.src, a->src, size, tile.w, 3) &&
	    make_pixels_map(queue, &p.past, a->past ? a->past : a->src, size, tile.w, 3) &&
	    make_weight_map(queue, &p.weight, a->weight, a->cout, 9 * sources * a->cin, tile.n))
		launch_conv(queue, &p, &tile);
	return true;
}

bool fvsr_cuda_hopper_upsample_conv(struct fvsr_cuda_queue *queue,
				    const struct fvsr_upsample_conv *a)
{
	struct conv_tile tile = tile_for(a->cout);
	int size[4] = {a->frames, a->h, a->w, a->cin};
	struct fvsr_hopper_conv p = {
		.dst = a->dst,
		.outputs = a->frames,
		.phases = 4 * a->grow,
		.h = a->h,
		.w = a->w,
		.cout = a->cout,
		.sources = 1,
		.ksize = a->ksize,
		.first = -1,
		.tap_column = a->cin,
		.relu = a->relu,
	};

	if (!conv_fits(a->cin, a->cout) || (a->ksize != 2 && a->ksize != 3))
		return false;
	if (fvsr_queue_idle(&queue->base))
		return true;
	set_tiles(&p, &tile, a->cin);
	if (make_pixels_map(queue, &p.src, a->src, size, tile.w, a->ksize) &&
	    make_weight_map(queue, &p.weight, a->weight, p.phases * a->cout,
			    a->ksize * a->ksize * a->cin, tile.n))
		launch_conv(queue, &p, &tile);
	return true;
}

/* First and number of the input frames that are read. */
static int tap_range(const struct fvsr_conv_frames *a, int *frames)
{
	int first = a->taps[0][0], last = first;

	for (int i = 0; i < a->outputs * 4; i++) {
		int tap = a->taps[i / 4][i % 4];

		first = tap < first ? tap : first;
		last = tap > last ? tap : last;
	}
	*frames = last - first + 1;
	return first;
}

static void launch_pad(struct fvsr_cuda_queue *queue, void *dst, const struct fvsr_conv_frames *a,
		       int first, int frames)
{
	size_t frame = (size_t)a->h * a->w * a->cin * 2;
	struct fvsr_hopper_pad pad = {
		.dst = dst,
		.src = (const char *)a->src + first * frame,
		.frames = frames,
		.h = a->h,
		.w = a->w,
		.vectors = a->cin / 8,
	};
	size_t work = (size_t)frames * (a->h + 2) * (a->w + 2) * pad.vectors;
	struct fvsr_cuda_launch launch = {
		.kernel = FVSR_KERNEL_fvsr_hopper_pad,
		.grid = {fvsr_cuda_blocks(work, 4 * 256)},
		.block = 256,
		.params = &pad,
	};

	fvsr_cuda_launch(queue, &launch);
}

bool fvsr_cuda_hopper_conv_frames(struct fvsr_cuda_queue *queue, const struct fvsr_conv_frames *a)
{
	struct conv_tile tile = tile_for(a->cout);
	int frames, first = tap_range(a, &frames);
	int size[4] = {frames, a->h + 2, a->w + 2, a->cin};
	struct fvsr_hopper_conv p = {
		.dst = a->dst,
		.bias = a->bias,
		.temporal = 1,
		.outputs = a->outputs,
		.phases = 1,
		.rows_first = 1,
		.h = a->h,
		.w = a->w,
		.cout = a->cout,
		.sources = 4,
		.ksize = 3,
		.source_column = 9 * a->cin,
		.tap_column = a->cin,
	};
	void *padded;

	if (!conv_fits(a->cin, a->cout))
		return false;
	padded = fvsr_cuda_scratch(queue, (size_t)frames * (a->h + 2) * (a->w + 2) * a->cin * 2);
	if (fvsr_queue_idle(&queue->base))
		return true;
	for (int i = 0; i < a->outputs * 4; i++)
		p.taps[i / 4][i % 4] = a->taps[i / 4][i % 4] - first;
	set_tiles(&p, &tile, a->cin);
	launch_pad(queue, padded, a, first, frames);
	if (make_pixels_map(queue, &p.src, padded, size, tile.w, 3) &&
	    make_weight_map(queue, &p.weight, a->weight, a->cout, 36 * a->cin, tile.n))
		launch_conv(queue, &p, &tile);
	return true;
}
