/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What workers share, with real workers on a real (synthetic) model: one model for all of them,
 * turns that are fair, memory that is freed when nothing is shown, a device that fails, and an end
 * that comes at once. Failures of a device are made here (fvsr_stream_receive is wrapped), the rest
 * is as it is in OBS.
 */
#include "check.h"
#include "system.h"
#include "session/worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static atomic_int failing; /* so many calls fail as a broken device would */

int __real_fvsr_stream_receive(fvsr_stream *stream, fvsr_frame *frame);
int __wrap_fvsr_stream_receive(fvsr_stream *stream, fvsr_frame *frame);

int __wrap_fvsr_stream_receive(fvsr_stream *stream, fvsr_frame *frame)
{
	if (atomic_load(&failing) > 0 && fvsr_stream_next(stream) == FVSR_NEXT_COMPUTE) {
		atomic_fetch_sub(&failing, 1);
		return FVSR_ERR_BACKEND;
	}
	return __real_fvsr_stream_receive(stream, frame);
}

static atomic_ullong available; /* bytes of memory; 0: as it is */

uint64_t __real_system_available_memory(void);
uint64_t __wrap_system_available_memory(void);

uint64_t __wrap_system_available_memory(void)
{
	const uint64_t bytes = atomic_load(&available);

	return bytes ? bytes : __real_system_available_memory();
}

struct driver {
	struct worker *worker;
	struct job *job;
	uint64_t serial;
	int64_t sent, received;
};

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void pause_ms(unsigned ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	nanosleep(&time, NULL);
}

static int make_frame(void *opaque, fvsr_frame **out, enum frame_direction direction, int width,
		      int height)
{
	(void)opaque;
	(void)direction;
	return fvsr_frame_create(out, FVSR_FORMAT_RGBA8, width, height);
}

static void start_job(struct driver *driver, const char *model, int in, int out)
{
	struct frame_maker maker = {make_frame, NULL};
	struct job_request request = {.backend = "auto"};

	snprintf(request.model, sizeof(request.model), "%s", model);
	fvsr_settings_default(&request.settings);
	request.settings.in_width = request.settings.in_height = in;
	request.settings.out_width = request.settings.out_height = out;
	job_unref(driver->job);
	driver->job = job_create(&request, ++driver->serial, &maker);
	if (!driver->job)
		abort();
	driver->sent = driver->received = 0;
	worker_set_job(driver->worker, driver->job);
}

static void stop_job(struct driver *driver)
{
	worker_set_job(driver->worker, NULL);
	job_unref(driver->job);
	driver->job = NULL;
}

/* Sends what the queue takes and receives what is there. */
static void drive(struct driver *driver)
{
	fvsr_frame *frame;

	while ((frame = frame_queue_write_begin(driver->job->in)) != NULL) {
		fvsr_frame_set_tag(frame, driver->sent++);
		frame_queue_write_end(driver->job->in);
	}
	while (frame_queue_peek(driver->job->out, 0)) {
		frame_queue_pop(driver->job->out);
		driver->received++;
	}
	worker_wake(driver->worker);
}

static enum worker_state state_of(struct driver *driver, struct worker_status *status)
{
	worker_get_status(driver->worker, status);
	return status->serial == driver->serial ? status->state : WORKER_IDLE;
}

static bool wait_state(struct driver *driver, enum worker_state state)
{
	struct worker_status status;

	for (int i = 0; i < 3000; i++) {
		if (state_of(driver, &status) == state)
			return true;
		pause_ms(10);
	}
	return false;
}

static void open_drivers(struct driver *drivers, int count, struct model_pool *pool)
{
	for (int i = 0; i < count; i++) {
		drivers[i] = (struct driver){.worker = worker_create(NULL, pool)};
		if (!drivers[i].worker)
			abort();
	}
}

static void close_driver(struct driver *driver)
{
	worker_destroy(driver->worker);
	job_unref(driver->job);
}

/* Three filters have one model in memory, and the last to go frees it. */
static void test_sharing(struct model_pool *pool, const char *model)
{
	struct driver drivers[3];

	open_drivers(drivers, 3, pool);
	for (int i = 0; i < 3; i++)
		start_job(&drivers[i], model, 32, 64);
	for (int i = 0; i < 3; i++)
		CHECK(wait_state(&drivers[i], WORKER_RUNNING), "worker %d", i);
	CHECK(model_pool_count(pool) == 1, "%u models", model_pool_count(pool));
	close_driver(&drivers[0]);
	close_driver(&drivers[1]);
	CHECK(model_pool_count(pool) == 1, "%u models", model_pool_count(pool));
	close_driver(&drivers[2]);
	CHECK(model_pool_count(pool) == 0, "%u models are left", model_pool_count(pool));
}

/* Two filters with the same work get the same share, and one with little is not held up by much. */
static void test_fairness(struct model_pool *pool, const char *model)
{
	const double end_s = now_s() + 60.0;
	struct driver drivers[2];

	open_drivers(drivers, 2, pool);
	for (int i = 0; i < 2; i++)
		start_job(&drivers[i], model, 64, 128);
	while (drivers[0].received + drivers[1].received < 200 && now_s() < end_s) {
		drive(&drivers[0]);
		drive(&drivers[1]);
		pause_ms(1);
	}
	printf("%lld and %lld frames\n", (long long)drivers[0].received,
	       (long long)drivers[1].received);
	/* A chunk is 8, the first 21, and the queues hold 16. */
	CHECK(llabs(drivers[0].received - drivers[1].received) <= 45, "unfair");
	close_driver(&drivers[0]);
	close_driver(&drivers[1]);
}

/* Without a job memory is kept for a while, in which a new job goes on at once, and then freed. */
static void test_hidden(struct model_pool *pool, const char *model)
{
	struct worker_status status;
	struct driver driver;
	double end_s;

	open_drivers(&driver, 1, pool);
	worker_set_keep(driver.worker, 2);
	start_job(&driver, model, 32, 64);
	CHECK(wait_state(&driver, WORKER_RUNNING), "no start");
	stop_job(&driver);
	pause_ms(500);
	CHECK(model_pool_count(pool) == 1, "freed at once");
	start_job(&driver, model, 32, 64);
	CHECK(wait_state(&driver, WORKER_RUNNING), "no second start");
	stop_job(&driver);
	end_s = now_s() + 20.0;
	while (model_pool_count(pool) && now_s() < end_s)
		pause_ms(20);
	CHECK(model_pool_count(pool) == 0, "never freed");
	CHECK(now_s() > end_s - 18.5, "freed after %.1f s", now_s() - end_s + 20.0);
	worker_get_status(driver.worker, &status);
	CHECK(status.host_bytes == 0 && status.state == WORKER_IDLE, "state %d", status.state);
	start_job(&driver, model, 32, 64);
	CHECK(wait_state(&driver, WORKER_RUNNING), "no third start");
	close_driver(&driver);
}

/* A device that fails takes the model with it; a new job gets a new one. */
static void test_device_failure(struct model_pool *pool, const char *model)
{
	struct worker_status status;
	struct driver driver;

	open_drivers(&driver, 1, pool);
	start_job(&driver, model, 32, 64);
	CHECK(wait_state(&driver, WORKER_RUNNING), "no start");
	atomic_store(&failing, 1);
	for (int i = 0; i < 3000 && state_of(&driver, &status) != WORKER_FAILED; i++) {
		drive(&driver);
		pause_ms(10);
	}
	CHECK(status.state == WORKER_FAILED && status.device_failed && !status.no_memory,
	      "state %d", status.state);
	CHECK(model_pool_count(pool) == 0, "the failed model is still there");
	start_job(&driver, model, 32, 64);
	CHECK(wait_state(&driver, WORKER_RUNNING), "no recovery");
	for (int i = 0; i < 3000 && driver.received < 30; i++) {
		drive(&driver);
		pause_ms(10);
	}
	CHECK(driver.received >= 30, "only %lld frames", (long long)driver.received);
	close_driver(&driver);
}

/* What does not fit is not begun, and the reason has the figures. */
static void test_memory(struct model_pool *pool, const char *tiny, const char *file)
{
	static const char *const reasons[] = {"64x64 needs 0.0", "the model needs 0.01 GiB"};
	struct worker_status status;
	struct driver driver;

	open_drivers(&driver, 1, pool);
	for (int i = 0; i < 2; i++) {
		atomic_store(&available, 1 << 20);
		start_job(&driver, i ? file : tiny, 32, 64);
		CHECK(wait_state(&driver, WORKER_FAILED), "no failure");
		worker_get_status(driver.worker, &status);
		printf("%s\n", status.reason);
		CHECK(status.no_memory && strstr(status.reason, reasons[i]), "%s", status.reason);
		atomic_store(&available, 0);
		start_job(&driver, i ? file : tiny, 32, 64);
		CHECK(wait_state(&driver, WORKER_RUNNING), "not even with memory");
	}
	close_driver(&driver);
}

/* The end comes within two seconds, in the middle of a chunk and while waiting for a turn. */
static void test_end(struct model_pool *pool, const char *slow)
{
	struct worker_status status;
	struct driver drivers[2];
	double began_s;
	int computing = 0;

	open_drivers(drivers, 2, pool);
	start_job(&drivers[0], slow, 64, 256);
	start_job(&drivers[1], slow, 64, 256);
	for (int i = 0; i < 6000 && !computing; i++) {
		for (int d = 0; d < 2; d++) {
			drive(&drivers[d]);
			state_of(&drivers[d], &status);
			computing += status.computing_ms > 50.0;
		}
		pause_ms(5);
	}
	CHECK(computing, "nobody computes");
	/* Both have all frames of their first chunk; one waits for the other. */
	for (int i = 0; i < 20; i++) {
		drive(&drivers[0]);
		drive(&drivers[1]);
		pause_ms(5);
	}
	for (int d = 1; d >= 0; d--) {
		began_s = now_s();
		close_driver(&drivers[d]);
		printf("ended in %.0f ms\n", (now_s() - began_s) * 1e3);
		CHECK(now_s() - began_s < 2.0, "worker %d takes %.1f s to end", d,
		      now_s() - began_s);
	}
}

int main(int argc, char **argv)
{
	struct model_pool *pool = model_pool_create();
	char tiny[1024], slow[1024];

	if (argc < 3 || !pool)
		return 2;
	snprintf(tiny, sizeof(tiny), "synth:%s/tiny.json:7", argv[1]);
	snprintf(slow, sizeof(slow), "synth:%s/slow.json:7", argv[1]);
	test_sharing(pool, tiny);
	test_fairness(pool, tiny);
	test_hidden(pool, tiny);
	test_device_failure(pool, tiny);
	test_memory(pool, tiny, argv[2]);
	test_end(pool, slow);
	model_pool_unref(pool);
	return check_result();
}
