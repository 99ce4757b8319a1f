/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages of pictures: see page.h. The letters are drawn here, five by seven dots each, since a
 * library that draws any text would need a font file that not every machine has.
 */
#include "page.h"

#include <string.h>

#include "media.h"

#define GLYPH_WIDTH   5
#define GLYPH_HEIGHT  7
#define DOT           2 /* pixels of a dot, each way */
#define ADVANCE       ((GLYPH_WIDTH + 1) * DOT)
#define LINE_HEIGHT   ((GLYPH_HEIGHT + 3) * DOT)
#define MARGIN        8
#define HEADER_HEIGHT (FVSR_PAGE_LINES * LINE_HEIGHT + 4)

static const uint8_t ground[3] = {24, 24, 24}, ink[3] = {236, 236, 236};

/* A row of dots is a number whose bit 4 is the leftmost dot. */
static const uint8_t glyphs[128][GLYPH_HEIGHT] = {
	['+'] = {0x00, 0x04, 0x04, 0x1f, 0x04, 0x04, 0x00},
	[','] = {0x00, 0x00, 0x00, 0x00, 0x0c, 0x04, 0x08},
	['-'] = {0x00, 0x00, 0x00, 0x1f, 0x00, 0x00, 0x00},
	['.'] = {0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x0c},
	['0'] = {0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e},
	['1'] = {0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e},
	['2'] = {0x0e, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1f},
	['3'] = {0x1f, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0e},
	['4'] = {0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02},
	['5'] = {0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e},
	['6'] = {0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e},
	['7'] = {0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08},
	['8'] = {0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e},
	['9'] = {0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c},
	[':'] = {0x00, 0x0c, 0x0c, 0x00, 0x0c, 0x0c, 0x00},
	['A'] = {0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11},
	['B'] = {0x1e, 0x11, 0x11, 0x1e, 0x11, 0x11, 0x1e},
	['F'] = {0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x10},
	['I'] = {0x0e, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e},
	['M'] = {0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11},
	['N'] = {0x11, 0x19, 0x15, 0x13, 0x11, 0x11, 0x11},
	['P'] = {0x1e, 0x11, 0x11, 0x1e, 0x10, 0x10, 0x10},
	['R'] = {0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11},
	['S'] = {0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e},
	['V'] = {0x11, 0x11, 0x11, 0x11, 0x11, 0x0a, 0x04},
	['a'] = {0x00, 0x00, 0x0e, 0x01, 0x0f, 0x11, 0x0f},
	['b'] = {0x10, 0x10, 0x1e, 0x11, 0x11, 0x11, 0x1e},
	['c'] = {0x00, 0x00, 0x0f, 0x10, 0x10, 0x10, 0x0f},
	['d'] = {0x01, 0x01, 0x0f, 0x11, 0x11, 0x11, 0x0f},
	['e'] = {0x00, 0x00, 0x0e, 0x11, 0x1f, 0x10, 0x0e},
	['f'] = {0x06, 0x08, 0x1e, 0x08, 0x08, 0x08, 0x08},
	['g'] = {0x00, 0x0f, 0x11, 0x11, 0x0f, 0x01, 0x0e},
	['h'] = {0x10, 0x10, 0x1e, 0x11, 0x11, 0x11, 0x11},
	['i'] = {0x04, 0x00, 0x0c, 0x04, 0x04, 0x04, 0x0e},
	['j'] = {0x02, 0x00, 0x06, 0x02, 0x02, 0x12, 0x0c},
	['k'] = {0x10, 0x10, 0x12, 0x14, 0x18, 0x14, 0x12},
	['l'] = {0x0c, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e},
	['m'] = {0x00, 0x00, 0x1a, 0x15, 0x15, 0x15, 0x15},
	['n'] = {0x00, 0x00, 0x1e, 0x11, 0x11, 0x11, 0x11},
	['o'] = {0x00, 0x00, 0x0e, 0x11, 0x11, 0x11, 0x0e},
	['p'] = {0x00, 0x1e, 0x11, 0x11, 0x1e, 0x10, 0x10},
	['q'] = {0x00, 0x0f, 0x11, 0x11, 0x0f, 0x01, 0x01},
	['r'] = {0x00, 0x00, 0x16, 0x18, 0x10, 0x10, 0x10},
	['s'] = {0x00, 0x00, 0x0f, 0x10, 0x0e, 0x01, 0x1e},
	['t'] = {0x08, 0x08, 0x1e, 0x08, 0x08, 0x08, 0x06},
	['u'] = {0x00, 0x00, 0x11, 0x11, 0x11, 0x11, 0x0f},
	['v'] = {0x00, 0x00, 0x11, 0x11, 0x11, 0x0a, 0x04},
	['w'] = {0x00, 0x00, 0x11, 0x15, 0x15, 0x15, 0x0a},
	['x'] = {0x00, 0x00, 0x11, 0x0a, 0x04, 0x0a, 0x11},
	['y'] = {0x00, 0x11, 0x11, 0x11, 0x0f, 0x01, 0x0e},
	['z'] = {0x00, 0x00, 0x1f, 0x02, 0x04, 0x08, 0x1f},
};

static void fill(AVFrame *page, int x, int y, int width, int height, const uint8_t color[3])
{
	for (int row = y; row < y + height; row++) {
		uint8_t *pixel = page->data[0] + (ptrdiff_t)page->linesize[0] * row + 3 * x;

		for (int i = 0; i < width; i++, pixel += 3)
			memcpy(pixel, color, 3);
	}
}

static void draw_glyph(AVFrame *page, int x, int y, char letter)
{
	const uint8_t *rows = glyphs[letter & 127];

	for (int row = 0; row < GLYPH_HEIGHT; row++)
		for (int column = 0; column < GLYPH_WIDTH; column++)
			if (rows[row] >> (GLYPH_WIDTH - 1 - column) & 1)
				fill(page, x + column * DOT, y + row * DOT, DOT, DOT, ink);
}

static void draw_text(AVFrame *page, int x, int y, const char *text)
{
	for (; *text; text++, x += ADVANCE)
		draw_glyph(page, x, y, *text);
}

/* Puts a part of a picture on the page, light over black where it is transparent. */
static void draw_picture(AVFrame *page, int x, int y, const struct fvsr_picture *picture,
			 const struct fvsr_page_part *part)
{
	for (int row = 0; row < part->height; row++) {
		const uint8_t *from = (const uint8_t *)picture->data +
				      (ptrdiff_t)picture->stride * (part->y + row) + 4 * part->x;
		uint8_t *to = page->data[0] + (ptrdiff_t)page->linesize[0] * (y + row) + 3 * x;

		for (int i = 0; i < part->width; i++, from += 4, to += 3)
			for (int channel = 0; channel < 3; channel++)
				to[channel] = (uint8_t)((from[channel] * from[3] + 127) / 255);
	}
}

static int text_width(const struct fvsr_page_panel *panel)
{
	size_t longest = 0;

	for (int line = 0; line < FVSR_PAGE_LINES; line++)
		if (strlen(panel->lines[line]) > longest)
			longest = strlen(panel->lines[line]);
	return (int)longest * ADVANCE;
}

static int column_width(const struct fvsr_page_panel *panel, const struct fvsr_page_part *part)
{
	int text = text_width(panel);

	return text > part->width ? text : part->width;
}

static AVFrame *new_page(const struct fvsr_page_panel *panels, int count,
			 const struct fvsr_page_part *part)
{
	AVFrame *page = av_frame_alloc();

	if (!page)
		return NULL;
	page->format = AV_PIX_FMT_RGB24;
	page->width = MARGIN;
	for (int i = 0; i < count; i++)
		page->width += column_width(&panels[i], part) + MARGIN;
	page->height = HEADER_HEIGHT + part->height + 2 * MARGIN;
	if (av_frame_get_buffer(page, 0) < 0)
		av_frame_free(&page);
	else
		fill(page, 0, 0, page->width, page->height, ground);
	return page;
}

static AVFrame *compose(const struct fvsr_page_panel *panels, int count,
			const struct fvsr_page_part *part)
{
	AVFrame *page = new_page(panels, count, part);
	int x = MARGIN;

	for (int i = 0; page && i < count; i++) {
		for (int line = 0; line < FVSR_PAGE_LINES; line++)
			draw_text(page, x, MARGIN + line * LINE_HEIGHT, panels[i].lines[line]);
		draw_picture(page, x, MARGIN + HEADER_HEIGHT, panels[i].picture, part);
		x += column_width(&panels[i], part) + MARGIN;
	}
	return page;
}

static int encode(const AVFrame *page, AVPacket *packet)
{
	const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_PNG);
	AVCodecContext *encoder = codec ? avcodec_alloc_context3(codec) : NULL;
	int result = AVERROR(ENOMEM);

	if (!codec)
		return AVERROR_ENCODER_NOT_FOUND;
	if (encoder) {
		encoder->width = page->width;
		encoder->height = page->height;
		encoder->pix_fmt = AV_PIX_FMT_RGB24;
		encoder->time_base = (AVRational){1, 1};
		result = avcodec_open2(encoder, codec, NULL);
	}
	if (result >= 0)
		result = avcodec_send_frame(encoder, page);
	if (result >= 0)
		result = avcodec_send_frame(encoder, NULL);
	if (result >= 0)
		result = avcodec_receive_packet(encoder, packet);
	avcodec_free_context(&encoder);
	return result;
}

static int write_file(const char *path, const AVPacket *packet, struct fvsr_error *err)
{
	struct fvsr_new_file *file;
	int result = fvsr_new_file_create(&file, path, err);

	if (result < 0)
		return result;
	result = fvsr_new_file_write(file, packet->data, (size_t)packet->size, err);
	if (result == FVSR_OK)
		return fvsr_new_file_commit(file, err);
	fvsr_new_file_abort(file);
	return result;
}

int fvsr_page_write(const char *path, const struct fvsr_page_panel *panels, int count,
		    const struct fvsr_page_part *part, struct fvsr_error *err)
{
	AVFrame *page = compose(panels, count, part);
	AVPacket *packet = av_packet_alloc();
	int result = page && packet ? encode(page, packet) : AVERROR(ENOMEM);

	if (result < 0)
		result = fvsr_media_fail(err, result, "the page cannot be made a PNG");
	else
		result = write_file(path, packet, err);
	av_packet_free(&packet);
	av_frame_free(&page);
	return result;
}
