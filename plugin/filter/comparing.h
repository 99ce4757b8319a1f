/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the user wants compared: the settings, the hotkeys that change them, and the end of it when
 * OBS begins to stream or record, so that no viewer sees it by mistake.
 */
#ifndef FLASHVSR_COMPARING_H
#define FLASHVSR_COMPARING_H

#include <obs-module.h>

#include "picture/compare.h"

#include <pthread.h>
#include <stdatomic.h>

struct flashvsr_filter;
struct filter_settings;

#define COMPARING_KEYS 4

struct comparing {
	/* Any thread. */
	atomic_int mode; /* enum compare_mode */
	atomic_int percent;
	atomic_bool held, ends;
	pthread_mutex_t lock; /* guards the keys */
	obs_hotkey_id keys[COMPARING_KEYS];
	atomic_bool keys_made;

	/* The graphics thread's. */
	int on_air; /* outputs that were at work already; -1: nothing is compared */
	struct compare picture;
};

void comparing_init(struct flashvsr_filter *filter);
void comparing_free(struct flashvsr_filter *filter);
/* Any thread. */
void comparing_set(struct flashvsr_filter *filter, const struct filter_settings *settings);
/* Changes settings, which are released, in an open dialog too. */
void comparing_change(struct flashvsr_filter *filter, obs_data_t *settings);
/* Ends comparing when an output has begun, and makes the hotkeys once there is a source. */
void comparing_tick(struct flashvsr_filter *filter);
/* Returns what is to be compared at the moment. */
struct compare_view comparing_view(const struct flashvsr_filter *filter);

/*
 * Makes the hotkeys, soon, on the source that the filter is on: OBS makes none for filters that it
 * has loaded. hotkeys_free() takes them back.
 */
void hotkeys_ask(struct flashvsr_filter *filter);
void hotkeys_free(struct flashvsr_filter *filter);

#endif
