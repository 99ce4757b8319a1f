/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of YUV4MPEG2 and the bytes between them: see y4m.h.
 */
#include "y4m.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC      "YUV4MPEG2"
#define FRAME      "FRAME\n"
#define FULL_RANGE "COLORRANGE=FULL"

#define MAX_LINE 256

static int fail(struct fvsr_error *err, int code, const char *text, const char *detail)
{
	snprintf(err->text, sizeof(err->text), "%s%s%.64s", text, detail ? ": " : "",
		 detail ? detail : "");
	return code;
}

/* Up to the newline, which is left out. Returns the length, -1 at the end, -2 when it is too long.
 */
static int read_line(FILE *file, char line[MAX_LINE])
{
	int n = 0, c;

	while ((c = getc(file)) != EOF && c != '\n') {
		if (n == MAX_LINE - 1)
			return -2;
		line[n++] = (char)c;
	}
	line[n] = '\0';
	return c == EOF ? -1 : n;
}

static int parse_chroma(struct fvsr_y4m *video, const char *name, struct fvsr_error *err)
{
	static const struct {
		const char *name;
		enum fvsr_y4m_chroma chroma;
	} known[] = {
		{"420", FVSR_Y4M_420_JPEG}, {"420jpeg", FVSR_Y4M_420_JPEG},
		{"420mpeg2", FVSR_Y4M_420}, {"420paldv", FVSR_Y4M_420},
		{"422", FVSR_Y4M_422},      {"444", FVSR_Y4M_444},
		{"mono", FVSR_Y4M_MONO},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(name, known[i].name) == 0) {
			video->chroma = known[i].chroma;
			snprintf(video->chroma_name, sizeof(video->chroma_name), "%s", name);
			return FVSR_OK;
		}
	}
	return fail(err, FVSR_ERR_UNSUPPORTED,
		    "only 420, 422, 444 and mono with 8 bits are read, the video has", name);
}

/* A side of the picture, 0 when it is not one. */
static int parse_side(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	return *text && !*end && value > 0 && value <= FVSR_Y4M_MAX_SIDE ? (int)value : 0;
}

static int parse_word(struct fvsr_y4m *video, const char *word, struct fvsr_error *err)
{
	const char *value = word + 1;

	switch (word[0]) {
	case 'W':
		video->width = parse_side(value);
		return FVSR_OK;
	case 'H':
		video->height = parse_side(value);
		return FVSR_OK;
	case 'F':
		snprintf(video->rate, sizeof(video->rate), "%.31s", value);
		return FVSR_OK;
	case 'A':
		snprintf(video->aspect, sizeof(video->aspect), "%.31s", value);
		return FVSR_OK;
	case 'C':
		return parse_chroma(video, value, err);
	case 'I':
		if (*value == 'p' || *value == '?')
			return FVSR_OK;
		return fail(err, FVSR_ERR_UNSUPPORTED,
			    "the video is interlaced; deinterlace it first", NULL);
	case 'X':
		video->full_range = video->full_range || strcmp(value, FULL_RANGE) == 0;
		return FVSR_OK;
	default:
		return FVSR_OK;
	}
}

static int take_planes(struct fvsr_y4m *video, struct fvsr_error *err)
{
	video->plane_bytes = fvsr_y4m_plane_bytes(video);
	video->planes = malloc(video->plane_bytes);
	return video->planes ? FVSR_OK : fail(err, FVSR_ERR_MEMORY, "out of memory", NULL);
}

int fvsr_y4m_read_header(struct fvsr_y4m *video, FILE *file, struct fvsr_error *err)
{
	char line[MAX_LINE], *word, *rest;
	int result = FVSR_OK;

	*video = (struct fvsr_y4m){.file = file, .chroma = FVSR_Y4M_420_JPEG};
	if (read_line(file, line) < 0 || strncmp(line, MAGIC, strlen(MAGIC)) != 0)
		return fail(err, FVSR_ERR_FORMAT, "the input is not YUV4MPEG2", NULL);
	rest = line + strlen(MAGIC);
	while (result == FVSR_OK && *rest) {
		word = rest + strspn(rest, " ");
		rest = word + strcspn(word, " ");
		if (*rest)
			*rest++ = '\0';
		result = parse_word(video, word, err);
	}
	if (result == FVSR_OK && (!video->width || !video->height))
		result =
			fail(err, FVSR_ERR_FORMAT, "the video has no size, or one too large", NULL);
	return result == FVSR_OK ? take_planes(video, err) : result;
}

int fvsr_y4m_write_header(struct fvsr_y4m *video, FILE *file, const struct fvsr_y4m *like,
			  int width, int height, struct fvsr_error *err)
{
	*video = *like;
	video->file = file;
	video->width = width;
	video->height = height;
	video->planes = NULL;
	fprintf(file, "%s W%d H%d", MAGIC, width, height);
	if (video->rate[0])
		fprintf(file, " F%s", video->rate);
	fputs(" Ip", file);
	if (video->aspect[0])
		fprintf(file, " A%s", video->aspect);
	if (video->chroma_name[0])
		fprintf(file, " C%s", video->chroma_name);
	fputs(video->full_range ? " X" FULL_RANGE "\n" : "\n", file);
	if (fflush(file) || ferror(file))
		return fail(err, FVSR_ERR_IO, "cannot write", strerror(errno));
	return take_planes(video, err);
}

int fvsr_y4m_read(struct fvsr_y4m *video, const struct fvsr_picture *picture,
		  struct fvsr_error *err)
{
	char line[MAX_LINE];
	int length = read_line(video->file, line);

	if (length == -1 && !*line && !ferror(video->file))
		return FVSR_ERR_EOF;
	if (length < 0 || strncmp(line, "FRAME", 5) != 0)
		return fail(err, FVSR_ERR_FORMAT, "the video is damaged: no frame follows", NULL);
	if (fread(video->planes, 1, video->plane_bytes, video->file) != video->plane_bytes)
		return fail(err, FVSR_ERR_FORMAT, "the video ends in the middle of a frame", NULL);
	fvsr_y4m_to_rgba(video, picture);
	return FVSR_OK;
}

int fvsr_y4m_write(struct fvsr_y4m *video, const struct fvsr_picture *picture,
		   struct fvsr_error *err)
{
	fvsr_y4m_from_rgba(video, picture);
	/* What failed first says why: what fails after it may say something else. */
	if (fputs(FRAME, video->file) < 0 ||
	    fwrite(video->planes, 1, video->plane_bytes, video->file) != video->plane_bytes ||
	    fflush(video->file))
		return fail(err, FVSR_ERR_IO, "cannot write", strerror(errno));
	return FVSR_OK;
}

size_t fvsr_y4m_frame_bytes(const struct fvsr_y4m *video)
{
	return strlen(FRAME) + video->plane_bytes;
}

void fvsr_y4m_close(struct fvsr_y4m *video)
{
	free(video->planes);
	video->planes = NULL;
}
