/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the plain ops make of NaN and infinity, number by number: the rule of backend.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "reference.h"

#define SIDE 16

static bool equal(const char *what, double got, double want)
{
	if (got == want)
		return true;
	printf("FAILED %s: %g instead of %g\n", what, got, want);
	return false;
}

bool reference_nonfinite_ingest(void)
{
	static const float in[] = {NAN, -NAN, INFINITY, -INFINITY, 1e38f, -1.001f, 0.25f, -1};
	static const float want[] = {-1, -1, 1, -1, 1, -1, 0.25f, -1};
	static float pixels[3 * SIDE * SIDE], canvas[3 * SIDE * SIDE];
	static uint8_t alpha[SIDE * SIDE];
	const struct fvsr_picture picture = {.format = FVSR_FORMAT_RGBF32P,
					     .memory = FVSR_MEMORY_HOST,
					     .width = SIDE,
					     .height = SIDE,
					     .stride = SIDE * sizeof(float),
					     .data = pixels};
	const struct fvsr_ingest a = {.src = &picture,
				      .canvas = canvas,
				      .alpha = alpha,
				      .width = SIDE,
				      .height = SIDE,
				      .pad_width = SIDE,
				      .pad_height = SIDE};
	bool good = true;

	for (int i = 0; i < 3 * SIDE * SIDE; i++)
		pixels[i] = in[i % 8];
	CALL(ingest, &a);
	for (int i = 0; i < 3 * SIDE * SIDE; i++)
		good = equal("canvas", canvas[i], want[i % 8]) && good;
	return good;
}

/* Corrects nothing: black for NaN, the ends for infinities, and alpha as it came. */
bool reference_nonfinite_pixels(void)
{
	static const float in[] = {NAN, INFINITY, -INFINITY, -1e38f, 0, 1};
	static const int want[] = {0, 255, 0, 0, 127, 255};
	static float decoded[3 * SIDE * SIDE], canvas[3 * SIDE * SIDE], final[3 * SIDE * SIDE];
	static uint8_t alpha[SIDE * SIDE], out[4 * SIDE * SIDE];
	const struct fvsr_color_finish a = {.decoded = decoded,
					    .canvas = canvas,
					    .alpha = alpha,
					    .mode = FVSR_COLOR_OFF,
					    .width = SIDE,
					    .height = SIDE,
					    .pad_width = SIDE,
					    .pad_height = SIDE,
					    .format = FVSR_FORMAT_RGBA8,
					    .dst = out,
					    .final = final};
	bool good = true;

	for (int i = 0; i < SIDE * SIDE; i++) {
		alpha[i] = (uint8_t)pick_int(0, 255);
		for (int c = 0; c < 3; c++)
			decoded[c * SIDE * SIDE + i] = in[(i + c) % 6];
	}
	CALL(color_finish, &a);
	for (int i = 0; i < SIDE * SIDE; i++) {
		for (int c = 0; c < 3; c++)
			good = equal("colour", out[4 * i + c], want[(i + c) % 6]) && good;
		good = equal("alpha", out[4 * i + 3], alpha[i]) && good;
	}
	return good;
}

/* Has one bad pixel, which moves the rest of a corrected picture by little. */
bool reference_nonfinite_color(void)
{
	static const float bad[] = {NAN, INFINITY, -INFINITY, 1e38f};
	enum { W = 128, N = W * W };
	float *decoded = random_floats(3 * N), *canvas = random_floats(3 * N);
	float *clean = room(3 * N * sizeof(float)), *out = room(3 * N * sizeof(float));
	uint8_t *alpha = room(N);
	struct fvsr_color_finish a = {.decoded = decoded,
				      .canvas = canvas,
				      .alpha = alpha,
				      .mode = (enum fvsr_color)pick_int(1, 2),
				      .width = W,
				      .height = W,
				      .pad_width = W,
				      .pad_height = W,
				      .format = FVSR_FORMAT_RGBF32P,
				      .dst = clean};
	double moved = 0;
	bool good = true;

	CALL(color_finish, &a);
	decoded[pick_int(0, N - 1)] = bad[pick_int(0, 3)];
	a.dst = out;
	CALL(color_finish, &a);
	for (int i = 0; i < 3 * N; i++) {
		good = good && out[i] >= -1 && out[i] <= 1;
		moved += fabsf(out[i] - clean[i]);
	}
	if (!good || !(moved / (3 * N) < 0.02)) {
		printf("FAILED colour: the picture has moved by %g on average\n", moved / (3 * N));
		good = false;
	}
	free(decoded), free(canvas), free(clean), free(out), free(alpha);
	return good;
}

/* Has four keys: one is NaN and one infinitely like the query, which is kept alone. */
bool reference_nonfinite_select(void)
{
	enum { KEYS = 4, DIM = 2 };
	float q[KEYS * DIM], k[KEYS * DIM];
	int32_t index[KEYS * KEYS], count[KEYS];
	struct fvsr_block_select a = {.index = index,
				      .count = count,
				      .q_mean = q,
				      .k_mean = k,
				      .query_slices = 1,
				      .key_slices = 1,
				      .block_rows = 2,
				      .block_columns = 2,
				      .dim = DIM,
				      .heads = 1,
				      .local_range = 4,
				      .topk = KEYS * KEYS};
	int high = pick_int(0, KEYS - 1), none = (high + pick_int(1, KEYS - 1)) % KEYS;
	bool good = true;

	for (int i = 0; i < KEYS * DIM; i++)
		q[i] = k[i] = 1 + (float)i / 8;
	k[high * DIM] = INFINITY;
	k[none * DIM + 1] = NAN;
	CALL(block_select, &a);
	for (int row = 0; row < KEYS; row++)
		good = equal("keys kept", count[row], 1) && equal("key", index[row * KEYS], high) &&
		       good;
	for (int i = 0; i < KEYS * DIM; i++)
		q[i] = NAN;
	CALL(block_select, &a);
	for (int row = 0; row < KEYS; row++)
		good = equal("keys kept by NaN", count[row], 0) && good;
	return good;
}
