/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ops on pictures: the canvas (sections 1 and 3), the ways between canvas, latent and features
 * (4, 5, 7) and colour correction (8).
 */
#include "backend/cpu/plain/plain.h"

#include <math.h>
#include <string.h>

/* Repeats the right and the lower border of a plane whose visible part is filled. */
static void pad_plane(float *plane, const struct fvsr_ingest *a)
{
	size_t stride = (size_t)a->pad_width;

	for (int y = 0; y < a->height; y++)
		for (int x = a->width; x < a->pad_width; x++)
			plane[y * stride + x] = plane[y * stride + a->width - 1];
	for (int y = a->height; y < a->pad_height; y++)
		memcpy(plane + y * stride, plane + (a->height - 1) * stride,
		       stride * sizeof(*plane));
}

static void ingest_float(const struct fvsr_ingest *a, int channel, float *plane)
{
	const char *src = (const char *)a->src->data + (size_t)channel * a->height * a->src->stride;

	for (int y = 0; y < a->height; y++) {
		float *row = plane + (size_t)y * a->pad_width;

		/* The caller's rows may begin at any address. */
		memcpy(row, src + y * a->src->stride, (size_t)a->width * sizeof(*row));
		for (int x = 0; x < a->width; x++)
			row[x] = fminf(fmaxf(row[x], -1), 1); /* NaN: -1 */
	}
}

static void ingest_bytes(const struct fvsr_ingest *a, const uint8_t *scaled, int channel,
			 float *plane)
{
	int offset = a->src->format == FVSR_FORMAT_BGRA8 ? 2 - channel : channel;

	for (int y = 0; y < a->height; y++)
		for (int x = 0; x < a->width; x++)
			plane[(size_t)y * a->pad_width + x] =
				(float)scaled[((size_t)y * a->width + x) * 4 + offset] / 255.0f *
					2.0f -
				1.0f;
}

void fvsr_plain_ingest(struct fvsr_queue *queue, const struct fvsr_ingest *a)
{
	struct fvsr_cpu_queue *cpu = (struct fvsr_cpu_queue *)queue;
	size_t scaled_bytes = (size_t)a->width * a->height * 4;
	bool planar = a->src->format == FVSR_FORMAT_RGBF32P;
	uint8_t *scaled = queue->scratch, *alpha = a->alpha;

	fvsr_queue_scratch(queue, scaled_bytes + (size_t)a->width * a->src->height * 4);
	if (queue->planning && !planar &&
	    (fvsr_resize_axis_init(&cpu->horizontal, a->src->width, a->width) ||
	     fvsr_resize_axis_init(&cpu->vertical, a->src->height, a->height)))
		fvsr_queue_fail(queue, FVSR_ERR_MEMORY, "out of memory");
	if (fvsr_queue_idle(queue))
		return;
	if (a->src->memory != FVSR_MEMORY_HOST) {
		fvsr_queue_fail(queue, FVSR_ERR_UNSUPPORTED,
				"the CPU backends take frames in host memory only");
		return;
	}
	if (!planar)
		fvsr_resize_u8x4(scaled, scaled + scaled_bytes, a->src->data, a->src->stride,
				 &cpu->horizontal, &cpu->vertical, fvsr_cpu_threads(queue));
	for (int channel = 0; channel < 3; channel++) {
		float *plane = (float *)a->canvas + (size_t)channel * a->pad_width * a->pad_height;

		if (planar)
			ingest_float(a, channel, plane);
		else
			ingest_bytes(a, scaled, channel, plane);
		pad_plane(plane, a);
	}
	for (size_t i = 0; i < (size_t)a->width * a->height; i++)
		alpha[i] = planar ? 255 : scaled[i * 4 + 3];
}

void fvsr_plain_unshuffle(struct fvsr_queue *queue, void *dst, const void *canvas, int h, int w)
{
	const float *src = canvas;

	if (fvsr_queue_idle(queue))
		return;
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int row = 0; row < h; row++) {
		float *out = (float *)dst + (size_t)row * w * FVSR_TOKEN_SAMPLES;

		for (int column = 0; column < w; column++)
			for (int c = 0; c < 3; c++)
				for (int y = 0; y < 16; y++, out += 16)
					memcpy(out,
					       src + ((size_t)(c * h + row) * 16 + y) * w * 16 +
						       column * 16,
					       16 * sizeof(float));
	}
}

void fvsr_plain_unpatchify(struct fvsr_queue *queue, const struct fvsr_unpatchify *a)
{
	const float *noise = a->noise, *patches = a->patches;
	float *latent = a->latent;

	if (fvsr_queue_idle(queue))
		return;
	for (int row = 0; row < 2 * a->lh; row++) {
		int frame = row / a->lh, y = row % a->lh;

		for (int x = 0; x < a->lw; x++) {
			size_t at = ((size_t)row * a->lw + x) * a->channels;
			size_t token = ((size_t)frame * (a->lh / 2) + y / 2) * (a->lw / 2) + x / 2;
			const float *velocity =
				patches + (token * 4 + (y & 1) * 2 + (x & 1)) * a->channels;

			for (int c = 0; c < a->channels; c++)
				latent[at + c] = noise[at + c] - velocity[c];
		}
	}
}

void fvsr_plain_decoder_input(struct fvsr_queue *queue, const struct fvsr_decoder_input *a)
{
	int channels = FVSR_CONDITION_SAMPLES + a->channels, width = a->lw * 8;
	size_t plane = (size_t)width * a->lh * 8;

	if (fvsr_queue_idle(queue))
		return;
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int i = 0; i < a->lh * a->lw; i++) {
		float *out = (float *)a->dst + (size_t)i * channels;
		size_t corner = (size_t)(i / a->lw) * 8 * width + (size_t)(i % a->lw) * 8;

		for (int n = 0; n < FVSR_CONDITION_SAMPLES; n++) {
			const float *canvas = a->canvas[n / 64 % 4];

			out[n] = canvas[n / 256 * plane + corner + (size_t)(n / 8 % 8) * width +
					n % 8];
		}
		memcpy(out + FVSR_CONDITION_SAMPLES,
		       (const float *)a->latent + (size_t)i * a->channels,
		       (size_t)a->channels * sizeof(float));
		for (int n = 0; n < channels; n++)
			out[n] = 3 * tanhf(out[n] / 3);
	}
}

void fvsr_plain_pixel_shuffle(struct fvsr_queue *queue, const struct fvsr_pixel_shuffle *a)
{
	int side = a->side, height = a->h * side;
	size_t width = (size_t)a->w * side, channels = (size_t)3 * a->frames * side * side;

	if (fvsr_queue_idle(queue))
		return;
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int row = 0; row < 3 * height; row++) {
		int c = row / height, y = row % height;
		size_t first = (((size_t)a->frame * 3 + c) * side + y % side) * side;
		const float *src = (const float *)a->src + y / side * a->w * channels + first;
		const float *canvas = a->canvas ? (const float *)a->canvas + row * width : NULL;
		float *dst = (float *)a->dst + row * width;

		for (int x = 0; x < a->w; x++, src += channels)
			for (int i = 0; i < side; i++, dst++)
				*dst = a->canvas ? *canvas++ + src[i] : src[i] * 2 - 1;
	}
}

/* Returns the mean of a square of 'side' pixels, whose rows are 'width' apart. */
static float square_mean(const float *corner, size_t width, int side)
{
	float sum = 0;

	for (int y = 0; y < side; y++)
		for (int x = 0; x < side; x++)
			sum += corner[(size_t)y * width + x];
	return sum / (float)(side * side);
}

void fvsr_plain_shrink(struct fvsr_queue *queue, const struct fvsr_shrink *a)
{
	size_t side = (size_t)a->side, width = a->w * side, plane = width * a->h * side;

	if (fvsr_queue_idle(queue))
		return;
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int y = 0; y < a->h; y++) {
		const float *row = (const float *)a->canvas + y * side * width;
		float *dst = (float *)a->dst + (size_t)y * a->w * FVSR_TRUNK_CHANNELS;

		for (int x = 0; x < a->w; x++, dst += FVSR_TRUNK_CHANNELS) {
			memset(dst, 0, FVSR_TRUNK_CHANNELS * sizeof(*dst));
			for (size_t c = 0; c < 3; c++)
				dst[c] = square_mean(row + c * plane + x * side, width, a->side);
			dst[3] = a->told;
		}
	}
}

static float sample(const float *plane, const struct fvsr_color_finish *a, int y, int x)
{
	return fvsr_picture_sample(plane[(size_t)y * a->pad_width + x]);
}

static void statistics(const float *plane, const struct fvsr_color_finish *a, float *mean,
		       float *deviation)
{
	double sum = 0, squares = 0, n = (double)a->width * a->height;

	for (int y = 0; y < a->height; y++)
		for (int x = 0; x < a->width; x++)
			sum += sample(plane, a, y, x);
	sum /= n;
	for (int y = 0; y < a->height; y++) {
		for (int x = 0; x < a->width; x++) {
			double d = sample(plane, a, y, x) - sum;

			squares += d * d;
		}
	}
	*mean = (float)sum;
	*deviation = (float)sqrt(squares / n + 1e-5);
}

static void correct_adain(float *out, const float *x, const float *canvas,
			  const struct fvsr_color_finish *a)
{
	float mean_x, deviation_x, mean_c, deviation_c;

	statistics(x, a, &mean_x, &deviation_x);
	statistics(canvas, a, &mean_c, &deviation_c);
	for (int y = 0; y < a->height; y++)
		for (int i = 0; i < a->width; i++)
			*out++ = (sample(x, a, y, i) - mean_x) / deviation_x * deviation_c + mean_c;
}

/*
 * Blurs a plane by [1 2 1] x [1 2 1] / 16 with holes of 'step', borders repeated; 'rows' is room
 * for a plane.
 */
static void blur(float *plane, float *rows, int width, int height, int step)
{
	for (int y = 0; y < height; y++) {
		const float *row = plane + (size_t)y * width;

		for (int x = 0; x < width; x++)
			rows[(size_t)y * width + x] =
				0.25f * row[fvsr_cpu_clamp_index(x - step, width)] + 0.5f * row[x] +
				0.25f * row[fvsr_cpu_clamp_index(x + step, width)];
	}
	for (int y = 0; y < height; y++) {
		const float *above = rows + (size_t)fvsr_cpu_clamp_index(y - step, height) * width;
		const float *here = rows + (size_t)y * width;
		const float *below = rows + (size_t)fvsr_cpu_clamp_index(y + step, height) * width;

		for (int x = 0; x < width; x++)
			plane[(size_t)y * width + x] =
				0.25f * above[x] + 0.5f * here[x] + 0.25f * below[x];
	}
}

/*
 * Computes high(x) + low(canvas), as x + low(canvas - x): the blur is linear. 'room' holds two
 * planes.
 */
static void correct_wavelet(float *out, const float *x, const float *canvas,
			    const struct fvsr_color_finish *a, float *room)
{
	size_t n = (size_t)a->width * a->height;

	for (int y = 0; y < a->height; y++)
		for (int i = 0; i < a->width; i++)
			room[(size_t)y * a->width + i] =
				sample(canvas, a, y, i) - sample(x, a, y, i);
	for (int level = 0; level < 5; level++)
		blur(room, room + n, a->width, a->height, 1 << level);
	for (int y = 0; y < a->height; y++)
		for (int i = 0; i < a->width; i++)
			*out++ = sample(x, a, y, i) + *room++;
}

static void correct_plane(float *out, const float *x, const float *canvas,
			  const struct fvsr_color_finish *a, float *room)
{
	size_t n = (size_t)a->width * a->height;

	if (a->mode == FVSR_COLOR_ADAIN)
		correct_adain(out, x, canvas, a);
	else if (a->mode == FVSR_COLOR_WAVELET)
		correct_wavelet(out, x, canvas, a, room);
	else
		for (int y = 0; y < a->height; y++)
			for (int i = 0; i < a->width; i++)
				out[(size_t)y * a->width + i] = sample(x, a, y, i);
	for (size_t i = 0; i < n; i++)
		out[i] = fminf(fmaxf(out[i], -1), 1);
}

static uint8_t to_byte(float x, bool nearest)
{
	float level = (x + 1) * 127.5f + (nearest ? 0.5f : 0.0f);

	return (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
}

void fvsr_plain_color_finish(struct fvsr_queue *queue, const struct fvsr_color_finish *a)
{
	size_t n = (size_t)a->width * a->height, plane = (size_t)a->pad_width * a->pad_height;
	bool swap = a->format == FVSR_FORMAT_BGRA8;
	float *picture = queue->scratch;
	const uint8_t *alpha = a->alpha;

	/* Three corrected planes, and two of room for each channel's wavelet. */
	fvsr_queue_scratch(queue, 9 * n * sizeof(float));
	if (fvsr_queue_idle(queue))
		return;
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int c = 0; c < 3; c++)
		correct_plane(picture + c * n, (const float *)a->decoded + c * plane,
			      (const float *)a->canvas + c * plane, a, picture + (3 + 2 * c) * n);
	if (a->final)
		memcpy(a->final, picture, 3 * n * sizeof(float));
	if (a->format == FVSR_FORMAT_RGBF32P) {
		memcpy(a->dst, picture, 3 * n * sizeof(float));
		return;
	}
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (size_t i = 0; i < n; i++) {
		uint8_t *dst = (uint8_t *)a->dst + i * 4;

		for (int c = 0; c < 3; c++)
			dst[swap ? 2 - c : c] = to_byte(picture[c * n + i], a->nearest);
		dst[3] = alpha[i];
	}
}
