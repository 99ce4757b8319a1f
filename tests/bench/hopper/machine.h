/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the bench of the Hopper kernels needs of a GPU: it gives core/backend/cuda/hopper a device
 * and a queue without the rest of the backend. Any failure ends the program with a message.
 */
#ifndef FVSR_BENCH_HOPPER_MACHINE_H
#define FVSR_BENCH_HOPPER_MACHINE_H

#include "backend/cuda/runtime/cuda_backend.h"

#define MACHINE_MAX_RUNS 64

struct machine {
	struct fvsr_cuda_device device;
	struct fvsr_cuda_queue queue; /* its scratch memory is as large as any test needs */
	const char *folder;           /* of the compiled kernels */
	CUmodule check;
	__typeof__(cuModuleGetFunction) *get_function;
	unsigned *watchdog; /* pinned; see kernels/hopper/hopper.cuh */
	CUevent event[MACHINE_MAX_RUNS + 1];
};

void machine_open(struct machine *m, const char *folder);
void machine_close(struct machine *m);
/* Takes the Hopper kernels that FOLDER/attention-VARIANT.cubin and conv-VARIANT.cubin have. */
void machine_use(struct machine *m, const char *variant);

void *machine_alloc(struct machine *m, size_t bytes);
void machine_free(struct machine *m, void *memory);
void machine_upload(struct machine *m, void *dst, const void *src, size_t bytes);
void machine_download(struct machine *m, void *dst, const void *src, size_t bytes);
/* Launches a kernel of check.cu. */
void machine_launch(struct machine *m, const char *kernel, unsigned grid, unsigned block,
		    void **params);
/* Waits; says what a kernel waited for when it hung. */
void machine_finish(struct machine *m, const char *what);

/* Returns the median milliseconds of work(opaque, run), one after the other, after two to warm up.
 */
double machine_time(struct machine *m, void (*work)(void *opaque, int run), void *opaque, int runs);

void die(const char *format, ...) FVSR_PRINTF(1, 2) __attribute__((noreturn));

#endif
