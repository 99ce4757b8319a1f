/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plans: oneDNN's primitives and their lives. Making a primitive takes milliseconds (code is
 * generated for its shape), so planning makes one for every call that the network will do, and
 * calls find it again by shape and weight.
 *
 * When addresses are not known yet, planning only finds out the size of scratch memory. Optional
 * operands look missing then, so the size is the larger of both possibilities.
 */
#ifndef FVSR_CPU_ONEDNN_PLAN_H
#define FVSR_CPU_ONEDNN_PLAN_H

#include "backend/cpu/onednn/onednn.h"

enum fvsr_onednn_operation { FVSR_ONEDNN_CONV = 1, FVSR_ONEDNN_LINEAR = 2 };

/* Identifies a plan; zeroed before it is filled, so that it can be compared as bytes. */
struct fvsr_onednn_key {
	const void *weight; /* NULL for matrix products: any */
	int operation;
	int shape[8];
	int border[4];
	int bias, sum, after;
};

#define FVSR_ONEDNN_MEMORIES 5 /* source, weight, bias, destination, scratch */

struct fvsr_onednn_plan {
	struct fvsr_onednn_key key;
	dnnl_primitive_t primitive;
	dnnl_memory_t memory[FVSR_ONEDNN_MEMORIES];
	const void *weight; /* in the primitive's layout; NULL for matrix products */
	size_t scratch_bytes;
};

/* The operands of a call. */
struct fvsr_onednn_call {
	const void *src, *weight, *bias; /* bias: NULL for none */
	void *dst;
	size_t scratch_offset; /* bytes of the queue's scratch that the op uses itself */
};

/*
 * oneDNN takes the number of its threads from the calling thread, whose number is not ours to
 * change: 'enter' sets the queue's and returns the one before, to which 'leave' goes back.
 */
int fvsr_onednn_enter_threads(const struct fvsr_queue *queue);
void fvsr_onednn_leave_threads(const struct fvsr_queue *queue, int before);

/* Returns the plan with this key, or NULL. */
struct fvsr_onednn_plan *fvsr_onednn_plan_find(struct fvsr_queue *queue,
					       const struct fvsr_onednn_key *key);
/* Adds a plan with its primitive; NULL when that fails. It is valid until the next one is added. */
struct fvsr_onednn_plan *fvsr_onednn_plan_add(struct fvsr_queue *queue,
					      const struct fvsr_onednn_key *key,
					      dnnl_primitive_desc_t desc);
void fvsr_onednn_plans_free(struct fvsr_onednn_queue *queue);

/*
 * Makes attributes for a result that is added to what was there, before ('sum_first') or after the
 * activation 'algorithm', which may be dnnl_alg_kind_undef.
 */
dnnl_status_t fvsr_onednn_attributes(dnnl_primitive_attr_t *out, bool sum, bool sum_first,
				     dnnl_alg_kind_t algorithm, float alpha);
/* Returns the bytes of scratch memory that a primitive needs. */
size_t fvsr_onednn_scratch_of(dnnl_primitive_desc_t desc);

/* Returns the plan of a call, or NULL when there is nothing to compute. */
const struct fvsr_onednn_plan *fvsr_onednn_plan_to_run(struct fvsr_queue *queue,
						       const struct fvsr_onednn_key *key);
/* Computes a plan, and waits for it. */
void fvsr_onednn_execute(struct fvsr_queue *queue, const struct fvsr_onednn_plan *plan,
			 const struct fvsr_onednn_call *call);

#endif
