/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of a released model.
 */
#ifndef FVSR_MODEL_DIRECTORY_H
#define FVSR_MODEL_DIRECTORY_H

#define FVSR_RELEASED_FILES 4

/* Transformer, projection, decoder, prompt. */
extern const char *const fvsr_released_files[FVSR_RELEASED_FILES];

#endif
