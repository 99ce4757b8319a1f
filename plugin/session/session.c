/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The entry of a session: see session.h.
 */
#include "session/session.h"

#include "session/state.h"
#include "units.h"

#include <stdio.h>
#include <stdlib.h>

/* A source that was not drawn for so long and in so many pictures is hidden; OBS itself may lag. */
#define IDLE_NS    (NS_PER_S / 2)
#define IDLE_TICKS 3
/* Another delay is news for so long. */
#define DELAY_NEWS_NS (120 * NS_PER_S)

/* ---- events -------------------------------------------------------------------------------- */

static void take_settings(struct session *session, const struct session_event *event)
{
	const struct session_settings *settings = event->settings;

	worker_set_keep(session->worker, settings->keep_s);
	if (event->afresh || !session_settings_same(settings, &session->settings))
		session->settings_changed = true;
	session->settings = *settings;
}

/* Where the source is not drawn, or the filter is switched off, nothing is to be computed. */
static void begin_tick(struct session *session, int64_t now, struct session_answer *answer)
{
	if (!session->drawn_ns) /* It is not hidden before it could be shown. */
		session->drawn_ns = now;
	session->undrawn++;
	if (session->phase == PHASE_HIDDEN || session->undrawn <= IDLE_TICKS ||
	    now - session->drawn_ns <= IDLE_NS)
		return;
	session_settle(session, (struct verdict){VERDICT_STOP, PHASE_HIDDEN}, now);
	answer->forget = true;
}

/*
 * Without the prospect of an upscaled picture there is no delay. A machine that is too slow, or
 * fails, may be fit again in a moment: there a delay that was promised stays.
 */
static bool hopeless(const struct session *session)
{
	const enum session_phase phase = session->phase;

	if (phase == PHASE_FAILED || phase == PHASE_TOO_SLOW)
		return !session->schedule.delay_ns;
	return phase == PHASE_PINNED || phase == PHASE_REACHED || phase == PHASE_HDR ||
	       phase == PHASE_UNFIT;
}

/*
 * Picture and sound have one delay. It is the upscaled pictures', and stays while there are none
 * for a while, so that nothing jumps.
 */
static void choose_delay(struct session *session, bool upscaled, struct session_answer *answer)
{
	const struct schedule *schedule = &session->schedule;
	int64_t held_ns = 0;

	if (hopeless(session))
		session->delay_ns = 0;
	else if (upscaled) /* Pictures come with OBS's ticks, so they are late by whole ones. */
		session->delay_ns = (schedule->delay_ns + schedule->tick_ns / 2) /
				    schedule->tick_ns * schedule->tick_ns;
	/* Each picture stands for those left out after it; the sound goes to their middle. */
	if (upscaled)
		held_ns = (schedule->interval_ns - schedule->tick_ns) / 2;
	answer->delay_ns = session->delay_ns;
	answer->sound_delay_ns = session->delay_ns + held_ns;
}

/* Starts, replaces or ends the job. Returns true when the worker computes the job at hand. */
static bool follow(struct session *session, const struct session_event *event)
{
	const struct verdict changes = session_judge_changes(session, event);
	/* After a change of transports the event's trouble is that of one that is gone. */
	const char *trouble = changes.kind == VERDICT_KEEP ? event->trouble : NULL;
	struct worker_status status;
	struct verdict verdict;

	session_settle(session, changes, event->now);
	if (!session->at.job)
		return false;
	worker_get_status(session->worker, &status);
	if (status.serial != session->at.job->serial)
		return false;
	verdict = session_judge_worker(session, &status, trouble, event->now);
	session_settle(session, verdict, event->now);
	return verdict.kind == VERDICT_KEEP && status.state == WORKER_RUNNING;
}

static void find_due(struct session *session, int64_t now)
{
	struct session_carrying *carrying = &session->carrying;

	if (!carrying->running)
		return;
	carrying->due =
		schedule_due(&session->schedule, session->at.job->out, now, &carrying->freed);
	carrying->due_ns = carrying->due ? fvsr_frame_tag(carrying->due) : 0;
}

static void begin_picture(struct session *session, const struct session_event *event,
			  struct session_answer *answer)
{
	struct session_carrying *carrying = &session->carrying;

	session->drawn_ns = event->now;
	session->undrawn = 0;
	session->sizes = event->sizes;
	*carrying = (struct session_carrying){.running = follow(session, event)};
	if (!sizes_enlarge(&session->sizes))
		answer->view = SESSION_VIEW_SOURCE;
	else
		answer->view = event->hdr ? SESSION_VIEW_HDR : SESSION_VIEW_NETWORK;
	if (answer->view != SESSION_VIEW_NETWORK) {
		choose_delay(session, false, answer);
		return;
	}
	find_due(session, event->now);
	answer->carry = carrying->running;
	answer->due = carrying->due;
	answer->due_ns = carrying->due_ns;
}

/* Notes what became of the frame that was due, and gives it back to the worker. */
static void end_due(struct session *session, const struct session_event *event)
{
	struct session_carrying *carrying = &session->carrying;

	if (carrying->due && event->shown) {
		session->at.shown_ns = carrying->due_ns;
		session_set_phase(session, PHASE_UPSCALING, event->now);
	}
	if (carrying->due)
		schedule_shown(&session->schedule, session->at.job->out);
	if (carrying->due || carrying->freed)
		worker_wake(session->worker);
	carrying->due = NULL;
	carrying->freed = false;
}

static void end_picture(struct session *session, const struct session_event *event,
			struct session_answer *answer)
{
	struct session_job *at = &session->at;
	struct schedule *schedule = &session->schedule;
	bool upscaled;

	end_due(session, event);
	if (at->shown_ns && schedule_behind(schedule, at->shown_ns, event->now)) {
		at->shown_ns = 0;
		session_set_phase(session, PHASE_BEHIND, event->now);
	}
	upscaled = at->shown_ns && session->carrying.running && event->ready;
	choose_delay(session, upscaled, answer);
	answer->take = session->carrying.running && schedule_take(schedule, event->now);
	answer->bicubic = !upscaled;
	answer->keep = at->job || session->delay_ns;
	answer->keep_ns = session->delay_ns ? session->delay_ns : schedule->delay_ns;
}

void session_handle(struct session *session, const struct session_event *event,
		    struct session_answer *answer)
{
	*answer = (struct session_answer){.view = SESSION_VIEW_SOURCE};
	switch (event->kind) {
	case SESSION_SETTINGS:
		take_settings(session, event);
		break;
	case SESSION_TICK:
		begin_tick(session, event->now, answer);
		break;
	case SESSION_PICTURE:
		begin_picture(session, event, answer);
		break;
	case SESSION_CARRIED:
		end_picture(session, event, answer);
		break;
	}
}

/* ---- input --------------------------------------------------------------------------------- */

fvsr_frame *session_begin_input(struct session *session)
{
	fvsr_frame *frame = frame_queue_write_begin(session->at.job->in);

	if (!frame)
		session_miss(session);
	return frame;
}

void session_end_input(struct session *session)
{
	frame_queue_write_end(session->at.job->in);
	worker_wake(session->worker);
}

void session_miss(struct session *session)
{
	session->at.not_taken++;
}

/* ---- what can be seen of it ---------------------------------------------------------------- */

void session_get_report(const struct session *session, int64_t now, struct session_report *report)
{
	*report = (struct session_report){
		.phase = session->phase,
		.serial = session->at.job ? session->at.job->serial : 0,
		.frames_per_s = (double)NS_PER_S / (double)session->schedule.interval_ns,
		.possible_fps = ladder_possible_fps(&session->ladder),
		.allow_fps = ladder_allow_fps(&session->ladder),
		.delay_s = (double)session->delay_ns / (double)NS_PER_S,
		.delay_was_s = now - session->promised_at_ns < DELAY_NEWS_NS
				       ? (double)session->promise_was_ns / (double)NS_PER_S
				       : 0.0,
		.step = session->ladder.step,
		.step_pinned = session->ladder.plan.pinned != 0,
		.divisor = session->ladder.divisor,
		.shown_on_processor = retry_without(&session->retry),
		.retry_ns = retry_left(&session->retry, now),
		.no_bundled_model = session->settings.no_bundled_model,
		.own_model = session->settings.own_model,
		.no_model_chosen = session->settings.no_model_chosen,
		.not_taken = session->at.not_taken,
		.transport = transport_kind_name(session->carried_by),
	};
	snprintf(report->transport_reason, sizeof(report->transport_reason), "%s",
		 session->choice.reason);
}

enum session_phase session_get_phase(const struct session *session)
{
	return session->phase;
}

int64_t session_get_tick(const struct session *session)
{
	return session->schedule.tick_ns;
}

void session_get_worker(struct session *session, struct worker_status *status)
{
	worker_get_status(session->worker, status);
}

/* ---- begin and end ------------------------------------------------------------------------- */

struct session *session_create(const struct session_setup *setup)
{
	const struct ladder_plan plan = {.tick_ns = setup->tick_ns, .slowest_ns = setup->tick_ns};
	struct session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	session->log = setup->log;
	session->host = setup->host;
	session->card = setup->card;
	session->phase = PHASE_NO_PICTURE;
	session->carried_by = TRANSPORT_READBACK;
	transport_choice_init(&session->choice);
	ladder_init(&session->ladder, &plan);
	schedule_init(&session->schedule, setup->tick_ns);
	retry_init(&session->retry);
	session_set_interval(session);
	session->worker = worker_create(&setup->log, setup->pool);
	if (!session->worker) {
		free(session);
		return NULL;
	}
	return session;
}

void session_destroy(struct session *session)
{
	if (!session)
		return;
	worker_destroy(session->worker);
	job_unref(session->at.job);
	free(session);
}
