/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Callers may look into safetensors files: golden streams, and what is inside a packed model. Data
 * is handed out as pointers, so it is read into memory of our own (file.h says why a mapping
 * would not do); of files too large for that only the description is given.
 */
#include <stdlib.h>
#include <string.h>

#include "base/common.h"
#include "base/dtype.h"
#include "model/safetensors.h"

/* Golden streams have a few megabytes; the packed released model, which is never read this way,
 * has three thousand. */
#define MAX_HELD_BYTES (1ull << 30)

struct fvsr_tensors {
	struct fvsr_file *file;
	struct fvsr_safetensors st;
	unsigned char *data; /* all of it, or NULL */
};

static int load_data(struct fvsr_tensors *t, struct fvsr_error *err)
{
	uint64_t bytes = fvsr_file_size(t->file) - t->st.data_offset;

	if (!bytes || bytes > MAX_HELD_BYTES)
		return 0;
	t->data = malloc((size_t)bytes);
	if (!t->data)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory for %s",
				 fvsr_file_name(t->file));
	return fvsr_file_read(t->file, t->st.data_offset, t->data, (size_t)bytes, err);
}

int fvsr_tensors_open(fvsr_tensors **out, const char *path, struct fvsr_error *err)
{
	struct fvsr_tensors *t;
	int result;

	if (!out || !path)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "no file is named");
	t = calloc(1, sizeof(*t));
	if (!t)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	result = fvsr_file_open(&t->file, path, err);
	if (result >= 0)
		result = fvsr_st_read(&t->st, t->file, err);
	if (result >= 0)
		result = load_data(t, err);
	if (result < 0) {
		fvsr_tensors_close(t);
		return result;
	}
	*out = t;
	return 0;
}

void fvsr_tensors_close(fvsr_tensors *file)
{
	if (!file)
		return;
	fvsr_st_free(&file->st);
	fvsr_file_close(file->file);
	free(file->data);
	free(file);
}

int fvsr_tensors_get(const fvsr_tensors *file, size_t index, struct fvsr_tensor_info *info)
{
	const struct fvsr_st_tensor *t;

	if (index >= file->st.count)
		return FVSR_ERR_EOF;
	t = &file->st.tensors[index];
	info->name = t->name;
	info->dtype = t->type->name;
	info->rank = t->rank;
	memcpy(info->shape, t->shape, sizeof(info->shape));
	info->data = file->data ? file->data + (t->offset - file->st.data_offset) : NULL;
	info->bytes = (size_t)t->bytes;
	return 0;
}

const char *fvsr_tensors_metadata(const fvsr_tensors *file, const char *key)
{
	return fvsr_st_metadata(&file->st, key);
}

int fvsr_tensors_metadata_at(const fvsr_tensors *file, size_t index, const char **key,
			     const char **value)
{
	if (index >= file->st.metadata_count)
		return FVSR_ERR_EOF;
	*key = file->st.metadata[index].key;
	*value = file->st.metadata[index].value;
	return 0;
}

static void f64_to_f32(const unsigned char *src, size_t count, float *out)
{
	size_t i;

	for (i = 0; i < count; i++) {
		double value;

		memcpy(&value, src + 8 * i, sizeof(value));
		out[i] = (float)value;
	}
}

int fvsr_tensor_to_f32(const struct fvsr_tensor_info *info, size_t first, size_t count, float *out)
{
	const struct fvsr_st_type *type = fvsr_st_type_find(info->dtype);
	const unsigned char *src = info->data;
	size_t i;

	if (!type || !src)
		return FVSR_ERR_UNSUPPORTED;
	if (first > info->bytes / type->bytes || count > info->bytes / type->bytes - first)
		return FVSR_ERR_ARGUMENT;
	src += first * type->bytes;
	if (type->weight)
		fvsr_dtype_to_f32(type->weight, src, count, out);
	else if (!strcmp(type->name, "F64"))
		f64_to_f32(src, count, out);
	else if (!strcmp(type->name, "U8") || !strcmp(type->name, "BOOL"))
		for (i = 0; i < count; i++)
			out[i] = src[i];
	else
		return FVSR_ERR_UNSUPPORTED;
	return 0;
}
