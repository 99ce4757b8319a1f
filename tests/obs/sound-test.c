/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The delay line without OBS: a sound whose every sample says when it was made goes in, in packets
 * of all sizes, and what comes out must be as old as the delay says, without steps when the delay
 * changes, and silent where the source paused.
 */
#include "check.h"
#include "sound/delay-line.h"
#include "units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define RATE   48000
#define FRAMES 4096 /* the largest packet */
#define SLOPE  1e-6 /* a sample is its time, in samples, times this */

struct source {
	struct sound_delay *delay;
	float planes[2][FRAMES];
	int64_t made;     /* samples since the start, pauses left out */
	int64_t now_ns;   /* the packet's arrival */
	int64_t stamp_ns; /* what a time stamp is more than that */
	float last[2];    /* that came out */
	double largest_step;
};

static int64_t samples_ns(int64_t samples)
{
	return samples * NS_PER_S / RATE;
}

/* One packet through the line; false when it is to be left as it was. */
static bool feed(struct source *source, uint32_t frames, int64_t delay_ns)
{
	struct sound_packet packet = {
		.planes = {source->planes[0], source->planes[1]},
		.frames = frames,
		.rate = RATE,
		.timestamp_ns = source->now_ns + source->stamp_ns,
		.arrived_ns = source->now_ns,
	};
	bool ok;

	for (uint32_t i = 0; i < frames; i++) {
		source->planes[0][i] = (float)((double)(source->made + i) * SLOPE);
		source->planes[1][i] = -source->planes[0][i];
	}
	ok = sound_delay_process(source->delay, &packet, delay_ns);
	source->made += frames;
	source->now_ns += samples_ns(frames);
	for (uint32_t i = 0; i < frames; i++) {
		source->largest_step =
			fmax(source->largest_step, fabs(source->planes[0][i] - source->last[0]));
		source->last[0] = source->planes[0][i];
	}
	CHECK(packet.timestamp_ns == source->now_ns - samples_ns(frames) + source->stamp_ns,
	      "another time stamp");
	return ok;
}

/* How old the last sample is that came out, in samples. */
static double age(const struct source *source, uint32_t frames)
{
	return (double)source->made - 1.0 - source->planes[0][frames - 1] / SLOPE;
}

static void feed_seconds(struct source *source, double seconds, int64_t delay_ns)
{
	const int64_t end = source->now_ns + (int64_t)(seconds * (double)NS_PER_S);
	static const uint32_t sizes[] = {1024, 480, 441, 1, 4096, 960};

	for (unsigned i = 0; source->now_ns < end; i++)
		CHECK(feed(source, sizes[i % 6], delay_ns), "a packet of %u", sizes[i % 6]);
}

static void start(struct source *source)
{
	*source = (struct source){
		.delay = sound_delay_create(), .now_ns = 5 * NS_PER_S, .stamp_ns = 77 * NS_PER_S};
	if (!source->delay)
		abort();
}

static void expect_age(struct source *source, double seconds)
{
	feed(source, 960, (int64_t)(seconds * (double)NS_PER_S));
	CHECK(fabs(age(source, 960) - seconds * RATE) < 1.0, "%.1f samples old, not %.1f",
	      age(source, 960), seconds * RATE);
	CHECK(source->planes[1][7] == -source->planes[0][7], "the planes differ");
}

static void test_delays(void)
{
	static const double delays[] = {0.0, 0.7, 0.35, 3.0, 12.0, 29.0, 0.02, 0.0};
	struct source source;

	start(&source);
	feed_seconds(&source, 1.0, 0);
	source.largest_step = 0.0;
	for (size_t i = 0; i < sizeof(delays) / sizeof(*delays); i++) {
		feed_seconds(&source, 31.0, (int64_t)(delays[i] * (double)NS_PER_S));
		expect_age(&source, delays[i]);
	}
	/* From all there is to nothing, or back, in 5 ms. */
	CHECK(source.largest_step < 1.1 * (double)source.made * SLOPE / 240.0, "a step of %g",
	      source.largest_step);
	sound_delay_destroy(source.delay);
}

/* The past is there when a delay begins: nothing of it is silent. */
static void test_beginning(void)
{
	struct source source;

	start(&source);
	feed_seconds(&source, 5.0, 0);
	feed_seconds(&source, 0.1, 7 * NS_PER_S / 10);
	expect_age(&source, 0.7);
	sound_delay_destroy(source.delay);
}

/* Whether pauses show in the time stamps or not: what was before must not come out late. */
static void test_pause(int64_t stamp_change_ns)
{
	const double delay_s = 0.5;
	struct source source;
	double heard = 0.0;

	start(&source);
	feed_seconds(&source, 3.0, NS_PER_S / 2);
	source.now_ns += NS_PER_S;
	source.stamp_ns += stamp_change_ns;
	for (int i = 0; i < 24; i++) {
		feed(&source, 960, NS_PER_S / 2);
		for (int k = 0; k < 960; k++)
			heard = fmax(heard, fabs(source.planes[0][k]));
	}
	CHECK(heard == 0.0, "%g is heard after a pause of %lld", heard, (long long)stamp_change_ns);
	feed_seconds(&source, 0.1, NS_PER_S / 2);
	expect_age(&source, delay_s);
	sound_delay_destroy(source.delay);
}

/* The packet's own sound stays when it cannot be delayed. */
static void test_nonsense(void)
{
	struct source source;
	struct sound_packet packet = {.planes = {NULL}, .frames = 10, .rate = RATE};

	start(&source);
	CHECK(!sound_delay_process(source.delay, &packet, 0), "no planes");
	packet.planes[0] = source.planes[0];
	packet.rate = 0;
	CHECK(!sound_delay_process(source.delay, &packet, 0), "no rate");
	packet.rate = RATE;
	packet.frames = UINT32_MAX;
	CHECK(!sound_delay_process(source.delay, &packet, 0), "too many frames");
	packet.frames = 0;
	CHECK(sound_delay_process(source.delay, &packet, INT64_MAX), "none is few enough");
	CHECK(sound_delay_process(source.delay, &packet, INT64_MIN), "none is few enough");
	sound_delay_destroy(source.delay);
}

/* The pictures move away from where libobs put the sound, and one packet is set aside. */
static void test_place(void)
{
	struct source source;
	struct sound_packet packet = {.rate = RATE, .frames = 960, .picture_ns = NS_PER_S / 30};
	int aside = 0, aside_before = 0;

	start(&source);
	packet.planes[0] = source.planes[0];
	for (int i = 0; i < 500; i++) {
		const int64_t stamp_ns = i * samples_ns(960);

		packet.timestamp_ns = packet.arrived_ns = stamp_ns;
		packet.picture_offset_ns = i < 250 ? 0 : 50000000;
		sound_delay_process(source.delay, &packet, i < 50 ? 0 : NS_PER_S / 2);
		aside += packet.timestamp_ns != stamp_ns;
		CHECK(i >= 50 || !aside, "set aside without a delay");
		if (i == 249)
			aside_before = aside;
	}
	CHECK(aside_before == 1, "set aside %d times when it began", aside_before);
	CHECK(aside == 2, "set aside %d times in all", aside);
	sound_delay_destroy(source.delay);
}

int main(void)
{
	test_delays();
	test_beginning();
	test_pause(NS_PER_S);
	test_pause(0);
	test_pause(-40 * NS_PER_S);
	test_nonsense();
	test_place();
	return check_result();
}
