/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Comparing settings: see settings.h.
 */
#include "session/settings.h"

bool session_settings_same(const struct session_settings *a, const struct session_settings *b)
{
	return job_request_same(&a->request, &b->request) &&
	       sizes_pack(&a->target) == sizes_pack(&b->target) && a->pinned == b->pinned &&
	       a->min_fps == b->min_fps;
}
