/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Op tests: every op of the list (core/backend/ops.h), on any backend, against cpu-plain. A case is
 * a function that chooses a shape, takes its operands from the trial and calls one op. The harness
 * runs it with the same choices on both backends: planning without memory (activations are NULL
 * then), planning with it, and for real; then it compares what came out.
 */
#ifndef FVSR_TEST_OPS_H
#define FVSR_TEST_OPS_H

#include "backend/backend.h"

#define MAX_OPERANDS 20
#define GUARD_BYTES  256

enum role {
	ROLE_INPUT = 1,  /* must not change */
	ROLE_WEIGHT = 2, /* an input that always has an address */
	ROLE_OUTPUT = 3, /* is NaN before the op */
	ROLE_INOUT = 4,  /* has a value before and is compared afterwards */
	ROLE_LIST = 5,   /* is an output that the case judges itself */
};

struct operand {
	enum role role;
	enum fvsr_kind kind;
	size_t count;
	float *before; /* values uploaded */
	float *after;  /* values downloaded, guards included */
	char *base;    /* device memory; the operand begins GUARD_BYTES later */
};

/* One backend's part in a trial. */
struct side {
	const struct fvsr_backend *backend;
	struct fvsr_device *device;
	struct fvsr_queue *queue;
	struct operand operand[MAX_OPERANDS];
	int count;
	uint8_t *host; /* outside the backend: what is ingested, emitted, offloaded or reloaded */
	size_t host_bytes;
	bool host_pinned; /* 'host' is from host_alloc() */
	char *scratch;
	size_t scratch_bytes;
};

struct trial {
	struct side *side; /* whose turn it is */
	uint64_t seed, random;
	int bench; /* 0: random shapes; n: the n-th shape of the benchmark */
	int next;  /* operand */
	bool dry;  /* activations have no address yet */
	bool bf16; /* one of the backends rounds activations */
	bool bf16_canvas;
	char shape[256];   /* for messages, set by the case */
	char failure[512]; /* empty: none */
	double error;      /* largest relative L2 so far */
};

struct op_test {
	const char *name; /* the op's, perhaps with a comma and what is special */
	void (*run)(struct trial *t);
	/* Judges lists after both turns; NULL where there are none. */
	void (*judge)(struct trial *t, const struct side *plain, const struct side *other);
	double rel_f32, rel_bf16; /* relative L2; 0: equal to the last bit */
	int benches;
};

/* Make choices, the same on both sides. */
int pick(struct trial *t, int low, int high);
bool chance(struct trial *t, int percent);
int pick_channels(struct trial *t, int largest);
/* Picks a picture's format. */
enum fvsr_format pick_format(struct trial *t);
void fail(struct trial *t, const char *format, ...) FVSR_PRINTF(2, 3);
void shape(struct trial *t, const char *format, ...) FVSR_PRINTF(2, 3);

/* Give operands, in the same order at each call of a case; values lie between low and high. */
void *input(struct trial *t, enum fvsr_kind kind, size_t count, float low, float high);
void *weight(struct trial *t, enum fvsr_kind kind, size_t count, float low, float high);
void *inout(struct trial *t, enum fvsr_kind kind, size_t count, float low, float high);
void *output(struct trial *t, enum fvsr_kind kind, size_t count);
void *list(struct trial *t, enum fvsr_kind kind, size_t count);
/* Gives an input with these values, which are used in the first call only. */
void *values(struct trial *t, enum fvsr_kind kind, size_t count, const float *data);
/*
 * Give memory of the host, full of random bytes: the caller's own, and from host_alloc(). A case
 * has at most one of them. It is compared when the op has run.
 */
uint8_t *host_pixels(struct trial *t, size_t bytes);
void *host_memory(struct trial *t, size_t bytes);
/* Returns operand 'index' of a side as it came out. */
const float *result(const struct side *side, int index);

/* The cases, by file; each array ends with a test without a name. */
extern const struct op_test matrix_tests[], attention_tests[], conv_tests[], picture_tests[],
	memory_tests[], nonfinite_tests[];

#endif
