/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a job begins and ends: see session_settle() in state.h. A job takes a transport, which the
 * filter provides, and memory for its frames; where frames cannot be shared with the card, they
 * travel through host memory.
 */
#include "session/effort.h"
#include "session/state.h"
#include "system.h"

#include <stdio.h>
#include <string.h>

/* Has the filter provide the transport that was chosen, or else one through host memory. */
static bool provide_transport(struct session *session, struct frame_maker *maker)
{
	const struct transport_request wanted = {session->choice.kind, session->choice.card,
						 session->made};
	char reason[200] = "";

	session->carried_by = wanted.kind;
	if (session->host.provide(session->host.opaque, &wanted, maker, reason, sizeof(reason)))
		return true;
	session_log(session, FVSR_LOG_WARNING, "no frames by %s: %s",
		    transport_kind_name(wanted.kind), reason);
	if (wanted.kind != TRANSPORT_INTEROP)
		return false;
	session_refuse_sharing(session, reason);
	return provide_transport(session, maker);
}

/* The bundled model alone was trained for whole scales, and is told which. */
static struct job *make_job(struct session *session)
{
	struct job_request request = session->settings.request;
	struct sizes *made = &session->made;
	struct frame_maker maker;

	request.card = session->card;
	effort_request(&request, &session->ladder, &session->settings);
	if (retry_without(&session->retry))
		snprintf(request.backend, sizeof(request.backend), "cpu");
	*made = session->sizes;
	if (strcmp(request.model, session->settings.small_model) == 0)
		*made = sizes_whole(made);
	request.settings.in_width = (int)made->in_width;
	request.settings.in_height = (int)made->in_height;
	request.settings.out_width = (int)made->out_width;
	request.settings.out_height = (int)made->out_height;
	if (!provide_transport(session, &maker))
		return NULL;
	return job_create(&request, ++session->serial, &maker);
}

static struct job *make_job_somehow(struct session *session)
{
	struct job *job = make_job(session);

	if (job || session->carried_by != TRANSPORT_INTEROP)
		return job;
	session_refuse_sharing(session, "no memory for frames on the graphics card");
	return make_job(session);
}

static void forget_job(struct session *session)
{
	job_unref(session->at.job);
	session->at = (struct session_job){0};
}

static void stop_job(struct session *session, enum session_phase phase, int64_t now)
{
	if (session->at.job)
		worker_set_job(session->worker, NULL);
	forget_job(session);
	session_set_phase(session, phase, now);
}

/* The worker keeps of the job before what serves the new one, too. */
static void start_job(struct session *session, int64_t now)
{
	struct job *job = make_job_somehow(session);

	session->job_sizes = session->sizes;
	if (!job) {
		session_log(session, FVSR_LOG_WARNING, "no memory for frames of %ux%u",
			    session->made.out_width, session->made.out_height);
		stop_job(session, PHASE_UNFIT, now);
		return;
	}
	forget_job(session);
	/* On a card the work gives way to OBS and the game by pauses; a CPU is shared anyway. */
	job->budget_ns = schedule_spread(&session->schedule, session->choice.card >= 0);
	session->at.job = job;
	effort_apply(job, &session->ladder);
	schedule_restart(&session->schedule);
	worker_set_job(session->worker, job);
	session_set_phase(session, PHASE_STARTING, now);
}

static void move_job(struct session *session, int64_t now)
{
	const int64_t began_ns = system_now_ns();

	start_job(session, now);
	session_log(session, FVSR_LOG_INFO, "frames by %s, set up in %.1f ms",
		    transport_kind_name(session->carried_by),
		    (double)(system_now_ns() - began_ns) / 1e6);
}

void session_settle(struct session *session, struct verdict verdict, int64_t now)
{
	switch (verdict.kind) {
	case VERDICT_KEEP:
		break;
	case VERDICT_START:
		start_job(session, now);
		break;
	case VERDICT_MOVE:
		move_job(session, now);
		break;
	case VERDICT_STOP:
		stop_job(session, verdict.phase, now);
		break;
	}
}
