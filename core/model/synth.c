/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Weights can come from a formula, for tests and benchmarks without the released files: the same
 * numbers as tests/golden's reference streams were made with, to the last bit, any range at a time.
 * docs/model-format.md has the formula under "Synthetic models", base/noise.h its integers. The
 * product and the sum are each rounded to float32: this file is compiled without contraction.
 */
#include "model/source.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/common.h"
#include "base/dtype.h"
#include "base/noise.h"
#include "model/file.h"

#define PREFIX           "synth:"
#define MAX_CONFIG_BYTES (64 * 1024)

struct rule {
	uint64_t key;
	float mean, scale;
	bool bf16; /* rounded to BF16, as the released prompt is */
};

struct synth {
	struct rule *rules; /* one a tensor, by index */
};

static void fill(uint64_t key, uint64_t first, size_t count, float mean, float scale, float *out)
{
	size_t i;

	for (i = 0; i < count; i++) {
		int32_t bits = (int32_t)(fvsr_noise_bits(key, first + i) >> 40);
		float u = (float)bits * 0x1p-24f;

		out[i] = mean + scale * (u + u - 1.0f);
	}
}

void fvsr_test_noise(const char *name, uint64_t seed, uint64_t first, size_t count, double mean,
		     double std, float *out)
{
	fill(fvsr_noise_key(name, seed), first, count, (float)mean, (float)(std * sqrt(3.0)), out);
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

/* Returns the standard deviation of a weight of fan-in f: gain / sqrt(f). */
static double weight_std(const struct fvsr_shape *shape)
{
	int64_t fan_in = 1;
	double gain = 1.0;
	int i;

	for (i = 1; i < shape->rank; i++)
		fan_in *= shape->dims[i];
	if (!strncmp(shape->name, "trunk.", 6)) {
		gain = ends_with(shape->name, ".head.weight") ? 0.15 : 1.4;
	} else if (!strncmp(shape->name, "dec.", 4)) {
		if (!strcmp(shape->name, "dec.decoder.26.weight"))
			gain = 0.15;
		else
			gain = strstr(shape->name, ".conv.4.") ? 0.5 : 1.2;
	}
	return gain / sqrt((double)fan_in);
}

static void fill_rule(const struct fvsr_shape *shape, double *mean, double *std)
{
	const char *name = shape->name;

	*mean = 0.0;
	if (!strcmp(name, "prompt")) {
		*std = 0.5;
	} else if (ends_with(name, ".gamma") || ends_with(name, "norm_q.weight") ||
		   ends_with(name, "norm_k.weight") || ends_with(name, "norm3.weight")) {
		*mean = 1.0;
		*std = 0.1;
	} else if (ends_with(name, ".bias")) {
		*mean = strcmp(name, "dec.decoder.26.bias") ? 0.0 : 0.5;
		*std = 0.05;
	} else if (ends_with(name, "modulation")) {
		*std = 1.0 / sqrt((double)shape->dims[shape->rank - 1]);
	} else {
		*std = weight_std(shape);
	}
}

/* Returns the key of a tensor; the formula has a colon for the first dot of our names. */
static uint64_t key_of_tensor(const char *name, uint64_t seed)
{
	char text[sizeof(((struct fvsr_shape *)0)->name)];
	char *dot;

	memcpy(text, name, sizeof(text));
	dot = strchr(text, '.');
	if (dot)
		*dot = ':';
	return fvsr_noise_key(text, seed);
}

static struct rule make_rule(const struct fvsr_shape *shape, uint64_t seed)
{
	struct rule rule;
	double mean, std;

	fill_rule(shape, &mean, &std);
	rule.key = key_of_tensor(shape->name, seed);
	rule.mean = (float)mean;
	rule.scale = (float)(std * sqrt(3.0));
	rule.bf16 = !strcmp(shape->name, "prompt");
	return rule;
}

static enum fvsr_dtype synth_dtype(const void *source, size_t index)
{
	const struct synth *s = source;

	return s->rules[index].bf16 ? FVSR_DTYPE_BF16 : FVSR_DTYPE_F32;
}

static int synth_read(const void *source, size_t index, uint64_t first, size_t count, float *out,
		      struct fvsr_error *err)
{
	const struct synth *s = source;
	const struct rule *rule = &s->rules[index];
	size_t i;

	(void)err;
	fill(rule->key, first, count, rule->mean, rule->scale, out);
	if (rule->bf16)
		for (i = 0; i < count; i++)
			out[i] = fvsr_bf16_to_f32(fvsr_bf16_from_f32(out[i]));
	return 0;
}

static void synth_close(void *source)
{
	struct synth *s = source;

	free(s->rules);
	free(s);
}

static const struct fvsr_source_ops synth_ops = {
	.dtype = synth_dtype,
	.read = synth_read,
	.close = synth_close,
};

static int load_config(struct fvsr_config *config, const char *path, struct fvsr_error *err)
{
	size_t bytes;
	char *text;
	int result;

	if (!strcmp(path, "full")) {
		fvsr_config_released(config);
		return 0;
	}
	result = fvsr_file_slurp(path, MAX_CONFIG_BYTES, &text, &bytes, err);
	if (result < 0)
		return result;
	result = fvsr_config_parse(config, text, bytes, err);
	free(text);
	return result;
}

/* Splits "CONFIG:SEED" at the last colon: the path may hold others. Frees nothing on failure. */
static int split_spec(const char *rest, char **path, uint64_t *seed, struct fvsr_error *err)
{
	const char *colon = strrchr(rest, ':');
	char *end;

	if (!colon || colon == rest || colon[1] < '0' || colon[1] > '9')
		return fvsr_fail(err, FVSR_ERR_ARGUMENT,
				 "a synthetic model is synth:full:SEED or synth:CONFIG.json:SEED");
	errno = 0;
	*seed = strtoull(colon + 1, &end, 10);
	if (*end || errno)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT,
				 "the seed of a synthetic model is not a number below 2^64");
	*path = malloc((size_t)(colon - rest) + 1);
	if (!*path)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	memcpy(*path, rest, (size_t)(colon - rest));
	(*path)[colon - rest] = '\0';
	return 0;
}

static int make_rules(struct fvsr_weights *weights, uint64_t seed, struct fvsr_error *err)
{
	struct synth *s = calloc(1, sizeof(*s));
	size_t i;

	if (s)
		s->rules = malloc(weights->shapes.count * sizeof(*s->rules));
	if (!s || !s->rules) {
		free(s);
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	}
	for (i = 0; i < weights->shapes.count; i++)
		s->rules[i] = make_rule(&weights->shapes.items[i], seed);
	weights->source = s;
	weights->ops = &synth_ops;
	return 0;
}

bool fvsr_synth_is_spec(const char *spec)
{
	return !strncmp(spec, PREFIX, strlen(PREFIX));
}

char *fvsr_synth_config_path(const char *spec)
{
	uint64_t seed;
	char *path;

	return split_spec(spec + strlen(PREFIX), &path, &seed, NULL) < 0 ? NULL : path;
}

int fvsr_synth_open(struct fvsr_weights *weights, const char *spec, struct fvsr_error *err)
{
	const char *base = fvsr_path_base(spec);
	uint64_t seed = 0;
	char *path;
	int result = split_spec(spec + strlen(PREFIX), &path, &seed, err);

	if (result < 0)
		return result;
	result = load_config(&weights->config, path, err);
	free(path);
	if (result < 0)
		return result;
	result = fvsr_shapes_create(&weights->shapes, &weights->config, err);
	if (result < 0)
		return result;
	snprintf(weights->name, sizeof(weights->name), "%s%s", base == spec ? "" : PREFIX, base);
	return make_rules(weights, seed, err);
}
