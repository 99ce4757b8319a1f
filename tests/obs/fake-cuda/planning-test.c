/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stream that is opened times cuBLASLt's proposals and waits for the card meanwhile. Streams that
 * run must not wait with it, and two that plan the same at once must end up with one plan. On the
 * stand-ins for the driver and cuBLASLt, where a test can hold a stream for as long as it likes.
 *
 *	planning-test DRIVER CUBLASLT     the libraries that the environment makes the engine load
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backend/cuda/runtime/cuda_backend.h"

#define PATIENCE_MS 20000
#define MOST_M      64
#define N           64
#define K           32

static atomic_int *products, *objects;
static void (*hold)(CUstream stream, bool hold);
static int failures;

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	printf("FAILED: %s\n", what);
	failures++;
}

/* A queue with a linear layer of its own size, and a thread that uses it. */
struct user {
	pthread_t thread;
	const struct fvsr_backend *backend;
	struct fvsr_queue *queue;
	struct fvsr_linear layer;
	void *scratch;
	atomic_bool done;
};

static void *alloc(struct user *user, size_t bytes)
{
	return user->backend->alloc(user->queue->device, bytes);
}

static void user_open(struct user *user, const struct fvsr_backend *backend,
		      struct fvsr_device *device, int m, const void *bias)
{
	struct fvsr_error err;

	memset(user, 0, sizeof(*user));
	user->backend = backend;
	if (backend->queue_open(&user->queue, device, &err) < 0) {
		printf("FAILED: %s\n", err.text);
		exit(1);
	}
	user->layer = (struct fvsr_linear){
		.y = alloc(user, (size_t)m * N * 2),
		.x = alloc(user, (size_t)m * K * 2),
		.weight = alloc(user, (size_t)N * K * 2),
		.bias = bias,
		.m = m,
		.n = N,
		.k = K,
		.activation = FVSR_ACT_NONE,
	};
}

static void user_close(struct user *user)
{
	struct fvsr_device *device = user->queue->device;

	check(user->backend->finish(user->queue) == 0, user->queue->message.text);
	user->backend->queue_close(user->queue);
	user->backend->free(device, user->layer.y);
	user->backend->free(device, (void *)user->layer.x);
	user->backend->free(device, (void *)user->layer.weight);
	user->backend->free(device, user->scratch);
}

static void *plan(void *opaque)
{
	struct user *user = opaque;

	user->queue->planning = true;
	user->backend->linear(user->queue, &user->layer);
	user->queue->planning = false;
	user->scratch = alloc(user, user->queue->scratch_bytes);
	user->queue->scratch = user->scratch;
	atomic_store(&user->done, true);
	return NULL;
}

static void *multiply(void *opaque)
{
	struct user *user = opaque;

	user->backend->linear(user->queue, &user->layer);
	atomic_store(&user->done, true);
	return NULL;
}

static void begin(struct user *user, void *(*work)(void *))
{
	atomic_store(&user->done, false);
	if (pthread_create(&user->thread, NULL, work, user))
		abort();
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static bool wait_for_products(int count)
{
	for (int ms = 0; ms < PATIENCE_MS && atomic_load(products) < count; ms++)
		nap();
	return atomic_load(products) >= count;
}

static bool wait_for_user(struct user *user)
{
	for (int ms = 0; ms < PATIENCE_MS && !atomic_load(&user->done); ms++)
		nap();
	return atomic_load(&user->done);
}

static CUstream stream_of(const struct user *user)
{
	return ((struct fvsr_cuda_queue *)user->queue)->stream;
}

/* Lets a queue multiply while another one waits for the products that it times. */
static void test_running(struct user *running, struct user *opened)
{
	int before;

	plan(running);
	hold(stream_of(opened), true);
	before = atomic_load(products);
	begin(opened, plan);
	check(wait_for_products(before + 1), "nothing is timed");
	before = atomic_load(products);
	begin(running, multiply);
	check(wait_for_user(running), "a stream waits while another one is opened");
	check(!atomic_load(&opened->done), "the stream that is opened did not wait");
	hold(stream_of(opened), false);
	pthread_join(opened->thread, NULL);
	pthread_join(running->thread, NULL);
	check(atomic_load(products) > before, "no product");
	multiply(opened);
}

/* Lets two queues time the same layer at once; both then use one plan and one copy of the bias. */
static void test_twice(struct user users[2])
{
	int before = atomic_load(products);

	for (int i = 0; i < 2; i++) {
		hold(stream_of(&users[i]), true);
		begin(&users[i], plan);
		check(wait_for_products(before + 1), "nothing is timed by the second queue");
		before = atomic_load(products);
	}
	for (int i = 0; i < 2; i++)
		hold(stream_of(&users[i]), false);
	for (int i = 0; i < 2; i++)
		pthread_join(users[i].thread, NULL);
	before = atomic_load(products);
	for (int i = 0; i < 2; i++)
		multiply(&users[i]);
	check(atomic_load(products) == before + 2, "a plan is not used");
}

static void *find(const char *library, const char *name)
{
	void *handle = dlopen(library, RTLD_NOW | RTLD_NOLOAD);
	void *symbol = handle ? dlsym(handle, name) : NULL;

	if (!symbol) {
		printf("FAILED: the engine has not loaded %s with %s\n", library, name);
		exit(1);
	}
	return symbol;
}

int main(int argc, char **argv)
{
	const struct fvsr_backend *backend = fvsr_backend_find("cuda", NULL);
	const struct fvsr_model_options options = {.threads = 1, .card = -1};
	struct user users[4];
	struct fvsr_device *device;
	struct fvsr_error err;
	void *bias[2];

	if (argc != 3 || !backend || backend->device_open(&device, &options, &err) < 0) {
		printf("FAILED: no stand-in: %s\n", backend ? err.text : "no backend");
		return 1;
	}
	*(void **)&hold = find(argv[1], "fake_stream_hold");
	products = find(argv[2], "fake_blas_products");
	objects = find(argv[2], "fake_blas_objects");
	for (int i = 0; i < 2; i++)
		bias[i] = backend->alloc(device, N * sizeof(float));
	for (int i = 0; i < 4; i++)
		user_open(&users[i], backend, device, i < 2 ? 16 + 16 * i : MOST_M, bias[i / 2]);
	test_running(&users[0], &users[1]);
	test_twice(users + 2);
	for (int i = 0; i < 4; i++)
		user_close(&users[i]);
	for (int i = 0; i < 2; i++) {
		backend->forget(device, bias[i], N * sizeof(float));
		backend->free(device, bias[i]);
	}
	/* the library stays open for our sake */
	backend->device_close(device);
	check(atomic_load(objects) == 0, "something of cuBLASLt is left");
	printf("%d failures\n", failures);
	return failures ? 1 : 0;
}
