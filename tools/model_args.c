/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening the model that the options name. Without --model it is $FVSR_MODEL, else the bundled
 * one, which lies with the plugin's data: beside an installed executable, where it was installed
 * to, or in the source tree.
 */
#include "model_args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interrupt.h"
#include "platform.h"

#define BUNDLED "models/bundled.safetensors"
#define GIB     (1024.0 * 1024 * 1024)

/* The bundled model, from the program's folder on, and where else it may be. */
#ifdef _WIN32
#define BESIDE_EXECUTABLE "../../data/" BUNDLED
static const char *const installed = NULL;
#elif defined(FVSR_PORTABLE)
#define BESIDE_EXECUTABLE "data/" BUNDLED
static const char *const installed = NULL;
#else
#define BESIDE_EXECUTABLE "../share/obs/obs-plugins/obs-flashvsr/" BUNDLED
static const char *const installed = FVSR_DATA_DIR "/" BUNDLED;
#endif

const struct fvsr_cli_choice fvsr_cli_color_choices[] = {
	{"auto", FVSR_COLOR_MODEL},
	{"adain", FVSR_COLOR_ADAIN},
	{"wavelet", FVSR_COLOR_WAVELET},
	{"off", FVSR_COLOR_OFF},
	{NULL, 0},
};

void fvsr_cli_model_options(struct fvsr_cli_model_args *args, struct fvsr_cli_option *options)
{
	*args = (struct fvsr_cli_model_args){0};
	options[0] = (struct fvsr_cli_option){
		.name = "model",
		.letter = 'm',
		.type = FVSR_CLI_STRING,
		.value = &args->model,
		.argument = "MODEL",
		.help = "a packed file (see fvsr import), a folder of released\n"
			"weights, synth:full:SEED or synth:CONFIG.json:SEED;\n"
			"default: $FVSR_MODEL, else the bundled model"};
	options[1] =
		(struct fvsr_cli_option){.name = "backend",
					 .letter = 'b',
					 .type = FVSR_CLI_STRING,
					 .value = &args->backend,
					 .argument = "NAME",
					 .help = "what runs the network, a name from fvsr info\n"
						 "--backends; default: the best one that is there"};
	options[2] = (struct fvsr_cli_option){
		.name = "threads",
		.letter = 't',
		.type = FVSR_CLI_INT,
		.value = &args->threads,
		.argument = "N",
		.min = 0,
		.max = 1024,
		.help = "threads of a CPU backend; 0, the default: as many as\n"
			"the machine has"};
}

void fvsr_cli_stream_options(struct fvsr_cli_stream_args *args, struct fvsr_cli_option *options)
{
	struct fvsr_settings set;

	fvsr_settings_default(&set);
	*args = (struct fvsr_cli_stream_args){.sparse_ratio = set.sparse_ratio,
					      .local_range = set.local_range,
					      .kv_ratio = set.kv_ratio,
					      .color = (int)set.color,
					      .seed = set.seed};
	options[0] = (struct fvsr_cli_option){
		.name = "sparse-ratio",
		.type = FVSR_CLI_REAL,
		.value = &args->sparse_ratio,
		.argument = "X",
		.min = 0.01,
		.max = 1000,
		.help = "attention budget: 1.5 is faster, 2.0 (default) more\n"
			"stable"};
	options[1] =
		(struct fvsr_cli_option){.name = "local-range",
					 .type = FVSR_CLI_INT,
					 .value = &args->local_range,
					 .argument = "N",
					 .min = 1,
					 .max = 1000,
					 .help = "attention window in blocks of 128 pixels: 9 is\n"
						 "sharper, 11 (default) more stable"};
	options[2] = (struct fvsr_cli_option){
		.name = "kv-ratio",
		.type = FVSR_CLI_INT,
		.value = &args->kv_ratio,
		.argument = "N",
		.min = 1,
		.max = 8,
		.help = "how much of the past is kept, 1 to 8 (default 3)"};
	options[3] =
		(struct fvsr_cli_option){.name = "color",
					 .type = FVSR_CLI_CHOICE,
					 .value = &args->color,
					 .argument = "HOW",
					 .choices = fvsr_cli_color_choices,
					 .help = "colour correction towards the source: adain,\n"
						 "wavelet, off, or auto (default): what suits the\n"
						 "model"};
	options[4] = (struct fvsr_cli_option){
		.name = "seed",
		.type = FVSR_CLI_U64,
		.value = &args->seed,
		.argument = "N",
		.help = "seed of the noise (default 0); the same seed gives\n"
			"the same pictures"};
	options[5] = (struct fvsr_cli_option){
		.name = "memory",
		.type = FVSR_CLI_REAL,
		.value = &args->memory_gib,
		.argument = "GIB",
		.min = 1e-3,
		.max = 1e6,
		.help = "memory of the GPU that the stream may take beside the\n"
			"model (default: what is free); the pictures are the\n"
			"same with less, and take longer"};
}

void fvsr_cli_apply_stream_args(const struct fvsr_cli_stream_args *args,
				struct fvsr_settings *settings)
{
	settings->sparse_ratio = args->sparse_ratio;
	settings->local_range = args->local_range;
	settings->kv_ratio = args->kv_ratio;
	settings->color = (enum fvsr_color)args->color;
	settings->seed = args->seed;
	settings->memory_limit = (uint64_t)(args->memory_gib * GIB);
}

/* The bundled model's place relative to the running executable. */
static bool path_beside_executable(char *path, size_t size)
{
	char self[FVSR_CLI_PATH_BYTES];
	char *slash;

	if (!fvsr_platform_executable(self, sizeof(self)))
		return false;
	slash = strrchr(self, '/');
	if (!slash)
		return false;
	*slash = '\0';
	return (size_t)snprintf(path, size, "%s/" BESIDE_EXECUTABLE, self) < size;
}

static const char *default_model(char *path, size_t size)
{
	if (fvsr_platform_variable("FVSR_MODEL", path, size))
		return path;
	if (path_beside_executable(path, size) && fvsr_platform_readable(path))
		return path;
	return installed && fvsr_platform_readable(installed) ? installed : NULL;
}

const char *fvsr_cli_model_spec(const struct fvsr_cli_model_args *args,
				char path[FVSR_CLI_PATH_BYTES])
{
	return args->model ? args->model : default_model(path, FVSR_CLI_PATH_BYTES);
}

fvsr_model *fvsr_cli_open_model(const struct fvsr_cli_model_args *args, bool quiet, bool verbose)
{
	char path[FVSR_CLI_PATH_BYTES];
	const char *spec = fvsr_cli_model_spec(args, path);
	struct fvsr_cli_progress progress;
	struct fvsr_model_options options;
	struct fvsr_error err = {""};
	fvsr_model *model;
	int result;

	if (!spec) {
		fvsr_cli_error("the bundled model is not installed (looked for %s); name a model "
			       "with --model",
			       installed ? installed : BESIDE_EXECUTABLE);
		return NULL;
	}
	fvsr_cli_progress_start(&progress, quiet);
	fvsr_model_options_default(&options);
	options.backend = args->backend;
	options.threads = args->threads;
	options.allow_directory = true;
	options.log = fvsr_cli_log(verbose ? FVSR_LOG_DEBUG : FVSR_LOG_WARNING);
	options.progress = fvsr_cli_progress_callback(&progress);
	result = fvsr_model_open(&model, spec, &options, &err);
	fvsr_cli_progress_clear(&progress);
	if (result < 0) {
		fvsr_cli_error("cannot open the model: %s",
			       err.text[0] ? err.text : fvsr_result_text(result));
		return NULL;
	}
	return model;
}
