/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a job, without OBS. A session decides when the engine gets a job, when the job is
 * replaced and when it ends, which picture goes to the engine, which of the engine's frames is
 * shown, and how late. It owns the job and the worker that computes it.
 *
 * The filter tells a session what happens (struct session_event) and does what the session answers
 * (struct session_answer) with OBS's sources, textures and sound. The events of one picture are
 * SESSION_TICK, then, if the source is drawn, SESSION_PICTURE; where that answer says that the
 * network's picture is shown, the filter carries frames and reports them with SESSION_CARRIED.
 *
 * For the graphics thread, except where a function says otherwise. All times are in nanoseconds.
 */
#ifndef FLASHVSR_SESSION_H
#define FLASHVSR_SESSION_H

#include "session/settings.h"
#include "session/worker.h"
#include "transport/choice.h"

struct session;

enum session_phase {
	PHASE_HIDDEN = 1, /* not drawn at the moment */
	PHASE_NO_PICTURE, /* the source has no size yet */
	PHASE_UNFIT,      /* too small, or the result too large */
	PHASE_REACHED,    /* large enough already */
	PHASE_HDR,        /* bicubic: the network knows no high dynamic range */
	PHASE_STARTING,   /* bicubic until the first upscaled frame */
	PHASE_UPSCALING,
	PHASE_BEHIND,   /* bicubic until the worker has caught up */
	PHASE_TOO_SLOW, /* bicubic: slower than the user's limit */
	PHASE_PINNED,   /* bicubic: the user's choice */
	PHASE_FAILED,   /* bicubic: the worker's status says why */
};

/* ---- what happens -------------------------------------------------------------------------- */

enum session_event_kind {
	SESSION_SETTINGS = 1, /* the settings were read, changed or not */
	SESSION_TICK,         /* OBS begins a picture, whether or not the source is drawn in it */
	SESSION_PICTURE,      /* the source is drawn in it */
	SESSION_CARRIED,      /* what the answer to SESSION_PICTURE asked for is done */
};

struct session_event {
	enum session_event_kind kind;
	int64_t now; /* OBS's time of the picture; not of SESSION_SETTINGS */

	/* SESSION_SETTINGS: */
	const struct session_settings *settings; /* copied */
	bool afresh; /* what was learned and promised is forgotten, whatever has changed */

	/* SESSION_PICTURE: */
	struct sizes sizes;
	int64_t tick_ns;     /* between two pictures of OBS */
	bool hdr;            /* source and canvas have a high dynamic range */
	bool jumped;         /* the source's time did, as in a seek */
	const char *trouble; /* why the transport at hand has ceased to work; NULL: it works */

	/* SESSION_CARRIED: */
	bool shown; /* the frame that was due is what is shown now */
	bool ready; /* what is shown has the output's size */
};

/* ---- what to do ---------------------------------------------------------------------------- */

enum session_view {
	SESSION_VIEW_SOURCE = 1, /* the source's own picture is passed on */
	SESSION_VIEW_HDR,        /* bicubic, in high dynamic range */
	SESSION_VIEW_NETWORK,    /* the network's picture, or bicubic in its place */
};

struct session_answer {
	/* To SESSION_TICK: the source is hidden, its past pictures are not needed any more. */
	bool forget;

	/* To SESSION_PICTURE: */
	enum session_view view;
	bool carry;            /* of SESSION_VIEW_NETWORK: frames are to be carried both ways */
	const fvsr_frame *due; /* the frame to be shown, until SESSION_CARRIED; NULL: none */
	int64_t due_ns;        /* when 'due' was the source's picture */

	/* To SESSION_CARRIED, and with the other views to SESSION_PICTURE: */
	int64_t delay_ns;       /* of what is shown; 0: none */
	int64_t sound_delay_ns; /* that the sound needs to go with it */
	bool take;              /* this picture goes to the engine */
	bool bicubic;           /* a bicubic picture is to be shown */
	bool keep;              /* past pictures are kept ... */
	int64_t keep_ns;        /* ... for so long */
};

/* ---- a session ----------------------------------------------------------------------------- */

/* What only the filter has, because it takes OBS's graphics. */
struct session_host {
	/*
	 * Provides an empty transport of this kind and what makes its frames. Called within
	 * session_handle(). False when there is none, and 'reason' says why.
	 */
	bool (*provide)(void *opaque, const struct transport_request *wanted,
			struct frame_maker *maker, char *reason, size_t reason_size);
	void *opaque;
};

struct session_setup {
	struct fvsr_log log; /* also written to by the worker's thread */
	struct model_pool *pool;
	struct session_host host;
	int card;        /* that OBS renders on, as CUDA counts them; -1: none */
	int64_t tick_ns; /* between two pictures of OBS */
};

/* NULL when there is no memory or the worker's thread cannot start. Any thread. */
struct session *session_create(const struct session_setup *setup);
/* Waits for the worker to stop. NULL is allowed. Any thread. */
void session_destroy(struct session *session);

/* The one entry: takes what happened and answers what to do. */
void session_handle(struct session *session, const struct session_event *event,
		    struct session_answer *answer);

/*
 * Returns the frame that the next picture for the engine is to be written to. NULL when the engine
 * has no room for it: the picture is counted as not taken. Between SESSION_PICTURE, if that
 * answers to carry frames, and SESSION_CARRIED.
 */
fvsr_frame *session_begin_input(struct session *session);
/* Hands the frame of session_begin_input() to the engine. */
void session_end_input(struct session *session);
/* Counts a picture that was to be taken and could not be. */
void session_miss(struct session *session);

struct session_report {
	enum session_phase phase;
	uint64_t serial;     /* the job's; 0: there is none */
	double frames_per_s; /* taken and shown */
	double possible_fps; /* while it is too slow */
	int allow_fps;       /* see ladder_allow_fps() */
	double delay_s;      /* of what is shown */
	double delay_was_s;  /* before it changed, which was not long ago; 0: it did not */
	enum ladder_step step;
	bool step_pinned;
	int divisor;             /* one of so many pictures of OBS is taken */
	bool shown_on_processor; /* because the graphics card failed */
	int64_t retry_ns;        /* until what failed is tried again; 0: it is not */
	bool no_bundled_model;   /* it is chosen and not there */
	bool own_model;          /* see struct session_settings */
	bool no_model_chosen;    /* likewise */
	uint64_t not_taken;      /* frames that found a full queue since the job began */
	const char *transport;
	char transport_reason[200]; /* why textures are not shared; empty if nothing failed */
};

void session_get_report(const struct session *session, int64_t now, struct session_report *report);
enum session_phase session_get_phase(const struct session *session);
/* The distance of OBS's pictures that the session works with. */
int64_t session_get_tick(const struct session *session);
/* Any thread. */
void session_get_worker(struct session *session, struct worker_status *status);

#endif
