/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run of the network over one video: frames in, pictures out, in the order that the caller
 * chooses within the rules of slices.h. One thread at a time; failures stick to the run's queue.
 */
#ifndef FVSR_NET_RUN_H
#define FVSR_NET_RUN_H

#include "net/net.h"

struct fvsr_run;

/* Sizes and choices of a run, all checked by the caller. */
struct fvsr_run_settings {
	int in_width, in_height, width, height; /* px, visible size of input and output */
	enum fvsr_format in_format, out_format;
	int prompt; /* which of the model's */
	int local_range, kv_ratio;
	double scale;      /* how much the picture is enlarged */
	double topk_ratio; /* share of the pairs of blocks that attention keeps */
	enum fvsr_color color;
	enum fvsr_noise noise;
	uint64_t seed;
	enum fvsr_lq_version lq_version;
	uint64_t memory_limit; /* bytes on the device; 0: what is free there */
	int64_t first_slice;   /* of the whole video, where the run begins in its middle */
};

struct fvsr_run_cost {
	size_t bytes;      /* of the backend's memory */
	size_t host_bytes; /* beside it */
	int run_up;        /* pictures that depend on where the run began */
};

/*
 * Plans a run and allocates all that it will ever need. With out == NULL only *cost is found out
 * and nothing is kept; 'cost' may be NULL. The network must outlive the run.
 */
int fvsr_run_open(struct fvsr_run **out, const struct fvsr_net *net,
		  const struct fvsr_run_settings *settings, struct fvsr_run_cost *cost,
		  struct fvsr_error *err);
/* Returns the side of the canvas for a visible side of 'px' pixels. */
int fvsr_run_canvas_px(const struct fvsr_config *config, double scale, int px);
/* Waits for work in flight. NULL is allowed. */
void fvsr_run_close(struct fvsr_run *run);
/* Forgets the past: the next frame is frame 0 of a new video. */
void fvsr_run_reset(struct fvsr_run *run);
/*
 * Has 'breathe' called again and again while a chunk or slice is put into the queue, at places
 * where the work may rest; NULL: never.
 */
void fvsr_run_set_breathe(struct fvsr_run *run, void (*breathe)(void *opaque), void *opaque);
/* Changes the effort from the next chunk on; kv_ratio at most what the run was opened with. */
void fvsr_run_set_effort(struct fvsr_run *run, double topk_ratio, int kv_ratio);
/* Shows tensors to 'tap', which is copied; NULL: no longer. FVSR_ERR_MEMORY is possible. */
int fvsr_run_set_tap(struct fvsr_run *run, const struct fvsr_tap *tap);
struct fvsr_queue *fvsr_run_queue(struct fvsr_run *run);

/*
 * Puts frame n on its canvas, which stays until frame n + FVSR_CANVASES is ingested, or n +
 * FVSR_TRUNK_CANVASES of a trunk.
 */
void fvsr_run_ingest(struct fvsr_run *run, int64_t n, const struct fvsr_picture *picture);
/* Runs projection and transformer of chunk k. 'last': the last frame there is, or unknown. */
void fvsr_run_chunk(struct fvsr_run *run, int64_t k, int64_t last);
/*
 * Decodes slice s, whose chunk has run, and corrects its colours. The pictures from 0 to 'last'
 * among the slice's are kept until the next slice is decoded.
 */
void fvsr_run_decode(struct fvsr_run *run, int64_t s, int64_t last);
/*
 * Makes the picture of frame n, in place of chunks and slices: a trunk's way. The picture is kept
 * until the next one is made.
 */
void fvsr_run_frame(struct fvsr_run *run, int64_t n);
/* Copies picture n of the slice decoded last, or of the last frame, to the caller's memory. */
void fvsr_run_emit(struct fvsr_run *run, int64_t n, const struct fvsr_picture *picture);

#endif
