/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The transport through host memory. A texture is copied to a staging surface, which is mapped some
 * pictures later, when the GPU is done with it, so that the render thread does not stall.
 */
#include "transport/transport.h"

#include <util/bmem.h>

#include <stdio.h>
#include <string.h>

#define SURFACES      4
#define WAIT_PICTURES 2 /* between staging and mapping */

struct staged {
	gs_stagesurf_t *surface;
	int64_t tag;
	uint64_t picture; /* when it was staged */
};

struct frame_transport {
	struct staged ring[SURFACES];
	unsigned first, count;
	uint64_t picture;
	gs_texture_t *shown;
};

static void readback_destroy(struct frame_transport *transport)
{
	if (!transport)
		return;
	for (unsigned i = 0; i < SURFACES; i++)
		gs_stagesurface_destroy(transport->ring[i].surface);
	gs_texture_destroy(transport->shown);
	bfree(transport);
}

static struct frame_transport *readback_create(const struct frame_transport_setup *setup,
					       char *reason, size_t reason_size)
{
	struct frame_transport *transport = bzalloc(sizeof(*transport));
	bool ok = true;

	for (unsigned i = 0; i < SURFACES; i++) {
		transport->ring[i].surface = gs_stagesurface_create(
			(uint32_t)setup->in_width, (uint32_t)setup->in_height, GS_RGBA_UNORM);
		ok = ok && transport->ring[i].surface;
	}
	transport->shown =
		gs_texture_create((uint32_t)setup->out_width, (uint32_t)setup->out_height,
				  GS_RGBA_UNORM, 1, NULL, GS_DYNAMIC);
	if (!ok || !transport->shown) {
		snprintf(reason, reason_size, "no textures of %dx%d can be made", setup->out_width,
			 setup->out_height);
		readback_destroy(transport);
		return NULL;
	}
	return transport;
}

static int readback_make_frame(void *transport, fvsr_frame **out, enum frame_direction direction,
			       int width, int height)
{
	(void)transport;
	(void)direction;
	return fvsr_frame_create(out, FVSR_FORMAT_RGBA8, width, height);
}

static bool readback_stage(struct frame_transport *transport, gs_texture_t *texture, int64_t tag)
{
	struct staged *staged;

	if (transport->count == SURFACES)
		return false;
	staged = &transport->ring[(transport->first + transport->count) % SURFACES];
	gs_stage_texture(staged->surface, texture);
	staged->tag = tag;
	staged->picture = transport->picture;
	transport->count++;
	return true;
}

static void readback_advance(struct frame_transport *transport)
{
	transport->picture++;
}

static bool readback_ready(const struct frame_transport *transport)
{
	const struct staged *staged = &transport->ring[transport->first];

	return transport->count && transport->picture - staged->picture >= WAIT_PICTURES;
}

static void copy_rows(const struct fvsr_picture *picture, const uint8_t *data, uint32_t linesize)
{
	for (int y = 0; y < picture->height; y++)
		memcpy((uint8_t *)picture->data + (size_t)y * picture->stride,
		       data + (size_t)y * linesize, (size_t)picture->width * 4);
}

static bool fetch(struct frame_transport *transport, fvsr_frame *frame)
{
	struct staged *staged = &transport->ring[transport->first];
	uint32_t linesize;
	uint8_t *data;

	transport->first = (transport->first + 1) % SURFACES;
	transport->count--;
	if (!frame || !gs_stagesurface_map(staged->surface, &data, &linesize))
		return false;
	copy_rows(fvsr_frame_picture(frame), data, linesize);
	gs_stagesurface_unmap(staged->surface);
	fvsr_frame_set_tag(frame, staged->tag);
	return true;
}

static gs_texture_t *show(struct frame_transport *transport, const fvsr_frame *frame)
{
	const struct fvsr_picture *picture = fvsr_frame_picture(frame);

	gs_texture_set_image(transport->shown, picture->data, (uint32_t)picture->stride, false);
	return transport->shown;
}

static void readback_exchange(struct frame_transport *transport, struct frame_exchange *exchange)
{
	if (exchange->fetch)
		exchange->fetched = fetch(transport, exchange->in);
	if (exchange->out)
		exchange->shown = show(transport, exchange->out);
}

static void readback_clear(struct frame_transport *transport)
{
	transport->count = 0;
}

const struct frame_transport_ops frame_transport_readback = {
	.create = readback_create,
	.destroy = readback_destroy,
	.make_frame = readback_make_frame,
	.stage = readback_stage,
	.advance = readback_advance,
	.ready = readback_ready,
	.exchange = readback_exchange,
	.clear = readback_clear,
};
