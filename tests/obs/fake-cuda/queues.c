/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The late streams of queues.h. One lock guards everything; the thread holds it while it does a
 * piece of work, so no two pieces overlap.
 */
#include "queues.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How late a piece of work may be: for the highest priority, and for the lowest. */
#define SOON_NS 50000u
#define LATE_NS 2000000u

enum task_kind {
	TASK_RUN = 1,
	TASK_RECORD,
	TASK_WAIT,
};

/* One recording of an event, which a wait means: the event may be recorded again after it. */
struct record {
	int owners;
	bool happened;
	double ms;
};

struct task {
	struct task *next;
	enum task_kind kind;
	void (*run)(const void *argument);
	struct record *record;
	_Alignas(16) unsigned char argument[];
};

struct fake_event {
	struct record *record; /* the last; NULL: it was never recorded */
};

struct fake_stream {
	struct fake_stream *next;
	int priority;
	bool held; /* by a test: nothing in it is done */
	struct task *first, **last;
	int64_t not_before_ns; /* its first task's time */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_t thread;
static bool quit;
static struct fake_stream *streams;
static uint64_t random_state = 1;

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now); /* that of pthread_cond_timedwait() */
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static unsigned pick(unsigned count)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(random_state >> 33) % count;
}

/*
 * Chooses when the first task is due. Kernels, most of which do nothing here, come at once, or a
 * chunk would take seconds.
 */
static void choose_time(struct fake_stream *stream)
{
	const bool lowest = stream->priority == FAKE_LOWEST_PRIORITY;
	const bool moves = stream->first && stream->first->kind == TASK_RUN && stream->first->run;

	stream->not_before_ns = !moves ? 0 : now_ns() + pick(lowest ? LATE_NS : SOON_NS);
}

static void release(struct record *record)
{
	if (record && --record->owners == 0)
		free(record);
}

static struct record *keep(struct record *record)
{
	if (record)
		record->owners++;
	return record;
}

static bool held_up(const struct task *task)
{
	return task->kind == TASK_WAIT && task->record && !task->record->happened;
}

/* ---- the thread ---------------------------------------------------------------------------- */

static void do_task(struct fake_stream *stream)
{
	struct task *task = stream->first;

	stream->first = task->next;
	if (!stream->first)
		stream->last = &stream->first;
	choose_time(stream);
	if (task->run)
		task->run(task->argument);
	if (task->kind == TASK_RECORD) {
		task->record->happened = true;
		task->record->ms = (double)now_ns() / 1e6;
	}
	release(task->record);
	free(task);
}

/* Returns a stream whose first task may be done now; or NULL, and when to look again. */
static struct fake_stream *choose_stream(int64_t *again_ns)
{
	const int64_t now = now_ns();
	struct fake_stream *chosen = NULL;
	unsigned count = 0;

	*again_ns = now + 1000000000;
	for (struct fake_stream *stream = streams; stream; stream = stream->next) {
		if (stream->held || !stream->first || held_up(stream->first))
			continue;
		if (stream->not_before_ns > now) {
			if (stream->not_before_ns < *again_ns)
				*again_ns = stream->not_before_ns;
		} else if (pick(++count) == 0) {
			chosen = stream;
		}
	}
	return chosen;
}

static void *work(void *unused)
{
	pthread_mutex_lock(&lock);
	while (!quit) {
		int64_t again_ns;
		struct fake_stream *stream = choose_stream(&again_ns);
		const struct timespec again = {again_ns / 1000000000, again_ns % 1000000000};

		if (stream) {
			do_task(stream);
			pthread_cond_broadcast(&changed);
		} else {
			pthread_cond_timedwait(&changed, &lock, &again);
		}
	}
	pthread_mutex_unlock(&lock);
	return unused;
}

void fake_queues_start(void)
{
	quit = false;
	if (pthread_create(&thread, NULL, work, NULL))
		abort();
}

void fake_queues_stop(void)
{
	pthread_mutex_lock(&lock);
	quit = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
}

/* ---- streams ------------------------------------------------------------------------------- */

struct fake_stream *fake_stream_create(int priority)
{
	struct fake_stream *stream = calloc(1, sizeof(*stream));

	stream->priority = priority;
	stream->last = &stream->first;
	pthread_mutex_lock(&lock);
	stream->next = streams;
	streams = stream;
	pthread_mutex_unlock(&lock);
	return stream;
}

/* Waits until a stream is empty. The caller holds the lock. */
static void drain(struct fake_stream *stream)
{
	while (stream->first)
		pthread_cond_wait(&changed, &lock);
}

void fake_stream_destroy(struct fake_stream *stream)
{
	struct fake_stream **at = &streams;

	pthread_mutex_lock(&lock);
	drain(stream);
	while (*at != stream)
		at = &(*at)->next;
	*at = stream->next;
	pthread_mutex_unlock(&lock);
	free(stream);
}

/* Appends a task, whose record may be NULL. The caller holds the lock. */
static void append(struct fake_stream *stream, enum task_kind kind, struct record *record,
		   void (*run)(const void *argument), const void *argument, size_t bytes)
{
	const bool idle = !stream->first;
	struct task *task = calloc(1, sizeof(*task) + bytes);

	task->kind = kind;
	task->record = keep(record);
	task->run = run;
	if (bytes)
		memcpy(task->argument, argument, bytes);
	*stream->last = task;
	stream->last = &task->next;
	if (idle)
		choose_time(stream);
	pthread_cond_broadcast(&changed);
}

void fake_stream_add(struct fake_stream *stream, void (*run)(const void *argument),
		     const void *argument, size_t bytes)
{
	pthread_mutex_lock(&lock);
	append(stream, TASK_RUN, NULL, run, argument, bytes);
	pthread_mutex_unlock(&lock);
}

void fake_stream_wait(struct fake_stream *stream, struct fake_event *event)
{
	pthread_mutex_lock(&lock);
	append(stream, TASK_WAIT, event->record, NULL, NULL, 0);
	pthread_mutex_unlock(&lock);
}

bool fake_stream_held_up(struct fake_stream *stream)
{
	bool held = false;

	pthread_mutex_lock(&lock);
	for (const struct task *task = stream->first; task; task = task->next)
		held = held || held_up(task);
	pthread_mutex_unlock(&lock);
	return held;
}

void fake_stream_hold(struct fake_stream *stream, bool hold)
{
	pthread_mutex_lock(&lock);
	stream->held = hold;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

void fake_stream_synchronize(struct fake_stream *stream)
{
	pthread_mutex_lock(&lock);
	drain(stream);
	pthread_mutex_unlock(&lock);
}

void fake_streams_synchronize(void)
{
	struct fake_stream *stream;

	pthread_mutex_lock(&lock);
	do {
		stream = streams;
		while (stream && !stream->first)
			stream = stream->next;
		if (stream)
			pthread_cond_wait(&changed, &lock);
	} while (stream);
	pthread_mutex_unlock(&lock);
}

/* ---- events ------------------------------------------------------------------------------- */

struct fake_event *fake_event_create(void)
{
	return calloc(1, sizeof(struct fake_event));
}

void fake_event_destroy(struct fake_event *event)
{
	pthread_mutex_lock(&lock);
	release(event->record);
	pthread_mutex_unlock(&lock);
	free(event);
}

void fake_event_record(struct fake_event *event, struct fake_stream *stream)
{
	pthread_mutex_lock(&lock);
	release(event->record);
	event->record = calloc(1, sizeof(*event->record));
	event->record->owners = 1;
	append(stream, TASK_RECORD, event->record, NULL, NULL, 0);
	pthread_mutex_unlock(&lock);
}

bool fake_event_happened(struct fake_event *event)
{
	bool happened;

	pthread_mutex_lock(&lock);
	happened = !event->record || event->record->happened;
	pthread_mutex_unlock(&lock);
	return happened;
}

void fake_event_synchronize(struct fake_event *event)
{
	struct record *record;

	pthread_mutex_lock(&lock);
	record = keep(event->record);
	while (record && !record->happened)
		pthread_cond_wait(&changed, &lock);
	release(record);
	pthread_mutex_unlock(&lock);
}

double fake_event_ms(struct fake_event *event)
{
	double ms;

	pthread_mutex_lock(&lock);
	ms = event->record ? event->record->ms : 0;
	pthread_mutex_unlock(&lock);
	return ms;
}
