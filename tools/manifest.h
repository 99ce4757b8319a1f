/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all tasks that make segments of one video agree on, in OUT.parts/manifest.json: which video
 * and model, how it is upscaled and encoded, and where the segments begin. The first task writes
 * it, and the others find it; each part names the manifest that it was made for by its sum.
 */
#ifndef FVSR_TOOLS_MANIFEST_H
#define FVSR_TOOLS_MANIFEST_H

#include <jansson.h>

#include "fvsr/fvsr.h"
#include "segments.h"

struct fvsr_manifest {
	json_t *root;
	char id[65]; /* SHA-256 of the file */
	int count;   /* segments */
};

/* Times are in the time base of the input's video. */
struct fvsr_manifest_segment {
	struct fvsr_segment range;
	int64_t start_pts, run_pts; /* of the frames range.first and range.run_from */
	int64_t end_pts;            /* of the frame behind it; INT64_MAX: there is none */
};

/* Writes 'root' to 'path', where it appears at once and whole. */
int fvsr_manifest_write(const json_t *root, const char *path, struct fvsr_error *err);
/* FVSR_ERR_IO: there is none; FVSR_ERR_FORMAT: it is damaged. Close it also after a failure. */
int fvsr_manifest_open(struct fvsr_manifest *manifest, const char *path, struct fvsr_error *err);
/* Segment k, from 0 on. */
struct fvsr_manifest_segment fvsr_manifest_segment(const struct fvsr_manifest *manifest, int k);
void fvsr_manifest_close(struct fvsr_manifest *manifest);

/* The object of one segment. */
json_t *fvsr_manifest_of_segment(const struct fvsr_manifest_segment *segment);
/* Fails when what 'want' says is not what the manifest says; the message names what differs. */
int fvsr_manifest_compare(const struct fvsr_manifest *manifest, const json_t *want,
			  const char *path, struct fvsr_error *err);

/* A file of the folder that 'manifest_path' lies in, for segment k: malloc'ed, NULL: no memory. */
char *fvsr_manifest_part_path(const char *manifest_path, int k);

/* SHA-256 of 'bytes' as 64 digits; false when out of memory. */
bool fvsr_sha256_text(const void *data, size_t bytes, char text[65]);

#endif
