/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps an open dialog current. OBS copies a dialog's texts into widgets when it builds them, and
 * has no way to change one later: it can only rebuild the dialog as a whole, which closes open
 * lists and moves the cursor. So a dialog is rebuilt when its first lines have another meaning that
 * has stood for a second, and never while the user is changing settings. Figures, which change all
 * the time, have a page without lists, the details, and that alone is rebuilt every second.
 */
#ifndef FLASHVSR_DIALOG_H
#define FLASHVSR_DIALOG_H

#include <obs-module.h>

#include <stdatomic.h>

struct dialog {
	atomic_int open;         /* number of open dialogs */
	atomic_ullong edited_ns; /* when the user last changed a setting */
	atomic_bool live;
	atomic_ullong shown; /* what the dialog was last built for */
	/* The graphics thread's: */
	uint64_t looked_ns, rebuilt_ns;
	uint64_t pending;  /* what it may be rebuilt for, ... */
	uint64_t since_ns; /* ... since then */
};

void dialog_init(struct dialog *dialog);
/* Creates properties that count as an open dialog until they are destroyed. */
obs_properties_t *dialog_properties(struct dialog *dialog);
/* Notes what a dialog that was just built shows, as a number. Any thread, as what follows. */
void dialog_built(struct dialog *dialog, uint64_t state);
bool dialog_is_open(const struct dialog *dialog);
/* Notes that the user changed a setting. */
void dialog_edited(struct dialog *dialog);
/* Sets whether the dialog shows figures that are to be kept current. */
void dialog_set_live(struct dialog *dialog, bool live);
/*
 * Returns true when a dialog is open and it is time to ask whether it is still right. That takes
 * texts, which are too much work for every tick of the graphics thread.
 */
bool dialog_wants_look(struct dialog *dialog, uint64_t now_ns);
/*
 * Returns true when the dialog is to be rebuilt now. To be called at each such look, with a number
 * that changes with whatever the user must know.
 */
bool dialog_due(struct dialog *dialog, uint64_t state, uint64_t now_ns);

#endif
