/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Failures of the engine in the plugin as it is shipped: what is underneath fails. The program has
 * a dnnl_primitive_execute() of its own, which the dynamic linker finds before that of oneDNN, also
 * for the plugin; it does what oneDNN's does until it is told to fail. That is the CPU backend, if
 * it was built with oneDNN; the CUDA backend's driver calls fail by FVSR_CUDA_FAIL_AFTER, see
 * tests/gpu.
 */
#ifndef TEST_OBS_ENGINE_FAULT_H
#define TEST_OBS_ENGINE_FAULT_H

#include <stdint.h>

enum engine_fault {
	ENGINE_BROKEN = 1, /* as a device that failed */
	ENGINE_NO_MEMORY,
};

#define ENGINE_FAULTS 8

/* The next 'times' calls fail; each ends a stream. At most ENGINE_FAULTS. */
void engine_fail(enum engine_fault fault, unsigned times);
/* How many of them have, and when: NULL or room for ENGINE_FAULTS times. */
unsigned engine_failed(uint64_t *times_ns);
/* When the first call after the last failure worked; 0: none has. */
uint64_t engine_worked(void);

#endif
