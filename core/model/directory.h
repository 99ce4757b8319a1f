/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of a released model.
 */
#ifndef FVSR_MODEL_DIRECTORY_H
#define FVSR_MODEL_DIRECTORY_H

#include <stdint.h>

#define FVSR_RELEASED_FILES 4

/* Transformer, projection, decoder, prompt. */
extern const char *const fvsr_released_files[FVSR_RELEASED_FILES];
/* "FlashVSR v1.1" or so when a file of that name, size and content is known, else NULL. */
const char *fvsr_release_of(const char *name, uint64_t bytes, const char *sha256);

#endif
