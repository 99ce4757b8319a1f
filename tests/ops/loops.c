/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loops of the backend "cpu" exist for several generations of processors, of which a machine
 * uses one. Here the baseline is compared with what loops.h says, and all others that the machine
 * can run with the baseline.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cpu/fast/winograd.h"
#include "backend/ops.h"
#include "base/bicubic.h"
#include "loops_literal.h"

#define COUNT 1003 /* not a multiple of any vector */

static float random_floats[4][COUNT];
static uint8_t random_bytes[4 * COUNT];

static void fill(void)
{
	uint32_t state = 12345;

	for (int i = 0; i < 4 * COUNT; i++) {
		state = state * 1664525u + 1013904223u;
		random_floats[i / COUNT][i % COUNT] = (float)(state >> 8) / 8388608.0f - 1;
		random_bytes[i] = (uint8_t)(state >> 24);
	}
}

static bool within(double tolerance, const char *what, const float *a, const float *b, size_t count)
{
	double difference = 0, norm = 0;

	for (size_t i = 0; i < count; i++) {
		difference += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
		norm += (double)a[i] * a[i];
	}
	if (difference <= tolerance * tolerance * norm)
		return true;
	printf("FAILED %s: relative L2 %.3g\n", what, sqrt(difference / norm));
	return false;
}

static bool compare(const char *what, const float *a, const float *b, size_t count)
{
	return within(1e-6, what, a, b, count);
}

/* Attends in two steps, the second with fewer keys and a bias. */
static void attend(const struct fvsr_loops *loops, int head_dim, float *out)
{
	float *room = calloc((size_t)(2 * head_dim + FVSR_TILE + 2) * FVSR_TILE, sizeof(*room));
	struct fvsr_attend a = {.query = room, .head_dim = head_dim};
	float *keys = calloc((size_t)2 * FVSR_TILE * head_dim, sizeof(*keys));
	float *values = keys + FVSR_TILE * head_dim;

	if (!room || !keys)
		exit(1);
	a.sums = room + head_dim * FVSR_TILE;
	a.scores = a.sums + head_dim * FVSR_TILE;
	a.largest = a.scores + FVSR_TILE * FVSR_TILE;
	a.total = a.largest + FVSR_TILE;
	for (int i = 0; i < FVSR_TILE; i++)
		a.largest[i] = -INFINITY;
	for (int i = 0; i < FVSR_TILE * head_dim; i++) {
		a.query[i] = random_floats[0][i % COUNT];
		keys[i] = 3 * random_floats[1][i % COUNT];
		values[i] = random_floats[2][i % 997];
	}
	loops->attend(&a, keys, values, (size_t)head_dim, FVSR_TILE, NULL);
	loops->attend(&a, keys, values, (size_t)head_dim, 37, random_floats[3]);
	for (int i = 0; i < head_dim * FVSR_TILE; i++)
		out[i] = a.sums[i] / a.total[i % FVSR_TILE];
	free(room), free(keys);
}

static bool check_attend(const struct fvsr_loops *base, const struct fvsr_loops *loops)
{
	/* Exponentials magnify that the literal scores are not rounded to float32. */
	const double tolerance = base == &literal_loops ? 4e-6 : 1e-6;
	static float out[2][64 * FVSR_TILE];
	bool good = true;

	for (int head_dim = 2; head_dim <= 64; head_dim += 2) {
		attend(base, head_dim, out[0]);
		attend(loops, head_dim, out[1]);
		good = within(tolerance, "attend", out[0], out[1], (size_t)head_dim * FVSR_TILE) &&
		       good;
	}
	return good;
}

static bool check_rows(const struct fvsr_loops *base, const struct fvsr_loops *loops)
{
	static const float from[2] = {0.1f, 0.7f}, to[2] = {-0.2f, 0.4f};
	static float out[2][COUNT];
	const struct fvsr_loops *both[2] = {base, loops};
	double sums[2][2] = {{0}};
	bool good;

	for (int i = 0; i < 2; i++) {
		for (int j = 0; j < COUNT; j++)
			out[i][j] = 12 * random_floats[0][j] * random_floats[1][j];
		both[i]->soft_clamp(out[i], COUNT);
		both[i]->statistics(sums[i], random_floats[0], COUNT);
	}
	good = compare("soft_clamp", out[0], out[1], COUNT);
	for (int i = 0; i < 2; i++) {
		for (int j = 0; j < COUNT; j++)
			out[i][j] = 100 * random_floats[0][j] * random_floats[1][j];
		both[i]->gate(out[i], random_floats[2], COUNT);
	}
	good = compare("gate", out[0], out[1], COUNT) && good;
	for (int j = 0; j < 2; j++)
		if (!(fabs(sums[0][j] - sums[1][j]) < 1e-9)) {
			printf("FAILED statistics\n");
			good = false;
		}
	for (int i = 0; i < 2; i++)
		both[i]->follow(out[i], random_floats[2], COUNT, from, to);
	good = compare("follow", out[0], out[1], COUNT) && good;
	for (int i = 0; i < 2; i++)
		both[i]->lift(out[i], random_floats[2], random_floats[1], COUNT);
	good = compare("lift", out[0], out[1], COUNT) && good;
	for (int i = 0; i < 2; i++)
		both[i]->blur_column(out[i], random_floats[0], random_floats[1], random_floats[2],
				     COUNT);
	good = compare("blur_column", out[0], out[1], COUNT) && good;
	for (int width = 1; width < COUNT; width += 37) {
		for (int i = 0; i < 2; i++)
			both[i]->blur_row(out[i], random_floats[3], width, 16);
		good = compare("blur_row", out[0], out[1], (size_t)width) && good;
	}
	return good;
}

/* Compares pixels and resizing, which are exact. */
static bool check_pixels(const struct fvsr_loops *base, const struct fvsr_loops *loops)
{
	static float planes[2][3][COUNT];
	static uint8_t alpha[2][COUNT], out[2][3][8 * COUNT];
	const struct fvsr_loops *both[2] = {base, loops};
	struct fvsr_resize_axis wide = {0}, narrow = {0};
	bool good;

	if (fvsr_resize_axis_init(&wide, COUNT, 2 * COUNT) < 0 ||
	    fvsr_resize_axis_init(&narrow, 16, 7) < 0)
		return false;
	for (int i = 0; i < 2; i++) {
		both[i]->planes(planes[i][0], planes[i][1], planes[i][2], alpha[i], random_bytes,
				COUNT);
		both[i]->pixels(out[i][0], planes[i][0], planes[i][1], planes[i][2], alpha[i],
				COUNT, 0.5f);
		both[i]->resize_row(out[i][1], random_bytes, &wide);
		for (int row = 0; row < 7; row++)
			both[i]->resize_column(out[i][2] + row * 244, random_bytes, 244, &narrow,
					       row);
	}
	good = !memcmp(planes[0], planes[1], sizeof(planes[0])) &&
	       !memcmp(alpha[0], alpha[1], sizeof(alpha[0])) &&
	       !memcmp(out[0], out[1], sizeof(out[0]));
	if (!good)
		printf("FAILED pixels\n");
	if (memcmp(out[0][0], random_bytes, sizeof(random_bytes))) {
		printf("FAILED pixels: not the same after going to planes and back\n");
		good = false;
	}
	fvsr_resize_axis_clear(&wide);
	fvsr_resize_axis_clear(&narrow);
	return good;
}

#define DEPTH   80
#define COLUMNS 112
#define TILES   11

/* Takes a tile at a corner of the picture through all steps. */
static void winograd(const struct fvsr_loops *loops, float *v, float *m, float *out,
		     enum fvsr_trunk_end end)
{
	static float u[DEPTH * COLUMNS];
	const float *pixels[FVSR_WINOGRAD_ALL];
	struct fvsr_winograd_tile tile = {.dst = out,
					  .residual = random_floats[3],
					  .bias = random_floats[1],
					  .pixel = COLUMNS,
					  .row = 3 * COLUMNS,
					  .height = 2,
					  .width = 3,
					  .channels = COLUMNS,
					  .relu = end == FVSR_END_NONE,
					  .end = (enum fvsr_trunk_end)end};

	for (int i = 0; i < DEPTH * COLUMNS; i++)
		u[i] = random_floats[2][i % 997];
	for (int i = 0; i < FVSR_WINOGRAD_ALL; i++)
		pixels[i] = random_floats[0] + 25 * i;
	for (int t = 0; t < TILES; t++)
		loops->winograd_in(v + t * DEPTH, TILES * DEPTH, pixels, DEPTH);
	for (int i = 0; i < FVSR_WINOGRAD_ALL; i++)
		loops->winograd_multiply(m + i * TILES * COLUMNS, v + i * TILES * DEPTH, u, TILES,
					 DEPTH, COLUMNS);
	loops->winograd_out(&tile, m + (TILES - 1) * COLUMNS, TILES * COLUMNS);
}

static bool check_winograd(const struct fvsr_loops *base, const struct fvsr_loops *loops,
			   enum fvsr_trunk_end end)
{
	static float v[2][FVSR_WINOGRAD_ALL * TILES * DEPTH];
	static float m[2][FVSR_WINOGRAD_ALL * TILES * COLUMNS], out[2][2 * 3 * COLUMNS];
	bool good;

	winograd(base, v[0], m[0], out[0], end);
	winograd(loops, v[1], m[1], out[1], end);
	good = compare("winograd_in", v[0], v[1], sizeof(v[0]) / sizeof(float));
	good = compare("winograd_multiply", m[0], m[1], sizeof(m[0]) / sizeof(float)) && good;
	return compare("winograd_out", out[0], out[1], sizeof(out[0]) / sizeof(float)) && good;
}

static bool check(const struct fvsr_loops *base, const struct fvsr_loops *loops)
{
	bool good = check_attend(base, loops);

	good = check_rows(base, loops) && good;
	good = check_pixels(base, loops) && good;
	for (int end = FVSR_END_NONE; end <= FVSR_END_GATE; end++)
		good = check_winograd(base, loops, (enum fvsr_trunk_end)end) && good;
	printf("%-10s %s\n", loops->name, good ? "ok" : "FAILED");
	return good;
}

int main(void)
{
	const struct fvsr_loops *loops, *better;
	unsigned count = 0;
	bool good;

	fill();
	while (fvsr_loops_at(count))
		count++;
	loops = fvsr_loops_at(count - 1);
	good = check(&literal_loops, loops);
	while (--count) {
		better = fvsr_loops_at(count - 1);
		good = check(loops, better) && good;
	}
	return good ? 0 : 1;
}
