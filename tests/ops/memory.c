/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cases: moving memory, on the device and between it and the host.
 */
#include "ops.h"

static void copy(struct trial *t)
{
	size_t count = (size_t)pick(t, 1, 5000);
	void *dst, *src;

	shape(t, "count %zu", count);
	src = input(t, FVSR_F32, count, -2, 2);
	dst = output(t, FVSR_F32, count);
	t->side->backend->copy(t->side->queue, dst, src, count * sizeof(float));
}

static void zero(struct trial *t)
{
	size_t count = (size_t)pick(t, 1, 5000);
	void *dst;

	shape(t, "count %zu", count);
	dst = output(t, FVSR_F32, count);
	t->side->backend->zero(t->side->queue, dst, count * sizeof(float));
}

static void offload(struct trial *t)
{
	size_t bytes = (size_t)pick(t, 1, 100000);
	void *src, *host;

	shape(t, "bytes %zu", bytes);
	src = input(t, FVSR_U8, bytes, 0, 255);
	host = host_memory(t, bytes);
	t->side->backend->offload(t->side->queue, host, src, bytes);
	t->side->backend->join(t->side->queue);
}

static void reload(struct trial *t)
{
	size_t bytes = (size_t)pick(t, 1, 100000);
	void *dst, *host;

	shape(t, "bytes %zu", bytes);
	host = host_memory(t, bytes);
	dst = output(t, FVSR_U8, bytes);
	t->side->backend->reload(t->side->queue, dst, host, bytes);
	t->side->backend->join(t->side->queue);
}

/*
 * Overwrites what is being offloaded and reads what is being reloaded, each as soon as join() says
 * that it may. The reload follows the offload without one: copies keep their order by themselves.
 */
static void join(struct trial *t)
{
	const struct fvsr_backend *backend = t->side->backend;
	struct fvsr_queue *queue = t->side->queue;
	size_t bytes = (size_t)pick(t, 1, 1 << 18);
	void *away, *back, *after, *host;

	shape(t, "bytes %zu", bytes);
	away = inout(t, FVSR_U8, bytes, 1, 255);
	back = output(t, FVSR_U8, bytes);
	after = output(t, FVSR_U8, bytes);
	host = host_memory(t, bytes);
	backend->offload(queue, host, away, bytes);
	backend->reload(queue, back, host, bytes);
	backend->join(queue);
	backend->zero(queue, away, bytes);
	backend->copy(queue, after, back, bytes);
}

const struct op_test memory_tests[] = {
	{"copy", copy, NULL, 0, 0, 0},       {"zero", zero, NULL, 0, 0, 0},
	{"offload", offload, NULL, 0, 0, 0}, {"reload", reload, NULL, 0, 0, 0},
	{"join", join, NULL, 0, 0, 0},       {0},
};
