/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options that several commands share: which model on which backend, and how the network runs.
 */
#ifndef FVSR_TOOLS_MODEL_ARGS_H
#define FVSR_TOOLS_MODEL_ARGS_H

#include "fvsr/fvsr.h"

#include "console.h"
#include "options.h"

struct fvsr_cli_model_args {
	const char *model;
	const char *backend;
	int threads;
};

struct fvsr_cli_stream_args {
	double sparse_ratio;
	int local_range;
	int kv_ratio;
	int color; /* enum fvsr_color */
	uint64_t seed;
	double memory_gib; /* 0: no limit */
};

#define FVSR_CLI_MODEL_OPTIONS  3
#define FVSR_CLI_STREAM_OPTIONS 6

extern const struct fvsr_cli_choice fvsr_cli_color_choices[];

/* Default values, and the rows for the option table. 'options' gets ..._OPTIONS entries. */
void fvsr_cli_model_options(struct fvsr_cli_model_args *args, struct fvsr_cli_option *options);
void fvsr_cli_stream_options(struct fvsr_cli_stream_args *args, struct fvsr_cli_option *options);

/* Writes the stream options into 'settings'. */
void fvsr_cli_apply_stream_args(const struct fvsr_cli_stream_args *args,
				struct fvsr_settings *settings);

#define FVSR_CLI_PATH_BYTES 4096

/* Which model that is: args->model, or the default one, whose path goes to 'path'; NULL: none. */
const char *fvsr_cli_model_spec(const struct fvsr_cli_model_args *args,
				char path[FVSR_CLI_PATH_BYTES]);

/*
 * Opens args->model, or the default model where it is NULL, with progress, reporting errors.
 * Returns NULL on failure.
 */
fvsr_model *fvsr_cli_open_model(const struct fvsr_cli_model_args *args, bool quiet, bool verbose);

#endif
