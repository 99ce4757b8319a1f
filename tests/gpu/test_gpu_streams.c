/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Streams on a card: one model shared by streams on several threads, pictures handed over on the
 * device, and the same pictures out whatever way they went in.
 *
 *	test_gpu_streams MODEL
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "gpu_support.h"
#include "test_support.h"

#define FRAMES  33
#define THREADS 2

struct worker {
	pthread_t thread;
	fvsr_model *model;
	uint64_t seed;
	struct gpu_result result;
};

static void *work(void *opaque)
{
	struct worker *worker = opaque;

	worker->result = gpu_run(NULL, worker->model, FVSR_MEMORY_HOST, worker->seed, FRAMES, true);
	return NULL;
}

static bool good(const char *what, const struct gpu_result *result)
{
	if (result->error)
		printf("%s: %s\n", what, result->text);
	return !result->error && result->frames == FRAMES;
}

static bool same(const struct gpu_result *a, const struct gpu_result *b)
{
	return a->hash == b->hash;
}

/* Checks that streams side by side give what each gives alone. */
static void test_threads(fvsr_model *model)
{
	struct worker workers[THREADS] = {0};

	for (int i = 0; i < THREADS; i++) {
		workers[i].model = model;
		workers[i].seed = (uint64_t)i;
		CHECK(!pthread_create(&workers[i].thread, NULL, work, &workers[i]));
	}
	for (int i = 0; i < THREADS; i++) {
		struct gpu_result alone;

		pthread_join(workers[i].thread, NULL);
		alone = gpu_run(NULL, model, FVSR_MEMORY_HOST, (uint64_t)i, FRAMES, false);
		CHECK(good("beside another", &workers[i].result));
		CHECK(good("alone", &alone));
		CHECK(same(&workers[i].result, &alone));
	}
	CHECK(!same(&workers[0].result, &workers[1].result));
}

static void test_memory(struct gpu *gpu, fvsr_model *model)
{
	struct gpu_result host = gpu_run(gpu, model, FVSR_MEMORY_HOST, 0, FRAMES, false), other;

	CHECK(good("host memory", &host));
	other = gpu_run(gpu, model, FVSR_MEMORY_CUDA_POINTER, 0, FRAMES, false);
	CHECK(good("device pointers", &other));
	CHECK(same(&host, &other));
	if (!gpu->array_create) {
		printf("CUDA arrays are not tested: the driver has none\n");
		return;
	}
	other = gpu_run(gpu, model, FVSR_MEMORY_CUDA_ARRAY, 0, FRAMES, false);
	CHECK(good("arrays", &other));
	CHECK(same(&host, &other));
}

int main(int argc, char **argv)
{
	fvsr_model *model;
	struct gpu gpu;

	if (argc != 2)
		return 2;
	model = test_model_open(argv[1], "cuda");
	gpu_open(&gpu);
	test_threads(model);
	test_memory(&gpu, model);
	fvsr_model_unref(model);
	gpu_close(&gpu);
	return check_result();
}
