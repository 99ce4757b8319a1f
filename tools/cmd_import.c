/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fvsr import: released weights to the one packed file that the plugin loads.
 */
#include "cli.h"
#include "console.h"
#include "interrupt.h"
#include "options.h"
#include "platform.h"
#include "report.h"

struct import {
	const char *words[2]; /* source, packed file */
	const char *name;
	int type, version;
	bool quiet, verbose;
};

static int run(const struct import *import)
{
	const char *source = import->words[0], *packed = import->words[1];
	struct fvsr_cli_progress progress;
	struct fvsr_import_options options;
	struct fvsr_error err = {""};
	char size[FVSR_CLI_BYTES_TEXT];
	int64_t bytes;
	int result;

	fvsr_cli_catch_signals();
	fvsr_cli_progress_start(&progress, import->quiet);
	fvsr_import_options_default(&options);
	options.type = (enum fvsr_pack_type)import->type;
	options.lq_version = (enum fvsr_lq_version)import->version;
	options.name = import->name;
	options.log = fvsr_cli_log(import->quiet     ? FVSR_LOG_WARNING
				   : import->verbose ? FVSR_LOG_DEBUG
						     : FVSR_LOG_INFO);
	options.progress = fvsr_cli_progress_callback(&progress);
	result = fvsr_import(source, packed, &options, &err);
	fvsr_cli_progress_clear(&progress);
	if (fvsr_cli_interrupted() && result < 0) {
		fvsr_cli_note("interrupted; nothing was written to %s", packed);
		return FVSR_CLI_SIGNAL + fvsr_cli_interrupted();
	}
	if (result < 0) {
		fvsr_cli_error("cannot import: %s",
			       err.text[0] ? err.text : fvsr_result_text(result));
		return FVSR_CLI_FAILED;
	}
	bytes = fvsr_platform_file_size(packed);
	if (!import->quiet && bytes >= 0)
		fvsr_cli_note("wrote %s, %s", packed, fvsr_cli_bytes((uint64_t)bytes, size));
	return FVSR_CLI_OK;
}

static const char description[] =
	"Reads the four released files in DIR:\n"
	"\n"
	"  diffusion_pytorch_model_streaming_dmd.safetensors\n"
	"  LQ_proj_in.ckpt  TCDecoder.ckpt  posi_prompt.pth\n"
	"\n"
	"checks them and writes one packed file, the only kind that the OBS filter\n"
	"loads. Known releases are recognised by their SHA-256 sums; unknown files are\n"
	"reported and taken if their tensors fit. Transformer and projection of different\n"
	"releases are refused. Nothing that a file contains is ever executed. OUT appears\n"
	"only when it is complete; an earlier one stays until then, and it may not be one\n"
	"of the files that are read. DIR may also be a synth: model.\n";

static const char epilogue[] =
	"Exit status: 0 when OUT was written, 1 when not, 2 for wrong usage.\n"
	"\n"
	"Example:\n"
	"  fvsr import FlashVSR-v1.1/ flashvsr-v1.1.safetensors\n";

int fvsr_cmd_import(int argc, char **argv)
{
	static const struct fvsr_cli_choice types[] = {
		{"bf16", FVSR_PACK_BF16}, {"f32", FVSR_PACK_F32}, {NULL, 0}};
	static const struct fvsr_cli_choice versions[] = {
		{"auto", FVSR_LQ_MODEL}, {"v1", FVSR_LQ_V1}, {"v1.1", FVSR_LQ_V1_1}, {NULL, 0}};
	struct import import = {.type = FVSR_PACK_BF16, .version = FVSR_LQ_MODEL};
	const struct fvsr_cli_option options[] = {
		{"type", 0, FVSR_CLI_CHOICE, &import.type, "TYPE",
		 "bf16 (default; half the size) or f32", 0, 0, types},
		{"version", 0, FVSR_CLI_CHOICE, &import.version, "V",
		 "which release it is: v1, v1.1 or auto (default: by the\nhashes of the files, "
		 "v1.1 "
		 "where they are unknown)",
		 0, 0, versions},
		{"name", 0, FVSR_CLI_STRING, &import.name, "TEXT",
		 "a name to show in menus, written into the file", 0, 0, NULL},
		{"quiet", 'q', FVSR_CLI_FLAG, &import.quiet, NULL, "no progress, warnings only", 0,
		 0, NULL},
		{"verbose", 'v', FVSR_CLI_FLAG, &import.verbose, NULL, "more messages", 0, 0, NULL},
	};
	const struct fvsr_cli_group group = {"Options", options,
					     sizeof(options) / sizeof(options[0])};
	const struct fvsr_cli_usage usage = {
		.name = "import",
		.summary = "pack released weights into one file",
		.synopsis = "[options] DIR OUT.safetensors",
		.description = description,
		.epilogue = epilogue,
		.groups = &group,
		.num_groups = 1,
		.min_words = 2,
		.max_words = 2,
	};
	int status = fvsr_cli_parse(&usage, argc, argv, import.words);

	return status == FVSR_CLI_GO ? run(&import) : status;
}
