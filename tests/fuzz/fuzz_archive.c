/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a PyTorch archive. A mutation nearly always spoils a checksum, and nothing behind
 * the checksum would ever be reached; so after most mutations they are put right again.
 */
#include "fuzz.h"

#include <string.h>

#include "model/archive.h"
#include "model/dtype.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

static uint32_t number(const uint8_t *at, int bytes)
{
	uint32_t value = 0;

	while (bytes--)
		value = value << 8 | at[bytes];
	return value;
}

static uint32_t crc32_of(const uint8_t *data, size_t size)
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
static void fix_entry(uint8_t *data, size_t size, size_t at)
{
	size_t local = number(data + at + 42, 4), bytes = number(data + at + 24, 4), start;
	uint32_t crc;
	int i;

	if (local > size || size - local < 30)
		return;
	start = local + 30 + number(data + local + 26, 2) + number(data + local + 28, 2);
	if (start > size || bytes > size - start)
		return;
	crc = crc32_of(data + start, bytes);
	for (i = 0; i < 4; i++) {
		data[at + 16 + (size_t)i] = (uint8_t)(crc >> (8 * i));
		data[local + 14 + (size_t)i] = (uint8_t)(crc >> (8 * i));
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	size_t at;

	size = LLVMFuzzerMutate(data, size, max_size);
	if (seed % 8 == 0 || size < 46)
		return size;
	for (at = 0; at <= size - 46; at++)
		if (!memcmp(data + at, "PK\1\2", 4))
			fix_entry(data, size, at);
	return size;
}

/* Reads all that a tensor points to. */
static void check_tensor(const struct fvsr_archive_tensor *t)
{
	volatile unsigned char sum = 0;
	uint64_t i;

	PROMISE(t->count > 0);
	for (i = 0; i < t->count * fvsr_dtype_size(t->dtype); i++)
		sum = (unsigned char)(sum + t->data[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fvsr_archive archive;
	struct fvsr_file *file;
	struct fvsr_error err;
	size_t i;

	if (fvsr_file_open_memory(&file, data, size, "fuzz", &err) < 0)
		return 0;
	err.text[0] = '\0';
	if (fvsr_archive_read(&archive, file, NULL, &err) == 0) {
		for (i = 0; i < archive.count; i++)
			check_tensor(&archive.tensors[i]);
		fvsr_archive_free(&archive);
	} else {
		PROMISE(err.text[0] && !strchr(err.text, '\n'));
	}
	fvsr_file_close(file);
	return 0;
}
