/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter's dialog, from top to bottom: what the filter does, in two lines, and one button for
 * what is wrong; the settings that most people change, where the model comes from, and behind a
 * switch all other settings. In place of the settings a click shows the figures: see dialog.h.
 */
#include "filter/internal.h"
#include "filter/remedy.h"
#include "filter/settings.h"

#include "models/download.h"

#include <util/dstr.h>

#include <string.h>

#define P_STATUS         "status"
#define P_REMEDY         "remedy"
#define P_FIGURES        "figures"
#define P_STATUS_REFRESH "status_refresh"
#define P_QUALITY        "quality"
#define P_SUGGEST        "scale_suggest"
#define P_STORE          "store"
#define P_STORE_STATUS   "store_status"
#define P_STORE_DOWNLOAD "store_download"
#define P_STORE_CANCEL   "store_cancel"
#define P_STORE_IMPORT   "store_import"
#define P_VERSION        "version"
#define S_STORE_FOLDER   "released_folder"

#define T_(key) obs_module_text(key)

/* ---- status -------------------------------------------------------------------------------- */

static enum obs_text_info_type status_type(const struct filter_report *report)
{
	switch (report->session.phase) {
	case PHASE_FAILED:
		return OBS_TEXT_INFO_ERROR;
	case PHASE_UNFIT:
	case PHASE_HDR:
	case PHASE_TOO_SLOW:
	case PHASE_BEHIND:
		return OBS_TEXT_INFO_WARNING;
	default:
		return OBS_TEXT_INFO_NORMAL;
	}
}

static void show_remedy(obs_property_t *button, const struct filter_report *report,
			const struct worker_status *status)
{
	const enum remedy remedy = remedy_find(report, status);
	char *text = filter_text(remedy_key(remedy), report, status);

	obs_property_set_description(button, text);
	obs_property_set_enabled(button, remedy != REMEDY_NONE);
	bfree(text);
}

static void show_status(obs_properties_t *props, struct flashvsr_filter *filter)
{
	obs_property_t *property = obs_properties_get(props, P_STATUS);
	struct worker_status status;
	struct filter_report report;
	char *text;

	filter_get_report(filter, &report, &status);
	text = filter_status_text(&report, &status);
	obs_property_set_description(property, text);
	obs_property_text_set_info_type(property, status_type(&report));
	bfree(text);
	text = filter_figures_text(&report, &status);
	obs_property_set_description(obs_properties_get(props, P_FIGURES), text);
	bfree(text);
	show_remedy(obs_properties_get(props, P_REMEDY), &report, &status);
	dialog_built(&filter->dialog, filter_dialog_state(filter, &report, &status));
}

static bool status_refresh_clicked(obs_properties_t *props, obs_property_t *button, void *data)
{
	(void)button;
	show_status(props, data);
	return true;
}

/* The button stays where it is, and has nothing to do until the next status says so. */
static bool remedy_clicked(obs_properties_t *props, obs_property_t *button, void *data)
{
	struct flashvsr_filter *filter = data;
	obs_data_t *settings = obs_source_get_settings(filter->context);
	obs_data_t *changes = obs_data_create();
	struct worker_status status;
	struct filter_report report;

	(void)props;
	filter_get_report(filter, &report, &status);
	remedy_apply(remedy_find(&report, &status), &report, settings, changes);
	atomic_store(&filter->afresh, true);
	obs_source_update(filter->context, changes);
	obs_property_set_enabled(button, false);
	obs_data_release(changes);
	obs_data_release(settings);
	return true;
}

static bool something_modified(obs_properties_t *props, obs_property_t *property,
			       obs_data_t *settings);

static void add_status(obs_properties_t *props, struct flashvsr_filter *filter)
{
	obs_property_t *p;

	obs_properties_add_text(props, P_STATUS, "", OBS_TEXT_INFO);
	obs_properties_add_button2(props, P_REMEDY, "", remedy_clicked, filter);
	p = obs_properties_add_bool(props, S_DETAILS, T_("Details"));
	obs_property_set_long_description(p, T_("Details.Tip"));
	obs_property_set_modified_callback(p, something_modified);
	obs_properties_add_text(props, P_FIGURES, "", OBS_TEXT_INFO);
	p = obs_properties_add_bool(props, S_LIVE, T_("Status.Live"));
	obs_property_set_long_description(p, T_("Status.Live.Tip"));
	obs_properties_add_button2(props, P_STATUS_REFRESH, T_("Status.Refresh"),
				   status_refresh_clicked, filter);
	show_status(props, filter);
}

/* ---- what most people choose --------------------------------------------------------------- */

static void show(obs_properties_t *props, const char *name, bool visible)
{
	obs_property_set_visible(obs_properties_get(props, name), visible);
}

/* Shows one of two pages below the first lines: the settings, or the figures. */
static void show_page(obs_properties_t *props, bool details)
{
	static const char *const first[] = {P_STATUS, P_REMEDY, S_DETAILS};
	static const char *const figures[] = {P_FIGURES, S_LIVE, P_STATUS_REFRESH};

	for (obs_property_t *p = obs_properties_first(props); p; obs_property_next(&p))
		obs_property_set_visible(p, !details);
	for (int i = 0; i < 3; i++) {
		show(props, first[i], true);
		show(props, figures[i], details);
	}
}

/* Shows the settings that the choices so far call for, and hides the others. */
static bool something_modified(obs_properties_t *props, obs_property_t *property,
			       obs_data_t *settings)
{
	const bool details = obs_data_get_bool(settings, S_DETAILS);
	const bool own_size = obs_data_get_int(settings, S_SCALE) == SCALE_CUSTOM;
	const char *compare = obs_data_get_string(settings, S_COMPARE);
	const bool advanced = obs_data_get_bool(settings, S_ADVANCED);
	bool custom, own_model;

	(void)property;
	filter_settings_migrate(settings);
	custom = strcmp(obs_data_get_string(settings, S_PRESET), PRESET_CUSTOM) == 0;
	own_model = strcmp(obs_data_get_string(settings, S_MODEL), MODEL_FILE) == 0;
	show_page(props, details);
	show(props, S_WIDTH, own_size && !details);
	show(props, S_HEIGHT, own_size && !details);
	show(props, P_SUGGEST, obs_data_get_int(settings, S_SCALE) >= SCALE_MIN && !details);
	show(props, S_COMPARE_AT, strcmp(compare, COMPARE_IS_LINE) == 0 && !details);
	show(props, S_COMPARE_ENDS, strcmp(compare, COMPARE_IS_OFF) != 0 && !details);
	show(props, S_MODEL_FILE, own_model && !details);
	show(props, P_STORE, own_model && !details);
	show(props, P_QUALITY, advanced && !details);
	show(props, S_SPARSE_RATIO, custom);
	show(props, S_LOCAL_RANGE, custom);
	show(props, S_KV_RATIO, custom);
	return true;
}

static obs_property_t *add_list(obs_properties_t *props, const char *name, const char *text,
				const char *tip)
{
	obs_property_t *list = obs_properties_add_list(props, name, text, OBS_COMBO_TYPE_LIST,
						       OBS_COMBO_FORMAT_STRING);

	obs_property_set_long_description(list, tip);
	return list;
}

static void add_preset(obs_properties_t *props)
{
	obs_property_t *list = add_list(props, S_PRESET, T_("Preset"), T_("Preset.Tip"));

	obs_property_list_add_string(list, T_("Preset.Fast"), PRESET_FAST);
	obs_property_list_add_string(list, T_("Preset.Balanced"), PRESET_BALANCED);
	obs_property_list_add_string(list, T_("Preset.Best"), PRESET_BEST);
	obs_property_list_add_string(list, T_("Preset.Custom"), PRESET_CUSTOM);
	obs_property_set_modified_callback(list, something_modified);
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
	obs_property_list_add_int(list, T_("Scale.Canvas"), SCALE_CANVAS);
	obs_property_list_add_int(list, T_("Scale.Custom"), SCALE_CUSTOM);
	obs_property_set_long_description(list, T_("Scale.Tip"));
	obs_property_set_modified_callback(list, something_modified);
	obs_properties_add_int(props, S_WIDTH, T_("Scale.Width"), SIZES_SIDE_MIN, SIZES_SIDE_MAX,
			       1);
	obs_properties_add_int(props, S_HEIGHT, T_("Scale.Height"), SIZES_SIDE_MIN, SIZES_SIDE_MAX,
			       1);
}

/* Where the result is still smaller than the canvas in both directions. */
static bool suggests_canvas(struct flashvsr_filter *filter)
{
	struct obs_video_info info = {0};
	struct worker_status status;
	struct filter_report report;

	filter_get_report(filter, &report, &status);
	obs_get_video_info(&info);
	return report.out_width && sizes_unpack(atomic_load(&filter->wanted)).scale &&
	       report.out_width < info.base_width && report.out_height < info.base_height;
}

static bool suggest_clicked(obs_properties_t *props, obs_property_t *button, void *data)
{
	struct flashvsr_filter *filter = data;
	obs_data_t *settings = obs_data_create();

	(void)props;
	obs_data_set_int(settings, S_SCALE, SCALE_CANVAS);
	obs_source_update(filter->context, settings);
	obs_data_release(settings);
	obs_property_set_visible(button, false);
	return true;
}

static void add_suggestion(obs_properties_t *props, struct flashvsr_filter *filter)
{
	if (filter && suggests_canvas(filter))
		obs_properties_add_button2(props, P_SUGGEST, T_("Scale.Suggest"), suggest_clicked,
					   filter);
}

static void add_compare(obs_properties_t *props)
{
	obs_property_t *p = add_list(props, S_COMPARE, T_("Compare"), T_("Compare.Tip"));

	obs_property_list_add_string(p, T_("Compare.Off"), COMPARE_IS_OFF);
	obs_property_list_add_string(p, T_("Compare.Line"), COMPARE_IS_LINE);
	obs_property_list_add_string(p, T_("Compare.Hold"), COMPARE_IS_HOLD);
	obs_property_set_modified_callback(p, something_modified);
	p = obs_properties_add_int_slider(props, S_COMPARE_AT, T_("Compare.At"), 0, 100, 1);
	obs_property_int_set_suffix(p, " %");
	p = obs_properties_add_bool(props, S_COMPARE_ENDS, T_("Compare.Ends"));
	obs_property_set_long_description(p, T_("Compare.Ends.Tip"));
}

static void add_place(obs_properties_t *props)
{
	obs_property_t *box = obs_properties_add_bool(props, S_KEEP_PLACE, T_("KeepPlace"));

	obs_property_set_long_description(box, T_("KeepPlace.Tip"));
}

static void add_sync(obs_properties_t *props)
{
	obs_property_t *box = obs_properties_add_bool(props, S_KEEP_SYNC, T_("KeepSync"));

	obs_property_set_long_description(box, T_("KeepSync.Tip"));
}

/* ---- the model ----------------------------------------------------------------------------- */

static bool store_clicked(struct flashvsr_filter *filter, bool started)
{
	if (started)
		filter_want_packed(filter);
	return started;
}

static void update_store(obs_properties_t *props, struct flashvsr_filter *filter)
{
	struct model_store_status status;
	char *text;

	model_store_get(filter->shared->store, &status);
	text = filter_store_text(&status);
	show(props, P_STORE_STATUS, text != NULL);
	if (text) {
		obs_property_t *property = obs_properties_get(props, P_STORE_STATUS);

		obs_property_set_description(property, text);
		obs_property_text_set_info_type(property, status.state == STORE_FAILED
								  ? OBS_TEXT_INFO_ERROR
								  : OBS_TEXT_INFO_NORMAL);
	}
	bfree(text);
	show(props, P_STORE_CANCEL, model_store_busy(&status));
	show(props, P_STORE_DOWNLOAD, !model_store_busy(&status) && download_possible());
	show(props, S_STORE_FOLDER, !model_store_busy(&status));
	show(props, P_STORE_IMPORT, !model_store_busy(&status));
}

static bool download_clicked(obs_properties_t *props, obs_property_t *button, void *data)
{
	struct flashvsr_filter *filter = data;

	(void)button;
	store_clicked(filter, model_store_download(filter->shared->store));
	update_store(props, filter);
	return true;
}

static bool cancel_clicked(obs_properties_t *props, obs_property_t *button, void *data)
{
	struct flashvsr_filter *filter = data;

	(void)button;
	model_store_cancel(filter->shared->store);
	update_store(props, filter);
	return true;
}

static bool import_clicked(obs_properties_t *props, obs_property_t *button, void *data)
{
	struct flashvsr_filter *filter = data;
	obs_data_t *settings = obs_source_get_settings(filter->context);
	const char *folder = obs_data_get_string(settings, S_STORE_FOLDER);

	(void)button;
	store_clicked(filter, model_store_import(filter->shared->store, folder));
	obs_data_release(settings);
	update_store(props, filter);
	return true;
}

static void name_download(obs_property_t *button, const struct model_list *list)
{
	struct dstr text = {0}, size = {0};
	double bytes = 0.0;

	for (unsigned i = 0; i < list->count; i++)
		bytes += (double)list->files[i].bytes;
	dstr_printf(&size, "%.1f", bytes / 1e9);
	dstr_copy(&text, T_("Store.Download"));
	dstr_replace(&text, "{size}", size.array);
	dstr_replace(&text, "{name}", list->name);
	obs_property_set_description(button, text.array);
	obs_property_set_long_description(button, T_("Store.Download.Tip"));
	dstr_free(&text);
	dstr_free(&size);
}

static void add_store(obs_properties_t *props, struct flashvsr_filter *filter)
{
	obs_properties_t *group;
	obs_property_t *p;

	if (!filter || !filter->shared->store)
		return;
	group = obs_properties_create();
	obs_properties_add_text(group, P_STORE_STATUS, "", OBS_TEXT_INFO);
	p = obs_properties_add_button2(group, P_STORE_DOWNLOAD, "", download_clicked, filter);
	name_download(p, &filter->shared->list);
	obs_properties_add_button2(group, P_STORE_CANCEL, T_("Store.Cancel"), cancel_clicked,
				   filter);
	p = obs_properties_add_path(group, S_STORE_FOLDER, T_("Store.Folder"), OBS_PATH_DIRECTORY,
				    NULL, NULL);
	obs_property_set_long_description(p, T_("Store.Folder.Tip"));
	obs_properties_add_button2(group, P_STORE_IMPORT, T_("Store.Import"), import_clicked,
				   filter);
	obs_properties_add_group(props, P_STORE, T_("Store"), OBS_GROUP_NORMAL, group);
	update_store(props, filter);
}

static void add_model(obs_properties_t *props)
{
	obs_property_t *list = add_list(props, S_MODEL, T_("Model"), T_("Model.Tip"));
	struct dstr filter = {0};

	obs_property_list_add_string(list, T_("Model.Bundled"), MODEL_BUNDLED);
	obs_property_list_add_string(list, T_("Model.File"), MODEL_FILE);
	obs_property_set_modified_callback(list, something_modified);
	dstr_printf(&filter, "%s (*.safetensors)", T_("Model.File.Packed"));
	obs_properties_add_path(props, S_MODEL_FILE, T_("Model.File"), OBS_PATH_FILE, filter.array,
				NULL);
	dstr_free(&filter);
}

/* ---- everything else ----------------------------------------------------------------------- */

/* Lists all backends; those that cannot be used are greyed out and have the reason beside them. */
static void add_backends(obs_properties_t *props)
{
	obs_property_t *list = add_list(props, S_BACKEND, T_("Backend"), T_("Backend.Tip"));
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
	obs_property_t *list = add_list(props, S_COLOR, T_("Color"), T_("Color.Tip"));

	obs_property_list_add_string(list, T_("Color.Auto"), COLOR_AUTO);
	obs_property_list_add_string(list, T_("Color.Adain"), COLOR_ADAIN);
	obs_property_list_add_string(list, T_("Color.Wavelet"), COLOR_WAVELET);
	obs_property_list_add_string(list, T_("Color.Off"), COLOR_OFF);
}

static void add_step(obs_properties_t *props)
{
	obs_property_t *list = add_list(props, S_STEP, T_("Step"), T_("Step.Tip"));

	obs_property_list_add_string(list, T_("Step.Auto"), STEP_AUTO);
	obs_property_list_add_string(list, T_("Step.Full"), STEP_FULL);
	obs_property_list_add_string(list, T_("Step.Sparse"), STEP_SPARSE);
	obs_property_list_add_string(list, T_("Step.Slices"), STEP_SLICES);
	obs_property_list_add_string(list, T_("Step.Small"), STEP_SMALL);
	obs_property_list_add_string(list, T_("Step.Rate"), STEP_RATE);
	obs_property_list_add_string(list, T_("Step.Bicubic"), STEP_BICUBIC);
}

static void add_effort(obs_properties_t *group)
{
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
}

static void add_advanced(obs_properties_t *props)
{
	obs_properties_t *group = obs_properties_create();
	obs_property_t *p = obs_properties_add_bool(props, S_ADVANCED, T_("Advanced"));

	obs_property_set_modified_callback(p, something_modified);
	add_backends(group);
	add_effort(group);
	add_color(group);
	add_step(group);
	p = obs_properties_add_int_slider(group, S_MIN_FPS, T_("MinFps"), MIN_FPS_MIN, MIN_FPS_MAX,
					  1);
	obs_property_set_long_description(p, T_("MinFps.Tip"));
	p = obs_properties_add_int(group, S_HIDDEN_S, T_("HiddenS"), 0, HIDDEN_S_MAX, 1);
	obs_property_int_set_suffix(p, " s");
	obs_property_set_long_description(p, T_("HiddenS.Tip"));
	obs_properties_add_group(props, P_QUALITY, T_("Quality"), OBS_GROUP_NORMAL, group);
}

obs_properties_t *filter_properties(void *data)
{
	struct flashvsr_filter *filter = data;
	obs_properties_t *props =
		filter ? dialog_properties(&filter->dialog) : obs_properties_create();

	if (filter)
		add_status(props, filter);
	add_preset(props);
	add_scale(props);
	add_suggestion(props, filter);
	add_place(props);
	add_compare(props);
	add_sync(props);
	add_model(props);
	add_store(props, filter);
	add_advanced(props);
	obs_properties_add_text(props, P_VERSION, "obs-flashvsr " FVSR_PLUGIN_VERSION,
				OBS_TEXT_INFO);
	return props;
}
