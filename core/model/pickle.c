/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the values a pickle builds to a list of tensors: each argument of _rebuild_tensor_v2 is
 * checked, and only contiguous tensors inside their storage are taken. The result of the pickle
 * is a dictionary of names and tensors, or one tensor; nothing else is looked into, so that
 * values which contain themselves are an error rather than a loop.
 */
#include "model/pickle.h"

#include <stdlib.h>
#include <string.h>

#include "base/common.h"
#include "model/file.h"
#include "model/pickle_vm.h"

#define MAX_BYTES   (1u << 20)
#define MAX_TENSORS (1u << 16)

struct reader {
	struct fvsr_pickle_vm *vm;
	struct fvsr_pickle *out;
	char *text_end;
	char shown[64]; /* the tensor at hand, printable */
};

static int bad(const struct reader *r, const char *why)
{
	return fvsr_fail(r->vm->err, FVSR_ERR_FORMAT, "%s: tensor '%s': %s", r->vm->where, r->shown,
			 why);
}

/* Returns item 'i' of a tuple if it is of that kind, else NULL. */
static const struct fvsr_pickle_value *item(const struct fvsr_pickle_vm *vm,
					    const struct fvsr_pickle_value *tuple, uint32_t i,
					    enum fvsr_pickle_kind kind)
{
	const struct fvsr_pickle_value *value;

	if (tuple->kind != FVSR_PICKLE_TUPLE || i >= tuple->count)
		return NULL;
	value = &vm->values[vm->items[tuple->first + i]];
	return value->kind == kind ? value : NULL;
}

/* Returns a number that is not negative, or -1. */
static int64_t number_at(const struct fvsr_pickle_vm *vm, const struct fvsr_pickle_value *tuple,
			 uint32_t i)
{
	const struct fvsr_pickle_value *value = item(vm, tuple, i, FVSR_PICKLE_INT);

	return value && value->number >= 0 ? value->number : -1;
}

static bool is_text(const struct fvsr_pickle_value *value, const char *text)
{
	return value && value->count == strlen(text) && !memcmp(value->text, text, value->count);
}

/* Takes a key, which becomes a file name inside the archive: digits only. */
static bool take_key(const struct fvsr_pickle_value *key, char out[12])
{
	uint32_t i;

	if (!key || !key->count || key->count > 10)
		return false;
	for (i = 0; i < key->count; i++)
		if (key->text[i] < '0' || key->text[i] > '9')
			return false;
	memcpy(out, key->text, key->count);
	out[key->count] = '\0';
	return true;
}

/* Reads ("storage", class, key, location, elements). */
static int read_storage(struct reader *r, const struct fvsr_pickle_value *storage,
			struct fvsr_pickle_tensor *t)
{
	const struct fvsr_pickle_vm *vm = r->vm;
	const struct fvsr_pickle_value *id, *type;
	int64_t elements;

	if (!storage)
		return bad(r, "has no storage");
	id = &vm->values[storage->first];
	type = item(vm, id, 1, FVSR_PICKLE_STORAGE_CLASS);
	elements = number_at(vm, id, 4);
	if (id->count != 5 || !is_text(item(vm, id, 0, FVSR_PICKLE_TEXT), "storage") || !type ||
	    !item(vm, id, 3, FVSR_PICKLE_TEXT) || elements < 0)
		return bad(r, "its storage is not described as it should be");
	if (!take_key(item(vm, id, 2, FVSR_PICKLE_TEXT), t->storage))
		return bad(r, "the key of its storage is not a number");
	t->dtype = (enum fvsr_dtype)type->number;
	t->storage_count = (uint64_t)elements;
	return 0;
}

static int read_shape(struct reader *r, const struct fvsr_pickle_value *size,
		      struct fvsr_pickle_tensor *t)
{
	uint32_t i;

	if (!size)
		return bad(r, "has no shape");
	if (size->count > FVSR_MAX_RANK)
		return bad(r, "more than 5 dimensions");
	t->rank = (int)size->count;
	t->count = 1;
	for (i = 0; i < size->count; i++) {
		int64_t n = number_at(r->vm, size, i);

		if (n < 1)
			return bad(r, "a dimension is not a positive whole number");
		if (t->count > (uint64_t)INT64_MAX / 8 / (uint64_t)n)
			return bad(r, "its shape overflows");
		t->shape[i] = n;
		t->count *= (uint64_t)n;
	}
	return 0;
}

/* Checks for row-major without holes; the stride of a dimension of one says nothing. */
static int check_strides(struct reader *r, const struct fvsr_pickle_value *strides,
			 const struct fvsr_pickle_tensor *t)
{
	uint64_t expected = 1;
	int i;

	if (!strides || strides->count != (uint32_t)t->rank)
		return bad(r, "has no strides for its shape");
	for (i = t->rank - 1; i >= 0; i--) {
		int64_t stride = number_at(r->vm, strides, (uint32_t)i);

		if (stride < 0)
			return bad(r, "a stride is negative or not a number");
		if (t->shape[i] > 1 && (uint64_t)stride != expected)
			return bad(r, "is not contiguous");
		expected *= (uint64_t)t->shape[i];
	}
	return 0;
}

/* Reads (storage, offset, shape, strides, requires_grad, hooks[, metadata]). */
static int read_tensor(struct reader *r, const struct fvsr_pickle_value *tensor,
		       struct fvsr_pickle_tensor *t)
{
	const struct fvsr_pickle_vm *vm = r->vm;
	const struct fvsr_pickle_value *args = &vm->values[tensor->first];
	int64_t offset = number_at(vm, args, 1);
	int result;

	if (args->count != 6 && args->count != 7)
		return bad(r, "is made from a wrong number of arguments");
	result = read_storage(r, item(vm, args, 0, FVSR_PICKLE_STORAGE), t);
	if (result >= 0)
		result = read_shape(r, item(vm, args, 2, FVSR_PICKLE_TUPLE), t);
	if (result >= 0)
		result = check_strides(r, item(vm, args, 3, FVSR_PICKLE_TUPLE), t);
	if (result < 0)
		return result;
	if (!item(vm, args, 4, FVSR_PICKLE_BOOL) || !item(vm, args, 5, FVSR_PICKLE_DICT))
		return bad(r, "is made from wrong arguments");
	if (offset < 0)
		return bad(r, "its storage offset is negative or not a number");
	if ((uint64_t)offset > t->storage_count || t->count > t->storage_count - (uint64_t)offset)
		return bad(r, "reaches beyond its storage");
	t->offset = (uint64_t)offset;
	return 0;
}

static int read_entry(struct reader *r, const struct fvsr_pickle_pair *pair)
{
	const struct fvsr_pickle_value *key = &r->vm->values[pair->key];
	const struct fvsr_pickle_value *value = &r->vm->values[pair->value];
	struct fvsr_pickle_tensor *t = &r->out->tensors[r->out->count];
	int result;

	if (key->kind != FVSR_PICKLE_TEXT || !key->count)
		return fvsr_pickle_bad(r->vm, "has a tensor without a name");
	fvsr_printable(r->shown, sizeof(r->shown), key->text, key->count);
	if (value->kind != FVSR_PICKLE_TENSOR)
		return bad(r, "is not a tensor");
	result = read_tensor(r, value, t);
	if (result < 0)
		return result;
	memcpy(r->text_end, key->text, key->count);
	r->text_end[key->count] = '\0';
	t->name = r->text_end;
	r->text_end += key->count + 1;
	r->out->count++;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int check_names(struct reader *r)
{
	size_t n = r->out->count, i;
	const char **names = malloc((n ? n : 1) * sizeof(*names));
	int result = 0;

	if (!names)
		return fvsr_fail(r->vm->err, FVSR_ERR_MEMORY, "%s: out of memory", r->vm->where);
	for (i = 0; i < n; i++)
		names[i] = r->out->tensors[i].name;
	qsort(names, n, sizeof(*names), by_name);
	for (i = 1; i < n && result >= 0; i++) {
		if (strcmp(names[i - 1], names[i]))
			continue;
		fvsr_printable(r->shown, sizeof(r->shown), names[i], strlen(names[i]));
		result = bad(r, "is there twice");
	}
	free(names);
	return result;
}

static int read_dict(struct reader *r, const struct fvsr_pickle_value *dict)
{
	uint32_t at = dict->count ? dict->first : FVSR_PICKLE_NONE;

	while (at != FVSR_PICKLE_NONE) {
		int result = read_entry(r, &r->vm->pairs[at]);

		if (result < 0)
			return result;
		at = r->vm->pairs[at].next;
	}
	return check_names(r);
}

/* Counts the room for names, since one memo'ed key may name many entries. */
static uint64_t names_bytes(const struct reader *r, const struct fvsr_pickle_value *dict)
{
	uint32_t at = dict->count ? dict->first : FVSR_PICKLE_NONE;
	uint64_t bytes = 1;

	for (; at != FVSR_PICKLE_NONE; at = r->vm->pairs[at].next) {
		const struct fvsr_pickle_value *key = &r->vm->values[r->vm->pairs[at].key];

		bytes += key->kind == FVSR_PICKLE_TEXT ? (uint64_t)key->count + 1 : 0;
	}
	return bytes;
}

static int read_result(struct reader *r)
{
	const struct fvsr_pickle_value *result = &r->vm->values[r->vm->result];
	bool one = result->kind == FVSR_PICKLE_TENSOR;
	uint64_t names;
	size_t n;

	if (!one && result->kind != FVSR_PICKLE_DICT)
		return fvsr_pickle_bad(r->vm, "is neither a dictionary nor a tensor");
	n = one ? 1 : result->count;
	names = one ? 1 : names_bytes(r, result);
	if (n > MAX_TENSORS || names > MAX_BYTES)
		return fvsr_pickle_bad(r->vm, "has too many tensors");
	r->out->tensors = calloc(n ? n : 1, sizeof(*r->out->tensors));
	r->out->text = r->text_end = calloc(1, (size_t)names);
	if (!r->out->tensors || !r->out->text)
		return fvsr_fail(r->vm->err, FVSR_ERR_MEMORY, "%s: out of memory", r->vm->where);
	if (!one)
		return read_dict(r, result);
	r->out->tensors[0].name = r->out->text;
	r->out->count = 1;
	return read_tensor(r, result, &r->out->tensors[0]);
}

int fvsr_pickle_read(struct fvsr_pickle *pickle, const void *data, size_t bytes, const char *where,
		     struct fvsr_error *err)
{
	struct fvsr_pickle_vm vm = {.data = data, .bytes = bytes, .where = where, .err = err};
	struct reader r = {.vm = &vm, .out = pickle};
	int result;

	memset(pickle, 0, sizeof(*pickle));
	if (bytes > MAX_BYTES)
		return fvsr_pickle_bad(&vm, "is above 1 MiB");
	result = fvsr_pickle_run(&vm);
	if (result >= 0)
		result = read_result(&r);
	fvsr_pickle_vm_free(&vm);
	if (result < 0)
		fvsr_pickle_free(pickle);
	return result;
}

void fvsr_pickle_free(struct fvsr_pickle *pickle)
{
	free(pickle->tensors);
	free(pickle->text);
	memset(pickle, 0, sizeof(*pickle));
}
