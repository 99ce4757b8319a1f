/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Synthetic weights against numbers that the reference implementation of the formula (numpy)
 * gave for the released dimensions, seed 3, and against the whole reference model when it is at
 * hand: every bit counts.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "craft.h"
#include "fvsr/fvsr.h"
#include "model/weights.h"

static const struct sample {
	const char *name;
	uint64_t first;
	float values[3];
} samples[] = {
	{"dit.patch_embedding.weight", 46514, {0x1.90f79cp-7f, 0x1.4f1408p-5f, -0x1.8f25eep-4f}},
	{"dit.time_projection.1.weight",
	 7245230,
	 {-0x1.10589ep-6f, 0x1.416c74p-5f, 0x1.58c084p-6f}},
	{"dit.blocks.0.modulation", 6957, {-0x1.53413ap-5f, -0x1.28d6b6p-5f, -0x1.128476p-5f}},
	{"dit.blocks.17.self_attn.norm_q.weight",
	 1457,
	 {0x1.c6f322p-1f, 0x1.1c54f4p+0f, 0x1.e9fd28p-1f}},
	{"dit.blocks.29.ffn.2.weight", 479660, {0x1.460fb4p-7f, 0x1.11d5aep-7f, 0x1.7cb978p-7f}},
	{"dit.blocks.29.cross_attn.norm_k.weight",
	 220,
	 {0x1.2a219ap+0f, 0x1.24f0b2p+0f, 0x1.0d1270p+0f}},
	{"dit.blocks.8.norm3.weight", 1261, {0x1.c263aep-1f, 0x1.20a6f0p+0f, 0x1.a90bfap-1f}},
	{"dit.blocks.8.norm3.bias", 1454, {0x1.bac974p-7f, -0x1.01db18p-6f, 0x1.ce23d0p-7f}},
	{"dit.head.modulation", 764, {0x1.b514c0p-9f, -0x1.5f5834p-7f, -0x1.5d671cp-7f}},
	{"dit.head.head.bias", 19, {-0x1.1a4ef2p-4f, -0x1.537f68p-4f, -0x1.4dce8ep-4f}},
	{"lq.conv1.weight", 49206904, {0x1.b8f996p-9f, -0x1.5e7656p-12f, 0x1.d9af20p-9f}},
	{"lq.conv2.weight", 226492413, {-0x1.0eef76p-8f, 0x1.55e164p-9f, -0x1.5f8430p-10f}},
	{"lq.norm2.gamma", 838, {0x1.0cb218p+0f, 0x1.10927ap+0f, 0x1.031a38p+0f}},
	{"lq.linear_layers.0.weight", 3905588, {-0x1.b78a08p-6f, -0x1.c929e8p-6f, -0x1.bc6548p-6f}},
	{"dec.decoder.1.weight", 928427, {-0x1.39ccf6p-7f, 0x1.cafc5ap-11f, -0x1.495adap-10f}},
	{"dec.decoder.5.conv.4.weight", 965420, {0x1.8c517cp-7f, 0x1.b27adep-8f, 0x1.8c7d56p-7f}},
	{"dec.decoder.13.conv.2.bias", 162, {0x1.f35b44p-5f, -0x1.454d5ep-4f, 0x1.78333ep-5f}},
	{"dec.decoder.15.conv.weight", 72034, {-0x1.1963dap-4f, 0x1.76b2cap-7f, -0x1.33706ep-5f}},
	{"dec.decoder.22.weight", 12642, {-0x1.e9cec2p-6f, -0x1.c76d6ap-5f, -0x1.c06594p-8f}},
	{"dec.decoder.26.weight", 95, {0x1.06aef2p-10f, -0x1.40931ep-9f, 0x1.95790cp-11f}},
	{"dec.decoder.26.bias", 0, {0x1.0e8284p-1f, 0x1.bd11d4p-2f, 0x1.158dd8p-1f}},
	{"prompt", 1815267, {0x1.ce0000p-3f, -0x1.260000p-2f, 0x1.6e0000p-3f}},
};

static void test_samples(void)
{
	struct fvsr_weights *weights;
	struct fvsr_error err;
	size_t i;

	if (!CHECK(fvsr_weights_open(&weights, "synth:full:3", false, NULL, NULL, &err) == 0))
		return;
	CHECK(fvsr_weights_parameters(weights) == 1754278211);
	CHECK(!strcmp(fvsr_weights_name(weights), "synth:full:3"));
	for (i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct fvsr_weight weight;
		float out[3];

		if (!CHECK(fvsr_weights_find(weights, samples[i].name, &weight, &err) == 0))
			continue;
		CHECK(fvsr_weights_read(weights, &weight, samples[i].first, 3, out, &err) == 0);
		CHECK_CASE(!memcmp(out, samples[i].values, sizeof(out)), samples[i].name);
	}
	fvsr_weights_close(weights);
}

/* Checks that any range of a tensor is that part of the whole. */
static void test_ranges(void)
{
	enum { COUNT = 3000 };
	static float whole[COUNT], part[COUNT];
	struct fvsr_weights *weights;
	struct fvsr_weight weight;
	struct fvsr_error err;
	uint64_t first, n;

	if (!CHECK(fvsr_weights_open(&weights, "synth:full:1", false, NULL, NULL, &err) == 0))
		return;
	CHECK(fvsr_weights_find(weights, "lq.conv2.weight", &weight, &err) == 0);
	CHECK(weight.rank == 5 && weight.shape[1] == 2048 && weight.dtype == FVSR_DTYPE_F32);
	CHECK(fvsr_weights_read(weights, &weight, weight.count - COUNT, COUNT, whole, &err) == 0);
	for (first = 0; first < COUNT; first += 1 + first / 2) {
		for (n = 0; n <= COUNT - first; n += 1 + n) {
			CHECK(fvsr_weights_read(weights, &weight, weight.count - COUNT + first, n,
						part, &err) == 0);
			CHECK(!memcmp(part, whole + first, n * sizeof(*part)));
		}
	}
	CHECK(fvsr_weights_read(weights, &weight, weight.count, 1, part, &err) ==
	      FVSR_ERR_ARGUMENT);
	CHECK(fvsr_weights_read(weights, &weight, 1, UINT64_MAX, part, &err) == FVSR_ERR_ARGUMENT);
	CHECK(fvsr_weights_find(weights, "dit.nothing", &weight, &err) == FVSR_ERR_FORMAT);
	CHECK(strstr(err.text, "dit.nothing"));
	fvsr_weights_close(weights);
}

static void test_noise(void)
{
	float out[2];

	fvsr_test_noise("noise2", 11, 4, 1, 0, 1, out);
	CHECK(out[0] == -0x1.5bc046p-2f);
	fvsr_test_noise("lq0", 7, 99, 1, 0.5, 0.08, out);
	CHECK(out[0] == 0x1.2098b4p-1f);
}

static void expect_spec(const char *spec, int code, const char *message)
{
	struct fvsr_weights *weights = NULL;
	struct fvsr_error err = {""};
	int result = fvsr_weights_open(&weights, spec, true, NULL, NULL, &err);

	if (!CHECK_CASE(result == code && strstr(err.text, message), spec))
		printf("  got %d '%s'\n", result, err.text);
}

static void test_bad_specs(void)
{
	expect_spec("", FVSR_ERR_ARGUMENT, "no model");
	expect_spec("synth:", FVSR_ERR_ARGUMENT, "synth:full:SEED");
	expect_spec("synth:full", FVSR_ERR_ARGUMENT, "synth:full:SEED");
	expect_spec("synth:full:", FVSR_ERR_ARGUMENT, "synth:full:SEED");
	expect_spec("synth::1", FVSR_ERR_ARGUMENT, "synth:full:SEED");
	expect_spec("synth:full:-1", FVSR_ERR_ARGUMENT, "synth:full:SEED");
	expect_spec("synth:full:1x", FVSR_ERR_ARGUMENT, "seed");
	expect_spec("synth:full:18446744073709551616", FVSR_ERR_ARGUMENT, "seed");
	expect_spec("synth:/nowhere/config.json:1", FVSR_ERR_IO, "config.json");
}

/* Checks that both sides are the same, tensor by tensor. */
static void compare(const struct fvsr_weights *a, const struct fvsr_weights *b, const char *name)
{
	struct fvsr_weight x, y;
	struct fvsr_error err;
	float *p, *q;

	if (!CHECK_CASE(fvsr_weights_find(a, name, &x, &err) == 0, name) ||
	    !CHECK_CASE(fvsr_weights_find(b, name, &y, &err) == 0, name) ||
	    !CHECK_CASE(x.count == y.count, name))
		return;
	p = malloc(x.count * sizeof(*p));
	q = malloc(x.count * sizeof(*q));
	CHECK_CASE(fvsr_weights_read(a, &x, 0, x.count, p, &err) == 0, name);
	CHECK_CASE(fvsr_weights_read(b, &y, 0, y.count, q, &err) == 0, name);
	CHECK_CASE(!memcmp(p, q, x.count * sizeof(*p)), name);
	free(p);
	free(q);
}

/* Checks that the reference directory, file by file, is synth:ITS-CONFIG:7. */
static void test_reference(const char *data)
{
	static const char dit_name[] = "diffusion_pytorch_model_streaming_dmd.safetensors";
	struct fvsr_weights *released, *synth;
	char folder[512], path[512], spec[600];
	struct fvsr_tensor_info info;
	struct fvsr_error err;
	fvsr_tensors *dit;
	size_t i;

	temp_path(folder, data, "golden/tiny-model");
	snprintf(spec, sizeof(spec), "synth:%s:7", temp_path(path, folder, "synthetic.json"));
	if (!CHECK(fvsr_weights_open(&released, folder, true, NULL, NULL, &err) == 0) ||
	    !CHECK(fvsr_weights_open(&synth, spec, false, NULL, NULL, &err) == 0)) {
		printf("  %s\n", err.text);
		return;
	}
	CHECK(fvsr_weights_parameters(released) == fvsr_weights_parameters(synth));
	CHECK(!memcmp(fvsr_weights_config(released), fvsr_weights_config(synth),
		      sizeof(struct fvsr_config)));
	if (CHECK(fvsr_tensors_open(&dit, temp_path(path, folder, dit_name), &err) == 0)) {
		for (i = 0; fvsr_tensors_get(dit, i, &info) == 0; i++) {
			snprintf(spec, sizeof(spec), "dit.%s", info.name);
			compare(released, synth, spec);
		}
		fvsr_tensors_close(dit);
	}
	for (i = 0; i <= 26; i++) {
		static const char *const ends[] = {
			"weight",        "bias",          "conv.weight",
			"conv.0.weight", "conv.0.bias",   "conv.2.weight",
			"conv.2.bias",   "conv.4.weight", "conv.4.bias"};
		struct fvsr_weight w;
		size_t k;

		for (k = 0; k < sizeof(ends) / sizeof(ends[0]); k++) {
			snprintf(spec, sizeof(spec), "dec.decoder.%zu.%s", i, ends[k]);
			if (!fvsr_weights_find(synth, spec, &w, &err))
				compare(released, synth, spec);
		}
	}
	compare(released, synth, "lq.conv1.weight");
	compare(released, synth, "lq.conv1.bias");
	compare(released, synth, "lq.norm1.gamma");
	compare(released, synth, "lq.conv2.weight");
	compare(released, synth, "lq.conv2.bias");
	compare(released, synth, "lq.norm2.gamma");
	compare(released, synth, "lq.linear_layers.0.weight");
	compare(released, synth, "lq.linear_layers.0.bias");
	compare(released, synth, "prompt");
	fvsr_weights_close(released);
	fvsr_weights_close(synth);
}

/* Compares with the reference model in the folder FVSR_TEST_DATA, when given an argument. */
int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		const char *data = getenv("FVSR_TEST_DATA");

		if (!data || !*data) {
			printf("skipped: needs FVSR_TEST_DATA: it is not set (docs/testing.md)\n");
			return 77;
		}
		test_reference(data);
		return check_result();
	}
	test_samples();
	test_ranges();
	test_noise();
	test_bad_specs();
	return check_result();
}
