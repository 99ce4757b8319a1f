/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Another program's work on a real card, at the highest priority and most of the time, as a game
 * does it beside OBS: everything of a lower priority is late.
 */
#ifndef TEST_NEIGHBOUR_H
#define TEST_NEIGHBOUR_H

struct neighbour;

/* NULL where the driver cannot compile code: the stand-in, which is late by itself. */
struct neighbour *neighbour_start(int card);
/* NULL is allowed. */
void neighbour_stop(struct neighbour *neighbour);

#endif
