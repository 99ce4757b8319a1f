/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes of safetensors files, zip archives and pickles, written out by hand.
 */
#include "craft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the test when memory has run out: the machine's failure, and not the library's. */
static void *must(void *block)
{
	if (!block) {
		fputs("out of memory in the test itself\n", stderr);
		exit(1);
	}
	return block;
}

void bytes_add(struct bytes *b, const void *data, size_t size)
{
	if (b->size + size > b->space) {
		b->space = 2 * (b->size + size) + 64;
		b->data = must(realloc(b->data, b->space));
	}
	if (size)
		memcpy(b->data + b->size, data, size);
	b->size += size;
}

void bytes_text(struct bytes *b, const char *text)
{
	bytes_add(b, text, strlen(text));
}

void bytes_number(struct bytes *b, uint64_t value, int size)
{
	for (; size > 0; size--, value >>= 8) {
		unsigned char byte = (unsigned char)value;

		bytes_add(b, &byte, 1);
	}
}

void bytes_fill(struct bytes *b, unsigned char value, size_t count)
{
	while (count--)
		bytes_add(b, &value, 1);
}

void bytes_free(struct bytes *b)
{
	free(b->data);
	memset(b, 0, sizeof(*b));
}

/* ------------------------------------------------------------------------------------------- */
/* Files                                                                                       */

const char *temp_path(char out[512], const char *folder, const char *name)
{
	snprintf(out, 512, "%.300s/%.200s", folder, name);
	return out;
}

bool write_file(const char *path, const void *data, size_t size)
{
	FILE *file = open_file(path, "wb");
	bool ok = file && fwrite(data, 1, size, file) == size;

	return (!file || !fclose(file)) && ok;
}

/* ------------------------------------------------------------------------------------------- */
/* safetensors                                                                                 */

void craft_st(struct bytes *out, const char *header, size_t data_bytes)
{
	size_t i;

	bytes_number(out, strlen(header), 8);
	bytes_text(out, header);
	for (i = 0; i < data_bytes; i++)
		bytes_number(out, i, 1);
}

static size_t type_bytes(int dtype)
{
	return dtype == 1 ? 4 : 2;
}

static int64_t elements_of(const struct craft_tensor *t)
{
	int64_t n = 1;
	int i;

	for (i = 0; i < t->rank; i++)
		n *= t->shape[i];
	return n;
}

static size_t tensor_bytes(const struct craft_tensor *t)
{
	return (size_t)elements_of(t) * type_bytes(t->dtype);
}

void craft_st_tensors(struct bytes *out, const struct craft_tensor *tensors, size_t count,
		      const char *metadata)
{
	static const char *const types[] = {"", "F32", "BF16", "F16", "I16"};
	struct bytes header = {0};
	size_t offset = 0, i;
	char text[256];
	int k;

	bytes_text(&header, "{");
	if (metadata) {
		bytes_text(&header, "\"__metadata__\":");
		bytes_text(&header, metadata);
	}
	for (i = 0; i < count; i++) {
		const struct craft_tensor *t = &tensors[i];

		snprintf(text, sizeof(text), "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[",
			 i || metadata ? "," : "", t->name, types[t->dtype]);
		bytes_text(&header, text);
		for (k = 0; k < t->rank; k++) {
			snprintf(text, sizeof(text), "%s%lld", k ? "," : "",
				 (long long)t->shape[k]);
			bytes_text(&header, text);
		}
		snprintf(text, sizeof(text), "],\"data_offsets\":[%zu,%zu]}", offset,
			 offset + tensor_bytes(t));
		bytes_text(&header, text);
		offset += tensor_bytes(t);
	}
	bytes_text(&header, "}");
	bytes_number(out, header.size, 8);
	bytes_add(out, header.data, header.size);
	for (i = 0; i < count; i++)
		bytes_add(out, tensors[i].data, tensor_bytes(&tensors[i]));
	bytes_free(&header);
}

/* ------------------------------------------------------------------------------------------- */
/* zip                                                                                         */

static uint32_t crc32_of(const unsigned char *data, size_t size)
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

#define ENCRYPTED        1  /* of an entry's flags */
#define ENCRYPTION_BYTES 12 /* before an encrypted entry's data */

static size_t encryption_bytes(const struct craft_entry *e)
{
	return e->flags & ENCRYPTED ? ENCRYPTION_BYTES : 0;
}

/* Adds what local and central headers share: from "version needed" to the extra field's length. */
static void add_common(struct bytes *out, const struct craft_entry *e, const char *name,
		       uint32_t size)
{
	uint32_t crc = crc32_of(e->data, e->size) ^ (e->wrong_crc ? 1u : 0);
	uint32_t shown = e->zip64_size ? 0xffffffffu : size;

	bytes_number(out, e->zip64_size ? 45 : 20, 2);
	bytes_number(out, e->flags, 2);
	bytes_number(out, e->method, 2);
	bytes_number(out, 0, 2);
	bytes_number(out, 0x21, 2);
	bytes_number(out, crc, 4);
	bytes_number(out, e->zip64_size ? shown : size + encryption_bytes(e), 4);
	bytes_number(out, shown, 4);
	bytes_number(out, strlen(name), 2);
	bytes_number(out, e->zip64_size ? 20 : 0, 2);
}

static void add_zip64(struct bytes *out, const struct craft_entry *e)
{
	if (!e->zip64_size)
		return;
	bytes_number(out, 1, 2);
	bytes_number(out, 16, 2);
	bytes_number(out, 1ull << 40, 8);
	bytes_number(out, 1ull << 40, 8);
}

static void add_central(struct bytes *out, const struct craft_entry *e, size_t offset)
{
	const char *name = e->central_name ? e->central_name : e->name;
	uint32_t size = e->central_size ? e->central_size : (uint32_t)e->size;

	bytes_number(out, 0x02014b50, 4);
	bytes_number(out, 20, 2);
	add_common(out, e, name, size);
	bytes_number(out, 0, 2 + 2 + 2);
	bytes_number(out, 0, 4);
	bytes_number(out, offset, 4);
	bytes_text(out, name);
	add_zip64(out, e);
}

void craft_zip(struct bytes *out, const struct craft_entry *entries, size_t count,
	       const struct craft_zip_options *options)
{
	static const struct craft_zip_options plain;
	size_t *offsets = must(calloc(count ? count : 1, sizeof(*offsets)));
	size_t start = out->size, central, end, i;

	options = options ? options : &plain;
	for (i = 0; i < count; i++) {
		offsets[i] = out->size - start;
		bytes_number(out, 0x04034b50, 4);
		add_common(out, &entries[i], entries[i].name, (uint32_t)entries[i].size);
		bytes_text(out, entries[i].name);
		add_zip64(out, &entries[i]);
		bytes_fill(out, 0, encryption_bytes(&entries[i]));
		bytes_add(out, entries[i].data, entries[i].size);
	}
	if (options->repeat_offset_of)
		offsets[0] = offsets[options->repeat_offset_of];
	central = out->size - start;
	for (i = 0; i < count; i++)
		add_central(out, &entries[i], offsets[i]);
	end = out->size - start;
	free(offsets);
	if (options->no_end)
		return;
	bytes_number(out, 0x06054b50, 4);
	bytes_number(out, 0, 2 + 2);
	bytes_number(out, count, 2);
	bytes_number(out, count, 2);
	bytes_number(out, end - central, 4);
	bytes_number(out, options->bad_end ? 0x7ffffff0 : central, 4);
	bytes_number(out, 0, 2);
}

/* ------------------------------------------------------------------------------------------- */
/* pickle                                                                                      */

void pickle_text(struct bytes *out, const char *text)
{
	bytes_text(out, "X");
	bytes_number(out, strlen(text), 4);
	bytes_text(out, text);
}

void pickle_int(struct bytes *out, int64_t value)
{
	if (value >= INT32_MIN && value <= INT32_MAX) {
		bytes_text(out, "J");
		bytes_number(out, (uint64_t)value, 4);
	} else {
		bytes_number(out, 0x8a, 1);
		bytes_number(out, 8, 1);
		bytes_number(out, (uint64_t)value, 8);
	}
}

void pickle_storage(struct bytes *out, int dtype, const char *key, int64_t elements)
{
	static const char *const types[] = {"", "Float", "BFloat16", "Half"};

	bytes_text(out, "(");
	pickle_text(out, "storage");
	bytes_text(out, "ctorch\n");
	bytes_text(out, types[dtype]);
	bytes_text(out, "Storage\n");
	pickle_text(out, key);
	pickle_text(out, "cpu");
	pickle_int(out, elements);
	bytes_text(out, "tQ");
}

static void pickle_tensor(struct bytes *out, const struct craft_tensor *t, const char *key)
{
	int64_t stride = elements_of(t);
	int i;

	bytes_text(out, "ctorch._utils\n_rebuild_tensor_v2\n(");
	pickle_storage(out, t->dtype, key, elements_of(t));
	bytes_text(out, "K");
	bytes_number(out, 0, 1);
	bytes_text(out, "(");
	for (i = 0; i < t->rank; i++)
		pickle_int(out, t->shape[i]);
	bytes_text(out, "t(");
	for (i = 0; i < t->rank; i++) {
		stride /= t->shape[i];
		pickle_int(out, stride);
	}
	bytes_text(out, "t\x89"
			"ccollections\nOrderedDict\n)RtR");
}

void craft_pickle(struct bytes *out, const struct craft_tensor *tensors, size_t count)
{
	bool one = count == 1 && !*tensors[0].name;
	char key[24];
	size_t i;

	bytes_add(out, "\x80\x02", 2);
	if (!one)
		bytes_text(out, "}q");
	if (!one)
		bytes_number(out, 0, 1);
	if (!one)
		bytes_text(out, "(");
	for (i = 0; i < count; i++) {
		snprintf(key, sizeof(key), "%zu", i);
		if (!one)
			pickle_text(out, tensors[i].name);
		pickle_tensor(out, &tensors[i], key);
	}
	bytes_text(out, one ? "." : "u.");
}

void craft_archive(struct bytes *out, const struct craft_tensor *tensors, size_t count)
{
	struct craft_entry *entries = must(calloc(count + 2, sizeof(*entries)));
	char *names = must(malloc(32 * (count + 1)));
	struct bytes pickle = {0};
	size_t i;

	craft_pickle(&pickle, tensors, count);
	entries[0] = (struct craft_entry){
		.name = "model/data.pkl", .data = pickle.data, .size = pickle.size};
	entries[1] = (struct craft_entry){.name = "model/byteorder", .data = "little", .size = 6};
	for (i = 0; i < count; i++) {
		snprintf(names + 32 * i, 32, "model/data/%zu", i);
		entries[i + 2] = (struct craft_entry){.name = names + 32 * i,
						      .data = tensors[i].data,
						      .size = tensor_bytes(&tensors[i])};
	}
	craft_zip(out, entries, count + 2, NULL);
	bytes_free(&pickle);
	free(names);
	free(entries);
}
