/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is given up, and in which order, when computing a chunk takes longer than its frames last.
 * The goal is the full frame rate of OBS: quality goes first, one step at a time, then frames, and
 * at last the network. What was given up comes back when there is room for it; where that turns out
 * wrong, the next attempt is put off longer.
 *
 * Arithmetic only, for one thread: no clock, no OBS. All times are in nanoseconds.
 */
#ifndef FLASHVSR_LADDER_H
#define FLASHVSR_LADDER_H

#include <stdbool.h>
#include <stdint.h>

/* Each step gives up what the steps before it do, and more. */
enum ladder_step {
	LADDER_FULL = 1, /* as the settings say */
	LADDER_SPARSE,   /* a smaller attention budget */
	LADDER_SLICES,   /* fewer slices of the past */
	LADDER_SMALL,    /* the bundled model instead of the chosen one */
	LADDER_RATE,     /* every second frame, or fewer */
	LADDER_BICUBIC,  /* no network */
};

#define LADDER_SPARSE_RATIO 1.5 /* "fast" in the engine's words */
#define LADDER_KV_RATIO     2   /* fewer make no difference to the engine */

/* What the settings leave to be given up. */
struct ladder_plan {
	int64_t tick_ns;            /* between two pictures of OBS: the goal */
	int64_t slowest_ns;         /* between two upscaled ones: the limit of LADDER_RATE */
	bool sparse, slices, small; /* these steps would change something */
	/* The user's choice, with which quality stays and only frames are given up; 0: none. */
	enum ladder_step pinned;
};

struct ladder {
	struct ladder_plan plan;
	enum ladder_step step;
	enum ladder_step best; /* not above this: there is no memory for more */
	int divisor;           /* one of so many pictures of OBS is taken */
	int64_t longest_ns;    /* between two upscaled ones: the delay allows no more; 0: any */
	int64_t frame_ns;      /* what a frame costs; 0 until measured */
	int64_t cost_ns;       /* what a frame cost when the last change was decided */
	int slow_chunks;       /* so many in a row were over the budget */
	int skip_chunks;       /* so many to come are still of the step before */
	int room_chunks;       /* so many in a row left room for more */
	int64_t room_since;    /* when there began to be room for more; 0: there is none */
	int64_t patience_ns;   /* how long there must be room before a climb */
	int64_t climbed_ns;    /* when the last climb began; 0: none, or its outcome is known */
	int64_t retry_ns;      /* when to leave LADDER_BICUBIC */
};

/* What a change asks for. */
enum ladder_change {
	LADDER_SAME = 1,
	LADDER_LIGHTER,    /* another attention budget or number of slices; the stream goes on */
	LADDER_OTHER_RATE, /* another frame rate, see 'divisor' */
	LADDER_OTHER,      /* another model, or none; the job starts over */
};

void ladder_init(struct ladder *ladder, const struct ladder_plan *plan);
/* Notes that a chunk of 'frames' frames took 'chunk_ns' on this step. */
enum ladder_change ladder_measured(struct ladder *ladder, int64_t chunk_ns, int frames,
				   int64_t now);
/*
 * Returns true when the chunk that is being computed has taken so long already that it may be given
 * to ladder_measured() as if it were done.
 */
bool ladder_overdue(const struct ladder *ladder, int64_t computing_ns, int frames);
/* Notes that there is no memory for this step. LADDER_SAME: there is no smaller one. */
enum ladder_change ladder_no_memory(struct ladder *ladder);
/* Leaves the last step, where nothing is measured, and returns true when it is time to. */
bool ladder_retry(struct ladder *ladder, int64_t now);
/* Returns true when this step was measured and keeps up. */
bool ladder_settled(const struct ladder *ladder);
/*
 * Returns the distance of frames that the delay should have room for, so that it need not change
 * when this machine gets busier: where frames are all that is left to be given up and less than
 * half of the time is to spare, one picture of OBS more than now.
 */
int64_t ladder_room(const struct ladder *ladder);
/*
 * Returns a limit of the frame rate that this machine can be expected to keep, with room for one
 * lower than what is possible now; 0: the cost of a frame is not known.
 */
int ladder_allow_fps(const struct ladder *ladder);
/* Returns the frame rate that the known cost of a frame allows; 0: it is not known. */
double ladder_possible_fps(const struct ladder *ladder);

#endif
