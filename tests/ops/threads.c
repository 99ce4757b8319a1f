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

static void try_once(struct worker *w, const struct op_test *test, uint64_t seed)
{
	struct trial t = new_trial(&w->plain, &w->other, seed);

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
		for (size_t i = 0; op_tests[i]; i++)
			for (const struct op_test *test = op_tests[i]; test->name; test++)
				try_once(w, test, w->seed + (uint64_t)round);
	return NULL;
}

int main(int argc, char **argv)
{
	const struct fvsr_model_options options = {.threads = 2, .card = -1};
	static struct worker workers[THREADS];
	struct side plain, other;
	int failures = 0;

	if (argc != 3 || strcmp(argv[1], "--backend")) {
		fprintf(stderr, "usage: test_threads --backend NAME\n");
		return 2;
	}
	if (!open_device(&plain, "cpu-plain", &options))
		return 1;
	if (!open_device(&other, argv[2], &options)) {
		plain.backend->device_close(plain.device);
		return 77;
	}
	for (int i = 0; i < THREADS; i++) {
		/* Two of them do the same at the same time. */
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
