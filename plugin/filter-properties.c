/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter's dialog.
 */
#include "filter-internal.h"
#include "filter-settings.h"

#include <util/dstr.h>

#include <string.h>

#define P_STATUS         "status"
#define P_STATUS_REFRESH "status_refresh"
#define P_QUALITY        "quality"

#define T_(key) obs_module_text(key)

static enum obs_text_info_type status_type(const struct filter_report *report)
{
	switch (report->phase) {
	case PHASE_FAILED:
		return OBS_TEXT_INFO_ERROR;
	case PHASE_UNFIT:
	case PHASE_TOO_SLOW:
	case PHASE_BEHIND:
		return OBS_TEXT_INFO_WARNING;
	default:
		return OBS_TEXT_INFO_NORMAL;
	}
}

static void show_status(obs_property_t *property, struct flashvsr_filter *filter)
{
	struct worker_status status;
	struct filter_report report;
	char *text;

	filter_get_report(filter, &report, &status);
	text = filter_status_text(&report, &status);
	obs_property_set_description(property, text);
	obs_property_text_set_info_type(property, status_type(&report));
	bfree(text);
}

static bool status_refresh_clicked(obs_properties_t *props, obs_property_t *button, void *data)
{
	(void)button;
	show_status(obs_properties_get(props, P_STATUS), data);
	return true;
}

static bool model_modified(obs_properties_t *props, obs_property_t *list, obs_data_t *settings)
{
	const char *model = obs_data_get_string(settings, S_MODEL);

	(void)list;
	obs_property_set_visible(obs_properties_get(props, S_MODEL_FILE),
				 strcmp(model, MODEL_FILE) == 0);
	return true;
}

static void add_model(obs_properties_t *props)
{
	obs_property_t *list = obs_properties_add_list(
		props, S_MODEL, T_("Model"), OBS_COMBO_TYPE_LIST, OBS_COMBO_FORMAT_STRING);
	struct dstr filter = {0};

	obs_property_list_add_string(list, T_("Model.Bundled"), MODEL_BUNDLED);
	obs_property_list_add_string(list, T_("Model.File"), MODEL_FILE);
	obs_property_set_modified_callback(list, model_modified);
	dstr_printf(&filter, "%s (*.safetensors)", T_("Model.File.Packed"));
	obs_properties_add_path(props, S_MODEL_FILE, T_("Model.File"), OBS_PATH_FILE, filter.array,
				NULL);
	dstr_free(&filter);
}

static void add_scale(obs_properties_t *props)
{
	obs_property_t *list = obs_properties_add_list(props, S_SCALE, T_("Scale"),
						       OBS_COMBO_TYPE_LIST, OBS_COMBO_FORMAT_INT);

	for (int scale = SCALE_MIN; scale <= SCALE_MAX; scale++) {
		struct dstr text = {0};

		dstr_printf(&text, "%dx", scale);
		obs_property_list_add_int(list, text.array, scale);
		dstr_free(&text);
	}
}

static void add_sync(obs_properties_t *props)
{
	obs_property_t *box = obs_properties_add_bool(props, S_KEEP_SYNC, T_("KeepSync"));

	obs_property_set_long_description(box, T_("KeepSync.Tip"));
}

/* What cannot be used is listed with the reason, greyed out. */
static void add_backends(obs_properties_t *props)
{
	obs_property_t *list = obs_properties_add_list(
		props, S_BACKEND, T_("Backend"), OBS_COMBO_TYPE_LIST, OBS_COMBO_FORMAT_STRING);
	struct fvsr_backend_info info;

	obs_property_list_add_string(list, T_("Backend.Auto"), BACKEND_AUTO);
	for (unsigned i = 0; fvsr_backend_describe(i, &info) == FVSR_OK; i++) {
		const char *more = info.available ? info.device : info.reason;
		struct dstr text = {0};
		size_t item;

		dstr_copy(&text, info.name);
		if (more[0])
			dstr_catf(&text, " (%s)", more);
		item = obs_property_list_add_string(list, text.array, info.name);
		obs_property_list_item_disable(list, item, !info.available);
		dstr_free(&text);
	}
}

static void add_color(obs_properties_t *props)
{
	obs_property_t *list = obs_properties_add_list(
		props, S_COLOR, T_("Color"), OBS_COMBO_TYPE_LIST, OBS_COMBO_FORMAT_STRING);

	obs_property_list_add_string(list, T_("Color.Auto"), COLOR_AUTO);
	obs_property_list_add_string(list, T_("Color.Adain"), COLOR_ADAIN);
	obs_property_list_add_string(list, T_("Color.Wavelet"), COLOR_WAVELET);
	obs_property_list_add_string(list, T_("Color.Off"), COLOR_OFF);
	obs_property_set_long_description(list, T_("Color.Tip"));
}

static void add_quality(obs_properties_t *props)
{
	obs_properties_t *group = obs_properties_create();
	obs_property_t *p;

	p = obs_properties_add_float_slider(group, S_SPARSE_RATIO, T_("SparseRatio"),
					    SPARSE_RATIO_MIN, SPARSE_RATIO_MAX, 0.1);
	obs_property_set_long_description(p, T_("SparseRatio.Tip"));
	p = obs_properties_add_int_slider(group, S_LOCAL_RANGE, T_("LocalRange"), LOCAL_RANGE_MIN,
					  LOCAL_RANGE_MAX, 2);
	obs_property_set_long_description(p, T_("LocalRange.Tip"));
	p = obs_properties_add_int_slider(group, S_KV_RATIO, T_("KvRatio"), KV_RATIO_MIN,
					  KV_RATIO_MAX, 1);
	obs_property_set_long_description(p, T_("KvRatio.Tip"));
	add_color(group);
	p = obs_properties_add_int_slider(group, S_MIN_FPS, T_("MinFps"), MIN_FPS_MIN, MIN_FPS_MAX,
					  1);
	obs_property_set_long_description(p, T_("MinFps.Tip"));
	obs_properties_add_group(props, P_QUALITY, T_("Quality"), OBS_GROUP_NORMAL, group);
}

obs_properties_t *filter_properties(void *data)
{
	obs_properties_t *props = obs_properties_create();

	if (data) {
		show_status(obs_properties_add_text(props, P_STATUS, "", OBS_TEXT_INFO), data);
		obs_properties_add_button2(props, P_STATUS_REFRESH, T_("Status.Refresh"),
					   status_refresh_clicked, data);
	}
	add_model(props);
	add_scale(props);
	add_sync(props);
	add_backends(props);
	add_quality(props);
	return props;
}
