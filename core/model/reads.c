/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Somebody who writes a file can ask whether a model is read from it, so as not to destroy it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/common.h"
#include "model/directory.h"
#include "model/file.h"
#include "model/new_file.h"
#include "model/source.h"

static bool folder_has(const char *folder, const char *path)
{
	bool found = false;

	for (size_t i = 0; i < FVSR_RELEASED_FILES && !found; i++) {
		char *name = fvsr_path_join(folder, fvsr_released_files[i]);

		found = name && fvsr_same_file(name, path);
		free(name);
	}
	return found;
}

bool fvsr_model_reads(const char *spec, const char *path)
{
	char *config;
	bool found;

	if (fvsr_synth_is_spec(spec)) {
		config = fvsr_synth_config_path(spec);
		found = config && fvsr_same_file(config, path);
		free(config);
		return found;
	}
	return fvsr_path_is_folder(spec) ? folder_has(spec, path) : fvsr_same_file(spec, path);
}
