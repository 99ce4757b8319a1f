/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Convolutions as in the training framework: planar pictures (channels, height, width), kernels
 * (out, in, ..., 3, 3), concatenation and upsampling as separate steps (sections 4, 7 and 11).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"

static int clamped(int value, int limit)
{
	return value < 0 ? 0 : value >= limit ? limit - 1 : value;
}

/* Adds the 3x3 of a planar picture, borders zero or repeated, to 'out' (cout, h, w). */
static void conv_planar(double *out, const double *in, const double *kernel, int cin, int cout,
			int h, int w, bool repeat)
{
	for (int n = 0; n < cout; n++)
		for (int y = 0; y < h; y++)
			for (int x = 0; x < w; x++)
				for (int i = 0; i < cin * 9; i++) {
					int c = i / 9, row = y + i / 3 % 3 - 1, col = x + i % 3 - 1;

					if (row != clamped(row, h) || col != clamped(col, w)) {
						if (!repeat)
							continue;
						row = clamped(row, h), col = clamped(col, w);
					}
					out[((size_t)n * h + y) * w + x] +=
						kernel[(size_t)n * cin * 9 + i] *
						in[((size_t)c * h + row) * w + col];
				}
}

/* Convert NHWC float to planar double, and back as the expected values. */
static void to_planar(double *out, const float *in, int h, int w, int channels)
{
	for (int i = 0; i < h * w; i++)
		for (int c = 0; c < channels; c++)
			out[(size_t)c * h * w + i] = in[(size_t)i * channels + c];
}

static void to_nhwc(double *out, const double *in, int h, int w, int channels)
{
	for (int i = 0; i < h * w; i++)
		for (int c = 0; c < channels; c++)
			out[(size_t)i * channels + c] = in[(size_t)c * h * w + i];
}

bool reference_conv_frames(void)
{
	struct fvsr_conv_frames a = {.outputs = pick_int(1, 4),
				     .h = pick_int(1, 6),
				     .w = pick_int(1, 6),
				     .cin = pick_int(1, 12),
				     .cout = pick_int(1, 12)};
	enum { FRAMES = 5 };
	size_t area = (size_t)a.h * a.w, n = area * a.cout;
	float *src = random_floats(FRAMES * area * a.cin), *bias = random_floats((size_t)a.cout);
	float *weight = random_floats((size_t)a.cout * 36 * a.cin), *dst = random_floats(4 * n);
	double *want = room(4 * n * sizeof(*want)), *planar = room(area * a.cin * sizeof(*planar));
	double *kernel = room((size_t)a.cout * a.cin * 9 * sizeof(*kernel));
	double *sum = room(n * sizeof(*sum));
	bool good;

	for (int i = 0; i < a.outputs; i++) {
		for (size_t j = 0; j < n; j++)
			sum[j] = bias[j / area];
		for (int t = 0; t < 4; t++) {
			a.taps[i][t] = pick_int(0, FRAMES - 1);
			to_planar(planar, src + a.taps[i][t] * area * a.cin, a.h, a.w, a.cin);
			for (int j = 0; j < a.cout * a.cin * 9; j++) {
				int o = j / 9 / a.cin, c = j / 9 % a.cin, k = j % 9;

				kernel[j] = weight[((size_t)(o * 4 + t) * 9 + k) * a.cin + c];
			}
			conv_planar(sum, planar, kernel, a.cin, a.cout, a.h, a.w, true);
		}
		to_nhwc(want + i * n, sum, a.h, a.w, a.cout);
	}
	a.dst = dst, a.src = src, a.weight = weight, a.bias = bias;
	CALL(conv_frames, &a);
	good = close_to("conv_frames", dst, want, a.outputs * n, 1e-6);
	free(src), free(bias), free(weight), free(dst), free(want), free(planar), free(kernel);
	free(sum);
	return good;
}

/* Finishes a convolution's sum as the network's description says. */
static double finished(const struct fvsr_conv3x3 *a, double sum, double residual)
{
	double weight = 1 / (1 + exp(-sum));

	if (a->end == FVSR_END_SILU)
		return sum * weight;
	if (a->end == FVSR_END_GATE)
		return (sum + residual) * (weight - 0.5);
	sum += residual;
	return a->relu && sum < 0 ? 0 : sum;
}

bool reference_conv3x3(void)
{
	struct fvsr_conv3x3 a = {
		.frames = pick_int(1, 3),
		.h = pick_int(1, 7),
		.w = pick_int(1, 7),
		.cin = pick_int(1, 12),
		.cout = pick_int(1, 12),
		.relu = pick_int(0, 1),
		.end = (enum fvsr_trunk_end)pick_int(FVSR_END_NONE, FVSR_END_GATE)};
	bool past = pick_int(0, 1), residual = pick_int(0, 1), biased = pick_int(0, 1), good;
	int channels;
	size_t area = (size_t)a.h * a.w, in = area * a.cin, n = area * a.cout;
	float *src = random_floats(a.frames * in), *old = random_floats(a.frames * in);
	float *rest = random_floats(a.frames * n), *bias = random_floats((size_t)a.cout);
	float *weight = random_floats((size_t)a.cout * 18 * a.cin);
	float *dst = random_floats(a.frames * n);
	double *joined = room(2 * in * sizeof(*joined)), *sum = room(n * sizeof(*sum));
	double *kernel = room((size_t)a.cout * 18 * a.cin * sizeof(*kernel));
	double *want = room(a.frames * n * sizeof(*want));

	if (a.end > FVSR_END_NONE)
		past = a.relu = false, residual = a.end == FVSR_END_GATE;
	channels = past ? 2 * a.cin : a.cin;
	for (int j = 0; j < a.cout * channels * 9; j++)
		kernel[j] = weight[((size_t)(j / 9 / channels) * 9 + j % 9) * channels +
				   j / 9 % channels];
	for (int f = 0; f < a.frames; f++) {
		to_planar(joined, src + f * in, a.h, a.w, a.cin);
		to_planar(joined + in, old + f * in, a.h, a.w, a.cin);
		for (size_t j = 0; j < n; j++)
			sum[j] = biased ? bias[j / area] : 0;
		conv_planar(sum, joined, kernel, channels, a.cout, a.h, a.w, false);
		to_nhwc(want + f * n, sum, a.h, a.w, a.cout);
	}
	for (size_t j = 0; j < a.frames * n; j++)
		want[j] = finished(&a, want[j], residual ? rest[j] : 0);
	a.dst = dst, a.src = src, a.weight = weight;
	a.past = past ? old : NULL, a.bias = biased ? bias : NULL;
	a.residual = residual ? rest : NULL;
	CALL(conv3x3, &a);
	good = close_to("conv3x3", dst, want, a.frames * n, 1e-6);
	free(src), free(old), free(rest), free(bias), free(weight), free(dst), free(joined);
	free(sum), free(kernel), free(want);
	return good;
}

/*
 * Computes nearest x2, then 1x1 (cin -> grow * cin), then 3x3 (cin -> cout) on each part, frames
 * (h, w, cin) -> (grow, 2h, 2w, cout), all apart; 'one' is (grow * cin, cin), 'three' (cout, cin,
 * 3, 3).
 */
static void expect_nearest(double *want, const float *src, const double *one, const double *three,
			   const struct fvsr_upsample_conv *a)
{
	int height = 2 * a->h, width = 2 * a->w;
	size_t area = (size_t)height * width;
	double *mixed = room(area * a->cin * sizeof(*mixed));
	double *sum = room(area * a->cout * sizeof(*sum));

	for (int g = 0; g < a->grow; g++) {
		memset(mixed, 0, area * a->cin * sizeof(*mixed));
		memset(sum, 0, area * a->cout * sizeof(*sum));
		for (size_t i = 0; i < area * a->cin; i++) {
			size_t o = g * a->cin + i / area, y = i % area / width, x = i % width;
			const float *pixel = src + ((y / 2) * a->w + x / 2) * a->cin;

			for (int c = 0; c < a->cin; c++)
				mixed[i] += one[o * a->cin + c] * pixel[c];
		}
		conv_planar(sum, mixed, three, a->cin, a->cout, height, width, false);
		to_nhwc(want + g * area * a->cout, sum, height, width, a->cout);
	}
	free(mixed), free(sum);
}

/*
 * Makes kernels of 2x2 for each phase that do the same: tap i of the 3x3 at phase d reads input row
 * floor((d + i - 1) / 2), that is place (d + i - 1 >= 0) + (d + i - 1 >= 2) - d of two.
 */
static void fold(float *weight, const double *one, const double *three,
		 const struct fvsr_upsample_conv *a)
{
	for (int g = 0; g < a->grow; g++)
		for (int i = 0; i < 4 * a->cout * a->cin * 9; i++) {
			int phase = i / (a->cout * a->cin * 9), dy = phase / 2, dx = phase % 2;
			int o = i / (a->cin * 9) % a->cout, m = i / 9 % a->cin;
			int y = dy + i / 3 % 3 - 1, x = dx + i % 3 - 1;
			int row = (y >= 0) + (y >= 2) - dy, col = (x >= 0) + (x >= 2) - dx;
			float *to = weight +
				    (((size_t)(g * 4 + phase) * a->cout + o) * 4 + row * 2 + col) *
					    a->cin;

			for (int c = 0; c < a->cin; c++)
				to[c] += (float)(three[((size_t)o * a->cin + m) * 9 + i % 9] *
						 one[(size_t)(g * a->cin + m) * a->cin + c]);
		}
}

static struct fvsr_upsample_conv random_upsample(int ksize)
{
	return (struct fvsr_upsample_conv){.frames = pick_int(1, 2),
					   .h = pick_int(1, 5),
					   .w = pick_int(1, 5),
					   .cin = pick_int(1, 8),
					   .cout = pick_int(1, 8),
					   .grow = pick_int(1, 2),
					   .ksize = ksize,
					   .relu = pick_int(0, 1)};
}

bool reference_upsample_nearest(void)
{
	struct fvsr_upsample_conv a = random_upsample(2);
	size_t in = (size_t)a.h * a.w * a.cin, out = (size_t)4 * a.h * a.w * a.cout * a.grow;
	size_t ones = (size_t)a.grow * a.cin * a.cin, threes = (size_t)a.cout * a.cin * 9;
	float *src = random_floats(a.frames * in), *dst = random_floats(a.frames * out);
	float *weight = room((size_t)a.grow * 16 * a.cout * a.cin * sizeof(*weight));
	double *one = room(ones * sizeof(*one)), *three = room(threes * sizeof(*three));
	double *want = room(a.frames * out * sizeof(*want));
	bool good;

	for (size_t i = 0; i < ones; i++)
		one[i] = pick_int(-100, 100) * 0.01;
	for (size_t i = 0; i < threes; i++)
		three[i] = pick_int(-100, 100) * 0.01;
	fold(weight, one, three, &a);
	for (int f = 0; f < a.frames; f++)
		expect_nearest(want + f * out, src + f * in, one, three, &a);
	for (size_t i = 0; a.relu && i < a.frames * out; i++)
		want[i] = want[i] < 0 ? 0 : want[i];
	a.dst = dst, a.src = src, a.weight = weight;
	CALL(upsample_conv, &a);
	good = close_to("upsample_conv", dst, want, a.frames * out, 2e-6);
	free(src), free(dst), free(weight), free(one), free(three), free(want);
	return good;
}

/* Computes a 3x3 to 4 * cout channels, then depth to space: channel (phase, cout) of frame g. */
bool reference_upsample_depth(void)
{
	struct fvsr_upsample_conv a = random_upsample(3);
	size_t area = (size_t)a.h * a.w, in = area * a.cin, out = 4 * area * a.cout * a.grow;
	int channels = 4 * a.cout * a.grow;
	float *src = random_floats(a.frames * in), *dst = random_floats(a.frames * out);
	float *weight = random_floats((size_t)channels * 9 * a.cin);
	double *kernel = room((size_t)channels * 9 * a.cin * sizeof(*kernel));
	double *planar = room(in * sizeof(*planar)), *sum = room(out * sizeof(*sum));
	double *want = room(a.frames * out * sizeof(*want));
	bool good;

	for (int i = 0; i < channels * a.cin * 9; i++)
		kernel[i] = weight[((size_t)(i / 9 / a.cin) * 9 + i % 9) * a.cin + i / 9 % a.cin];
	for (int f = 0; f < a.frames; f++) {
		memset(sum, 0, out * sizeof(*sum));
		to_planar(planar, src + f * in, a.h, a.w, a.cin);
		conv_planar(sum, planar, kernel, a.cin, channels, a.h, a.w, false);
		for (size_t i = 0; i < out; i++) {
			size_t c = i / area, y = i % area / a.w, x = i % a.w;
			size_t g = c / (4 * a.cout), phase = c / a.cout % 4, o = c % a.cout;
			size_t frame = f * a.grow + g;

			frame = (frame * 2 * a.h + 2 * y + phase / 2) * 2 * a.w + 2 * x + phase % 2;
			want[frame * a.cout + o] = a.relu && sum[i] < 0 ? 0 : sum[i];
		}
	}
	a.dst = dst, a.src = src, a.weight = weight;
	CALL(upsample_conv, &a);
	good = close_to("upsample_conv, depth", dst, want, a.frames * out, 1e-6);
	free(src), free(dst), free(weight), free(kernel), free(planar), free(sum), free(want);
	return good;
}

/* Shuffles as PyTorch's pixel_shuffle: of each frame a picture (colours, side, side, h, w). */
bool reference_pixel_shuffle(void)
{
	struct fvsr_pixel_shuffle a = {.h = pick_int(1, 5),
				       .w = pick_int(1, 5),
				       .side = pick_int(2, 4),
				       .frames = pick_int(1, 4)};
	int channels = a.frames * 3 * a.side * a.side, width = a.w * a.side;
	size_t area = (size_t)a.h * a.w, pixels = 3 * area * a.side * a.side;
	float *src = random_floats(pixels * a.frames), *canvas = random_floats(pixels);
	float *dst = random_floats(pixels);
	double *planar = room(pixels * a.frames * sizeof(*planar));
	double *want = room(pixels * sizeof(*want));
	bool added = pick_int(0, 1), good;

	a.frame = pick_int(0, a.frames - 1);
	to_planar(planar, src, a.h, a.w, channels);
	for (size_t i = 0; i < pixels; i++) {
		size_t at = i % area, channel = i / area, dx = channel % a.side;
		size_t dy = channel / a.side % a.side, c = channel / a.side / a.side;
		size_t y = at / a.w * a.side + dy, x = at % a.w * a.side + dx;
		size_t to = (c * a.h * a.side + y) * width + x;
		double value = planar[a.frame * pixels + i];

		want[to] = added ? canvas[to] + value : value * 2 - 1;
	}
	a.dst = dst, a.src = src, a.canvas = added ? canvas : NULL;
	CALL(pixel_shuffle, &a);
	good = close_to("pixel_shuffle", dst, want, pixels, 1e-6);
	free(src), free(canvas), free(dst), free(planar), free(want);
	return good;
}

/* Concatenates the sources' channels and multiplies by one matrix, (cout, sources * cin). */
bool reference_mix(void)
{
	struct fvsr_mix a = {.sources = pick_int(1, 4),
			     .h = pick_int(1, 5),
			     .w = pick_int(1, 5),
			     .cin = pick_int(1, 12),
			     .cout = pick_int(1, 12)};
	size_t area = (size_t)a.h * a.w, channels = (size_t)a.sources * a.cin;
	float *src = random_floats(area * channels), *bias = random_floats((size_t)a.cout);
	float *weight = random_floats((size_t)a.cout * channels);
	float *dst = random_floats(area * a.cout);
	double *want = room(area * a.cout * sizeof(*want));
	bool good;

	for (size_t i = 0; i < area * a.cout; i++) {
		size_t at = i / a.cout, n = i % a.cout;

		want[i] = bias[n];
		for (size_t c = 0; c < channels; c++)
			want[i] += (double)weight[n * channels + c] *
				   src[(c / a.cin * area + at) * a.cin + c % a.cin];
	}
	a.dst = dst, a.src = src, a.weight = weight, a.bias = bias;
	CALL(mix, &a);
	good = close_to("mix", dst, want, area * a.cout, 1e-6);
	free(src), free(bias), free(weight), free(dst), free(want);
	return good;
}

/* Adds every pixel of the canvas to the mean of its square. */
bool reference_shrink(void)
{
	struct fvsr_shrink a = {.h = pick_int(1, 5),
				.w = pick_int(1, 5),
				.side = pick_int(2, 4),
				.told = 0.25f * (float)pick_int(1, 4)};
	size_t width = (size_t)a.w * a.side, plane = width * a.h * a.side;
	size_t count = (size_t)a.h * a.w * FVSR_TRUNK_CHANNELS;
	float *canvas = random_floats(3 * plane), *dst = random_floats(count);
	double *want = room(count * sizeof(*want));
	bool good;

	for (size_t i = 0; i < 3 * plane; i++) {
		size_t y = i % plane / width / a.side, x = i % width / a.side;

		want[(y * a.w + x) * FVSR_TRUNK_CHANNELS + i / plane] +=
			(double)canvas[i] / (a.side * a.side);
	}
	for (size_t i = 3; i < count; i += FVSR_TRUNK_CHANNELS)
		want[i] = a.told;
	a.dst = dst, a.canvas = canvas;
	CALL(shrink, &a);
	good = close_to("shrink", dst, want, count, 1e-6);
	free(canvas), free(dst), free(want);
	return good;
}
