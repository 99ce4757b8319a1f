/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the dialog is told. The graphics thread makes a report once a tick, so that the dialog,
 * which is another thread's, need not ask the session.
 */
#include "filter/internal.h"
#include "filter/settings.h"

#include <util/platform.h>

static void fill_in(struct flashvsr_filter *filter, struct filter_report *report, int64_t now)
{
	*report = (struct filter_report){
		.in_width = filter->sizes.in_width,
		.in_height = filter->sizes.in_height,
		.out_width = filter->sizes.out_width,
		.out_height = filter->sizes.out_height,
		.sound_follows =
			sync_follows(&filter->sync, obs_filter_get_parent(filter->context)),
		.render_ms = (double)render_cost_p99(&filter->cost) / 1e6,
	};
	session_get_report(filter->session, now, &report->session);
}

/* Has the filter use the model that the store has made. */
static void take_packed(struct flashvsr_filter *filter, const struct model_store_status *status)
{
	obs_data_t *settings = obs_data_create();

	atomic_store(&filter->wants_packed, false);
	obs_data_set_string(settings, S_MODEL, MODEL_FILE);
	obs_data_set_string(settings, S_MODEL_FILE, status->packed);
	obs_source_update(filter->context, settings);
	obs_data_release(settings);
}

/*
 * Rebuilds an open dialog for what the user must know at once: a change of phase or step, and how
 * far the store is.
 */
static void keep_dialog(struct flashvsr_filter *filter, const struct session_report *report)
{
	struct model_store_status store = {.state = STORE_IDLE};
	uint64_t percent, state;

	if (filter->shared->store)
		model_store_get(filter->shared->store, &store);
	if (store.state == STORE_DONE && atomic_load(&filter->wants_packed))
		take_packed(filter, &store);
	else if (store.state != STORE_IDLE && !model_store_busy(&store))
		atomic_store(&filter->wants_packed, false);
	percent = store.total ? store.done * 100 / store.total : 0;
	state = (uint64_t)report->phase | (uint64_t)report->step << 8 |
		(uint64_t)report->divisor << 16 | (uint64_t)store.state << 48 | percent << 56;
	if (dialog_due(&filter->dialog, state, os_gettime_ns()))
		obs_source_update_properties(filter->context);
}

void filter_publish_report(struct flashvsr_filter *filter, int64_t now)
{
	struct filter_report report;

	fill_in(filter, &report, now);
	pthread_mutex_lock(&filter->lock);
	filter->report = report;
	pthread_mutex_unlock(&filter->lock);
	keep_dialog(filter, &report.session);
}

void filter_get_report(struct flashvsr_filter *filter, struct filter_report *report,
		       struct worker_status *status)
{
	pthread_mutex_lock(&filter->lock);
	*report = filter->report;
	pthread_mutex_unlock(&filter->lock);
	session_get_worker(filter->session, status);
}

void filter_want_packed(struct flashvsr_filter *filter)
{
	atomic_store(&filter->wants_packed, true);
}
