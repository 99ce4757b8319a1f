/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The values of a pickle are built by pickle_vm.c and read by pickle.c.
 */
#ifndef FVSR_MODEL_PICKLE_VM_H
#define FVSR_MODEL_PICKLE_VM_H

#include "fvsr/fvsr.h"

#define FVSR_PICKLE_NONE UINT32_MAX /* no value: ends lists */

enum fvsr_pickle_kind {
	FVSR_PICKLE_NULL = 1, /* None, True, False: nothing here depends on which */
	FVSR_PICKLE_BOOL,
	FVSR_PICKLE_INT,
	FVSR_PICKLE_TEXT,
	FVSR_PICKLE_TUPLE,
	FVSR_PICKLE_DICT,
	FVSR_PICKLE_DICT_CLASS,    /* collections.OrderedDict */
	FVSR_PICKLE_REBUILD,       /* torch._utils._rebuild_tensor_v2 */
	FVSR_PICKLE_STORAGE_CLASS, /* torch.FloatStorage, ...: 'number' is an enum fvsr_dtype */
	FVSR_PICKLE_STORAGE,       /* a persistent id; 'first' is its tuple */
	FVSR_PICKLE_TENSOR,        /* 'first' is the tuple of arguments */
};

struct fvsr_pickle_value {
	enum fvsr_pickle_kind kind;
	uint32_t first;   /* tuple: its items in 'items'; dict: its first pair */
	uint32_t count;   /* tuple: items; dict: pairs; text: bytes */
	uint32_t last;    /* dict: its last pair */
	int64_t number;   /* int, bool, storage class */
	const char *text; /* in the pickle, not terminated */
};

/* A pair of a dictionary; values are indices. */
struct fvsr_pickle_pair {
	uint32_t key, value, next;
};

struct fvsr_pickle_vm {
	const unsigned char *data;
	size_t bytes, at;
	const char *where;
	struct fvsr_error *err;
	struct fvsr_pickle_value *values;
	uint32_t *items, *stack, *memo;
	struct fvsr_pickle_pair *pairs;
	uint32_t value_count, item_count, stack_count, pair_count;
	uint32_t value_space, item_space, stack_space, memo_space, pair_space;
	uint32_t result;
};

/*
 * Runs the pickle in 'data': on success 'result' is what it left. Values refer to values by index
 * and may do so in circles; whoever reads them must not follow them without end.
 */
int fvsr_pickle_run(struct fvsr_pickle_vm *vm);
void fvsr_pickle_vm_free(struct fvsr_pickle_vm *vm);
int fvsr_pickle_bad(const struct fvsr_pickle_vm *vm, const char *why);

#endif
