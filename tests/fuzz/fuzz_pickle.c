/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a pickle. Every tensor that comes out must lie inside its storage.
 */
#include "fuzz.h"

#include <string.h>

#include "model/file.h"
#include "model/pickle.h"

static void check_tensor(const struct fvsr_pickle_tensor *t)
{
	uint64_t count = 1;
	int i;

	PROMISE(t->rank >= 0 && t->rank <= FVSR_MAX_RANK);
	for (i = 0; i < t->rank; i++) {
		PROMISE(t->shape[i] > 0);
		count *= (uint64_t)t->shape[i];
	}
	PROMISE(count == t->count);
	PROMISE(t->offset <= t->storage_count && t->count <= t->storage_count - t->offset);
	PROMISE(strlen(t->storage) > 0 && strspn(t->storage, "0123456789") == strlen(t->storage));
	PROMISE(fvsr_utf8_valid(t->name, strlen(t->name)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fvsr_pickle pickle;
	struct fvsr_error err;
	size_t i;

	err.text[0] = '\0';
	if (fvsr_pickle_read(&pickle, data, size, "fuzz", &err) < 0) {
		PROMISE(err.text[0] && !strchr(err.text, '\n'));
		PROMISE(fvsr_utf8_valid(err.text, strlen(err.text)));
		return 0;
	}
	for (i = 0; i < pickle.count; i++)
		check_tensor(&pickle.tensors[i]);
	fvsr_pickle_free(&pickle);
	return 0;
}
