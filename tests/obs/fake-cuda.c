/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stand-in for the CUDA driver's library on machines without a card, as far as sharing textures
 * uses it: device memory is host memory, everything happens at once, and a mapped texture is read
 * from and written to OpenGL. It aborts on what the real one would answer with an error or worse: a
 * call without a context, a copy to an array that is not mapped, a resource unregistered while
 * mapped. Contexts, memory, streams, events and resources that are left when the library goes are
 * told on stderr, and end the program with an error.
 *
 * FAKE_CUDA_FAIL=N lets the Nth call from cuInit() on fail, and no other. After a call that failed
 * to enter the context nothing can be freed, and what is left is no error.
 */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cuda-driver.h"

#define FAKE(name) __attribute__((visibility("default"))) cuda_result name

#define GL_TEXTURE_2D         0x0DE1
#define GL_TEXTURE_BINDING_2D 0x8069
#define GL_RGBA               0x1908
#define GL_UNSIGNED_BYTE      0x1401
#define GL_TEXTURE_WIDTH      0x1000
#define GL_TEXTURE_HEIGHT     0x1001

#define ERROR_UNKNOWN 999

struct resource {
	unsigned texture;
	int width, height;
	uint8_t *pixels; /* while mapped */
};

static atomic_int calls, contexts, memories, handles, resources, shut;
static _Thread_local int depth; /* contexts pushed */
static int the_context;
static struct resource *known[1024]; /* so that the leak checker leaves it to us */

static struct {
	void (*bind)(unsigned target, unsigned texture);
	void (*get_integer)(unsigned what, int *value);
	void (*get_level)(unsigned target, int level, unsigned what, int *value);
	void (*get_image)(unsigned target, int level, unsigned format, unsigned type, void *data);
	void (*set_image)(unsigned target, int level, int x, int y, int w, int h, unsigned format,
			  unsigned type, const void *data);
} gl;

static void broken(const char *what)
{
	fprintf(stderr, "fake CUDA: %s\n", what);
	abort();
}

static int fails(void)
{
	const char *wanted = getenv("FAKE_CUDA_FAIL");

	return atomic_fetch_add(&calls, 1) + 1 == (wanted ? atoi(wanted) : -1);
}

static int begin(void)
{
	if (!depth)
		broken("a call without a context");
	return fails();
}

static void load_gl(void)
{
	void *egl = dlopen("libEGL.so.1", RTLD_LAZY);
	void *(*get)(const char *);

	if (!egl)
		broken("no libEGL");
	*(void **)&get = dlsym(egl, "eglGetProcAddress");
	*(void **)&gl.bind = get("glBindTexture");
	*(void **)&gl.get_integer = get("glGetIntegerv");
	*(void **)&gl.get_level = get("glGetTexLevelParameteriv");
	*(void **)&gl.get_image = get("glGetTexImage");
	*(void **)&gl.set_image = get("glTexSubImage2D");
}

/* ---- start and contexts -------------------------------------------------------------------- */

FAKE(cuInit)(unsigned flags)
{
	(void)flags;
	atomic_store(&calls, 0);
	return fails() ? ERROR_UNKNOWN : 0;
}

FAKE(cuGetErrorName)(cuda_result result, const char **name)
{
	*name = result == ERROR_UNKNOWN ? "CUDA_ERROR_UNKNOWN" : "CUDA_ERROR_OF_ANOTHER_KIND";
	return 0;
}

FAKE(cuDevicePrimaryCtxRetain)(cuda_handle *context, int card)
{
	if (card != 0)
		broken("another card");
	if (fails())
		return ERROR_UNKNOWN;
	atomic_fetch_add(&contexts, 1);
	*context = &the_context;
	return 0;
}

FAKE(cuDevicePrimaryCtxRelease_v2)(int card)
{
	(void)card;
	if (atomic_fetch_sub(&contexts, 1) < 1)
		broken("released more often than retained");
	return 0;
}

FAKE(cuCtxGetId)(cuda_handle context, unsigned long long *id)
{
	if (context != &the_context)
		broken("another context");
	*id = 7;
	if (!fails())
		return 0;
	atomic_store(&shut, 1);
	return ERROR_UNKNOWN;
}

FAKE(cuCtxPushCurrent_v2)(cuda_handle context)
{
	if (context != &the_context || !atomic_load(&contexts))
		broken("a context that is not there");
	if (fails()) {
		atomic_store(&shut, 1);
		return ERROR_UNKNOWN;
	}
	depth++;
	return 0;
}

FAKE(cuCtxPopCurrent_v2)(cuda_handle *context)
{
	if (!depth)
		broken("no context to pop");
	depth--;
	*context = &the_context;
	return 0;
}

/* ---- streams, events, memory --------------------------------------------------------------- */

static cuda_result make_handle(cuda_handle *handle)
{
	if (begin())
		return ERROR_UNKNOWN;
	*handle = malloc(1);
	atomic_fetch_add(&handles, 1);
	return 0;
}

static cuda_result destroy_handle(cuda_handle handle)
{
	begin();
	free(handle);
	atomic_fetch_sub(&handles, 1);
	return 0;
}

/* The sanitizer notices a handle that is not there any more. */
static cuda_result use(cuda_handle handle)
{
	if (begin())
		return ERROR_UNKNOWN;
	*(volatile char *)handle = 0;
	return 0;
}

FAKE(cuCtxGetStreamPriorityRange)(int *lowest, int *highest)
{
	*lowest = 0;
	*highest = -5;
	return begin() ? ERROR_UNKNOWN : 0;
}

FAKE(cuStreamCreateWithPriority)(cuda_handle *stream, unsigned flags, int priority)
{
	if (flags != CUDA_STREAM_NON_BLOCKING || priority > 0 || priority < -5)
		broken("an odd stream");
	return make_handle(stream);
}

FAKE(cuStreamDestroy_v2)(cuda_handle stream)
{
	return destroy_handle(stream);
}

FAKE(cuStreamSynchronize)(cuda_handle stream)
{
	return use(stream);
}

FAKE(cuStreamWaitEvent)(cuda_handle stream, cuda_handle event, unsigned flags)
{
	(void)flags;
	*(volatile char *)event = 0;
	return use(stream);
}

FAKE(cuEventCreate)(cuda_handle *event, unsigned flags)
{
	(void)flags;
	return make_handle(event);
}

FAKE(cuEventDestroy_v2)(cuda_handle event)
{
	return destroy_handle(event);
}

FAKE(cuEventRecord)(cuda_handle event, cuda_handle stream)
{
	*(volatile char *)event = 0;
	return use(stream);
}

FAKE(cuMemAlloc_v2)(cuda_pointer *memory, size_t bytes)
{
	if (begin())
		return ERROR_UNKNOWN;
	*memory = (cuda_pointer)(uintptr_t)malloc(bytes);
	atomic_fetch_add(&memories, 1);
	return 0;
}

FAKE(cuMemFree_v2)(cuda_pointer memory)
{
	begin();
	free((void *)(uintptr_t)memory);
	atomic_fetch_sub(&memories, 1);
	return 0;
}

/* Where row 'y' of a place begins, with at least 'bytes' there. */
static uint8_t *row_of(const struct cuda_place *place, size_t y, size_t bytes)
{
	const struct resource *resource = place->array;

	if (place->memory == 1)
		return (uint8_t *)place->host + y * place->pitch;
	if (place->memory == CUDA_MEMORY_DEVICE)
		return (uint8_t *)(uintptr_t)place->device + y * place->pitch;
	if (place->memory != CUDA_MEMORY_ARRAY || !resource->pixels)
		broken("a copy from or to what is not mapped");
	if (bytes != (size_t)resource->width * 4 || y >= (size_t)resource->height)
		broken("a copy of another size than the texture's");
	return resource->pixels + y * (size_t)resource->width * 4;
}

FAKE(cuMemcpy2DAsync_v2)(const struct cuda_copy *copy, cuda_handle stream)
{
	if (use(stream))
		return ERROR_UNKNOWN;
	for (size_t y = 0; y < copy->height; y++)
		memcpy(row_of(&copy->to, y, copy->width_bytes),
		       row_of(&copy->from, y, copy->width_bytes), copy->width_bytes);
	return 0;
}

/* ---- textures ------------------------------------------------------------------------------ */

FAKE(cuGLGetDevices_v2)(unsigned *count, int *cards, unsigned max, int list)
{
	if (max < 1 || list != CUDA_DEVICE_LIST_ALL)
		broken("an odd list");
	*count = 1;
	cards[0] = 0;
	return fails() ? ERROR_UNKNOWN : 0;
}

FAKE(cuGraphicsGLRegisterImage)
(cuda_handle *handle, unsigned texture, unsigned target, unsigned flags)
{
	struct resource *resource;
	int before;

	(void)flags;
	if (target != GL_TEXTURE_2D)
		broken("another target");
	if (begin())
		return ERROR_UNKNOWN;
	if (!gl.bind)
		load_gl();
	resource = calloc(1, sizeof(*resource));
	resource->texture = texture;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!known[i]) {
			known[i] = resource;
			break;
		}
	gl.get_integer(GL_TEXTURE_BINDING_2D, &before);
	gl.bind(GL_TEXTURE_2D, texture);
	gl.get_level(GL_TEXTURE_2D, 0, GL_TEXTURE_WIDTH, &resource->width);
	gl.get_level(GL_TEXTURE_2D, 0, GL_TEXTURE_HEIGHT, &resource->height);
	gl.bind(GL_TEXTURE_2D, (unsigned)before);
	atomic_fetch_add(&resources, 1);
	*handle = resource;
	return 0;
}

FAKE(cuGraphicsUnregisterResource)(cuda_handle handle)
{
	struct resource *resource = handle;

	begin();
	if (resource->pixels)
		broken("unregistered while it is mapped");
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (known[i] == resource)
			known[i] = NULL;
	free(resource);
	atomic_fetch_sub(&resources, 1);
	return 0;
}

static void map_one(struct resource *resource)
{
	int before;

	if (resource->pixels)
		broken("mapped twice");
	resource->pixels = malloc((size_t)resource->width * (size_t)resource->height * 4);
	gl.get_integer(GL_TEXTURE_BINDING_2D, &before);
	gl.bind(GL_TEXTURE_2D, resource->texture);
	gl.get_image(GL_TEXTURE_2D, 0, GL_RGBA, GL_UNSIGNED_BYTE, resource->pixels);
	gl.bind(GL_TEXTURE_2D, (unsigned)before);
}

FAKE(cuGraphicsMapResources)(unsigned count, cuda_handle *list, cuda_handle stream)
{
	if (!count)
		broken("nothing to map");
	if (use(stream))
		return ERROR_UNKNOWN;
	for (unsigned i = 0; i < count; i++)
		map_one(list[i]);
	return 0;
}

FAKE(cuGraphicsSubResourceGetMappedArray)
(cuda_handle *array, cuda_handle handle, unsigned index, unsigned level)
{
	if (!((struct resource *)handle)->pixels || index || level)
		broken("the array of what is not mapped");
	*array = handle;
	return begin() ? ERROR_UNKNOWN : 0;
}

static void unmap_one(struct resource *resource)
{
	int before;

	if (!resource->pixels)
		broken("unmapped what is not mapped");
	gl.get_integer(GL_TEXTURE_BINDING_2D, &before);
	gl.bind(GL_TEXTURE_2D, resource->texture);
	gl.set_image(GL_TEXTURE_2D, 0, 0, 0, resource->width, resource->height, GL_RGBA,
		     GL_UNSIGNED_BYTE, resource->pixels);
	gl.bind(GL_TEXTURE_2D, (unsigned)before);
	free(resource->pixels);
	resource->pixels = NULL;
}

/* When it fails the mapping is gone all the same. */
FAKE(cuGraphicsUnmapResources)(unsigned count, cuda_handle *list, cuda_handle stream)
{
	for (unsigned i = 0; i < count; i++)
		unmap_one(list[i]);
	return use(stream);
}

/* ---- the end ------------------------------------------------------------------------------- */

__attribute__((destructor)) static void count_what_is_left(void)
{
	if (!contexts && (shut || (!memories && !handles && !resources)))
		return;
	fprintf(stderr,
		"fake CUDA: left are %d contexts, %d pieces of memory, %d handles, %d "
		"resources\n",
		contexts, memories, handles, resources);
	_exit(3);
}
