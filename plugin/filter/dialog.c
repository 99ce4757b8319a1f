/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When to rebuild an open dialog: see dialog.h.
 */
#include "filter/dialog.h"

#include "units.h"

#include <util/platform.h>

#define QUIET_NS (4 * NS_PER_S) /* the dialog is left alone after a change of settings */

void dialog_init(struct dialog *dialog)
{
	atomic_init(&dialog->open, 0);
	atomic_init(&dialog->edited_ns, 0);
	atomic_init(&dialog->live, false);
	dialog->rebuilt_ns = 0;
	dialog->shown = 0;
}

static void closed(void *param)
{
	struct dialog *dialog = param;

	atomic_fetch_sub(&dialog->open, 1);
}

obs_properties_t *dialog_properties(struct dialog *dialog)
{
	atomic_fetch_add(&dialog->open, 1);
	return obs_properties_create_param(dialog, closed);
}

void dialog_edited(struct dialog *dialog, bool live)
{
	atomic_store(&dialog->edited_ns, os_gettime_ns());
	atomic_store(&dialog->live, live);
}

bool dialog_due(struct dialog *dialog, uint64_t state, uint64_t now_ns)
{
	if (!atomic_load(&dialog->open)) {
		dialog->shown = state;
		return false;
	}
	if (state == dialog->shown && !atomic_load(&dialog->live))
		return false;
	if (now_ns - dialog->rebuilt_ns < NS_PER_S ||
	    now_ns - atomic_load(&dialog->edited_ns) < QUIET_NS)
		return false;
	dialog->shown = state;
	dialog->rebuilt_ns = now_ns;
	return true;
}
