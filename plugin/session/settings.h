/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the user wants of a session, as the filter reads it from OBS's settings.
 */
#ifndef FLASHVSR_SESSION_SETTINGS_H
#define FLASHVSR_SESSION_SETTINGS_H

#include "policy/ladder.h"
#include "policy/sizes.h"
#include "session/job.h"

struct session_settings {
	struct job_request request; /* without the sizes and the card */
	char small_model[1024];     /* the ladder's; empty: there is none */
	struct sizes_target target; /* size of the output */
	enum ladder_step pinned;    /* the ladder stays on this step; 0: it moves */
	int min_fps;                /* below this rate the picture is bicubic */
	int keep_s;                 /* how long memory is kept while the source is hidden */
	/* What the report tells: */
	bool no_bundled_model; /* it is chosen and not there */
	bool own_model;        /* the model is a file that the user named */
	bool no_model_chosen;  /* it is to be a file, but which one is not said: the bundled one */
};

/*
 * True when a session can go on with 'b' after 'a'. How long memory is kept changes nothing in a
 * session at work, and the bundled model comes with the module.
 */
bool session_settings_same(const struct session_settings *a, const struct session_settings *b);

#endif
