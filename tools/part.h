/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One segment of a video: `fvsr upscale --segment K/N`. The network runs over the frames before it
 * too, whose pictures are dropped, so that the segment's own are those of the whole video.
 */
#ifndef FVSR_TOOLS_PART_H
#define FVSR_TOOLS_PART_H

#include "manifest.h"
#include "part_file.h"
#include "upscale.h"

struct fvsr_cli_part {
	int number, of; /* from 1 */
	bool there;     /* made before: nothing is to be done */
	struct fvsr_manifest manifest;
	struct fvsr_segment range;
	int64_t start_pts, end_pts;
	char *path;
	struct fvsr_cli_part_writer writer;
	uint64_t written;              /* frames of the segment that have come out */
	int64_t out_pts;               /* of the last of these */
	int64_t first_pts, last_pts;   /* of those that went in */
	int64_t before_pts, after_pts; /* of the frames around it; AV_NOPTS_VALUE: none is known */
};

/* Reads "3/12"; false when it is not a number of how many. */
bool fvsr_cli_part_parse(struct fvsr_cli_part *part, const char *text);
/* Makes 'up', which nothing has been opened of yet, upscale that segment. */
void fvsr_cli_part_attach(struct fvsr_cli_part *part, struct fvsr_upscale *up);
/*
 * Finds the manifest or writes it, and goes to where the network is to begin, whose frame is in
 * up->decoded then. Sets part->there where the segment has been made already. The model is open.
 */
int fvsr_cli_part_begin(struct fvsr_upscale *up);
/* Takes note of a frame that goes into the network. */
void fvsr_cli_part_sent(struct fvsr_cli_part *part, int64_t pts);
/* Tells whether a picture is one of the segment's, rather than of the frames around it. */
bool fvsr_cli_part_owns(const struct fvsr_cli_part *part, int64_t pts);
/* Tells whether the picture at 'pts' is the segment's last one. */
bool fvsr_cli_part_ends(const struct fvsr_cli_part *part, int64_t pts);
/* Puts the part in its place, with what is known of it. */
int fvsr_cli_part_commit(struct fvsr_upscale *up);
void fvsr_cli_part_close(struct fvsr_cli_part *part);

#endif
