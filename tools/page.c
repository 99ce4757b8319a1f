/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages of pictures: see page.h. The words are in the filter's font of dots, since a library that
 * draws any text would need a font file that not every machine has.
 */
#include "page.h"

#include <stdlib.h>
#include <string.h>

#include "media.h"
#include "picture/label.h"
#include "target.h"

#define DOT           2 /* pixels of a letter's dot, each way */
#define LINE_HEIGHT   34
#define MARGIN        8
#define GROUND        24 /* of the page, a dark grey */
#define HEADER_HEIGHT (FVSR_PAGE_LINES * LINE_HEIGHT + MARGIN)

/* Puts a word on the page; nothing where there is none. */
static void draw_word(AVFrame *page, int x, int y, const struct label *word)
{
	const uint8_t *from = word->pixels;

	for (int row = 0; from && row < (int)word->height; row++) {
		uint8_t *to = page->data[0] + (ptrdiff_t)page->linesize[0] * (y + row) + 3 * x;

		for (int i = 0; i < (int)word->width; i++, from += 4, to += 3)
			memcpy(to, from, 3);
	}
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

/* A picture with the words above it, as wide as the widest of these. */
struct column {
	struct label words[FVSR_PAGE_LINES];
	int width;
};

static void make_columns(struct column *columns, const struct fvsr_page_panel *panels, int count,
			 const struct fvsr_page_part *part)
{
	for (int i = 0; i < count; i++) {
		columns[i].width = part->width;
		for (int line = 0; line < FVSR_PAGE_LINES; line++) {
			const char *text = panels[i].lines[line];
			struct label word = {0};

			if (text[0])
				word = label_make(text, DOT);
			columns[i].words[line] = word;
			if (word.pixels && (int)word.width > columns[i].width)
				columns[i].width = (int)word.width;
		}
	}
}

static void free_columns(struct column *columns, int count)
{
	for (int i = 0; i < count; i++)
		for (int line = 0; line < FVSR_PAGE_LINES; line++)
			free(columns[i].words[line].pixels);
}

static AVFrame *new_page(const struct column *columns, int count, const struct fvsr_page_part *part)
{
	AVFrame *page = av_frame_alloc();

	if (!page)
		return NULL;
	page->format = AV_PIX_FMT_RGB24;
	page->width = MARGIN;
	for (int i = 0; i < count; i++)
		page->width += columns[i].width + MARGIN;
	page->height = HEADER_HEIGHT + part->height + 2 * MARGIN;
	if (av_frame_get_buffer(page, 0) < 0)
		av_frame_free(&page);
	else
		memset(page->data[0], GROUND, (size_t)page->linesize[0] * page->height);
	return page;
}

static AVFrame *compose(const struct fvsr_page_panel *panels, int count,
			const struct fvsr_page_part *part)
{
	struct column columns[FVSR_PAGE_PANELS];
	AVFrame *page;
	int x = MARGIN;

	make_columns(columns, panels, count, part);
	page = new_page(columns, count, part);
	for (int i = 0; page && i < count; i++) {
		for (int line = 0; line < FVSR_PAGE_LINES; line++)
			draw_word(page, x, MARGIN + line * LINE_HEIGHT, &columns[i].words[line]);
		draw_picture(page, x, MARGIN + HEADER_HEIGHT, panels[i].picture, part);
		x += columns[i].width + MARGIN;
	}
	free_columns(columns, count);
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

int fvsr_page_write(const char *path, const struct fvsr_page_panel *panels, int count,
		    const struct fvsr_page_part *part, struct fvsr_error *err)
{
	AVFrame *page = compose(panels, count, part);
	AVPacket *packet = av_packet_alloc();
	int result = page && packet ? encode(page, packet) : AVERROR(ENOMEM);

	if (result < 0)
		result = fvsr_media_fail(err, result, "the page cannot be made a PNG");
	else
		result = fvsr_cli_write_file(path, packet->data, (size_t)packet->size, err);
	av_packet_free(&packet);
	av_frame_free(&page);
	return result;
}
