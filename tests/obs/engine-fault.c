/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Failing on demand: see engine-fault.h.
 */
#include "engine-fault.h"

#include <util/platform.h>

#ifdef TEST_WITH_ONEDNN
#include <dlfcn.h>
#include <dnnl.h>
#endif
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum engine_fault kind;
static unsigned wanted, had;
static uint64_t had_ns[ENGINE_FAULTS], worked_ns;

void engine_fail(enum engine_fault fault, unsigned times)
{
	pthread_mutex_lock(&lock);
	kind = fault;
	wanted = times < ENGINE_FAULTS ? times : ENGINE_FAULTS;
	had = 0;
	worked_ns = 0;
	pthread_mutex_unlock(&lock);
}

unsigned engine_failed(uint64_t *times_ns)
{
	unsigned count;

	pthread_mutex_lock(&lock);
	count = had;
	if (times_ns)
		memcpy(times_ns, had_ns, count * sizeof(*had_ns));
	pthread_mutex_unlock(&lock);
	return count;
}

uint64_t engine_worked(void)
{
	uint64_t time_ns;

	pthread_mutex_lock(&lock);
	time_ns = worked_ns;
	pthread_mutex_unlock(&lock);
	return time_ns;
}

#ifdef TEST_WITH_ONEDNN

static dnnl_status_t next_status(void)
{
	dnnl_status_t status = dnnl_success;

	pthread_mutex_lock(&lock);
	if (had < wanted) {
		had_ns[had++] = os_gettime_ns();
		status = kind == ENGINE_NO_MEMORY ? dnnl_out_of_memory : dnnl_runtime_error;
	} else if (!worked_ns) {
		worked_ns = os_gettime_ns();
	}
	pthread_mutex_unlock(&lock);
	return status;
}

__attribute__((visibility("default"))) dnnl_status_t DNNL_API
dnnl_primitive_execute(const_dnnl_primitive_t primitive, dnnl_stream_t stream, int count,
		       const dnnl_exec_arg_t *args)
{
	dnnl_status_t (*real)(const_dnnl_primitive_t, dnnl_stream_t, int, const dnnl_exec_arg_t *);
	void *found = dlsym(RTLD_NEXT, "dnnl_primitive_execute");
	const dnnl_status_t status = next_status();

	if (!found)
		abort();
	memcpy(&real, &found, sizeof(real));
	return status == dnnl_success ? real(primitive, stream, count, args) : status;
}

#endif
