/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Single pictures of a video: see film.h. A file is entered at a key picture before the wanted
 * time; where none is found, it is decoded from its beginning.
 */
#include "film.h"

#include <string.h>

/* A picture is shown a little before its time too, since times are rounded in the file. */
#define ROUNDING_S 0.0005

/* Makes a frame the film's decoded picture. */
static void show(struct fvsr_film *film, AVFrame *frame)
{
	const double tick_s = av_q2d(film->in.video->time_base);

	av_frame_unref(film->decoded);
	av_frame_move_ref(film->decoded, frame);
	film->time_s = (double)(film->decoded->pts - film->first_pts) * tick_s;
	film->duration_s = (double)fvsr_media_frame_duration(film->decoded) * tick_s;
}

int fvsr_film_next(struct fvsr_film *film, struct fvsr_error *err)
{
	/* Of its own, so that the last picture stays when there is no other. */
	AVFrame *next = av_frame_alloc();
	int result;

	if (!next)
		return fvsr_media_fail(err, AVERROR(ENOMEM), "cannot decode %s", film->path);
	result = fvsr_media_input_read(&film->in, next);
	if (result == FVSR_OK)
		show(film, next);
	av_frame_free(&next);
	return result;
}

static int choose_turn(struct fvsr_film *film, struct fvsr_error *err)
{
	const AVFrame *first = film->decoded;
	const int32_t *matrix = fvsr_media_matrix(film->in.video, first);
	bool swaps;

	/* At any other angle the picture is compared as it was filmed. */
	if (!matrix || !fvsr_media_turn_of(matrix, &film->turn))
		film->turn = (struct fvsr_media_turn){1, 0, 0, 1};
	swaps = fvsr_media_swaps_sides(&film->turn);
	film->width = swaps ? first->height : first->width;
	film->height = swaps ? first->width : first->height;
	if (!fvsr_media_turns(&film->turn))
		return FVSR_OK;
	if (fvsr_frame_create(&film->unturned, FVSR_FORMAT_RGBA8, first->width, first->height) < 0)
		return fvsr_media_fail(err, AVERROR(ENOMEM), "cannot decode %s", film->path);
	return FVSR_OK;
}

int fvsr_film_open(struct fvsr_film *film, const char *path, struct fvsr_error *err)
{
	int result;

	memset(film, 0, sizeof(*film));
	film->path = path;
	result = fvsr_media_input_open(&film->in, path, err);
	if (result < 0)
		return result;
	film->decoded = av_frame_alloc();
	if (!film->decoded)
		return fvsr_media_fail(err, AVERROR(ENOMEM), "cannot decode %s", path);
	fvsr_media_input_video_only(&film->in);
	result = fvsr_film_next(film, err);
	if (result == FVSR_ERR_CANCELLED)
		return result;
	if (result < 0)
		return fvsr_media_fail(err, film->in.read_error,
				       "no picture of %s could be decoded", path);
	film->first_pts = film->decoded->pts;
	film->time_s = 0;
	return choose_turn(film, err);
}

void fvsr_film_close(struct fvsr_film *film)
{
	fvsr_frame_destroy(film->unturned);
	fvsr_media_converter_free(&film->converter);
	av_frame_free(&film->decoded);
	fvsr_media_input_close(&film->in);
}

double fvsr_film_length_s(const struct fvsr_film *film)
{
	const AVStream *video = film->in.video;

	if (video->duration > 0)
		return (double)video->duration * av_q2d(video->time_base);
	if (film->in.format->duration > 0)
		return (double)film->in.format->duration / AV_TIME_BASE;
	return 0;
}

/*
 * Reads the last picture not after 'wanted' into 'frame'. A look at the first one behind it says
 * which that is.
 */
static int find_picture(struct fvsr_film *film, int64_t wanted, AVFrame *frame,
			struct fvsr_error *err)
{
	int64_t before;
	int result = fvsr_media_input_seek(&film->in, wanted, frame, &before, err);

	if ((result == FVSR_ERR_EOF || (result == FVSR_OK && frame->pts > wanted)) &&
	    before != AV_NOPTS_VALUE)
		result = fvsr_media_input_seek(&film->in, before, frame, &before, err);
	return result;
}

int fvsr_film_seek(struct fvsr_film *film, double time_s, struct fvsr_error *err)
{
	const double tick_s = av_q2d(film->in.video->time_base);
	const int64_t wanted = film->first_pts + (int64_t)((time_s + ROUNDING_S) / tick_s);
	AVFrame *found = av_frame_alloc();
	int result;

	if (!found)
		return fvsr_media_fail(err, AVERROR(ENOMEM), "cannot decode %s", film->path);
	result = find_picture(film, wanted, found, err);
	if (result == FVSR_OK)
		show(film, found);
	av_frame_free(&found);
	return result;
}

int fvsr_film_picture(struct fvsr_film *film, const struct fvsr_picture *rgba,
		      struct fvsr_error *err)
{
	struct fvsr_media_color color;
	int result = fvsr_media_color_of(film->decoded, &color, err);

	if (result < 0)
		return result;
	return fvsr_media_to_shown(&film->converter, film->decoded, &color, &film->turn,
				   film->unturned, rgba, err);
}
