/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a video is cut: every frame belongs to one segment, whatever the lengths, up to a video of
 * ten million frames; seams go to cuts, else to key frames, and never far; the network begins a
 * whole number of slices into the video.
 */
#include <stdlib.h>

#include "../../tools/segments.h"
#include "check.h"
#include "fvsr/fvsr.h"

#define RUN_UP 757

/* Scenes of so many frames each. */
static int64_t scene_frames;

static int64_t find_cut(void *opaque, int64_t from, int64_t to, int64_t near)
{
	int64_t below = near / scene_frames * scene_frames, above = below + scene_frames;
	int64_t best = near - below <= above - near ? below : above;

	++*(int64_t *)opaque;
	return best >= from && best <= to ? best : -1;
}

static void check_segments(const struct fvsr_segment_video *video, int count)
{
	struct fvsr_segment *segments = calloc((size_t)count, sizeof(*segments));
	int64_t reach = video->frames / count / 8;

	fvsr_segments_choose(video, count, RUN_UP, segments);
	CHECK(segments[0].first == 0 && segments[0].seam == FVSR_SEAM_START);
	CHECK(segments[count - 1].end == video->frames);
	for (int k = 0; k < count; k++) {
		const struct fvsr_segment *s = &segments[k];
		int64_t even = (int64_t)((double)video->frames / count * k);

		CHECK(s->end > s->first && (k == 0 || s->first == segments[k - 1].end));
		CHECK(llabs(s->first - even) <= reach + 1);
		CHECK(s->run_from % FVSR_CHUNK_FRAMES == 0 && s->run_from <= s->first);
		CHECK(s->run_from == 0 || (s->first - s->run_from >= RUN_UP &&
					   s->first - s->run_from < RUN_UP + FVSR_CHUNK_FRAMES));
		CHECK(s->seam != FVSR_SEAM_CUT || s->first % scene_frames == 0);
		CHECK(s->seam != FVSR_SEAM_KEY || s->first % 250 == 0);
	}
	free(segments);
}

static void test_lengths(void)
{
	static const int64_t lengths[] = {1, 2, 7, 100, 499, 100000, 1728000, 10000000};
	static const int counts[] = {1, 2, 3, 7, 12, 100, 1000};
	static int64_t keys[40001];
	int64_t asked = 0;

	for (int64_t i = 0; i <= 40000; i++)
		keys[i] = 250 * i;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct fvsr_segment_video video = {
			.frames = lengths[i],
			.keys = keys,
			.num_keys = (size_t)((lengths[i] + 249) / 250),
			.cut_window = 240,
			.find_cut = find_cut,
			.opaque = &asked,
		};

		for (size_t j = 0; j < sizeof(counts) / sizeof(*counts); j++) {
			if (counts[j] > lengths[i])
				continue;
			for (scene_frames = 90; scene_frames < 100000; scene_frames *= 7)
				check_segments(&video, counts[j]);
		}
	}
	CHECK(asked > 1000);
}

/* A cut is taken before a nearer key frame, a key frame before the even division. */
static void test_choice(void)
{
	static const int64_t keys[] = {0, 505, 1400};
	int64_t asked = 0;
	struct fvsr_segment_video video = {.frames = 2000,
					   .keys = keys,
					   .num_keys = 3,
					   .cut_window = 240,
					   .find_cut = find_cut,
					   .opaque = &asked};
	struct fvsr_segment segments[4];

	scene_frames = 1060;
	fvsr_segments_choose(&video, 4, 77, segments);
	CHECK(segments[1].first == 505 && segments[1].seam == FVSR_SEAM_KEY);
	CHECK(segments[2].first == 1060 && segments[2].seam == FVSR_SEAM_CUT);
	CHECK(segments[3].first == 1500 && segments[3].seam == FVSR_SEAM_EVEN);
	CHECK(segments[1].run_from == 424 && segments[2].run_from == 976);
	CHECK(asked == 3);
	/* Cuts are not looked for far away, whatever a segment's length. */
	video.cut_window = 20;
	fvsr_segments_choose(&video, 4, 77, segments);
	CHECK(segments[2].first == 1000 && segments[2].seam == FVSR_SEAM_EVEN);
}

static void test_words(void)
{
	enum fvsr_seam seam;

	for (int i = FVSR_SEAM_START; i <= FVSR_SEAM_EVEN; i++)
		CHECK(fvsr_seam_of(fvsr_seam_word((enum fvsr_seam)i), &seam) && (int)seam == i);
	CHECK(!fvsr_seam_of("nothing", &seam) && !fvsr_seam_of(NULL, &seam));
}

int main(void)
{
	test_lengths();
	test_choice();
	test_words();
	return check_result();
}
