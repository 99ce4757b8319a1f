/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker without OBS, on a real (synthetic) model. A render thread hands it jobs, frames and
 * changes at random moments. Every frame that comes back must belong to the job it went into, in
 * order, and removing the worker must not hang, whatever it is doing. Made for ThreadSanitizer and
 * AddressSanitizer (FVSR_SANITIZE), useful without.
 */
#include "check.h"
#include "system.h"
#include "session/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct driver {
	struct worker *worker;
	struct job *job;
	char model[1024];
	uint64_t serial, random;
	int64_t sent, received; /* in this job; frames are tagged with serial and number */
	uint64_t received_in_all;
};

static unsigned pick(struct driver *driver, unsigned count)
{
	driver->random = driver->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(driver->random >> 33) % count;
}

static void pause_ms(unsigned ms)
{
	struct timespec time = {.tv_nsec = (long)ms * 1000000};

	nanosleep(&time, NULL);
}

static int make_frame(void *opaque, fvsr_frame **out, enum frame_direction direction, int width,
		      int height)
{
	(void)opaque;
	(void)direction;
	return fvsr_frame_create(out, FVSR_FORMAT_RGBA8, width, height);
}

static int64_t tag(const struct driver *driver, int64_t number)
{
	return (int64_t)driver->serial * 1000000 + number;
}

static void new_job(struct driver *driver, const char *model, int side, int kv_ratio)
{
	struct frame_maker maker = {make_frame, NULL};
	struct job_request request = {.backend = "auto"};
	struct job *job;

	snprintf(request.model, sizeof(request.model), "%s", model);
	fvsr_settings_default(&request.settings);
	request.settings.in_width = request.settings.in_height = side;
	request.settings.out_width = request.settings.out_height = 2 * side;
	request.settings.kv_ratio = kv_ratio;
	job = job_create(&request, ++driver->serial, &maker);
	if (!job)
		abort();
	worker_set_job(driver->worker, job);
	job_unref(driver->job);
	driver->job = job;
	driver->sent = driver->received = 0;
}

static void no_job(struct driver *driver)
{
	worker_set_job(driver->worker, NULL);
	job_unref(driver->job);
	driver->job = NULL;
}

static void send(struct driver *driver)
{
	fvsr_frame *frame = frame_queue_write_begin(driver->job->in);
	const struct fvsr_picture *picture;

	if (!frame)
		return;
	picture = fvsr_frame_picture(frame);
	memset(picture->data, (int)(driver->sent % 256), picture->stride * (size_t)picture->height);
	fvsr_frame_set_tag(frame, tag(driver, driver->sent++));
	frame_queue_write_end(driver->job->in);
	worker_wake(driver->worker);
}

static void receive(struct driver *driver)
{
	fvsr_frame *frame = frame_queue_peek(driver->job->out, 0);

	if (!frame)
		return;
	CHECK(fvsr_frame_tag(frame) == tag(driver, driver->received), "tag %lld instead of %lld",
	      (long long)fvsr_frame_tag(frame), (long long)tag(driver, driver->received));
	driver->received++;
	driver->received_in_all++;
	frame_queue_pop(driver->job->out);
	worker_wake(driver->worker);
}

static void frames(struct driver *driver, int count)
{
	struct worker_status status;

	for (int i = 0; driver->job && i < count; i++) {
		send(driver);
		receive(driver);
		receive(driver);
		pause_ms(pick(driver, 3));
		worker_get_status(driver->worker, &status);
		CHECK(status.state != WORKER_FAILED || status.reason[0], "no reason");
	}
}

static bool wait_state(struct driver *driver, enum worker_state state)
{
	struct worker_status status;

	for (int i = 0; i < 3000; i++) {
		worker_get_status(driver->worker, &status);
		if (status.serial == driver->serial && status.state == state)
			return true;
		pause_ms(10);
	}
	return false;
}

/* Does everything at random, many times. */
static void test_changes(struct driver *driver)
{
	static const int sides[] = {16, 40, 64};

	for (int i = 0; i < 25; i++) {
		switch (pick(driver, 6)) {
		case 0:
			no_job(driver);
			break;
		case 1:
			new_job(driver, "/nowhere/none.safetensors", 64, 3);
			break;
		default:
			new_job(driver, driver->model, sides[pick(driver, 3)],
				1 + (int)pick(driver, 2));
			break;
		}
		frames(driver, (int)pick(driver, 60));
	}
}

static void test_order(struct driver *driver)
{
	new_job(driver, driver->model, 64, 3);
	CHECK(wait_state(driver, WORKER_RUNNING), "no start");
	for (int i = 0; i < 50000 && driver->received < 61; i++) {
		frames(driver, 1);
		pause_ms(2); /* 100 s in all: a sanitizer on a busy machine is slow */
	}
	CHECK(driver->received >= 61, "only %lld frames came back", (long long)driver->received);
}

/* A stream that gives frames one by one reports as many of them as a chunk has, together. */
static void test_trunk(struct driver *driver, const char *folder)
{
	struct worker_status status;
	char model[1024];

	snprintf(model, sizeof(model), "synth:%s/../stream/trunk.json:7", folder);
	new_job(driver, model, 64, 3);
	CHECK(wait_state(driver, WORKER_RUNNING), "no start");
	for (int i = 0; i < 50000 && driver->received < 3 * FVSR_CHUNK_FRAMES; i++) {
		frames(driver, 1);
		pause_ms(2);
	}
	for (int i = 0; i < 1000 && driver->received < driver->sent; i++) {
		receive(driver);
		pause_ms(10);
	}
	worker_get_status(driver->worker, &status);
	CHECK(driver->received >= 3 * FVSR_CHUNK_FRAMES && driver->received == driver->sent,
	      "%lld of %lld frames came back", (long long)driver->received,
	      (long long)driver->sent);
	CHECK((int64_t)status.chunks == driver->received / FVSR_CHUNK_FRAMES,
	      "%llu reports of %lld frames", (unsigned long long)status.chunks,
	      (long long)driver->received);
	CHECK(status.chunk_frames == FVSR_CHUNK_FRAMES && status.chunk_ms > 0 &&
		      status.cost.latency == 1,
	      "%d frames a report, latency %d", status.chunk_frames, status.cost.latency);
}

static void test_failure(struct driver *driver)
{
	struct worker_status status;

	new_job(driver, "/nowhere/none.safetensors", 64, 3);
	CHECK(wait_state(driver, WORKER_FAILED), "a model that is not there");
	worker_get_status(driver->worker, &status);
	CHECK(strstr(status.reason, "/nowhere/none.safetensors"), "reason: %s", status.reason);
	new_job(driver, driver->model, 8, 3);
	CHECK(wait_state(driver, WORKER_FAILED), "a picture of 8x8");
	new_job(driver, driver->model, 64, 3);
	CHECK(wait_state(driver, WORKER_RUNNING), "nothing works after a failure");
}

/* A source whose time jumps all the time: each jump is a new job, and loading takes longer. */
static void test_impatience(struct driver *driver, const char *folder)
{
	struct worker_status status = {0};
	char model[1024];

	snprintf(model, sizeof(model), "synth:%s/slow.json:7", folder);
	for (int i = 0; i < 6000 && status.state != WORKER_RUNNING; i++) {
		new_job(driver, model, 64, 3);
		pause_ms(5);
		worker_get_status(driver->worker, &status);
	}
	CHECK(status.state == WORKER_RUNNING, "the model never gets loaded");
}

/* Names are UTF-8 on every system. */
static void test_file_bytes(void)
{
#ifdef _WIN32
	FILE *file = _wfopen(L"gr\u00f6\u00dfe.bin", L"wb");
#else
	FILE *file = fopen("gr\u00f6\u00dfe.bin", "wb");
#endif

	CHECK(file && fwrite("abc", 3, 1, file) == 1 && fclose(file) == 0, "no file can be made");
	CHECK(system_file_bytes("gr\u00f6\u00dfe.bin") == 3, "%llu bytes",
	      (unsigned long long)system_file_bytes("gr\u00f6\u00dfe.bin"));
	CHECK(system_file_bytes("nothing.bin") == 0, "a file that is not there has bytes");
#ifdef _WIN32
	_wremove(L"gr\u00f6\u00dfe.bin");
#else
	remove("gr\u00f6\u00dfe.bin");
#endif
}

int main(int argc, char **argv)
{
	struct driver driver = {.random = 1};

	if (argc < 2)
		return 2;
	snprintf(driver.model, sizeof(driver.model), "synth:%s/tiny.json:7", argv[1]);
	test_file_bytes();
	for (int i = 0; i < 3; i++) {
		driver.worker = worker_create(NULL, NULL);
		if (!driver.worker)
			return 1;
		test_order(&driver);
		test_trunk(&driver, argv[1]);
		test_failure(&driver);
		test_changes(&driver);
		test_impatience(&driver, argv[1]);
		/* Whatever it is doing now. */
		worker_destroy(driver.worker);
		job_unref(driver.job);
		driver.job = NULL;
	}
	printf("%llu frames came back\n", (unsigned long long)driver.received_in_all);
	return check_result();
}
