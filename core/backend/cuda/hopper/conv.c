/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Launching kernels/hopper/conv.cu: which convolutions and linear layers it takes, and how a shape
 * is cut into tiles.
 */
#include "backend/cuda/hopper/common.h"

/* Columns of output channels in a tile; the bench (tests/bench/hopper) tries others. */
#ifndef FVSR_HOPPER_TILE_N
#define FVSR_HOPPER_TILE_N(cout) ((cout) % 256 == 0 ? 256 : (cout) > 64 ? 128 : 64)
#endif

struct conv_tile {
	int n, w; /* output channels, columns of pixels */
	enum fvsr_cuda_kernel kernel;
};

static struct conv_tile tile_for(int cout)
{
	int n = FVSR_HOPPER_TILE_N(cout);

	return (struct conv_tile){
		.n = n,
		.w = FVSR_HOPPER_TILE_W(n),
		.kernel = fvsr_cuda_kernel_for(FVSR_KERNEL_hopper_conv_64,
					       FVSR_KERNEL_hopper_conv_256, n),
	};
}

/* Tells whether channels fit: a copy moves 16 bytes, and a thread finishes eight of 32 channels. */
static bool conv_fits(int cin, int cout)
{
	return cin % 8 == 0 && cout % FVSR_HOPPER_PERMUTED == 0;
}

/* Maps (frames, h, w, cin), in boxes of 64 channels and the pixels that a tile's taps read. */
static bool make_pixels_map(struct fvsr_cuda_queue *queue, CUtensorMap *map, const void *address,
			    const int size[4], int tile_w, int ksize)
{
	cuuint64_t frames = (cuuint64_t)size[0], h = (cuuint64_t)size[1], w = (cuuint64_t)size[2];
	cuuint64_t bytes = (cuuint64_t)size[3] * 2;
	struct fvsr_hopper_tensor t = {
		.address = address,
		.rank = 4,
		.size = {(cuuint64_t)size[3], w, h, frames},
		.step = {bytes, w * bytes, h * w * bytes},
		.box = {FVSR_HOPPER_SWIZZLE, (cuuint32_t)tile_w,
			(cuuint32_t)(FVSR_HOPPER_TILE_H + ksize - 1), 1},
	};

	return fvsr_cuda_hopper_make_map(queue, map, &t);
}

/* Maps (rows, columns), each 32 rows in the order that kernels/hopper/conv.cu explains. */
static bool make_weight_map(struct fvsr_cuda_queue *queue, CUtensorMap *map, const void *address,
			    int rows, int columns, int tile_n)
{
	cuuint64_t bytes = (cuuint64_t)columns * 2;
	struct fvsr_hopper_tensor t = {
		.address = address,
		.rank = 5,
		.size = {(cuuint64_t)columns, 2, 4, 4, (cuuint64_t)rows / FVSR_HOPPER_PERMUTED},
		.step = {bytes, 8 * bytes, 2 * bytes, FVSR_HOPPER_PERMUTED * bytes},
		.box = {FVSR_HOPPER_SWIZZLE, 2, 4, 4, (cuuint32_t)tile_n / FVSR_HOPPER_PERMUTED},
	};

	return fvsr_cuda_hopper_make_map(queue, map, &t);
}

/* Sets what follows from the sizes in p. */
static void set_tiles(struct fvsr_hopper_conv_params *p, const struct conv_tile *tile, int cin)
{
	p->tiles_x = fvsr_cuda_hopper_divide_up(p->w, tile->w);
	p->tiles_y = fvsr_cuda_hopper_divide_up(p->h, FVSR_HOPPER_TILE_H);
	p->tiles_n = fvsr_cuda_hopper_divide_up(p->cout, tile->n);
	p->tiles = p->outputs * p->tiles_y * p->tiles_x * p->phases * p->tiles_n;
	p->chunks = fvsr_cuda_hopper_divide_up(cin, FVSR_HOPPER_SWIZZLE);
	p->tail_steps = fvsr_cuda_hopper_divide_up(cin - (p->chunks - 1) * FVSR_HOPPER_SWIZZLE, 16);
}

static void launch_conv(struct fvsr_cuda_queue *queue, const struct fvsr_hopper_conv_params *p,
			const struct conv_tile *tile)
{
	struct fvsr_cuda_launch launch = {
		.kernel = tile->kernel,
		.grid = {fvsr_cuda_hopper_grid(queue, p->tiles)},
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
	struct fvsr_hopper_conv_params p = {
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
	struct fvsr_hopper_conv_params p = {
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
	struct fvsr_hopper_conv_params p = {
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

/* Returns the first of the input frames that are read, and puts their number in 'frames'. */
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
	struct fvsr_hopper_pad_params pad = {
		.dst = dst,
		.src = (const char *)a->src + first * frame,
		.frames = frames,
		.h = a->h,
		.w = a->w,
		.vectors = a->cin / 8,
	};
	size_t work = (size_t)frames * (a->h + 2) * (a->w + 2) * pad.vectors;
	struct fvsr_cuda_launch launch = {
		.kernel = FVSR_KERNEL_hopper_pad,
		.grid = {fvsr_cuda_blocks(work, FVSR_HOPPER_PAD_STEPS * FVSR_HOPPER_PAD_THREADS)},
		.params = &pad,
	};

	fvsr_cuda_launch(queue, &launch);
}

bool fvsr_cuda_hopper_conv_frames(struct fvsr_cuda_queue *queue, const struct fvsr_conv_frames *a)
{
	struct conv_tile tile = tile_for(a->cout);
	int frames, first = tap_range(a, &frames);
	int size[4] = {frames, a->h + 2, a->w + 2, a->cin};
	struct fvsr_hopper_conv_params p = {
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
