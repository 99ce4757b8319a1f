/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps a real card busy at the highest priority most of the time, as a game does beside OBS, so
 * that all work of a lower priority is late.
 */
#ifndef TEST_NEIGHBOUR_H
#define TEST_NEIGHBOUR_H

struct neighbour;

/* Starts it. NULL where the driver cannot compile code: the stand-in, which is late by itself. */
struct neighbour *neighbour_start(int card);
/* Stops it. NULL is allowed. */
void neighbour_stop(struct neighbour *neighbour);

#endif
