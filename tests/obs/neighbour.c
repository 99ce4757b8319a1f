/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread that fills the card with blocks that do nothing for a while: see neighbour.h.
 */
#include "neighbour.h"

#include <cuda.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#define BUSY_NS       1500000 /* of each round, which then leaves the card alone for a moment */
#define REST_NS       300000
#define BLOCKS        8192 /* more than any card holds at once */
#define THREADS       256
#define TEXT_OF(name) #name
#define NAME_OF(name) TEXT_OF(name) /* after cuda.h has renamed it */

/* Each block waits until 'end', a time of the card's clock that the first of them chose. */
static const char code[] =
	".version 7.0\n.target sm_80\n.address_size 64\n"
	".visible .entry keep_busy(.param .u64 p_end, .param .u64 p_ns) {\n"
	".reg .u64 %end, %now, %wanted, %before, %ns;\n.reg .pred %more, %mine;\n"
	"ld.param.u64 %end, [p_end];\nld.param.u64 %ns, [p_ns];\n"
	"cvta.to.global.u64 %end, %end;\n"
	"mov.u64 %now, %globaltimer;\nadd.u64 %wanted, %now, %ns;\n"
	"atom.global.cas.b64 %before, [%end], 0, %wanted;\n"
	"setp.ne.u64 %mine, %before, 0;\n@%mine mov.u64 %wanted, %before;\n"
	"again:\nmov.u64 %now, %globaltimer;\n"
	"setp.lt.u64 %more, %now, %wanted;\n@%more bra again;\nret;\n}\n";

#define FUNCTIONS(X)                                                                               \
	X(cuDevicePrimaryCtxRetain)                                                                \
	X(cuDevicePrimaryCtxRelease)                                                               \
	X(cuCtxPushCurrent)                                                                        \
	X(cuCtxPopCurrent)                                                                         \
	X(cuCtxGetStreamPriorityRange)                                                             \
	X(cuStreamCreateWithPriority)                                                              \
	X(cuStreamSynchronize)                                                                     \
	X(cuStreamDestroy)                                                                         \
	X(cuMemAlloc)                                                                              \
	X(cuMemFree)                                                                               \
	X(cuMemsetD8Async)                                                                         \
	X(cuModuleLoadData)                                                                        \
	X(cuModuleUnload)                                                                          \
	X(cuModuleGetFunction)                                                                     \
	X(cuLaunchKernel)

struct neighbour {
#define X(name) __typeof__(name) *(name);
	FUNCTIONS(X)
#undef X
	void *library;
	CUdevice card;
	CUcontext context;
	CUmodule module;
	CUfunction function;
	CUstream stream;
	CUdeviceptr end;
	pthread_t thread;
	atomic_bool quit;
};

static bool find_all(struct neighbour *n)
{
	n->library = dlopen("libcuda.so.1", RTLD_NOW);
	if (!n->library)
		return false;
#define X(name)                                                                                    \
	*(void **)&n->name = dlsym(n->library, NAME_OF(name));                                     \
	if (!n->name)                                                                              \
		return false;
	FUNCTIONS(X)
#undef X
	return true;
}

/* In the context. */
static bool prepare(struct neighbour *n)
{
	int lowest, highest;

	return !n->cuCtxGetStreamPriorityRange(&lowest, &highest) &&
	       !n->cuStreamCreateWithPriority(&n->stream, CU_STREAM_NON_BLOCKING, highest) &&
	       !n->cuMemAlloc(&n->end, 8) && !n->cuModuleLoadData(&n->module, code) &&
	       !n->cuModuleGetFunction(&n->function, n->module, "keep_busy");
}

static void *work(void *opaque)
{
	struct neighbour *n = opaque;
	const struct timespec rest = {.tv_nsec = REST_NS};
	unsigned long long ns = BUSY_NS;
	void *params[] = {&n->end, &ns};

	n->cuCtxPushCurrent(n->context);
	while (!atomic_load(&n->quit)) {
		n->cuMemsetD8Async(n->end, 0, 8, n->stream);
		if (n->cuLaunchKernel(n->function, BLOCKS, 1, 1, THREADS, 1, 1, 0, n->stream,
				      params, NULL))
			break;
		n->cuStreamSynchronize(n->stream);
		nanosleep(&rest, NULL);
	}
	return NULL;
}

struct neighbour *neighbour_start(int card)
{
	struct neighbour *n = calloc(1, sizeof(*n));
	CUcontext context;
	bool ok;

	n->card = card;
	ok = find_all(n) && !n->cuDevicePrimaryCtxRetain(&n->context, card) &&
	     !n->cuCtxPushCurrent(n->context);
	if (ok) {
		ok = prepare(n);
		n->cuCtxPopCurrent(&context);
	}
	atomic_init(&n->quit, false);
	if (ok && !pthread_create(&n->thread, NULL, work, n))
		return n;
	free(n);
	return NULL;
}

void neighbour_stop(struct neighbour *n)
{
	CUcontext context;

	if (!n)
		return;
	atomic_store(&n->quit, true);
	pthread_join(n->thread, NULL);
	n->cuCtxPushCurrent(n->context);
	n->cuModuleUnload(n->module);
	n->cuMemFree(n->end);
	n->cuStreamDestroy(n->stream);
	n->cuCtxPopCurrent(&context);
	n->cuDevicePrimaryCtxRelease(n->card);
	dlclose(n->library);
	free(n);
}
