/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Released directories: the configuration read off them, and what is wrong with bad ones.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fvsr/fvsr.h"
#include "model/weights.h"
#include "released.h"

static char *folder;

struct log_count {
	int lines;
	char last[256];
};

static void count_line(void *opaque, enum fvsr_log_level level, const char *text)
{
	struct log_count *count = opaque;

	(void)level;
	count->lines++;
	snprintf(count->last, sizeof(count->last), "%s", text);
}

static int open_folder(struct fvsr_weights **out, struct log_count *count, struct fvsr_error *err)
{
	struct fvsr_log log = {count_line, count};

	memset(count, 0, sizeof(*count));
	err->text[0] = '\0';
	*out = NULL;
	return fvsr_weights_open(out, folder, true, &log, NULL, err);
}

/* Checks that the folder as it is opens, or fails with that code and message. */
static void expect(const char *name, int code, const char *message)
{
	struct fvsr_weights *weights;
	struct log_count count;
	struct fvsr_error err;
	int result = open_folder(&weights, &count, &err);

	if (!CHECK_CASE(result == code && strstr(err.text, message), name))
		printf("  got %d '%s'\n", result, err.text);
	fvsr_weights_close(weights);
}

static void check_first(const struct fvsr_weights *weights, const char *name, float value)
{
	struct fvsr_weight weight;
	struct fvsr_error err;
	float out = 0;

	CHECK_CASE(fvsr_weights_find(weights, name, &weight, &err) == 0, name);
	CHECK_CASE(fvsr_weights_read(weights, &weight, 0, 1, &out, &err) == 0, name);
	CHECK_CASE(out == value, name);
}

static void test_good(struct released *r)
{
	struct fvsr_weights *weights;
	struct log_count count;
	struct fvsr_error err;
	const struct fvsr_config *c;

	CHECK(released_write(r, folder));
	if (!CHECK(open_folder(&weights, &count, &err) == 0)) {
		printf("  %s\n", err.text);
		return;
	}
	c = fvsr_weights_config(weights);
	CHECK(c->dim == 12 && c->num_heads == 2 && c->num_layers == 2 && c->ffn_dim == 8);
	CHECK(c->in_dim == 4 && c->out_dim == 4 && c->text_dim == 4 && c->text_len == 3);
	CHECK(c->freq_dim == 8 && c->lq_hidden1 == 2 && c->lq_hidden2 == 3 && c->lq_layers == 1);
	CHECK(c->dec_channels[0] == 4 && c->dec_channels[1] == 3 && c->dec_channels[2] == 2);
	CHECK(c->dec_channels[3] == 2 && c->lq_version == FVSR_LQ_V1_1 && !c->residual);
	CHECK(count.lines == 0);
	check_first(weights, "lq.conv1.bias",
		    *(const float *)released_find(r, "lq.conv1.bias")->data);
	fvsr_weights_close(weights);
	CHECK(fvsr_weights_open(&weights, folder, false, NULL, NULL, &err) == FVSR_ERR_FORMAT);
	CHECK(strstr(err.text, "is a folder"));
}

static void test_missing_files(struct released *r)
{
	char path[512];
	size_t i;

	for (i = 0; i < RELEASED_PARTS; i++) {
		CHECK(remove_file(temp_path(path, folder, released_files[i])));
		expect(released_files[i], FVSR_ERR_IO, released_files[i]);
		released_write(r, folder);
	}
}

static void test_missing_tensors(void)
{
	static const char *const names[] = {
		"dit.patch_embedding.weight",
		"dit.blocks.0.ffn.0.weight",
		"dit.blocks.1.norm3.bias",
		"dit.head.head.weight",
		"lq.conv1.weight",
		"lq.norm2.gamma",
		"lq.linear_layers.0.bias",
		"dec.decoder.1.weight",
		"dec.decoder.26.bias",
		"dec.decoder.9.conv.weight",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct released r;

		released_load(&r, folder);
		released_drop(&r, names[i]);
		released_write(&r, folder);
		expect(names[i], FVSR_ERR_FORMAT, names[i]);
		expect(names[i], FVSR_ERR_FORMAT, "is missing");
		released_free(&r);
	}
}

/* Tries the same number of elements in another shape, and other numbers of elements. */
static void test_wrong_shapes(void)
{
	static const struct {
		const char *name;
		int rank;
		int64_t shape[5];
		const char *message;
	} changes[] = {
		{"dit.blocks.0.modulation", 2, {6, 12}, "is 6 x 12, must be 1 x 6 x 12"},
		{"dit.time_embedding.2.weight", 1, {144}, "is 144, must be 12 x 12"},
		{"dit.patch_embedding.weight", 5, {12, 4, 1, 1, 4}, "must be 12 x 4 x 1 x 2 x 2"},
		{"dit.patch_embedding.weight", 1, {192}, "impossible shape"},
		{"lq.conv2.bias", 2, {3, 1}, "is 3 x 1, must be 3"},
		{"lq.conv2.bias", 0, {0}, "is scalar, must be 3"},
		{"dec.decoder.3.weight", 4, {4, 4, 9, 1}, "must be 4 x 4 x 3 x 3"},
		{"dec.decoder.9.conv.weight", 4, {2, 4, 1, 1}, "is 2 x 4 x 1 x 1, must be 4"},
		{"dec.decoder.9.conv.weight", 4, {2, 8, 1, 1}, "is 2 x 8 x 1 x 1, must be 4"},
		{"prompt", 2, {3, 4}, "is 3 x 4, must be"},
	};
	size_t i;

	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct released r;
		struct craft_tensor *t;

		released_load(&r, folder);
		t = released_find(&r, changes[i].name);
		t->rank = changes[i].rank;
		memcpy(t->shape, changes[i].shape, sizeof(t->shape));
		released_write(&r, folder);
		expect(changes[i].name, FVSR_ERR_FORMAT, changes[i].message);
		released_free(&r);
	}
}

static void test_types(void)
{
	static const uint16_t halves[12] = {0x3c00, 0x4000};
	struct fvsr_weights *weights;
	struct log_count count;
	struct fvsr_error err;
	struct released r;
	struct craft_tensor *t;

	released_load(&r, folder);
	t = released_find(&r, "dit.patch_embedding.bias");
	t->data = halves;
	t->dtype = 4;
	released_write(&r, folder);
	expect("I16 weights", FVSR_ERR_FORMAT, "not of a type for weights");
	t->dtype = FVSR_DTYPE_F16;
	released_write(&r, folder);
	if (CHECK(open_folder(&weights, &count, &err) == 0))
		check_first(weights, "dit.patch_embedding.bias", 1.0f);
	fvsr_weights_close(weights);
	released_free(&r);
}

/* Tries a TGrow of a decoder that gives more frames, of which the last ones are used. */
static void test_grow(void)
{
	static const float more[5 * 4] = {9, 9, 9, 9, 1, 2, 3, 4};
	static float doubled[4 * 6 * 3];
	struct fvsr_weights *weights;
	struct log_count count;
	struct fvsr_error err;
	struct released r;
	struct craft_tensor *t;

	released_load(&r, folder);
	t = released_find(&r, "dec.decoder.9.conv.weight"); /* 4 x 4 */
	t->shape[0] = 5;
	t->data = more;
	t = released_find(&r, "dec.decoder.15.conv.weight"); /* 6 x 3 */
	t->shape[0] = 24;
	t->data = doubled;
	doubled[18 * 3] = 42;
	released_write(&r, folder);
	if (CHECK(open_folder(&weights, &count, &err) == 0)) {
		check_first(weights, "dec.decoder.9.conv.weight", 1.0f);
		check_first(weights, "dec.decoder.15.conv.weight", 42.0f);
	}
	fvsr_weights_close(weights);
	released_free(&r);

	released_load(&r, folder);
	t = released_find(&r, "dec.decoder.10.weight"); /* 3 x 4 x 3 x 3: not a TGrow */
	t->shape[0] = 4;
	t->data = doubled;
	t->shape[1] = 2;
	released_write(&r, folder);
	expect("more channels elsewhere", FVSR_ERR_FORMAT, "must be 3 x 4 x 3 x 3");
	released_free(&r);
}

static void test_unknown_tensors(void)
{
	static char names[30][16];
	static const float zero;
	struct fvsr_weights *weights;
	struct log_count count;
	struct fvsr_error err;
	struct released r;
	size_t i;

	released_load(&r, folder);
	r.parts[2][r.counts[2]++] = (struct craft_tensor){"ex\ttra", 1, 1, {1}, &zero};
	released_write(&r, folder);
	CHECK(open_folder(&weights, &count, &err) == 0);
	CHECK(count.lines == 1 &&
	      !strcmp(count.last, "TCDecoder.ckpt: unknown tensor 'ex?tra' ignored"));
	fvsr_weights_close(weights);
	for (i = 0; i < 30; i++) {
		snprintf(names[i], sizeof(names[i]), "extra%zu", i);
		r.parts[0][r.counts[0]++] = (struct craft_tensor){names[i], 1, 1, {1}, &zero};
	}
	released_write(&r, folder);
	CHECK(open_folder(&weights, &count, &err) == 0);
	CHECK(count.lines == 21 && !strcmp(count.last, "11 more unknown tensors ignored"));
	fvsr_weights_close(weights);
	released_free(&r);
}

static void test_hints(struct released *r)
{
	static const struct {
		const char *text, *message;
	} configs[] = {
		{"{\"num_heads\": 5}", "not a multiple of num_heads"},
		{"{\"num_heads\": 4}", "even parts"},
		{"{\"num_heads\": \"2\"}", "num_heads is not a number"},
		{"{\"model\": {\"num_heads\": 2, \"dec_depth_to_space\": true}}",
		 "must be 12 x 4 x 3 x 3"},
		{"{", "bad JSON"},
		{"", "does not begin with '{'"},
		{"{\"other\": 1}", "is not a multiple of 128"},
	};
	static const char synthetic[] = "{\"num_heads\":1,\"residual\":true,\"lq_version\":\"v1\"}";
	struct fvsr_weights *weights;
	struct log_count count;
	struct fvsr_error err;
	char path[512];
	size_t i;

	released_write(r, folder);
	for (i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
		write_file(temp_path(path, folder, "config.json"), configs[i].text,
			   strlen(configs[i].text));
		expect(configs[i].text, FVSR_ERR_FORMAT, configs[i].message);
	}
	write_file(temp_path(path, folder, "synthetic.json"), synthetic, strlen(synthetic));
	if (CHECK(open_folder(&weights, &count, &err) == 0)) {
		CHECK(fvsr_weights_config(weights)->num_heads == 1);
		CHECK(fvsr_weights_config(weights)->residual);
		CHECK(fvsr_weights_config(weights)->lq_version == FVSR_LQ_V1);
	}
	fvsr_weights_close(weights);
	remove_file(path);
	remove_file(temp_path(path, folder, "config.json"));
	expect("no configuration", FVSR_ERR_FORMAT, "say num_heads");
}

static void expect_not_finite(const char *name, uint64_t element)
{
	struct fvsr_weights *weights;
	struct fvsr_weight weight;
	struct log_count count;
	struct fvsr_error err;
	char text[64];
	float out[64];

	if (!CHECK(open_folder(&weights, &count, &err) == 0))
		return;
	CHECK(fvsr_weights_find(weights, name, &weight, &err) == 0);
	CHECK(fvsr_weights_read(weights, &weight, 0, element, out, &err) == 0);
	CHECK(fvsr_weights_read(weights, &weight, 0, element + 1, out, &err) == FVSR_ERR_FORMAT);
	snprintf(text, sizeof(text), "element %d is not a finite", (int)element);
	CHECK_CASE(strstr(err.text, text), err.text);
	fvsr_weights_close(weights);
}

static void test_not_finite(void)
{
	static const float nan_value[12] = {0, NAN, 0, 0}, inf_value[4] = {0, 0, -INFINITY, 0};
	static const uint16_t halves[12] = {0, 0, 0, 0, 0, 0x7f80};
	struct released r;

	released_load(&r, folder);
	released_find(&r, "dit.patch_embedding.bias")->data = nan_value;
	released_find(&r, "dec.decoder.1.bias")->data = inf_value;
	released_find(&r, "prompt")->data = halves;
	released_write(&r, folder);
	expect_not_finite("dit.patch_embedding.bias", 1);
	expect_not_finite("dec.decoder.1.bias", 2);
	expect_not_finite("prompt", 5);
	released_free(&r);
}

/* Cuts the transformer's file after it was opened, which is an error and no signal. */
static void test_shrinking(struct released *r)
{
	struct fvsr_weights *weights;
	struct fvsr_weight weight;
	struct log_count count;
	struct fvsr_error err;
	char path[512];
	float out[12];

	released_write(r, folder);
	if (!CHECK(open_folder(&weights, &count, &err) == 0))
		return;
#ifdef _WIN32
	/* There nobody can do that to a file that is being read. */
	CHECK(!resize_file(temp_path(path, folder, released_files[0]), 4096));
	fvsr_weights_close(weights);
	return;
#endif
	CHECK(resize_file(temp_path(path, folder, released_files[0]), 4096));
	CHECK(fvsr_weights_find(weights, "dit.head.head.weight", &weight, &err) == 0);
	CHECK(fvsr_weights_read(weights, &weight, 0, 12, out, &err) == FVSR_ERR_IO);
	CHECK(strstr(err.text, "has become shorter"));
	fvsr_weights_close(weights);
}

/* Tries files of the wrong kind under the right names. */
static void test_swapped(struct released *r)
{
	char path[512];

	released_write(r, folder);
	write_file(temp_path(path, folder, released_files[1]), "not a zip", 9);
	expect("text as an archive", FVSR_ERR_FORMAT, "zip:");
	write_file(path, "", 0);
	expect("an empty archive", FVSR_ERR_FORMAT, "has 0 entries");
	released_write(r, folder);
	write_file(temp_path(path, folder, released_files[0]), "PK\3\4PK\3\4PK\3\4", 12);
	expect("zip as safetensors", FVSR_ERR_FORMAT, "longer than the file");
	released_write(r, folder);
}

int main(void)
{
	struct released r;

	folder = temp_create();
	if (!released_load(&r, folder))
		return 1;
	test_good(&r);
	test_missing_files(&r);
	test_missing_tensors();
	test_wrong_shapes();
	test_types();
	test_grow();
	test_unknown_tensors();
	test_not_finite();
	released_write(&r, folder);
	test_shrinking(&r);
	test_swapped(&r);
	test_hints(&r);
	released_free(&r);
	temp_remove(folder);
	return check_result();
}
