/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Spreading a chunk's work over its time: the arithmetic on a made-up clock, and a stream that does
 * it, whose pictures stay the same.
 *
 *	test_spread MODEL BACKEND
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/spread.h"
#include "test_support.h"

#define FRAMES  61 /* six chunks */
#define PIECES  40
#define STRETCH 8 /* chunks' work in the time of one */

/* ---- arithmetic ---------------------------------------------------------------------------- */

struct day {
	double now, longest_gap, longest_burst;
};

/* Runs a chunk of PIECES uneven pieces, 'work_ms' together, and returns what it took. */
static double run_chunk(struct fvsr_spread *spread, struct day *day, double work_ms)
{
	double began = day->now, burst = 0, pause;

	fvsr_spread_begin(spread, true);
	fvsr_spread_work(spread, day->now);
	day->longest_gap = day->longest_burst = 0;
	for (int i = 0; i < PIECES; i++) {
		double piece = work_ms * (0.5 + i % 3 * 0.5) / PIECES / 0.9875;

		day->now += piece;
		burst += piece;
		day->longest_burst = fmax(day->longest_burst, burst);
		if (!spread->pausing)
			continue;
		fvsr_spread_done(spread, day->now);
		pause = fvsr_spread_pause(spread);
		day->longest_gap = fmax(day->longest_gap, pause);
		if (pause <= 0)
			continue;
		day->now += pause;
		burst = 0;
		fvsr_spread_paused(spread, day->now);
	}
	fvsr_spread_done(spread, day->now);
	day->now += 1000; /* nobody asks for a while: that is neither work nor pause */
	return day->now - 1000 - began;
}

static bool close_to(double a, double b)
{
	return fabs(a - b) < 0.02 * b + 1e-9;
}

static void test_arithmetic(void)
{
	struct fvsr_spread spread = {.budget_ms = 90};
	struct day day = {.now = 5};

	CHECK(close_to(run_chunk(&spread, &day, 50), 50)); /* nothing is known yet */
	CHECK(close_to(run_chunk(&spread, &day, 50), 90));
	CHECK(day.longest_burst < 6 && day.longest_gap < 4);
	/* More work than it was, since others take their part: late by what nobody could know. */
	CHECK(close_to(run_chunk(&spread, &day, 80), 80 + 40));
	/* So little to spare that it is not worth it, and then none at all. */
	CHECK(close_to(run_chunk(&spread, &day, 80), 80));
	CHECK(close_to(run_chunk(&spread, &day, 200), 200));
	CHECK(close_to(run_chunk(&spread, &day, 30), 30));
	CHECK(close_to(run_chunk(&spread, &day, 30), 90));
	/* Far more than expected: no pause once the time is up. */
	CHECK(close_to(run_chunk(&spread, &day, 120), 120 + 60));
	CHECK(close_to(run_chunk(&spread, &day, 30), 30));
	spread.budget_ms = 0;
	CHECK(close_to(run_chunk(&spread, &day, 30), 30));
	CHECK(close_to(run_chunk(&spread, &day, 30), 30));
	spread.budget_ms = 90;
	fvsr_spread_reset(&spread);
	CHECK(spread.budget_ms > 89 && close_to(run_chunk(&spread, &day, 30), 30));
	CHECK(close_to(run_chunk(&spread, &day, 30), 90));
}

/* ---- a stream ------------------------------------------------------------------------------ */

struct video {
	uint64_t hash[FRAMES];
	int frames;
	struct fvsr_timing timing;
};

static void run(fvsr_model *model, double chunk_ms, struct video *video)
{
	struct fvsr_settings settings;
	struct fvsr_error err = {""};
	fvsr_stream *stream;

	memset(video, 0, sizeof(*video));
	test_settings(&settings, 64, 64, 128, 128);
	if (fvsr_stream_open(&stream, model, &settings, &err) < 0) {
		printf("%s\n", err.text);
		exit(1);
	}
	fvsr_stream_set_budget(stream, chunk_ms);
	video->frames = test_stream_hashes(stream, &settings, FRAMES, video->hash);
	fvsr_stream_timing(stream, &video->timing, false);
	fvsr_stream_close(stream);
}

static void test_stream(fvsr_model *model)
{
	struct video fast, spread;
	double chunk_ms;

	run(model, 0, &fast);
	chunk_ms = fast.timing.total_ms / (double)fast.timing.chunks;
	CHECK(fast.frames == FRAMES && fast.timing.paused_ms == 0);
	run(model, STRETCH * chunk_ms, &spread);
	CHECK(spread.frames == FRAMES && !memcmp(fast.hash, spread.hash, sizeof(fast.hash)));
	printf("%.2f ms a chunk; of %.2f it paused %.2f\n", chunk_ms, STRETCH * chunk_ms,
	       spread.timing.paused_ms / (double)spread.timing.chunks);
	/* The first two or three of them have no pauses. */
	CHECK(spread.timing.paused_ms > STRETCH * chunk_ms);
	CHECK(spread.timing.total_ms < spread.timing.paused_ms);
}

int main(int argc, char **argv)
{
	fvsr_model *model;

	if (argc != 3)
		return 2;
	test_arithmetic();
	model = test_model_open(argv[1], argv[2]);
	test_stream(model);
	fvsr_model_unref(model);
	return check_result();
}
