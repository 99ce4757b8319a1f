/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the dialog is told. The graphics thread makes a report once a tick, so that the dialog,
 * which is another thread's, need not ask the session.
 */
#include "filter/internal.h"
#include "filter/remedy.h"
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

/* Takes the first lines as they are read, and how far the store is, by tenths. */
uint64_t filter_dialog_state(struct flashvsr_filter *filter, const struct filter_report *report,
			     const struct worker_status *status)
{
	struct model_store_status store = {.state = STORE_IDLE};
	uint64_t hash = 14695981039346656037ULL; /* FNV-1a */
	char *text = filter_status_text(report, status);

	if (filter->shared->store)
		model_store_get(filter->shared->store, &store);
	for (const char *at = text; *at; at++)
		hash = (hash ^ (unsigned char)*at) * 1099511628211ULL;
	hash = (hash ^ remedy_find(report, status)) * 1099511628211ULL;
	hash = (hash ^ store.state) * 1099511628211ULL;
	hash = (hash ^ (store.total ? store.done * 10 / store.total : 0)) * 1099511628211ULL;
	bfree(text);
	return hash;
}

static void follow_store(struct flashvsr_filter *filter)
{
	struct model_store_status store = {.state = STORE_IDLE};

	if (filter->shared->store)
		model_store_get(filter->shared->store, &store);
	if (store.state == STORE_DONE && atomic_load(&filter->wants_packed))
		take_packed(filter, &store);
	else if (store.state != STORE_IDLE && !model_store_busy(&store))
		atomic_store(&filter->wants_packed, false);
}

static void keep_dialog(struct flashvsr_filter *filter, const struct filter_report *report)
{
	const uint64_t now_ns = os_gettime_ns();
	struct worker_status status;

	if (!dialog_wants_look(&filter->dialog, now_ns))
		return;
	session_get_worker(filter->session, &status);
	if (dialog_due(&filter->dialog, filter_dialog_state(filter, report, &status), now_ns))
		obs_source_update_properties(filter->context);
}

void filter_publish_report(struct flashvsr_filter *filter, int64_t now)
{
	struct filter_report report;

	fill_in(filter, &report, now);
	pthread_mutex_lock(&filter->lock);
	filter->report = report;
	pthread_mutex_unlock(&filter->lock);
	follow_store(filter);
	keep_dialog(filter, &report);
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
