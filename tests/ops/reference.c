/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plain ops are what other backends are tested against; here they are tested themselves,
 * against the formulas of the specification written again in double precision, in the most
 * literal form: whole matrices, masks of booleans, no fusing, no reordering of layouts.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "random.h"
#include "reference.h"

static uint64_t random_state;
static struct fvsr_device *device;

int pick_int(int low, int high)
{
	return low + (int)(next_random(&random_state) % (uint64_t)(high - low + 1));
}

void *room(size_t bytes)
{
	void *memory = calloc(1, bytes + 1);

	if (!memory) {
		fprintf(stderr, "out of memory\n");
		exit(1);
	}
	return memory;
}

float *random_floats(size_t count)
{
	float *x = room(count * sizeof(*x));

	for (size_t i = 0; i < count; i++)
		x[i] = (float)pick_int(-1000000, 1000000) * 1e-6f;
	return x;
}

struct fvsr_queue *open_queue(void)
{
	struct fvsr_queue *queue;
	struct fvsr_error err;

	if (device->backend->queue_open(&queue, device, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	queue->planning = true;
	return queue;
}

void planned(struct fvsr_queue *queue)
{
	queue->planning = false;
	queue->scratch = room(queue->scratch_bytes);
}

void close_queue(struct fvsr_queue *queue)
{
	free(queue->scratch);
	device->backend->queue_close(queue);
}

bool close_to(const char *what, const float *got, const double *want, size_t count,
	      double tolerance)
{
	double difference = 0, norm = 0;

	for (size_t i = 0; i < count; i++) {
		difference += (got[i] - want[i]) * (got[i] - want[i]);
		norm += want[i] * want[i];
	}
	difference = sqrt(difference / (norm > 0 ? norm : 1));
	if (difference <= tolerance)
		return true;
	printf("FAILED %s: relative L2 %.3g\n", what, difference);
	return false;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		bool (*run)(void);
	} tests[] = {
		{"linear", reference_linear},
		{"norms", reference_norms},
		{"qk_rope", reference_qk_rope},
		{"block_select", reference_block_select},
		{"block_select, ties", reference_block_select_ties},
		{"block_attention", reference_block_attention},
		{"cross_attention", reference_cross_attention},
		{"conv_frames", reference_conv_frames},
		{"conv3x3", reference_conv3x3},
		{"upsample_conv", reference_upsample_nearest},
		{"upsample_conv, depth to space", reference_upsample_depth},
		{"pixel_shuffle", reference_pixel_shuffle},
		{"mix", reference_mix},
		{"shrink", reference_shrink},
		{"ingest, NaN", reference_nonfinite_ingest},
		{"color_finish, NaN, off", reference_nonfinite_pixels},
		{"color_finish, NaN", reference_nonfinite_color},
		{"block_select, NaN", reference_nonfinite_select},
	};
	const char *seed = argc > 1 ? argv[1] : getenv("FVSR_TEST_SEED");
	uint64_t first = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);
	const struct fvsr_model_options options = {.card = -1};
	struct fvsr_error err;
	int bad = 0;

	printf("seed %" PRIu64 "\n", first);
	if (fvsr_backend_cpu_plain.device_open(&device, &options, &err) < 0) {
		printf("%s\n", err.text);
		return 1;
	}
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		bool good = true;

		for (int round = 0; round < 20 && good; round++) {
			random_state = first + (uint64_t)round;
			good = tests[i].run();
			if (!good)
				printf("  seed %" PRIu64 "\n", first + (uint64_t)round);
		}
		printf("%-30s %s\n", tests[i].name, good ? "ok" : "FAILED");
		bad += !good;
	}
	fvsr_backend_cpu_plain.device_close(device);
	return bad ? 1 : 0;
}
