/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every task of many comes to the same segments by itself: there is no state and no chance here.
 */
#include "segments.h"

#include <string.h>

#include "fvsr/fvsr.h"

#define MOVE_PARTS 8 /* a seam moves by at most so small a part of a segment */

/* Returns the number in an ascending list that is nearest to 'near', or -1 if it is too far. */
static int64_t nearest(const int64_t *list, size_t count, int64_t near, int64_t reach)
{
	size_t low = 0, high = count;
	int64_t best = -1, away = reach + 1;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list[middle] < near)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < count && list[low] - near < away) {
		best = list[low];
		away = best - near;
	}
	if (low > 0 && near - list[low - 1] < away)
		best = list[low - 1];
	return best;
}

static void choose_seam(const struct fvsr_segment_video *video, int64_t even, int64_t reach,
			struct fvsr_segment *segment)
{
	int64_t window = reach < video->cut_window ? reach : video->cut_window;
	int64_t cut = window && video->find_cut
			      ? video->find_cut(video->opaque, even - window, even + window, even)
			      : -1;
	int64_t key = cut < 0 ? nearest(video->keys, video->num_keys, even, reach) : -1;

	segment->first = cut >= 0 ? cut : key >= 0 ? key : even;
	segment->seam = cut >= 0 ? FVSR_SEAM_CUT : key >= 0 ? FVSR_SEAM_KEY : FVSR_SEAM_EVEN;
}

static int64_t run_from(int64_t first, int run_up)
{
	int64_t from = first > run_up ? first - run_up : 0;

	return from - from % FVSR_CHUNK_FRAMES;
}

/* Returns frames * k / count, which does not overflow for any video. */
static int64_t even_seam(int64_t frames, int count, int k)
{
	return frames / count * k + frames % count * k / count;
}

void fvsr_segments_choose(const struct fvsr_segment_video *video, int count, int run_up,
			  struct fvsr_segment *segments)
{
	int64_t reach = video->frames / count / MOVE_PARTS;

	segments[0] = (struct fvsr_segment){.seam = FVSR_SEAM_START};
	for (int k = 1; k < count; k++) {
		choose_seam(video, even_seam(video->frames, count, k), reach, &segments[k]);
		segments[k].run_from = run_from(segments[k].first, run_up);
		segments[k - 1].end = segments[k].first;
	}
	segments[count - 1].end = video->frames;
}

static const char *const words[] = {"start", "cut", "key frame", "even"};

const char *fvsr_seam_word(enum fvsr_seam seam)
{
	return words[seam];
}

bool fvsr_seam_of(const char *word, enum fvsr_seam *seam)
{
	for (int i = 0; i < (int)(sizeof(words) / sizeof(words[0])); i++) {
		if (word && strcmp(word, words[i]) == 0) {
			*seam = (enum fvsr_seam)i;
			return true;
		}
	}
	return false;
}
