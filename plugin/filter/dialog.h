/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps an open dialog current. OBS can only rebuild a dialog as a whole, which closes a list that
 * is being looked at and moves the cursor; so it is rebuilt when something has changed that the
 * user must know, not more than once a second, and never while the user is changing settings. Only
 * who asks for live figures gets them each second.
 */
#ifndef FLASHVSR_DIALOG_H
#define FLASHVSR_DIALOG_H

#include <obs-module.h>

#include <stdatomic.h>

struct dialog {
	atomic_int open;         /* dialogs that there are */
	atomic_ullong edited_ns; /* when the user last changed a setting */
	atomic_bool live;
	uint64_t rebuilt_ns; /* the graphics thread's, as is the rest */
	uint64_t shown;      /* what the dialog was last rebuilt for */
};

void dialog_init(struct dialog *dialog);
/* Properties that are counted as an open dialog until they are destroyed. */
obs_properties_t *dialog_properties(struct dialog *dialog);
/* The user changed something. */
void dialog_edited(struct dialog *dialog, bool live);
/*
 * Each tick: 'state' is a number that changes with whatever the user must know. True when the
 * dialog is to be rebuilt now.
 */
bool dialog_due(struct dialog *dialog, uint64_t state, uint64_t now_ns);

#endif
