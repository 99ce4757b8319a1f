/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libfvsr: streaming video super-resolution with FlashVSR (arXiv 2510.12747).
 *
 * A model is opened once on a backend and shared; a stream upscales one video with it. Frames go
 * in one by one and come out one by one, in order, each exactly once, later than they went in:
 *
 *	struct fvsr_settings set;
 *	struct fvsr_error err;
 *	fvsr_model *model;
 *	fvsr_stream *stream;
 *
 *	fvsr_settings_default(&set);
 *	set.in_width = 320, set.in_height = 180, set.out_width = 1280, set.out_height = 720;
 *	if (fvsr_model_open(&model, "model.safetensors", NULL, &err) < 0 ||
 *	    fvsr_stream_open(&stream, model, &set, &err) < 0)
 *		return fail(err.text);
 *	while (have_input) {
 *		fvsr_stream_send(stream, in);                   // copies; 'in' stays yours
 *		while (fvsr_stream_receive(stream, out) == 0)   // FVSR_ERR_AGAIN: send more
 *			show(out);
 *	}
 *	fvsr_stream_end(stream);                                // no more frames will come
 *	while (fvsr_stream_receive(stream, out) == 0)           // FVSR_ERR_EOF: all are out
 *		show(out);
 *
 * Threads: a model may be used by any number of threads at once. A stream or a frame belongs to
 * one thread at a time; two streams never disturb one another. Functions that take neither may be
 * called from any thread. Nothing here keeps global state.
 *
 * Errors: functions return 0 (or a count) on success and a negative FVSR_ERR_* code otherwise.
 * Functions that can fail in more ways than a code says also fill a struct fvsr_error, which may
 * be NULL. Results that go through a pointer are set on success only, unless it is said otherwise.
 * The library never exits, aborts or writes to the terminal.
 *
 * Ownership: what a function creates is the caller's, to be freed by the function named for it.
 * What a function is given stays the caller's and is not kept, unless it is said otherwise. A
 * pointer may be NULL only where it is said. Texts are UTF-8.
 *
 * Structures grow at their end. One that the caller fills begins with its ..._default() function,
 * or where there is none with zeros (a designated initialiser will do): in a field that was added
 * later, what these leave there means what the library did before. Library and caller are compiled
 * with the same version of this header, so sizes are not passed.
 *
 * Sections named in comments are those of docs/network.md.
 */
#ifndef FVSR_FVSR_H
#define FVSR_FVSR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32) && defined(FVSR_SHARED)
#ifdef FVSR_BUILDING
#define FVSR_API __declspec(dllexport)
#else
#define FVSR_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define FVSR_API __attribute__((visibility("default")))
#else
#define FVSR_API
#endif

/*
 * The version of this interface, which is not that of the library (fvsr_version()). The minor one
 * grows when functions, values of enumerations or fields at the end of structures are added: what
 * was written for a lower one compiles and means the same. The major one grows, and the minor one
 * begins at 0, when something is taken away or changes its meaning, be it a default.
 */
#define FVSR_API_MAJOR 1
#define FVSR_API_MINOR 1

/* ------------------------------------------------------------------------------------------- */
/* Errors, log, version                                                                        */

enum fvsr_result {
	FVSR_OK = 0,
	FVSR_ERR_AGAIN = -1,       /* receive: send more frames first; send: receive first */
	FVSR_ERR_EOF = -2,         /* receive: every frame has come out; send: after end */
	FVSR_ERR_ARGUMENT = -3,    /* the caller broke a rule of this header */
	FVSR_ERR_MEMORY = -4,      /* host or device memory ran out */
	FVSR_ERR_IO = -5,          /* a file cannot be read or written */
	FVSR_ERR_FORMAT = -6,      /* a file is not what it should be */
	FVSR_ERR_UNSUPPORTED = -7, /* understood, but not possible with this model or backend */
	FVSR_ERR_BACKEND = -8,     /* no such backend, or its device failed; close the stream */
	FVSR_ERR_CANCELLED = -9,   /* a progress callback or an interruption asked to stop */
};

/* Why a call failed, for a person: one line, UTF-8, no newline. */
struct fvsr_error {
	char text[512];
};

enum fvsr_log_level {
	FVSR_LOG_ERROR = 1,
	FVSR_LOG_WARNING = 2,
	FVSR_LOG_INFO = 3,
	FVSR_LOG_DEBUG = 4,
};

/*
 * Where messages go. 'write' may be called from any thread that uses the model or a stream of it;
 * 'text' is one line without newline and valid only during the call. write == NULL: nowhere.
 */
struct fvsr_log {
	void (*write)(void *opaque, enum fvsr_log_level level, const char *text);
	void *opaque;
};

/*
 * Work done and to do, in the same unit (bytes, elements). 'report' is called by the function that
 * was given it, on the caller's thread; 'what' is a word for the work, valid only during the call.
 * It returns false to cancel. report == NULL: nobody asks.
 */
struct fvsr_progress {
	bool (*report)(void *opaque, uint64_t done, uint64_t total, const char *what);
	void *opaque;
};

/*
 * A caller with calls of its own to a GPU's driver, which must not wait for locks that the engine
 * holds there. 'held' is asked before each operation, from any thread that computes: while it says
 * true nothing new is begun, for 2 ms at most. held == NULL: never.
 */
struct fvsr_hold {
	bool (*held)(void *opaque);
	void *opaque;
};

/* Returns the library's version, "1.2.3", a static string. */
FVSR_API const char *fvsr_version(void);
/* Returns a short English phrase for an FVSR_ERR_* code, a static string. */
FVSR_API const char *fvsr_result_text(int result);

/* ------------------------------------------------------------------------------------------- */
/* Backends                                                                                    */

/* What runs the network. 'name' is what settings and command lines use. */
struct fvsr_backend_info {
	char name[16];    /* "cpu-plain", "cpu" (oneDNN), "cuda" */
	char device[128]; /* "AMD EPYC, 2 threads", "NVIDIA H200, 139 GiB"; empty if unavailable */
	bool available;
	char reason[256]; /* when not available: why, for a person */
};

/*
 * Describes backend 'index' (0, 1, ...; best first). Backends that this build or machine lacks are
 * listed too, with the reason. FVSR_ERR_EOF past the last one; FVSR_ERR_ARGUMENT without 'info'.
 */
FVSR_API int fvsr_backend_describe(unsigned index, struct fvsr_backend_info *info);

/* ------------------------------------------------------------------------------------------- */
/* Models                                                                                      */

typedef struct fvsr_model fvsr_model;

enum fvsr_lq_version {
	FVSR_LQ_MODEL = 0, /* what the model says */
	FVSR_LQ_V1 = 1,    /* projection caches of FlashVSR v1 */
	FVSR_LQ_V1_1 = 2,  /* projection caches of FlashVSR v1.1 */
};

/*
 * Every dimension of the network; nothing is fixed to the released values (in brackets). A model
 * with trunks has their three fields and nothing of the rest, which is 0, but for 'prompts', which
 * is 1, 'residual', which is true, and 'lq_version', which means nothing.
 */
struct fvsr_config {
	int dim;             /* [1536] width of a token */
	int num_heads;       /* [12] dim / num_heads = head_dim, even */
	int num_layers;      /* [30] */
	int ffn_dim;         /* [8960] */
	int in_dim, out_dim; /* [16, 16] latent channels; equal */
	int text_dim;        /* [4096] width of a prompt token */
	int text_len;        /* [512] prompt tokens */
	int prompts;         /* [1] prompt i is for enlarging 2 + i times; the last also for more */
	int freq_dim;        /* [256] sinusoid of the timestep */
	int lq_hidden1;      /* [2048] channels after the projection's first convolution */
	int lq_hidden2;      /* [3072] after its second */
	int lq_layers;       /* [1] layers that receive projected tokens */
	int dec_levels;      /* [4] 2 to 4: the decoder ends at 1/4, 1/2 or 1/1 of the canvas */
	int dec_channels[4]; /* [512, 256, 128, 128] at 1/8, 1/4, 1/2, 1/1; 0 beyond dec_levels */
	int dec_blocks[3];   /* [3, 3, 3] MemBlocks at 1/8, 1/4, 1/2; those of levels there are */
	/* Trunks, one for each of these scales (2 to 4, ascending, then 0): channels and blocks. */
	int trunk_scales[3];             /* [0, 0, 0] */
	int trunk_channels[3];           /* [0, 0, 0] multiples of 8 */
	int trunk_blocks[3];             /* [0, 0, 0] */
	enum fvsr_lq_version lq_version; /* [v1.1] never FVSR_LQ_MODEL in a model */
	bool dec_depth_to_space;         /* [false] upsample by depth-to-space instead of nearest */
	bool residual;                   /* [false] picture = canvas + decoded instead of decoded */
};

struct fvsr_model_options {
	const char *backend;  /* NULL or "auto": the best available one; else a backend's name */
	int threads;          /* CPU threads, 0: as many as the machine has */
	bool allow_directory; /* also take a released directory, imported to memory */
	/*
	 * Which GPU is preferred, as CUDA counts them: the one that has the pictures, for frames in
	 * its memory. -1, or one that cannot do it: the first that can.
	 */
	int card;
	/* On a GPU: give way to all other work there (streams of the lowest priority). */
	bool background;
	struct fvsr_hold hold;
	struct fvsr_log log;
	struct fvsr_progress progress;
};

struct fvsr_model_info {
	struct fvsr_config config;
	char name[128];      /* from the file's metadata, may be empty */
	char backend[16];    /* what it was opened on */
	int card;            /* the GPU, as CUDA counts them; -1: none */
	uint64_t parameters; /* number of weights */
	uint64_t host_bytes; /* memory the opened model holds */
	uint64_t device_bytes;
};

/* Sets all fields to their defaults: best backend, all threads, no directory, any card, no log. */
FVSR_API void fvsr_model_options_default(struct fvsr_model_options *options);

/*
 * Opens a model on a backend and computes all that is constant for it. 'spec' is a packed file,
 * "synth:full:SEED" or "synth:CONFIG.json:SEED" (weights from a formula, for tests and
 * benchmarks) or, when allowed, a directory of released files. 'options' may be NULL: the defaults.
 * Strings and structures of the options are copied; what log.opaque and hold.opaque point to must
 * outlive the model. Takes seconds and may be cancelled through options->progress.
 * FVSR_ERR_BACKEND: no such backend, or it is not available. FVSR_ERR_IO, FVSR_ERR_FORMAT: the
 * files. FVSR_ERR_MEMORY: host or device. FVSR_ERR_UNSUPPORTED: more than 64 projection layers.
 */
FVSR_API int fvsr_model_open(fvsr_model **out, const char *spec,
			     const struct fvsr_model_options *options, struct fvsr_error *err);
/* Adds an owner and returns 'model'. Any thread. */
FVSR_API fvsr_model *fvsr_model_ref(fvsr_model *model);
/*
 * Takes an owner away; the last one frees the model. NULL is allowed. Streams are owners of their
 * own. Any thread.
 */
FVSR_API void fvsr_model_unref(fvsr_model *model);
/* Copies what is known of a model. Any thread. */
FVSR_API void fvsr_model_describe(const fvsr_model *model, struct fvsr_model_info *info);
/*
 * Tells whether opening the model 'spec' would read the existing file 'path', however either is
 * spelled and whatever links lead there: a packed file, one of a released directory, or the
 * configuration of a "synth:" model. Whoever writes to 'path' would destroy it.
 */
FVSR_API bool fvsr_model_reads(const char *spec, const char *path);

enum fvsr_pack_type {
	FVSR_PACK_BF16 = 1,
	FVSR_PACK_F32 = 2,
};

struct fvsr_import_options {
	enum fvsr_pack_type type;        /* BF16 by default */
	enum fvsr_lq_version lq_version; /* FVSR_LQ_MODEL: by hash, v1.1 where unknown */
	const char *name;                /* written to the metadata, may be NULL */
	struct fvsr_log log;             /* reports recognised and unknown files */
	struct fvsr_progress progress;   /* in bytes that are read, of a "synth:" model written */
};

/* Sets all fields to their defaults: BF16, version by hash, no name, no log. */
FVSR_API void fvsr_import_options_default(struct fvsr_import_options *options);

/*
 * Reads a released directory (or a "synth:" model), each file once, and writes one packed file.
 * 'options' may be NULL: the defaults. The file appears under its name only when it is complete; on
 * any failure or cancellation nothing is left, and an earlier file stays. FVSR_ERR_ARGUMENT when
 * 'packed_path' is one of the files that are read. FVSR_ERR_FORMAT also for a mixture of releases:
 * transformer and projection must be of one as far as their sums tell, or options->lq_version says
 * which version they are. FVSR_ERR_IO, FVSR_ERR_MEMORY, FVSR_ERR_CANCELLED.
 */
FVSR_API int fvsr_import(const char *source, const char *packed_path,
			 const struct fvsr_import_options *options, struct fvsr_error *err);

/*
 * Computes the SHA-256 of a file, as 64 lower-case digits and a NUL, to check what was downloaded.
 * 'progress', in bytes, may be NULL. FVSR_ERR_IO, FVSR_ERR_MEMORY, FVSR_ERR_CANCELLED.
 */
FVSR_API int fvsr_file_sha256(const char *path, char text[65], const struct fvsr_progress *progress,
			      struct fvsr_error *err);

/* ------------------------------------------------------------------------------------------- */
/* Frames                                                                                      */

typedef struct fvsr_frame fvsr_frame;

enum fvsr_format {
	FVSR_FORMAT_RGBA8 = 1, /* bytes R, G, B, A; straight alpha */
	FVSR_FORMAT_BGRA8 = 2, /* bytes B, G, R, A */
	/*
	 * Three float planes R, G, B in [-1, 1], each height x stride. On the way in it is the
	 * canvas itself (already output size, not scaled; clamped, NaN counts as -1); on the way
	 * out the corrected picture before rounding. For verification and for callers with their
	 * own scaler.
	 */
	FVSR_FORMAT_RGBF32P = 3,
};

enum fvsr_memory {
	FVSR_MEMORY_HOST = 1,
	FVSR_MEMORY_CUDA_POINTER = 2, /* 'data' is a CUdeviceptr */
	FVSR_MEMORY_CUDA_ARRAY = 3,   /* 'data' is a CUarray (a mapped texture) */
};

/* Where the pixels of a frame are. */
struct fvsr_picture {
	enum fvsr_format format;
	enum fvsr_memory memory;
	int width, height; /* px */
	size_t stride;     /* bytes from a row to the next; ignored for CUDA arrays */
	void *data;        /* first row; freed by libfvsr only if fvsr_frame_create made it */
	void *queue; /* device memory: the CUstream that its content is ordered on; may be NULL */
};

/*
 * Creates a frame with host memory of its own, all zero, whose stride is the tightest multiple of
 * 64 bytes. FVSR_ERR_ARGUMENT: no size or an unknown format. FVSR_ERR_MEMORY.
 */
FVSR_API int fvsr_frame_create(fvsr_frame **out, enum fvsr_format format, int width, int height);
/*
 * Creates a frame over the caller's memory, which must outlive it; 'picture' is copied.
 * FVSR_ERR_ARGUMENT, FVSR_ERR_MEMORY.
 */
FVSR_API int fvsr_frame_wrap(fvsr_frame **out, const struct fvsr_picture *picture);
/*
 * Points a wrapped frame at other memory; allocates nothing. FVSR_ERR_ARGUMENT for a frame that
 * was created or that adopted its memory.
 */
FVSR_API int fvsr_frame_rewrap(fvsr_frame *frame, const struct fvsr_picture *picture);
/*
 * Creates a frame that takes over memory of the caller's making: fvsr_frame_destroy() calls
 * release(opaque, picture), on whatever thread that is. On failure the memory stays the caller's.
 * FVSR_ERR_ARGUMENT, FVSR_ERR_MEMORY.
 */
FVSR_API int fvsr_frame_adopt(fvsr_frame **out, const struct fvsr_picture *picture,
			      void (*release)(void *opaque, const struct fvsr_picture *picture),
			      void *opaque);
/* Frees a frame, and its memory unless it was wrapped. NULL is allowed. */
FVSR_API void fvsr_frame_destroy(fvsr_frame *frame);
/* Returns where the frame's pixels are; valid until the frame is destroyed or pointed elsewhere. */
FVSR_API const struct fvsr_picture *fvsr_frame_picture(const fvsr_frame *frame);
/* Sets a number of the caller's (a timestamp) that travels with the frame through a stream. */
FVSR_API void fvsr_frame_set_tag(fvsr_frame *frame, int64_t tag);
/* Returns that number; 0 when none was set. */
FVSR_API int64_t fvsr_frame_tag(const fvsr_frame *frame);

/* ------------------------------------------------------------------------------------------- */
/* Streams                                                                                     */

typedef struct fvsr_stream fvsr_stream;

enum fvsr_color {
	FVSR_COLOR_ADAIN = 1,   /* mean and deviation of each channel follow the canvas */
	FVSR_COLOR_WAVELET = 2, /* low frequencies follow the canvas */
	FVSR_COLOR_OFF = 3,
	/*
	 * What suits the model: off for a residual one, whose picture has the canvas's colours by
	 * its making (adain would take back contrast that it has restored), else adain.
	 */
	FVSR_COLOR_MODEL = 4,
};

enum fvsr_noise {
	FVSR_NOISE_NORMAL = 1,  /* standard normal, counter-based: the same on every backend */
	FVSR_NOISE_UNIFORM = 2, /* variance 1, uniform: the formula of the golden test streams */
};

struct fvsr_settings {
	int in_width, in_height;   /* px; each side from 16 to 16384 */
	int out_width, out_height; /* px; at least the input's, at most 16384 */
	enum fvsr_format in_format, out_format;
	/*
	 * How much the picture is enlarged, for models with a prompt for each scale: 2.0, 3.0, ...;
	 * 0: what the sizes say, or, where the input is a canvas (RGBF32P), 4. The bundled model
	 * was trained for these: a scale between looks best made with the next one and scaled down.
	 */
	double scale;
	double sparse_ratio; /* attention budget, above 0; 1.5 fast, 2.0 stable */
	int local_range;     /* attention window in blocks, 1 .. 1024; 9 sharper, 11 more stable */
	int kv_ratio;        /* slices kept from the past, 1 .. 8 */
	enum fvsr_color color;
	enum fvsr_noise noise;
	uint64_t seed;                   /* of the noise */
	enum fvsr_lq_version lq_version; /* FVSR_LQ_MODEL, or override the model's */
	/*
	 * Bytes on the device that the stream may take, 0: what is free there when it is opened.
	 * Where the whole does not fit, the decoder works on smaller parts, and then keys and
	 * values of as many layers as it takes live in host memory; the pictures stay the same, to
	 * the last bit, and take longer. On a CPU backend 0 is no limit.
	 */
	uint64_t memory_limit;
	/*
	 * Which frame of a video the first one sent is, a multiple of FVSR_CHUNK_FRAMES: for parts
	 * of a video that are upscaled by several streams. Noise and angles are then those of the
	 * whole video, so that what comes out after the cost's 'run_up' frames is, to the last bit,
	 * what one stream over all frames gives on that backend.
	 */
	int64_t first_frame;
};

/*
 * Sets all fields to their defaults: RGBA8 both ways, scale 0, sparse_ratio 2.0, local_range 11,
 * kv_ratio 3, the model's colour, normal noise of seed 0, no limit of memory, first_frame 0. The
 * sizes, which are 0 then, are the caller's to set.
 */
FVSR_API void fvsr_settings_default(struct fvsr_settings *settings);

/*
 * Which frames come out when, the same for every model without trunks; those give each frame when
 * it is sent (docs/network.md, section 11). The first chunk needs FVSR_FIRST_LATENCY frames and
 * gives FVSR_FIRST_CHUNK_FRAMES; each later one needs and gives FVSR_CHUNK_FRAMES more. Afterwards
 * a frame comes out by the time that FVSR_LATENCY frames, itself included, were sent.
 */
#define FVSR_FIRST_LATENCY      25
#define FVSR_LATENCY            12
#define FVSR_CHUNK_FRAMES       8
#define FVSR_FIRST_CHUNK_FRAMES 21
/* Calls of fvsr_stream_receive() that compute the first chunk's frames; of later ones one does. */
#define FVSR_FIRST_CHUNK_PARTS 3

/* What a stream costs, known before it is opened. */
struct fvsr_stream_cost {
	int first_latency; /* FVSR_FIRST_LATENCY; with trunks 1 */
	int latency;       /* FVSR_LATENCY; with trunks 1 */
	int chunk;         /* FVSR_CHUNK_FRAMES; with trunks 1 */
	/* px; out size padded to multiples of 128, for a trunk of 16 times its scale */
	int canvas_width, canvas_height;
	/*
	 * Of the stream alone, without the model and what the backend "cpu" keeps of its weights in
	 * other layouts (38 MiB for the bundled one).
	 */
	uint64_t host_bytes, device_bytes;
	/*
	 * The network's memory: so many frames at a stream's beginning depend on there being none
	 * before them. See first_frame of the settings.
	 */
	int run_up;
};

/*
 * Checks the settings as fvsr_stream_open() does and fills *cost without keeping anything. Errors
 * are those of fvsr_stream_open().
 */
FVSR_API int fvsr_stream_cost(const fvsr_model *model, const struct fvsr_settings *settings,
			      struct fvsr_stream_cost *cost, struct fvsr_error *err);

/*
 * Opens a stream, which becomes one more owner of the model; everything that it will ever need is
 * allocated here. 'settings' are copied. FVSR_ERR_ARGUMENT: the message says what is possible.
 * FVSR_ERR_MEMORY: the message says how much is needed. FVSR_ERR_BACKEND: the device.
 */
FVSR_API int fvsr_stream_open(fvsr_stream **out, fvsr_model *model,
			      const struct fvsr_settings *settings, struct fvsr_error *err);
/* Frees a stream; NULL is allowed. Waits for work in flight on a device. */
FVSR_API void fvsr_stream_close(fvsr_stream *stream);

/*
 * Gives the next frame, of in_width x in_height and in_format (or out size and RGBF32P). The
 * pixels are copied before it returns; device pixels are read in the order of picture.queue.
 * FVSR_ERR_AGAIN: the stream is full, receive first. FVSR_ERR_EOF: after fvsr_stream_end().
 * FVSR_ERR_ARGUMENT and FVSR_ERR_UNSUPPORTED, for a frame of another size, format or memory, leave
 * the stream as it was. Any other error is final: see fvsr_stream_receive().
 */
FVSR_API int fvsr_stream_send(fvsr_stream *stream, const fvsr_frame *frame);
/*
 * Says that no more frames will come: the rest comes out (the last one is repeated inside as
 * needed). FVSR_ERR_ARGUMENT without a stream.
 */
FVSR_API int fvsr_stream_end(fvsr_stream *stream);
/*
 * Takes the next frame into 'frame' (out_width x out_height, out_format, the caller's memory) and
 * copies its tag. Computes a chunk when one is due: on a CPU backend the call then takes as long
 * as the chunk. FVSR_ERR_AGAIN: send more. FVSR_ERR_EOF: all frames that went in are out.
 * FVSR_ERR_ARGUMENT and FVSR_ERR_UNSUPPORTED are as for fvsr_stream_send(). Any other error
 * (FVSR_ERR_BACKEND, FVSR_ERR_MEMORY, FVSR_ERR_CANCELLED) is final for the stream: close it, or
 * call fvsr_stream_reset().
 */
FVSR_API int fvsr_stream_receive(fvsr_stream *stream, fvsr_frame *frame);
/*
 * Wait for one frame in device memory, the last one sent or received, and for nothing that the
 * stream was given after it: until its pixels have been read, so that it may be overwritten, or
 * until they are all there. Only then may work that is not ordered on picture.queue, or another
 * thread, touch that memory. Frames in host memory need neither. Both return what failed meanwhile.
 */
FVSR_API int fvsr_stream_wait_sent(fvsr_stream *stream);
FVSR_API int fvsr_stream_wait_received(fvsr_stream *stream);
/* What fvsr_stream_receive() would do now. */
enum fvsr_next {
	FVSR_NEXT_NOTHING = 1, /* FVSR_ERR_AGAIN or FVSR_ERR_EOF */
	FVSR_NEXT_FRAME = 2,   /* a frame is ready */
	FVSR_NEXT_COMPUTE = 3, /* it computes first: the part that takes long */
};

/* Tells what the next call of fvsr_stream_receive() will do; nothing without a stream. */
FVSR_API enum fvsr_next fvsr_stream_next(const fvsr_stream *stream);
/*
 * Drops everything inside, also a final error; the next frame sent is frame 0 of a new video.
 * Allocates nothing.
 */
FVSR_API void fvsr_stream_reset(fvsr_stream *stream);
/*
 * Lets steady chunks, from the next one on, take 'chunk_ms' milliseconds (0: no longer than they
 * must, as at the start): the calls that compute a chunk of less work than that pause between its
 * pieces, and others on the same device get their turn.
 */
FVSR_API void fvsr_stream_set_budget(fvsr_stream *stream, double chunk_ms);
/*
 * Ends what the stream is computing, or computes next, within an operation of the network (a part
 * of a layer), and a pause within 10 ms, with FVSR_ERR_CANCELLED. Nothing but close and reset is
 * possible then. Any thread, which no other call on a stream allows; the stream must not be closed
 * meanwhile. NULL is allowed.
 */
FVSR_API void fvsr_stream_interrupt(fvsr_stream *stream);
/*
 * Changes the attention budget and the number of slices kept, from the next chunk on and without a
 * gap, for real-time callers that run late. FVSR_ERR_ARGUMENT, which changes nothing, when
 * 'sparse_ratio' is not above 0 or 'kv_ratio' is below 1 or above that of the settings.
 */
FVSR_API int fvsr_stream_set_effort(fvsr_stream *stream, double sparse_ratio, int kv_ratio);
/*
 * Returns the message behind the last error of a call on this stream; valid until the next call.
 */
FVSR_API const char *fvsr_stream_error(const fvsr_stream *stream);

/* Milliseconds per stage of the network; on a GPU with the pauses that fall into it. */
struct fvsr_timing {
	double ingest_ms; /* scaling to the canvas */
	double projection_ms;
	double transformer_ms;
	double decoder_ms;
	double trunk_ms; /* of a model with trunks, instead of the three before */
	double color_ms;
	double total_ms;  /* wall time of receiving, waits for received frames too, but no pauses */
	double paused_ms; /* see fvsr_stream_set_budget() */
	uint64_t chunks;  /* how many the figures sum up; with trunks as many frames make one */
	uint64_t frames;  /* how many frames came out of them */
};

/*
 * Fills sums over the chunks since the stream was opened or since the last call with 'restart'.
 * Waits for nothing: on a device the stages count once the frames that they made have been waited
 * for, by fvsr_stream_wait_received() or by receiving them into host memory.
 */
FVSR_API void fvsr_stream_timing(fvsr_stream *stream, struct fvsr_timing *timing, bool restart);

/*
 * Intermediate tensors, for verification. 'tensor' is called with float32 host data, row-major and
 * valid during the call, for each name that 'wants' accepts (NULL: all): lq_tokens (1, tokens,
 * dim), after_block0, mask_block0 (heads, query blocks, key blocks; 0 or 1), latent (1, c, f, H/8,
 * W/8), decoded.J and final.J (3, H, W), under the name "chunkK.NAME". Slows the stream down.
 * 'shape' has 'rank' entries.
 */
struct fvsr_tap {
	bool (*wants)(void *opaque, const char *name);
	void (*tensor)(void *opaque, const char *name, int rank, const int64_t *shape,
		       const float *data);
	void *opaque;
};

/*
 * Sets the tap of a stream, before the first frame only. 'tap' is copied; NULL removes it. Its
 * functions are called by fvsr_stream_receive(). FVSR_ERR_ARGUMENT, FVSR_ERR_MEMORY.
 */
FVSR_API int fvsr_stream_set_tap(fvsr_stream *stream, const struct fvsr_tap *tap);

/* ------------------------------------------------------------------------------------------- */
/* Parts on their own                                                                          */

/*
 * Scales 'src' to 'dst' as Pillow's bicubic does (Keys, a = -0.5, two passes of 8-bit values;
 * section 1). RGBA8 or BGRA8, the same for both, in host memory, of any sizes; 'dst' says where the
 * result goes. This is the definition; it runs on the calling thread. FVSR_ERR_ARGUMENT,
 * FVSR_ERR_MEMORY.
 */
FVSR_API int fvsr_bicubic(const struct fvsr_picture *src, const struct fvsr_picture *dst,
			  struct fvsr_error *err);

/*
 * Corrects the colours of one picture (section 8) on a backend ("cpu-plain", ...): 'picture', float
 * (3, height, width) in [-1, 1] without space between rows, is changed in place to follow 'canvas'
 * of the same shape. FVSR_ERR_ARGUMENT also for FVSR_COLOR_MODEL, since there is no model that
 * could choose. FVSR_ERR_BACKEND, FVSR_ERR_MEMORY.
 */
FVSR_API int fvsr_color_correct(const char *backend, enum fvsr_color color, int width, int height,
				float *picture, const float *canvas, struct fvsr_error *err);

/*
 * Fills 'out' with elements first .. first + count - 1 of the tensor 'name' of a golden stream:
 * uniform numbers of this mean and standard deviation that depend on name, seed and index alone.
 * docs/model-format.md has the formula, under "Synthetic models".
 */
FVSR_API void fvsr_test_noise(const char *name, uint64_t seed, uint64_t first, size_t count,
			      double mean, double std, float *out);

/* A safetensors file, read-only: golden streams, packed models. Threads may share an open one. */
typedef struct fvsr_tensors fvsr_tensors;

struct fvsr_tensor_info {
	const char *name;  /* valid while the file is open */
	const char *dtype; /* "F32", "BF16", "F16", "U8", ... */
	int rank;
	int64_t shape[5];
	const void *data; /* little-endian, row-major, maybe unaligned; NULL in files with more
			     than 1 GiB of data, which are only described */
	size_t bytes;
};

/* Opens a file, whose data are read to memory up to 1 GiB. FVSR_ERR_IO, _FORMAT, _MEMORY. */
FVSR_API int fvsr_tensors_open(fvsr_tensors **out, const char *path, struct fvsr_error *err);
/* Closes a file. NULL is allowed. */
FVSR_API void fvsr_tensors_close(fvsr_tensors *file);
/* Describes tensor 'index' (0, 1, ...; in file order). FVSR_ERR_EOF past the last. */
FVSR_API int fvsr_tensors_get(const fvsr_tensors *file, size_t index,
			      struct fvsr_tensor_info *info);
/* Returns the value of a key of __metadata__, valid while the file is open, or NULL. */
FVSR_API const char *fvsr_tensors_metadata(const fvsr_tensors *file, const char *key);
/* Gives key and value of entry 'index' of it, valid as long. FVSR_ERR_EOF past the last. */
FVSR_API int fvsr_tensors_metadata_at(const fvsr_tensors *file, size_t index, const char **key,
				      const char **value);
/*
 * Converts 'count' elements from 'first' on to float32. FVSR_ERR_UNSUPPORTED for types other than
 * F64, F32, BF16, F16, U8 and BOOL, or without data; FVSR_ERR_ARGUMENT for elements that there are
 * not.
 */
FVSR_API int fvsr_tensor_to_f32(const struct fvsr_tensor_info *info, size_t first, size_t count,
				float *out);

#ifdef __cplusplus
}
#endif

#endif
