/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What to give up, and in which order, when chunks take longer than they last. The goal is the full
 * frame rate of OBS: quality goes first, one step at a time, then frames, and at last the network.
 * What was given up comes back when there is room for it, ever more carefully if that fails.
 *
 * Arithmetic only, for one thread: no clock, no OBS. All times are in nanoseconds.
 */
#ifndef FLASHVSR_LADDER_H
#define FLASHVSR_LADDER_H

#include <stdbool.h>
#include <stdint.h>

/* Each includes those before it. */
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
	/* The user's choice, 0: none. Quality then stays, and only frames are given up. */
	enum ladder_step pinned;
};

struct ladder {
	struct ladder_plan plan;
	enum ladder_step step;
	enum ladder_step best; /* not above this: there is no memory for more */
	int divisor;           /* one of so many pictures of OBS is taken */
	int64_t frame_ns;      /* what a frame costs; 0 until measured */
	int64_t cost_ns;       /* the same, when the last change was decided */
	int slow_chunks;       /* in a row over the budget */
	int skip_chunks;       /* still of the step before */
	int room_chunks;       /* in a row that leave room for more */
	int64_t room_since;    /* when there began to be room for more; 0: there is none */
	int64_t patience_ns;   /* how long that must last */
	int64_t climbed_ns;    /* when last; 0: never, or what came of it is known */
	int64_t retry_ns;      /* when to leave LADDER_BICUBIC */
};

/* What a change asks for. */
enum ladder_change {
	LADDER_SAME = 1,
	LADDER_LIGHTER, /* attention budget and slices: the stream goes on */
	LADDER_PACE,    /* another frame rate: 'divisor' */
	LADDER_OTHER,   /* another model, or none: the job starts over */
};

void ladder_init(struct ladder *ladder, const struct ladder_plan *plan);
/* A chunk of 'frames' frames took 'chunk_ns', of this step's doing. */
enum ladder_change ladder_measured(struct ladder *ladder, int64_t chunk_ns, int frames,
				   int64_t now);
/*
 * True when the chunk being computed, of 'frames' frames, has taken so long already that it may be
 * given to ladder_measured() as if it were done.
 */
bool ladder_overdue(const struct ladder *ladder, int64_t computing_ns, int frames);
/* There is no memory for this step. LADDER_SAME: nor for any other. */
enum ladder_change ladder_no_memory(struct ladder *ladder);
/* On the last step nothing is measured: true when it is time to try again, and then it is tried. */
bool ladder_retry(struct ladder *ladder, int64_t now);
/* The rate that the costs known would allow. */
double ladder_possible_fps(const struct ladder *ladder);

#endif
