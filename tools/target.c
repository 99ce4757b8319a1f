/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must not be written to: see target.h.
 */
#include "target.h"

#include <stdio.h>
#include <string.h>

#include "platform.h"

bool fvsr_cli_is_standard(const char *word)
{
	return !word || strcmp(word, "-") == 0;
}

const char *fvsr_cli_target_name(const char *word)
{
	return fvsr_cli_is_standard(word) ? "standard output" : word;
}

static int refuse(struct fvsr_error *err, const char *output, const char *why)
{
	snprintf(err->text, sizeof(err->text), "%.300s %s", fvsr_cli_target_name(output), why);
	return FVSR_ERR_ARGUMENT;
}

static bool is_input(const char *output, const char *input)
{
	bool to_stream = fvsr_cli_is_standard(output), from_stream = fvsr_cli_is_standard(input);

	if (to_stream && from_stream)
		return fvsr_same_file_handles(fileno(stdout), fileno(stdin));
	if (to_stream)
		return fvsr_same_file_handle(input, fileno(stdout));
	if (from_stream)
		return fvsr_same_file_handle(output, fileno(stdin));
	return fvsr_same_file(output, input);
}

int fvsr_cli_check_target(const char *output, const char *input, const char *spec, const char *hint,
			  struct fvsr_error *err)
{
	if (fvsr_cli_is_standard(output) && fvsr_platform_is_terminal(stdout)) {
		snprintf(err->text, sizeof(err->text), "video would go to the terminal; %s", hint);
		return FVSR_ERR_ARGUMENT;
	}
	if (is_input(output, input))
		return refuse(err, output, "is the input itself");
	if (spec && !fvsr_cli_is_standard(output) && fvsr_model_reads(spec, output))
		return refuse(err, output, "is a file of the model");
	return 0;
}

int fvsr_cli_write_file(const char *path, const void *data, size_t bytes, struct fvsr_error *err)
{
	struct fvsr_new_file *file;
	int result = fvsr_new_file_create(&file, path, err);

	if (result < 0)
		return result;
	result = fvsr_new_file_write(file, data, bytes, err);
	if (result == FVSR_OK)
		return fvsr_new_file_commit(file, err);
	fvsr_new_file_abort(file);
	return result;
}
