/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Computing the delay: see pacing.h.
 *
 * In a stream that keeps up, a frame waits for 'latency' frames behind it and then for its chunk to
 * be computed, and two ticks each go to its ways in and out. The start is different. The first
 * chunk is longer than the others, so frames queue up and some are not taken while it is computed.
 * Frames from that time come back late whatever the delay is, and say nothing about the delay that
 * is needed.
 */
#include "policy/pacing.h"

#define TRANSPORT_TICKS 4
#define CHUNK_FRAMES    8
#define SPARE_FRAMES    12 /* the queues hold so many beyond what the delay needs */
#define RETIME_NS       30000000000LL
/* At low rates a chunk's time is long, and spreading the work over all of it only adds delay. */
#define LONGEST_SPREAD_NS 500000000LL

/* Returns 'ns' times 'num' / 'den', for small factors. */
static int64_t scaled(int64_t ns, int num, int den)
{
	return ns * num / den;
}

static int64_t needed_delay(const struct pacing *pacing)
{
	int64_t computing_ns = scaled(CHUNK_FRAMES * pacing->frame_ns, 5, 4);

	if (computing_ns < scaled(pacing->budget_ns, 9, 8))
		computing_ns = scaled(pacing->budget_ns, 9, 8);
	return (pacing->latency + 1) * pacing->interval_ns + computing_ns +
	       TRANSPORT_TICKS * pacing->tick_ns;
}

void pacing_init(struct pacing *pacing, int64_t tick_ns)
{
	*pacing = (struct pacing){.tick_ns = tick_ns, .interval_ns = tick_ns};
}

void pacing_restart(struct pacing *pacing)
{
	pacing->any_taken = false;
	pacing->taken_ns = 0;
	pacing->arrived = 0;
	pacing->waiting = 0;
	pacing->stalled = false;
	pacing->spare_since = 0;
}

int64_t pacing_spread(struct pacing *pacing, bool spread)
{
	pacing->budget_ns = spread ? scaled(CHUNK_FRAMES * pacing->interval_ns, 7, 10) : 0;
	if (pacing->budget_ns > LONGEST_SPREAD_NS)
		pacing->budget_ns = LONGEST_SPREAD_NS;
	return pacing->budget_ns;
}

bool pacing_take(struct pacing *pacing, int64_t now)
{
	/* Half a tick of tolerance: frame times are rounded. */
	if (pacing->any_taken && now - pacing->taken_ns < pacing->interval_ns - pacing->tick_ns / 2)
		return false;
	pacing->any_taken = true;
	pacing->taken_ns = now;
	return true;
}

/*
 * A longer interval holds at once, and the delay grows with it when the next chunk is measured. A
 * shorter interval shortens the delay, so what is on its way would be shown too late.
 */
bool pacing_set_interval(struct pacing *pacing, int64_t interval_ns)
{
	const bool shorter = interval_ns < pacing->interval_ns;
	const bool much_longer = interval_ns > scaled(pacing->interval_ns, 3, 2);

	pacing->interval_ns = interval_ns;
	if (!shorter)
		return much_longer && pacing->arrived <= pacing->start_frames;
	pacing->delay_ns = 0;
	return true;
}

void pacing_measured(struct pacing *pacing, int64_t chunk_ns, int frames, int latency,
		     int first_latency)
{
	int64_t frame_ns = chunk_ns / (frames > 0 ? frames : 1), needed_ns;

	pacing->latency = latency;
	pacing->start_frames = first_latency + CHUNK_FRAMES;
	pacing->frame_ns =
		pacing->frame_ns ? scaled(pacing->frame_ns * 3 + frame_ns, 1, 4) : frame_ns;
	needed_ns = needed_delay(pacing);
	if (!pacing->delay_ns || needed_ns > pacing->delay_ns + TRANSPORT_TICKS * pacing->tick_ns)
		pacing->delay_ns = needed_ns;
}

/*
 * Shortens a delay that a lag has made longer, by what was not needed for long: all at once, so
 * that sound and picture jump once, and only where that is worth a jump.
 */
static void note_spare(struct pacing *pacing, int64_t spare_ns, int64_t now)
{
	int64_t shorter_ns, needed_ns = needed_delay(pacing);

	if (!pacing->spare_since || spare_ns < pacing->spare_ns)
		pacing->spare_ns = spare_ns;
	if (!pacing->spare_since)
		pacing->spare_since = now;
	if (now - pacing->spare_since < RETIME_NS)
		return;
	shorter_ns = pacing->delay_ns - (pacing->spare_ns - TRANSPORT_TICKS * pacing->tick_ns);
	if (shorter_ns < needed_ns)
		shorter_ns = needed_ns;
	if (shorter_ns < pacing->delay_ns - TRANSPORT_TICKS * pacing->tick_ns)
		pacing->delay_ns = shorter_ns;
	pacing->spare_since = 0;
}

/*
 * Notes that a frame came back, and makes the delay longer if it is late. A frame that is late
 * beyond all measure says that the worker stood still, not that it is slow.
 */
static void note_arrival(struct pacing *pacing, int64_t taken, int64_t now)
{
	int64_t longest_ns = needed_delay(pacing) + SPARE_FRAMES * pacing->interval_ns;
	int64_t late_ns = now - (taken + pacing->delay_ns);

	if (++pacing->arrived <= pacing->start_frames)
		return;
	note_spare(pacing, -late_ns, now);
	if (late_ns <= 0)
		return;
	if (pacing->delay_ns + late_ns + 2 * pacing->tick_ns > longest_ns)
		pacing->stalled = true;
	else
		pacing->delay_ns += late_ns + 2 * pacing->tick_ns;
}

/* Allows half a tick of tolerance, as pacing_take() does. */
static bool is_due(const struct pacing *pacing, const fvsr_frame *frame, int64_t now)
{
	return fvsr_frame_tag(frame) + pacing->delay_ns - now <= pacing->tick_ns / 2;
}

static bool is_past(const struct pacing *pacing, const fvsr_frame *frame, int64_t now)
{
	return now - (fvsr_frame_tag(frame) + pacing->delay_ns) >
	       pacing->interval_ns + pacing->tick_ns;
}

const fvsr_frame *pacing_due(struct pacing *pacing, struct frame_queue *out, int64_t now,
			     bool *freed)
{
	const fvsr_frame *frame, *next;

	*freed = false;
	while ((frame = frame_queue_peek(out, pacing->waiting)) != NULL) {
		note_arrival(pacing, fvsr_frame_tag(frame), now);
		pacing->waiting++;
	}
	while (pacing->waiting) {
		frame = frame_queue_peek(out, 0);
		if (!is_due(pacing, frame, now))
			return NULL;
		next = pacing->waiting > 1 ? frame_queue_peek(out, 1) : NULL;
		if (!is_past(pacing, frame, now) && (!next || !is_due(pacing, next, now)))
			return frame;
		pacing_shown(pacing, out);
		*freed = true;
	}
	return NULL;
}

void pacing_shown(struct pacing *pacing, struct frame_queue *out)
{
	frame_queue_pop(out);
	pacing->waiting--;
}

bool pacing_behind(const struct pacing *pacing, int64_t taken, int64_t now)
{
	return now > taken + pacing->delay_ns + pacing->interval_ns + 2 * pacing->tick_ns;
}
