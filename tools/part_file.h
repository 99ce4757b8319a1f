/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file of one segment: the encoder's packets just as they came, what the segment's frames were,
 * and a checksum of it all. No container of FFmpeg would do: Matroska rounds times to milliseconds,
 * NUT keeps neither decoding times nor the alpha of VP9, MP4 does not take every codec. `fvsr join`
 * gives the packets to the container that the output is to be.
 *
 * It appears under its name only when it is whole (model/new_file.h). In it, little-endian:
 *
 *	"FVSRPART", version u32, codec u32, width u32, height u32, time base i32 / i32,
 *	bytes u32 of extradata, extradata
 *	for each packet: bytes u32, flags u32, pts i64, dts i64, duration i64, side data u32,
 *	  for each of these: type u32, bytes u32, data; then the packet's data
 *	0xffffffff u32, the record (JSON), its bytes u32
 *	SHA-256 of all bytes before it
 */
#ifndef FVSR_TOOLS_PART_FILE_H
#define FVSR_TOOLS_PART_FILE_H

#include <jansson.h>
#include <stdio.h>

#include <libavcodec/avcodec.h>

#include "fvsr/fvsr.h"

struct AVSHA;
struct fvsr_new_file;

struct fvsr_cli_part_writer {
	struct fvsr_new_file *file;
	struct AVSHA *sha;
};

/* Begins the part 'path' of what 'encoder' makes. Close it also after a failure. */
int fvsr_cli_part_writer_open(struct fvsr_cli_part_writer *part, const char *path,
			      const AVCodecContext *encoder, struct fvsr_error *err);
int fvsr_cli_part_writer_packet(struct fvsr_cli_part_writer *part, const AVPacket *packet,
				struct fvsr_error *err);
/* Adds the record and puts the part in its place. */
int fvsr_cli_part_writer_commit(struct fvsr_cli_part_writer *part, const json_t *record,
				struct fvsr_error *err);
/* Removes what was not committed. */
void fvsr_cli_part_writer_close(struct fvsr_cli_part_writer *part);

struct fvsr_cli_part_reader {
	FILE *file;
	const char *path;
	uint64_t left; /* bytes before the record that have not been read */
	enum AVCodecID codec;
	int width, height;
	AVRational time_base;
	uint8_t *extradata;
	size_t extradata_bytes;
	json_t *record;
};

/*
 * Opens the part 'path', which must outlive the reader, checks its sum, which reads all of it, and
 * stands before its first packet. FVSR_ERR_IO: not there; FVSR_ERR_FORMAT: damaged. Close it also
 * after a failure.
 */
int fvsr_cli_part_reader_open(struct fvsr_cli_part_reader *part, const char *path,
			      struct fvsr_error *err);
/* The next packet, or FVSR_ERR_EOF. */
int fvsr_cli_part_reader_packet(struct fvsr_cli_part_reader *part, AVPacket *packet,
				struct fvsr_error *err);
void fvsr_cli_part_reader_close(struct fvsr_cli_part_reader *part);

#endif
