/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the user can do about what is wrong, with one click: see struct filter_report. The dialog
 * has one button for it, which is always there, so that nothing below it moves.
 */
#ifndef FLASHVSR_REMEDY_H
#define FLASHVSR_REMEDY_H

#include "filter/internal.h"

enum remedy {
	REMEDY_NONE = 1,
	REMEDY_ALLOW,   /* a lower frame rate than the settings do, with a delay for it */
	REMEDY_SMALLER, /* enlarge two times only */
	REMEDY_SMALL,   /* the bundled model in place of the user's file */
	REMEDY_SHARPEN, /* undo the choice not to */
};

/* Finds what helps most. Any thread. */
enum remedy remedy_find(const struct filter_report *report, const struct worker_status *status);
/* Returns the key of its text. */
const char *remedy_key(enum remedy remedy);
/* Writes into 'changes' the settings that it consists of. */
void remedy_apply(enum remedy remedy, const struct filter_report *report, obs_data_t *settings,
		  obs_data_t *changes);

#endif
