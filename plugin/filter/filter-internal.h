/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the filter's own files share, and the part of the filter that the dialog reads.
 */
#ifndef FLASHVSR_FILTER_INTERNAL_H
#define FLASHVSR_FILTER_INTERNAL_H

#include <obs-module.h>

#include "filter/dialog.h"
#include "policy/ladder.h"
#include "filter/shared.h"
#include "session/worker.h"

enum filter_phase {
	PHASE_HIDDEN = 1, /* not rendered at the moment */
	PHASE_NO_PICTURE, /* the source has no size yet */
	PHASE_UNFIT,      /* too small, or the result too large */
	PHASE_REACHED,    /* large enough already */
	PHASE_HDR,        /* bicubic: the network knows no high dynamic range */
	PHASE_STARTING,   /* bicubic until the first upscaled frame */
	PHASE_UPSCALING,
	PHASE_BEHIND,   /* bicubic until the worker has caught up */
	PHASE_TOO_SLOW, /* bicubic: slower than the user's limit */
	PHASE_PINNED,   /* bicubic: the user's choice */
	PHASE_FAILED,   /* bicubic: the worker's status says why */
};

/* A snapshot of the render thread's view. */
struct filter_report {
	enum filter_phase phase;
	uint32_t in_width, in_height, out_width, out_height;
	double frames_per_s; /* taken and shown */
	double delay_s;      /* of what is shown, and heard if the sound follows */
	bool sound_follows;  /* the source has sound that this filter delays */
	double render_ms;    /* 99 of 100 pictures kept the graphics thread no longer; 0: unknown */
	double possible_fps; /* while it is too slow */
	enum ladder_step step;
	bool step_pinned;
	bool shown_on_processor; /* because the graphics card failed */
	int64_t retry_ns;        /* until what failed is tried again; 0: it is not */
	bool no_bundled_model;   /* it is wanted and not there */
	uint64_t not_taken;      /* frames that found a full queue since the job began */
	const char *transport;
	char transport_reason[200]; /* why not the better one; empty if there is none */
};

struct flashvsr_filter;

/* Any thread. The worker's status is of WORKER_FAILED when there is no worker. */
void filter_get_report(struct flashvsr_filter *filter, struct filter_report *report,
		       struct worker_status *status);

/* Of all filters, and this one's dialog. */
struct shared *filter_shared(struct flashvsr_filter *filter);
obs_source_t *filter_source(struct flashvsr_filter *filter);
struct dialog *filter_dialog(struct flashvsr_filter *filter);
/* What the store makes now becomes this filter's model. */
void filter_want_packed(struct flashvsr_filter *filter);

/* The status as text for the dialog; bfree() it. */
char *filter_status_text(const struct filter_report *report, const struct worker_status *status);
/* The same of the store; NULL: there is nothing to tell. */
char *filter_store_text(const struct model_store_status *status);

/* 'data' may be NULL. */
obs_properties_t *filter_properties(void *data);

#endif
