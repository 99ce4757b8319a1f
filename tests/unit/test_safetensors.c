/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The safetensors reader against every kind of bad file that a loader must survive, and against
 * good ones, read through the public interface.
 */
#include <stdlib.h>
#include <string.h>
#ifndef _WIN32
#include <sys/stat.h>
#endif

#ifdef _WIN32
#define WINDOWS true
#else
#define WINDOWS false
#endif

#include "check.h"
#include "craft.h"
#include "fvsr/fvsr.h"

#define ONE "{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}"

struct st_case {
	const char *name;
	const char *header;
	size_t data_bytes;
	const char *message; /* part of it; NULL: the file is good */
};

static const struct st_case cases[] = {
	{"one tensor", "{\"a\":" ONE "}", 4, NULL},
	{"padded with spaces", "{\"a\":" ONE "}     ", 4, NULL},
	{"metadata", "{\"__metadata__\":{\"k\":\"v\"},\"a\":" ONE "}", 4, NULL},
	{"no tensors", "{}", 0, NULL},
	{"five dimensions",
	 "{\"a\":{\"dtype\":\"U8\",\"shape\":[1,2,1,2,1],\"data_offsets\":[0,4]}}", 4, NULL},
	{"scalar", "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, NULL},
	{"escapes", "{\"\\u00e9\\ud83d\\ude00\\n\\\"\":" ONE "}", 4, NULL},
	{"out of order",
	 "{\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]},"
	 "\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
	 4, NULL},

	{"first byte", " {\"a\":" ONE "}", 4, "does not begin with '{'"},
	{"an array", "[1]", 0, "does not begin with '{'"},
	{"bad UTF-8 in a name", "{\"\xff\":" ONE "}", 4, "not UTF-8"},
	{"overlong UTF-8", "{\"\xc0\xaf\":" ONE "}", 4, "not UTF-8"},
	{"surrogate in UTF-8", "{\"\xed\xa0\x80\":" ONE "}", 4, "not UTF-8"},
	{"beyond Unicode", "{\"\xf4\x90\x80\x80\":" ONE "}", 4, "not UTF-8"},
	{"cut UTF-8", "{\"\xe2\x82", 4, "not UTF-8"},
	{"escaped NUL in a name", "{\"a\\u0000\":" ONE "}", 4, "bad JSON"},
	{"not JSON", "{\"a\":", 0, "bad JSON"},
	{"open string", "{\"a", 0, "bad JSON"},
	{"backslash at the end", "{\"a\\", 0, "bad JSON"},
	{"control byte in a string", "{\"a\x01\":" ONE "}", 4, "string without its end"},
	{"unknown escape", "{\"\\x\":" ONE "}", 4, "unknown escape"},
	{"bad \\u escape", "{\"\\u12g4\":" ONE "}", 4, "bad \\u escape"},
	{"cut \\u escape", "{\"\\u12", 0, "bad \\u escape"},
	{"lone surrogate", "{\"\\ud800\":" ONE "}", 4, "half a surrogate"},
	{"low surrogate first", "{\"\\udc00\":" ONE "}", 4, "half a surrogate"},
	{"wrong second surrogate", "{\"\\ud800\\u0041\":" ONE "}", 4, "half a surrogate"},
	{"no colon", "{\"a\" " ONE "}", 4, "no colon"},
	{"no comma", "{\"a\":" ONE " \"b\":" ONE "}", 4, "neither a comma nor an end"},
	{"comma at the end", "{\"a\":" ONE ",}", 4, "no key"},
	{"wrong bracket", "{\"a\":[1}", 0, "neither a comma nor an end"},
	{"word", "{\"a\":nul}", 0, "no value"},
	{"leading zero", "{\"a\":01}", 0, "bad number"},
	{"lone minus", "{\"a\":-}", 0, "bad number"},
	{"no digits behind the point", "{\"a\":1.}", 0, "bad number"},
	{"no digits in the exponent", "{\"a\":1e+}", 0, "bad number"},
	{"text behind the object", "{} {}", 0, "bad JSON"},
	{"nested deeply", "{\"a\":{\"shape\":[[[[[[4]]]]]]}}", 4, "nested deeper"},
	{"duplicate tensor", "{\"a\":" ONE ",\"a\":" ONE "}", 4, "a duplicate key"},
	{"duplicate field",
	 "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4,
	 "a duplicate key"},
	{"duplicate metadata", "{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}", 0, "a duplicate key"},

	{"tensor is a number", "{\"a\":4}", 4, "not described by an object"},
	{"no dtype", "{\"a\":{\"shape\":[4],\"data_offsets\":[0,4]}}", 4, "dtype is missing"},
	{"dtype is a number", "{\"a\":{\"dtype\":8,\"shape\":[4],\"data_offsets\":[0,4]}}", 4,
	 "dtype is missing or not a string"},
	{"unknown dtype", "{\"a\":{\"dtype\":\"F33\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4,
	 "unknown dtype"},
	{"no shape", "{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,4]}}", 4, "shape is missing"},
	{"shape is text", "{\"a\":{\"dtype\":\"U8\",\"shape\":\"4\",\"data_offsets\":[0,4]}}", 4,
	 "shape is missing or not a list"},
	{"no offsets", "{\"a\":{\"dtype\":\"U8\",\"shape\":[4]}}", 4, "data_offsets is missing"},
	{"one offset", "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4]}}", 4,
	 "data_offsets is missing or not two"},
	{"three offsets", "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4,4]}}", 4,
	 "data_offsets is missing or not two"},
	{"offsets are text",
	 "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[\"0\",\"4\"]}}", 4,
	 "not two whole numbers"},
	{"extra field", "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4],\"x\":1}}",
	 4, "has fields that"},
	{"metadata is a list", "{\"__metadata__\":[]}", 0, "__metadata__ is not an object"},
	{"metadata holds a number", "{\"__metadata__\":{\"a\":1}}", 0,
	 "something else than strings"},

	{"negative dimension", "{\"a\":{\"dtype\":\"U8\",\"shape\":[-4],\"data_offsets\":[0,4]}}",
	 4, "not a positive whole number"},
	{"dimension 0", "{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0,
	 "not a positive whole number"},
	{"fractional dimension",
	 "{\"a\":{\"dtype\":\"U8\",\"shape\":[4.0],\"data_offsets\":[0,4]}}", 4,
	 "not a positive whole number"},
	{"dimension 1e400", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1e400],\"data_offsets\":[0,4]}}",
	 4, "not a positive whole number"},
	{"dimension 2^63",
	 "{\"a\":{\"dtype\":\"U8\",\"shape\":[9223372036854775808],\"data_offsets\":[0,4]}}", 4,
	 "not a positive whole number"},
	{"six dimensions",
	 "{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,4],\"data_offsets\":[0,4]}}", 4,
	 "more than 5 dimensions"},
	{"product wraps to 4",
	 "{\"a\":{\"dtype\":\"U8\",\"shape\":[4,4611686018427387905],\"data_offsets\":[0,4]}}", 4,
	 "overflows"},
	{"product wraps to 0 on the way",
	 "{\"a\":{\"dtype\":\"U8\",\"shape\":[4294967296,4294967296,4],\"data_offsets\":[0,4]}}", 4,
	 "overflows"},
	{"bytes wrap",
	 "{\"a\":{\"dtype\":\"F64\",\"shape\":[2305843009213693952],\"data_offsets\":[0,4]}}", 4,
	 "overflows"},

	{"begin above end", "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,0]}}", 4,
	 "negative or reversed"},
	{"negative begin", "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[-4,0]}}", 4,
	 "negative or reversed"},
	{"past the end", "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[1,5]}}", 4,
	 "past the end"},
	{"far past the end",
	 "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],"
	 "\"data_offsets\":[9223372036854775803,9223372036854775807]}}",
	 4, "past the end"},
	{"truncated data", "{\"a\":" ONE "}", 3, "past the end"},
	{"longer than its shape", "{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,4]}}",
	 4, "not as long as shape and type"},
	{"shorter than its shape",
	 "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4,
	 "not as long as shape and type"},
	{"overlap",
	 "{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
	 "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}",
	 4, "overlaps"},
	{"the same bytes twice", "{\"a\":" ONE ",\"b\":" ONE "}", 4, "overlaps"},
	{"gap",
	 "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
	 "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}",
	 4, "gap"},
	{"gap at the start", "{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[1,4]}}", 4,
	 "gap"},
	{"bytes behind", "{\"a\":" ONE "}", 5, "bytes behind the last tensor"},
};

static char *folder;

static int open_bytes(const struct bytes *b, fvsr_tensors **out, struct fvsr_error *err)
{
	char path[512];

	write_file(temp_path(path, folder, "case.safetensors"), b->data, b->size);
	err->text[0] = '\0';
	return fvsr_tensors_open(out, path, err);
}

/* Opens 'b' and expects the error; 'message' NULL expects success. */
static void expect(const struct bytes *b, const char *name, int code, const char *message)
{
	struct fvsr_error err;
	fvsr_tensors *file = NULL;
	int result = open_bytes(b, &file, &err);
	bool ok = message ? result == code && strstr(err.text, message) : result == 0;

	if (!CHECK_CASE(ok, name))
		printf("  got %d '%s'\n", result, result < 0 ? err.text : "");
	CHECK_CASE((result < 0) == !file, name);
	fvsr_tensors_close(file);
}

static void test_cases(void)
{
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes b = {0};

		craft_st(&b, cases[i].header, cases[i].data_bytes);
		expect(&b, cases[i].name, FVSR_ERR_FORMAT, cases[i].message);
		bytes_free(&b);
	}
}

/* Cuts a file at every length: none but the whole may open. */
static void test_truncated(void)
{
	struct bytes b = {0};
	size_t whole;

	craft_st(&b, "{\"a\":" ONE "}", 4);
	whole = b.size;
	for (b.size = 0; b.size < whole; b.size++)
		expect(&b, "truncated file", FVSR_ERR_FORMAT, "");
	expect(&b, "whole file", 0, NULL);
	bytes_free(&b);
}

static void test_lengths(void)
{
	static const struct {
		const char *name;
		uint64_t length;
		const char *message;
	} lengths[] = {
		{"header length 0", 0, "empty header"},
		{"header length 2^64 - 1", UINT64_MAX, "longer than the file"},
		{"header length wraps with the 8", UINT64_MAX - 7, "longer than the file"},
		{"header length 2^63", 1ull << 63, "longer than the file"},
		{"header one longer than the file", 3, "longer than the file"},
		{"header as long as file and length", 10, "longer than the file"},
	};
	size_t i;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct bytes b = {0};

		bytes_number(&b, lengths[i].length, 8);
		bytes_text(&b, "{}");
		expect(&b, lengths[i].name, FVSR_ERR_FORMAT, lengths[i].message);
		bytes_free(&b);
	}
}

/* Opens a sparse file whose header would have 100 MB and a byte: refused before it is read. */
static void test_large_header(void)
{
	struct fvsr_error err = {""};
	fvsr_tensors *file = NULL;
	struct bytes b = {0};
	char path[512];

	bytes_number(&b, 100000001, 8);
	write_file(temp_path(path, folder, "large"), b.data, b.size);
	CHECK(resize_file(path, 8 + 100000001));
	CHECK(fvsr_tensors_open(&file, path, &err) == FVSR_ERR_FORMAT);
	CHECK(strstr(err.text, "above 100 MB"));
	bytes_free(&b);
}

static void test_nul(void)
{
	struct bytes b = {0};

	bytes_number(&b, 3, 8);
	bytes_add(&b, "{\0}", 3);
	expect(&b, "NUL in the header", FVSR_ERR_FORMAT, "NUL");
	bytes_free(&b);
}

static void test_deep(void)
{
	struct bytes b = {0};

	bytes_number(&b, 5 + 100000, 8);
	bytes_text(&b, "{\"a\":");
	bytes_fill(&b, '[', 100000);
	expect(&b, "100,000 brackets", FVSR_ERR_FORMAT, "nested deeper");
	bytes_free(&b);
}

/* Makes 'count' tensors of one byte each, or empty objects. */
static void craft_many(struct bytes *b, size_t count, bool tensors)
{
	struct bytes header = {0};
	char text[128];
	size_t i;

	for (i = 0; i < count; i++) {
		snprintf(text, sizeof(text),
			 tensors ? "%c\"t%zu\":{\"dtype\":\"U8\",\"shape\":[1],"
				   "\"data_offsets\":[%zu,%zu]}"
				 : "%c\"t%zu\":{}",
			 i ? ',' : '{', i, i, i + 1);
		bytes_text(&header, text);
	}
	bytes_text(&header, "}");
	bytes_number(b, header.size, 8);
	bytes_add(b, header.data, header.size);
	bytes_fill(b, 7, tensors ? count : 0);
	bytes_free(&header);
}

static void test_many(void)
{
	struct fvsr_tensor_info info;
	struct fvsr_error err;
	fvsr_tensors *file = NULL;
	struct bytes b = {0};

	craft_many(&b, 16384, true);
	CHECK(open_bytes(&b, &file, &err) == 0);
	CHECK(file && fvsr_tensors_get(file, 16383, &info) == 0);
	CHECK(file && !strcmp(info.name, "t16383"));
	fvsr_tensors_close(file);
	b.size = 0;
	craft_many(&b, 16386, true);
	expect(&b, "16,386 tensors", FVSR_ERR_FORMAT, "more than 16384 tensors");
	b.size = 0;
	craft_many(&b, 100000, true);
	expect(&b, "100,000 tensors", FVSR_ERR_FORMAT, "more than 196608 values");
	b.size = 0;
	craft_many(&b, 900000, false);
	expect(&b, "900,000 objects", FVSR_ERR_FORMAT, "more than 196608 values");
	bytes_free(&b);
}

static void test_kinds(void)
{
	static const char *const names[] = {"folder", "fifo", "missing", "empty"};
	struct fvsr_error err;
	fvsr_tensors *file = NULL;
	char path[512];
	size_t i;

	CHECK(make_folder(temp_path(path, folder, "folder")));
#ifdef _WIN32
	CHECK(fvsr_tensors_open(&file, "NUL", &err) == FVSR_ERR_IO);
#else
	CHECK(mkfifo(temp_path(path, folder, "fifo"), 0600) == 0);
	CHECK(fvsr_tensors_open(&file, "/dev/zero", &err) == FVSR_ERR_IO);
#endif
	CHECK(write_file(temp_path(path, folder, "empty"), "", 0));
	for (i = 0; i < 4; i++) {
		int result = fvsr_tensors_open(&file, temp_path(path, folder, names[i]), &err);

		CHECK_CASE(result == (i == 3 ? FVSR_ERR_FORMAT : FVSR_ERR_IO), names[i]);
	}
	CHECK(fvsr_tensors_open(&file, NULL, &err) == FVSR_ERR_ARGUMENT);
	CHECK(!file);
}

/* Checks that a message stays one printable line whatever the file puts into it. */
static void test_message_text(void)
{
	struct fvsr_error err;
	fvsr_tensors *file = NULL;
	struct bytes b = {0};

	craft_st(&b, "{\"a\\n\\u001b[31m\":{\"dtype\":\"X\"}}", 0);
	CHECK(open_bytes(&b, &file, &err) == FVSR_ERR_FORMAT);
	CHECK(strstr(err.text, "a??[31m") && !strchr(err.text, '\n'));
	bytes_free(&b);
}

static void check_values(const fvsr_tensors *file, size_t index, const float *expected, size_t n)
{
	struct fvsr_tensor_info info;
	float out[8];
	size_t first, i;

	if (!CHECK(fvsr_tensors_get(file, index, &info) == 0))
		return;
	for (first = 0; first < n; first++) {
		CHECK(fvsr_tensor_to_f32(&info, first, n - first, out) == 0);
		for (i = first; i < n; i++)
			CHECK_CASE(out[i - first] == expected[i], info.name);
	}
	CHECK(fvsr_tensor_to_f32(&info, 0, n + 1, out) == FVSR_ERR_ARGUMENT);
	CHECK(fvsr_tensor_to_f32(&info, n + 1, 0, out) == FVSR_ERR_ARGUMENT);
}

static void test_types(void)
{
	static const char header[] =
		"{\"__metadata__\":{\"first\":\"1\",\"second\":\"\xc3\xa9\"},"
		"\"f32\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
		"\"bf16\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[8,14]},"
		"\"f16\":{\"dtype\":\"F16\",\"shape\":[5],\"data_offsets\":[14,24]},"
		"\"u8\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[24,26]},"
		"\"f64\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[26,34]},"
		"\"i32\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[34,38]}}";
	static const float f32[] = {1.5f, -0x1.fffffep+127f}, bf16[] = {1.0f, -2.5f, 0x1p-133f};
	static const float f16[] = {1.0f, -0x1p-24f, 65504.0f, 0x1.ff8p-15f, -0.0f};
	static const float u8[] = {0.0f, 255.0f}, f64[] = {0.1f};
	static const uint16_t raw16[] = {0x3f80, 0xc020, 0x0001, 0x3c00,
					 0x8001, 0x7bff, 0x03ff, 0x8000};
	const double d = 0.1;
	struct fvsr_tensor_info info;
	struct fvsr_error err;
	const char *key = "", *value = "";
	fvsr_tensors *file = NULL;
	struct bytes b = {0};
	float out;

	craft_st(&b, header, 0);
	bytes_add(&b, f32, sizeof(f32));
	bytes_add(&b, raw16, sizeof(raw16));
	bytes_add(&b, "\x00\xff", 2);
	bytes_add(&b, &d, sizeof(d));
	bytes_number(&b, 1, 4);
	if (!CHECK(open_bytes(&b, &file, &err) == 0))
		return;
	check_values(file, 0, f32, 2);
	check_values(file, 1, bf16, 3);
	check_values(file, 2, f16, 5);
	check_values(file, 3, u8, 2);
	check_values(file, 4, f64, 1);
	CHECK(fvsr_tensors_get(file, 5, &info) == 0 && !strcmp(info.dtype, "I32"));
	CHECK(fvsr_tensor_to_f32(&info, 0, 1, &out) == FVSR_ERR_UNSUPPORTED);
	CHECK(fvsr_tensors_get(file, 6, &info) == FVSR_ERR_EOF);
	CHECK(!strcmp(fvsr_tensors_metadata(file, "second"), "\xc3\xa9"));
	CHECK(!fvsr_tensors_metadata(file, "third"));
	CHECK(fvsr_tensors_metadata_at(file, 0, &key, &value) == 0);
	CHECK(!strcmp(key, "first") && !strcmp(value, "1"));
	CHECK(fvsr_tensors_metadata_at(file, 2, &key, &value) == FVSR_ERR_EOF);
	fvsr_tensors_close(file);
	bytes_free(&b);
}

/* Shrinks a file while it is open: what was read stays, and nothing dies. */
static void test_shrinking(void)
{
	struct fvsr_tensor_info info;
	struct fvsr_error err;
	fvsr_tensors *file = NULL;
	struct bytes b = {0};
	char path[512];

	craft_st(&b, "{\"a\":{\"dtype\":\"U8\",\"shape\":[65536],\"data_offsets\":[0,65536]}}",
		 65536);
	if (!CHECK(open_bytes(&b, &file, &err) == 0))
		return;
	/* Windows lets nobody do that to a file that is being read. */
	CHECK(resize_file(temp_path(path, folder, "case.safetensors"), 0) == !WINDOWS);
	CHECK(fvsr_tensors_get(file, 0, &info) == 0);
	CHECK(!memcmp(info.data, b.data + b.size - 65536, 65536));
	fvsr_tensors_close(file);
	bytes_free(&b);
}

int main(void)
{
	folder = temp_create();
	test_cases();
	test_truncated();
	test_lengths();
	test_large_header();
	test_nul();
	test_deep();
	test_many();
	test_kinds();
	test_message_text();
	test_types();
	test_shrinking();
	temp_remove(folder);
	return check_result();
}
