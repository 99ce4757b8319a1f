/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network's convolutions (sections 4, 7, 9 and 11) in terms of oneDNN's: everything that is not
 * a plain 3x3 with zeros around it is a sum of several, or one whose channels are then spread over
 * the picture.
 */
#include <string.h>

#include "backend/cpu/fast/fast.h"
#include "backend/cpu/fast/winograd.h"
#include "backend/cpu/onednn/direct_conv.h"
#include "backend/cpu/onednn/onednn.h"

/* Copies a frame with one more pixel on each side, of the border's value. */
static void pad_frame(struct fvsr_queue *queue, float *dst, const float *src, int h, int w,
		      int channels)
{
	size_t pixel = (size_t)channels, row = (size_t)w * pixel;

	(void)queue; /* without OpenMP */
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int y = 0; y < h + 2; y++) {
		const float *from = src + fvsr_cpu_clamp_index(y - 1, h) * row;
		float *to = dst + y * (row + 2 * pixel);

		memcpy(to, from, pixel * sizeof(*to));
		memcpy(to + pixel, from, row * sizeof(*to));
		memcpy(to + pixel + row, from + row - pixel, pixel * sizeof(*to));
	}
}

/* Sums up one 3x3 for each of the four frames. */
void fvsr_onednn_conv_frames(struct fvsr_queue *queue, const struct fvsr_conv_frames *a)
{
	size_t frame = (size_t)a->h * a->w * a->cin, picture = (size_t)a->h * a->w * a->cout;
	size_t room = (size_t)(a->h + 2) * (a->w + 2) * a->cin * sizeof(float);
	float *padded = queue->scratch;
	struct fvsr_onednn_conv conv = {
		.frames = 1,
		.h = a->h + 2,
		.w = a->w + 2,
		.cin = a->cin,
		.cout = a->cout,
		.size = 3,
		.stride_cout = 36 * (int64_t)a->cin,
		.stride_row = 3 * (int64_t)a->cin,
		.stride_column = a->cin,
		.dry = !a->dst,
	};

	for (int i = 0; i < a->outputs; i++) {
		for (int t = 0; t < 4; t++) {
			if (!fvsr_queue_idle(queue))
				pad_frame(queue, padded,
					  (const float *)a->src + a->taps[i][t] * frame, a->h, a->w,
					  a->cin);
			conv.weight = (const float *)a->weight + (size_t)t * 9 * a->cin;
			conv.bias = t ? NULL : a->bias;
			conv.sum = t > 0;
			fvsr_onednn_direct_conv(queue, &conv,
						queue->planning ? NULL
								: (float *)a->dst + i * picture,
						padded, room);
		}
	}
}

/* Finishes o, which is in 'dst', row by row: see struct fvsr_conv3x3. */
static void gate(struct fvsr_queue *queue, const struct fvsr_conv3x3 *a)
{
	const struct fvsr_loops *loops = fvsr_fast_loops(queue);
	size_t row = (size_t)a->w * a->cout;

#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int y = 0; y < a->frames * a->h; y++)
		loops->gate((float *)a->dst + y * row, (const float *)a->residual + y * row, row);
}

void fvsr_onednn_conv3x3(struct fvsr_queue *queue, const struct fvsr_conv3x3 *a)
{
	const bool gated = a->end == FVSR_END_GATE;
	int64_t channels = (int64_t)a->cin * (a->past ? 2 : 1);
	struct fvsr_onednn_conv conv = {
		.weight = a->weight,
		.bias = a->bias,
		.frames = a->frames,
		.h = a->h,
		.w = a->w,
		.cin = a->cin,
		.cout = a->cout,
		.size = 3,
		.top = 1,
		.left = 1,
		.bottom = 1,
		.right = 1,
		.stride_cout = 9 * channels,
		.stride_row = 3 * channels,
		.stride_column = channels,
		.dry = !a->dst,
		.sum = a->residual && !gated,
		.relu = a->relu && !a->past,
		.silu = a->end == FVSR_END_SILU,
	};

	if (fvsr_winograd_conv3x3(queue, a))
		return;
	if (!fvsr_queue_idle(queue) && conv.sum && a->residual != a->dst)
		fvsr_cpu_parallel_copy(queue, a->dst, a->residual,
				       (size_t)a->frames * a->h * a->w * a->cout * sizeof(float));
	fvsr_onednn_direct_conv(queue, &conv, a->dst, a->src, 0);
	if (gated && !fvsr_queue_idle(queue))
		gate(queue, a);
	if (!a->past)
		return;
	conv.weight += a->cin;
	conv.bias = NULL;
	conv.sum = true;
	conv.relu = a->relu;
	fvsr_onednn_direct_conv(queue, &conv, a->dst, a->past, 0);
}

/*
 * Spreads the result of a convolution at the small size over the pixels of the doubled one: runs of
 * 'run' elements, 'from_step' apart in 'from', 'to_step' in 'to', rows 'to_row' apart.
 */
static void spread(struct fvsr_queue *queue, float *to, size_t to_row, size_t to_step,
		   const float *from, size_t from_step, size_t run, int h, int w)
{
	(void)queue; /* without OpenMP */
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++)
			memcpy(to + (size_t)y * to_row + (size_t)x * to_step,
			       from + ((size_t)y * w + x) * from_step, run * sizeof(*to));
}

/* Makes one convolution with many channels of all phases: kernels of 3x3 read the same pixels. */
static void upsample_at_once(struct fvsr_queue *queue, const struct fvsr_upsample_conv *a,
			     struct fvsr_onednn_conv *conv)
{
	size_t row = (size_t)2 * a->w * a->cout, frame = 2 * a->h * row;
	size_t pair = (size_t)2 * a->cout, channels = 2 * pair * a->grow;
	float *room = queue->scratch;

	conv->cout = (int)channels;
	conv->weight = a->weight;
	conv->top = conv->left = conv->bottom = conv->right = 1;
	for (int f = 0; f < a->frames; f++) {
		const float *src =
			queue->planning ? NULL
					: (const float *)a->src + (size_t)f * a->h * a->w * a->cin;

		fvsr_onednn_direct_conv(queue, conv, room, src,
					(size_t)a->h * a->w * channels * sizeof(float));
		if (fvsr_queue_idle(queue))
			continue;
		for (int i = 0; i < 2 * a->grow; i++)
			spread(queue,
			       (float *)a->dst + (f * a->grow + i / 2) * frame + (i & 1) * row,
			       2 * row, pair, room + i * pair, channels, pair, a->h, a->w);
	}
}

/* Makes one convolution for each frame and phase, for kernels of 2x2. */
static void upsample_by_phase(struct fvsr_queue *queue, const struct fvsr_upsample_conv *a,
			      struct fvsr_onednn_conv *conv)
{
	size_t row = (size_t)2 * a->w * a->cout, frame = 2 * a->h * row;
	size_t channels = (size_t)a->cout;
	float *room = queue->scratch;

	for (int i = 0; i < a->frames * a->grow * 4; i++) {
		int f = i / 4 / a->grow, g = i / 4 % a->grow, dy = i / 2 & 1, dx = i & 1;
		const float *src =
			queue->planning ? NULL
					: (const float *)a->src + (size_t)f * a->h * a->w * a->cin;

		conv->weight = (const float *)a->weight +
			       (size_t)(g * 4 + dy * 2 + dx) * a->cout * 4 * a->cin;
		conv->top = 1 - dy, conv->bottom = dy;
		conv->left = 1 - dx, conv->right = dx;
		fvsr_onednn_direct_conv(queue, conv, room, src,
					(size_t)a->h * a->w * channels * sizeof(float));
		if (!fvsr_queue_idle(queue))
			spread(queue,
			       (float *)a->dst + (f * a->grow + g) * frame + dy * row +
				       dx * channels,
			       2 * row, 2 * channels, room, channels, channels, a->h, a->w);
	}
}

void fvsr_onednn_upsample_conv(struct fvsr_queue *queue, const struct fvsr_upsample_conv *a)
{
	struct fvsr_onednn_conv conv = {
		.frames = 1,
		.h = a->h,
		.w = a->w,
		.cin = a->cin,
		.cout = a->cout,
		.size = a->ksize,
		.stride_cout = (int64_t)a->ksize * a->ksize * a->cin,
		.stride_row = (int64_t)a->ksize * a->cin,
		.stride_column = a->cin,
		.dry = !a->dst,
		.relu = a->relu,
	};

	if (a->ksize == 3)
		upsample_at_once(queue, a, &conv);
	else
		upsample_by_phase(queue, a, &conv);
}

/* Sums up one 1x1 for each source. */
void fvsr_onednn_mix(struct fvsr_queue *queue, const struct fvsr_mix *a)
{
	size_t source = (size_t)a->h * a->w * a->cin;
	struct fvsr_onednn_conv conv = {
		.frames = 1,
		.h = a->h,
		.w = a->w,
		.cin = a->cin,
		.cout = a->cout,
		.size = 1,
		.stride_cout = (int64_t)a->sources * a->cin,
		.stride_row = a->cin,
		.stride_column = a->cin,
		.dry = !a->dst,
	};

	for (int i = 0; i < a->sources; i++) {
		conv.weight = (const float *)a->weight + (size_t)i * a->cin;
		conv.bias = i ? NULL : a->bias;
		conv.sum = i > 0;
		fvsr_onednn_direct_conv(queue, &conv, a->dst,
					a->src ? (const float *)a->src + i * source : NULL, 0);
	}
}

void fvsr_onednn_conv_rgb(struct fvsr_queue *queue, const struct fvsr_conv_rgb *a)
{
	size_t plane = (size_t)a->h * a->w;
	const float *room = queue->scratch, *canvas = a->canvas;
	float *dst = a->dst;
	struct fvsr_onednn_conv conv = {
		.weight = a->weight,
		.bias = a->bias,
		.frames = 1,
		.h = a->h,
		.w = a->w,
		.cin = a->cin,
		.cout = 3,
		.size = 3,
		.top = 1,
		.left = 1,
		.bottom = 1,
		.right = 1,
		.stride_cout = 9 * (int64_t)a->cin,
		.stride_row = 3 * (int64_t)a->cin,
		.stride_column = a->cin,
		.dry = !a->dst,
	};

	fvsr_onednn_direct_conv(queue, &conv, queue->scratch, a->src, 3 * plane * sizeof(float));
	if (fvsr_queue_idle(queue) || conv.dry)
		return;
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (size_t i = 0; i < plane; i++)
		for (size_t c = 0; c < 3; c++)
			dst[c * plane + i] = canvas ? canvas[c * plane + i] + room[i * 3 + c]
						    : room[i * 3 + c] * 2 - 1;
}
