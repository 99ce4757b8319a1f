/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * YUV4MPEG2, the raw video that ffmpeg, mpv, x264 and others hand through pipes: one line that
 * says what it is, then for each frame a line and the bytes of its planes. Eight bits a sample.
 *
 * The format does not name a matrix: as players do with untagged video, a picture of up to 576
 * lines is taken for BT.601 and a larger one for BT.709, on the way in and on the way out.
 */
#ifndef FVSR_TOOLS_Y4M_H
#define FVSR_TOOLS_Y4M_H

#include <stdint.h>
#include <stdio.h>

#include "fvsr/fvsr.h"

enum fvsr_y4m_chroma {
	FVSR_Y4M_420 = 0,      /* sited left, between two lines */
	FVSR_Y4M_420_JPEG = 1, /* in the middle of four pixels */
	FVSR_Y4M_422 = 2,
	FVSR_Y4M_444 = 3,
	FVSR_Y4M_MONO = 4,
};

struct fvsr_y4m {
	FILE *file;
	int width, height;
	enum fvsr_y4m_chroma chroma;
	bool full_range;
	char rate[32], aspect[32]; /* "30000:1001"; empty: not said */
	char chroma_name[16];
	uint8_t *planes; /* of one frame */
	size_t plane_bytes;
};

#define FVSR_Y4M_MAX_SIDE 16384

/*
 * Reads the first line of 'file' and gets ready for frames. Close what was opened, also after a
 * failure. The file stays the caller's.
 */
int fvsr_y4m_read_header(struct fvsr_y4m *video, FILE *file, struct fvsr_error *err);

/* A video like 'like' of another size; writes the first line. */
int fvsr_y4m_write_header(struct fvsr_y4m *video, FILE *file, const struct fvsr_y4m *like,
			  int width, int height, struct fvsr_error *err);

/* RGBA8 pictures of the video's size. At the end of the file: FVSR_ERR_EOF. */
int fvsr_y4m_read(struct fvsr_y4m *video, const struct fvsr_picture *picture,
		  struct fvsr_error *err);
int fvsr_y4m_write(struct fvsr_y4m *video, const struct fvsr_picture *picture,
		   struct fvsr_error *err);

/* Of a frame in the file, with the line before it. */
size_t fvsr_y4m_frame_bytes(const struct fvsr_y4m *video);

void fvsr_y4m_close(struct fvsr_y4m *video);

/* Between the planes of a frame and RGBA8, y4m_planes.c. */
size_t fvsr_y4m_plane_bytes(const struct fvsr_y4m *video);
void fvsr_y4m_to_rgba(const struct fvsr_y4m *video, const struct fvsr_picture *picture);
void fvsr_y4m_from_rgba(struct fvsr_y4m *video, const struct fvsr_picture *picture);

#endif
