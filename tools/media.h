/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Video files in and out through FFmpeg, as far as the commands need them: decoded frames with
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
#include "model/new_file.h"

/* Writes "what: FFmpeg's words for 'averror'" and returns FVSR_ERR_IO. */
int fvsr_media_fail(struct fvsr_error *err, int averror, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* FFmpeg's messages as this program's own: few while frames run, errors while things are opened. */
void fvsr_media_log(bool verbose, bool opening);
/* Keeps an encoder that prints by itself from doing so, unless the log is verbose. */
void fvsr_media_quiet_encoder(AVCodecContext *encoder);

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
/* Turned pictures (media_turn.c)                                                              */

/* Pixel (x, y) goes to (a x + c y, b x + d y), moved to where no coordinate is negative. */
struct fvsr_media_turn {
	int a, b, c, d;
};

/*
 * The display matrix of a video whose first frame is 'first', NULL: it has none. It belongs to the
 * stream or to the frame.
 */
const int32_t *fvsr_media_matrix(const AVStream *stream, const AVFrame *first);
/* True for containers that say how a video is to be turned. */
bool fvsr_media_carries_matrix(const AVOutputFormat *format);
/* False when the matrix is not made of quarter turns and mirrors; *turn is of no use then. */
bool fvsr_media_turn_of(const int32_t matrix[9], struct fvsr_media_turn *turn);
/* False when all pixels stay where they are. */
bool fvsr_media_turns(const struct fvsr_media_turn *turn);
/* True when width becomes height. */
bool fvsr_media_swaps_sides(const struct fvsr_media_turn *turn);
/*
 * Makes of a decoded frame the picture that is shown, RGBA8 of the turned size. 'unturned' has room
 * for it as the file has it; NULL where no picture is turned.
 */
int fvsr_media_to_shown(struct fvsr_media_converter *conv, const AVFrame *frame,
			const struct fvsr_media_color *color, const struct fvsr_media_turn *turn,
			fvsr_frame *unturned, const struct fvsr_picture *rgba,
			struct fvsr_error *err);

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
	int64_t skipped_us; /* time that has been skipped to */
	bool seeking;       /* packets are left out until one begins a picture without others */
	int64_t key_pts;    /* of that one */
	bool alpha_unseen;  /* the video has alpha, and no decoder for it is there */
	uint64_t frames;    /* decoded so far */
	uint64_t damaged;   /* packets that could not be decoded */
	uint64_t retimed;   /* frames whose timestamp was missing or not after the one before */
	int read_error;     /* AVERROR that ended reading before the end of the file, or 0 */
};

/* 'path' is what FFmpeg takes, or "-" for standard input. */
int fvsr_media_input_open(struct fvsr_media_input *in, const char *path, struct fvsr_error *err);
/*
 * The next frame, with pts (never missing, always growing) and duration in the video stream's
 * time base. 0, or FVSR_ERR_EOF; FVSR_ERR_CANCELLED after a signal.
 */
int fvsr_media_input_read(struct fvsr_media_input *in, AVFrame *frame);
void fvsr_media_input_close(struct fvsr_media_input *in);
/*
 * Goes on with the frame at 'first', or the first one behind that time, which is decoded into
 * 'frame'; the other streams are not read any more. *before is the time of the frame before it,
 * AV_NOPTS_VALUE: unknown. FVSR_ERR_EOF where there is none.
 */
int fvsr_media_input_seek(struct fvsr_media_input *in, int64_t first, AVFrame *frame,
			  int64_t *before, struct fvsr_error *err);
/*
 * Hands the packets of the other streams on up to 'time_us' and decodes nothing; the video cannot
 * be read afterwards. FVSR_ERR_CANCELLED after a signal.
 */
int fvsr_media_input_skip(struct fvsr_media_input *in, int64_t time_us);
/* Leaves all other streams unread. */
void fvsr_media_input_video_only(struct fvsr_media_input *in);
/* How many frames the file says it has, 0 if it does not. */
uint64_t fvsr_media_input_frame_hint(const struct fvsr_media_input *in);
int64_t fvsr_media_frame_duration(const AVFrame *frame);
/* How many pictures a player finds in a file that may be damaged or cut off; 0 also for none. */
uint64_t fvsr_media_readable_frames(const char *path);

/* ------------------------------------------------------------------------------------------- */
/* All frames of a video (media_scan.c)                                                        */

/* Times in the video stream's time base; key frames by number. */
struct fvsr_media_scan {
	int64_t *times; /* of every frame, ascending */
	int64_t frames;
	int64_t *keys; /* frames that others before them are not needed for, ascending */
	size_t num_keys;
};

/* Reads all packets of the video at 'path'; decodes none. Free it also after a failure. */
int fvsr_media_scan(struct fvsr_media_scan *scan, const char *path, struct fvsr_error *err);
void fvsr_media_scan_free(struct fvsr_media_scan *scan);
/*
 * Returns the first frame of a scene from 'from' to 'to' that is nearest to 'near', -1: there is no
 * cut. 'in' is an input of the same video, which is read on from another place afterwards.
 */
int64_t fvsr_media_find_cut(struct fvsr_media_input *in, const struct fvsr_media_scan *scan,
			    int64_t from, int64_t to, int64_t near);

/* ------------------------------------------------------------------------------------------- */
/* Subtitles in another codec (media_subtitles.c)                                              */

struct fvsr_media_subtitles;

/* What text subtitles of codec 'id' become in 'format'; AV_CODEC_ID_NONE: nothing. */
enum AVCodecID fvsr_media_subtitles_codec(const AVOutputFormat *format, enum AVCodecID id);
/* Sets up 'to'. Close *out also after a failure. Returns an AVERROR or 0. */
int fvsr_media_subtitles_open(struct fvsr_media_subtitles **out, const AVStream *from, AVStream *to,
			      enum AVCodecID id);
/*
 * Makes of a packet of 'from' one in AV_TIME_BASE. 1; 0 when there is no text in it or it cannot be
 * read; an AVERROR.
 */
int fvsr_media_subtitles_convert(struct fvsr_media_subtitles *subs, AVPacket *packet);
void fvsr_media_subtitles_close(struct fvsr_media_subtitles *subs);

/* ------------------------------------------------------------------------------------------- */
/* The other streams (media_streams.c)                                                         */

struct fvsr_media_waiting;

/* Packets wait here until the video has reached their time, so that a stop can cut them off. */
struct fvsr_media_streams {
	AVFormatContext *from, *to;
	int *map; /* output stream of each input stream, -1: left out */
	struct fvsr_media_subtitles **subtitles; /* of each input stream, NULL: copied as it is */
	unsigned count;                          /* streams that the input had when it was opened */
	struct fvsr_media_waiting *first, *last;
	uint64_t written; /* packets */
	bool out_of_memory;
};

/* From here on packets are taken: those before the first picture wait for the output too. */
void fvsr_media_streams_init(struct fvsr_media_streams *streams, AVFormatContext *from);
/* Adds the other streams, chapters and metadata to 'to'. Says what is left out. */
int fvsr_media_streams_open(struct fvsr_media_streams *streams, AVFormatContext *to,
			    const AVStream *video, struct fvsr_error *err);
/* The 'other' callback of an input; 'opaque' is the struct fvsr_media_streams. */
void fvsr_media_streams_take(void *opaque, AVPacket *packet);
/* Writes the packets up to 'time' (AV_NOPTS_VALUE: all), in AV_TIME_BASE. An AVERROR or 0. */
int fvsr_media_streams_write(struct fvsr_media_streams *streams, int64_t time_us);
void fvsr_media_streams_close(struct fvsr_media_streams *streams);
/* What belongs to a stream beside its parameters: stereo layout, disposition, tags. */
int fvsr_media_copy_stream_properties(AVStream *to, const AVStream *from);
int fvsr_media_add_side_data(AVStream *to, enum AVPacketSideDataType type, const void *data,
			     size_t size);

/* ------------------------------------------------------------------------------------------- */
/* Where the bytes go (media_sink.c)                                                           */

struct fvsr_media_sink {
	const char *path;           /* as it was given; "-" is standard output */
	const char *url;            /* what FFmpeg calls it */
	struct fvsr_new_file *file; /* NULL: not a file, or many */
	bool sequence;              /* numbered pictures */
	bool single_picture;        /* one picture */
	bool full;                  /* the disk: what was kept back has been given free */
	uint64_t reserved;
};

/* Begins the file, where it is one. 'path' must outlive the sink. */
int fvsr_media_sink_open(struct fvsr_media_sink *sink, const char *path,
			 const AVOutputFormat *format, struct fvsr_error *err);
/* Gives the container its output, and takes it away. AVERRORs. */
int fvsr_media_sink_connect(struct fvsr_media_sink *sink, AVFormatContext *format);
int fvsr_media_sink_disconnect(struct fvsr_media_sink *sink, AVFormatContext *format);
/* Keeps back what the index of so many packets takes. */
void fvsr_media_sink_grow(struct fvsr_media_sink *sink, uint64_t packets);
/* Puts a file that is complete in its place. */
int fvsr_media_sink_commit(struct fvsr_media_sink *sink, struct fvsr_error *err);
/* As fvsr_new_file_keep(), for a sink with a file. */
int fvsr_media_sink_keep(struct fvsr_media_sink *sink, char **kept, struct fvsr_error *err);
/* Removes a file that was neither committed nor kept. */
void fvsr_media_sink_close(struct fvsr_media_sink *sink);

/* True when a row of pictures named by the pattern 'output' would replace one of the input. */
bool fvsr_media_sequence_overlaps(const char *input, const char *output);

/* ------------------------------------------------------------------------------------------- */
/* Output (media_output.c)                                                                     */

struct fvsr_media_output_options {
	const char *container;    /* NULL: by the ending of the name */
	const char *codec;        /* NULL: H.264, or what the container is made for */
	const char *preset;       /* NULL: the encoder's own */
	const char *pixel_format; /* NULL: chosen */
	int crf;                  /* -1: the default */
};

/* What the encoder is to make of the input. */
struct fvsr_media_picture {
	int width, height;
	const AVFrame *first; /* the input's first frame */
	const struct fvsr_media_color *color;
	bool alpha;
	bool swapped;          /* the sides of its pixels, as its pictures were turned */
	const int32_t *matrix; /* how the output is to be turned; NULL: not at all */
};

#define FVSR_MEDIA_DURATIONS 1024

struct fvsr_media_output {
	AVFormatContext *format;
	AVCodecContext *encoder;
	AVStream *video;
	AVFrame *frame;
	AVPacket *packet;
	struct fvsr_media_sink sink;
	struct fvsr_media_streams streams;
	struct fvsr_media_converter converter;
	struct fvsr_media_color color;
	AVRational time_base; /* of the timestamps that it is given */
	/*
	 * Gets the encoder's packets in the encoder's time base; the container then gets nothing,
	 * and only says how to encode. Set before it is opened; NULL: they go to the container.
	 */
	int (*take)(void *opaque, const AVPacket *packet, struct fvsr_error *err);
	void *take_opaque;
	/* Networks and encoders forget durations; they are found again by timestamp. */
	struct {
		int64_t pts, duration;
	} durations[FVSR_MEDIA_DURATIONS];
	uint64_t announced;
	uint64_t frames;  /* given to the encoder */
	uint64_t written; /* that have come out of it, and went to the container */
	int64_t end_us;   /* when the last frame ends */
	bool started;
	bool copying; /* coded packets are given, and the encoder gets nothing */
	bool alpha_lost;
};

/* The container that 'path' or the options name; NULL with *err. */
const AVOutputFormat *fvsr_media_output_container(const char *path,
						  const struct fvsr_media_output_options *options,
						  struct fvsr_error *err);
/*
 * Prepares encoder, streams and the file, which has nothing in it yet. *out is zeros, but for
 * 'streams', which has been taking packets already, and 'take'.
 */
int fvsr_media_output_open(struct fvsr_media_output *out, const char *path,
			   const AVOutputFormat *container, struct fvsr_media_input *in,
			   const struct fvsr_media_picture *picture,
			   const struct fvsr_media_output_options *options, struct fvsr_error *err);
/* Writes the beginning. */
int fvsr_media_output_start(struct fvsr_media_output *out, struct fvsr_error *err);
/* How long the frame at 'pts' lasts, said before it is given. */
void fvsr_media_output_announce(struct fvsr_media_output *out, int64_t pts, int64_t duration);
int fvsr_media_output_frame(struct fvsr_media_output *out, const struct fvsr_picture *rgba,
			    int64_t pts, struct fvsr_error *err);
/*
 * Writes a packet of the video that another encoder of this kind has made, in its time base; it is
 * emptied. Instead of frames, not beside them.
 */
int fvsr_media_output_packet(struct fvsr_media_output *out, AVPacket *packet,
			     struct fvsr_error *err);
/*
 * Completes what is in the file, as far as that goes on a full disk. 'cut': the other streams end
 * where the video does. The sink then has the file still, to be committed or kept.
 */
int fvsr_media_output_finish(struct fvsr_media_output *out, bool cut, struct fvsr_error *err);
void fvsr_media_output_close(struct fvsr_media_output *out);

#endif
