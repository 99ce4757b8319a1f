/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Computing the delay: see schedule.h.
 *
 * In a stream that keeps up, a frame waits for 'latency' frames behind it and then for its chunk to
 * be computed, and two ticks each go to its ways in and out. The start is different. The first
 * chunk is longer than the others, so frames queue up and some are not taken while it is computed.
 * Frames from that time come back late whatever the delay is, and say nothing about the delay that
 * is needed.
 */
#include "policy/schedule.h"

#include "units.h"

#define TRANSPORT_TICKS 4
#define SPARE_FRAMES    12 /* the queues hold so many beyond what the delay needs */
#define RETIME_NS       (30 * NS_PER_S)
/* At low rates a chunk's time is long, and spreading the work over all of it only adds delay. */
#define LONGEST_SPREAD_NS (NS_PER_S / 2)

static int64_t needed_delay(const struct schedule *schedule)
{
	int64_t computing_ns = ns_scaled(FVSR_CHUNK_FRAMES * schedule->frame_ns, 5, 4);

	if (computing_ns < ns_scaled(schedule->budget_ns, 9, 8))
		computing_ns = ns_scaled(schedule->budget_ns, 9, 8);
	return (schedule->latency + 1) * schedule->interval_ns + computing_ns +
	       TRANSPORT_TICKS * schedule->tick_ns;
}

void schedule_init(struct schedule *schedule, int64_t tick_ns)
{
	*schedule = (struct schedule){.tick_ns = tick_ns, .interval_ns = tick_ns};
}

void schedule_restart(struct schedule *schedule)
{
	schedule->any_taken = false;
	schedule->taken_ns = 0;
	schedule->arrived = 0;
	schedule->waiting = 0;
	schedule->stalled = false;
	schedule->spare_since = 0;
}

int64_t schedule_spread(struct schedule *schedule, bool spread)
{
	schedule->budget_ns =
		spread ? ns_scaled(FVSR_CHUNK_FRAMES * schedule->interval_ns, 7, 10) : 0;
	if (schedule->budget_ns > LONGEST_SPREAD_NS)
		schedule->budget_ns = LONGEST_SPREAD_NS;
	return schedule->budget_ns;
}

bool schedule_take(struct schedule *schedule, int64_t now)
{
	/* Half a tick of tolerance: frame times are rounded. */
	if (schedule->any_taken &&
	    now - schedule->taken_ns < schedule->interval_ns - schedule->tick_ns / 2)
		return false;
	schedule->any_taken = true;
	schedule->taken_ns = now;
	return true;
}

/*
 * A longer interval holds at once, and the delay grows with it when the next chunk is measured. A
 * shorter interval shortens the delay, so what is on its way would be shown too late.
 */
bool schedule_set_interval(struct schedule *schedule, int64_t interval_ns)
{
	const bool shorter = interval_ns < schedule->interval_ns;
	const bool much_longer = interval_ns > ns_scaled(schedule->interval_ns, 3, 2);

	schedule->interval_ns = interval_ns;
	if (!shorter)
		return much_longer && schedule->arrived <= schedule->start_frames;
	schedule->delay_ns = 0;
	return true;
}

void schedule_measured(struct schedule *schedule, int64_t chunk_ns, int frames, int latency,
		       int first_latency)
{
	int64_t frame_ns = chunk_ns / (frames > 0 ? frames : 1), needed_ns;

	schedule->latency = latency;
	schedule->start_frames = first_latency + FVSR_CHUNK_FRAMES;
	schedule->frame_ns =
		schedule->frame_ns ? ns_scaled(schedule->frame_ns * 3 + frame_ns, 1, 4) : frame_ns;
	needed_ns = needed_delay(schedule);
	if (!schedule->delay_ns ||
	    needed_ns > schedule->delay_ns + TRANSPORT_TICKS * schedule->tick_ns)
		schedule->delay_ns = needed_ns;
}

/*
 * Shortens a delay that a lag has made longer, by what was not needed for long: all at once, so
 * that sound and picture jump once, and only where that is worth a jump.
 */
static void note_spare(struct schedule *schedule, int64_t spare_ns, int64_t now)
{
	int64_t shorter_ns, needed_ns = needed_delay(schedule);

	if (!schedule->spare_since || spare_ns < schedule->spare_ns)
		schedule->spare_ns = spare_ns;
	if (!schedule->spare_since)
		schedule->spare_since = now;
	if (now - schedule->spare_since < RETIME_NS)
		return;
	shorter_ns =
		schedule->delay_ns - (schedule->spare_ns - TRANSPORT_TICKS * schedule->tick_ns);
	if (shorter_ns < needed_ns)
		shorter_ns = needed_ns;
	if (shorter_ns < schedule->delay_ns - TRANSPORT_TICKS * schedule->tick_ns)
		schedule->delay_ns = shorter_ns;
	schedule->spare_since = 0;
}

/*
 * Notes that a frame came back, and makes the delay longer if it is late. A frame that is late
 * beyond all measure says that the worker stood still, not that it is slow.
 */
static void note_arrival(struct schedule *schedule, int64_t taken, int64_t now)
{
	int64_t longest_ns = needed_delay(schedule) + SPARE_FRAMES * schedule->interval_ns;
	int64_t late_ns = now - (taken + schedule->delay_ns);

	if (++schedule->arrived <= schedule->start_frames)
		return;
	note_spare(schedule, -late_ns, now);
	if (late_ns <= 0)
		return;
	if (schedule->delay_ns + late_ns + 2 * schedule->tick_ns > longest_ns)
		schedule->stalled = true;
	else
		schedule->delay_ns += late_ns + 2 * schedule->tick_ns;
}

/* Allows half a tick of tolerance, as schedule_take() does. */
static bool is_due(const struct schedule *schedule, const fvsr_frame *frame, int64_t now)
{
	return fvsr_frame_tag(frame) + schedule->delay_ns - now <= schedule->tick_ns / 2;
}

static bool is_past(const struct schedule *schedule, const fvsr_frame *frame, int64_t now)
{
	return now - (fvsr_frame_tag(frame) + schedule->delay_ns) >
	       schedule->interval_ns + schedule->tick_ns;
}

const fvsr_frame *schedule_due(struct schedule *schedule, struct frame_queue *out, int64_t now,
			       bool *freed)
{
	const fvsr_frame *frame, *next;

	*freed = false;
	while ((frame = frame_queue_peek(out, schedule->waiting)) != NULL) {
		note_arrival(schedule, fvsr_frame_tag(frame), now);
		schedule->waiting++;
	}
	while (schedule->waiting) {
		frame = frame_queue_peek(out, 0);
		if (!is_due(schedule, frame, now))
			return NULL;
		next = schedule->waiting > 1 ? frame_queue_peek(out, 1) : NULL;
		if (!is_past(schedule, frame, now) && (!next || !is_due(schedule, next, now)))
			return frame;
		schedule_shown(schedule, out);
		*freed = true;
	}
	return NULL;
}

void schedule_shown(struct schedule *schedule, struct frame_queue *out)
{
	frame_queue_pop(out);
	schedule->waiting--;
}

bool schedule_behind(const struct schedule *schedule, int64_t taken, int64_t now)
{
	return now > taken + schedule->delay_ns + schedule->interval_ns + 2 * schedule->tick_ns;
}
