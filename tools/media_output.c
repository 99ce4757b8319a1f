/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a video: one encoded stream in the input's own time base, and what is copied.
 */
#include "media.h"

#include <stdlib.h>
#include <string.h>

#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>

#include "console.h"
#include "target.h"

/* Sound may be this far ahead where subtitles keep the container waiting. */
#define MAX_WAIT_US 60000000

#define DEFAULT_CRF    16
#define DEFAULT_QSCALE 2

/* ------------------------------------------------------------------------------------------- */
/* Encoder and pixel format                                                                    */

static const enum AVPixelFormat *encoder_formats(const AVCodec *codec)
{
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(61, 13, 100)
	const void *list = NULL;

	if (avcodec_get_supported_config(NULL, codec, AV_CODEC_CONFIG_PIX_FORMAT, 0, &list, NULL) <
	    0)
		return NULL;
	return list;
#else
	/* There is a codec: find_encoder() fails otherwise. */
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
	return codec->pix_fmts;
#endif
}

static bool is_in(const enum AVPixelFormat *list, enum AVPixelFormat format)
{
	for (; list && *list != AV_PIX_FMT_NONE; list++) {
		if (*list == format)
			return true;
	}
	return false;
}

/* FFmpeg cannot tell for all containers; an MPEG transport stream is one of them. */
static bool takes_h264(const AVOutputFormat *format)
{
	return avformat_query_codec(format, AV_CODEC_ID_H264, FF_COMPLIANCE_NORMAL) == 1 ||
	       strcmp(format->name, "mpegts") == 0;
}

static int find_encoder(const AVFormatContext *format, const char *name, const AVCodec **codec,
			struct fvsr_error *err)
{
	enum AVCodecID id;

	if (name) {
		*codec = avcodec_find_encoder_by_name(name);
		if (!*codec)
			return fvsr_media_fail(err, 0, "this FFmpeg has no encoder '%s'", name);
		if ((*codec)->type != AVMEDIA_TYPE_VIDEO)
			return fvsr_media_fail(err, 0, "encoder '%s' is not for video", name);
		return FVSR_OK;
	}
	*codec = NULL;
	if (takes_h264(format->oformat))
		*codec = avcodec_find_encoder_by_name("libx264");
	if (*codec)
		return FVSR_OK;
	id = av_guess_codec(format->oformat, NULL, format->url, NULL, AVMEDIA_TYPE_VIDEO);
	if (id != AV_CODEC_ID_NONE)
		*codec = avcodec_find_encoder(id);
	if (!*codec)
		return fvsr_media_fail(err, 0, "container '%s' has no video encoder here",
				       format->oformat->name);
	return FVSR_OK;
}

static enum AVPixelFormat choose_format(const AVCodec *codec, bool alpha, int width, int height)
{
	const enum AVPixelFormat *list = encoder_formats(codec);
	enum AVPixelFormat best;

	if (!list)
		return AV_PIX_FMT_YUV420P;
	/* Of VP8 and VP9 with alpha, this is the one that players know. */
	if (alpha && (codec->id == AV_CODEC_ID_VP8 || codec->id == AV_CODEC_ID_VP9) &&
	    is_in(list, AV_PIX_FMT_YUVA420P))
		return AV_PIX_FMT_YUVA420P;
	if (alpha) {
		best = avcodec_find_best_pix_fmt_of_list(list, AV_PIX_FMT_RGBA, 1, NULL);
		if (fvsr_media_has_alpha(best))
			return best;
	}
	/* 4:2:0 of these two wants even sizes. */
	if (((width | height) & 1) && is_in(list, AV_PIX_FMT_YUV444P) &&
	    (codec->id == AV_CODEC_ID_H264 || codec->id == AV_CODEC_ID_HEVC)) {
		fvsr_cli_note("odd size %dx%d: encoding as yuv444p, which not every player takes",
			      width, height);
		return AV_PIX_FMT_YUV444P;
	}
	if (is_in(list, AV_PIX_FMT_YUV420P))
		return AV_PIX_FMT_YUV420P;
	return avcodec_find_best_pix_fmt_of_list(list, AV_PIX_FMT_RGB24, 0, NULL);
}

static int named_format(const AVCodec *codec, const char *name, enum AVPixelFormat *format,
			struct fvsr_error *err)
{
	const enum AVPixelFormat *list = encoder_formats(codec);

	*format = av_get_pix_fmt(name);
	if (*format == AV_PIX_FMT_NONE)
		return fvsr_media_fail(err, 0, "there is no pixel format '%s'", name);
	if (!sws_isSupportedOutput(*format) || (list && !is_in(list, *format)))
		return fvsr_media_fail(err, 0, "encoder %s does not take pixel format %s",
				       codec->name, name);
	return FVSR_OK;
}

static int set_option(AVCodecContext *encoder, const char *key, const char *value, bool asked,
		      struct fvsr_error *err)
{
	int result = av_opt_set(encoder, key, value, AV_OPT_SEARCH_CHILDREN);

	if (result == AVERROR_OPTION_NOT_FOUND && !asked)
		return FVSR_OK;
	if (result == AVERROR_OPTION_NOT_FOUND)
		return fvsr_media_fail(err, 0, "encoder %s has no --%s", encoder->codec->name, key);
	return result < 0 ? fvsr_media_fail(err, result, "--%s %s", key, value) : FVSR_OK;
}

/* Constant quality, in the words that the encoder has for it. */
static int set_quality(AVCodecContext *encoder, const struct fvsr_media_output_options *options,
		       struct fvsr_error *err)
{
	bool asked = options->crf >= 0;
	char crf[16];
	int result = FVSR_OK;

	snprintf(crf, sizeof(crf), "%d", asked ? options->crf : DEFAULT_CRF);
	switch (encoder->codec_id) {
	case AV_CODEC_ID_MPEG1VIDEO:
	case AV_CODEC_ID_MPEG2VIDEO:
	case AV_CODEC_ID_MPEG4:
	case AV_CODEC_ID_MJPEG:
		encoder->flags |= AV_CODEC_FLAG_QSCALE;
		encoder->global_quality = FF_QP2LAMBDA * DEFAULT_QSCALE;
		break;
	default:
		if (av_opt_find(encoder, "crf", NULL, 0, AV_OPT_SEARCH_CHILDREN))
			encoder->bit_rate = 0; /* VP9 and AV1: quality alone decides */
		break;
	}
	if (asked || av_opt_find(encoder, "crf", NULL, 0, AV_OPT_SEARCH_CHILDREN))
		result = set_option(encoder, "crf", crf, asked, err);
	/* A picture that is made up of several others can have no alpha. */
	if (result == FVSR_OK && fvsr_media_has_alpha(encoder->pix_fmt))
		result = set_option(encoder, "auto-alt-ref", "0", false, err);
	if (result == FVSR_OK && options->preset)
		result = set_option(encoder, "preset", options->preset, true, err);
	return result;
}

/* JPEG has one matrix and one range, whatever the video has. */
static void use_jpeg_color(struct fvsr_media_color *color)
{
	color->space = AVCOL_SPC_BT470BG;
	color->range = AVCOL_RANGE_JPEG;
	color->chroma = AVCHROMA_LOC_CENTER;
}

static void describe_pictures(struct fvsr_media_output *out, struct fvsr_media_input *in,
			      const struct fvsr_media_picture *picture)
{
	AVCodecContext *encoder = out->encoder;
	AVRational aspect = av_guess_sample_aspect_ratio(in->format, in->video,
							 (AVFrame *)(uintptr_t)picture->first);

	out->alpha_lost = picture->alpha && !fvsr_media_has_alpha(encoder->pix_fmt);
	out->color = fvsr_media_color_for(encoder->pix_fmt, picture->color);
	if (encoder->codec_id == AV_CODEC_ID_MJPEG)
		use_jpeg_color(&out->color);
	encoder->width = picture->width;
	encoder->height = picture->height;
	encoder->time_base = in->video->time_base;
	encoder->framerate = av_guess_frame_rate(in->format, in->video, NULL);
	encoder->sample_aspect_ratio =
		picture->swapped && aspect.num > 0 ? av_inv_q(aspect) : aspect;
	encoder->colorspace = out->color.space;
	encoder->color_range = out->color.range;
	encoder->color_primaries = out->color.primaries;
	encoder->color_trc = out->color.transfer;
	encoder->chroma_sample_location = out->color.chroma;
	encoder->field_order = AV_FIELD_PROGRESSIVE;
}

static int open_encoder(struct fvsr_media_output *out, struct fvsr_media_input *in,
			const struct fvsr_media_picture *picture,
			const struct fvsr_media_output_options *options, struct fvsr_error *err)
{
	const AVCodec *codec;
	AVCodecContext *encoder;
	int result = find_encoder(out->format, options->codec, &codec, err);

	if (result < 0)
		return result;
	encoder = out->encoder = avcodec_alloc_context3(codec);
	if (!encoder)
		return fvsr_media_fail(err, AVERROR(ENOMEM), "cannot encode");
	if (options->pixel_format)
		result = named_format(codec, options->pixel_format, &encoder->pix_fmt, err);
	else
		encoder->pix_fmt =
			choose_format(codec, picture->alpha, picture->width, picture->height);
	if (result < 0)
		return result;
	describe_pictures(out, in, picture);
	encoder->thread_count = 0;
	if (out->format->oformat->flags & AVFMT_GLOBALHEADER)
		encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
	fvsr_media_quiet_encoder(encoder);
	result = set_quality(encoder, options, err);
	if (result < 0)
		return result;
	result = avcodec_open2(encoder, codec, NULL);
	if (result < 0)
		return fvsr_media_fail(err, result, "encoder %s cannot be opened for %dx%d, %s",
				       codec->name, picture->width, picture->height,
				       av_get_pix_fmt_name(encoder->pix_fmt));
	return FVSR_OK;
}

/* ------------------------------------------------------------------------------------------- */
/* Opening                                                                                     */

static int add_video(struct fvsr_media_output *out, struct fvsr_media_input *in,
		     const struct fvsr_media_picture *picture, struct fvsr_error *err)
{
	int result;

	out->video = avformat_new_stream(out->format, NULL);
	if (!out->video)
		return fvsr_media_fail(err, AVERROR(ENOMEM), "cannot write video");
	result = avcodec_parameters_from_context(out->video->codecpar, out->encoder);
	if (result >= 0)
		result = fvsr_media_copy_stream_properties(out->video, in->video);
	if (result >= 0 && picture->matrix)
		result = fvsr_media_add_side_data(out->video, AV_PKT_DATA_DISPLAYMATRIX,
						  picture->matrix, 9 * sizeof(int32_t));
	if (result < 0)
		return fvsr_media_fail(err, result, "cannot write video");
	/* These speak of the old pictures. */
	av_dict_set(&out->video->metadata, "alpha_mode",
		    fvsr_media_has_alpha(out->encoder->pix_fmt) ? "1" : NULL, 0);
	av_dict_set(&out->video->metadata, "rotate", NULL, 0);
	out->video->time_base = out->encoder->time_base;
	out->video->avg_frame_rate = out->encoder->framerate;
	out->video->sample_aspect_ratio = out->encoder->sample_aspect_ratio;
	return FVSR_OK;
}

static int alloc_frame(struct fvsr_media_output *out, struct fvsr_error *err)
{
	int result;

	out->frame = av_frame_alloc();
	out->packet = av_packet_alloc();
	if (!out->frame || !out->packet)
		return fvsr_media_fail(err, AVERROR(ENOMEM), "cannot encode");
	out->frame->format = out->encoder->pix_fmt;
	out->frame->width = out->encoder->width;
	out->frame->height = out->encoder->height;
	out->frame->colorspace = out->encoder->colorspace;
	out->frame->color_range = out->encoder->color_range;
	out->frame->color_primaries = out->encoder->color_primaries;
	out->frame->color_trc = out->encoder->color_trc;
	out->frame->chroma_location = out->encoder->chroma_sample_location;
	out->frame->sample_aspect_ratio = out->encoder->sample_aspect_ratio;
	result = av_frame_get_buffer(out->frame, 0);
	return result < 0 ? fvsr_media_fail(err, result, "cannot encode") : FVSR_OK;
}

const AVOutputFormat *fvsr_media_output_container(const char *path,
						  const struct fvsr_media_output_options *options,
						  struct fvsr_error *err)
{
	const char *name = options->container;
	const AVOutputFormat *format;

	/* Matroska streams, and holds nearly everything. */
	if (!name && fvsr_cli_is_standard(path))
		name = "matroska";
	format = name ? av_guess_format(name, NULL, NULL) : av_guess_format(NULL, path, NULL);
	if (!format && name)
		fvsr_media_fail(err, 0, "this FFmpeg writes no container '%s'", name);
	else if (!format)
		fvsr_media_fail(err, 0,
				"the ending of %s names no container that FFmpeg writes; name one "
				"with --format",
				path);
	return format;
}

static bool has_subtitles(const AVFormatContext *format)
{
	for (unsigned i = 0; i < format->nb_streams; i++)
		if (format->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_SUBTITLE)
			return true;
	return false;
}

int fvsr_media_output_open(struct fvsr_media_output *out, const char *path,
			   const AVOutputFormat *container, struct fvsr_media_input *in,
			   const struct fvsr_media_picture *picture,
			   const struct fvsr_media_output_options *options, struct fvsr_error *err)
{
	int result = avformat_alloc_output_context2(&out->format, container, NULL, path);

	if (result < 0)
		return fvsr_media_fail(err, result, "cannot write %s", fvsr_cli_target_name(path));
	/* Copied sound needs no caution: FLAC in MP4, for one, was long called experimental. */
	out->format->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
	result = open_encoder(out, in, picture, options, err);
	if (result == FVSR_OK)
		result = add_video(out, in, picture, err);
	if (result == FVSR_OK)
		result = alloc_frame(out, err);
	out->time_base = in->video->time_base;
	if (result < 0 || out->take)
		return result;
	result = fvsr_media_streams_open(&out->streams, out->format, in->video, err);
	if (result == FVSR_OK)
		result = fvsr_media_sink_open(&out->sink, path, container, err);
	/*
	 * Video comes late and in bursts: sound waits for it however long that takes. Subtitles may
	 * have nothing to say for an hour, which all the others must not wait in memory for.
	 */
	if (result == FVSR_OK)
		out->format->max_interleave_delta = has_subtitles(out->format) ? MAX_WAIT_US : 0;
	return result;
}

/* What the container must be told about where it goes. */
static void set_muxer_options(const struct fvsr_media_output *out, AVDictionary **options)
{
	const AVFormatContext *format = out->format;

	/* A picture into a file of its own name, not into a numbered row. */
	if (out->sink.single_picture)
		av_dict_set(options, "update", "1", 0);
	/* Each picture of a row appears only when it is complete. */
	if (out->sink.sequence)
		av_dict_set(options, "atomic_writing", "1", 0);
	/* MP4 in pieces needs no index that is written last and stands elsewhere. */
	if (format->pb && !(format->pb->seekable & AVIO_SEEKABLE_NORMAL) &&
	    fvsr_media_carries_matrix(format->oformat))
		av_dict_set(options, "movflags", "frag_keyframe+empty_moov+default_base_moof", 0);
}

int fvsr_media_output_start(struct fvsr_media_output *out, struct fvsr_error *err)
{
	AVDictionary *options = NULL;
	int result;

	if (out->take)
		return FVSR_OK;
	result = fvsr_media_sink_connect(&out->sink, out->format);
	if (result < 0)
		return fvsr_media_fail(err, result, "cannot write %s",
				       fvsr_cli_target_name(out->sink.path));
	set_muxer_options(out, &options);
	result = avformat_write_header(out->format, &options);
	av_dict_free(&options);
	if (result < 0)
		return fvsr_media_fail(err, result, "container '%s' does not take these streams",
				       out->format->oformat->name);
	out->started = true;
	return FVSR_OK;
}

/* ------------------------------------------------------------------------------------------- */
/* Frames                                                                                      */

void fvsr_media_output_announce(struct fvsr_media_output *out, int64_t pts, int64_t duration)
{
	size_t at = out->announced++ % FVSR_MEDIA_DURATIONS;

	out->durations[at].pts = pts;
	out->durations[at].duration = duration;
}

static int64_t duration_of(const struct fvsr_media_output *out, int64_t pts)
{
	for (size_t i = 0; i < FVSR_MEDIA_DURATIONS && i < out->announced; i++) {
		if (out->durations[i].pts == pts)
			return out->durations[i].duration;
	}
	return 0;
}

static int fail_to_write(const struct fvsr_media_output *out, int averror, struct fvsr_error *err)
{
	return fvsr_media_fail(err, averror, "cannot write %s",
			       fvsr_cli_target_name(out->sink.path));
}

static int write_packet(struct fvsr_media_output *out, AVPacket *packet)
{
	packet->stream_index = out->video->index;
	av_packet_rescale_ts(packet, out->encoder->time_base, out->video->time_base);
	out->written++;
	return av_interleaved_write_frame(out->format, packet);
}

/* Hands on the packets that the encoder has ready. */
static int drain(struct fvsr_media_output *out, struct fvsr_error *err)
{
	int result;

	while ((result = avcodec_receive_packet(out->encoder, out->packet)) >= 0) {
		out->packet->duration = duration_of(out, out->packet->pts);
		if (out->take) {
			result = out->take(out->take_opaque, out->packet, err);
			av_packet_unref(out->packet);
			if (result < 0)
				return result;
			out->written++;
			continue;
		}
		result = write_packet(out, out->packet);
		if (result < 0)
			break;
	}
	return result >= 0 || result == AVERROR(EAGAIN) || result == AVERROR_EOF
		       ? FVSR_OK
		       : fail_to_write(out, result, err);
}

/* Writes what is due of the other streams, and sees to the room for the index. */
static int follow(struct fvsr_media_output *out, struct fvsr_error *err)
{
	int result = fvsr_media_streams_write(&out->streams, out->end_us);

	fvsr_media_sink_grow(&out->sink, out->written + out->streams.written);
	if (result >= 0 && out->sink.full)
		result = AVERROR(ENOSPC);
	return result < 0 ? fail_to_write(out, result, err) : FVSR_OK;
}

int fvsr_media_output_frame(struct fvsr_media_output *out, const struct fvsr_picture *rgba,
			    int64_t pts, struct fvsr_error *err)
{
	int result = av_frame_make_writable(out->frame);

	if (result < 0)
		return fvsr_media_fail(err, result, "cannot encode");
	result = fvsr_media_from_rgba(&out->converter, rgba, out->frame, &out->color, err);
	if (result < 0)
		return result;
	out->frame->pts = pts;
	result = avcodec_send_frame(out->encoder, out->frame);
	if (result < 0)
		return fvsr_media_fail(err, result, "cannot encode");
	out->frames++;
	out->end_us = av_rescale_q(pts + duration_of(out, pts), out->time_base, AV_TIME_BASE_Q);
	result = drain(out, err);
	return result == FVSR_OK && !out->take ? follow(out, err) : result;
}

int fvsr_media_output_packet(struct fvsr_media_output *out, AVPacket *packet,
			     struct fvsr_error *err)
{
	int64_t end_us = av_rescale_q(packet->pts + packet->duration, out->encoder->time_base,
				      AV_TIME_BASE_Q);
	int result;

	out->copying = true;
	out->frames++;
	if (end_us > out->end_us || out->frames == 1)
		out->end_us = end_us;
	result = write_packet(out, packet);
	return result < 0 ? fail_to_write(out, result, err) : follow(out, err);
}

/* Hands on what the encoder still has. */
static int flush(struct fvsr_media_output *out, struct fvsr_error *err)
{
	int result = avcodec_send_frame(out->encoder, NULL);

	if (result < 0 && result != AVERROR_EOF)
		return fail_to_write(out, result, err);
	return drain(out, err);
}

int fvsr_media_output_finish(struct fvsr_media_output *out, bool cut, struct fvsr_error *err)
{
	int flushed = FVSR_OK, result = 0, next;

	/* On a full disk there is room for the index, not for what the encoder still has. */
	if (!out->sink.full && !out->copying)
		flushed = flush(out, err);
	if (out->take)
		return flushed;
	if (!out->sink.full && flushed == FVSR_OK)
		result =
			fvsr_media_streams_write(&out->streams, cut ? out->end_us : AV_NOPTS_VALUE);
	/* The trailer even after an error: it is what makes the file playable. */
	next = av_write_trailer(out->format);
	result = result < 0 ? result : next;
	next = fvsr_media_sink_disconnect(&out->sink, out->format);
	result = result < 0 ? result : next;
	out->started = false;
	if (flushed < 0)
		return flushed;
	return result < 0 ? fail_to_write(out, result, err) : FVSR_OK;
}

void fvsr_media_output_close(struct fvsr_media_output *out)
{
	fvsr_media_streams_close(&out->streams);
	fvsr_media_converter_free(&out->converter);
	av_frame_free(&out->frame);
	av_packet_free(&out->packet);
	avcodec_free_context(&out->encoder);
	fvsr_media_sink_disconnect(&out->sink, out->format);
	avformat_free_context(out->format);
	fvsr_media_sink_close(&out->sink);
	memset(out, 0, sizeof(*out));
}
