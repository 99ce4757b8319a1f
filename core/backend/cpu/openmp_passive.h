/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lets OpenMP's threads sleep while they wait, instead of spinning; see openmp_passive.c.
 */
#ifndef FVSR_CPU_OPENMP_PASSIVE_H
#define FVSR_CPU_OPENMP_PASSIVE_H

struct fvsr_openmp_passive;

/* Returns NULL when it is not needed or cannot be had: threads then wait as OpenMP's default is. */
struct fvsr_openmp_passive *fvsr_openmp_passive_start(void);
/* Ends it; NULL is allowed. */
void fvsr_openmp_passive_stop(struct fvsr_openmp_passive *passive);

#endif
