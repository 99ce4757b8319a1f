/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing of packed models (docs/model-format.md).
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
	enum fvsr_lq_version lq_version; /* never FVSR_LQ_MODEL */
	const char *name;
	const struct fvsr_pack_note *notes;
	size_t note_count;
	const struct fvsr_progress *progress;
	uint64_t done, total; /* bytes, for progress: before this file, and of all the work */
};

/* Bytes of all tensors in that type. */
uint64_t fvsr_pack_bytes(const struct fvsr_weights *weights, enum fvsr_pack_type type);
/* Writes 'path' as a whole or not at all. */
int fvsr_pack_write(struct fvsr_pack *pack, const char *path, struct fvsr_error *err);

#endif
