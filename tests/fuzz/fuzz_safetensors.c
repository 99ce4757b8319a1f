/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a safetensors file. What opens must describe exactly its bytes, and all of its
 * weights must be readable.
 */
#include "fuzz.h"

#include <string.h>

#include "base/dtype.h"
#include "model/safetensors.h"

static void check_tensor(const struct fvsr_safetensors *st, size_t index, uint64_t *at)
{
	const struct fvsr_st_tensor *t = &st->tensors[index];
	struct fvsr_error err;
	uint64_t count = 1;
	float out[64];
	int i;

	PROMISE(t->rank >= 0 && t->rank <= FVSR_MAX_RANK);
	for (i = 0; i < t->rank; i++)
		count *= (uint64_t)t->shape[i];
	PROMISE(count == t->count && t->bytes == count * t->type->bytes);
	PROMISE(t->offset == *at && t->bytes > 0);
	*at += t->bytes;
	PROMISE(fvsr_st_find(st, t->name) == t);
	if (t->type->weight)
		PROMISE(fvsr_file_read_f32(st->file, t->offset, t->type->weight,
					   count < 64 ? (size_t)count : 64, out, &err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fvsr_safetensors st;
	struct fvsr_file *file;
	struct fvsr_error err;
	uint64_t at;
	size_t i;

	if (fvsr_file_open_memory(&file, data, size, "fuzz", &err) < 0)
		return 0;
	err.text[0] = '\0';
	if (fvsr_st_read(&st, file, &err) == 0) {
		at = st.data_offset;
		for (i = 0; i < st.count; i++)
			check_tensor(&st, i, &at);
		PROMISE(at == size);
		for (i = 0; i < st.metadata_count; i++)
			PROMISE(fvsr_st_metadata(&st, st.metadata[i].key) == st.metadata[i].value);
		fvsr_st_free(&st);
	} else {
		PROMISE(err.text[0] && !strchr(err.text, '\n'));
		PROMISE(fvsr_utf8_valid(err.text, strlen(err.text)));
	}
	fvsr_file_close(file);
	return 0;
}
