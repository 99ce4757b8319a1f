/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps OpenMP's threads from spinning while they wait; see calm.c.
 */
#ifndef FVSR_CPU_CALM_H
#define FVSR_CPU_CALM_H

struct fvsr_cpu_calm;

/* NULL when it is not needed or cannot be had: then waiting threads spin as OpenMP's default is. */
struct fvsr_cpu_calm *fvsr_cpu_calm_start(void);
/* NULL is allowed. */
void fvsr_cpu_calm_stop(struct fvsr_cpu_calm *calm);

#endif
