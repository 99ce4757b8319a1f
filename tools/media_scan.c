/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a video is made of, without decoding it: when its frames are shown, and which of them begin
 * anew. Cuts between scenes are looked for in a few places only, on pictures of 32 x 18 pixels.
 */
#include "media.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "interrupt.h"

#define SMALL_WIDTH  32
#define SMALL_HEIGHT 18
#define SMALL_BYTES  (SMALL_WIDTH * SMALL_HEIGHT)

/* Mean difference of luma, in levels, from which on it may be a cut; and over its neighbours'. */
#define CUT_LEVELS 12
#define CUT_TIMES  3

/* ------------------------------------------------------------------------------------------- */
/* All packets                                                                                 */

static bool grow(int64_t **list, size_t count)
{
	int64_t *more;

	if (count & (count - 1)) /* room is doubled at powers of two */
		return true;
	more = av_realloc_array(*list, count ? 2 * count : 1, sizeof(*more));
	if (more)
		*list = more;
	return more;
}

static int take(struct fvsr_media_scan *scan, const AVPacket *packet, struct fvsr_error *err)
{
	int64_t time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
	bool key = packet->flags & AV_PKT_FLAG_KEY;

	/* Before an edit's beginning: decoded, but not shown. */
	if (packet->flags & AV_PKT_FLAG_DISCARD)
		return FVSR_OK;
	if (time == AV_NOPTS_VALUE)
		return fvsr_media_fail(err, 0,
				       "the video's frames have no times; give it a container that "
				       "has them: ffmpeg -i IN -c copy OUT.mkv");
	if (!grow(&scan->times, (size_t)scan->frames) ||
	    (key && !grow(&scan->keys, scan->num_keys)))
		return fvsr_media_fail(err, AVERROR(ENOMEM), "cannot list the video's frames");
	scan->times[scan->frames++] = time;
	if (key)
		scan->keys[scan->num_keys++] = time;
	return FVSR_OK;
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Returns how many times are before 'time'. */
static int64_t number_of(const struct fvsr_media_scan *scan, int64_t time)
{
	int64_t low = 0, high = scan->frames;

	while (low < high) {
		int64_t middle = low + (high - low) / 2;

		if (scan->times[middle] < time)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int read_packets(struct fvsr_media_input *in, struct fvsr_media_scan *scan,
			struct fvsr_error *err)
{
	int result = FVSR_OK;

	while (result == FVSR_OK) {
		int read = av_read_frame(in->format, in->packet);

		if (fvsr_cli_interrupted())
			result = FVSR_ERR_CANCELLED;
		else if (read == AVERROR_EOF)
			break;
		else if (read < 0)
			result = fvsr_media_fail(err, read, "%s could not be read to its end",
						 in->format->url);
		else if (in->packet->stream_index == in->video->index)
			result = take(scan, in->packet, err);
		av_packet_unref(in->packet);
	}
	return result;
}

int fvsr_media_scan(struct fvsr_media_scan *scan, const char *path, struct fvsr_error *err)
{
	struct fvsr_media_input in;
	int result;

	*scan = (struct fvsr_media_scan){0};
	result = fvsr_media_input_open(&in, path, err);
	if (result < 0)
		return result;
	fvsr_media_input_video_only(&in);
	result = read_packets(&in, scan, err);
	fvsr_media_input_close(&in);
	if (result == FVSR_OK && scan->frames == 0)
		return fvsr_media_fail(err, 0, "%s has no frames", path);
	if (result < 0)
		return result;
	/* Packets come in the order of decoding. */
	qsort(scan->times, (size_t)scan->frames, sizeof(*scan->times), compare);
	for (size_t i = 0; i < scan->num_keys; i++)
		scan->keys[i] = number_of(scan, scan->keys[i]);
	if (scan->num_keys)
		qsort(scan->keys, scan->num_keys, sizeof(*scan->keys), compare);
	return FVSR_OK;
}

void fvsr_media_scan_free(struct fvsr_media_scan *scan)
{
	av_freep(&scan->times);
	av_freep(&scan->keys);
	*scan = (struct fvsr_media_scan){0};
}

/* ------------------------------------------------------------------------------------------- */
/* Cuts                                                                                        */

/* Scales to grey; the same bytes on every processor, so that all tasks find the same cuts. */
static bool shrink(struct SwsContext **sws, const AVFrame *frame, uint8_t *small)
{
	uint8_t *planes[4] = {small};
	int strides[4] = {SMALL_WIDTH};

	*sws = sws_getCachedContext(*sws, frame->width, frame->height,
				    (enum AVPixelFormat)frame->format, SMALL_WIDTH, SMALL_HEIGHT,
				    AV_PIX_FMT_GRAY8, SWS_AREA | SWS_ACCURATE_RND | SWS_BITEXACT,
				    NULL, NULL, NULL);
	return *sws && sws_scale(*sws, (const uint8_t *const *)frame->data, frame->linesize, 0,
				 frame->height, planes, strides) == SMALL_HEIGHT;
}

static int difference(const uint8_t *a, const uint8_t *b)
{
	int sum = 0;

	for (int i = 0; i < SMALL_BYTES; i++)
		sum += abs(a[i] - b[i]);
	return sum;
}

/*
 * Fills change[i] with how much frame from + i differs from the one before it; those that there are
 * not stay 0. The frame before 'from' must exist.
 */
static void measure(struct fvsr_media_input *in, const struct fvsr_media_scan *scan, int64_t from,
		    int64_t to, int *change)
{
	uint8_t small[2][SMALL_BYTES];
	struct SwsContext *sws = NULL;
	AVFrame *frame = av_frame_alloc();
	struct fvsr_error err;
	int64_t before;
	int result = frame ? fvsr_media_input_seek(in, scan->times[from - 1], frame, &before, &err)
			   : FVSR_ERR_MEMORY;

	for (int64_t n = from - 1; n <= to && result == FVSR_OK; n++) {
		if (!shrink(&sws, frame, small[n & 1]))
			break;
		if (n >= from)
			change[n - from] = difference(small[0], small[1]);
		av_frame_unref(frame);
		result = fvsr_media_input_read(in, frame);
	}
	sws_freeContext(sws);
	av_frame_free(&frame);
}

/* A flash or a fast pan changes several pictures in a row; a cut stands alone. */
static bool is_cut(const int *change, int64_t i, int64_t count)
{
	int before = i > 0 ? change[i - 1] : 0, after = i + 1 < count ? change[i + 1] : 0;

	return change[i] >= CUT_LEVELS * SMALL_BYTES &&
	       change[i] >= CUT_TIMES * (before > after ? before : after);
}

int64_t fvsr_media_find_cut(struct fvsr_media_input *in, const struct fvsr_media_scan *scan,
			    int64_t from, int64_t to, int64_t near)
{
	int64_t first = from > 2 ? from - 1 : 1, last = to + 1 < scan->frames ? to + 1 : to;
	int64_t count = last - first + 1, best = -1;
	int *change = count > 0 ? av_calloc((size_t)count, sizeof(*change)) : NULL;

	if (!change)
		return -1;
	measure(in, scan, first, last, change);
	for (int64_t i = 0; i < count; i++) {
		int64_t n = first + i;

		if (n >= from && n <= to && is_cut(change, i, count) &&
		    (best < 0 || llabs(n - near) < llabs(best - near)))
			best = n;
	}
	av_free(change);
	return best;
}
