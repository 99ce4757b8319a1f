/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The transport on the card. OBS's textures are registered with CUDA once, and pixels are copied
 * from textures into frames, and from frames into textures, without leaving the card. Textures are
 * mapped for the time of these copies only, and all of a picture at once, because mapping is what
 * costs the render thread time. While frames travel nothing here waits: copies are queued on a
 * stream, and events make the engine's streams wait for them on the card.
 *
 * The textures are the transport's own, so that none disappears while it is registered.
 */
#include "transport/cuda-share.h"
#include "transport/cuda-textures.h"
#include "transport/transport.h"

#include <util/bmem.h>

#include <stdio.h>

#define TEXTURES 3

struct shared_texture {
	gs_texture_t *texture;
	cuda_handle resource;
};

struct staged {
	struct shared_texture shared;
	int64_t tag;
	uint64_t picture; /* when it was staged */
};

struct frame_transport {
	struct cuda_share *share;
	struct staged ring[TEXTURES];
	unsigned first, count;
	uint64_t picture;
	struct shared_texture shown;
	char trouble[160]; /* the first failure, after which nothing is tried any more */
};

/* Returns true if a call failed, and notes the first failure. */
static bool failed(struct frame_transport *transport, const char *what, cuda_result result)
{
	if (result && !transport->trouble[0])
		cuda_driver_describe(&transport->share->driver, what, result, transport->trouble,
				     sizeof(transport->trouble));
	return result != 0;
}

/* ---- textures ------------------------------------------------------------------------------ */

/*
 * Makes a texture and shares it with CUDA. This function and those below run in the context, except
 * those in the table at the end, which enter it.
 */
static bool share_texture(struct frame_transport *transport, struct shared_texture *shared,
			  enum cuda_texture_use use, int width, int height)
{
	const char *what;
	cuda_result result;

	shared->texture = gs_texture_create((uint32_t)width, (uint32_t)height, GS_RGBA_UNORM, 1,
					    NULL, GS_RENDER_TARGET);
	if (!shared->texture) {
		snprintf(transport->trouble, sizeof(transport->trouble),
			 "no texture of %dx%d can be made", width, height);
		return false;
	}
	result = cuda_textures_register(&transport->share->driver, shared->texture, use,
					&shared->resource, &what);
	return !failed(transport, what, result);
}

static bool share_textures(struct frame_transport *transport,
			   const struct frame_transport_setup *setup)
{
	bool ok = share_texture(transport, &transport->shown, CUDA_TEXTURE_WRITTEN,
				setup->out_width, setup->out_height);

	for (unsigned i = 0; i < TEXTURES && ok; i++)
		ok = share_texture(transport, &transport->ring[i].shared, CUDA_TEXTURE_READ,
				   setup->in_width, setup->in_height);
	return ok;
}

static void unshare_textures(struct frame_transport *transport)
{
	const struct cuda_driver *driver = &transport->share->driver;

	/* This does not wait for long: the stream holds a copy or two. */
	driver->stream_synchronize(transport->share->stream);
	for (unsigned i = 0; i < TEXTURES; i++)
		if (transport->ring[i].shared.resource)
			driver->unregister(transport->ring[i].shared.resource);
	if (transport->shown.resource)
		driver->unregister(transport->shown.resource);
}

/* ---- copies -------------------------------------------------------------------------------- */

/* Makes what the engine does next with the frames wait for these copies. */
static bool let_engine_follow(struct frame_transport *transport)
{
	const struct cuda_share *share = transport->share;
	const struct cuda_driver *driver = &share->driver;

	return !failed(transport, "cuEventRecord",
		       driver->event_record(share->order, share->stream)) &&
	       !failed(transport, "cuStreamWaitEvent",
		       driver->stream_wait(share->to_engine, share->order, 0)) &&
	       !failed(transport, "cuStreamWaitEvent",
		       driver->stream_wait(share->from_engine, share->order, 0));
}

/* Copies between a mapped texture, whose side of 'copy' is filled in here, and a frame. */
static bool copy_mapped(struct frame_transport *transport, const struct shared_texture *shared,
			struct cuda_copy *copy, struct cuda_place *texture_side)
{
	const struct cuda_driver *driver = &transport->share->driver;

	texture_side->memory = CUDA_MEMORY_ARRAY;
	return !failed(transport, "cuGraphicsSubResourceGetMappedArray",
		       driver->mapped_array(&texture_side->array, shared->resource, 0, 0)) &&
	       !failed(transport, "cuMemcpy2DAsync", driver->copy(copy, transport->share->stream));
}

static struct cuda_place place_of(const struct fvsr_picture *picture)
{
	return (struct cuda_place){
		.memory = CUDA_MEMORY_DEVICE,
		.device = (cuda_pointer)(uintptr_t)picture->data,
		.pitch = picture->stride,
	};
}

/* Copies into a frame that the engine has read: the worker has waited for that. */
static bool copy_in(struct frame_transport *transport, const struct shared_texture *shared,
		    const struct fvsr_picture *picture)
{
	struct cuda_copy copy = {
		.to = place_of(picture),
		.width_bytes = (size_t)picture->width * 4,
		.height = (size_t)picture->height,
	};

	return copy_mapped(transport, shared, &copy, &copy.from);
}

/* Copies from a frame that is complete: the worker has waited for that. */
static bool copy_out(struct frame_transport *transport, const struct fvsr_picture *picture)
{
	struct cuda_copy copy = {
		.from = place_of(picture),
		.width_bytes = (size_t)picture->width * 4,
		.height = (size_t)picture->height,
	};

	return copy_mapped(transport, &transport->shown, &copy, &copy.to);
}

/* Copies a staged texture to 'in', and 'out' to the shown texture. Either frame may be NULL. */
static bool copy_both(struct frame_transport *transport, const struct shared_texture *staged,
		      const fvsr_frame *in, const fvsr_frame *out)
{
	const struct cuda_driver *driver = &transport->share->driver;
	cuda_handle stream = transport->share->stream, resources[2];
	unsigned count = 0;
	bool ok = true;

	if (out)
		resources[count++] = transport->shown.resource;
	if (in)
		resources[count++] = staged->resource;
	if (failed(transport, "cuGraphicsMapResources", driver->map(count, resources, stream)))
		return false;
	if (out)
		ok = copy_out(transport, fvsr_frame_picture(out));
	if (in && ok)
		ok = copy_in(transport, staged, fvsr_frame_picture(in));
	ok = ok && let_engine_follow(transport);
	return !failed(transport, "cuGraphicsUnmapResources",
		       driver->unmap(count, resources, stream)) &&
	       ok;
}

static bool enter(struct frame_transport *transport)
{
	if (transport->trouble[0])
		return false;
	if (cuda_share_enter(transport->share))
		return true;
	snprintf(transport->trouble, sizeof(transport->trouble), "the GPU's context is lost");
	return false;
}

/* ---- the table ----------------------------------------------------------------------------- */

static void interop_destroy(struct frame_transport *transport)
{
	if (!transport)
		return;
	if (transport->share && cuda_share_enter(transport->share)) {
		unshare_textures(transport);
		cuda_share_leave(transport->share);
	}
	for (unsigned i = 0; i < TEXTURES; i++)
		gs_texture_destroy(transport->ring[i].shared.texture);
	gs_texture_destroy(transport->shown.texture);
	cuda_share_unref(transport->share, true);
	bfree(transport);
}

static struct frame_transport *interop_create(const struct frame_transport_setup *setup,
					      char *reason, size_t reason_size)
{
	struct frame_transport *transport = bzalloc(sizeof(*transport));
	bool ok;

	transport->share = cuda_share_create(setup->card, reason, reason_size);
	ok = transport->share &&
	     cuda_textures_on_card(&transport->share->driver, setup->card, reason, reason_size);
	if (ok && enter(transport)) {
		ok = share_textures(transport, setup);
		cuda_share_leave(transport->share);
	}
	if (ok && !transport->trouble[0])
		return transport;
	if (transport->trouble[0])
		snprintf(reason, reason_size, "%s", transport->trouble);
	interop_destroy(transport);
	return NULL;
}

static int interop_make_frame(void *opaque, fvsr_frame **out, enum frame_direction direction,
			      int width, int height)
{
	struct frame_transport *transport = opaque;
	struct cuda_share *share = transport->share;
	const cuda_handle stream =
		direction == FRAME_TO_ENGINE ? share->to_engine : share->from_engine;
	int code;

	if (!enter(transport))
		return FVSR_ERR_BACKEND;
	code = cuda_share_make_frame(share, stream, out, width, height);
	cuda_share_leave(share);
	return code;
}

static bool interop_stage(struct frame_transport *transport, gs_texture_t *texture, int64_t tag)
{
	struct staged *staged;

	if (transport->count == TEXTURES)
		return false;
	staged = &transport->ring[(transport->first + transport->count) % TEXTURES];
	gs_copy_texture(staged->shared.texture, texture);
	staged->tag = tag;
	staged->picture = transport->picture;
	transport->count++;
	return true;
}

static void interop_advance(struct frame_transport *transport)
{
	transport->picture++;
}

/* Waits for one picture: then OBS's card has drawn the texture, and mapping it does not wait. */
static bool interop_ready(const struct frame_transport *transport)
{
	return transport->count && transport->picture > transport->ring[transport->first].picture;
}

static struct staged *take_oldest(struct frame_transport *transport)
{
	struct staged *staged = &transport->ring[transport->first];

	transport->first = (transport->first + 1) % TEXTURES;
	transport->count--;
	return staged;
}

static void interop_exchange(struct frame_transport *transport, struct frame_exchange *exchange)
{
	const struct staged *staged = exchange->fetch ? take_oldest(transport) : NULL;
	fvsr_frame *in = staged ? exchange->in : NULL;
	bool ok;

	if ((!in && !exchange->out) || !enter(transport))
		return;
	ok = copy_both(transport, staged ? &staged->shared : NULL, in, exchange->out);
	cuda_share_leave(transport->share);
	if (!ok)
		return;
	if (in)
		fvsr_frame_set_tag(in, staged->tag);
	exchange->fetched = in != NULL;
	exchange->shown = exchange->out ? transport->shown.texture : NULL;
}

static void interop_clear(struct frame_transport *transport)
{
	transport->count = 0;
}

static const char *interop_trouble(const struct frame_transport *transport)
{
	return transport->trouble[0] ? transport->trouble : NULL;
}

const struct frame_transport_ops frame_transport_interop = {
	.lasting = true,
	.create = interop_create,
	.destroy = interop_destroy,
	.make_frame = interop_make_frame,
	.stage = interop_stage,
	.advance = interop_advance,
	.ready = interop_ready,
	.exchange = interop_exchange,
	.clear = interop_clear,
	.trouble = interop_trouble,
};
