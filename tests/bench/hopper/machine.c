/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A card without the backend: it is opened, kernels are taken from files, and a wait that ends with
 * an error says which barriers the watchdog saw.
 */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCRATCH_BYTES  ((size_t)256 << 20)
#define WATCHDOG_WORDS (1 << 14)

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	exit(1);
}

#define CALL(m, name, ...) check((m), (m)->device.driver.name(__VA_ARGS__), #name)

static void check(struct machine *m, CUresult result, const char *what)
{
	const char *text = NULL;

	if (result == CUDA_SUCCESS)
		return;
	m->device.driver.cuGetErrorString(result, &text);
	die("%s: error %d, %s", what, (int)result, text ? text : "unknown");
}

/* ------------------------------------------------------------------------------------------- */
/* What core/backend/cuda/hopper asks of the rest of the backend                              */

bool fvsr_cuda_enter(struct fvsr_cuda_device *device)
{
	(void)device; /* the context stays with the only thread */
	return true;
}

void fvsr_cuda_leave(struct fvsr_cuda_device *device)
{
	(void)device;
}

bool fvsr_cuda_inject(struct fvsr_cuda_device *device)
{
	(void)device;
	return false;
}

/* Says what failed and goes on: the poison in the result will fail the test. */
bool fvsr_cuda_check(struct fvsr_cuda_queue *queue, CUresult result, const char *what,
		     const char *file, int line)
{
	const char *text = NULL;

	if (result == CUDA_SUCCESS)
		return true;
	queue->device->driver.cuGetErrorString(result, &text);
	printf("%s:%d: %s: %s\n", file, line, what, text ? text : "unknown");
	return false;
}

void fvsr_queue_stop(struct fvsr_queue *queue)
{
	(void)queue; /* nobody interrupts a bench */
}

void *fvsr_cuda_scratch(struct fvsr_cuda_queue *queue, size_t bytes)
{
	if (bytes > SCRATCH_BYTES)
		die("an operation wants %zu bytes of scratch memory", bytes);
	return queue->base.scratch;
}

void fvsr_cuda_launch(struct fvsr_cuda_queue *queue, const struct fvsr_cuda_launch *launch)
{
	void *params[] = {(void *)launch->params};
	CUlaunchConfig config = fvsr_cuda_launch_config(launch, queue->stream);

	fvsr_cuda_check(queue,
			queue->device->driver.cuLaunchKernelEx(
				&config, queue->device->kernels[launch->kernel], params, NULL),
			"cuLaunchKernelEx", __FILE__, __LINE__);
}

/* ------------------------------------------------------------------------------------------- */

static void *read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	long size;
	char *data;

	if (!file || fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0 ||
	    fseek(file, 0, SEEK_SET) || !(data = malloc((size_t)size + 1)) ||
	    fread(data, 1, (size_t)size, file) != (size_t)size)
		die("cannot read %s", path);
	fclose(file);
	return data;
}

static CUmodule load(struct machine *m, const char *kind, const char *name)
{
	char path[1024];
	CUmodule module;
	void *image;

	snprintf(path, sizeof(path), "%s/%s%s.cubin", m->folder, kind, name);
	image = read_file(path);
	CALL(m, cuModuleLoadDataEx, &module, image, 0, NULL, NULL);
	free(image);
	return module;
}

/* Points the watchdog of a module, if it has one, at our memory. */
static void watch(struct machine *m, CUmodule module)
{
	CUresult (*get_global)(CUdeviceptr *, size_t *, CUmodule, const char *);
	void *symbol = fvsr_cuda_library_symbol(m->device.driver.library, "cuModuleGetGlobal_v2");
	CUdeviceptr address;
	size_t bytes;

	memcpy(&get_global, &symbol, sizeof(symbol));
	if (!symbol || get_global(&address, &bytes, module, "fvsr_hopper_watchdog"))
		return;
	machine_upload(m, (void *)address, &m->watchdog, sizeof(m->watchdog));
}

static void take(struct machine *m, enum fvsr_cuda_kernel kernel, CUmodule module)
{
	const struct fvsr_cuda_kernel_row *row = &fvsr_cuda_kernels[kernel];
	CUfunction function;

	if (m->get_function(&function, module, row->name) != CUDA_SUCCESS)
		return;
	if (row->shared_bytes)
		CALL(m, cuFuncSetAttribute, function,
		     CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, (int)row->shared_bytes);
	m->device.kernels[kernel] = function;
}

void machine_use(struct machine *m, const char *variant)
{
	CUmodule modules[2] = {load(m, "attention-", variant), load(m, "conv-", variant)};

	memset(m->device.kernels, 0, sizeof(m->device.kernels));
	for (int i = 0; i < 2; i++) {
		watch(m, modules[i]);
		for (int j = 0; j < FVSR_KERNEL_COUNT; j++)
			if (fvsr_cuda_kernels[j].hopper)
				take(m, (enum fvsr_cuda_kernel)j, modules[i]);
	}
	for (int i = 0; i < FVSR_KERNEL_COUNT; i++)
		if (fvsr_cuda_kernels[i].hopper && !m->device.kernels[i])
			die("no kernel %s", fvsr_cuda_kernels[i].name);
}

void machine_open(struct machine *m, const char *folder)
{
	char reason[256];
	char name[128];
	void *symbol;

	memset(m, 0, sizeof(*m));
	m->folder = folder;
	if (!fvsr_cuda_driver_open(&m->device.driver, reason, sizeof(reason)))
		die("%s", reason);
	symbol = fvsr_cuda_library_symbol(m->device.driver.library, "cuModuleGetFunction");
	if (!symbol)
		die("the driver lacks cuModuleGetFunction");
	memcpy(&m->get_function, &symbol, sizeof(symbol));
	CALL(m, cuDeviceGet, &m->device.device, 0);
	CALL(m, cuDeviceGetName, name, sizeof(name), m->device.device);
	CALL(m, cuDeviceGetAttribute, &m->device.multiprocessors,
	     CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, m->device.device);
	CALL(m, cuDevicePrimaryCtxRetain, &m->device.context, m->device.device);
	CALL(m, cuCtxPushCurrent, m->device.context);
	printf("%s, %d multiprocessors\n", name, m->device.multiprocessors);
	m->queue.device = &m->device;
	CALL(m, cuStreamCreate, &m->queue.stream, CU_STREAM_NON_BLOCKING);
	for (int i = 0; i <= MACHINE_MAX_RUNS; i++)
		CALL(m, cuEventCreate, &m->event[i], CU_EVENT_DEFAULT);
	CALL(m, cuMemHostAlloc, (void **)&m->watchdog, WATCHDOG_WORDS * sizeof(unsigned), 0);
	memset(m->watchdog, 0, WATCHDOG_WORDS * sizeof(unsigned));
	m->queue.base.scratch = machine_alloc(m, SCRATCH_BYTES);
	m->check = load(m, "check", "");
}

void machine_close(struct machine *m)
{
	CUcontext context;

	machine_free(m, m->queue.base.scratch);
	CALL(m, cuMemFreeHost, m->watchdog);
	CALL(m, cuCtxPopCurrent, &context);
	CALL(m, cuDevicePrimaryCtxRelease, m->device.device);
	fvsr_cuda_driver_close(&m->device.driver);
}

void *machine_alloc(struct machine *m, size_t bytes)
{
	CUdeviceptr address;

	CALL(m, cuMemAlloc, &address, bytes);
	return (void *)address;
}

void machine_free(struct machine *m, void *memory)
{
	CALL(m, cuMemFree, (CUdeviceptr)memory);
}

void machine_upload(struct machine *m, void *dst, const void *src, size_t bytes)
{
	CALL(m, cuMemcpyHtoDAsync, (CUdeviceptr)dst, src, bytes, m->queue.stream);
	machine_finish(m, "upload");
}

void machine_download(struct machine *m, void *dst, const void *src, size_t bytes)
{
	CALL(m, cuMemcpyDtoHAsync, dst, (CUdeviceptr)src, bytes, m->queue.stream);
	machine_finish(m, "download");
}

void machine_launch(struct machine *m, const char *kernel, unsigned grid, unsigned block,
		    void **params)
{
	CUlaunchConfig config = {
		.gridDimX = grid,
		.gridDimY = 1,
		.gridDimZ = 1,
		.blockDimX = block,
		.blockDimY = 1,
		.blockDimZ = 1,
		.hStream = m->queue.stream,
	};
	CUfunction function;

	check(m, m->get_function(&function, m->check, kernel), kernel);
	CALL(m, cuLaunchKernelEx, &config, function, params, NULL);
}

/* Prints a line for each warp that waited in vain, for the first few thread blocks. */
static void tell_watchdog(const struct machine *m)
{
	int lines = 0;

	for (int i = 0; i < WATCHDOG_WORDS && lines < 48; i += 4) {
		const unsigned *note = m->watchdog + i;

		if (!note[0])
			continue;
		printf("  block %d warp %d thread %u: barrier 0x%x parity %u\n", i / 4 / 12,
		       i / 4 % 12, note[3], note[1], note[2]);
		lines++;
	}
}

void machine_finish(struct machine *m, const char *what)
{
	CUresult result = m->device.driver.cuStreamSynchronize(m->queue.stream);
	const char *text = NULL;

	if (result == CUDA_SUCCESS)
		return;
	m->device.driver.cuGetErrorString(result, &text);
	printf("%s: error %d, %s\n", what, (int)result, text ? text : "unknown");
	tell_watchdog(m);
	die("stopped");
}

static int ascending(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

double machine_time(struct machine *m, void (*work)(void *opaque, int run), void *opaque, int runs)
{
	float ms[MACHINE_MAX_RUNS];

	runs = runs < MACHINE_MAX_RUNS ? runs : MACHINE_MAX_RUNS;
	for (int i = 0; i < 2; i++)
		work(opaque, i);
	machine_finish(m, "warming up");
	for (int i = 0; i < runs; i++) {
		CALL(m, cuEventRecord, m->event[i], m->queue.stream);
		work(opaque, i);
	}
	CALL(m, cuEventRecord, m->event[runs], m->queue.stream);
	machine_finish(m, "timing");
	for (int i = 0; i < runs; i++)
		CALL(m, cuEventElapsedTime, &ms[i], m->event[i], m->event[i + 1]);
	qsort(ms, (size_t)runs, sizeof(*ms), ascending);
	return ms[runs / 2];
}
