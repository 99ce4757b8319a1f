/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The graphics card that OBS renders on, so that the engine can be told to use the same one.
 */
#ifndef FLASHVSR_CARD_H
#define FLASHVSR_CARD_H

/*
 * Returns the card's number as CUDA counts them; -1: there is none, or no driver. To be called
 * outside the graphics context, because starting the driver takes a while.
 */
int card_of_obs(void);

#endif
