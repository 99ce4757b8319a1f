/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as raw video (YUV4MPEG2). What is read has the size that the header says and is
 * opaque, and the same video can be written and read again.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "y4m.h"

#define MAX_PIXELS (1 << 16) /* of pictures that are converted; larger headers are only parsed */
#define MAX_FRAMES 3

/* Rows are apart by more than their length, and nothing may be written between them. */
#define GAP_BYTES 12
#define GAP_VALUE 0xA5

static void check_picture(const struct fvsr_picture *picture)
{
	for (int y = 0; y < picture->height; y++) {
		const uint8_t *row = (const uint8_t *)picture->data + y * picture->stride;

		for (int x = 0; x < picture->width; x++)
			PROMISE(row[4 * x + 3] == 255);
		for (int i = 0; i < GAP_BYTES; i++)
			PROMISE(row[4 * picture->width + i] == GAP_VALUE);
	}
}

/* The picture as a file of its own, which must read as one of that size. */
static void write_and_read(const struct fvsr_y4m *like, const struct fvsr_picture *picture)
{
	size_t room = like->plane_bytes + 1024;
	char *bytes = malloc(room);
	FILE *file = bytes ? fmemopen(bytes, room, "w+b") : NULL;
	struct fvsr_error err = {""};
	struct fvsr_y4m out, in;

	PROMISE(file);
	PROMISE(fvsr_y4m_write_header(&out, file, like, like->width, like->height, &err) == 0);
	PROMISE(fvsr_y4m_write(&out, picture, &err) == 0);
	rewind(file);
	PROMISE(fvsr_y4m_read_header(&in, file, &err) == 0);
	PROMISE(in.width == like->width && in.height == like->height);
	PROMISE(in.chroma == like->chroma && in.full_range == like->full_range);
	PROMISE(in.plane_bytes == like->plane_bytes);
	PROMISE(fvsr_y4m_read(&in, picture, &err) == 0);
	fvsr_y4m_close(&in);
	fvsr_y4m_close(&out);
	fclose(file);
	free(bytes);
}

static void read_frames(struct fvsr_y4m *video)
{
	size_t stride = 4 * (size_t)video->width + GAP_BYTES, bytes = stride * video->height;
	struct fvsr_picture picture = {
		.format = FVSR_FORMAT_RGBA8,
		.memory = FVSR_MEMORY_HOST,
		.width = video->width,
		.height = video->height,
		.stride = stride,
		.data = malloc(bytes),
	};
	struct fvsr_error err = {""};
	int result = 0;

	PROMISE(picture.data);
	memset(picture.data, GAP_VALUE, bytes);
	for (int i = 0; i < MAX_FRAMES && result == 0; i++) {
		result = fvsr_y4m_read(video, &picture, &err);
		if (result == 0) {
			check_picture(&picture);
			write_and_read(video, &picture);
		}
	}
	PROMISE(result == 0 || result == FVSR_ERR_EOF || err.text[0]);
	free(picture.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fvsr_error err = {""};
	struct fvsr_y4m video;
	FILE *file = size ? fmemopen((void *)(uintptr_t)data, size, "rb") : NULL;

	if (!file)
		return 0;
	if (fvsr_y4m_read_header(&video, file, &err) == 0) {
		PROMISE(video.width > 0 && video.width <= FVSR_Y4M_MAX_SIDE);
		PROMISE(video.height > 0 && video.height <= FVSR_Y4M_MAX_SIDE);
		if ((long long)video.width * video.height <= MAX_PIXELS)
			read_frames(&video);
	} else {
		PROMISE(err.text[0] && !strchr(err.text, '\n'));
	}
	fvsr_y4m_close(&video);
	fclose(file);
	return 0;
}
