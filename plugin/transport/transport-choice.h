/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which way frames travel. A job starts with read-back, which serves every engine; once the engine
 * is known to run on a GPU, textures are shared with it if that can be had. Whatever fails on that
 * way, at the start or later, leads back to read-back for as long as the settings stay the same.
 */
#ifndef FLASHVSR_TRANSPORT_CHOICE_H
#define FLASHVSR_TRANSPORT_CHOICE_H

#include "transport/frame-transport.h"

struct transport_choice {
	const struct frame_transport_ops *ops; /* what the next job is to use */
	int card;         /* the engine's GPU, for sharing textures with it; -1: none */
	bool refused;     /* sharing has failed; */
	char reason[200]; /* this is why */
};

/* Nothing is known (any more) about the engine. */
void transport_choice_init(struct transport_choice *choice);
/*
 * The engine runs on 'card' (-1: on no GPU). True when frames are to travel in another way from now
 * on, with a new transport and a new job.
 */
bool transport_choice_follow(struct transport_choice *choice, int card);
/* Sharing textures has failed. True when it was the choice, as above. */
bool transport_choice_refuse(struct transport_choice *choice, const char *reason);

/*
 * The card that OBS renders on, as CUDA counts them; -1: none, or no driver. Outside the graphics
 * context: starting the driver takes a while.
 */
int transport_choice_find_card(void);

#endif
