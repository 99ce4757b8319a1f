/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of segments: see part_file.h. The sum is checked before anything in the file is believed,
 * and every length even then.
 */
#include "part_file.h"

#include <string.h>

#include <libavutil/intreadwrite.h>
#include <libavutil/sha.h>

#include "media.h"
#include "platform.h"

#define MAGIC            "FVSRPART"
#define VERSION          1
#define HEAD_BYTES       36
#define PACKET_BYTES     36
#define END_OF_PACKETS   0xffffffffu
#define SHA_BYTES        32
#define MAX_SIDE_DATA    64
#define MAX_RECORD_BYTES 65536
#define COPY_BYTES       65536

/* ------------------------------------------------------------------------------------------- */
/* Writing                                                                                     */

static int put(struct fvsr_cli_part_writer *part, const void *data, size_t bytes,
	       struct fvsr_error *err)
{
	av_sha_update(part->sha, data, bytes);
	return fvsr_new_file_write(part->file, data, bytes, err);
}

static int put_head(struct fvsr_cli_part_writer *part, const AVCodecContext *encoder,
		    struct fvsr_error *err)
{
	uint8_t head[HEAD_BYTES];
	int result;

	memcpy(head, MAGIC, 8);
	AV_WL32(head + 8, VERSION);
	AV_WL32(head + 12, encoder->codec_id);
	AV_WL32(head + 16, encoder->width);
	AV_WL32(head + 20, encoder->height);
	AV_WL32(head + 24, encoder->time_base.num);
	AV_WL32(head + 28, encoder->time_base.den);
	AV_WL32(head + 32, encoder->extradata_size);
	result = put(part, head, sizeof(head), err);
	if (result == FVSR_OK && encoder->extradata_size > 0)
		result = put(part, encoder->extradata, (size_t)encoder->extradata_size, err);
	return result;
}

int fvsr_cli_part_writer_open(struct fvsr_cli_part_writer *part, const char *path,
			      const AVCodecContext *encoder, struct fvsr_error *err)
{
	int result;

	*part = (struct fvsr_cli_part_writer){.sha = av_sha_alloc()};
	if (!part->sha)
		return fvsr_media_fail(err, AVERROR(ENOMEM), "cannot write %s", path);
	av_sha_init(part->sha, 256);
	result = fvsr_new_file_create(&part->file, path, err);
	return result == FVSR_OK ? put_head(part, encoder, err) : result;
}

static int put_side_data(struct fvsr_cli_part_writer *part, const AVPacket *packet,
			 struct fvsr_error *err)
{
	int result = FVSR_OK;

	for (int i = 0; i < packet->side_data_elems && result == FVSR_OK; i++) {
		const AVPacketSideData *side = &packet->side_data[i];
		uint8_t head[8];

		AV_WL32(head, side->type);
		AV_WL32(head + 4, (uint32_t)side->size);
		result = put(part, head, sizeof(head), err);
		if (result == FVSR_OK && side->size)
			result = put(part, side->data, side->size, err);
	}
	return result;
}

int fvsr_cli_part_writer_packet(struct fvsr_cli_part_writer *part, const AVPacket *packet,
				struct fvsr_error *err)
{
	uint8_t head[PACKET_BYTES];
	int result;

	AV_WL32(head, packet->size);
	AV_WL32(head + 4, packet->flags);
	AV_WL64(head + 8, packet->pts);
	AV_WL64(head + 16, packet->dts);
	AV_WL64(head + 24, packet->duration);
	AV_WL32(head + 32, packet->side_data_elems);
	result = put(part, head, sizeof(head), err);
	if (result == FVSR_OK)
		result = put_side_data(part, packet, err);
	if (result == FVSR_OK && packet->size > 0)
		result = put(part, packet->data, (size_t)packet->size, err);
	return result;
}

int fvsr_cli_part_writer_commit(struct fvsr_cli_part_writer *part, const json_t *record,
				struct fvsr_error *err)
{
	char *text = json_dumps(record, JSON_COMPACT | JSON_SORT_KEYS);
	struct fvsr_new_file *file = part->file;
	uint8_t end[4], length[4], sum[SHA_BYTES];
	int result;

	if (!text)
		return fvsr_media_fail(err, AVERROR(ENOMEM), "cannot write a record");
	AV_WL32(end, END_OF_PACKETS);
	AV_WL32(length, (uint32_t)strlen(text));
	result = put(part, end, sizeof(end), err);
	if (result == FVSR_OK)
		result = put(part, text, strlen(text), err);
	free(text);
	if (result == FVSR_OK)
		result = put(part, length, sizeof(length), err);
	av_sha_final(part->sha, sum);
	if (result == FVSR_OK)
		result = fvsr_new_file_write(file, sum, sizeof(sum), err);
	if (result < 0)
		return result;
	part->file = NULL;
	return fvsr_new_file_commit(file, err);
}

void fvsr_cli_part_writer_close(struct fvsr_cli_part_writer *part)
{
	fvsr_new_file_abort(part->file);
	part->file = NULL;
	av_freep(&part->sha);
}

/* ------------------------------------------------------------------------------------------- */
/* Reading                                                                                     */

static int damaged(const struct fvsr_cli_part_reader *part, struct fvsr_error *err)
{
	fvsr_media_fail(err, 0, "%s is damaged; remove it and make it again", part->path);
	return FVSR_ERR_FORMAT;
}

/* Reads what lies before the record. */
static bool get(struct fvsr_cli_part_reader *part, void *data, size_t bytes)
{
	if (bytes > part->left || fread(data, 1, bytes, part->file) != bytes)
		return false;
	part->left -= bytes;
	return true;
}

static bool check_sum(struct fvsr_cli_part_reader *part, uint64_t bytes)
{
	uint8_t *buffer = av_malloc(COPY_BYTES), got[SHA_BYTES], want[SHA_BYTES];
	struct AVSHA *sha = av_sha_alloc();
	bool good = buffer && sha;

	if (good)
		av_sha_init(sha, 256);
	for (size_t n; good && bytes > 0; bytes -= n) {
		n = bytes < COPY_BYTES ? (size_t)bytes : COPY_BYTES;
		good = fread(buffer, 1, n, part->file) == n;
		if (good)
			av_sha_update(sha, buffer, n);
	}
	good = good && fread(want, 1, sizeof(want), part->file) == sizeof(want);
	if (good) {
		av_sha_final(sha, got);
		good = memcmp(got, want, sizeof(got)) == 0;
	}
	av_free(sha);
	av_free(buffer);
	return good;
}

static bool get_head(struct fvsr_cli_part_reader *part)
{
	uint8_t head[HEAD_BYTES];

	if (!get(part, head, sizeof(head)) || memcmp(head, MAGIC, 8) != 0 ||
	    AV_RL32(head + 8) != VERSION)
		return false;
	part->codec = (enum AVCodecID)AV_RL32(head + 12);
	part->width = (int)AV_RL32(head + 16);
	part->height = (int)AV_RL32(head + 20);
	part->time_base = (AVRational){(int)AV_RL32(head + 24), (int)AV_RL32(head + 28)};
	part->extradata_bytes = AV_RL32(head + 32);
	if (part->extradata_bytes > part->left || part->time_base.num <= 0 ||
	    part->time_base.den <= 0)
		return false;
	part->extradata = av_malloc(part->extradata_bytes + 1);
	return part->extradata && get(part, part->extradata, part->extradata_bytes);
}

static bool get_side_data(struct fvsr_cli_part_reader *part, AVPacket *packet, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint8_t head[8], *data;

		if (!get(part, head, sizeof(head)) || AV_RL32(head + 4) > part->left)
			return false;
		data = av_packet_new_side_data(packet, (enum AVPacketSideDataType)AV_RL32(head),
					       AV_RL32(head + 4));
		if (!data || !get(part, data, AV_RL32(head + 4)))
			return false;
	}
	return true;
}

/* Reads one packet; 1, or 0 at the end, or -1. */
static int get_packet(struct fvsr_cli_part_reader *part, AVPacket *packet)
{
	uint8_t head[PACKET_BYTES];
	uint32_t bytes;

	if (!get(part, head, 4))
		return -1;
	bytes = AV_RL32(head);
	if (bytes == END_OF_PACKETS)
		return 0;
	if (!get(part, head + 4, PACKET_BYTES - 4) || bytes > part->left || bytes > INT32_MAX / 2 ||
	    AV_RL32(head + 32) > MAX_SIDE_DATA || av_new_packet(packet, (int)bytes) < 0)
		return -1;
	packet->flags = (int)AV_RL32(head + 4);
	packet->pts = (int64_t)AV_RL64(head + 8);
	packet->dts = (int64_t)AV_RL64(head + 16);
	packet->duration = (int64_t)AV_RL64(head + 24);
	return get_side_data(part, packet, AV_RL32(head + 32)) && get(part, packet->data, bytes)
		       ? 1
		       : -1;
}

/* Reads the record, whose length stands behind it. 'end': where the sum begins. */
static bool get_record(struct fvsr_cli_part_reader *part, uint64_t end)
{
	uint8_t length[4];
	uint64_t bytes;
	char *text;

	if (fseeko(part->file, (off_t)(end - sizeof(length)), SEEK_SET) != 0 ||
	    fread(length, 1, sizeof(length), part->file) != sizeof(length))
		return false;
	bytes = AV_RL32(length);
	if (bytes > MAX_RECORD_BYTES || bytes + sizeof(length) + HEAD_BYTES > end ||
	    fseeko(part->file, (off_t)(end - sizeof(length) - bytes), SEEK_SET) != 0)
		return false;
	text = av_malloc(bytes + 1);
	if (text && fread(text, 1, bytes, part->file) == bytes)
		part->record = json_loadb(text, bytes, 0, NULL);
	av_free(text);
	part->left = end - sizeof(length) - bytes;
	return json_is_object(part->record);
}

int fvsr_cli_part_reader_open(struct fvsr_cli_part_reader *part, const char *path,
			      struct fvsr_error *err)
{
	int64_t bytes = fvsr_platform_file_size(path);
	uint64_t end = (uint64_t)bytes - SHA_BYTES;

	*part = (struct fvsr_cli_part_reader){.path = path};
	part->file = bytes >= 0 ? fvsr_platform_open(path, "rb") : NULL;
	if (!part->file) {
		fvsr_media_fail(err, 0, "%s is missing", path);
		return FVSR_ERR_IO;
	}
	if (bytes < HEAD_BYTES + SHA_BYTES + 4 || !check_sum(part, end) || !get_record(part, end))
		return damaged(part, err);
	rewind(part->file);
	return get_head(part) ? FVSR_OK : damaged(part, err);
}

int fvsr_cli_part_reader_packet(struct fvsr_cli_part_reader *part, AVPacket *packet,
				struct fvsr_error *err)
{
	int got = get_packet(part, packet);

	if (got > 0)
		return FVSR_OK;
	return got == 0 ? FVSR_ERR_EOF : damaged(part, err);
}

void fvsr_cli_part_reader_close(struct fvsr_cli_part_reader *part)
{
	if (part->file)
		fclose(part->file);
	av_freep(&part->extradata);
	json_decref(part->record);
	*part = (struct fvsr_cli_part_reader){0};
}
