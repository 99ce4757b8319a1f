/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a command writes to: a file, which appears only when it is complete (see
 * model/new_file.h), a device or named pipe, or standard output.
 */
#ifndef FVSR_TOOLS_TARGET_H
#define FVSR_TOOLS_TARGET_H

#include "fvsr/fvsr.h"
#include "model/new_file.h"

/* True for the standard streams: "-", or nothing at all. */
bool fvsr_cli_is_standard(const char *word);
/* A path for messages. */
const char *fvsr_cli_target_name(const char *word);

/*
 * Refuses an output that would destroy what is read: the same file as 'input', or one that the
 * model 'spec' (NULL: none) is read from; and a terminal, which video makes unusable. 'hint' says
 * what to do instead of that. FVSR_ERR_ARGUMENT with *err, or 0.
 */
int fvsr_cli_check_target(const char *output, const char *input, const char *spec, const char *hint,
			  struct fvsr_error *err);

/* Writes a whole file, which appears when it is complete. 0 or FVSR_ERR_*. */
int fvsr_cli_write_file(const char *path, const void *data, size_t bytes, struct fvsr_error *err);

#endif
