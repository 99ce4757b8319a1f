/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the container's bytes go. A file is written through model/new_file.h, so that an earlier
 * one stays until the new one is complete; with it some of the disk is kept back: when the disk
 * is full, that is room for the index without which most players cannot open the file.
 */
#include "media.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavutil/avstring.h>

#include "platform.h"
#include "target.h"

#define BUFFER_BYTES  (256 * 1024)
#define RESERVE_BYTES ((uint64_t)1 << 20) /* kept back at first, and in steps of */
#define PACKET_BYTES  32                  /* what a packet's entries in MP4's tables take */

#if LIBAVFORMAT_VERSION_MAJOR >= 61
#define WRITTEN const uint8_t
#else
#define WRITTEN uint8_t
#endif

static int write_all(void *opaque, WRITTEN *data, int bytes)
{
	struct fvsr_media_sink *sink = opaque;
	int done = 0;

	while (done < bytes) {
		ssize_t n = write(fvsr_new_file_handle(sink->file), data + done,
				  (size_t)(bytes - done));
		if (n > 0) {
			done += (int)n;
		} else if (n < 0 && errno == ENOSPC && !sink->full) {
			sink->full = true;
			fvsr_new_file_release(sink->file);
		} else if (n == 0 || errno != EINTR) {
			return n == 0 ? AVERROR(ENOSPC) : AVERROR(errno);
		}
	}
	return bytes;
}

static int64_t seek(void *opaque, int64_t offset, int whence)
{
	struct fvsr_media_sink *sink = opaque;
	int handle = fvsr_new_file_handle(sink->file);
	struct stat st;
	off_t at;

	if (whence & AVSEEK_SIZE)
		return fstat(handle, &st) < 0 ? AVERROR(errno) : (int64_t)st.st_size;
	at = lseek(handle, (off_t)offset, whence & ~AVSEEK_FORCE);
	return at < 0 ? AVERROR(errno) : (int64_t)at;
}

static bool is_sequence(const AVOutputFormat *format, const char *path)
{
	return strcmp(format->name, "image2") == 0 && av_filename_number_test(path);
}

/* Names of the network, and "pipe:1". What is no name of a protocol is a file. */
static bool is_protocol(const char *path)
{
	const char *name = avio_find_protocol_name(path);

	return name && strcmp(name, "file") != 0;
}

int fvsr_media_sink_open(struct fvsr_media_sink *sink, const char *path,
			 const AVOutputFormat *format, struct fvsr_error *err)
{
	*sink = (struct fvsr_media_sink){.path = path, .url = path};
	sink->sequence = is_sequence(format, path);
	sink->single_picture = strcmp(format->name, "image2") == 0 && !sink->sequence;
	if (fvsr_cli_is_standard(path)) {
		sink->url = "pipe:1";
		if (format->flags & AVFMT_NOFILE)
			return fvsr_media_fail(err, 0, "container '%s' cannot go to a pipe",
					       format->name);
		return FVSR_OK;
	}
	av_strstart(path, "file:", &sink->url);
	/* Containers of many files open and name these themselves. */
	if (sink->sequence || is_protocol(path) || fvsr_platform_is_special(sink->url) ||
	    ((format->flags & AVFMT_NOFILE) && !sink->single_picture))
		return FVSR_OK;
	return fvsr_new_file_create(&sink->file, sink->url, err);
}

static int connect_file(struct fvsr_media_sink *sink, AVFormatContext *format)
{
	uint8_t *buffer = av_malloc(BUFFER_BYTES);

	if (buffer)
		format->pb =
			avio_alloc_context(buffer, BUFFER_BYTES, 1, sink, NULL, write_all, seek);
	if (!format->pb) {
		av_free(buffer);
		return AVERROR(ENOMEM);
	}
	fvsr_media_sink_grow(sink, 0);
	return 0;
}

int fvsr_media_sink_connect(struct fvsr_media_sink *sink, AVFormatContext *format)
{
	char *url;

	if (sink->single_picture && sink->file) {
		/* It opens the file itself, by the name that it is told. */
		url = av_strdup(fvsr_new_file_part(sink->file));
		if (!url)
			return AVERROR(ENOMEM);
		av_free(format->url);
		format->url = url;
		return 0;
	}
	if (format->oformat->flags & AVFMT_NOFILE)
		return 0;
	if (sink->file)
		return connect_file(sink, format);
	return avio_open2(&format->pb, sink->url, AVIO_FLAG_WRITE, NULL, NULL);
}

void fvsr_media_sink_grow(struct fvsr_media_sink *sink, uint64_t packets)
{
	uint64_t wanted = RESERVE_BYTES * (1 + packets * PACKET_BYTES / RESERVE_BYTES);

	if (!sink->file || sink->full || wanted <= sink->reserved)
		return;
	/* Where there is no room for more, what is kept back already is enough until now. */
	fvsr_new_file_reserve(sink->file, wanted);
	sink->reserved = wanted;
}

int fvsr_media_sink_disconnect(struct fvsr_media_sink *sink, AVFormatContext *format)
{
	int result = 0;

	if (!format || !format->pb || (format->oformat->flags & AVFMT_NOFILE))
		return 0;
	if (!sink->file)
		return avio_closep(&format->pb);
	avio_flush(format->pb);
	result = format->pb->error;
	av_freep(&format->pb->buffer);
	avio_context_free(&format->pb);
	return result;
}

int fvsr_media_sink_commit(struct fvsr_media_sink *sink, struct fvsr_error *err)
{
	struct fvsr_new_file *file = sink->file;

	sink->file = NULL;
	return file ? fvsr_new_file_commit(file, err) : FVSR_OK;
}

int fvsr_media_sink_keep(struct fvsr_media_sink *sink, char **kept, struct fvsr_error *err)
{
	struct fvsr_new_file *file = sink->file;

	sink->file = NULL;
	return fvsr_new_file_keep(file, kept, err);
}

void fvsr_media_sink_close(struct fvsr_media_sink *sink)
{
	fvsr_new_file_abort(sink->file);
	sink->file = NULL;
}

/* ------------------------------------------------------------------------------------------- */
/* Rows of pictures                                                                            */

static void name_picture(char *name, size_t size, const char *path, int number)
{
	if (av_get_frame_filename(name, (int)size, path, number) < 0)
		av_strlcpy(name, path, size);
}

bool fvsr_media_sequence_overlaps(const char *input, const char *output)
{
	bool row = av_filename_number_test(input);
	char from[4096], to[4096];

	for (int i = 0;; i++) {
		name_picture(from, sizeof(from), input, i);
		name_picture(to, sizeof(to), output, i);
		if (fvsr_same_file(from, to))
			return true;
		/* A row of pictures begins with number 0 to 4, or it is not found. */
		if (i > 4 && !fvsr_platform_readable(row ? from : to))
			return false;
	}
}
