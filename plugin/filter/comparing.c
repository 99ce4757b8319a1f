/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether something is compared: see comparing.h. That an output has begun is seen by asking all
 * outputs once a picture, because libobs has no signal for it that covers outputs made later, and
 * the frontend's library, which has events, is not everywhere where libobs is.
 */
#include "filter/internal.h"
#include "filter/settings.h"

static bool count_at_work(void *opaque, obs_output_t *output)
{
	int *count = opaque;

	*count += (obs_output_get_flags(output) & OBS_OUTPUT_VIDEO) && obs_output_active(output);
	return true;
}

void comparing_change(struct flashvsr_filter *filter, obs_data_t *settings)
{
	obs_source_update(filter->context, settings);
	obs_data_release(settings);
	if (dialog_is_open(&filter->dialog))
		obs_source_update_properties(filter->context);
}

static void switch_off(struct flashvsr_filter *filter)
{
	obs_data_t *settings = obs_data_create();

	atomic_store(&filter->comparing.mode, COMPARE_OFF); /* for the picture at hand */
	obs_data_set_string(settings, S_COMPARE, COMPARE_IS_OFF);
	comparing_change(filter, settings);
}

/* What was at work when the user began to compare does not count: the user saw it. */
static void watch_outputs(struct flashvsr_filter *filter)
{
	struct comparing *comparing = &filter->comparing;
	int count = 0;

	if (atomic_load(&comparing->mode) == COMPARE_OFF) {
		comparing->on_air = -1;
		return;
	}
	obs_enum_outputs(count_at_work, &count);
	if (comparing->on_air >= 0 && count > comparing->on_air && atomic_load(&comparing->ends))
		switch_off(filter);
	comparing->on_air = count;
}

void comparing_init(struct flashvsr_filter *filter)
{
	struct comparing *comparing = &filter->comparing;

	atomic_init(&comparing->mode, COMPARE_OFF);
	atomic_init(&comparing->percent, COMPARE_AT_DEFAULT);
	atomic_init(&comparing->held, false);
	atomic_init(&comparing->ends, true);
	atomic_init(&comparing->keys_made, false);
	pthread_mutex_init(&comparing->lock, NULL);
	for (int i = 0; i < COMPARING_KEYS; i++)
		comparing->keys[i] = OBS_INVALID_HOTKEY_ID;
}

void comparing_free(struct flashvsr_filter *filter)
{
	hotkeys_free(filter);
	if (filter->screen.drawing)
		compare_clear(&filter->comparing.picture, &filter->screen);
	pthread_mutex_destroy(&filter->comparing.lock);
}

void comparing_set(struct flashvsr_filter *filter, const struct filter_settings *settings)
{
	struct comparing *comparing = &filter->comparing;

	atomic_store(&comparing->mode, settings->compare);
	atomic_store(&comparing->percent, settings->compare_percent);
	atomic_store(&comparing->ends, settings->compare_ends);
}

void comparing_tick(struct flashvsr_filter *filter)
{
	if (obs_filter_get_parent(filter->context) &&
	    !atomic_exchange(&filter->comparing.keys_made, true))
		hotkeys_ask(filter);
	watch_outputs(filter);
	if (atomic_load(&filter->comparing.mode) == COMPARE_OFF)
		compare_clear(&filter->comparing.picture, &filter->screen);
}

struct compare_view comparing_view(const struct flashvsr_filter *filter)
{
	const struct comparing *comparing = &filter->comparing;

	return (struct compare_view){
		.mode = (enum compare_mode)atomic_load(&comparing->mode),
		.percent = (uint32_t)atomic_load(&comparing->percent),
		.held = atomic_load(&comparing->held),
	};
}
