/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Convolutions by Winograd's algorithm, see winograd.h. Sixteen tiles at a time go through all the
 * steps, so that what is between two steps stays in a core's cache; winograd_body.h has the
 * arithmetic. Transformed weights are made when a convolution is planned, and shared by all queues
 * of a device.
 */
#include "backend/cpu/fast/winograd.h"

#include "backend/cpu/fast/fast.h"

#include <stdlib.h>
#include <string.h>

#define TILES        16
#define CHANNELS_MIN 32 /* with fewer, transforms are most of the work */
#define CHANNELS_MAX 1024
#define KERNELS_MAX  (1 << 17) /* with more, transformed weights come from memory each time */

struct fvsr_winograd_weight {
	struct fvsr_winograd_weight *next;
	const void *source;
	float *data; /* (36, depth, cout) */
};

struct work {
	const struct fvsr_conv3x3 *op;
	const struct fvsr_loops *loops;
	const float *weight;
	int depth;          /* channels of src and past together */
	int rows, columns;  /* tiles of a frame */
	const float *zeros; /* a pixel outside */
	float *room;        /* the threads' */
	size_t thread_floats;
};

/* Returns the channels of src and past together; without addresses, the most that they can be. */
static int depth_of(const struct fvsr_conv3x3 *a)
{
	return a->past || !a->dst ? 2 * a->cin : a->cin;
}

static bool fits(const struct fvsr_conv3x3 *a)
{
	const int depth = a->dst ? depth_of(a) : a->cin;

	return a->cin % 16 == 0 && a->cout % 16 == 0 && a->cin >= CHANNELS_MIN &&
	       a->cout >= CHANNELS_MIN && depth <= CHANNELS_MAX && depth * a->cout <= KERNELS_MAX;
}

/* ------------------------------------------------------------------------------------------- */
/* Weights                                                                                     */

/* Transforms three values to six: the rows of the matrix G. */
static void transform_three(double *out, double a, double b, double c)
{
	out[0] = a / 4;
	out[1] = -(a + b + c) / 6;
	out[2] = -(a - b + c) / 6;
	out[3] = a / 24 + b / 12 + c / 6;
	out[4] = a / 24 - b / 12 + c / 6;
	out[5] = c;
}

/* Transforms one kernel, whose taps are 'step' apart; the results are 'out_step' apart. */
static void transform_kernel(float *out, size_t out_step, const float *kernel, size_t step)
{
	double half[3][FVSR_WINOGRAD_IN], column[FVSR_WINOGRAD_IN];

	for (int y = 0; y < 3; y++)
		transform_three(half[y], kernel[3 * y * step], kernel[(3 * y + 1) * step],
				kernel[(3 * y + 2) * step]);
	for (int x = 0; x < FVSR_WINOGRAD_IN; x++) {
		transform_three(column, half[0][x], half[1][x], half[2][x]);
		for (int y = 0; y < FVSR_WINOGRAD_IN; y++)
			out[(y * FVSR_WINOGRAD_IN + x) * out_step] = (float)column[y];
	}
}

static struct fvsr_winograd_weight *find_weight(const struct fvsr_fast_device *device,
						const void *source)
{
	struct fvsr_winograd_weight *weight = device->winograd;

	while (weight && weight->source != source)
		weight = weight->next;
	return weight;
}

static void make_weight(struct fvsr_queue *queue, const struct fvsr_conv3x3 *a)
{
	struct fvsr_fast_device *device = fvsr_fast_device(queue);
	const size_t depth = (size_t)depth_of(a), step = depth * (size_t)a->cout;
	struct fvsr_winograd_weight *weight = calloc(1, sizeof(*weight));
	const float *source = a->weight;

	if (weight)
		weight->data =
			fvsr_cpu_alloc(queue->device, FVSR_WINOGRAD_ALL * step * sizeof(float));
	if (!weight || !weight->data) {
		free(weight);
		fvsr_queue_fail(queue, FVSR_ERR_MEMORY, "out of memory");
		return;
	}
	for (int n = 0; n < a->cout; n++)
		for (size_t k = 0; k < depth; k++)
			transform_kernel(weight->data + k * (size_t)a->cout + n, step,
					 source + (size_t)n * 9 * depth + k, depth);
	weight->source = source;
	weight->next = device->winograd;
	device->winograd = weight;
}

static const float *weight_of(struct fvsr_queue *queue, const struct fvsr_conv3x3 *a)
{
	struct fvsr_fast_device *device = fvsr_fast_device(queue);
	const struct fvsr_winograd_weight *weight;

	pthread_mutex_lock(&device->winograd_lock);
	if (queue->planning && !find_weight(device, a->weight))
		make_weight(queue, a);
	weight = find_weight(device, a->weight);
	pthread_mutex_unlock(&device->winograd_lock);
	return weight ? weight->data : NULL;
}

void fvsr_winograd_forget(struct fvsr_fast_device *device, const void *memory, size_t bytes)
{
	struct fvsr_winograd_weight **link = &device->winograd;

	pthread_mutex_lock(&device->winograd_lock);
	while (*link) {
		struct fvsr_winograd_weight *weight = *link;

		if ((uintptr_t)weight->source - (uintptr_t)memory >= bytes) {
			link = &weight->next;
			continue;
		}
		*link = weight->next;
		fvsr_cpu_free(&device->cpu.base, weight->data);
		free(weight);
	}
	pthread_mutex_unlock(&device->winograd_lock);
}

/* ------------------------------------------------------------------------------------------- */
/* Work                                                                                        */

struct place {
	int frame, y, x; /* the first pixel that is written */
};

static struct place place_of(const struct work *work, int tile)
{
	const int in_frame = tile % (work->rows * work->columns);

	return (struct place){
		.frame = tile / (work->rows * work->columns),
		.y = in_frame / work->columns * FVSR_WINOGRAD_OUT,
		.x = in_frame % work->columns * FVSR_WINOGRAD_OUT,
	};
}

/* Finds the tile's 36 pixels of a picture; those outside are zeros. */
static void find_pixels(const struct work *work, const struct place *at, const float *src,
			const float **pixels)
{
	const struct fvsr_conv3x3 *a = work->op;

	src += (size_t)at->frame * a->h * a->w * a->cin;
	for (int i = 0; i < FVSR_WINOGRAD_ALL; i++) {
		const int y = at->y - 1 + i / FVSR_WINOGRAD_IN,
			  x = at->x - 1 + i % FVSR_WINOGRAD_IN;
		const bool inside = y >= 0 && y < a->h && x >= 0 && x < a->w;

		pixels[i] = inside ? src + ((size_t)y * a->w + x) * a->cin : work->zeros;
	}
}

static void read_tiles(const struct work *work, float *v, int first, int count)
{
	const struct fvsr_conv3x3 *a = work->op;
	const size_t step = (size_t)TILES * work->depth;

	for (int t = 0; t < count; t++, v += work->depth) {
		const struct place at = place_of(work, first + t);
		const float *pixels[FVSR_WINOGRAD_ALL];

		find_pixels(work, &at, a->src, pixels);
		work->loops->winograd_in(v, step, pixels, a->cin);
		if (!a->past)
			continue;
		find_pixels(work, &at, a->past, pixels);
		work->loops->winograd_in(v + a->cin, step, pixels, a->cin);
	}
}

static int at_most(int value, int limit)
{
	return value < limit ? value : limit;
}

static void write_tiles(const struct work *work, const float *m, int first, int count)
{
	const struct fvsr_conv3x3 *a = work->op;
	struct fvsr_winograd_tile tile = {
		.bias = a->bias,
		.pixel = (size_t)a->cout,
		.row = (size_t)a->w * a->cout,
		.channels = a->cout,
		.relu = a->relu,
		.end = a->end,
	};

	for (int t = 0; t < count; t++, m += a->cout) {
		const struct place at = place_of(work, first + t);
		const size_t start = (((size_t)at.frame * a->h + at.y) * a->w + at.x) * a->cout;

		tile.dst = (float *)a->dst + start;
		tile.residual = a->residual ? (const float *)a->residual + start : NULL;
		tile.height = at_most(a->h - at.y, FVSR_WINOGRAD_OUT);
		tile.width = at_most(a->w - at.x, FVSR_WINOGRAD_OUT);
		work->loops->winograd_out(&tile, m, (size_t)TILES * a->cout);
	}
}

static void convolve_tiles(const struct work *work, int first, int count)
{
	const size_t depth = (size_t)work->depth, columns = (size_t)work->op->cout;
	float *v = work->room + (size_t)fvsr_cpu_thread() * work->thread_floats;
	float *m = v + FVSR_WINOGRAD_ALL * TILES * depth;

	read_tiles(work, v, first, count);
	for (size_t i = 0; i < FVSR_WINOGRAD_ALL; i++)
		work->loops->winograd_multiply(m + i * TILES * columns, v + i * TILES * depth,
					       work->weight + i * depth * columns, count,
					       (int)depth, (int)columns);
	write_tiles(work, m, first, count);
}

bool fvsr_winograd_conv3x3(struct fvsr_queue *queue, const struct fvsr_conv3x3 *a)
{
	static const float zeros[CHANNELS_MAX];
	const int threads = fvsr_cpu_threads(queue);
	struct work work = {
		.op = a,
		.loops = fvsr_fast_loops(queue),
		.depth = depth_of(a),
		.rows = (a->h + FVSR_WINOGRAD_OUT - 1) / FVSR_WINOGRAD_OUT,
		.columns = (a->w + FVSR_WINOGRAD_OUT - 1) / FVSR_WINOGRAD_OUT,
		.zeros = zeros,
		.thread_floats = (size_t)FVSR_WINOGRAD_ALL * TILES * (depth_of(a) + a->cout),
	};
	const int tiles = a->frames * work.rows * work.columns;

	if (!fits(a))
		return false;
	fvsr_queue_scratch(queue, (size_t)threads * work.thread_floats * sizeof(float));
	if (!a->dst)
		return false;
	if (queue->planning && !queue->error)
		weight_of(queue, a);
	if (fvsr_queue_idle(queue))
		return true;
	work.weight = weight_of(queue, a);
	work.room = queue->scratch;
	if (!work.weight) {
		fvsr_queue_fail(queue, FVSR_ERR_BACKEND, "a convolution was not planned");
		return true;
	}
#pragma omp parallel for num_threads(threads) schedule(dynamic)
	for (int first = 0; first < tiles; first += TILES)
		convolve_tiles(&work, first, at_most(tiles - first, TILES));
	return true;
}
