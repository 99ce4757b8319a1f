/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The op table: all that the network may ask of a machine. One network is written against it
 * (core/net), and each backend fills it in. The ops are listed in ops.h; their plain C versions in
 * cpu/plain define them, and the others are tested against those (tests/ops).
 *
 * Memory. An address is a void pointer of the backend's: the network does arithmetic in bytes on
 * it and never reads through it. Elements have one of these kinds:
 *
 *	ACT     an activation or a matrix weight, backend->act_bytes each (float32 or bfloat16)
 *	CANVAS  a canvas sample in [-1, 1], backend->canvas_bytes each
 *	F32     norm weights, biases, latents, statistics, pictures between stages
 *	I32, U8 lists and 8-bit samples
 *
 * Shapes are row-major. Pictures inside the network are NHWC; canvases and decoded pictures are
 * planar (3, H, W). Token order is (frame, row, column) within a slice; window order is (block row,
 * block column; frame, row, column inside the block of 2 x 8 x 8).
 *
 * Order. Ops of one queue happen in the order of the calls; whether a call waits for its work is
 * the backend's choice. download() and finish() wait. Failures stick to the queue: ops after one
 * do nothing, and finish() returns it.
 *
 * Planning. While queue->planning is set, ops touch no memory and may get NULL addresses; they
 * prepare what the shapes need (primitives, algorithms, tables) and raise queue->scratch_bytes,
 * which whoever plans a queue anew sets to 0 before. With NULL addresses the result is only an
 * estimate of cost; a queue that is to run must have planned every op with the addresses that it
 * will run with. Nothing is allocated after planning.
 *
 * NaN and infinity. Weights are finite when they are loaded (model/weights.h), but products of huge
 * ones overflow, so every activation may be infinite or NaN. Ops hand such values on by the rules
 * of IEEE 754; which elements a NaN spreads to within a convolution or a softmax, and whether a
 * ReLU makes 0 of it, may differ between backends, as roundings do. Where a value becomes an
 * integer, an index or a pixel, all backends follow one rule, and no op reads or writes outside
 * its operands because of a value:
 *
 *	ingest         a float canvas is clamped to [-1, 1]; NaN becomes -1
 *	block_select   a score that is NaN counts as -infinity, +infinity as the largest float;
 *	               a row of the map without a score above -infinity keeps nothing
 *	color_finish   both pictures are clamped to +-FVSR_PICTURE_LIMIT before anything is
 *	               computed of them, and NaN becomes -FVSR_PICTURE_LIMIT: means and deviations
 *	               are finite, and the result lies in [-1, 1]. Alpha is a copy of the input's,
 *	               whatever the colours are.
 */
#ifndef FVSR_BACKEND_H
#define FVSR_BACKEND_H

#include <stdatomic.h>

#include "backend/ops.h"
#include "base/common.h"

struct fvsr_backend;

/* The parts of the work that are timed. */
enum fvsr_stage {
	FVSR_STAGE_INGEST,
	FVSR_STAGE_PROJECTION,
	FVSR_STAGE_TRANSFORMER,
	FVSR_STAGE_DECODER,
	FVSR_STAGE_TRUNK,
	FVSR_STAGE_COLOR,
	FVSR_STAGE_IDLE, /* nothing that counts */
	FVSR_STAGES,
};

/* Holds what all backends keep per opened device; each puts it first in a structure of its own. */
struct fvsr_device {
	const struct fvsr_backend *backend;
	struct fvsr_log log;
	int threads;
	int card; /* of a GPU backend: see struct fvsr_model_options */
};

/* Holds an ordered stream of work; each backend puts it first in a structure of its own. */
struct fvsr_queue {
	const struct fvsr_backend *backend;
	struct fvsr_device *device;
	bool planning;
	size_t scratch_bytes; /* what ops asked for while planning */
	void *scratch;        /* set by the owner afterwards; shared by all ops, used within one */
	double stage_ms[FVSR_STAGES]; /* sums of what finish() or wait_emitted() has waited for */
	int error;                    /* the first failure, FVSR_ERR_*; 0 if none */
	struct fvsr_error message;
	atomic_bool interrupted; /* set by another thread: the next op fails, FVSR_ERR_CANCELLED */
};

enum fvsr_kind {
	FVSR_ACT = 1,
	FVSR_CANVAS = 2,
	FVSR_F32 = 3,
	FVSR_I32 = 4,
	FVSR_U8 = 5,
};

struct fvsr_backend {
	const char *name;
	size_t act_bytes, canvas_bytes;
	bool host_memory; /* what alloc() gives is host memory */

	/* Fills 'device', 'available' and 'reason'. */
	void (*describe)(struct fvsr_backend_info *info);
	/* Uses these of the options: threads, card, background, hold and log. */
	int (*device_open)(struct fvsr_device **out, const struct fvsr_model_options *options,
			   struct fvsr_error *err);
	void (*device_close)(struct fvsr_device *device);

	/*
	 * Returns memory that is aligned to 256 bytes, content undefined; NULL when there is not
	 * enough.
	 */
	void *(*alloc)(struct fvsr_device *device, size_t bytes);
	void (*free)(struct fvsr_device *device, void *memory);
	/* Returns memory of the host for offload() and reload(), content undefined, or NULL. */
	void *(*host_alloc)(struct fvsr_device *device, size_t bytes);
	void (*host_free)(struct fvsr_device *device, void *memory);
	/* Returns the bytes that alloc() could give now; NULL for backends that need not ask. */
	size_t (*free_bytes)(struct fvsr_device *device);
	/* Converts float32 of the host to 'kind' at dst, and waits; used while loading. */
	int (*upload)(struct fvsr_device *device, void *dst, enum fvsr_kind kind, const float *src,
		      size_t count, struct fvsr_error *err);
	/* Drops what ops have cached of weights in this memory, which is about to be freed. */
	void (*forget)(struct fvsr_device *device, const void *memory, size_t bytes);

	int (*queue_open)(struct fvsr_queue **out, struct fvsr_device *device,
			  struct fvsr_error *err);
	void (*queue_close)(struct fvsr_queue *queue);
	/* Waits for all work and returns queue->error. */
	int (*finish)(struct fvsr_queue *queue);
	/* Says that the ops that follow belong to 'stage'. */
	void (*stage)(struct fvsr_queue *queue, enum fvsr_stage stage);
	/* Waits, then converts 'count' elements to float32 on the host. */
	void (*download)(struct fvsr_queue *queue, float *dst, const void *src, enum fvsr_kind kind,
			 size_t count);
	/*
	 * Wait until the last ingest() has read its frame, or the last emit() has written its own,
	 * and for nothing that was called after it. NULL for backends whose ops are done when they
	 * return.
	 */
	void (*wait_ingested)(struct fvsr_queue *queue);
	void (*wait_emitted)(struct fvsr_queue *queue);

#define FVSR_OP_MEMBER(name, cpu) fvsr_op_##name *name;
	FVSR_OPS(FVSR_OP_MEMBER)
#undef FVSR_OP_MEMBER
};

/* Returns backend 'index', best first; NULL past the last. */
const struct fvsr_backend *fvsr_backend_at(unsigned index);
/* Returns the backend of that name, for NULL or "auto" the best available; NULL and why not. */
const struct fvsr_backend *fvsr_backend_find(const char *name, struct fvsr_error *err);

/* Records the first failure of a queue. */
void fvsr_queue_fail(struct fvsr_queue *queue, int code, const char *format, ...) FVSR_PRINTF(3, 4);
/* Says while planning that an op will use 'bytes' of scratch memory. */
static inline void fvsr_queue_scratch(struct fvsr_queue *queue, size_t bytes)
{
	if (bytes > queue->scratch_bytes)
		queue->scratch_bytes = bytes;
}
/* Makes an interruption a failure of the queue, so that nothing of the work at hand goes on. */
void fvsr_queue_stop(struct fvsr_queue *queue);
/* Tells whether an op has nothing more to do: when planning, failed or interrupted. */
static inline bool fvsr_queue_idle(struct fvsr_queue *queue)
{
	if (!queue->planning && atomic_load_explicit(&queue->interrupted, memory_order_relaxed))
		fvsr_queue_stop(queue);
	return queue->planning || queue->error;
}

extern const struct fvsr_backend fvsr_backend_cuda; /* listed also where it is not built */
extern const struct fvsr_backend fvsr_backend_cpu_plain;
#ifdef FVSR_WITH_ONEDNN
extern const struct fvsr_backend fvsr_backend_cpu;
#endif

#endif
