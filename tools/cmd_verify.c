/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fvsr verify: proof that the network computes what the released code computes. The golden file
 * says which stream it is; the inputs are formulas, so the file holds only what must come out.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "compare.h"
#include "console.h"
#include "golden_inputs.h"
#include "model_args.h"
#include "options.h"
#include "report.h"
#include "verify.h"

/* sparse_ratio is relative to this picture (section 6). */
#define REFERENCE_PIXELS (768.0 * 1280.0)

/* A bfloat16 engine may lose this much more than the released code loses in bfloat16. */
#define BF16_MARGIN 1.3
/* Where the file does not say what bfloat16 loses. */
#define BF16_REL_L2         5e-2
#define BF16_PSNR_DB        40.0
#define BF16_MASK_AGREEMENT 0.99

struct verify {
	const char *path;
	struct fvsr_cli_model_args model_args;
	double latent_rel_l2, token_rel_l2, frame_abs, mask_agreement;
	bool bf16, json, quiet, verbose;

	fvsr_tensors *file;
	struct fvsr_cli_results results;
	char backend[16];
	int width, height, chunks;
	double seconds;
};

static const char *number_at(const struct verify *v, const char *key, double *out)
{
	const char *text = fvsr_tensors_metadata(v->file, key);
	char *end;

	if (!text)
		return "is missing";
	errno = 0;
	*out = strtod(text, &end);
	return end == text || *end || errno || !isfinite(*out) ? "is not a number" : NULL;
}

static int need_number(const struct verify *v, const char *key, double min, double max, double *out)
{
	const char *wrong = number_at(v, key, out);

	if (!wrong && (*out < min || *out > max))
		wrong = "is out of range";
	if (!wrong)
		return FVSR_CLI_OK;
	fvsr_cli_error("%s: '%s' in the metadata %s", v->path, key, wrong);
	return FVSR_CLI_USAGE;
}

static int choose(const struct verify *v, const char *key, const struct fvsr_cli_choice *choices,
		  int *out)
{
	const char *text = fvsr_tensors_metadata(v->file, key);

	for (; text && choices->name; choices++) {
		if (strcmp(choices->name, text) == 0) {
			*out = choices->value;
			return FVSR_CLI_OK;
		}
	}
	fvsr_cli_error("%s: '%s' in the metadata is missing or unknown", v->path, key);
	return FVSR_CLI_USAGE;
}

/* The stream that the file's metadata describes. */
static int read_settings(struct verify *v, struct fvsr_settings *set)
{
	static const struct fvsr_cli_choice versions[] = {
		{"v1", FVSR_LQ_V1}, {"v1.1", FVSR_LQ_V1_1}, {NULL, 0}};
	static const struct fvsr_cli_choice colors[] = {{"adain", FVSR_COLOR_ADAIN},
							{"wavelet", FVSR_COLOR_WAVELET},
							{"off", FVSR_COLOR_OFF},
							{"none", FVSR_COLOR_OFF},
							{NULL, 0}};
	double width, height, chunks, seed, topk_ratio, local_range, kv_ratio, scale = 0;
	int version, color;

	if (need_number(v, "width", 16, 16384, &width) ||
	    need_number(v, "height", 16, 16384, &height) ||
	    need_number(v, "chunks", 1, 100000, &chunks) ||
	    need_number(v, "seed", 0, 9e15, &seed) ||
	    need_number(v, "topk_ratio", 0, 1e6, &topk_ratio) ||
	    need_number(v, "local_range", 1, 1000, &local_range) ||
	    need_number(v, "kv_ratio", 1, 8, &kv_ratio) ||
	    (fvsr_tensors_metadata(v->file, "scale") && need_number(v, "scale", 1, 64, &scale)) ||
	    choose(v, "version", versions, &version) || choose(v, "color_fix", colors, &color))
		return FVSR_CLI_USAGE;
	v->width = (int)width, v->height = (int)height, v->chunks = (int)chunks;
	fvsr_settings_default(set);
	set->in_width = set->out_width = v->width;
	set->in_height = set->out_height = v->height;
	set->in_format = set->out_format = FVSR_FORMAT_RGBF32P;
	set->scale = scale;
	set->sparse_ratio = topk_ratio * width * height / REFERENCE_PIXELS;
	set->local_range = (int)local_range;
	set->kv_ratio = (int)kv_ratio;
	set->color = (enum fvsr_color)color;
	set->noise = FVSR_NOISE_UNIFORM;
	set->seed = (uint64_t)seed;
	set->lq_version = (enum fvsr_lq_version)version;
	return FVSR_CLI_OK;
}

/* A golden stream belongs to one configuration; say so before hundreds of shapes differ. */
static int check_config(const struct verify *v, const struct fvsr_config *config)
{
	const char *text = fvsr_tensors_metadata(v->file, "model");
	const struct {
		const char *key;
		int value;
	} fields[] = {
		{"dim", config->dim},
		{"num_heads", config->num_heads},
		{"num_layers", config->num_layers},
		{"ffn_dim", config->ffn_dim},
		{"lq_hidden1", config->lq_hidden1},
		{"lq_hidden2", config->lq_hidden2},
	};
	json_t *root = text ? json_loads(text, 0, NULL) : NULL;
	int status = FVSR_CLI_OK;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && !status; i++) {
		json_t *value = json_object_get(root, fields[i].key);
		if (!json_is_integer(value) || json_integer_value(value) == fields[i].value)
			continue;
		fvsr_cli_error("%s is for a model with %s %lld, but this model has %d", v->path,
			       fields[i].key, (long long)json_integer_value(value),
			       fields[i].value);
		status = FVSR_CLI_USAGE;
	}
	json_decref(root);
	return status;
}

static bool part_is(const char *name, const char *part)
{
	const char *dot = strchr(name, '.');

	return dot && strncmp(dot + 1, part, strlen(part)) == 0;
}

static bool is_frame(const char *name)
{
	return part_is(name, "final.") || part_is(name, "decoded.");
}

static void set_f32_limit(const struct verify *v, struct fvsr_cli_result *result)
{
	const char *name = result->golden.name;

	if (part_is(name, "mask_"))
		result->limit.agreement = v->mask_agreement;
	else if (is_frame(name))
		result->limit.max_abs = v->frame_abs;
	else if (part_is(name, "latent") || part_is(name, "velocity"))
		result->limit.rel_l2 = v->latent_rel_l2;
	else
		result->limit.rel_l2 = v->token_rel_l2;
}

static void set_bf16_limit(struct fvsr_cli_result *result, const json_t *reference)
{
	const char *name = result->golden.name;
	json_t *value = json_object_get(reference, name);

	if (part_is(name, "mask_"))
		result->limit.agreement = BF16_MASK_AGREEMENT;
	else if (json_is_number(value))
		result->limit.rel_l2 = BF16_MARGIN * json_number_value(value);
	else if (is_frame(name))
		result->limit.psnr_db = BF16_PSNR_DB;
	else
		result->limit.rel_l2 = BF16_REL_L2;
}

static void set_limits(struct verify *v)
{
	const char *text = fvsr_tensors_metadata(v->file, "bf16_reference_relative_error");
	json_t *reference = text ? json_loads(text, 0, NULL) : NULL;

	for (size_t i = 0; i < v->results.count; i++) {
		if (v->bf16)
			set_bf16_limit(&v->results.items[i], reference);
		else
			set_f32_limit(v, &v->results.items[i]);
	}
	json_decref(reference);
}

static bool tap_wants(void *opaque, const char *name)
{
	struct verify *v = opaque;

	return fvsr_cli_results_find(&v->results, name) != NULL;
}

static void tap_tensor(void *opaque, const char *name, int rank, const int64_t *shape,
		       const float *data)
{
	struct verify *v = opaque;
	struct fvsr_cli_result *result = fvsr_cli_results_find(&v->results, name);

	if (!result)
		return;
	if (rank != result->golden.rank ||
	    memcmp(shape, result->golden.shape, (size_t)rank * sizeof(*shape)) != 0) {
		result->produced = true;
		snprintf(result->problem, sizeof(result->problem),
			 "the stream's tensor has another shape");
		return;
	}
	fvsr_cli_results_check(&v->results, result, data);
}

/* The library has two words for a failed stream; one of them is always there. */
static int report_stream(fvsr_stream *stream, int code)
{
	const char *text = fvsr_stream_error(stream);

	fvsr_cli_error("the stream failed: %s", text && *text ? text : fvsr_result_text(code));
	return FVSR_CLI_FAILED;
}

static int receive_all(fvsr_stream *stream, fvsr_frame *out)
{
	int code;

	do
		code = fvsr_stream_receive(stream, out);
	while (code == FVSR_OK);
	return code == FVSR_ERR_AGAIN ? FVSR_OK : code;
}

static int pump(struct verify *v, fvsr_stream *stream, uint64_t seed, float *canvas, float *noise,
		fvsr_frame *out)
{
	struct fvsr_picture picture = {.format = FVSR_FORMAT_RGBF32P,
				       .memory = FVSR_MEMORY_HOST,
				       .width = v->width,
				       .height = v->height,
				       .stride = (size_t)v->width * sizeof(float),
				       .data = canvas};
	int frames = fvsr_cli_golden_frames(v->chunks);
	struct fvsr_cli_progress progress;
	fvsr_frame *in;
	int code = fvsr_frame_wrap(&in, &picture);

	if (code < 0)
		return code;
	fvsr_cli_progress_start(&progress, v->quiet || v->json);
	for (int t = 0; t < frames && code == FVSR_OK; t++) {
		fvsr_cli_golden_canvas(t, v->height, v->width, seed, noise, canvas);
		code = fvsr_stream_send(stream, in);
		if (code == FVSR_OK)
			code = receive_all(stream, out);
		fvsr_cli_progress_frames(&progress, (uint64_t)t, (uint64_t)frames);
	}
	fvsr_cli_progress_clear(&progress);
	fvsr_frame_destroy(in);
	return code;
}

static int run_stream(struct verify *v, fvsr_stream *stream, uint64_t seed)
{
	struct fvsr_tap tap = {.wants = tap_wants, .tensor = tap_tensor, .opaque = v};
	size_t pixels = (size_t)v->width * (size_t)v->height;
	float *canvas = malloc(pixels * 3 * sizeof(float));
	float *noise = malloc((size_t)v->width * sizeof(float));
	double start_s = fvsr_cli_clock_s();
	fvsr_frame *out = NULL;
	int code = FVSR_ERR_MEMORY;
	int status = FVSR_CLI_OK;

	if (canvas && noise)
		code = fvsr_frame_create(&out, FVSR_FORMAT_RGBF32P, v->width, v->height);
	if (code == FVSR_OK)
		code = fvsr_stream_set_tap(stream, &tap);
	if (code == FVSR_OK)
		code = pump(v, stream, seed, canvas, noise, out);
	if (code < 0)
		status = report_stream(stream, code);
	v->seconds = fvsr_cli_clock_s() - start_s;
	fvsr_frame_destroy(out);
	free(noise);
	free(canvas);
	return status;
}

static int verify_stream(struct verify *v)
{
	struct fvsr_model_info info;
	struct fvsr_settings set;
	struct fvsr_error err = {""};
	fvsr_stream *stream;
	fvsr_model *model;
	int status = read_settings(v, &set);
	int code;

	if (status)
		return status;
	if (!v->model_args.model) {
		fvsr_cli_error("%s holds a stream: name its model with --model", v->path);
		return FVSR_CLI_USAGE;
	}
	model = fvsr_cli_open_model(&v->model_args, v->quiet || v->json, v->verbose);
	if (!model)
		return FVSR_CLI_USAGE;
	fvsr_model_describe(model, &info);
	snprintf(v->backend, sizeof(v->backend), "%s", info.backend);
	if (strncmp(info.backend, "cpu", 3) != 0)
		v->bf16 = true;
	status = check_config(v, &info.config);
	if (!status) {
		set_limits(v);
		code = fvsr_stream_open(&stream, model, &set, &err);
		if (code < 0) {
			fvsr_cli_error("cannot open the stream: %s",
				       err.text[0] ? err.text : fvsr_result_text(code));
			status = FVSR_CLI_USAGE;
		} else {
			status = run_stream(v, stream, set.seed);
			fvsr_stream_close(stream);
		}
	}
	fvsr_model_unref(model);
	return status;
}

static void print_limit(const char *name, const char *relation, double limit)
{
	if (isfinite(limit))
		printf("  (%s %s %g)", name, relation, limit);
}

static void print_result(const struct fvsr_cli_result *result)
{
	const struct fvsr_cli_difference *d = &result->difference;

	printf("%-4s  %-22s", result->ok ? "ok" : "FAIL", result->golden.name);
	if (!result->produced) {
		printf("  the stream never produced it\n");
		return;
	}
	if (result->problem[0]) {
		printf("  %s\n", result->problem);
		return;
	}
	printf("  rel L2 %.2e  max |d| %.2e", d->rel_l2, d->max_abs);
	if (isfinite(result->limit.agreement))
		printf("  agreement %.6f", d->agreement);
	if (isfinite(result->limit.psnr_db))
		printf("  PSNR %.2f dB", d->psnr_db);
	print_limit("rel L2", "<=", result->limit.rel_l2);
	print_limit("max |d|", "<=", result->limit.max_abs);
	print_limit("agreement", ">=", result->limit.agreement);
	print_limit("PSNR", ">=", result->limit.psnr_db);
	putchar('\n');
}

static json_t *limit_to_json(const struct fvsr_cli_limit *limit)
{
	json_t *root = json_object();

	if (isfinite(limit->rel_l2))
		json_object_set_new(root, "rel_l2", json_real(limit->rel_l2));
	if (isfinite(limit->max_abs))
		json_object_set_new(root, "max_abs", json_real(limit->max_abs));
	if (isfinite(limit->agreement))
		json_object_set_new(root, "agreement", json_real(limit->agreement));
	if (isfinite(limit->psnr_db))
		json_object_set_new(root, "psnr_db", json_real(limit->psnr_db));
	return root;
}

static json_t *result_to_json(const struct fvsr_cli_result *result)
{
	json_t *root = json_object();
	bool compared = result->produced && !result->problem[0];

	json_object_set_new(root, "name", json_string(result->golden.name));
	json_object_set_new(root, "ok", json_boolean(result->ok));
	json_object_set_new(root, "produced", json_boolean(result->produced));
	if (result->problem[0])
		json_object_set_new(root, "problem", json_string(result->problem));
	if (compared) {
		const struct fvsr_cli_difference *d = &result->difference;
		json_object_set_new(root, "rel_l2", fvsr_cli_json_real(d->rel_l2));
		json_object_set_new(root, "max_abs", fvsr_cli_json_real(d->max_abs));
		json_object_set_new(root, "psnr_db", fvsr_cli_json_real(d->psnr_db));
		json_object_set_new(root, "agreement", fvsr_cli_json_real(d->agreement));
	}
	json_object_set_new(root, "limit", limit_to_json(&result->limit));
	return root;
}

static int print_json(const struct verify *v, bool all_ok)
{
	json_t *root = json_object();
	json_t *tensors = json_array();

	json_object_set_new(root, "file", json_string(v->path));
	json_object_set_new(root, "model",
			    v->model_args.model ? json_string(v->model_args.model) : json_null());
	json_object_set_new(root, "backend", json_string(v->backend));
	json_object_set_new(root, "ok", json_boolean(all_ok));
	json_object_set_new(root, "seconds", json_real(v->seconds));
	for (size_t i = 0; i < v->results.count; i++) {
		if (!v->results.items[i].is_input)
			json_array_append_new(tensors, result_to_json(&v->results.items[i]));
	}
	json_object_set_new(root, "tensors", tensors);
	return fvsr_cli_print_json(root);
}

static int print_results(const struct verify *v)
{
	size_t compared = 0, passed = 0;

	for (size_t i = 0; i < v->results.count; i++) {
		compared += !v->results.items[i].is_input;
		passed += v->results.items[i].ok;
	}
	if (v->json) {
		if (print_json(v, compared > 0 && passed == compared) != FVSR_CLI_OK)
			return FVSR_CLI_FAILED;
	} else {
		for (size_t i = 0; i < v->results.count; i++) {
			if (!v->results.items[i].is_input)
				print_result(&v->results.items[i]);
		}
		printf("%zu of %zu tensors within tolerance", passed, compared);
		if (v->backend[0])
			printf(", backend %s, %.1f s", v->backend, v->seconds);
		putchar('\n');
	}
	return compared > 0 && passed == compared ? FVSR_CLI_OK : FVSR_CLI_FAILED;
}

static int run_file(struct verify *v)
{
	struct fvsr_error err = {""};
	int code = fvsr_tensors_open(&v->file, v->path, &err);
	int status;

	if (code < 0) {
		fvsr_cli_error("cannot read %s", err.text[0] ? err.text : v->path);
		return FVSR_CLI_USAGE;
	}
	code = fvsr_cli_results_init(&v->results, v->file);
	if (code < 0) {
		fvsr_cli_error("%s: %s", v->path, fvsr_result_text(code));
		status = FVSR_CLI_USAGE;
	} else {
		status = fvsr_tensors_metadata(v->file, "chunks")
				 ? verify_stream(v)
				 : fvsr_cli_verify_parts(&v->results, v->model_args.backend);
		if (status == FVSR_CLI_OK)
			status = print_results(v);
	}
	fvsr_cli_results_free(&v->results);
	fvsr_tensors_close(v->file);
	return status;
}

static const char description[] =
	"Reads which stream a golden file holds, makes its inputs by their formulas,\n"
	"runs the network and prints, for every tensor of the file, the relative L2\n"
	"error, the largest absolute difference and, for masks, the share of equal\n"
	"values.\n"
	"\n"
	"Files without a stream (bicubic and colour correction on their own) need no\n"
	"model.\n";

static const char epilogue[] =
	"Exit status: 0 when every tensor is within its tolerance, 1 when one is not or\n"
	"was never produced, 2 when the comparison could not start.\n"
	"\n"
	"Examples:\n"
	"  fvsr verify tests/golden/tiny-v1.1.safetensors \\\n"
	"      --model synth:tests/golden/tiny.json:7 --backend cpu-plain\n"
	"  fvsr verify full-256x384.safetensors --model synth:full:3 \\\n"
	"      --latent-tolerance 1e-3\n";

int fvsr_cmd_verify(int argc, char **argv)
{
	struct verify v = {.latent_rel_l2 = 2e-4,
			   .token_rel_l2 = 2e-4,
			   .frame_abs = 2e-3,
			   .mask_agreement = 0.999};
	struct fvsr_cli_option model_options[FVSR_CLI_MODEL_OPTIONS];
	const struct fvsr_cli_option own[] = {
		{"json", 0, FVSR_CLI_FLAG, &v.json, NULL, "the result as JSON", 0, 0, NULL},
		{"quiet", 'q', FVSR_CLI_FLAG, &v.quiet, NULL, "no progress", 0, 0, NULL},
		{"verbose", 'v', FVSR_CLI_FLAG, &v.verbose, NULL, "the library's messages", 0, 0,
		 NULL},
	};
	const struct fvsr_cli_option tolerances[] = {
		{"latent-tolerance", 0, FVSR_CLI_REAL, &v.latent_rel_l2, "X",
		 "relative L2 of latents and velocities\n(default 2e-4)", 0, 1e9, NULL},
		{"token-tolerance", 0, FVSR_CLI_REAL, &v.token_rel_l2, "X",
		 "relative L2 of lq_tokens and after_block0\n(default 2e-4)", 0, 1e9, NULL},
		{"frame-tolerance", 0, FVSR_CLI_REAL, &v.frame_abs, "X",
		 "absolute difference of decoded and final pictures,\nwhose values are in [-1, 1] "
		 "(default 2e-3)",
		 0, 1e9, NULL},
		{"mask-agreement", 0, FVSR_CLI_REAL, &v.mask_agreement, "X",
		 "least share of equal mask values (default 0.999)", 0, 1, NULL},
		{"bf16", 0, FVSR_CLI_FLAG, &v.bf16, NULL,
		 "tolerances for bfloat16 arithmetic instead of the\nabove: 1.3 times what the "
		 "released code loses where\nthe file says it, else 5e-2 and, for pictures,\n40 "
		 "dB; "
		 "masks 0.99. Always on for backends other than\nthe CPU's",
		 0, 0, NULL},
	};
	const struct fvsr_cli_group groups[] = {
		{"Tolerances", tolerances, sizeof(tolerances) / sizeof(tolerances[0])},
		{"Model", model_options, FVSR_CLI_MODEL_OPTIONS},
		{"Other options", own, sizeof(own) / sizeof(own[0])},
	};
	const struct fvsr_cli_usage usage = {
		.name = "verify",
		.summary = "compare the network with golden numbers",
		.synopsis = "[options] GOLDEN.safetensors --model MODEL",
		.description = description,
		.epilogue = epilogue,
		.groups = groups,
		.num_groups = sizeof(groups) / sizeof(groups[0]),
		.min_words = 1,
		.max_words = 1,
	};
	int status;

	fvsr_cli_model_options(&v.model_args, model_options);
	status = fvsr_cli_parse(&usage, argc, argv, &v.path);
	return status == FVSR_CLI_GO ? run_file(&v) : status;
}
