/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The transport at hand: one at a time, of the kind and the sizes that the session asks for.
 *
 * All functions run inside the graphics context.
 */
#ifndef FLASHVSR_CARRIER_H
#define FLASHVSR_CARRIER_H

#include "transport/choice.h"
#include "transport/transport.h"

struct carrier {
	struct transport_request made; /* what 'transport' was made for */
	const struct frame_transport_ops *ops;
	struct frame_transport *transport; /* NULL: there is none */
};

void carrier_init(struct carrier *carrier);
void carrier_free(struct carrier *carrier);

/* Empties the transport at hand and returns true, if it is what is wanted. */
bool carrier_reuse(struct carrier *carrier, const struct transport_request *wanted);
/* Makes the wanted transport in place of the one at hand. False: 'reason' says why not. */
bool carrier_replace(struct carrier *carrier, const struct transport_request *wanted, char *reason,
		     size_t reason_size);

/* Makes frames in the memory of the transport at hand. */
struct frame_maker carrier_maker(const struct carrier *carrier);
/* Why the transport at hand has ceased to work; NULL: it works. */
const char *carrier_trouble(const struct carrier *carrier);

#endif
