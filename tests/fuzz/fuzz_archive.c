/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a PyTorch archive. A mutation nearly always spoils a checksum, and nothing behind
 * the checksum would ever be reached; so after most mutations they are put right again.
 */
#include "fuzz.h"

#include <string.h>

#include "fuzz_zip.h"
#include "model/archive.h"
#include "base/dtype.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	size = LLVMFuzzerMutate(data, size, max_size);
	if (seed % 8)
		fuzz_zip_fix(data, size);
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
