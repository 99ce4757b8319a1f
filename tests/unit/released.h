/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A released directory of small dimensions, made here: the four files with the tensors of a
 * synthetic model, each of which a test may change before writing.
 */
#ifndef FVSR_TEST_RELEASED_H
#define FVSR_TEST_RELEASED_H

#include "craft.h"
#include "model/weights.h"

#define RELEASED_PARTS 4

struct released {
	struct craft_tensor *parts[RELEASED_PARTS]; /* transformer, projection, decoder, prompt */
	size_t counts[RELEASED_PARTS];
	char *names;
	void **blocks; /* data of the tensors, as allocated */
	size_t block_count;
};

/* Every tensor of a model of a few thousand weights, as float32 (the prompt as BF16). */
extern const char released_config[];

/*
 * Fills 'r' with the tensors of a synthetic model. 'folder' gets a config.json with
 * released_config, as a released directory may have.
 */
bool released_load(struct released *r, const char *folder);
void released_free(struct released *r);
/* Returns a tensor by its name with prefix ("dec.decoder.1.weight"), or NULL. */
struct craft_tensor *released_find(struct released *r, const char *name);
/* Takes a tensor out. */
void released_drop(struct released *r, const char *name);
bool released_write(const struct released *r, const char *folder);
/* The names that the files must have. */
extern const char *const released_files[RELEASED_PARTS];

#endif
