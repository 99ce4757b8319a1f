/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A loader moves tensors from where the weights are to the device, through a staging buffer of
 * bounded size. It runs twice over the same code: first to measure the memory, then to fill it.
 * The first failure sticks; everything after it does nothing.
 */
#ifndef FVSR_NET_LOADER_H
#define FVSR_NET_LOADER_H

#include "net/arena.h"
#include "net/net.h"

struct fvsr_loader {
	struct fvsr_net *net;
	const struct fvsr_weights *weights;
	const struct fvsr_progress *progress;
	struct fvsr_error *err;
	struct fvsr_arena arena;
	bool measuring;
	int error;
	uint64_t done; /* elements read */
	float *staging, *permuted, *row, *modulation;
};

/* 'progress' and 'err' may be NULL. FVSR_ERR_MEMORY is possible. */
int fvsr_loader_init(struct fvsr_loader *l, struct fvsr_net *net,
		     const struct fvsr_weights *weights, const struct fvsr_progress *progress,
		     struct fvsr_error *err);
void fvsr_loader_clear(struct fvsr_loader *l);
/* Tells whether nothing is to be read or uploaded: while measuring, or after a failure. */
bool fvsr_loader_skip(const struct fvsr_loader *l);
/* Returns the number of elements of a tensor; 0 and a failure when there is none. */
uint64_t fvsr_loader_count(struct fvsr_loader *l, const char *name);
/* Returns where the next 'count' elements go on the device; NULL while measuring. */
void *fvsr_loader_place(struct fvsr_loader *l, enum fvsr_kind kind, uint64_t count);
/* Uploads what was computed of tensors; fails when it is not finite. */
void fvsr_loader_put(struct fvsr_loader *l, void *dst, enum fvsr_kind kind, const float *src,
		     size_t count);
/* Reads a whole tensor of 'count' elements to host memory; also while measuring. */
void fvsr_loader_host(struct fvsr_loader *l, float *dst, const char *name, uint64_t count);
/* Uploads a tensor as (rows, columns); 'gate' (rows), or NULL, multiplies each row. */
void fvsr_loader_rows(struct fvsr_loader *l, void *dst, enum fvsr_kind kind, const char *name,
		      uint64_t rows, uint64_t columns, const float *gate);
/* Uploads (cout, cin, taps) as ACT (cout, taps, cin). */
void fvsr_loader_channels_last(struct fvsr_loader *l, void *dst, const char *name, int cout,
			       int cin, int taps);

#endif
