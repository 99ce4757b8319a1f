/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHA-256 (FIPS 180-4) is what released files are recognised by.
 */
#ifndef FVSR_MODEL_SHA256_H
#define FVSR_MODEL_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define FVSR_SHA256_TEXT 65 /* hexadecimal digits and NUL */

struct fvsr_sha256 {
	uint32_t state[8];
	uint64_t bytes;
	unsigned char block[64];
};

void fvsr_sha256_init(struct fvsr_sha256 *sha);
void fvsr_sha256_update(struct fvsr_sha256 *sha, const void *data, size_t bytes);
void fvsr_sha256_final(struct fvsr_sha256 *sha, char text[FVSR_SHA256_TEXT]);

#endif
