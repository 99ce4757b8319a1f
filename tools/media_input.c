/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a video: demuxes, decodes the best video stream, hands packets of the others on.
 */
#include "media.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavutil/version.h>

#include "interrupt.h"
#include "target.h"

/* More than any decoder has frames in flight. */
#define MAX_ERRORS_AT_END 1000

static int stop_blocking(void *opaque)
{
	(void)opaque;
	return fvsr_cli_interrupted() != 0;
}

static int open_decoder(struct fvsr_media_input *in, const AVCodec *codec, const char *path,
			struct fvsr_error *err)
{
	int result;

	in->decoder = avcodec_alloc_context3(codec);
	in->packet = av_packet_alloc();
	if (!in->decoder || !in->packet)
		return fvsr_media_fail(err, AVERROR(ENOMEM), "cannot decode %s", path);
	result = avcodec_parameters_to_context(in->decoder, in->video->codecpar);
	if (result < 0)
		return fvsr_media_fail(err, result, "cannot decode %s", path);
	in->decoder->pkt_timebase = in->video->time_base;
	in->decoder->thread_count = 0;
	result = avcodec_open2(in->decoder, codec, NULL);
	if (result < 0)
		return fvsr_media_fail(err, result, "cannot decode %s (%s)", path, codec->name);
	return FVSR_OK;
}

/* FFmpeg's own decoders of VP8 and VP9 do not see the second picture that holds the alpha. */
static const AVCodec *decoder_with_alpha(struct fvsr_media_input *in, const AVCodec *codec)
{
	const AVDictionaryEntry *mode = av_dict_get(in->video->metadata, "alpha_mode", NULL, 0);
	enum AVCodecID id = in->video->codecpar->codec_id;
	const AVCodec *other;

	if ((id != AV_CODEC_ID_VP8 && id != AV_CODEC_ID_VP9) || !mode ||
	    strcmp(mode->value, "1") != 0)
		return codec;
	other = avcodec_find_decoder_by_name(id == AV_CODEC_ID_VP8 ? "libvpx" : "libvpx-vp9");
	in->alpha_unseen = !other;
	return other ? other : codec;
}

/* What FFmpeg calls it. Standard input that is a file is opened as one, so that it can be read from
 * its end: MP4 often has its index there. */
static const char *url_of(const char *path)
{
	struct stat st;

	if (!fvsr_cli_is_standard(path))
		return path;
	return fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode) ? "/dev/stdin" : "pipe:0";
}

static int open_file(struct fvsr_media_input *in, const char *path, struct fvsr_error *err)
{
	const AVCodec *codec = NULL;
	int result;

	in->format = avformat_alloc_context();
	if (!in->format)
		return fvsr_media_fail(err, AVERROR(ENOMEM), "cannot open %s", path);
	in->format->interrupt_callback.callback = stop_blocking;
	result = avformat_open_input(&in->format, url_of(path), NULL, NULL);
	if (result < 0)
		return fvsr_media_fail(err, result, "cannot open %s", path);
	result = avformat_find_stream_info(in->format, NULL);
	if (result < 0)
		return fvsr_media_fail(err, result, "cannot read %s", path);
	result = av_find_best_stream(in->format, AVMEDIA_TYPE_VIDEO, -1, -1, &codec, 0);
	if (result == AVERROR_DECODER_NOT_FOUND)
		return fvsr_media_fail(err, 0, "%s: no decoder for its video", path);
	if (result < 0 || (in->format->streams[result]->disposition & AV_DISPOSITION_ATTACHED_PIC))
		return fvsr_media_fail(err, 0, "%s has no video", path);
	in->video = in->format->streams[result];
	return open_decoder(in, decoder_with_alpha(in, codec), path, err);
}

uint64_t fvsr_media_readable_frames(const char *path)
{
	AVFormatContext *format = NULL;
	AVPacket *packet = av_packet_alloc();
	uint64_t frames = 0;
	int video = -1;

	if (packet && avformat_open_input(&format, path, NULL, NULL) >= 0 &&
	    avformat_find_stream_info(format, NULL) >= 0)
		video = av_find_best_stream(format, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
	while (video >= 0 && av_read_frame(format, packet) >= 0) {
		frames += packet->stream_index == video && !(packet->flags & AV_PKT_FLAG_CORRUPT);
		av_packet_unref(packet);
	}
	av_packet_free(&packet);
	avformat_close_input(&format);
	return frames;
}

int fvsr_media_input_open(struct fvsr_media_input *in, const char *path, struct fvsr_error *err)
{
	int result;

	memset(in, 0, sizeof(*in));
	in->last_pts = AV_NOPTS_VALUE;
	result = open_file(in, path, err);
	if (result < 0)
		fvsr_media_input_close(in);
	return result;
}

bool fvsr_media_input_seek(struct fvsr_media_input *in, int64_t pts)
{
	if (av_seek_frame(in->format, in->video->index, pts, AVSEEK_FLAG_BACKWARD) < 0)
		return false;
	avcodec_flush_buffers(in->decoder);
	in->last_pts = AV_NOPTS_VALUE;
	in->draining = false;
	return true;
}

void fvsr_media_input_close(struct fvsr_media_input *in)
{
	av_packet_free(&in->packet);
	avcodec_free_context(&in->decoder);
	avformat_close_input(&in->format);
	in->video = NULL;
}

int64_t fvsr_media_frame_duration(const AVFrame *frame)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
	return frame->duration;
#else
	return frame->pkt_duration;
#endif
}

static void set_frame_duration(AVFrame *frame, int64_t duration)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
	frame->duration = duration;
#else
	frame->pkt_duration = duration;
#endif
}

/* One frame's time at the stream's rate, at least one tick. */
static int64_t nominal_duration(const struct fvsr_media_input *in)
{
	AVRational rate = av_guess_frame_rate(in->format, in->video, NULL);
	int64_t ticks = 0;

	if (rate.num > 0 && rate.den > 0)
		ticks = av_rescale_q(1, av_inv_q(rate), in->video->time_base);
	return ticks > 0 ? ticks : 1;
}

static void fix_time(struct fvsr_media_input *in, AVFrame *frame)
{
	int64_t duration = fvsr_media_frame_duration(frame);
	int64_t pts = frame->best_effort_timestamp;

	if (duration <= 0)
		duration = nominal_duration(in);
	if (pts == AV_NOPTS_VALUE) {
		/* Raw streams have no times at all; their rate is all there is. */
		pts = in->last_pts == AV_NOPTS_VALUE ? 0 : in->last_pts + duration;
	} else if (in->last_pts != AV_NOPTS_VALUE && pts <= in->last_pts) {
		pts = in->last_pts + 1;
		in->retimed++;
	}
	frame->pts = in->last_pts = pts;
	set_frame_duration(frame, duration);
}

/* Gives the decoder its next packet, or its end. FVSR_ERR_CANCELLED after a signal. */
static int feed(struct fvsr_media_input *in)
{
	int result = av_read_frame(in->format, in->packet);

	if (fvsr_cli_interrupted()) {
		av_packet_unref(in->packet);
		return FVSR_ERR_CANCELLED;
	}
	if (result < 0) {
		if (result != AVERROR_EOF)
			in->read_error = result;
		in->draining = true;
		avcodec_send_packet(in->decoder, NULL);
		return FVSR_OK;
	}
	if (in->packet->stream_index == in->video->index) {
		/* The decoder has been emptied before, so this is never "again". */
		if (avcodec_send_packet(in->decoder, in->packet) < 0)
			in->damaged++;
	} else if (in->other) {
		in->other(in->opaque, in->packet);
	}
	av_packet_unref(in->packet);
	return FVSR_OK;
}

int fvsr_media_input_read(struct fvsr_media_input *in, AVFrame *frame)
{
	int errors_at_end = 0;

	for (;;) {
		int result = avcodec_receive_frame(in->decoder, frame);
		if (result >= 0) {
			fix_time(in, frame);
			in->frames++;
			return FVSR_OK;
		}
		if (result == AVERROR_EOF)
			return FVSR_ERR_EOF;
		if (result != AVERROR(EAGAIN)) {
			in->damaged++;
			/* With several threads the error is an earlier packet's: go on. */
			if (in->draining && errors_at_end++ < MAX_ERRORS_AT_END)
				continue;
			if (in->draining)
				return FVSR_ERR_EOF;
		}
		result = feed(in);
		if (result < 0)
			return result;
	}
}

uint64_t fvsr_media_input_frame_hint(const struct fvsr_media_input *in)
{
	const AVStream *video = in->video;
	double seconds;

	if (video->nb_frames > 0)
		return (uint64_t)video->nb_frames;
	if (video->avg_frame_rate.num <= 0 || video->avg_frame_rate.den <= 0)
		return 0;
	if (video->duration > 0)
		seconds = (double)video->duration * av_q2d(video->time_base);
	else if (in->format->duration > 0)
		seconds = (double)in->format->duration / AV_TIME_BASE;
	else
		return 0;
	return (uint64_t)(seconds * av_q2d(video->avg_frame_rate) + 0.5);
}
