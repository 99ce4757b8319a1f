/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps an open dialog current. OBS can only rebuild a dialog as a whole, which closes open lists
 * and moves the cursor. So a dialog is rebuilt when something has changed that the user must know,
 * at most once a second, and never while the user is changing settings. Figures that change all
 * the time are refreshed only for users who ask for live figures.
 */
#ifndef FLASHVSR_DIALOG_H
#define FLASHVSR_DIALOG_H

#include <obs-module.h>

#include <stdatomic.h>

struct dialog {
	atomic_int open;         /* number of open dialogs */
	atomic_ullong edited_ns; /* when the user last changed a setting */
	atomic_bool live;
	/* The graphics thread's: */
	uint64_t rebuilt_ns;
	uint64_t shown; /* what the dialog was last rebuilt for */
};

void dialog_init(struct dialog *dialog);
/* Creates properties that count as an open dialog until they are destroyed. */
obs_properties_t *dialog_properties(struct dialog *dialog);
/* Notes that the user changed a setting, and whether live figures are wanted. */
void dialog_edited(struct dialog *dialog, bool live);
/*
 * Returns true when the dialog is to be rebuilt now. To be called once a tick, with a number that
 * changes with whatever the user must know.
 */
bool dialog_due(struct dialog *dialog, uint64_t state, uint64_t now_ns);

#endif
