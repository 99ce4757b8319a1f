/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PyTorch archives: good ones give their tensors, bad zips and zips with bad contents are errors.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "craft.h"
#include "model/archive.h"

#define MAX_ENTRIES 6

static const float numbers[6] = {1, -2, 3, -4, 5.5f, 6};
static struct bytes good_pickle; /* one tensor 'w' of 2 x 3 F32 in data/0 */

static int read_bytes(const struct bytes *b, struct fvsr_archive *out, struct fvsr_error *err)
{
	unsigned char *copy = malloc(b->size ? b->size : 1);
	struct fvsr_file *file;
	int result;

	if (b->size)
		memcpy(copy, b->data, b->size);
	err->text[0] = '\0';
	result = fvsr_file_open_memory(&file, copy, b->size, "test.ckpt", err);
	if (result >= 0) {
		result = fvsr_archive_read(out, file, NULL, err);
		fvsr_file_close(file);
	}
	free(copy);
	return result;
}

static void expect(const struct bytes *b, const char *name, const char *message)
{
	struct fvsr_archive archive;
	struct fvsr_error err;
	int result = read_bytes(b, &archive, &err);
	bool ok = message ? result == FVSR_ERR_FORMAT && strstr(err.text, message) : result == 0;

	if (!CHECK_CASE(ok, name))
		printf("  got %d '%s'\n", result, err.text);
	if (result >= 0) {
		CHECK_CASE(archive.count == 1, name);
		CHECK_CASE(!memcmp(archive.tensors[0].data, numbers, sizeof(numbers)), name);
		fvsr_archive_free(&archive);
	}
}

/* Fills in the good archive's entries, to be spoilt, and returns how many. */
static size_t good_entries(struct craft_entry entries[MAX_ENTRIES])
{
	memset(entries, 0, MAX_ENTRIES * sizeof(*entries));
	entries[0].name = "m/data.pkl";
	entries[0].data = good_pickle.data;
	entries[0].size = good_pickle.size;
	entries[1].name = "m/byteorder";
	entries[1].data = "little";
	entries[1].size = 6;
	entries[2].name = "m/data/0";
	entries[2].data = numbers;
	entries[2].size = sizeof(numbers);
	entries[3].name = "m/version";
	entries[3].data = "3\n";
	entries[3].size = 2;
	return 4;
}

static void check_zip(const struct craft_entry *entries, size_t count,
		      const struct craft_zip_options *options, const char *name,
		      const char *message)
{
	struct bytes b = {0};

	craft_zip(&b, entries, count, options);
	expect(&b, name, message);
	bytes_free(&b);
}

static void test_good(void)
{
	struct craft_entry e[MAX_ENTRIES];
	size_t n = good_entries(e);

	check_zip(e, n, NULL, "good archive", NULL);
	e[1] = e[3];
	check_zip(e, 3, NULL, "without byteorder", NULL);
}

static void test_end_record(void)
{
	struct craft_zip_options bad_end = {.bad_end = true}, no_end = {.no_end = true};
	struct craft_entry e[MAX_ENTRIES];
	size_t n = good_entries(e);

	check_zip(e, n, &bad_end, "central directory past the end", "zip:");
	check_zip(e, n, &no_end, "no end record", "zip:");
	check_zip(e, 0, NULL, "no entries", "entries");
}

static void test_headers(void)
{
	struct craft_zip_options repeat = {.repeat_offset_of = 2};
	struct craft_entry e[MAX_ENTRIES];
	size_t n = good_entries(e);

	e[2].central_name = "m/data/1";
	check_zip(e, n, NULL, "names disagree", "zip:");
	good_entries(e);
	e[2].central_size = 20;
	check_zip(e, n, NULL, "sizes disagree", "zip:");
	good_entries(e);
	e[2].central_size = 0x7fffffff;
	check_zip(e, n, NULL, "size past the file", "zip:");
	good_entries(e);
	e[2].zip64_size = true;
	check_zip(e, n, NULL, "ZIP64 size of 2^40", "zip:");
	good_entries(e);
	check_zip(e, n, &repeat, "two entries at one place", "zip:");
	good_entries(e);
	e[2].wrong_crc = true;
	check_zip(e, n, NULL, "wrong CRC of a storage", "zip: CRC");
	good_entries(e);
	e[0].wrong_crc = true;
	check_zip(e, n, NULL, "wrong CRC of data.pkl", "zip: CRC");
}

static void test_methods(void)
{
	struct craft_entry e[MAX_ENTRIES];
	size_t n = good_entries(e);

	e[2].method = 8;
	check_zip(e, n, NULL, "deflated storage", "is compressed");
	good_entries(e);
	e[0].method = 12;
	check_zip(e, n, NULL, "bzip2 data.pkl", "is compressed");
	good_entries(e);
	e[3].method = 8;
	check_zip(e, n, NULL, "compressed entry that nobody reads", "is compressed");
	good_entries(e);
	e[2].flags = 1;
	check_zip(e, n, NULL, "encrypted storage", "is encrypted");
}

static void test_names(void)
{
	static const struct {
		const char *name, *message;
	} names[] = {
		{"../data/1", "unsafe name"},
		{"m/../../x", "unsafe name"},
		{"/m/x", "unsafe name"},
		{"m\\x", "unsafe name"},
		{"c:/x", "unsafe name"},
		{"m//x", "unsafe name"},
		{"", "unsafe name"},
		{"n/x", "not in the folder"},
		{"x", "not in the folder"},
		{"m/data/0", "is there twice"},
		{"m/data.pkl", "is there twice"},
		{"m/sub/data.pkl", "several data.pkl"},
		{"m/byteorder", "is there twice"},
	};
	struct craft_entry e[MAX_ENTRIES];
	size_t i, n = good_entries(e);

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct fvsr_archive archive;
		struct fvsr_error err;
		struct bytes b = {0};
		int result;

		e[3].name = names[i].name;
		craft_zip(&b, e, n, NULL);
		result = read_bytes(&b, &archive, &err);
		/* libzip itself refuses some of them, in other words. */
		if (!CHECK_CASE(result == FVSR_ERR_FORMAT && (strstr(err.text, names[i].message) ||
							      strstr(err.text, "zip:")),
				names[i].name))
			printf("  got %d '%s'\n", result, err.text);
		bytes_free(&b);
	}
	good_entries(e);
	e[0].name = "data.pkl";
	check_zip(e, n, NULL, "no folder", "is in no folder");
	good_entries(e);
	e[0].name = "m/pickle";
	check_zip(e, n, NULL, "no data.pkl", "no data.pkl");
}

static void test_contents(void)
{
	struct craft_entry e[MAX_ENTRIES];
	struct bytes large = {0};
	size_t n = good_entries(e);

	e[1].data = "big";
	e[1].size = 3;
	check_zip(e, n, NULL, "big-endian", "byte order");
	e[1].data = "bigbig";
	e[1].size = 6;
	check_zip(e, n, NULL, "byte order of six letters", "byte order");
	good_entries(e);
	e[2].name = "m/data/1";
	check_zip(e, n, NULL, "storage missing", "data/0 is missing");
	good_entries(e);
	e[2].size = 20;
	check_zip(e, n, NULL, "storage too short", "not as long as the pickle says");
	good_entries(e);
	e[2].data = "0123456789012345678901234";
	e[2].size = 25;
	check_zip(e, n, NULL, "storage too long", "not as long as the pickle says");
	good_entries(e);
	e[2].size = 0;
	check_zip(e, n, NULL, "storage empty", "not as long as the pickle says");
	good_entries(e);
	e[0].size = 0;
	check_zip(e, n, NULL, "data.pkl empty", "pickle: does not begin");
	good_entries(e);
	e[0].size--;
	check_zip(e, n, NULL, "data.pkl cut", "pickle: has no end");
	bytes_fill(&large, '(', (1 << 20) + 1);
	e[0].data = large.data;
	e[0].size = large.size;
	check_zip(e, n, NULL, "data.pkl of a megabyte", "above 1 MiB");
	bytes_free(&large);
}

/* Reads every prefix, and the archive with each byte of its headers changed: no crash, no hang. */
static void test_damaged(void)
{
	struct craft_entry e[MAX_ENTRIES];
	struct fvsr_archive archive;
	struct fvsr_error err;
	struct bytes b = {0};
	size_t whole, i, survived = 0;

	craft_zip(&b, e, good_entries(e), NULL);
	whole = b.size;
	for (b.size = 0; b.size < whole; b.size++)
		CHECK(read_bytes(&b, &archive, &err) < 0);
	for (i = 0; i < whole; i++) {
		b.data[i] ^= 0x55;
		if (read_bytes(&b, &archive, &err) >= 0) {
			survived++;
			fvsr_archive_free(&archive);
		}
		b.data[i] ^= 0x55;
	}
	/* Dates, versions and attributes say nothing about weights; all else must count. */
	CHECK(survived < whole / 8);
	expect(&b, "restored", NULL);
	bytes_free(&b);
}

static void test_several(void)
{
	static const uint16_t halves[4] = {0x3f80, 0x4000, 0x4040, 0x4080};
	static const struct craft_tensor tensors[] = {
		{"a", FVSR_DTYPE_F32, 2, {2, 3}, numbers},
		{"b", FVSR_DTYPE_BF16, 1, {4}, halves},
	};
	static const struct craft_tensor prompt = {"", FVSR_DTYPE_BF16, 3, {1, 2, 2}, halves};
	const struct fvsr_archive_tensor *t;
	struct fvsr_archive archive;
	struct fvsr_error err;
	struct bytes b = {0};

	craft_archive(&b, tensors, 2);
	if (CHECK(read_bytes(&b, &archive, &err) == 0)) {
		t = fvsr_archive_find(&archive, "b");
		CHECK(t && t->dtype == FVSR_DTYPE_BF16 && t->count == 4 && t->rank == 1);
		CHECK(t && !memcmp(t->data, halves, sizeof(halves)));
		CHECK(!fvsr_archive_find(&archive, "c"));
		fvsr_archive_free(&archive);
	}
	b.size = 0;
	craft_archive(&b, &prompt, 1);
	if (CHECK(read_bytes(&b, &archive, &err) == 0)) {
		t = fvsr_archive_find(&archive, "");
		CHECK(t && t->rank == 3 && t->shape[2] == 2);
		fvsr_archive_free(&archive);
	}
	bytes_free(&b);
}

int main(void)
{
	static const struct craft_tensor w = {"w", FVSR_DTYPE_F32, 2, {2, 3}, numbers};

	craft_pickle(&good_pickle, &w, 1);
	test_good();
	test_end_record();
	test_headers();
	test_methods();
	test_names();
	test_contents();
	test_damaged();
	test_several();
	bytes_free(&good_pickle);
	return check_result();
}
