/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking the driver: see card.h.
 */
#include "transport/card.h"

#include "transport/cuda-textures.h"

#include <obs.h>

int card_of_obs(void)
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
