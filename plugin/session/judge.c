/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has to become of the job: see state.h. Each function looks at one reason to start a job, to
 * replace it or to end it, and says so; none of them touches the job but for the effort that its
 * chunks may cost.
 */
#include "session/effort.h"
#include "session/state.h"
#include "units.h"

static const struct verdict keep = {.kind = VERDICT_KEEP};
static const struct verdict start = {.kind = VERDICT_START};

static struct verdict stop(enum session_phase phase)
{
	return (struct verdict){VERDICT_STOP, phase};
}

/* ---- source, sizes and settings ------------------------------------------------------------ */

/* On the ladder's last step there is nothing to be computed. */
static struct verdict start_or_rest(const struct session *session)
{
	if (session->ladder.step != LADDER_BICUBIC)
		return start;
	return stop(session->ladder.plan.pinned == LADDER_BICUBIC ? PHASE_PINNED : PHASE_TOO_SLOW);
}

/* Forgets what was learned, because it was about another model, size or wish. */
static struct verdict start_over(struct session *session, int64_t tick_ns)
{
	struct ladder_plan plan;

	if (session->settings_changed)
		transport_choice_init(&session->choice);
	session->settings_changed = false;
	effort_plan(&plan, &session->settings, tick_ns);
	ladder_init(&session->ladder, &plan);
	schedule_init(&session->schedule, tick_ns);
	retry_init(&session->retry);
	session_set_interval(session);
	return start_or_rest(session);
}

/* The sizes of the last job do not count once this is said: a new job starts over. */
static struct verdict stop_and_forget(struct session *session, enum session_phase phase)
{
	session->job_sizes = (struct sizes){0};
	return stop(phase);
}

struct verdict session_judge_changes(struct session *session, const struct session_event *event)
{
	const struct sizes *sizes = &session->sizes;
	const int64_t now = event->now;

	if (!sizes->in_width || !sizes->in_height)
		return stop(PHASE_NO_PICTURE);
	if (!sizes_enlarge(sizes))
		return stop_and_forget(session, sizes_reached(&session->settings.target, sizes)
							? PHASE_REACHED
							: PHASE_UNFIT);
	if (event->hdr)
		return stop_and_forget(session, PHASE_HDR);
	if (session->settings_changed || !sizes_same(sizes, &session->job_sizes))
		return start_over(session, event->tick_ns);
	if (ladder_retry(&session->ladder, now)) {
		session_set_interval(session);
		return start;
	}
	if (session->phase == PHASE_FAILED && retry_due(&session->retry, now))
		return start;
	if (session->phase == PHASE_HIDDEN || session->phase == PHASE_NO_PICTURE)
		return start_or_rest(session);
	/* The network must not mix what was before a seek into what comes after it. */
	return event->jumped && session->at.job ? start : keep;
}

/* ---- the worker ---------------------------------------------------------------------------- */

/*
 * Once the engine runs it is known on which card, and frames may have to travel in another way;
 * so they must when the transport has failed.
 */
static struct verdict judge_transport(struct session *session, const struct worker_status *status,
				      const char *trouble)
{
	const bool sharing = session->carried_by == TRANSPORT_INTEROP;

	if (trouble)
		session_refuse_sharing(session, trouble);
	if (status->state == WORKER_RUNNING || (status->state == WORKER_FAILED && sharing))
		transport_choice_follow(&session->choice, status->card);
	if (session->choice.kind == session->carried_by)
		return keep;
	return (struct verdict){.kind = VERDICT_MOVE};
}

/* What is shown stays until the new job delivers, or is too old. */
static struct verdict judge_step(struct session *session, enum ladder_change change)
{
	const struct ladder *ladder = &session->ladder;

	if (change == LADDER_SAME)
		return keep;
	session_log(session, FVSR_LOG_INFO, "a frame took %.1f ms: now step %d, one picture of %d",
		    (double)ladder->cost_ns / 1e6, (int)ladder->step, ladder->divisor);
	if (change == LADDER_OTHER) {
		session_set_interval(session);
		return start_or_rest(session);
	}
	effort_apply(session->at.job, ladder);
	if (change == LADDER_OTHER_RATE &&
	    schedule_set_interval(&session->schedule, ladder->divisor * ladder->plan.tick_ns))
		session->schedule.stalled = true;
	return keep;
}

/*
 * Where memory is short, something smaller is tried; where the card failed or nothing is smaller,
 * the same is tried later.
 */
static struct verdict judge_failure(struct session *session, const struct worker_status *status,
				    int64_t now)
{
	enum ladder_change change = LADDER_SAME;

	if (session->phase == PHASE_FAILED)
		return keep;
	session_set_phase(session, PHASE_FAILED, now);
	session->at.shown_ns = 0; /* there is nothing to fall behind */
	if (status->no_memory)
		change = ladder_no_memory(&session->ladder);
	if (change != LADDER_SAME)
		return judge_step(session, change);
	if (status->no_memory || status->device_failed)
		retry_failed(&session->retry, status->device_failed, now);
	return keep;
}

/* Chooses the delay once, as soon as the stream keeps up, and says what it is. */
static void promise_delay(struct session *session, int64_t now)
{
	struct schedule *schedule = &session->schedule;
	const int64_t before_ns = session->promised_ns;

	if (!ladder_settled(&session->ladder) ||
	    !schedule_choose(schedule, ladder_room(&session->ladder),
			     job_held_frames(session->at.job)))
		return;
	session->promised_ns = schedule->delay_ns;
	session->promise_was_ns = before_ns != schedule->delay_ns ? before_ns : 0;
	session->promised_at_ns = now;
	session_log(
		session, FVSR_LOG_INFO,
		"the picture is %.2f s late from now on, at %.1f frames/s or more (before: %.2f s)",
		(double)schedule->delay_ns / (double)NS_PER_S,
		(double)NS_PER_S / (double)schedule->longest_ns,
		(double)before_ns / (double)NS_PER_S);
}

static struct verdict judge_new_chunk(struct session *session, const struct worker_status *status,
				      int64_t now)
{
	const int64_t chunk_ns = (int64_t)(status->chunk_ms * 1e6);
	struct verdict verdict;

	session->at.chunks_seen = status->chunks;
	retry_working(&session->retry, now);
	session->ladder.longest_ns = session->schedule.longest_ns;
	verdict = judge_step(
		session, ladder_measured(&session->ladder, chunk_ns, status->chunk_frames, now));
	/* The chunk says nothing about another job. */
	if (verdict.kind != VERDICT_KEEP)
		return verdict;
	schedule_stream(&session->schedule, status->cost.latency, status->cost.first_latency);
	if (!session->schedule.stalled)
		promise_delay(session, now);
	return verdict;
}

static struct verdict judge_chunks(struct session *session, const struct worker_status *status,
				   int64_t now)
{
	const int64_t computing_ns = (int64_t)(status->computing_ms * 1e6);
	struct ladder *ladder = &session->ladder;

	if (status->chunks != session->at.chunks_seen)
		return judge_new_chunk(session, status, now);
	if (!ladder_overdue(ladder, computing_ns, status->computing_frames))
		return keep;
	return judge_step(session,
			  ladder_measured(ladder, computing_ns, status->computing_frames, now));
}

struct verdict session_judge_worker(struct session *session, const struct worker_status *status,
				    const char *trouble, int64_t now)
{
	struct verdict verdict = judge_transport(session, status, trouble);

	if (verdict.kind != VERDICT_KEEP)
		return verdict;
	if (status->state == WORKER_FAILED)
		return judge_failure(session, status, now);
	if (status->state != WORKER_RUNNING)
		return keep;
	verdict = judge_chunks(session, status, now);
	return verdict.kind == VERDICT_KEEP && session->schedule.stalled ? start : verdict;
}
