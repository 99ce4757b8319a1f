/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding a remedy: see remedy.h.
 */
#include "filter/remedy.h"

#include "filter/settings.h"

#define FEW_FPS 4 /* where no more frames are possible, other remedies help more */

static bool enlarges_more(const struct filter_report *report)
{
	return report->out_width > SCALE_MIN * report->in_width;
}

static enum remedy for_slowness(const struct filter_report *report)
{
	if (report->session.allow_fps >= FEW_FPS)
		return REMEDY_ALLOW;
	if (enlarges_more(report))
		return REMEDY_SMALLER;
	if (report->session.own_model)
		return REMEDY_SMALL;
	return report->session.allow_fps ? REMEDY_ALLOW : REMEDY_NONE;
}

static enum remedy for_failure(const struct filter_report *report,
			       const struct worker_status *status)
{
	if (report->session.own_model)
		return REMEDY_SMALL;
	return status->no_memory && enlarges_more(report) ? REMEDY_SMALLER : REMEDY_NONE;
}

enum remedy remedy_find(const struct filter_report *report, const struct worker_status *status)
{
	switch (report->session.phase) {
	case PHASE_TOO_SLOW:
		return for_slowness(report);
	case PHASE_FAILED:
		return for_failure(report, status);
	case PHASE_PINNED:
		return REMEDY_SHARPEN;
	default:
		return report->session.no_model_chosen ? REMEDY_SMALL : REMEDY_NONE;
	}
}

const char *remedy_key(enum remedy remedy)
{
	switch (remedy) {
	case REMEDY_ALLOW:
		return "Remedy.Allow";
	case REMEDY_SMALLER:
		return "Remedy.Smaller";
	case REMEDY_SMALL:
		return "Remedy.Small";
	case REMEDY_SHARPEN:
		return "Remedy.Sharpen";
	case REMEDY_NONE:
		break;
	}
	return "Remedy.None";
}

void remedy_apply(enum remedy remedy, const struct filter_report *report, obs_data_t *settings,
		  obs_data_t *changes)
{
	switch (remedy) {
	case REMEDY_ALLOW:
		if (obs_data_get_int(settings, S_MIN_FPS) > report->session.allow_fps)
			obs_data_set_int(changes, S_MIN_FPS, report->session.allow_fps);
		break;
	case REMEDY_SMALLER:
		obs_data_set_int(changes, S_SCALE, SCALE_MIN);
		break;
	case REMEDY_SMALL:
		obs_data_set_string(changes, S_MODEL, MODEL_BUNDLED);
		break;
	case REMEDY_SHARPEN:
		obs_data_set_string(changes, S_STEP, STEP_AUTO);
		break;
	case REMEDY_NONE:
		break;
	}
}
