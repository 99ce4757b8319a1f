/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes the engine fail inside the plugin as it is shipped, by letting a library below it fail. The
 * program has a dnnl_primitive_execute() of its own, which the dynamic linker finds before
 * oneDNN's, also for the plugin. It calls oneDNN's until it is told to fail. So it is the CPU
 * backend that fails, if that was built with oneDNN; for the CUDA backend see FVSR_CUDA_FAIL_AFTER
 * in tests/gpu.
 */
#ifndef TEST_OBS_ENGINE_FAULT_H
#define TEST_OBS_ENGINE_FAULT_H

#include <stdint.h>

enum engine_fault {
	ENGINE_BROKEN = 1, /* as a device that failed */
	ENGINE_NO_MEMORY,
};

#define ENGINE_FAULTS 8

/* Lets the next 'times' calls fail, at most ENGINE_FAULTS. Each failure ends a stream. */
void engine_fail(enum engine_fault fault, unsigned times);
/* Returns how many have failed, and when; 'times_ns' is NULL or has room for ENGINE_FAULTS. */
unsigned engine_failed(uint64_t *times_ns);
/* Returns when the first call after the last failure worked; 0: none has. */
uint64_t engine_worked(void);

#endif
