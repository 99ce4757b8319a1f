/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sound, subtitles and attachments: copied packet by packet, untouched but for text subtitles whose
 * codec the container does not take (media_subtitles.c). They wait for the video,
 * which comes out about a second after it went in: when the work is stopped, sound that the file
 * has no pictures for has not been written yet.
 */
#include "media.h"

#include <string.h>

#include <libavutil/version.h>

#include "console.h"

struct fvsr_media_waiting {
	struct fvsr_media_waiting *next;
	AVPacket *packet;
	int64_t time_us; /* AV_NOPTS_VALUE: unknown */
};

int fvsr_media_add_side_data(AVStream *to, enum AVPacketSideDataType type, const void *data,
			     size_t size)
{
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
	AVPacketSideData *copy = av_packet_side_data_new(
		&to->codecpar->coded_side_data, &to->codecpar->nb_coded_side_data, type, size, 0);

	if (!copy)
		return AVERROR(ENOMEM);
	memcpy(copy->data, data, size);
#else
	uint8_t *copy = av_stream_new_side_data(to, type, size);

	if (!copy)
		return AVERROR(ENOMEM);
	memcpy(copy, data, size);
#endif
	return 0;
}

/* The display matrix is not among them: media_output.c sees to it. */
static int copy_side_data(AVStream *to, const AVStream *from)
{
	static const enum AVPacketSideDataType kept[] = {AV_PKT_DATA_STEREO3D,
							 AV_PKT_DATA_SPHERICAL};

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
		const AVPacketSideData *data =
			av_packet_side_data_get(from->codecpar->coded_side_data,
						from->codecpar->nb_coded_side_data, kept[i]);
		int result =
			data ? fvsr_media_add_side_data(to, kept[i], data->data, data->size) : 0;
#else
		size_t size = 0;
		const uint8_t *data = av_stream_get_side_data(from, kept[i], &size);
		int result = data ? fvsr_media_add_side_data(to, kept[i], data, size) : 0;
#endif
		if (result < 0)
			return result;
	}
	return 0;
}

int fvsr_media_copy_stream_properties(AVStream *to, const AVStream *from)
{
	int result = av_dict_copy(&to->metadata, from->metadata, 0);

	to->disposition = from->disposition;
	/* Says which program wrote the old stream. */
	av_dict_set(&to->metadata, "encoder", NULL, 0);
	return result < 0 ? result : copy_side_data(to, from);
}

static bool is_copied_type(const AVStream *stream)
{
	enum AVMediaType type = stream->codecpar->codec_type;

	return type == AVMEDIA_TYPE_AUDIO || type == AVMEDIA_TYPE_SUBTITLE ||
	       type == AVMEDIA_TYPE_ATTACHMENT;
}

static bool fits_container(const AVFormatContext *to, const AVStream *stream)
{
	const AVCodecParameters *par = stream->codecpar;
	int takes = avformat_query_codec(to->oformat, par->codec_id, FF_COMPLIANCE_EXPERIMENTAL);

	if (par->codec_type == AVMEDIA_TYPE_ATTACHMENT)
		return strcmp(to->oformat->name, "matroska") == 0;
	/*
	 * Negative: FFmpeg cannot tell. Most that hold any sound hold what is asked for; of
	 * subtitles, those of a transport stream are pictures that broadcasters send.
	 */
	if (takes < 0 && par->codec_type == AVMEDIA_TYPE_SUBTITLE)
		return par->codec_id == AV_CODEC_ID_DVB_SUBTITLE ||
		       par->codec_id == AV_CODEC_ID_DVB_TELETEXT;
	if (takes < 0)
		return to->oformat->audio_codec != AV_CODEC_ID_NONE;
	return takes > 0;
}

/* The four letters of a codec differ between containers; 0 lets the muxer choose. */
static uint32_t tag_for(const AVOutputFormat *format, const AVCodecParameters *par)
{
	unsigned int tag;

	if (!format->codec_tag ||
	    av_codec_get_id(format->codec_tag, par->codec_tag) == par->codec_id ||
	    !av_codec_get_tag2(format->codec_tag, par->codec_id, &tag))
		return par->codec_tag;
	return 0;
}

static int add_stream(struct fvsr_media_streams *streams, const AVStream *from)
{
	AVStream *to = avformat_new_stream(streams->to, NULL);
	int result;

	if (!to)
		return AVERROR(ENOMEM);
	result = avcodec_parameters_copy(to->codecpar, from->codecpar);
	if (result < 0)
		return result;
	to->codecpar->codec_tag = tag_for(streams->to->oformat, from->codecpar);
	to->time_base = from->time_base;
	to->sample_aspect_ratio = from->sample_aspect_ratio;
	streams->map[from->index] = to->index;
	return fvsr_media_copy_stream_properties(to, from);
}

/* Text, in the codec that the container takes. */
static int add_converted(struct fvsr_media_streams *streams, const AVStream *from,
			 enum AVCodecID id)
{
	AVStream *to = avformat_new_stream(streams->to, NULL);
	int result;

	if (!to)
		return AVERROR(ENOMEM);
	result = fvsr_media_subtitles_open(&streams->subtitles[from->index], from, to, id);
	if (result < 0)
		return result;
	fvsr_cli_note("stream %d (subtitle) is converted from %s to %s", from->index,
		      avcodec_get_name(from->codecpar->codec_id), avcodec_get_name(id));
	streams->map[from->index] = to->index;
	return fvsr_media_copy_stream_properties(to, from);
}

static void note_left_out(const AVStream *stream)
{
	const char *type = av_get_media_type_string(stream->codecpar->codec_type);

	fvsr_cli_warning("stream %d (%s, %s) is left out: %s", stream->index,
			 type ? type : "unknown", avcodec_get_name(stream->codecpar->codec_id),
			 is_copied_type(stream)
				 ? "the container of the output cannot hold it"
				 : "only one video, sound, subtitles and attachments "
				   "are taken over");
}

static int copy_chapters(AVFormatContext *to, const AVFormatContext *from)
{
	if (from->nb_chapters == 0)
		return 0;
	to->chapters = av_calloc(from->nb_chapters, sizeof(*to->chapters));
	if (!to->chapters)
		return AVERROR(ENOMEM);
	for (unsigned i = 0; i < from->nb_chapters; i++) {
		const AVChapter *chapter = from->chapters[i];
		AVChapter *copy = av_mallocz(sizeof(*copy));
		if (!copy)
			return AVERROR(ENOMEM);
		copy->id = chapter->id;
		copy->time_base = chapter->time_base;
		copy->start = chapter->start;
		copy->end = chapter->end;
		to->chapters[to->nb_chapters++] = copy;
		if (av_dict_copy(&copy->metadata, chapter->metadata, 0) < 0)
			return AVERROR(ENOMEM);
	}
	return 0;
}

/* What describes the old file's making and would be wrong for the new one. */
static int copy_metadata(AVFormatContext *to, const AVFormatContext *from)
{
	static const char *const not_kept[] = {"encoder", "major_brand", "minor_version",
					       "compatible_brands"};
	int result = av_dict_copy(&to->metadata, from->metadata, 0);

	for (size_t i = 0; i < sizeof(not_kept) / sizeof(not_kept[0]); i++)
		av_dict_set(&to->metadata, not_kept[i], NULL, 0);
	return result;
}

void fvsr_media_streams_init(struct fvsr_media_streams *streams, AVFormatContext *from)
{
	memset(streams, 0, sizeof(*streams));
	streams->from = from;
}

int fvsr_media_streams_open(struct fvsr_media_streams *streams, AVFormatContext *to,
			    const AVStream *video, struct fvsr_error *err)
{
	AVFormatContext *from = streams->from;
	int result = 0;

	streams->to = to;
	streams->map = av_malloc_array(from->nb_streams, sizeof(*streams->map));
	if (!streams->map)
		return fvsr_media_fail(err, AVERROR(ENOMEM), "cannot copy streams");
	streams->subtitles = av_calloc(from->nb_streams, sizeof(*streams->subtitles));
	if (!streams->subtitles)
		return fvsr_media_fail(err, AVERROR(ENOMEM), "cannot copy streams");
	streams->count = from->nb_streams;
	for (unsigned i = 0; i < streams->count; i++)
		streams->map[i] = -1;
	for (unsigned i = 0; i < streams->count && result >= 0; i++) {
		AVStream *stream = from->streams[i];
		enum AVCodecID text;

		if (stream == video)
			continue;
		text = fvsr_media_subtitles_codec(to->oformat, stream->codecpar->codec_id);
		if (is_copied_type(stream) && fits_container(to, stream)) {
			result = add_stream(streams, stream);
		} else if (text != AV_CODEC_ID_NONE) {
			result = add_converted(streams, stream, text);
		} else {
			note_left_out(stream);
			stream->discard = AVDISCARD_ALL;
		}
	}
	if (result >= 0)
		result = copy_chapters(to, from);
	if (result >= 0)
		result = copy_metadata(to, from);
	return result < 0 ? fvsr_media_fail(err, result, "cannot copy streams") : FVSR_OK;
}

void fvsr_media_streams_take(void *opaque, AVPacket *packet)
{
	struct fvsr_media_streams *streams = opaque;
	struct fvsr_media_waiting *item;
	const AVStream *stream;
	int64_t time;

	if ((unsigned)packet->stream_index >= streams->from->nb_streams)
		return;
	item = av_mallocz(sizeof(*item));
	if (item)
		item->packet = av_packet_alloc();
	if (!item || !item->packet) {
		av_free(item);
		streams->out_of_memory = true;
		return;
	}
	stream = streams->from->streams[packet->stream_index];
	time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
	item->time_us = time == AV_NOPTS_VALUE
				? AV_NOPTS_VALUE
				: av_rescale_q(time, stream->time_base, AV_TIME_BASE_Q);
	av_packet_move_ref(item->packet, packet);
	if (streams->last)
		streams->last->next = item;
	else
		streams->first = item;
	streams->last = item;
}

static int write_packet(struct fvsr_media_streams *streams, AVPacket *packet)
{
	unsigned index = (unsigned)packet->stream_index;
	AVRational time_base;
	const AVStream *to;
	int result;

	/* A stream that appears in the middle of the file has no place in the output. */
	if (index >= streams->count || streams->map[index] < 0)
		return 0;
	time_base = streams->from->streams[index]->time_base;
	if (streams->subtitles[index]) {
		result = fvsr_media_subtitles_convert(streams->subtitles[index], packet);
		if (result <= 0)
			return result;
		time_base = AV_TIME_BASE_Q;
	}
	to = streams->to->streams[streams->map[index]];
	packet->stream_index = to->index;
	packet->pos = -1;
	av_packet_rescale_ts(packet, time_base, to->time_base);
	streams->written++;
	return av_interleaved_write_frame(streams->to, packet);
}

int fvsr_media_streams_write(struct fvsr_media_streams *streams, int64_t time_us)
{
	int result = streams->out_of_memory ? AVERROR(ENOMEM) : 0;

	while (streams->first && result >= 0) {
		struct fvsr_media_waiting *item = streams->first;
		if (time_us != AV_NOPTS_VALUE && item->time_us != AV_NOPTS_VALUE &&
		    item->time_us > time_us)
			break;
		streams->first = item->next;
		if (!streams->first)
			streams->last = NULL;
		result = write_packet(streams, item->packet);
		av_packet_free(&item->packet);
		av_free(item);
	}
	return result;
}

void fvsr_media_streams_close(struct fvsr_media_streams *streams)
{
	while (streams->first) {
		struct fvsr_media_waiting *item = streams->first;
		streams->first = item->next;
		av_packet_free(&item->packet);
		av_free(item);
	}
	streams->last = NULL;
	for (unsigned i = 0; i < streams->count; i++)
		fvsr_media_subtitles_close(streams->subtitles[i]);
	streams->count = 0;
	av_freep(&streams->subtitles);
	av_freep(&streams->map);
}
