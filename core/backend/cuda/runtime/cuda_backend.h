/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the backend "cuda" share: the opened device, a queue (one stream of work on
 * it), launching kernels and checking driver calls.
 *
 * ACT is bfloat16, CANVAS is IEEE half. An address is a device address kept in a void pointer.
 *
 * Every driver call goes through FVSR_CUDA_TRY (a queue's) or FVSR_CUDA_GET (anything else's), so
 * that no result is lost and tests can let any of them fail.
 */
#ifndef FVSR_CUDA_BACKEND_H
#define FVSR_CUDA_BACKEND_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "backend/backend.h"
#include "backend/cuda/runtime/driver.h"
#include "backend/cuda/runtime/kernel_list.h"

struct fvsr_cuda_blas;
struct fvsr_cuda_axis;
struct fvsr_cuda_profile;

/* The kernels are spread over no more modules; images.c, which the build makes, lists them. */
#define FVSR_CUDA_MAX_MODULES 24

struct fvsr_cuda_image {
	const char *name;     /* the kernels' file, without .cu */
	const void *native;   /* fatbin: machine code, and PTX for chips to come; or NULL */
	const void *portable; /* PTX of compute_80, compiled when loaded; or NULL */
	bool hopper;          /* its kernels are for a Hopper only */
};
extern const struct fvsr_cuda_image fvsr_cuda_images[]; /* ends with name == NULL */

struct fvsr_cuda_device {
	struct fvsr_device base;
	struct fvsr_cuda_driver driver;
	CUdevice device;
	CUcontext context;             /* the primary one */
	unsigned long long context_id; /* another one after somebody has reset the context */
	bool retained;
	bool background; /* give way to others' work, and leave the processor alone waiting */
	struct fvsr_hold hold;
	int priority; /* of the queues' streams */
	int sm;       /* 90 for compute capability 9.0 */
	int multiprocessors;
	int shared_limit; /* bytes of shared memory a block may have */
	bool generic;     /* FVSR_CUDA_PATH=generic: portable kernels only */
	bool hopper;      /* the kernels of kernels/hopper are loaded and may be used */
	CUmodule modules[FVSR_CUDA_MAX_MODULES];
	int module_count;
	CUfunction kernels[FVSR_KERNEL_COUNT];
	struct fvsr_cuda_blas *blas; /* NULL: own matrix products only */
	pthread_mutex_t lock;        /* of 'staging' */
	struct {
		void *memory[2]; /* pinned */
		CUevent event[2];
		CUstream stream;
		int next;
	} staging;
	atomic_long calls_left; /* fault injection: this many driver calls succeed; -1: all */
};

#define FVSR_CUDA_STAMPS 256 /* stage changes that may be in flight */
#define FVSR_CUDA_FRAMES 8   /* pictures on their way to the device */

/* A place for one incoming picture. */
struct fvsr_cuda_slot {
	void *pinned;
	CUevent moved; /* the picture is on the device */
	CUevent used;  /* the device no longer needs it */
};

struct fvsr_cuda_queue {
	struct fvsr_queue base;
	struct fvsr_cuda_device *device;
	CUstream stream;
	CUstream transfer; /* uploads of pictures, beside the computing */
	size_t reserved;   /* bytes at the start of the scratch memory that outlive an op */
	size_t wanted;     /* most that an op asked for after them */
	struct {
		CUevent event[FVSR_CUDA_STAMPS];
		enum fvsr_stage stage[FVSR_CUDA_STAMPS]; /* what begins at the event */
		int first, count;
	} stamps;
	struct {
		size_t bytes;  /* of one picture */
		size_t offset; /* of the device's copies, in the reserved memory */
		int next;
		struct fvsr_cuda_slot slot[FVSR_CUDA_FRAMES];
	} in;
	struct {
		size_t bytes;
		void *pinned;
		CUevent moved;
	} out;
	CUevent order;   /* for streams of the caller */
	CUevent emitted; /* the last picture that left for device memory is there */
	CUevent finished;
	struct {
		CUstream stream;
		CUevent ready, done; /* ops for the copies to follow, and the other way round */
	} away;
	struct fvsr_cuda_axis *axes;       /* tables of bicubic, made while planning */
	struct fvsr_cuda_profile *profile; /* or NULL */
};

static inline struct fvsr_cuda_queue *fvsr_cuda_queue(struct fvsr_queue *queue)
{
	return (struct fvsr_cuda_queue *)queue;
}

/* ------------------------------------------------------------------------------------------- */
/* What ops ask of a queue (launch.c)                                                          */

/* Enqueues a kernel; a failure sticks to the queue, and nothing is done after one. */
void fvsr_cuda_launch(struct fvsr_cuda_queue *queue, const struct fvsr_cuda_launch *launch);

/*
 * Returns the scratch memory of an op. Each op that needs some calls it first thing; while planning
 * it notes the size and returns NULL.
 */
void *fvsr_cuda_scratch(struct fvsr_cuda_queue *queue, size_t bytes);
/* Sets 'bytes' aside for the queue for good, while planning; returns their offset. */
size_t fvsr_cuda_reserve(struct fvsr_cuda_queue *queue, size_t bytes);

static inline unsigned fvsr_cuda_blocks(size_t work, size_t per_block)
{
	return (unsigned)((work + per_block - 1) / per_block);
}

/* ------------------------------------------------------------------------------------------- */
/* Checking (check.c)                                                                          */

/*
 * Makes the device's context this thread's until fvsr_cuda_leave(). False when the context is lost
 * or was reset: then all that the device had is gone with it, and must not be freed in the context
 * that followed, where the same addresses may be somebody else's.
 */
bool fvsr_cuda_enter(struct fvsr_cuda_device *device);
void fvsr_cuda_leave(struct fvsr_cuda_device *device);
/* Does the same for a queue, which fails without the context; false after any failure of it. */
bool fvsr_cuda_queue_enter(struct fvsr_cuda_queue *queue);

/* Tells whether fault injection wants this call to fail. */
bool fvsr_cuda_inject(struct fvsr_cuda_device *device);
/* Makes a failure of a driver's result, with name, text, file and line; true on success. */
bool fvsr_cuda_check(struct fvsr_cuda_queue *queue, CUresult result, const char *what,
		     const char *file, int line);
int fvsr_cuda_error(struct fvsr_cuda_device *device, struct fvsr_error *err, CUresult result,
		    const char *what, const char *file, int line);

#define FVSR_CUDA_CALL(dev, name, ...)                                                             \
	(fvsr_cuda_inject(dev) ? CUDA_ERROR_UNKNOWN : (dev)->driver.name(__VA_ARGS__))

/* Calls the driver on behalf of a queue, in its context; true on success. */
#define FVSR_CUDA_TRY(queue, name, ...)                                                            \
	fvsr_cuda_check(queue, FVSR_CUDA_CALL((queue)->device, name, __VA_ARGS__), #name,          \
			__FILE__, __LINE__)

/* Calls the driver elsewhere; 0, or an FVSR_ERR_* code with the message in 'err'. */
#define FVSR_CUDA_GET(dev, err, name, ...)                                                         \
	fvsr_cuda_error(dev, err, FVSR_CUDA_CALL(dev, name, __VA_ARGS__), #name, __FILE__, __LINE__)

#endif
