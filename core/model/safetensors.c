/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the header of a safetensors file: eight bytes of length, a JSON object, then data. The
 * file is somebody else's: each number is checked before it is used, and the tensors must fill
 * the data section exactly, so that no two names can share bytes and nothing can hide.
 */
#include "model/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "base/common.h"
#include "model/json.h"

#define MAX_HEADER_BYTES (100u * 1000 * 1000)
#define MAX_TENSORS      (1u << 14)
/* The object, its type, two lists, five dimensions, two offsets; and metadata may have its own. */
#define VALUES_PER_TENSOR 12

static const struct fvsr_st_type types[] = {
	{"F32", 4, FVSR_DTYPE_F32},
	{"BF16", 2, FVSR_DTYPE_BF16},
	{"F16", 2, FVSR_DTYPE_F16},
	{"F64", 8, 0},
	{"BOOL", 1, 0},
	{"U8", 1, 0},
	{"I8", 1, 0},
	{"U16", 2, 0},
	{"I16", 2, 0},
	{"U32", 4, 0},
	{"I32", 4, 0},
	{"U64", 8, 0},
	{"I64", 8, 0},
	{"F8_E4M3", 1, 0},
	{"F8_E5M2", 1, 0},
};

/* State of one reading: where text goes and what messages are about. */
struct reader {
	struct fvsr_safetensors *st;
	char *text_end;
	char shown[64]; /* the tensor at hand, printable */
	struct fvsr_error *err;
};

const struct fvsr_st_type *fvsr_st_type_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i].name, name))
			return &types[i];
	return NULL;
}

static int bad_tensor(const struct reader *r, const char *why)
{
	return fvsr_fail(r->err, FVSR_ERR_FORMAT, "%s: tensor '%s': %s",
			 fvsr_file_name(r->st->file), r->shown, why);
}

/*
 * Keeps a text in a block of the header's size, which holds them all: every string is shorter
 * decoded, with its NUL, than it was between its quotes.
 */
static const char *keep_text(struct reader *r, const char *text)
{
	size_t n = strlen(text) + 1;
	char *kept = r->text_end;

	memcpy(kept, text, n);
	r->text_end += n;
	return kept;
}

static int read_shape(struct reader *r, struct fvsr_st_tensor *t, const json_t *shape)
{
	size_t rank = json_array_size(shape), i;

	if (!json_is_array(shape))
		return bad_tensor(r, "shape is missing or not a list");
	if (rank > FVSR_MAX_RANK)
		return bad_tensor(r, "more than 5 dimensions");
	t->rank = (int)rank;
	t->count = 1;
	for (i = 0; i < rank; i++) {
		const json_t *dim = json_array_get(shape, i);
		json_int_t n = json_integer_value(dim);

		if (!json_is_integer(dim) || n < 1)
			return bad_tensor(r, "a dimension is not a positive whole number");
		if (t->count > (uint64_t)INT64_MAX / (uint64_t)n)
			return bad_tensor(r, "its shape overflows");
		t->shape[i] = n;
		t->count *= (uint64_t)n;
	}
	if (t->count > (uint64_t)INT64_MAX / t->type->bytes)
		return bad_tensor(r, "its shape overflows");
	t->bytes = t->count * t->type->bytes;
	return 0;
}

static int read_offsets(struct reader *r, struct fvsr_st_tensor *t, const json_t *offsets)
{
	uint64_t data_bytes = fvsr_file_size(r->st->file) - r->st->data_offset;
	const json_t *first = json_array_get(offsets, 0);
	const json_t *second = json_array_get(offsets, 1);
	json_int_t begin = json_integer_value(first), end = json_integer_value(second);

	if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(second))
		return bad_tensor(r, "data_offsets is missing or not two whole numbers");
	if (begin < 0 || end < begin)
		return bad_tensor(r, "data_offsets are negative or reversed");
	if ((uint64_t)end > data_bytes)
		return bad_tensor(r, "its data lies past the end of the file");
	if ((uint64_t)(end - begin) != t->bytes)
		return bad_tensor(r, "its data is not as long as shape and type say");
	t->offset = r->st->data_offset + (uint64_t)begin;
	return 0;
}

static int read_tensor(struct reader *r, const char *name, const json_t *fields)
{
	struct fvsr_st_tensor *t = &r->st->tensors[r->st->count];
	const json_t *type = json_object_get(fields, "dtype");
	int result;

	fvsr_printable(r->shown, sizeof(r->shown), name, strlen(name));
	if (!json_is_object(fields))
		return bad_tensor(r, "is not described by an object");
	if (!json_is_string(type))
		return bad_tensor(r, "dtype is missing or not a string");
	t->type = fvsr_st_type_find(json_string_value(type));
	if (!t->type)
		return bad_tensor(r, "unknown dtype");
	result = read_shape(r, t, json_object_get(fields, "shape"));
	if (result < 0)
		return result;
	result = read_offsets(r, t, json_object_get(fields, "data_offsets"));
	if (result < 0)
		return result;
	if (json_object_size(fields) != 3)
		return bad_tensor(r, "has fields that no safetensors file has");
	t->name = keep_text(r, name);
	r->st->count++;
	return 0;
}

static int read_metadata(struct reader *r, json_t *object)
{
	struct fvsr_safetensors *st = r->st;
	const char *file = fvsr_file_name(st->file), *key;
	size_t n = json_object_size(object);
	json_t *value;

	if (!json_is_object(object))
		return fvsr_fail(r->err, FVSR_ERR_FORMAT, "%s: __metadata__ is not an object",
				 file);
	st->metadata = malloc((n ? n : 1) * sizeof(*st->metadata));
	if (!st->metadata)
		return fvsr_fail(r->err, FVSR_ERR_MEMORY, "%s: out of memory", file);
	json_object_foreach(object, key, value)
	{
		struct fvsr_st_pair *pair = &st->metadata[st->metadata_count];

		if (!json_is_string(value))
			return fvsr_fail(r->err, FVSR_ERR_FORMAT,
					 "%s: __metadata__ holds something else than strings",
					 file);
		pair->key = keep_text(r, key);
		pair->value = keep_text(r, json_string_value(value));
		st->metadata_count++;
	}
	return 0;
}

static int read_root(struct reader *r, json_t *root)
{
	struct fvsr_safetensors *st = r->st;
	size_t n = json_object_size(root);
	const char *name;
	json_t *value;

	if (n > MAX_TENSORS)
		return fvsr_fail(r->err, FVSR_ERR_FORMAT, "%s: more than %u tensors",
				 fvsr_file_name(st->file), MAX_TENSORS);
	st->tensors = calloc(n ? n : 1, sizeof(*st->tensors));
	st->by_name = malloc((n ? n : 1) * sizeof(*st->by_name));
	if (!st->tensors || !st->by_name)
		return fvsr_fail(r->err, FVSR_ERR_MEMORY, "%s: out of memory",
				 fvsr_file_name(st->file));
	json_object_foreach(root, name, value)
	{
		int result = strcmp(name, "__metadata__") ? read_tensor(r, name, value)
							  : read_metadata(r, value);

		if (result < 0)
			return result;
	}
	return 0;
}

static int by_offset(const void *a, const void *b)
{
	const struct fvsr_st_tensor *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

/* Checks that tensors lie one behind the other, from the first byte of the data to the last. */
static int check_layout(struct reader *r)
{
	struct fvsr_safetensors *st = r->st;
	uint64_t at = st->data_offset;
	size_t i;

	for (i = 0; i < st->count; i++) {
		const struct fvsr_st_tensor *t = &st->tensors[i];

		fvsr_printable(r->shown, sizeof(r->shown), t->name, strlen(t->name));
		if (t->offset < at)
			return bad_tensor(r, "its data overlaps another tensor's");
		if (t->offset > at)
			return bad_tensor(r, "there is a gap before its data");
		at += t->bytes;
	}
	if (at != fvsr_file_size(st->file))
		return fvsr_fail(r->err, FVSR_ERR_FORMAT, "%s: bytes behind the last tensor",
				 fvsr_file_name(st->file));
	return 0;
}

struct name_ref {
	const char *name;
	size_t index;
};

static int by_ref_name(const void *a, const void *b)
{
	const struct name_ref *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Sorts the names, which are unique: the parser has refused an object with a key twice. */
static int sort_names(struct reader *r)
{
	struct fvsr_safetensors *st = r->st;
	struct name_ref *refs = malloc((st->count ? st->count : 1) * sizeof(*refs));
	size_t i;

	if (!refs)
		return fvsr_fail(r->err, FVSR_ERR_MEMORY, "%s: out of memory",
				 fvsr_file_name(st->file));
	for (i = 0; i < st->count; i++) {
		refs[i].name = st->tensors[i].name;
		refs[i].index = i;
	}
	qsort(refs, st->count, sizeof(*refs), by_ref_name);
	for (i = 0; i < st->count; i++)
		st->by_name[i] = refs[i].index;
	free(refs);
	return 0;
}

static int parse_header(struct reader *r, const char *header, size_t length)
{
	static const struct fvsr_json_limits limits = {
		.depth = 3,
		.values = (size_t)MAX_TENSORS * VALUES_PER_TENSOR,
	};
	struct fvsr_safetensors *st = r->st;
	json_t *root;
	int result =
		fvsr_json_parse(&root, header, length, &limits, fvsr_file_name(st->file), r->err);

	if (result < 0)
		return result;
	st->text = r->text_end = malloc(length);
	result = st->text ? read_root(r, root)
			  : fvsr_fail(r->err, FVSR_ERR_MEMORY, "%s: out of memory",
				      fvsr_file_name(st->file));
	json_decref(root);
	if (result < 0)
		return result;
	qsort(st->tensors, st->count, sizeof(*st->tensors), by_offset);
	result = check_layout(r);
	return result < 0 ? result : sort_names(r);
}

static int header_length(struct fvsr_safetensors *st, struct fvsr_file *file, uint64_t *length,
			 struct fvsr_error *err)
{
	uint64_t size = fvsr_file_size(file);
	unsigned char raw[8];
	int result, i;

	if (size < sizeof(raw))
		return fvsr_fail(err, FVSR_ERR_FORMAT, "%s: too short for a safetensors file",
				 fvsr_file_name(file));
	result = fvsr_file_read(file, 0, raw, sizeof(raw), err);
	if (result < 0)
		return result;
	fvsr_sha256_init(&st->sum);
	fvsr_sha256_update(&st->sum, raw, sizeof(raw));
	for (*length = 0, i = 7; i >= 0; i--)
		*length = *length << 8 | raw[i];
	if (!*length)
		return fvsr_fail(err, FVSR_ERR_FORMAT, "%s: has an empty header",
				 fvsr_file_name(file));
	if (*length > size - sizeof(raw))
		return fvsr_fail(err, FVSR_ERR_FORMAT, "%s: its header is longer than the file",
				 fvsr_file_name(file));
	if (*length > MAX_HEADER_BYTES)
		return fvsr_fail(err, FVSR_ERR_FORMAT, "%s: its header is above 100 MB",
				 fvsr_file_name(file));
	return 0;
}

int fvsr_st_read(struct fvsr_safetensors *st, struct fvsr_file *file, struct fvsr_error *err)
{
	struct reader r = {.st = st, .err = err};
	uint64_t length = 0;
	char *header;
	int result;

	memset(st, 0, sizeof(*st));
	result = header_length(st, file, &length, err);
	if (result < 0)
		return result;
	st->file = file;
	st->data_offset = 8 + length;
	header = malloc((size_t)length);
	if (!header)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "%s: out of memory", fvsr_file_name(file));
	result = fvsr_file_read(file, 8, header, (size_t)length, err);
	if (result >= 0) {
		fvsr_sha256_update(&st->sum, header, (size_t)length);
		result = parse_header(&r, header, (size_t)length);
	}
	free(header);
	if (result < 0)
		fvsr_st_free(st);
	return result;
}

void fvsr_st_free(struct fvsr_safetensors *st)
{
	free(st->tensors);
	free(st->by_name);
	free(st->metadata);
	free(st->text);
	memset(st, 0, sizeof(*st));
}

const struct fvsr_st_tensor *fvsr_st_find(const struct fvsr_safetensors *st, const char *name)
{
	size_t low = 0, high = st->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct fvsr_st_tensor *t = &st->tensors[st->by_name[middle]];
		int order = strcmp(name, t->name);

		if (!order)
			return t;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const char *fvsr_st_metadata(const struct fvsr_safetensors *st, const char *key)
{
	size_t i;

	for (i = 0; i < st->metadata_count; i++)
		if (!strcmp(st->metadata[i].key, key))
			return st->metadata[i].value;
	return NULL;
}
