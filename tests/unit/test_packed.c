/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packed files that are not what they say: metadata, configuration, tensors, values.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fvsr/fvsr.h"
#include "model/config.h"
#include "model/weights.h"
#include "released.h"

#define FORMAT  "\"format\":\"fvsr-packed\","
#define VERSION "\"format_version\":\"1\","
#define LQ      "\"lq_version\":\"v1.1\","
#define KEYS                                                                                       \
	"\\\"dim\\\":12,\\\"num_heads\\\":2,\\\"num_layers\\\":2,\\\"ffn_dim\\\":8,"               \
	"\\\"in_dim\\\":4,\\\"out_dim\\\":4,\\\"text_dim\\\":4,\\\"text_len\\\":3,"                \
	"\\\"freq_dim\\\":8,\\\"lq_hidden1\\\":2,\\\"lq_hidden2\\\":3,\\\"lq_layers\\\":1"
#define CONFIG "\"config\":\"{" KEYS ",\\\"dec_channels\\\":[4,3,2,2]}\""
#define GOOD   "{" FORMAT VERSION LQ CONFIG "}"

static char *folder;
static char path[512];
static struct craft_tensor *tensors; /* all of a model, with prefixes */
static size_t count;
static char (*names)[64];

static void flatten(const struct released *r)
{
	static const char *const prefixes[] = {"dit.", "lq.", "dec.", "prompt"};
	size_t part, i;

	for (part = 0; part < RELEASED_PARTS; part++)
		count += r->counts[part];
	tensors = calloc(count + 30, sizeof(*tensors));
	names = calloc(count + 30, sizeof(*names));
	count = 0;
	for (part = 0; part < RELEASED_PARTS; part++) {
		for (i = 0; i < r->counts[part]; i++) {
			tensors[count] = r->parts[part][i];
			snprintf(names[count], sizeof(*names), "%s%s", prefixes[part],
				 tensors[count].name);
			tensors[count].name = names[count];
			count++;
		}
	}
}

static void write_packed(const char *metadata)
{
	struct bytes b = {0};

	craft_st_tensors(&b, tensors, count, metadata);
	write_file(path, b.data, b.size);
	bytes_free(&b);
}

static void expect(const char *name, int code, const char *message)
{
	struct fvsr_weights *weights = NULL;
	struct fvsr_error err = {""};
	int result = fvsr_weights_open(&weights, path, false, NULL, NULL, &err);

	if (!CHECK_CASE(result == code && strstr(err.text, message), name))
		printf("  got %d '%s'\n", result, err.text);
	fvsr_weights_close(weights);
}

static void test_metadata(void)
{
	static const struct {
		const char *metadata;
		int code;
		const char *message;
	} cases[] = {
		{GOOD, 0, ""},
		{"{\"name\":\"n\",\"licence\":\"MIT\"," FORMAT VERSION LQ CONFIG "}", 0, ""},
		{NULL, FVSR_ERR_FORMAT, "is not a packed model"},
		{"{" VERSION LQ CONFIG "}", FVSR_ERR_FORMAT, "is not a packed model"},
		{"{\"format\":\"pt\"," VERSION LQ CONFIG "}", FVSR_ERR_FORMAT,
		 "is not a packed model"},
		{"{" FORMAT LQ CONFIG "}", FVSR_ERR_UNSUPPORTED, "another version"},
		{"{" FORMAT "\"format_version\":\"2\"," LQ CONFIG "}", FVSR_ERR_UNSUPPORTED,
		 "another version"},
		{"{" FORMAT VERSION CONFIG "}", FVSR_ERR_FORMAT, "lacks config or lq_version"},
		{"{" FORMAT VERSION "\"lq_version\":\"v3\"," CONFIG "}", FVSR_ERR_FORMAT,
		 "lacks config or lq_version"},
		{"{" FORMAT VERSION "\"lq_version\":\"v1\"}", FVSR_ERR_FORMAT,
		 "lacks config or lq_version"},
		{"{" FORMAT VERSION LQ "\"config\":\"{}\"}", FVSR_ERR_FORMAT, "dim is missing"},
		{"{" FORMAT VERSION LQ "\"config\":\"\"}", FVSR_ERR_FORMAT,
		 "does not begin with '{'"},
		{"{" FORMAT VERSION LQ "\"config\":\"{" KEYS
		 ",\\\"dec_channels\\\":[4,3,2,2],\\\"new\\\":1}\"}",
		 FVSR_ERR_FORMAT, "unknown key 'new'"},
		{"{" FORMAT VERSION LQ "\"config\":\"{" KEYS
		 ",\\\"dec_channels\\\":[4,3,2,2],\\\"dec_depth_to_space\\\":true}\"}",
		 FVSR_ERR_FORMAT, "must be 12 x 4 x 3 x 3"},
		{"{" FORMAT VERSION LQ "\"config\":\"{" KEYS ",\\\"dec_channels\\\":[4,3,2,3]}\"}",
		 FVSR_ERR_FORMAT, "must be"},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_packed(cases[i].metadata);
		expect(cases[i].metadata ? cases[i].metadata : "no metadata", cases[i].code,
		       cases[i].message);
	}
}

/* Leaves out each tensor in turn; then gives it a wrong first dimension that keeps its size. */
static void test_each_tensor(void)
{
	size_t i, n = count;

	for (i = 0; i < n; i++) {
		struct craft_tensor taken = tensors[i], last = tensors[n - 1];

		tensors[i] = last;
		count = n - 1;
		write_packed(GOOD);
		expect(taken.name, FVSR_ERR_FORMAT, taken.name);
		count = n;
		tensors[i] = taken;
		if (taken.rank < 5) {
			tensors[i].shape[taken.rank] = 1;
			tensors[i].rank++;
			write_packed(GOOD);
			expect(taken.name, FVSR_ERR_FORMAT, "must be");
			tensors[i] = taken;
		}
	}
}

static void test_types(void)
{
	struct craft_tensor before = tensors[0];

	tensors[0].dtype = FVSR_DTYPE_F16;
	write_packed(GOOD);
	expect("F16", FVSR_ERR_FORMAT, "is F16, must be F32 or BF16");
	tensors[0].dtype = 4;
	write_packed(GOOD);
	expect("I16", FVSR_ERR_FORMAT, "is I16, must be F32 or BF16");
	tensors[0].dtype = FVSR_DTYPE_BF16;
	write_packed(GOOD);
	expect("mixed types", 0, "");
	tensors[0] = before;
}

static void count_line(void *opaque, enum fvsr_log_level level, const char *text)
{
	(void)level;
	*(int *)opaque += strstr(text, "unknown tensor") != NULL;
}

static void test_unknown(void)
{
	static const float zero;
	struct fvsr_weights *weights;
	struct fvsr_error err;
	int lines = 0;
	struct fvsr_log log = {count_line, &lines};
	size_t i, n = count;

	for (i = 0; i < 25; i++) {
		snprintf(names[count], sizeof(*names), "other.%zu", i);
		tensors[count] = (struct craft_tensor){names[count], 1, 1, {1}, &zero};
		count++;
	}
	write_packed(GOOD);
	CHECK(fvsr_weights_open(&weights, path, false, &log, NULL, &err) == 0);
	CHECK(lines == 21);
	fvsr_weights_close(weights);
	count = n;
}

static void test_reading(void)
{
	static const uint16_t halves[12] = {0x3f80, 0x7fc0};
	static const float values[12] = {0, 0, 0, __builtin_inff()};
	struct craft_tensor first = tensors[0], second = tensors[1];
	struct fvsr_weights *weights;
	struct fvsr_weight weight;
	struct fvsr_error err;
	float out[12];

	CHECK(tensors[1].rank == 1 && tensors[1].shape[0] == 12);
	tensors[1].dtype = FVSR_DTYPE_BF16;
	tensors[1].data = halves;
	tensors[3].data = values;
	write_packed(GOOD);
	if (!CHECK(fvsr_weights_open(&weights, path, false, NULL, NULL, &err) == 0))
		return;
	CHECK(fvsr_weights_find(weights, names[1], &weight, &err) == 0);
	CHECK(fvsr_weights_read(weights, &weight, 0, 1, out, &err) == 0 && out[0] == 1.0f);
	CHECK(fvsr_weights_read(weights, &weight, 0, 2, out, &err) == FVSR_ERR_FORMAT);
	CHECK(fvsr_weights_read(weights, &weight, 12, 0, out, &err) == 0);
	CHECK(fvsr_weights_read(weights, &weight, 12, 1, out, &err) == FVSR_ERR_ARGUMENT);
	CHECK(fvsr_weights_find(weights, names[3], &weight, &err) == 0);
	CHECK(fvsr_weights_read(weights, &weight, 0, 12, out, &err) == FVSR_ERR_FORMAT);
	CHECK(strstr(err.text, "element 3 is not a finite number"));
#ifdef _WIN32
	CHECK(!resize_file(path, 20000)); /* while it is read */
	fvsr_weights_close(weights);
	CHECK(resize_file(path, 20000));
#else
	CHECK(resize_file(path, 20000));
	CHECK(fvsr_weights_find(weights, "prompt", &weight, &err) == 0);
	CHECK(fvsr_weights_read(weights, &weight, 0, 12, out, &err) == FVSR_ERR_IO);
	CHECK(strstr(err.text, "has become shorter"));
	fvsr_weights_close(weights);
#endif
	expect("truncated", FVSR_ERR_FORMAT, "past the end");
	tensors[0] = first;
	tensors[1] = second;
}

int main(void)
{
	struct released r;

	folder = temp_create();
	temp_path(path, folder, "model.safetensors");
	if (!released_load(&r, folder))
		return 1;
	flatten(&r);
	test_metadata();
	test_each_tensor();
	test_types();
	test_unknown();
	test_reading();
	free(tensors);
	free(names);
	released_free(&r);
	temp_remove(folder);
	return check_result();
}
