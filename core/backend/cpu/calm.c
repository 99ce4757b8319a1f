/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * By default a thread of GNU OpenMP spins for about a millisecond at every barrier. Alone on the
 * machine that is fast; beside a program that needs a core too, as OBS and its encoder do, the
 * threads spin while the one they wait for has no core, and everything is many times slower.
 * OMP_WAIT_POLICY=passive would help, but is read before a plugin has a say.
 *
 * GNU OpenMP spins only briefly once it manages more threads than there are cores. So a thread of
 * ours opens one team of that size and then sleeps, with all of its team, until the device closes.
 */
#include "calm.h"

#include <stddef.h>

#if defined(_OPENMP) && defined(__GNUC__) && !defined(__clang__)

#include <omp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct fvsr_cpu_calm {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ready, stop;
};

static void *hold_team(void *opaque)
{
	struct fvsr_cpu_calm *calm = opaque;
	int threads = 0;

#pragma omp parallel num_threads(omp_get_num_procs() + 1) reduction(+ : threads)
	threads++;

	pthread_mutex_lock(&calm->lock);
	calm->ready = threads > 0;
	pthread_cond_signal(&calm->changed);
	while (!calm->stop)
		pthread_cond_wait(&calm->changed, &calm->lock);
	pthread_mutex_unlock(&calm->lock);
	return NULL;
}

struct fvsr_cpu_calm *fvsr_cpu_calm_start(void)
{
	struct fvsr_cpu_calm *calm = calloc(1, sizeof(*calm));

	if (!calm)
		return NULL;
	pthread_mutex_init(&calm->lock, NULL);
	pthread_cond_init(&calm->changed, NULL);
	if (pthread_create(&calm->thread, NULL, hold_team, calm)) {
		pthread_cond_destroy(&calm->changed);
		pthread_mutex_destroy(&calm->lock);
		free(calm);
		return NULL;
	}
	pthread_mutex_lock(&calm->lock);
	while (!calm->ready)
		pthread_cond_wait(&calm->changed, &calm->lock);
	pthread_mutex_unlock(&calm->lock);
	return calm;
}

void fvsr_cpu_calm_stop(struct fvsr_cpu_calm *calm)
{
	if (!calm)
		return;
	pthread_mutex_lock(&calm->lock);
	calm->stop = true;
	pthread_cond_signal(&calm->changed);
	pthread_mutex_unlock(&calm->lock);
	pthread_join(calm->thread, NULL);
	pthread_cond_destroy(&calm->changed);
	pthread_mutex_destroy(&calm->lock);
	free(calm);
}

#else

struct fvsr_cpu_calm *fvsr_cpu_calm_start(void)
{
	return NULL;
}

void fvsr_cpu_calm_stop(struct fvsr_cpu_calm *calm)
{
	(void)calm;
}

#endif
