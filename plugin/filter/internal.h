/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter's inside, for the files of this folder. filter.c holds what libobs calls, render.c
 * the way of a picture through the filter, place.c what becomes of scene items, comparing.c and
 * hotkeys.c before and after, report.c what the dialog is told, properties.c the dialog, status.c
 * its texts and remedy.c what its first button does.
 */
#ifndef FLASHVSR_FILTER_INTERNAL_H
#define FLASHVSR_FILTER_INTERNAL_H

#include <obs-module.h>

#include "filter/comparing.h"
#include "filter/dialog.h"
#include "filter/place.h"
#include "filter/render-cost.h"
#include "filter/shared.h"
#include "picture/screen.h"
#include "session/session.h"
#include "sound/sync.h"
#include "transport/carrier.h"

#include <pthread.h>
#include <stdatomic.h>

/* What the dialog shows: the session's report, and what only the filter knows. */
struct filter_report {
	struct session_report session;
	uint32_t in_width, in_height, out_width, out_height;
	bool sound_follows; /* the source has sound that this filter delays */
	double render_ms;   /* 99 of 100 pictures kept the graphics thread no longer; 0: unknown */
};

struct flashvsr_filter {
	obs_source_t *context;
	struct shared *shared;
	struct dialog dialog;
	struct sync sync; /* with the source's sound */
	struct comparing comparing;

	/* Any thread. */
	atomic_int hdr_space; /* of what is shown, an enum gs_color_space; 0: SDR */
	atomic_ullong wanted; /* the size that the settings ask for, see sizes_pack() */
	atomic_ullong target; /* the same, once scene items are ready for it: see place.h */
	atomic_bool keep_place;
	atomic_bool wants_packed; /* the store works for this filter, which takes the result */
	atomic_bool afresh;       /* the next settings come from the remedy's button */
	pthread_mutex_t lock;     /* guards the report */
	struct filter_report report;

	/* The graphics thread's. */
	struct session *session;
	struct carrier carrier;
	struct screen screen;
	struct sizes sizes;         /* of the picture at hand */
	struct place_factor placed; /* by this filter, when scene items last followed */
	bool prepared;              /* what is shown is up to date for this tick */
	int64_t source_ns;          /* what drawing the source itself took in this tick */
	struct render_cost cost;
};

/* Measures the source and chooses the output's size. Any thread. */
struct sizes filter_measure(const struct flashvsr_filter *filter);
/* Returns the time between two pictures of OBS. */
int64_t filter_tick_ns(void);

/* Brings what is shown up to date, once for each picture of OBS. */
void filter_prepare(struct flashvsr_filter *filter, int64_t now);
/* Draws what is shown. False when the source's own picture is to be shown instead. */
bool filter_draw(struct flashvsr_filter *filter);
/* Provides the session with a transport: see struct session_host. */
bool filter_provide_transport(void *opaque, const struct transport_request *wanted,
			      struct frame_maker *maker, char *reason, size_t reason_size);

/* Makes a new report and keeps an open dialog current, once a tick. */
void filter_publish_report(struct flashvsr_filter *filter, int64_t now);
/* Copies the last report and the worker's status. Any thread. */
void filter_get_report(struct flashvsr_filter *filter, struct filter_report *report,
		       struct worker_status *status);
/* Returns a number that changes with whatever an open dialog must show at once. Any thread. */
uint64_t filter_dialog_state(struct flashvsr_filter *filter, const struct filter_report *report,
			     const struct worker_status *status);
/* Has the filter use the model that the store is about to make. Any thread. */
void filter_want_packed(struct flashvsr_filter *filter);

/* Returns what the filter does and what follows from that, always two lines; bfree() it. */
char *filter_status_text(const struct filter_report *report, const struct worker_status *status);
/* Returns the figures behind it, always as many lines; bfree() it. */
char *filter_figures_text(const struct filter_report *report, const struct worker_status *status);
/* Returns the text with this key, with names filled in; bfree() it. */
char *filter_text(const char *key, const struct filter_report *report,
		  const struct worker_status *status);
/* Returns the store's status as text; bfree() it. NULL: there is nothing to tell. */
char *filter_store_text(const struct model_store_status *status);

/* Makes the dialog. 'data' is the filter, or NULL for a dialog without one. */
obs_properties_t *filter_properties(void *data);

#endif
