/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making and keeping a transport: see carrier.h.
 */
#include "transport/carrier.h"

static const struct frame_transport_ops *ops_of(enum transport_kind kind)
{
	return kind == TRANSPORT_INTEROP ? &frame_transport_interop : &frame_transport_readback;
}

void carrier_init(struct carrier *carrier)
{
	*carrier = (struct carrier){.made.kind = TRANSPORT_READBACK,
				    .ops = ops_of(TRANSPORT_READBACK)};
}

void carrier_free(struct carrier *carrier)
{
	carrier->ops->destroy(carrier->transport);
	carrier->transport = NULL;
}

bool carrier_reuse(struct carrier *carrier, const struct transport_request *wanted)
{
	if (!carrier->transport || carrier->made.kind != wanted->kind ||
	    !sizes_same(&carrier->made.sizes, &wanted->sizes))
		return false;
	carrier->ops->clear(carrier->transport);
	return true;
}

bool carrier_replace(struct carrier *carrier, const struct transport_request *wanted, char *reason,
		     size_t reason_size)
{
	const struct frame_transport_setup setup = {
		.in_width = (int)wanted->sizes.in_width,
		.in_height = (int)wanted->sizes.in_height,
		.out_width = (int)wanted->sizes.out_width,
		.out_height = (int)wanted->sizes.out_height,
		.card = wanted->card,
	};

	carrier_free(carrier);
	carrier->made = *wanted;
	carrier->ops = ops_of(wanted->kind);
	carrier->transport = carrier->ops->create(&setup, reason, reason_size);
	return carrier->transport != NULL;
}

struct frame_maker carrier_maker(const struct carrier *carrier)
{
	return (struct frame_maker){carrier->ops->make_frame, carrier->transport};
}

const char *carrier_trouble(const struct carrier *carrier)
{
	return carrier->ops->trouble ? carrier->ops->trouble(carrier->transport) : NULL;
}
