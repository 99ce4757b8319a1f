/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Golden canvases:
 *
 *	clip(0.45 sin(0.061 x + 0.043 y + 0.21 t + 1.3 c) +
 *	     0.3 sin(0.37 x - 0.23 y - 0.4 t + 0.7 c) + n, -1, 1)
 *
 * with n = noise("lqC", frames * height * width, seed, 0, 0.08). Written as arrays of float32 the
 * expression rounds after every operation, and constants are rounded before they are used; the
 * same is done here, since an argument near 40 moves by 4e-6 with its last bit.
 */
#include "golden_inputs.h"

#include <math.h>
#include <stdio.h>

#include "fvsr/fvsr.h"

int fvsr_cli_golden_frames(int chunks)
{
	return FVSR_FIRST_LATENCY + FVSR_CHUNK_FRAMES * (chunks - 1);
}

static float wave(float x, float y, float t, float c)
{
	float slow = 0.061f * x + 0.043f * y + 0.21f * t + 1.3f * c;
	float fast = 0.37f * x - 0.23f * y - 0.4f * t + 0.7f * c;

	return 0.45f * sinf(slow) + 0.3f * sinf(fast);
}

void fvsr_cli_golden_canvas(int t, int height, int width, uint64_t seed, float *noise, float *out)
{
	for (int c = 0; c < 3; c++) {
		char name[8];
		snprintf(name, sizeof(name), "lq%d", c);
		for (int y = 0; y < height; y++) {
			uint64_t first =
				((uint64_t)t * (uint64_t)height + (uint64_t)y) * (uint64_t)width;
			fvsr_test_noise(name, seed, first, (size_t)width, 0, 0.08, noise);
			for (int x = 0; x < width; x++, out++) {
				float v = wave((float)x, (float)y, (float)t, (float)c) + noise[x];
				*out = fminf(fmaxf(v, -1.0f), 1.0f);
			}
		}
	}
}
