/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A released model is a directory of four files.
 */
#ifndef FVSR_MODEL_DIRECTORY_H
#define FVSR_MODEL_DIRECTORY_H

#include <stdint.h>

#include "fvsr/fvsr.h"
#include "model/sha256.h"

#define FVSR_RELEASED_FILES 4

/* Transformer, projection, decoder, prompt. */
extern const char *const fvsr_released_files[FVSR_RELEASED_FILES];
/*
 * The files of an import. Each is read once, from front to back, and hashed on the way: what the
 * sums are of is what the tensors were taken from, whatever happens to the files meanwhile.
 */
struct fvsr_intake {
	struct {
		uint64_t bytes;
		char sha256[FVSR_SHA256_TEXT]; /* the first: once it has been poured */
	} files[FVSR_RELEASED_FILES];
	/* Called as 'bytes' more have been read; a negative result ends the import. */
	int (*count)(void *opaque, uint64_t bytes, const char *file, struct fvsr_error *err);
	void *opaque;
};

/* A file that is known by its content. */
struct fvsr_known_file {
	const char *name, *release, *sha256;
	uint64_t bytes;
};

/* Does what fvsr_import() does, with a list of known files of the caller's. */
int fvsr_import_known(const char *source, const char *packed_path,
		      const struct fvsr_import_options *options,
		      const struct fvsr_known_file *known, size_t known_count,
		      struct fvsr_error *err);

/* Returns "FlashVSR v1.1" or so when a file of that name, size and content is known, or NULL. */
const char *fvsr_release_of(const char *name, uint64_t bytes, const char *sha256);

#endif
