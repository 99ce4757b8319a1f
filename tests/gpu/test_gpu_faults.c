/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Driver calls that fail, one after another, on the way from opening a model to the last picture:
 * a message each time, nothing left behind, other streams go on. Then a context that somebody else
 * resets: the backend can be opened again. Last a kernel that fails, after which the driver gives
 * the process no GPU any more: clear messages, and the CPU goes on.
 *
 *	test_gpu_faults MODEL [--keep-context]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "gpu_support.h"
#include "test_support.h"

#define FRAMES     27
#define MOST_CALLS 200000
#define LEFT_BYTES ((size_t)64 << 20) /* what the driver itself may keep */

static struct gpu_result run_model(const char *spec, int *opened)
{
	struct gpu_result result = {0};
	struct fvsr_model_options options;
	struct fvsr_error err;
	fvsr_model *model;

	fvsr_model_options_default(&options);
	options.backend = "cuda";
	result.error = fvsr_model_open(&model, spec, &options, &err);
	*opened = !result.error;
	if (result.error) {
		snprintf(result.text, sizeof(result.text), "%s", err.text);
		return result;
	}
	result = gpu_run(NULL, model, FVSR_MEMORY_HOST, 0, FRAMES, false);
	fvsr_model_unref(model);
	return result;
}

/* Lets all calls after the first 'calls' of a device fail; negative: none. */
static void fail_after(long calls)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", calls);
	if (calls < 0)
		unsetenv("FVSR_CUDA_FAIL_AFTER");
	else
		setenv("FVSR_CUDA_FAIL_AFTER", text, 1);
}

/* Lets every call fail at first, then in growing steps, until a run gets through. */
static void test_calls(const char *spec, const struct gpu_result *whole)
{
	int opening = 0, running = 0, opened;
	long calls = 0;

	for (; calls < MOST_CALLS; calls += 1 + calls / 12) {
		struct gpu_result result;

		fail_after(calls);
		result = run_model(spec, &opened);
		if (!result.error) {
			CHECK(result.hash == whole->hash);
			break;
		}
		CHECK(result.error == FVSR_ERR_BACKEND || result.error == FVSR_ERR_MEMORY);
		CHECK(*result.text);
		if (!*result.text)
			printf("no message when call %ld fails\n", calls);
		*(opened ? &running : &opening) += 1;
	}
	fail_after(-1);
	printf("%d failures while opening, %d while running, none after %ld calls\n", opening,
	       running, calls);
	CHECK(calls < MOST_CALLS);
	CHECK(opening > 3 && running > 3);
}

/* Checks that a healthy stream is not disturbed by one of another device that fails. */
static void test_others(const char *spec, const struct gpu_result *whole)
{
	fvsr_model *model = test_model_open(spec, "cuda");
	struct gpu_result result;
	int opened;

	fail_after(400);
	result = run_model(spec, &opened);
	CHECK(result.error);
	fail_after(-1);
	result = gpu_run(NULL, model, FVSR_MEMORY_HOST, 0, FRAMES, false);
	CHECK(!result.error && result.hash == whole->hash);
	fvsr_model_unref(model);
}

/* Adds to an address that is nobody's: the context is lost with the kernel. */
static void break_context(void)
{
	const struct fvsr_backend *backend = fvsr_backend_find("cuda", NULL);
	const struct fvsr_model_options options = {.threads = 1, .card = -1};
	struct fvsr_device *device;
	struct fvsr_queue *queue;
	void *nowhere = (void *)(uintptr_t)0x1000;

	if (!backend || backend->device_open(&device, &options, NULL) < 0 ||
	    backend->queue_open(&queue, device, NULL) < 0) {
		CHECK(false, "no device to break");
		return;
	}
	backend->add(queue, nowhere, nowhere, 1 << 20);
	CHECK(backend->finish(queue) == FVSR_ERR_BACKEND);
	printf("a broken context says: %s\n", queue->message.text);
	CHECK(strstr(queue->message.text, "CUDA_ERROR"));
	backend->queue_close(queue);
	backend->device_close(device);
}

/* Checks that what belongs to a lost context fails and closes, and touches nothing that follows. */
static void test_reset_context(struct gpu *gpu, const char *spec, const struct gpu_result *whole)
{
	fvsr_model *old = test_model_open(spec, "cuda"), *model;
	struct gpu_result result;

	gpu_reset(gpu);
	model = test_model_open(spec, "cuda");
	result = gpu_run(NULL, old, FVSR_MEMORY_HOST, 0, FRAMES, false);
	CHECK(result.error == FVSR_ERR_BACKEND);
	printf("a stream of a context that was reset says: %s\n", result.text);
	fvsr_model_unref(old);
	result = gpu_run(NULL, model, FVSR_MEMORY_HOST, 0, FRAMES, false);
	CHECK(!result.error && result.hash == whole->hash);
	if (result.error)
		printf("after a reset: %s\n", result.text);
	fvsr_model_unref(model);
}

static void test_lost_context(const char *spec)
{
	fvsr_model *model = test_model_open(spec, "cuda");
	struct gpu_result result;
	int opened;

	break_context();
	result = gpu_run(NULL, model, FVSR_MEMORY_HOST, 0, FRAMES, false);
	CHECK(result.error == FVSR_ERR_BACKEND);
	printf("a stream of a lost context says: %s\n", result.text);
	fvsr_model_unref(model);
	result = run_model(spec, &opened);
	CHECK(result.error == FVSR_ERR_BACKEND && strstr(result.text, "restarted"));
	printf("opening afterwards says: %s\n", result.text);
	model = test_model_open(spec, "cpu-plain");
	result = gpu_run(NULL, model, FVSR_MEMORY_HOST, 0, FRAMES, false);
	CHECK(!result.error && result.frames == FRAMES);
	fvsr_model_unref(model);
}

int main(int argc, char **argv)
{
	struct gpu_result whole;
	size_t before, after;
	struct gpu gpu;
	int opened;

	if (argc < 2)
		return 2;
	fvsr_model_unref(test_model_open(argv[1], "cuda"));
	gpu_open(&gpu);
	whole = run_model(argv[1], &opened);
	CHECK(!whole.error && whole.frames == FRAMES);
	before = gpu_free_bytes(&gpu);
	test_calls(argv[1], &whole);
	test_others(argv[1], &whole);
	after = gpu_free_bytes(&gpu);
	printf("free on the card: %zu MiB before, %zu MiB after\n", before >> 20, after >> 20);
	CHECK(after + LEFT_BYTES >= before);
	if (argc == 2)
		test_reset_context(&gpu, argv[1], &whole);
	gpu_close(&gpu);
	if (argc == 2)
		test_lost_context(argv[1]);
	return check_result();
}
