/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a video is cut into segments that are upscaled apart from one another: arithmetic of frame
 * numbers alone, without files.
 */
#ifndef FVSR_TOOLS_SEGMENTS_H
#define FVSR_TOOLS_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FVSR_MAX_SEGMENTS 100000

/* Why a segment begins where it does. */
enum fvsr_seam {
	FVSR_SEAM_START = 0, /* of the video */
	FVSR_SEAM_CUT = 1,   /* between two scenes */
	FVSR_SEAM_KEY = 2,   /* at a key frame, from which reading can begin */
	FVSR_SEAM_EVEN = 3,  /* where an even division has it */
};

/* Frames first .. end - 1 are its own; the network runs from run_from on. */
struct fvsr_segment {
	int64_t first, end, run_from;
	enum fvsr_seam seam;
};

/* What is known of the video. */
struct fvsr_segment_video {
	int64_t frames;
	const int64_t *keys; /* numbers of the key frames, ascending */
	size_t num_keys;
	int64_t cut_window; /* frames on either side in which a cut is looked for, at most */
	/* Returns the cut (its first frame) among from .. to that is nearest to 'near', or -1. */
	int64_t (*find_cut)(void *opaque, int64_t from, int64_t to, int64_t near);
	void *opaque;
};

/*
 * Fills 'segments' with 'count' of them, none empty: count is at most the number of frames. Each
 * begins at the cut that is nearest to the even division, as long as that moves it by no more than
 * an eighth of a segment; else at a key frame as near; else where the even division has it.
 * 'run_up' frames before it the network begins, at a multiple of FVSR_CHUNK_FRAMES.
 */
void fvsr_segments_choose(const struct fvsr_segment_video *video, int count, int run_up,
			  struct fvsr_segment *segments);

/* A word for messages and manifests, and back; false for a word that is none. */
const char *fvsr_seam_word(enum fvsr_seam seam);
bool fvsr_seam_of(const char *word, enum fvsr_seam *seam);

#endif
