/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session's inside, for the files of this folder that make it: judge.c finds out what has to
 * become of the job, settle.c does that, and session.c is the entry.
 */
#ifndef FLASHVSR_SESSION_STATE_H
#define FLASHVSR_SESSION_STATE_H

#include "policy/schedule.h"
#include "policy/retry.h"
#include "session/session.h"

/* The job at hand, and what was seen of it. */
struct session_job {
	struct job *job;      /* NULL: there is none */
	uint64_t chunks_seen; /* of those that the worker computed */
	int64_t shown_ns;     /* when the frame that is shown was taken; 0: none is */
	uint64_t not_taken;
};

/* What SESSION_PICTURE answered, until SESSION_CARRIED. */
struct session_carrying {
	bool running; /* the worker computes the job at hand */
	bool freed;   /* frames were given back to the worker */
	const fvsr_frame *due;
	int64_t due_ns;
};

struct session {
	struct worker *worker;
	struct fvsr_log log;
	struct session_host host;
	int card;

	struct session_settings settings;
	bool settings_changed;
	enum session_phase phase;
	int64_t drawn_ns;  /* when the source was drawn last; 0: nothing has happened yet */
	unsigned undrawn;  /* pictures that OBS has begun since then */
	int64_t logged_ns; /* when the phase was logged last */

	struct sizes sizes;     /* of the picture at hand */
	struct sizes job_sizes; /* that the last job was started for */
	struct sizes made;      /* what the engine makes of it, and the transport carries */

	struct ladder ladder;
	struct schedule schedule;
	struct retry retry;
	struct transport_choice choice; /* of the next job's transport */
	enum transport_kind carried_by; /* the transport at hand */

	struct session_job at;
	uint64_t serial; /* of the last job */
	struct session_carrying carrying;
	int64_t delay_ns; /* of what is shown; 0: none */
	/* The delay that was promised last, when, and the one before if that was another. */
	int64_t promised_ns, promised_at_ns, promise_was_ns;
};

/* What has to become of the job. */
enum verdict_kind {
	VERDICT_KEEP = 1,
	VERDICT_START, /* a new job begins, in place of the one at hand if there is one */
	VERDICT_MOVE,  /* the same, because frames travel in another way from now on */
	VERDICT_STOP,  /* there is to be no job, and the phase says why */
};

struct verdict {
	enum verdict_kind kind;
	enum session_phase phase; /* of VERDICT_STOP */
};

/* Says what source, sizes and settings ask for. */
struct verdict session_judge_changes(struct session *session, const struct session_event *event);
/*
 * Says what the status of the job at hand asks for, and learns from it. 'trouble' is the
 * transport's; NULL: it works.
 */
struct verdict session_judge_worker(struct session *session, const struct worker_status *status,
				    const char *trouble, int64_t now);

/* Makes the verdict true. Jobs begin and end here and nowhere else. */
void session_settle(struct session *session, struct verdict verdict, int64_t now);

/* Changes the phase, which is logged where that says something to the user. */
void session_set_phase(struct session *session, enum session_phase phase, int64_t now);
/* Lets frames travel through host memory from the next job on. */
void session_refuse_sharing(struct session *session, const char *reason);
/* Sets the distance of frames that the ladder allows. */
void session_set_interval(struct session *session);

void session_log(const struct session *session, enum fvsr_log_level level, const char *format, ...);

#endif
