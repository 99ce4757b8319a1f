/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Video files in and out through FFmpeg, as far as `fvsr upscale` needs them: decoded frames with
 * their timestamps, all other streams as packets to be copied, one encoded video stream.
 *
 * Functions that can fail return 0 or a negative FVSR_ERR_* and fill the error.
 */
#ifndef FVSR_TOOLS_MEDIA_H
#define FVSR_TOOLS_MEDIA_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>

#include "fvsr/fvsr.h"

/* Writes "what: FFmpeg's words for 'averror'" and returns FVSR_ERR_IO. */
int fvsr_media_fail(struct fvsr_error *err, int averror, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ------------------------------------------------------------------------------------------- */
/* Colour (media_color.c)                                                                      */

/* How YUV values stand for colours. 'space' and 'range' are never unspecified. */
struct fvsr_media_color {
	enum AVColorSpace space;
	enum AVColorRange range;
	enum AVColorPrimaries primaries;
	enum AVColorTransferCharacteristic transfer;
	enum AVChromaLocation chroma;
};

/*
 * The colour of a decoded frame. Untagged video is read as players read it: BT.601 up to 576
 * lines, else BT.709, limited range; RGB as it is. FVSR_ERR_UNSUPPORTED for HDR and for matrices
 * that cannot be converted.
 */
int fvsr_media_color_of(const AVFrame *frame, struct fvsr_media_color *color,
			struct fvsr_error *err);
/* The colour of pictures of 'format' encoded from video of colour 'source'. */
struct fvsr_media_color fvsr_media_color_for(enum AVPixelFormat format,
					     const struct fvsr_media_color *source);
/* A format whose name says full range (yuvj420p) as the plain one; sets *range then. */
enum AVPixelFormat fvsr_media_plain_format(enum AVPixelFormat format, enum AVColorRange *range);
bool fvsr_media_has_alpha(enum AVPixelFormat format);
int fvsr_media_depth(enum AVPixelFormat format);

/* Conversions to and from 8-bit RGBA; keeps its tables from frame to frame. Starts as zeros. */
struct fvsr_media_converter {
	struct SwsContext *sws;
	int src_width, src_height, dst_width, dst_height;
	enum AVPixelFormat src_format, dst_format;
	struct fvsr_media_color color;
};

/* 'frame' to RGBA of the picture's size (usually the frame's own). */
int fvsr_media_to_rgba(struct fvsr_media_converter *conv, const AVFrame *frame,
		       const struct fvsr_media_color *color, const struct fvsr_picture *rgba,
		       struct fvsr_error *err);
/* RGBA to 'frame' of the same size, whose format and buffers are set. */
int fvsr_media_from_rgba(struct fvsr_media_converter *conv, const struct fvsr_picture *rgba,
			 AVFrame *frame, const struct fvsr_media_color *color,
			 struct fvsr_error *err);
void fvsr_media_converter_free(struct fvsr_media_converter *conv);

/* ------------------------------------------------------------------------------------------- */
/* Input (media_input.c)                                                                       */

struct fvsr_media_input {
	AVFormatContext *format;
	AVCodecContext *decoder;
	AVStream *video;
	AVPacket *packet;
	/* Gets a packet of another stream; moves it out if it wants it. May be NULL. */
	void (*other)(void *opaque, AVPacket *packet);
	void *opaque;
	int64_t last_pts;
	bool draining;
	uint64_t frames;  /* decoded so far */
	uint64_t damaged; /* packets that could not be decoded */
	uint64_t retimed; /* frames whose timestamp was missing or not after the one before */
	int read_error;   /* AVERROR that ended reading before the end of the file, or 0 */
};

int fvsr_media_input_open(struct fvsr_media_input *in, const char *path, struct fvsr_error *err);
/*
 * The next frame, with pts (never missing, always growing) and duration in the video stream's
 * time base. 0, or FVSR_ERR_EOF; FVSR_ERR_CANCELLED after a signal.
 */
int fvsr_media_input_read(struct fvsr_media_input *in, AVFrame *frame);
void fvsr_media_input_close(struct fvsr_media_input *in);
/* How many frames the file says it has, 0 if it does not. */
uint64_t fvsr_media_input_frame_hint(const struct fvsr_media_input *in);
int64_t fvsr_media_frame_duration(const AVFrame *frame);

/* ------------------------------------------------------------------------------------------- */
/* Streams that are only copied (media_streams.c)                                              */

struct fvsr_media_waiting;

/* Packets wait here until the video has reached their time, so that a stop can cut them off. */
struct fvsr_media_streams {
	AVFormatContext *from, *to;
	int *map;       /* output stream of each input stream, -1: not copied */
	unsigned count; /* streams that the input had when it was opened */
	struct fvsr_media_waiting *first, *last;
	bool out_of_memory;
};

/* From here on packets are taken: those before the first picture wait for the output too. */
void fvsr_media_streams_init(struct fvsr_media_streams *streams, AVFormatContext *from);
/* Adds the copied streams, chapters and metadata to 'to'. Says what cannot be copied. */
int fvsr_media_streams_open(struct fvsr_media_streams *streams, AVFormatContext *to,
			    const AVStream *video, struct fvsr_error *err);
/* The 'other' callback of an input; 'opaque' is the struct fvsr_media_streams. */
void fvsr_media_streams_take(void *opaque, AVPacket *packet);
/* Writes the packets up to 'time' (AV_NOPTS_VALUE: all), in AV_TIME_BASE. An AVERROR or 0. */
int fvsr_media_streams_write(struct fvsr_media_streams *streams, int64_t time_us);
void fvsr_media_streams_close(struct fvsr_media_streams *streams);
/* What belongs to a stream beside its parameters: rotation, stereo layout, disposition, tags. */
int fvsr_media_copy_stream_properties(AVStream *to, const AVStream *from);

/* ------------------------------------------------------------------------------------------- */
/* Output (media_output.c)                                                                     */

struct fvsr_media_output_options {
	const char *codec;        /* NULL: H.264, or what the container is made for */
	const char *preset;       /* NULL: the encoder's own */
	const char *pixel_format; /* NULL: chosen */
	int crf;                  /* -1: the default */
};

#define FVSR_MEDIA_DURATIONS 1024

struct fvsr_media_output {
	AVFormatContext *format;
	AVCodecContext *encoder;
	AVStream *video;
	AVFrame *frame;
	AVPacket *packet;
	struct fvsr_media_streams streams;
	struct fvsr_media_converter converter;
	struct fvsr_media_color color;
	AVRational time_base; /* of the timestamps that it is given */
	/* Networks and encoders forget durations; they are found again by timestamp. */
	struct {
		int64_t pts, duration;
	} durations[FVSR_MEDIA_DURATIONS];
	uint64_t announced;
	uint64_t frames;
	int64_t end_us; /* when the last frame ends */
	bool started;
	bool alpha_lost;
};

/*
 * Prepares everything but the file: encoder, streams. 'first' is the input's first frame. *out is
 * zeros, but for 'streams', which has been taking packets already.
 */
int fvsr_media_output_open(struct fvsr_media_output *out, const char *path,
			   struct fvsr_media_input *in, const AVFrame *first,
			   const struct fvsr_media_color *color, int width, int height,
			   const struct fvsr_media_output_options *options, struct fvsr_error *err);
/* Creates the file. */
int fvsr_media_output_start(struct fvsr_media_output *out, struct fvsr_error *err);
/* How long the frame at 'pts' lasts, said before it is given. */
void fvsr_media_output_announce(struct fvsr_media_output *out, int64_t pts, int64_t duration);
int fvsr_media_output_frame(struct fvsr_media_output *out, const struct fvsr_picture *rgba,
			    int64_t pts, struct fvsr_error *err);
/* Completes the file. 'cut': the other streams end where the video does. */
int fvsr_media_output_finish(struct fvsr_media_output *out, bool cut, struct fvsr_error *err);
void fvsr_media_output_close(struct fvsr_media_output *out);

#endif
