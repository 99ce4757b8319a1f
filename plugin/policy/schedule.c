/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Computing the delay: see schedule.h.
 *
 * In a stream that keeps up, a frame waits for 'latency' frames behind it and then for its chunk to
 * be computed, which takes at most as long as the chunk's frames take to come in, and two ticks
 * each go to its ways in and out. So the delay depends on the distance of frames alone, and not on
 * how fast the machine happened to be when it was measured. The start is different. The first chunk
 * is longer than the others, so frames queue up and some are not taken while it is computed. Frames
 * from that time come back late whatever the delay is.
 */
#include "policy/schedule.h"

#include "units.h"

#define TRANSPORT_TICKS 4
#define ROOM_FRAMES     2  /* for a chunk that takes a little longer once in a while */
#define STALL_FRAMES    12 /* the worker does not catch up with so many by itself */
/* At low rates a chunk's time is long, and spreading the work over all of it makes no difference.
 */
#define LONGEST_SPREAD_NS (NS_PER_S / 2)

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

bool schedule_set_interval(struct schedule *schedule, int64_t interval_ns)
{
	const bool shorter = interval_ns < schedule->interval_ns;
	const bool much_longer = interval_ns > ns_scaled(schedule->interval_ns, 3, 2);

	schedule->interval_ns = interval_ns;
	if (interval_ns < schedule->shortest_ns)
		schedule->delay_ns = schedule->shortest_ns = schedule->longest_ns = 0;
	return shorter || (much_longer && schedule->arrived <= schedule->start_frames);
}

/* Returns how many distances of frames the delay has. */
static int delay_frames(const struct schedule *schedule)
{
	return schedule->latency + 1 + FVSR_CHUNK_FRAMES + ROOM_FRAMES;
}

void schedule_stream(struct schedule *schedule, int latency, int first_latency)
{
	schedule->latency = latency;
	schedule->start_frames = first_latency + FVSR_CHUNK_FRAMES;
}

/* Returns the smallest distance at which the frames that a delay leaves waiting find room. */
static int64_t shortest_for(const struct schedule *schedule, int64_t longest_ns, int held)
{
	const int waiting = schedule->latency + 1 + held; /* in the stream and after it */

	return delay_frames(schedule) * longest_ns / waiting;
}

bool schedule_choose(struct schedule *schedule, int64_t longest_ns, int held)
{
	if (schedule->delay_ns)
		return false;
	if (longest_ns < schedule->interval_ns ||
	    shortest_for(schedule, longest_ns, held) > schedule->interval_ns)
		longest_ns = schedule->interval_ns;
	schedule->longest_ns = longest_ns;
	schedule->shortest_ns = shortest_for(schedule, longest_ns, held);
	schedule->delay_ns =
		delay_frames(schedule) * longest_ns + TRANSPORT_TICKS * schedule->tick_ns;
	return true;
}

/*
 * Notes that a frame came back. It may have been there since the look before, so that a caller who
 * stood still does not take the worker for late. A frame that is late beyond all measure says that
 * the worker stood still, not that it is slow.
 */
static void note_arrival(struct schedule *schedule, int64_t taken)
{
	const int64_t late_ns = schedule->looked_ns - (taken + schedule->delay_ns);

	if (++schedule->arrived > schedule->start_frames && schedule->delay_ns &&
	    late_ns > STALL_FRAMES * schedule->interval_ns)
		schedule->stalled = true;
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

/* Gives old frames back, so that the worker goes on until it is known when they are to be shown. */
static const fvsr_frame *make_room(struct schedule *schedule, struct frame_queue *out, bool *freed)
{
	while (schedule->waiting && frame_queue_full(out)) {
		schedule_shown(schedule, out);
		*freed = true;
	}
	return NULL;
}

const fvsr_frame *schedule_due(struct schedule *schedule, struct frame_queue *out, int64_t now,
			       bool *freed)
{
	const fvsr_frame *frame, *next;

	*freed = false;
	while ((frame = frame_queue_peek(out, schedule->waiting)) != NULL) {
		note_arrival(schedule, fvsr_frame_tag(frame));
		schedule->waiting++;
	}
	schedule->looked_ns = now;
	if (!schedule->delay_ns)
		return make_room(schedule, out, freed);
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
