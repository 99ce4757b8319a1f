/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The door of the module: what OBS calls when it loads and unloads obs-flashvsr. The filter is
 * registered on every machine; where something is missing, its dialog says what.
 */
#include <obs-module.h>

#include "fvsr/fvsr.h"
#include "filter/filter.h"
#include "filter/shared.h"
#include "system.h"

OBS_DECLARE_MODULE()
OBS_MODULE_USE_DEFAULT_LOCALE("obs-flashvsr", "en-US")
OBS_MODULE_AUTHOR("The obs-flashvsr authors")

const char *obs_module_name(void)
{
	return obs_module_text("Module.Name");
}

const char *obs_module_description(void)
{
	return obs_module_text("Module.Description");
}

static void free_shared(void *shared)
{
	shared_unref(shared);
}

bool obs_module_load(void)
{
	struct obs_source_info info = flashvsr_filter_info;

	system_stay_loaded();
	info.type_data = shared_create();
	info.free_type_data = free_shared;
	obs_register_source(&info);
	blog(LOG_INFO, "[obs-flashvsr] version %s (engine %s) loaded", FVSR_PLUGIN_VERSION,
	     fvsr_version());
	return true;
}
