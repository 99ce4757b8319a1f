/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * By default a thread of GNU OpenMP spins for about a millisecond at every barrier. Alone on the
 * machine that is fast. Beside a program that needs a core too, as OBS and its encoder do, the
 * threads spin while the one that they wait for has no core, and everything is many times slower.
 * The environment variable OMP_WAIT_POLICY=passive would help, but it is read before a plugin has a
 * say.
 *
 * GNU OpenMP spins only briefly once it manages more threads than there are cores. So a thread of
 * ours opens one team of that size and then sleeps, with all of its team, until the device closes.
 */
#include "backend/cpu/openmp_passive.h"

#include <stddef.h>

#if defined(_OPENMP) && defined(__GNUC__) && !defined(__clang__)

#include <omp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct fvsr_openmp_passive {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ready, stop;
};

static void *hold_team(void *opaque)
{
	struct fvsr_openmp_passive *passive = opaque;
	int threads = 0;

#pragma omp parallel num_threads(omp_get_num_procs() + 1) reduction(+ : threads)
	threads++;

	pthread_mutex_lock(&passive->lock);
	passive->ready = threads > 0;
	pthread_cond_signal(&passive->changed);
	while (!passive->stop)
		pthread_cond_wait(&passive->changed, &passive->lock);
	pthread_mutex_unlock(&passive->lock);
	return NULL;
}

struct fvsr_openmp_passive *fvsr_openmp_passive_start(void)
{
	struct fvsr_openmp_passive *passive = calloc(1, sizeof(*passive));

	if (!passive)
		return NULL;
	pthread_mutex_init(&passive->lock, NULL);
	pthread_cond_init(&passive->changed, NULL);
	if (pthread_create(&passive->thread, NULL, hold_team, passive)) {
		pthread_cond_destroy(&passive->changed);
		pthread_mutex_destroy(&passive->lock);
		free(passive);
		return NULL;
	}
	pthread_mutex_lock(&passive->lock);
	while (!passive->ready)
		pthread_cond_wait(&passive->changed, &passive->lock);
	pthread_mutex_unlock(&passive->lock);
	return passive;
}

void fvsr_openmp_passive_stop(struct fvsr_openmp_passive *passive)
{
	if (!passive)
		return;
	pthread_mutex_lock(&passive->lock);
	passive->stop = true;
	pthread_cond_signal(&passive->changed);
	pthread_mutex_unlock(&passive->lock);
	pthread_join(passive->thread, NULL);
	pthread_cond_destroy(&passive->changed);
	pthread_mutex_destroy(&passive->lock);
	free(passive);
}

#else

struct fvsr_openmp_passive *fvsr_openmp_passive_start(void)
{
	return NULL;
}

void fvsr_openmp_passive_stop(struct fvsr_openmp_passive *passive)
{
	(void)passive;
}

#endif
