/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Read-back or shared textures: see transport-choice.h.
 */
#include "transport/transport-choice.h"

#include "transport/cuda-textures.h"

#include <obs.h>

#include <stdio.h>

void transport_choice_init(struct transport_choice *choice)
{
	*choice = (struct transport_choice){.ops = &frame_transport_readback, .card = -1};
}

static bool choose(struct transport_choice *choice)
{
	const struct frame_transport_ops *before = choice->ops;

	choice->ops = choice->card >= 0 && !choice->refused ? &frame_transport_interop
							    : &frame_transport_readback;
	return choice->ops != before;
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

int transport_choice_find_card(void)
{
	struct cuda_driver driver;
	char reason[200];
	int card = -1;

	if (cuda_driver_open(&driver, reason, sizeof(reason))) {
		obs_enter_graphics();
		card = cuda_textures_card(&driver);
		obs_leave_graphics();
	}
	cuda_driver_close(&driver);
	return card;
}
