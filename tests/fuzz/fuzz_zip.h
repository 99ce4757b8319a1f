/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mutation of a zip archive nearly always spoils a checksum, and nothing behind the checksum
 * would ever be reached: this puts them right again.
 */
#ifndef FVSR_FUZZ_ZIP_H
#define FVSR_FUZZ_ZIP_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t fuzz_zip_number(const uint8_t *at, int bytes)
{
	uint32_t value = 0;

	while (bytes--)
		value = value << 8 | at[bytes];
	return value;
}

static inline uint32_t fuzz_zip_crc32(const uint8_t *data, size_t size)
{
	uint32_t crc = 0xffffffffu;
	int bit;

	for (; size; size--) {
		crc ^= *data++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

/* One central header at 'at': the checksum of its data into it and into the local header. */
static inline void fuzz_zip_fix_entry(uint8_t *data, size_t size, size_t at)
{
	size_t local = fuzz_zip_number(data + at + 42, 4);
	size_t bytes = fuzz_zip_number(data + at + 24, 4), start;
	uint32_t crc;
	int i;

	if (local > size || size - local < 30)
		return;
	start = local + 30 + fuzz_zip_number(data + local + 26, 2) +
		fuzz_zip_number(data + local + 28, 2);
	if (start > size || bytes > size - start)
		return;
	crc = fuzz_zip_crc32(data + start, bytes);
	for (i = 0; i < 4; i++) {
		data[at + 16 + (size_t)i] = (uint8_t)(crc >> (8 * i));
		data[local + 14 + (size_t)i] = (uint8_t)(crc >> (8 * i));
	}
}

/* All entries that the central headers name. */
static inline void fuzz_zip_fix(uint8_t *data, size_t size)
{
	for (size_t at = 0; size >= 46 && at <= size - 46; at++)
		if (!memcmp(data + at, "PK\1\2", 4))
			fuzz_zip_fix_entry(data, size, at);
}

#endif
