/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When to rebuild an open dialog: see dialog.h.
 */
#include "filter/dialog.h"

#include "units.h"

#include <util/platform.h>

#define QUIET_NS  (4 * NS_PER_S) /* the dialog is left alone after a change of settings */
#define SETTLE_NS NS_PER_S       /* what passes sooner is not shown */
#define LOOK_NS   (NS_PER_S / 4) /* between two looks at what a dialog should show */

void dialog_init(struct dialog *dialog)
{
	atomic_init(&dialog->open, 0);
	atomic_init(&dialog->edited_ns, 0);
	atomic_init(&dialog->live, false);
	dialog->looked_ns = 0;
	dialog->rebuilt_ns = 0;
	atomic_init(&dialog->shown, 0);
	dialog->pending = 0;
	dialog->since_ns = 0;
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

void dialog_built(struct dialog *dialog, uint64_t state)
{
	atomic_store(&dialog->shown, state);
}

bool dialog_is_open(const struct dialog *dialog)
{
	return atomic_load(&dialog->open) > 0;
}

void dialog_edited(struct dialog *dialog)
{
	atomic_store(&dialog->edited_ns, os_gettime_ns());
}

void dialog_set_live(struct dialog *dialog, bool live)
{
	atomic_store(&dialog->live, live);
}

bool dialog_wants_look(struct dialog *dialog, uint64_t now_ns)
{
	if (!dialog_is_open(dialog) || now_ns - dialog->looked_ns < LOOK_NS)
		return false;
	dialog->looked_ns = now_ns;
	return true;
}

bool dialog_due(struct dialog *dialog, uint64_t state, uint64_t now_ns)
{
	bool news;

	if (state != dialog->pending)
		dialog->since_ns = now_ns;
	dialog->pending = state;
	news = state != atomic_load(&dialog->shown) && now_ns - dialog->since_ns >= SETTLE_NS;
	if (!news && !atomic_load(&dialog->live))
		return false;
	if (now_ns - dialog->rebuilt_ns < NS_PER_S ||
	    now_ns - atomic_load(&dialog->edited_ns) < QUIET_NS)
		return false;
	atomic_store(&dialog->shown, state);
	dialog->rebuilt_ns = now_ns;
	return true;
}
