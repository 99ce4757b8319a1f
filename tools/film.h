/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A video of which single pictures are wanted: as they are shown, turned where the file says so,
 * at a time in seconds from the first picture on.
 */
#ifndef FVSR_TOOLS_FILM_H
#define FVSR_TOOLS_FILM_H

#include "media.h"

struct fvsr_film {
	const char *path;
	struct fvsr_media_input in;
	struct fvsr_media_converter converter;
	struct fvsr_media_turn turn;
	fvsr_frame *unturned; /* as the file has it; NULL: no picture is turned */
	AVFrame *decoded;
	int width, height;         /* as pictures are shown */
	int64_t first_pts;         /* where the film's time begins */
	double time_s, duration_s; /* of the decoded picture */
};

/* Opens a film and decodes its first picture. Close also after a failure. */
int fvsr_film_open(struct fvsr_film *film, const char *path, struct fvsr_error *err);
void fvsr_film_close(struct fvsr_film *film);
/* Returns how long the film is as its file says; 0: the file does not. */
double fvsr_film_length_s(const struct fvsr_film *film);
/*
 * Decodes the picture that is shown at 'time_s', or the last one. What cannot be entered in the
 * middle, such as a pipe, fails.
 */
int fvsr_film_seek(struct fvsr_film *film, double time_s, struct fvsr_error *err);
/* Decodes the next picture. FVSR_ERR_EOF: there is none, and the last one stays. */
int fvsr_film_next(struct fvsr_film *film, struct fvsr_error *err);
/* Writes the decoded picture to 'rgba', RGBA8 of the film's size. */
int fvsr_film_picture(struct fvsr_film *film, const struct fvsr_picture *rgba,
		      struct fvsr_error *err);

#endif
