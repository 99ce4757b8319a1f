/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Going up and down the ladder: see ladder.h.
 *
 * Three chunks in a row over the budget lead down, so that a hiccup changes nothing; so does a
 * first chunk that leaves no hope. A cost that is far enough below the budget for long enough leads
 * up. A climb that turns out to be wrong doubles the patience before the next one.
 */
#include "policy/ladder.h"

#include "units.h"

#define ROOM_CHUNKS     6
#define SLOW_CHUNKS     3
#define PATIENCE_NS     (10 * NS_PER_S)
#define PATIENCE_NS_MAX (1800 * NS_PER_S)
#define RETRY_NS        (30 * NS_PER_S)
#define OVERDUE         3 /* times the budget */
#define OVERDUE_NS      (2 * NS_PER_S)
#define PROOF_NS        (30 * NS_PER_S) /* a climb that held for so long was right */

/* Returns the time that a frame needs with one part in seven to spare. */
static int64_t needed_ns(int64_t frame_ns)
{
	return ns_scaled(frame_ns, 8, 7);
}

static int divisor_for(const struct ladder *ladder, int64_t interval_ns)
{
	int64_t ticks = (interval_ns + ladder->plan.tick_ns - 1) / ladder->plan.tick_ns;

	return ticks > 1 ? (int)(ticks < 1000000 ? ticks : 1000000) : 1;
}

static bool applies(const struct ladder_plan *plan, enum ladder_step step)
{
	switch (step) {
	case LADDER_SPARSE:
		return plan->sparse;
	case LADDER_SLICES:
		return plan->slices;
	case LADDER_SMALL:
		return plan->small;
	case LADDER_FULL:
	case LADDER_RATE:
	case LADDER_BICUBIC:
		break;
	}
	return true;
}

/* Returns the next step below that changes something. */
static enum ladder_step below(const struct ladder *ladder)
{
	int step = (int)ladder->step;

	do
		step++;
	while (step < LADDER_RATE && !applies(&ladder->plan, (enum ladder_step)step));
	return (enum ladder_step)step;
}

/* Returns the next step above, or the same one if there is none. */
static enum ladder_step above(const struct ladder *ladder)
{
	int step = (int)ladder->step;

	do
		step--;
	while (step > LADDER_FULL && !applies(&ladder->plan, (enum ladder_step)step));
	return step < (int)ladder->best ? ladder->step : (enum ladder_step)step;
}

/* Returns true when the picture may be taken so seldom. */
static bool allows(const struct ladder *ladder, int divisor)
{
	const int64_t interval_ns = divisor * ladder->plan.tick_ns;

	return interval_ns <= ladder->plan.slowest_ns &&
	       (!ladder->longest_ns || interval_ns <= ladder->longest_ns);
}

static bool small_model(const struct ladder *ladder, enum ladder_step step)
{
	return ladder->plan.small && step >= LADDER_SMALL;
}

/* Returns the step to start on. */
static enum ladder_step first_step(const struct ladder_plan *plan)
{
	return plan->pinned ? plan->pinned : LADDER_FULL;
}

/* Goes to a step, and forgets this one's cost where it says little about that one's. */
static enum ladder_change go_to(struct ladder *ladder, enum ladder_step step)
{
	const enum ladder_step before = ladder->step;

	ladder->cost_ns = ladder->frame_ns;
	ladder->step = step;
	if (step < LADDER_RATE)
		ladder->divisor = 1;
	else if (ladder->divisor < 2)
		ladder->divisor = 2;
	ladder->slow_chunks = ladder->skip_chunks = 0;
	ladder->room_since = 0;
	if (step == LADDER_BICUBIC)
		return LADDER_OTHER;
	if (before == LADDER_RATE && step != LADDER_RATE)
		return LADDER_OTHER_RATE;
	ladder->frame_ns = 0;
	if (before == LADDER_BICUBIC || small_model(ladder, step) != small_model(ladder, before))
		return LADDER_OTHER;
	ladder->skip_chunks = 1;
	return LADDER_LIGHTER;
}

void ladder_init(struct ladder *ladder, const struct ladder_plan *plan)
{
	*ladder = (struct ladder){
		.plan = *plan,
		.step = first_step(plan),
		.best = LADDER_FULL,
		.divisor = plan->pinned == LADDER_RATE ? 2 : 1,
		.patience_ns = PATIENCE_NS,
	};
}

static void be_patient(struct ladder *ladder)
{
	if (ladder->patience_ns < PATIENCE_NS_MAX)
		ladder->patience_ns *= 2;
	ladder->climbed_ns = 0;
}

static enum ladder_change give_up(struct ladder *ladder, int64_t now)
{
	ladder->retry_ns = now + (ladder->patience_ns > RETRY_NS ? ladder->patience_ns : RETRY_NS);
	be_patient(ladder);
	return go_to(ladder, LADDER_BICUBIC);
}

/* Gives up as many frames as it takes, as the last thing before the network. */
static enum ladder_change fewer_frames(struct ladder *ladder, int64_t now)
{
	const int divisor = divisor_for(ladder, needed_ns(ladder->frame_ns));

	if (!allows(ladder, divisor))
		return give_up(ladder, now);
	ladder->slow_chunks = 0;
	ladder->room_since = 0;
	if (divisor <= ladder->divisor)
		return LADDER_SAME;
	ladder->cost_ns = ladder->frame_ns;
	ladder->divisor = divisor;
	ladder->step = ladder->plan.pinned ? ladder->step : LADDER_RATE;
	return LADDER_OTHER_RATE;
}

static enum ladder_change go_down(struct ladder *ladder, int64_t now)
{
	const enum ladder_step step = below(ladder);

	if (ladder->climbed_ns)
		be_patient(ladder);
	if (ladder->plan.pinned || step >= LADDER_RATE)
		return fewer_frames(ladder, now);
	return go_to(ladder, step);
}

/* Takes more frames of the same quality. */
static enum ladder_change more_frames(struct ladder *ladder, int64_t now)
{
	const int least = ladder->plan.pinned == LADDER_RATE ? 2 : 1;
	int divisor = divisor_for(ladder, needed_ns(ladder->frame_ns));

	divisor = divisor > least ? divisor : least;
	if (divisor >= ladder->divisor)
		return LADDER_SAME;
	ladder->cost_ns = ladder->frame_ns;
	ladder->divisor = divisor;
	ladder->climbed_ns = now;
	if (divisor == 1 && ladder->step == LADDER_RATE && !ladder->plan.pinned)
		ladder->step = above(ladder);
	return LADDER_OTHER_RATE;
}

static enum ladder_change go_up(struct ladder *ladder, int64_t now)
{
	ladder->room_since = 0;
	if (ladder->divisor > 1)
		return more_frames(ladder, now);
	if (ladder->plan.pinned || above(ladder) == ladder->step)
		return LADDER_SAME;
	ladder->climbed_ns = now;
	return go_to(ladder, above(ladder));
}

/* Returns true when a step up may be afforded. A rate's price is known, a quality's is not. */
static bool has_room(const struct ladder *ladder)
{
	const int64_t budget_ns = ladder->divisor * ladder->plan.tick_ns;

	/* Another rate means to start over: it must be worth it. */
	if (ladder->divisor > 1)
		return needed_ns(ladder->frame_ns) <= ns_scaled(budget_ns, 3, 5) &&
		       needed_ns(ladder->frame_ns) <=
			       (ladder->divisor - 1) * ladder->plan.tick_ns - budget_ns / 20;
	return ladder->frame_ns <= ns_scaled(budget_ns, 3, 5);
}

static void note_proof(struct ladder *ladder, int64_t now)
{
	if (!ladder->climbed_ns || now - ladder->climbed_ns < PROOF_NS)
		return;
	ladder->climbed_ns = 0;
	ladder->patience_ns = PATIENCE_NS;
}

enum ladder_change ladder_measured(struct ladder *ladder, int64_t chunk_ns, int frames, int64_t now)
{
	const int64_t frame_ns = chunk_ns / (frames > 0 ? frames : 1);
	const int64_t budget_ns = ladder->divisor * ladder->plan.tick_ns;
	const bool first = ladder->frame_ns == 0, slow = needed_ns(frame_ns) > budget_ns;

	if (ladder->step == LADDER_BICUBIC)
		return LADDER_SAME;
	if (ladder->skip_chunks && !ladder_overdue(ladder, chunk_ns, frames)) {
		ladder->skip_chunks--;
		return LADDER_SAME;
	}
	ladder->frame_ns = first ? frame_ns : ns_scaled(ladder->frame_ns * 3 + frame_ns, 1, 4);
	ladder->slow_chunks = slow ? ladder->slow_chunks + 1 : 0;
	if (ladder->slow_chunks >= SLOW_CHUNKS ||
	    (first && needed_ns(frame_ns) > ns_scaled(budget_ns, 3, 2)))
		return go_down(ladder, now);
	note_proof(ladder, now);
	if (slow || !has_room(ladder)) {
		ladder->room_since = 0;
	} else if (!ladder->room_since) {
		ladder->room_since = now;
		ladder->room_chunks = 1;
	} else if (++ladder->room_chunks >= ROOM_CHUNKS &&
		   now - ladder->room_since >= ladder->patience_ns) {
		return go_up(ladder, now);
	}
	return LADDER_SAME;
}

bool ladder_overdue(const struct ladder *ladder, int64_t computing_ns, int frames)
{
	/* Later there is nothing to be gained by not waiting for it. */
	return ladder->plan.small && !ladder->plan.pinned && ladder->step < LADDER_SMALL &&
	       computing_ns > OVERDUE_NS &&
	       computing_ns > OVERDUE * frames * ladder->divisor * ladder->plan.tick_ns;
}

enum ladder_change ladder_no_memory(struct ladder *ladder)
{
	enum ladder_step step = ladder->step;

	if (ladder->plan.pinned)
		return LADDER_SAME;
	if (step < LADDER_SLICES && ladder->plan.slices)
		step = LADDER_SLICES;
	else if (step < LADDER_SMALL && ladder->plan.small)
		step = LADDER_SMALL;
	else
		return LADDER_SAME;
	ladder->best = step;
	go_to(ladder, step);
	return LADDER_OTHER;
}

bool ladder_settled(const struct ladder *ladder)
{
	return ladder->step != LADDER_BICUBIC && ladder->frame_ns && !ladder->skip_chunks &&
	       needed_ns(ladder->frame_ns) <= ladder->divisor * ladder->plan.tick_ns;
}

int64_t ladder_room(const struct ladder *ladder)
{
	const int64_t interval_ns = ladder->divisor * ladder->plan.tick_ns;
	const bool quality_first =
		!ladder->plan.pinned && ladder->plan.small && ladder->step < LADDER_SMALL;

	if (quality_first || 2 * needed_ns(ladder->frame_ns) <= interval_ns ||
	    interval_ns + ladder->plan.tick_ns > ladder->plan.slowest_ns)
		return interval_ns;
	return interval_ns + ladder->plan.tick_ns;
}

/* Returns the step to leave LADDER_BICUBIC for: fewer frames may be what is possible again. */
static enum ladder_step step_of_retry(struct ladder *ladder)
{
	if (ladder->plan.pinned)
		return ladder->plan.pinned;
	if (allows(ladder, 2))
		return LADDER_RATE;
	ladder->step = LADDER_RATE;
	return above(ladder);
}

bool ladder_retry(struct ladder *ladder, int64_t now)
{
	if (ladder->step != LADDER_BICUBIC || ladder->plan.pinned == LADDER_BICUBIC ||
	    now < ladder->retry_ns)
		return false;
	go_to(ladder, step_of_retry(ladder));
	return true;
}

double ladder_possible_fps(const struct ladder *ladder)
{
	return ladder->frame_ns ? (double)NS_PER_S / (double)needed_ns(ladder->frame_ns) : 0.0;
}

int ladder_allow_fps(const struct ladder *ladder)
{
	int64_t interval_ns;

	if (!ladder->frame_ns)
		return 0;
	interval_ns = (divisor_for(ladder, needed_ns(ladder->frame_ns)) + 1) * ladder->plan.tick_ns;
	return interval_ns < NS_PER_S ? (int)(NS_PER_S / interval_ns) : 1;
}
