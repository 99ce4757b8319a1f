/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packed models (docs/model-format.md) are written here, whatever the weights come from.
 */
#ifndef FVSR_MODEL_PACK_H
#define FVSR_MODEL_PACK_H

#include "model/weights.h"

/* One more entry of the metadata. */
struct fvsr_pack_note {
	const char *key, *value;
};

struct fvsr_pack {
	const struct fvsr_weights *weights;
	enum fvsr_pack_type type;
	enum fvsr_lq_version lq_version;    /* never FVSR_LQ_MODEL */
	const char *name, *other_name;      /* seal() may put the other in place; it may be NULL */
	const struct fvsr_pack_note *notes; /* seal() may change values, not their length */
	size_t note_count;
	/*
	 * NULL, or: called when all tensors have been read and before the metadata is written. A
	 * negative result is the end, and nothing is left.
	 */
	int (*seal)(struct fvsr_pack *pack, void *opaque, struct fvsr_error *err);
	/* Called as 'bytes' more of tensor 'what' are written; a negative result is the end. */
	int (*count)(void *opaque, uint64_t bytes, const char *what, struct fvsr_error *err);
	void *opaque;
};

/* Returns the bytes of all tensors in that type. */
uint64_t fvsr_pack_bytes(const struct fvsr_weights *weights, enum fvsr_pack_type type);
/* Writes 'path' as a whole or not at all. */
int fvsr_pack_write(struct fvsr_pack *pack, const char *path, struct fvsr_error *err);

#endif
