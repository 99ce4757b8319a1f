/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Read-back or shared textures: see choice.h.
 */
#include "transport/choice.h"

#include <stdio.h>

void transport_choice_init(struct transport_choice *choice)
{
	*choice = (struct transport_choice){.kind = TRANSPORT_READBACK, .card = -1};
}

static bool choose(struct transport_choice *choice)
{
	const enum transport_kind before = choice->kind;

	choice->kind =
		choice->card >= 0 && !choice->refused ? TRANSPORT_INTEROP : TRANSPORT_READBACK;
	return choice->kind != before;
}

bool transport_choice_follow(struct transport_choice *choice, int card)
{
	choice->card = card;
	return choose(choice);
}

bool transport_choice_refuse(struct transport_choice *choice, const char *reason)
{
	choice->refused = true;
	snprintf(choice->reason, sizeof(choice->reason), "%s", reason);
	return choose(choice);
}

const char *transport_kind_name(enum transport_kind kind)
{
	return kind == TRANSPORT_INTEROP ? "shared textures" : "read-back";
}
