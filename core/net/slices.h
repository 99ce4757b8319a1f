/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All arithmetic of frames, slices and chunks (section 3), and nothing else.
 *
 * The network sees a video in slices of two latent frames. Slice s reads video frames up to
 * 8s + 8, and its pictures are frames 8s - 3 .. 8s + 4. The first chunk is slices 0, 1 and 2, which
 * attend to one another; chunk k >= 1 is slice k + 2. Frames are numbered from 0 as they arrive.
 */
#ifndef FVSR_NET_SLICES_H
#define FVSR_NET_SLICES_H

#include <stdbool.h>
#include <stdint.h>

#include "fvsr/fvsr.h"

#define FVSR_LATENT_FRAMES 4 /* video frames that a latent frame stands for */
#define FVSR_SLICE_LATENTS 2
#define FVSR_SLICE_FRAMES  (FVSR_SLICE_LATENTS * FVSR_LATENT_FRAMES)
#define FVSR_CHUNK0_SLICES 3
/* Pictures of slice 0 that come before frame 0 and are dropped. */
#define FVSR_DROPPED_PICTURES 3
/* Frames that the projection of a slice reads before the slice's own. */
#define FVSR_CLIP_PAST   2
#define FVSR_CLIP_FRAMES (FVSR_CLIP_PAST + FVSR_SLICE_FRAMES)
/* Slices that stay in the cache, however few are asked for (section 5). */
#define FVSR_LEAST_KEPT 2
/* Canvases that are kept: those of the first chunk, and of the slice that comes in behind it. */
#define FVSR_CANVASES (FVSR_FIRST_LATENCY + FVSR_SLICE_FRAMES)
/* Canvases that a trunk keeps (section 11): that of the frame at hand, and of some that wait. */
#define FVSR_TRUNK_CANVASES 4
/* The last frame of a video that has not ended. */
#define FVSR_LAST_UNKNOWN INT64_MAX

_Static_assert(FVSR_CHUNK_FRAMES == FVSR_SLICE_FRAMES, "a later chunk is a slice");
_Static_assert(FVSR_FIRST_CHUNK_PARTS == FVSR_CHUNK0_SLICES, "slices are decoded one by one");
_Static_assert(FVSR_FIRST_CHUNK_FRAMES ==
		       FVSR_CHUNK0_SLICES * FVSR_SLICE_FRAMES - FVSR_DROPPED_PICTURES,
	       "the first pictures stand before the video");
_Static_assert(FVSR_FIRST_LATENCY == FVSR_CHUNK0_SLICES * FVSR_SLICE_FRAMES + 1,
	       "frame 0 has a clip of its own");
_Static_assert(FVSR_LATENCY == FVSR_SLICE_FRAMES + FVSR_DROPPED_PICTURES + 1,
	       "a slice reads on behind its pictures");

/* ---- chunks and slices ---------------------------------------------------------------------- */

/* Returns the first slice of chunk k; with k chunks run, as many slices have their latents. */
static inline int64_t fvsr_chunk_slice(int64_t k)
{
	return k ? k + FVSR_CHUNK0_SLICES - 1 : 0;
}

/* Returns how many slices chunk k has. */
static inline int fvsr_chunk_slices(int64_t k)
{
	return k ? 1 : FVSR_CHUNK0_SLICES;
}

/* Returns which slice of its chunk slice s is. */
static inline int fvsr_slice_place(int64_t s)
{
	return s < FVSR_CHUNK0_SLICES ? (int)s : 0;
}

/* Returns how many slices of the past a layer keeps between chunks. */
static inline int fvsr_kept_slices(int kv_ratio)
{
	return kv_ratio > FVSR_LEAST_KEPT ? kv_ratio : FVSR_LEAST_KEPT;
}

/* Returns the most slices that are attended to at once: those kept and the chunk's own. */
static inline int fvsr_attended_slices(int kept)
{
	return kept + 1 > FVSR_CHUNK0_SLICES ? kept + 1 : FVSR_CHUNK0_SLICES;
}

/* Returns the chunk that slice s belongs to. */
static inline int64_t fvsr_slice_chunk(int64_t s)
{
	return s < FVSR_CHUNK0_SLICES ? 0 : s - FVSR_CHUNK0_SLICES + 1;
}

/*
 * Returns the first slice whose latent frames do not depend on where the video began. The
 * projection of slice 0 has no past, so tokens are settled from slice 1 on; each layer attends to
 * 'kept' slices more. At least two are kept, so this also is behind the first chunk.
 */
static inline int64_t fvsr_settled_slice(int layers, int kept)
{
	return 1 + (int64_t)layers * kept;
}

/* Returns a number of chunks after which all others look like the last of them. */
static inline int fvsr_chunks_until_steady(int kept)
{
	return kept + 2;
}

/* ---- latent frames -------------------------------------------------------------------------- */

/* Returns the first latent frame of slice s. */
static inline int64_t fvsr_slice_latent(int64_t s)
{
	return FVSR_SLICE_LATENTS * s;
}

/* ---- frames --------------------------------------------------------------------------------- */

/* Returns the first frame that the projection reads for slice s, FVSR_CLIP_FRAMES in all. */
static inline int64_t fvsr_slice_first_read(int64_t s)
{
	return FVSR_SLICE_FRAMES * s + 1 - FVSR_CLIP_PAST;
}

/* Returns the last frame that the projection reads for slice s. */
static inline int64_t fvsr_slice_last_read(int64_t s)
{
	return fvsr_slice_first_read(s) + FVSR_CLIP_FRAMES - 1;
}

/* Returns the last frame that chunk k reads. */
static inline int64_t fvsr_chunk_last_read(int64_t k)
{
	return fvsr_slice_last_read(fvsr_chunk_slice(k + 1) - 1);
}

/* Returns the first picture of slice s; before frame 0 for slice 0. */
static inline int64_t fvsr_slice_picture(int64_t s)
{
	return FVSR_SLICE_FRAMES * s - FVSR_DROPPED_PICTURES;
}

/* Returns the first picture of latent frame 'latent' (0 or 1) of slice s. */
static inline int64_t fvsr_latent_picture(int64_t s, int latent)
{
	return fvsr_slice_picture(s) + FVSR_LATENT_FRAMES * latent;
}

/*
 * Returns the first picture that does not depend on where the video began, with a decoder that
 * remembers so many latent frames.
 */
static inline int64_t fvsr_settled_picture(int layers, int kept, int decoder_past)
{
	return fvsr_latent_picture(fvsr_settled_slice(layers, kept), 0) +
	       (int64_t)FVSR_LATENT_FRAMES * decoder_past;
}

/* Returns the chunk that picture n comes from. */
static inline int64_t fvsr_picture_chunk(int64_t n)
{
	return n < FVSR_FIRST_CHUNK_FRAMES ? 0
					   : (n - FVSR_FIRST_CHUNK_FRAMES) / FVSR_SLICE_FRAMES + 1;
}

/* Returns the first picture that chunk k gives. */
static inline int64_t fvsr_chunk_picture(int64_t k)
{
	return k ? fvsr_slice_picture(fvsr_chunk_slice(k)) : 0;
}

/* Returns the place of picture n among the finished pictures of a slice. */
static inline int fvsr_picture_slot(int64_t n)
{
	return (int)((n + FVSR_DROPPED_PICTURES) % FVSR_SLICE_FRAMES);
}

/* Returns the oldest frame whose canvas slice s and those after it need. */
static inline int64_t fvsr_slice_oldest_frame(int64_t s)
{
	return s ? fvsr_slice_picture(s) : 0;
}

/* Returns the frame that stands for frame n: the first and the last are repeated outside. */
static inline int64_t fvsr_frame_within(int64_t n, int64_t last)
{
	return n < 0 ? 0 : n > last ? last : n;
}

/* Tells whether there is a frame n in a video whose last frame is 'last'. */
static inline bool fvsr_frame_exists(int64_t n, int64_t last)
{
	return n >= 0 && n <= last;
}

#endif
