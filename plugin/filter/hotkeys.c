/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hotkeys for comparing: see comparing.h. They are made on the thread on which libobs destroys
 * sources, which holds no lock meanwhile: within video_tick libobs may hold one that a hotkey's
 * function of somebody else waits for.
 */
#include "filter/internal.h"
#include "filter/settings.h"

#define PERCENT_A_PRESS 5

/* ---- what they do -------------------------------------------------------------------------- */

static void switch_line(void *opaque, obs_hotkey_id id, obs_hotkey_t *key, bool pressed)
{
	struct flashvsr_filter *filter = opaque;
	const bool on = atomic_load(&filter->comparing.mode) == COMPARE_LINE;
	obs_data_t *settings;

	UNUSED_PARAMETER(id);
	UNUSED_PARAMETER(key);
	if (!pressed)
		return;
	settings = obs_data_create();
	obs_data_set_string(settings, S_COMPARE, on ? COMPARE_IS_OFF : COMPARE_IS_LINE);
	comparing_change(filter, settings);
}

static void move_line(struct flashvsr_filter *filter, bool pressed, int percent)
{
	obs_data_t *settings;
	int at;

	if (!pressed)
		return;
	at = atomic_load(&filter->comparing.percent) + percent;
	at = at < 0 ? 0 : at > 100 ? 100 : at;
	atomic_store(&filter->comparing.percent, at); /* the next press may come before update */
	settings = obs_data_create();
	obs_data_set_int(settings, S_COMPARE_AT, at);
	comparing_change(filter, settings);
}

static void move_left(void *opaque, obs_hotkey_id id, obs_hotkey_t *key, bool pressed)
{
	UNUSED_PARAMETER(id);
	UNUSED_PARAMETER(key);
	move_line(opaque, pressed, -PERCENT_A_PRESS);
}

static void move_right(void *opaque, obs_hotkey_id id, obs_hotkey_t *key, bool pressed)
{
	UNUSED_PARAMETER(id);
	UNUSED_PARAMETER(key);
	move_line(opaque, pressed, PERCENT_A_PRESS);
}

static void hold(void *opaque, obs_hotkey_id id, obs_hotkey_t *key, bool pressed)
{
	struct flashvsr_filter *filter = opaque;

	UNUSED_PARAMETER(id);
	UNUSED_PARAMETER(key);
	atomic_store(&filter->comparing.held, pressed);
}

/* ---- making them --------------------------------------------------------------------------- */

static void make(struct flashvsr_filter *filter, obs_source_t *parent)
{
	const struct {
		const char *name, *text;
		obs_hotkey_func function;
	} list[COMPARING_KEYS] = {
		{"flashvsr_compare_line", obs_module_text("Compare.Key.Line"), switch_line},
		{"flashvsr_compare_left", obs_module_text("Compare.Key.Left"), move_left},
		{"flashvsr_compare_right", obs_module_text("Compare.Key.Right"), move_right},
		{"flashvsr_compare_hold", obs_module_text("Compare.Key.Hold"), hold},
	};

	pthread_mutex_lock(&filter->comparing.lock);
	for (int i = 0; i < COMPARING_KEYS; i++)
		filter->comparing.keys[i] = obs_hotkey_register_source(
			parent, list[i].name, list[i].text, list[i].function, filter);
	pthread_mutex_unlock(&filter->comparing.lock);
}

static void make_for(void *opaque)
{
	obs_weak_source_t *weak = opaque;
	obs_source_t *context = obs_weak_source_get_source(weak);
	obs_source_t *parent = context ? obs_source_get_ref(obs_filter_get_parent(context)) : NULL;

	if (parent)
		make(obs_obj_get_data(context), parent);
	obs_source_release(parent);
	obs_source_release(context);
	obs_weak_source_release(weak);
}

void hotkeys_ask(struct flashvsr_filter *filter)
{
	obs_queue_task(OBS_TASK_DESTROY, make_for, obs_source_get_weak_source(filter->context),
		       false);
}

void hotkeys_free(struct flashvsr_filter *filter)
{
	struct comparing *comparing = &filter->comparing;

	pthread_mutex_lock(&comparing->lock);
	for (int i = 0; i < COMPARING_KEYS; i++) {
		if (comparing->keys[i] != OBS_INVALID_HOTKEY_ID)
			obs_hotkey_unregister(comparing->keys[i]);
		comparing->keys[i] = OBS_INVALID_HOTKEY_ID;
	}
	pthread_mutex_unlock(&comparing->lock);
	atomic_store(&comparing->held, false);
	atomic_store(&comparing->keys_made, false);
}
