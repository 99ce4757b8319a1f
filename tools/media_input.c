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
	in->skipped_us = INT64_MIN;
	result = open_file(in, path, err);
	if (result < 0)
		fvsr_media_input_close(in);
	return result;
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
	if (in->seeking && in->packet->stream_index == in->video->index &&
	    (in->packet->flags & AV_PKT_FLAG_KEY)) {
		in->seeking = false;
		in->key_pts = in->packet->pts != AV_NOPTS_VALUE ? in->packet->pts : in->packet->dts;
	}
	if (in->packet->stream_index == in->video->index && in->seeking) {
		/* Of no use without the pictures before it. */
	} else if (in->packet->stream_index == in->video->index) {
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

/* Reads and hands on one packet; FVSR_ERR_EOF after the last. */
static int skip_packet(struct fvsr_media_input *in)
{
	int result = av_read_frame(in->format, in->packet);
	const AVPacket *packet = in->packet;

	if (fvsr_cli_interrupted()) {
		av_packet_unref(in->packet);
		return FVSR_ERR_CANCELLED;
	}
	if (result < 0) {
		in->read_error = result == AVERROR_EOF ? 0 : result;
		return FVSR_ERR_EOF;
	}
	if (packet->dts != AV_NOPTS_VALUE)
		in->skipped_us = av_rescale_q(packet->dts,
					      in->format->streams[packet->stream_index]->time_base,
					      AV_TIME_BASE_Q);
	if (packet->stream_index != in->video->index && in->other)
		in->other(in->opaque, in->packet);
	av_packet_unref(in->packet);
	return FVSR_OK;
}

int fvsr_media_input_skip(struct fvsr_media_input *in, int64_t time_us)
{
	while (!in->draining && in->skipped_us <= time_us) {
		int result = skip_packet(in);

		if (result == FVSR_ERR_EOF)
			in->draining = true;
		else if (result < 0)
			return result;
	}
	return FVSR_OK;
}

void fvsr_media_input_video_only(struct fvsr_media_input *in)
{
	for (unsigned i = 0; i < in->format->nb_streams; i++)
		if (in->format->streams[i] != in->video)
			in->format->streams[i]->discard = AVDISCARD_ALL;
	in->other = NULL;
}

/* Stands before the last key frame up to 'time', as the container finds it, and reads that. */
static int seek_to_key(struct fvsr_media_input *in, int64_t time, struct fvsr_error *err)
{
	int result = avformat_seek_file(in->format, in->video->index, INT64_MIN, time, time, 0);

	if (result < 0)
		return fvsr_media_fail(err, result, "cannot go to a place in the middle of %s",
				       in->format->url);
	avcodec_flush_buffers(in->decoder);
	in->draining = false;
	in->last_pts = AV_NOPTS_VALUE;
	in->seeking = true;
	result = FVSR_OK;
	while (in->seeking && !in->draining && result == FVSR_OK)
		result = feed(in);
	return result;
}

/* Begins again. Not every container finds its first frame by its time. */
static int reopen(struct fvsr_media_input *in, struct fvsr_error *err)
{
	char *url = av_strdup(in->format->url);
	int result;

	if (!url)
		return fvsr_media_fail(err, AVERROR(ENOMEM), "cannot read on");
	fvsr_media_input_close(in);
	result = fvsr_media_input_open(in, url, err);
	av_free(url);
	if (result == FVSR_OK)
		fvsr_media_input_video_only(in);
	return result;
}

/*
 * Containers find key frames by their decoding time, or nearly: steps back until one is not behind
 * the time that is wanted.
 */
static int find_key(struct fvsr_media_input *in, int64_t first, struct fvsr_error *err)
{
	int64_t second = av_rescale_q(AV_TIME_BASE, AV_TIME_BASE_Q, in->video->time_base);
	int64_t start = in->video->start_time != AV_NOPTS_VALUE ? in->video->start_time : 0;
	int64_t time = first, back = second > 0 ? second : 1;

	while (time > start) {
		int result = seek_to_key(in, time, err);

		if (result < 0 || (!in->seeking && in->key_pts <= first))
			return result;
		time -= back;
		back *= 2;
	}
	return reopen(in, err);
}

int fvsr_media_input_seek(struct fvsr_media_input *in, int64_t first, AVFrame *frame,
			  int64_t *before, struct fvsr_error *err)
{
	int result = find_key(in, first, err);

	*before = AV_NOPTS_VALUE;
	while (result == FVSR_OK) {
		av_frame_unref(frame);
		result = fvsr_media_input_read(in, frame);
		if (result < 0 || frame->pts >= first)
			break;
		*before = frame->pts;
	}
	return result;
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
