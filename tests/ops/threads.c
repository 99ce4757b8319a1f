/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_threads --backend NAME: several queues of one device at once, each on its own thread, as
 * when several filters share a model. Every result must be what one queue alone gives.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#define THREADS 3
#define ROUNDS  4

struct worker {
	pthread_t thread;
	struct side plain, other;
	uint64_t seed;
	int failures;
};

static const struct op_test *const families[] = {matrix_tests, attention_tests, conv_tests,
						 picture_tests, nonfinite_tests};

static void try_once(struct worker *w, const struct op_test *test, uint64_t seed)
{
	struct trial t = {.seed = seed,
			  .bf16 = w->other.backend->act_bytes == 2,
			  .bf16_canvas = w->other.backend->canvas_bytes == 2};

	if (take_turn(&t, test, &w->plain) && take_turn(&t, test, &w->other)) {
		check_turn(&t, &w->plain);
		check_turn(&t, &w->other);
		if (!*t.failure)
			compare_sides(&t, test, &w->plain, &w->other);
	}
	end_turn(&w->plain);
	end_turn(&w->other);
	if (*t.failure) {
		printf("FAILED %s, seed %llu: %s\n  shape: %s\n", test->name,
		       (unsigned long long)seed, t.failure, t.shape);
		w->failures++;
	}
}

static void *work(void *data)
{
	struct worker *w = data;

	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
			for (const struct op_test *test = families[i]; test->name; test++)
				try_once(w, test, w->seed + (uint64_t)round);
	return NULL;
}

static int open_device(struct side *side, const char *name)
{
	const struct fvsr_model_options options = {.threads = 2, .card = -1};
	struct fvsr_error err;

	side->backend = fvsr_backend_find(name, &err);
	if (side->backend && side->backend->device_open(&side->device, &options, &err) == 0)
		return 0;
	printf("skipped: %s%s\n", strcmp(name, "cuda") ? "" : "needs a card: ", err.text);
	return -1;
}

int main(int argc, char **argv)
{
	static struct worker workers[THREADS];
	struct side plain = {0}, other = {0};
	int failures = 0;

	if (argc != 3 || strcmp(argv[1], "--backend")) {
		fprintf(stderr, "usage: test_threads --backend NAME\n");
		return 2;
	}
	if (open_device(&plain, "cpu-plain") < 0)
		return 1;
	if (open_device(&other, argv[2]) < 0) {
		plain.backend->device_close(plain.device);
		return 77;
	}
	for (int i = 0; i < THREADS; i++) {
		/* two of them do the same at the same time */
		workers[i] = (struct worker){
			.plain = plain, .other = other, .seed = 1000 * (uint64_t)(i / 2)};
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i])) {
			printf("no thread\n");
			return 1;
		}
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		failures += workers[i].failures;
	}
	other.backend->device_close(other.device);
	plain.backend->device_close(plain.device);
	printf("%d queues at once: %d failures\n", THREADS, failures);
	return failures ? 1 : 0;
}
