/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Chooses how frames travel between OBS and the engine. A job starts with read-back, which serves
 * every engine. Once the engine is known to run on a GPU, textures are shared with it if possible.
 * Whatever fails in sharing, at the start or later, leads back to read-back for as long as the
 * settings stay the same.
 *
 * No OBS: transport.h says what a transport does.
 */
#ifndef FLASHVSR_TRANSPORT_CHOICE_H
#define FLASHVSR_TRANSPORT_CHOICE_H

#include "policy/sizes.h"

enum transport_kind {
	TRANSPORT_READBACK = 1, /* through host memory */
	TRANSPORT_INTEROP,      /* textures that OBS and the engine share on the card */
};

/* What a session asks for. */
struct transport_request {
	enum transport_kind kind;
	int card; /* for TRANSPORT_INTEROP */
	struct sizes sizes;
};

struct transport_choice {
	enum transport_kind kind; /* of the next job's transport */
	int card;                 /* the engine's GPU, to share textures with; -1: none */
	bool refused;             /* sharing has failed, */
	char reason[200];         /* for this reason */
};

/* Forgets what was known about the engine. */
void transport_choice_init(struct transport_choice *choice);
/*
 * Notes that the engine runs on 'card' (-1: on no GPU). True when the kind has changed: a new job
 * with a new transport is needed.
 */
bool transport_choice_follow(struct transport_choice *choice, int card);
/* Notes that sharing textures has failed. True when the kind has changed. */
bool transport_choice_refuse(struct transport_choice *choice, const char *reason);

/* For the log and the status. */
const char *transport_kind_name(enum transport_kind kind);

#endif
