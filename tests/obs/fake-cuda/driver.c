/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stand-in for the CUDA driver's library on machines without a card: contexts, memory, streams,
 * events and shared textures; engine.c has what the engine asks for beside them. Device memory is
 * host memory, work in streams happens late (queues.h), and a mapped texture is read from and
 * written to OpenGL. It aborts on what the real one would answer with an error or worse: a call
 * without a context, a copy to an array that is not mapped, a resource unregistered while mapped;
 * and where OBS's next commands would wait for another stream than the one a texture was mapped
 * for. Contexts, memory, streams, events and resources that are left when the library goes are told
 * on stderr, and end the program with an error.
 *
 * FAKE_CUDA_FAIL=N lets the Nth call from cuInit() on fail, and no other. After a call that failed
 * to enter the context nothing can be freed, and what is left is no error.
 */
#include "fake.h"
#include "queues.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "transport/cuda-driver.h"

#define GL_TEXTURE_2D         0x0DE1
#define GL_TEXTURE_BINDING_2D 0x8069
#define GL_RGBA               0x1908
#define GL_UNSIGNED_BYTE      0x1401
#define GL_TEXTURE_WIDTH      0x1000
#define GL_TEXTURE_HEIGHT     0x1001

struct resource {
	unsigned texture;
	int width, height;
	uint8_t *pixels; /* while mapped */
};

static atomic_int calls, contexts, memories, handles, resources, shut;
static _Thread_local int depth; /* contexts pushed */
static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;
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

void fake_broken(const char *what)
{
	fprintf(stderr, "fake CUDA: %s\n", what);
	abort();
}

int fake_fails(void)
{
	const char *wanted = getenv("FAKE_CUDA_FAIL");

	return atomic_fetch_add(&calls, 1) + 1 == (wanted ? atoi(wanted) : -1);
}

int fake_begin(void)
{
	if (!depth)
		fake_broken("a call without a context");
	return fake_fails();
}

static void load_gl(void)
{
	void *egl = dlopen("libEGL.so.1", RTLD_LAZY);
	void *(*get)(const char *);

	if (!egl)
		fake_broken("no libEGL");
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
	return fake_fails() ? ERROR_UNKNOWN : 0;
}

FAKE(cuGetErrorName)(cuda_result result, const char **name)
{
	*name = result == ERROR_UNKNOWN ? "CUDA_ERROR_UNKNOWN" : "CUDA_ERROR_OF_ANOTHER_KIND";
	return 0;
}

FAKE(cuDevicePrimaryCtxRetain)(cuda_handle *context, int card)
{
	if (card != 0)
		fake_broken("another card");
	if (fake_fails())
		return ERROR_UNKNOWN;
	pthread_mutex_lock(&starting);
	if (atomic_fetch_add(&contexts, 1) == 0)
		fake_queues_start();
	pthread_mutex_unlock(&starting);
	*context = &the_context;
	return 0;
}

FAKE(cuDevicePrimaryCtxRelease_v2)(int card)
{
	(void)card;
	pthread_mutex_lock(&starting);
	if (atomic_load(&contexts) < 1)
		fake_broken("released more often than retained");
	if (atomic_fetch_sub(&contexts, 1) == 1)
		fake_queues_stop();
	pthread_mutex_unlock(&starting);
	return 0;
}

FAKE(cuCtxGetId)(cuda_handle context, unsigned long long *id)
{
	if (context != &the_context)
		fake_broken("another context");
	*id = 7;
	if (!fake_fails())
		return 0;
	atomic_store(&shut, 1);
	return ERROR_UNKNOWN;
}

FAKE(cuCtxPushCurrent_v2)(cuda_handle context)
{
	if (context != &the_context || !atomic_load(&contexts))
		fake_broken("a context that is not there");
	if (fake_fails()) {
		atomic_store(&shut, 1);
		return ERROR_UNKNOWN;
	}
	depth++;
	return 0;
}

FAKE(cuCtxPopCurrent_v2)(cuda_handle *context)
{
	if (!depth)
		fake_broken("no context to pop");
	depth--;
	*context = &the_context;
	return 0;
}

/* ---- streams, events, memory --------------------------------------------------------------- */

FAKE(cuCtxGetStreamPriorityRange)(int *lowest, int *highest)
{
	*lowest = FAKE_LOWEST_PRIORITY;
	*highest = FAKE_HIGHEST_PRIORITY;
	return fake_begin() ? ERROR_UNKNOWN : 0;
}

FAKE(cuStreamCreateWithPriority)(cuda_handle *stream, unsigned flags, int priority)
{
	if (flags != CUDA_STREAM_NON_BLOCKING || priority > FAKE_LOWEST_PRIORITY ||
	    priority < FAKE_HIGHEST_PRIORITY)
		fake_broken("an odd stream");
	if (fake_begin())
		return ERROR_UNKNOWN;
	*stream = fake_stream_create(priority);
	atomic_fetch_add(&handles, 1);
	return 0;
}

FAKE(cuStreamDestroy_v2)(cuda_handle stream)
{
	fake_begin();
	fake_stream_destroy(stream);
	atomic_fetch_sub(&handles, 1);
	return 0;
}

FAKE(cuStreamSynchronize)(cuda_handle stream)
{
	if (fake_begin())
		return ERROR_UNKNOWN;
	fake_stream_synchronize(stream);
	return 0;
}

FAKE(cuStreamWaitEvent)(cuda_handle stream, cuda_handle event, unsigned flags)
{
	(void)flags;
	if (fake_begin())
		return ERROR_UNKNOWN;
	fake_stream_wait(stream, event);
	return 0;
}

FAKE(cuEventCreate)(cuda_handle *event, unsigned flags)
{
	(void)flags;
	if (fake_begin())
		return ERROR_UNKNOWN;
	*event = fake_event_create();
	atomic_fetch_add(&handles, 1);
	return 0;
}

FAKE(cuEventDestroy_v2)(cuda_handle event)
{
	fake_begin();
	fake_event_destroy(event);
	atomic_fetch_sub(&handles, 1);
	return 0;
}

FAKE(cuEventRecord)(cuda_handle event, cuda_handle stream)
{
	if (fake_begin())
		return ERROR_UNKNOWN;
	fake_event_record(event, stream);
	return 0;
}

FAKE(cuMemAlloc_v2)(cuda_pointer *memory, size_t bytes)
{
	if (fake_begin())
		return ERROR_UNKNOWN;
	*memory = (cuda_pointer)(uintptr_t)malloc(bytes);
	atomic_fetch_add(&memories, 1);
	return 0;
}

/* Waits for the card, as the real one does. */
FAKE(cuMemFree_v2)(cuda_pointer memory)
{
	fake_begin();
	fake_streams_synchronize();
	free((void *)(uintptr_t)memory);
	atomic_fetch_sub(&memories, 1);
	return 0;
}

/* Returns where row 'y' of a place begins, which has at least 'bytes'. */
static uint8_t *row_of(const struct cuda_place *place, size_t y, size_t bytes)
{
	const struct resource *resource = place->array;

	if (place->memory == 1)
		return (uint8_t *)place->host + y * place->pitch;
	if (place->memory == CUDA_MEMORY_DEVICE)
		return (uint8_t *)(uintptr_t)place->device + y * place->pitch;
	if (place->memory != CUDA_MEMORY_ARRAY || !resource->pixels)
		fake_broken("a copy from or to what is not mapped");
	if (bytes != (size_t)resource->width * 4 || y >= (size_t)resource->height)
		fake_broken("a copy of another size than the texture's");
	return resource->pixels + y * (size_t)resource->width * 4;
}

struct rows {
	struct cuda_copy copy;
	size_t first, end;
};

static void copy_rows(const void *argument)
{
	const struct rows *rows = argument;
	const struct cuda_copy *copy = &rows->copy;

	for (size_t y = rows->first; y < rows->end; y++)
		memcpy(row_of(&copy->to, y, copy->width_bytes),
		       row_of(&copy->from, y, copy->width_bytes), copy->width_bytes);
}

/* Copies in two halves, so that whoever does not wait may see one of them. */
FAKE(cuMemcpy2DAsync_v2)(const struct cuda_copy *copy, cuda_handle stream)
{
	const struct rows upper = {*copy, 0, copy->height / 2};
	const struct rows lower = {*copy, copy->height / 2, copy->height};

	if (fake_begin())
		return ERROR_UNKNOWN;
	fake_stream_add(stream, copy_rows, &upper, sizeof(upper));
	fake_stream_add(stream, copy_rows, &lower, sizeof(lower));
	return 0;
}

/* ---- textures ------------------------------------------------------------------------------ */

FAKE(cuGLGetDevices_v2)(unsigned *count, int *cards, unsigned max, int list)
{
	if (max < 1 || list != CUDA_DEVICE_LIST_ALL)
		fake_broken("an odd list");
	*count = 1;
	cards[0] = 0;
	return fake_fails() ? ERROR_UNKNOWN : 0;
}

FAKE(cuGraphicsGLRegisterImage)
(cuda_handle *handle, unsigned texture, unsigned target, unsigned flags)
{
	struct resource *resource;
	int before;

	if (flags != CUDA_REGISTER_READ_ONLY && flags != CUDA_REGISTER_WRITE_DISCARD)
		fake_broken("a texture that is neither read nor written");
	if (target != GL_TEXTURE_2D)
		fake_broken("another target");
	if (fake_begin())
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

	fake_begin();
	if (resource->pixels)
		fake_broken("unregistered while it is mapped");
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
		fake_broken("mapped twice");
	resource->pixels = malloc((size_t)resource->width * (size_t)resource->height * 4);
	gl.get_integer(GL_TEXTURE_BINDING_2D, &before);
	gl.bind(GL_TEXTURE_2D, resource->texture);
	gl.get_image(GL_TEXTURE_2D, 0, GL_RGBA, GL_UNSIGNED_BYTE, resource->pixels);
	gl.bind(GL_TEXTURE_2D, (unsigned)before);
}

FAKE(cuGraphicsMapResources)(unsigned count, cuda_handle *list, cuda_handle stream)
{
	(void)stream; /* what OBS has drawn is there when it is read here */
	if (!count)
		fake_broken("nothing to map");
	if (fake_begin())
		return ERROR_UNKNOWN;
	for (unsigned i = 0; i < count; i++)
		map_one(list[i]);
	return 0;
}

FAKE(cuGraphicsSubResourceGetMappedArray)
(cuda_handle *array, cuda_handle handle, unsigned index, unsigned level)
{
	if (!((struct resource *)handle)->pixels || index || level)
		fake_broken("the array of what is not mapped");
	*array = handle;
	return fake_begin() ? ERROR_UNKNOWN : 0;
}

static void unmap_one(struct resource *resource)
{
	int before;

	if (!resource->pixels)
		fake_broken("unmapped what is not mapped");
	gl.get_integer(GL_TEXTURE_BINDING_2D, &before);
	gl.bind(GL_TEXTURE_2D, resource->texture);
	gl.set_image(GL_TEXTURE_2D, 0, 0, 0, resource->width, resource->height, GL_RGBA,
		     GL_UNSIGNED_BYTE, resource->pixels);
	gl.bind(GL_TEXTURE_2D, (unsigned)before);
	free(resource->pixels);
	resource->pixels = NULL;
}

/*
 * What OBS draws next waits for what the stream was given before. When it fails the mapping is gone
 * all the same.
 */
FAKE(cuGraphicsUnmapResources)(unsigned count, cuda_handle *list, cuda_handle stream)
{
	if (fake_stream_held_up(stream))
		fake_broken(
			"OBS waits for another stream than the one that textures are mapped for");
	fake_stream_synchronize(stream);
	for (unsigned i = 0; i < count; i++)
		unmap_one(list[i]);
	return fake_begin() ? ERROR_UNKNOWN : 0;
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
