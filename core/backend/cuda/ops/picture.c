/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reordering between canvas, latent and features, noise, and colour: the launches of
 * kernels/generic/picture.cu, noise.cu and color.cu.
 */
#include "backend/cuda/ops/ops.h"
#include "kernels/generic/params.h"

_Static_assert((int)FVSR_COLOR_LIMIT == FVSR_PICTURE_LIMIT, "one rule for all backends");
_Static_assert(FVSR_CANVAS_PIECES * 8 == FVSR_TOKEN_SAMPLES, "a thread has eight features");
_Static_assert(FVSR_CANVAS_PIECES * 8 == FVSR_CONDITION_SAMPLES, "a thread has eight features");
_Static_assert(FVSR_TRUNK_CHANNELS == 8, "a thread of shrink writes 16 bytes");
_Static_assert((int)FVSR_COLOR_MODE_ADAIN == (int)FVSR_COLOR_ADAIN, "the kernels' name for it");

/* Launches a thread for each of 'work' items. */
static void launch_items(struct fvsr_queue *base, enum fvsr_cuda_kernel kernel, size_t work,
			 const void *params)
{
	struct fvsr_cuda_launch launch = {
		.kernel = kernel,
		.grid = {fvsr_cuda_blocks(work, FVSR_ITEM_THREADS)},
		.params = params,
	};

	if (work)
		fvsr_cuda_launch(fvsr_cuda_queue(base), &launch);
}

void fvsr_cuda_unshuffle(struct fvsr_queue *queue, void *dst, const void *canvas, int h, int w)
{
	struct fvsr_unshuffle_params p = {.dst = dst, .canvas = canvas, .h = h, .w = w};

	launch_items(queue, FVSR_KERNEL_unshuffle, (size_t)h * w * FVSR_CANVAS_PIECES, &p);
}

void fvsr_cuda_noise_slice(struct fvsr_queue *queue, const struct fvsr_noise_slice *a)
{
	struct fvsr_noise_params p = {
		.latent = a->latent,
		.patches = a->patches,
		.key = a->key,
		.normal = a->kind == FVSR_NOISE_NORMAL,
		.lh = a->lh,
		.lw = a->lw,
		.channels = a->channels,
		.first_frame = a->first_frame,
		.frames = a->frames,
	};

	launch_items(queue, FVSR_KERNEL_noise_slice, (size_t)2 * a->lh * a->lw * a->channels, &p);
}

void fvsr_cuda_unpatchify(struct fvsr_queue *queue, const struct fvsr_unpatchify *a)
{
	struct fvsr_unpatchify_params p = {
		.latent = a->latent,
		.noise = a->noise,
		.patches = a->patches,
		.lh = a->lh,
		.lw = a->lw,
		.channels = a->channels,
	};

	launch_items(queue, FVSR_KERNEL_unpatchify, (size_t)2 * a->lh * a->lw * a->channels, &p);
}

void fvsr_cuda_decoder_input(struct fvsr_queue *queue, const struct fvsr_decoder_input *a)
{
	struct fvsr_decoder_input_params p = {
		.dst = a->dst,
		.latent = a->latent,
		.canvas = {a->canvas[0], a->canvas[1], a->canvas[2], a->canvas[3]},
		.lh = a->lh,
		.lw = a->lw,
		.channels = a->channels,
	};
	size_t pieces = FVSR_CANVAS_PIECES + ((size_t)a->channels + 7) / 8;

	launch_items(queue, FVSR_KERNEL_decoder_input, (size_t)a->lh * a->lw * pieces, &p);
}

void fvsr_cuda_pixel_shuffle(struct fvsr_queue *queue, const struct fvsr_pixel_shuffle *a)
{
	int pixels = 3 * a->side * a->side;
	struct fvsr_pixel_shuffle_params p = {
		.dst = a->dst,
		.src = a->src,
		.canvas = a->canvas,
		.h = a->h,
		.w = a->w,
		.channels = a->frames * pixels,
		.first = a->frame * pixels,
	};
	struct fvsr_cuda_launch launch = {
		.kernel = fvsr_cuda_kernel_for(FVSR_KERNEL_pixel_shuffle_2,
					       FVSR_KERNEL_pixel_shuffle_4, a->side),
		.grid = {fvsr_cuda_blocks((size_t)a->w, FVSR_SHUFFLE_POSITIONS), (unsigned)a->h},
		.params = &p,
	};

	fvsr_cuda_launch(fvsr_cuda_queue(queue), &launch);
}

void fvsr_cuda_shrink(struct fvsr_queue *queue, const struct fvsr_shrink *a)
{
	struct fvsr_shrink_params p = {
		.dst = a->dst,
		.canvas = a->canvas,
		.h = a->h,
		.w = a->w,
		.side = a->side,
		.told = a->told,
	};

	launch_items(queue, FVSR_KERNEL_shrink, (size_t)a->h * a->w, &p);
}

/* Launches five levels, whose last also finishes the picture; 'room' has twice three planes. */
static void wavelet(struct fvsr_cuda_queue *queue, struct fvsr_color_params *p, float *room)
{
	size_t planes = (size_t)3 * p->width * p->height;
	struct fvsr_cuda_launch launch = {
		.kernel = FVSR_KERNEL_wavelet_level,
		.grid = {fvsr_cuda_blocks((size_t)p->width, FVSR_COLOR_THREADS),
			 (unsigned)p->height, 3},
		.params = p,
	};

	for (int level = 0; level < 4; level++) {
		p->step = 1 << level;
		p->blurred = room + (size_t)(level % 2) * planes;
		fvsr_cuda_launch(queue, &launch);
		p->low = p->blurred;
	}
	p->step = 1 << 4;
	launch.kernel = FVSR_KERNEL_wavelet_apply;
	launch.grid[2] = 1;
	fvsr_cuda_launch(queue, &launch);
}

static void adain_or_off(struct fvsr_cuda_queue *queue, const struct fvsr_color_params *p)
{
	struct fvsr_cuda_launch sums = {
		.kernel = FVSR_KERNEL_color_sums,
		.grid = {FVSR_COLOR_PARTS, 3, 2},
		.params = p,
	};
	struct fvsr_cuda_launch apply = {
		.kernel = FVSR_KERNEL_color_apply,
		.grid = {fvsr_cuda_blocks((size_t)p->width, FVSR_COLOR_THREADS),
			 fvsr_cuda_blocks((size_t)p->height, 8)},
		.params = p,
	};

	if (p->mode == FVSR_COLOR_ADAIN)
		fvsr_cuda_launch(queue, &sums);
	fvsr_cuda_launch(queue, &apply);
}

void fvsr_cuda_color_finish(struct fvsr_queue *base, const struct fvsr_color_finish *a)
{
	struct fvsr_cuda_queue *queue = fvsr_cuda_queue(base);
	size_t pixels = (size_t)a->width * a->height;
	bool planar = a->format == FVSR_FORMAT_RGBF32P;
	size_t room = a->mode == FVSR_COLOR_WAVELET ? 6 * pixels * sizeof(float)
						    : 2 * 3 * FVSR_COLOR_PARTS * 2 * sizeof(double);
	void *scratch = fvsr_cuda_scratch(queue, room);
	struct fvsr_color_params p = {
		.decoded = a->decoded,
		.canvas = a->canvas,
		.alpha = a->alpha,
		.dst = a->dst,
		.final = a->final,
		.sums = scratch,
		.width = a->width,
		.height = a->height,
		.pad_width = a->pad_width,
		.pad_height = a->pad_height,
		.mode = (int)a->mode,
		.planar = planar,
		.swap = a->format == FVSR_FORMAT_BGRA8,
		.nearest = a->nearest,
	};

	fvsr_cuda_frames_prepare(queue, pixels * (planar ? 12 : 4));
	if (fvsr_queue_idle(base))
		return;
	if (a->mode == FVSR_COLOR_WAVELET)
		wavelet(queue, &p, scratch);
	else
		adain_or_off(queue, &p);
}
