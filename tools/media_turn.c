/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Videos that are to be shown turned or mirrored, as telephones make them. MP4 and its relatives
 * say so in the file; for all others the pixels are turned. A display matrix takes a pixel (x, y)
 * to (a x + c y, b x + d y), with y downwards (libavutil/display.h).
 */
#include "media.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/opt.h>

#define ONE (1 << 16)

const int32_t *fvsr_media_matrix(const AVStream *stream, const AVFrame *first)
{
	const AVFrameSideData *of_frame;
	const size_t wanted = 9 * sizeof(int32_t);
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
	const AVPacketSideData *data = av_packet_side_data_get(stream->codecpar->coded_side_data,
							       stream->codecpar->nb_coded_side_data,
							       AV_PKT_DATA_DISPLAYMATRIX);

	if (data && data->size >= wanted)
		return (const int32_t *)(const void *)data->data;
#else
	size_t size = 0;
	const uint8_t *data = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size);

	if (data && size >= wanted)
		return (const int32_t *)(const void *)data;
#endif
	of_frame = av_frame_get_side_data(first, AV_FRAME_DATA_DISPLAYMATRIX);
	return of_frame && of_frame->size >= wanted ? (const int32_t *)(const void *)of_frame->data
						    : NULL;
}

bool fvsr_media_carries_matrix(const AVOutputFormat *format)
{
	/* All that are made by FFmpeg's writer of MP4, and only these, have this option. */
	return format->priv_class && av_opt_find((void *)(uintptr_t)&format->priv_class, "movflags",
						 NULL, 0, AV_OPT_SEARCH_FAKE_OBJ);
}

/* -1, 0 or 1; something else when it is none of these. */
static int whole(int32_t value)
{
	int64_t rounded = ((int64_t)value + (value < 0 ? -ONE / 2 : ONE / 2)) / ONE;

	return llabs(value - rounded * ONE) <= ONE / 100 ? (int)rounded : 2;
}

bool fvsr_media_turn_of(const int32_t matrix[9], struct fvsr_media_turn *turn)
{
	int a = whole(matrix[0]), b = whole(matrix[1]), c = whole(matrix[3]), d = whole(matrix[4]);

	*turn = (struct fvsr_media_turn){a, b, c, d};
	return (abs(a) == 1 && b == 0 && c == 0 && abs(d) == 1) ||
	       (a == 0 && abs(b) == 1 && abs(c) == 1 && d == 0);
}

bool fvsr_media_turns(const struct fvsr_media_turn *turn)
{
	return turn->a != 1 || turn->d != 1;
}

bool fvsr_media_swaps_sides(const struct fvsr_media_turn *turn)
{
	return turn->a == 0;
}

/* RGBA8 to RGBA8, of the turned size. */
static void turn_pixels(const struct fvsr_media_turn *turn, const struct fvsr_picture *from,
			const struct fvsr_picture *to)
{
	/* Where the corner (0, 0) goes, and from there a step for each pixel and row. */
	int x0 = turn->a + turn->c < 0 ? to->width - 1 : 0;
	int y0 = turn->b + turn->d < 0 ? to->height - 1 : 0;

	for (int y = 0; y < from->height; y++) {
		const uint8_t *pixel = (const uint8_t *)from->data + (ptrdiff_t)from->stride * y;

		for (int x = 0; x < from->width; x++, pixel += 4) {
			ptrdiff_t to_x = x0 + turn->a * x + turn->c * y;
			ptrdiff_t to_y = y0 + turn->b * x + turn->d * y;

			memcpy((uint8_t *)to->data + (ptrdiff_t)to->stride * to_y + 4 * to_x, pixel,
			       4);
		}
	}
}

int fvsr_media_to_shown(struct fvsr_media_converter *conv, const AVFrame *frame,
			const struct fvsr_media_color *color, const struct fvsr_media_turn *turn,
			fvsr_frame *unturned, const struct fvsr_picture *rgba,
			struct fvsr_error *err)
{
	const struct fvsr_picture *first = unturned ? fvsr_frame_picture(unturned) : rgba;
	int result = fvsr_media_to_rgba(conv, frame, color, first, err);

	if (result == FVSR_OK && unturned)
		turn_pixels(turn, first, rgba);
	return result;
}
