/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text subtitles in the codec that the container takes: SubRip, MP4's timed text and WebVTT hold
 * the same words in three ways, and FFmpeg reads and writes each.
 */
#include "media.h"

#include <string.h>

#include <libavutil/opt.h>

#define MAX_TEXT_BYTES (1024 * 1024)

struct fvsr_media_subtitles {
	AVCodecContext *decoder, *encoder;
	uint8_t *text;
};

static bool is_text(enum AVCodecID id)
{
	const AVCodecDescriptor *desc = avcodec_descriptor_get(id);

	return desc && (desc->props & AV_CODEC_PROP_TEXT_SUB);
}

enum AVCodecID fvsr_media_subtitles_codec(const AVOutputFormat *format, enum AVCodecID id)
{
	static const enum AVCodecID known[] = {AV_CODEC_ID_SUBRIP, AV_CODEC_ID_MOV_TEXT,
					       AV_CODEC_ID_WEBVTT, AV_CODEC_ID_ASS};

	if (!is_text(id) || !avcodec_find_decoder(id))
		return AV_CODEC_ID_NONE;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (avformat_query_codec(format, known[i], FF_COMPLIANCE_NORMAL) == 1 &&
		    avcodec_find_encoder(known[i]))
			return known[i];
	return AV_CODEC_ID_NONE;
}

static int open_decoder(struct fvsr_media_subtitles *subs, const AVStream *from)
{
	const AVCodec *codec = avcodec_find_decoder(from->codecpar->codec_id);
	int result;

	subs->decoder = avcodec_alloc_context3(codec);
	if (!subs->decoder)
		return AVERROR(ENOMEM);
	result = avcodec_parameters_to_context(subs->decoder, from->codecpar);
	if (result < 0)
		return result;
	subs->decoder->pkt_timebase = from->time_base;
	return avcodec_open2(subs->decoder, codec, NULL);
}

static int open_encoder(struct fvsr_media_subtitles *subs, enum AVCodecID id)
{
	const AVCodec *codec = avcodec_find_encoder(id);
	const AVCodecContext *decoder = subs->decoder;

	subs->encoder = avcodec_alloc_context3(codec);
	if (!subs->encoder)
		return AVERROR(ENOMEM);
	subs->encoder->time_base = AV_TIME_BASE_Q;
	/* Between the two the text is ASS, whose styles stand in a head. */
	if (decoder->subtitle_header_size > 0) {
		subs->encoder->subtitle_header =
			av_mallocz((size_t)decoder->subtitle_header_size + 1);
		if (!subs->encoder->subtitle_header)
			return AVERROR(ENOMEM);
		memcpy(subs->encoder->subtitle_header, decoder->subtitle_header,
		       (size_t)decoder->subtitle_header_size);
		subs->encoder->subtitle_header_size = decoder->subtitle_header_size;
	}
	return avcodec_open2(subs->encoder, codec, NULL);
}

int fvsr_media_subtitles_open(struct fvsr_media_subtitles **out, const AVStream *from, AVStream *to,
			      enum AVCodecID id)
{
	struct fvsr_media_subtitles *subs = av_mallocz(sizeof(*subs));
	int result;

	*out = subs;
	if (!subs)
		return AVERROR(ENOMEM);
	subs->text = av_malloc(MAX_TEXT_BYTES);
	if (!subs->text)
		return AVERROR(ENOMEM);
	result = open_decoder(subs, from);
	if (result >= 0)
		result = open_encoder(subs, id);
	if (result >= 0)
		result = avcodec_parameters_from_context(to->codecpar, subs->encoder);
	to->time_base = AV_TIME_BASE_Q;
	return result;
}

static int encode(struct fvsr_media_subtitles *subs, AVSubtitle *text, AVPacket *packet)
{
	int64_t start_us =
		av_rescale_q(text->start_display_time, (AVRational){1, 1000}, AV_TIME_BASE_Q);
	int64_t length_ms = (int64_t)text->end_display_time - text->start_display_time;
	int bytes, result;

	text->pts += start_us;
	text->end_display_time -= text->start_display_time;
	text->start_display_time = 0;
	bytes = avcodec_encode_subtitle(subs->encoder, subs->text, MAX_TEXT_BYTES, text);
	if (bytes < 0)
		return 0;
	result = av_new_packet(packet, bytes);
	if (result < 0)
		return result;
	memcpy(packet->data, subs->text, (size_t)bytes);
	packet->pts = packet->dts = text->pts;
	packet->duration = av_rescale_q(length_ms, (AVRational){1, 1000}, AV_TIME_BASE_Q);
	return 1;
}

int fvsr_media_subtitles_convert(struct fvsr_media_subtitles *subs, AVPacket *packet)
{
	AVSubtitle text = {0};
	int index = packet->stream_index, got = 0;
	int result = avcodec_decode_subtitle2(subs->decoder, &text, &got, packet);

	/* A line that cannot be read, or written in the other codec, is not worth the video. */
	av_packet_unref(packet);
	if (result < 0 || !got)
		return 0;
	result = text.num_rects > 0 && text.pts != AV_NOPTS_VALUE ? encode(subs, &text, packet) : 0;
	packet->stream_index = index;
	avsubtitle_free(&text);
	return result;
}

void fvsr_media_subtitles_close(struct fvsr_media_subtitles *subs)
{
	if (!subs)
		return;
	avcodec_free_context(&subs->decoder);
	avcodec_free_context(&subs->encoder);
	av_free(subs->text);
	av_free(subs);
}
