/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Delaying packets: see delay-line.h.
 *
 * There is a ring for each plane, and a count of sample frames that only grows. The past is kept
 * even while nothing is delayed yet: when the picture's delay becomes known, the picture goes back
 * by as much, and the sound has to go with it.
 */
#include "sound/delay-line.h"

#include "units.h"

#include <stdlib.h>
#include <string.h>

#define PAST_NS    (4 * NS_PER_S) /* kept whatever the delay is */
#define FADE_NS    20000000LL     /* from one delay to another */
#define SEAM_NS    5000000LL      /* out before and in after a break in the sound */
#define SMOOTH_NS  70000000LL     /* libobs takes time stamps this far off as continuing */
#define SILENCE_NS 500000000LL    /* without packets: the source paused */
#define PLACE_NS   250000000LL    /* after this time libobs has seen pictures to go by */
#define ASIDE_NS   100000000LL    /* further off than libobs smooths over */
#define OFF_NS     400000000LL    /* the pictures are elsewhere for so long; then twice as long */
#define OFF_NS_MAX 60000000000LL
#define RATE_MAX   768000
#define FRAMES_MAX (1u << 20)

struct sound_delay {
	float *line[SOUND_PLANES_MAX];
	unsigned planes;
	uint32_t rate;
	size_t capacity;  /* in sample frames, a power of two */
	uint64_t written; /* sample frames; starts at 'capacity', so that there is a past */
	bool any;

	uint64_t behind, behind_before; /* how far back is read, and was before the fade */
	uint32_t fade_frames, fade_left;
	uint32_t rise_frames, rise_left; /* sound after a break is faded in over so many */

	/* So many steps remain to have libobs place the sound anew; see place_anew(). */
	unsigned place_steps;
	int64_t place_at_ns;
	int64_t placed_ns;    /* the pictures' offset when it was placed */
	int64_t off_since_ns; /* since when the offset is another one; 0: it is not */
	int64_t off_for_ns;   /* for so long it must be another one before sound is placed anew */

	int64_t expected_ns; /* the next packet's time stamp */
	int64_t ended_ns;    /* arrival of the last packet, and its duration */
};

static uint64_t to_frames(int64_t ns, uint32_t rate)
{
	return ns > 0 ? (uint64_t)ns / NS_PER_S * rate + (uint64_t)ns % NS_PER_S * rate / NS_PER_S
		      : 0;
}

static int64_t to_ns(uint32_t frames, uint32_t rate)
{
	return (int64_t)frames * NS_PER_S / rate;
}

static float *at(const struct sound_delay *delay, unsigned plane, uint64_t frame)
{
	return &delay->line[plane][frame & (delay->capacity - 1)];
}

struct sound_delay *sound_delay_create(void)
{
	return calloc(1, sizeof(struct sound_delay));
}

static void free_line(struct sound_delay *delay)
{
	for (unsigned p = 0; p < SOUND_PLANES_MAX; p++) {
		free(delay->line[p]);
		delay->line[p] = NULL;
	}
	delay->planes = 0;
	delay->capacity = 0;
}

void sound_delay_destroy(struct sound_delay *delay)
{
	if (!delay)
		return;
	free_line(delay);
	free(delay);
}

/* ---- memory -------------------------------------------------------------------------------- */

/* Fades the oldest sound in: a longer line begins with silence, which must not end with a step. */
static void fade_in_oldest(struct sound_delay *delay)
{
	const uint32_t count = delay->capacity ? delay->rise_frames : 0;

	for (unsigned p = 0; p < delay->planes; p++)
		for (uint32_t i = 0; i < count; i++)
			*at(delay, p, delay->written + i) *= (float)i / (float)count;
}

static bool move_line(struct sound_delay *delay, size_t capacity)
{
	float *line[SOUND_PLANES_MAX] = {NULL};
	bool ok = true;

	for (unsigned p = 0; p < delay->planes; p++) {
		line[p] = calloc(capacity, sizeof(float));
		ok = ok && line[p];
	}
	for (unsigned p = 0; p < delay->planes; p++) {
		for (size_t i = 1; ok && i <= delay->capacity; i++)
			line[p][(capacity - i) & (capacity - 1)] =
				*at(delay, p, delay->written - i);
		free(ok ? delay->line[p] : line[p]);
		if (ok)
			delay->line[p] = line[p];
	}
	if (!ok)
		return false;
	delay->capacity = capacity;
	delay->written = capacity;
	return true;
}

static bool reserve(struct sound_delay *delay, uint64_t frames)
{
	size_t capacity = delay->capacity ? delay->capacity : 4096;

	while (capacity < frames)
		capacity *= 2;
	if (capacity == delay->capacity)
		return true;
	fade_in_oldest(delay);
	return move_line(delay, capacity);
}

/* Starts with another layout of the sound, for which the past cannot be used. */
static void start_over(struct sound_delay *delay, unsigned planes, uint32_t rate)
{
	free_line(delay);
	memset(delay, 0, sizeof(*delay));
	delay->planes = planes;
	delay->rate = rate;
	delay->fade_frames = (uint32_t)to_frames(FADE_NS, rate);
	delay->rise_frames = (uint32_t)to_frames(SEAM_NS, rate);
}

/* ---- in ------------------------------------------------------------------------------------ */

static void fade_out_end(struct sound_delay *delay)
{
	const uint32_t count = delay->rise_frames;

	for (unsigned p = 0; p < delay->planes; p++)
		for (uint32_t i = 0; i < count; i++)
			*at(delay, p, delay->written - 1 - i) *= (float)i / (float)count;
}

static void write_silence(struct sound_delay *delay, uint64_t frames)
{
	if (frames > delay->capacity)
		frames = delay->capacity;
	for (unsigned p = 0; p < delay->planes; p++)
		for (uint64_t i = 0; i < frames; i++)
			*at(delay, p, delay->written + i) = 0.0f;
	delay->written += frames;
}

static void ask_to_place(struct sound_delay *delay, const struct sound_packet *packet)
{
	delay->place_steps = 3;
	delay->place_at_ns = packet->arrived_ns + PLACE_NS;
	delay->off_for_ns = OFF_NS;
}

/*
 * Notes a pause or a seek. The line goes on with the time that passed, so that what was said before
 * a pause is never heard with the pictures from after it.
 */
static void note_break(struct sound_delay *delay, const struct sound_packet *packet)
{
	const int64_t jump_ns = packet->timestamp_ns - delay->expected_ns;
	const int64_t silent_ns = packet->arrived_ns - delay->ended_ns;

	if (!delay->any || (llabs(jump_ns) < SMOOTH_NS && silent_ns < SILENCE_NS))
		return;
	fade_out_end(delay);
	write_silence(delay, to_frames(silent_ns, delay->rate));
	delay->rise_left = delay->rise_frames;
	ask_to_place(delay, packet);
}

static void write_packet(struct sound_delay *delay, const struct sound_packet *packet)
{
	const uint32_t rise = delay->rise_left < packet->frames ? delay->rise_left : packet->frames;

	for (unsigned p = 0; p < delay->planes; p++) {
		for (uint32_t i = 0; i < packet->frames; i++)
			*at(delay, p, delay->written + i) = packet->planes[p][i];
		for (uint32_t i = 0; i < rise; i++)
			*at(delay, p, delay->written + i) *=
				1.0f - (float)(delay->rise_left - i) / (float)delay->rise_frames;
	}
	delay->rise_left -= rise;
	delay->written += packet->frames;
	delay->any = true;
	delay->expected_ns = packet->timestamp_ns + to_ns(packet->frames, packet->rate);
	delay->ended_ns = packet->arrived_ns + to_ns(packet->frames, packet->rate);
}

/* ---- out ----------------------------------------------------------------------------------- */

/* Changes the delay. The next change waits for the fade of the one before. */
static void follow(struct sound_delay *delay, const struct sound_packet *packet, uint64_t behind)
{
	if (delay->fade_left || delay->behind == behind)
		return;
	if (!delay->behind)
		ask_to_place(delay, packet);
	delay->behind_before = delay->behind;
	delay->behind = behind;
	delay->fade_left = delay->fade_frames;
}

static void read_packet(struct sound_delay *delay, const struct sound_packet *packet)
{
	const uint64_t first = delay->written - packet->frames;
	const uint32_t fade = delay->fade_left < packet->frames ? delay->fade_left : packet->frames;

	for (unsigned p = 0; p < delay->planes; p++) {
		for (uint32_t i = 0; i < packet->frames; i++)
			/* The packet has as many planes: sound_delay_process() sees to it. */
			/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
			packet->planes[p][i] = *at(delay, p, first + i - delay->behind);
		for (uint32_t i = 0; i < fade; i++) {
			float before = *at(delay, p, first + i - delay->behind_before);
			float share = (float)(delay->fade_left - i) / (float)delay->fade_frames;

			/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
			packet->planes[p][i] += (before - packet->planes[p][i]) * share;
		}
	}
	delay->fade_left -= fade;
}

static void scale_packet(struct sound_packet *packet, float first, float last)
{
	const float step = (last - first) / (float)(packet->frames ? packet->frames : 1);

	for (unsigned p = 0; p < SOUND_PLANES_MAX && packet->planes[p]; p++)
		for (uint32_t i = 0; i < packet->frames; i++)
			packet->planes[p][i] *= first + step * (float)i;
}

/* Has the sound placed anew when its offset has changed for good: a moment is not worth a gap. */
static void note_offset(struct sound_delay *delay, const struct sound_packet *packet)
{
	const int64_t off_ns = llabs(packet->picture_offset_ns - delay->placed_ns);

	if (delay->place_steps || off_ns < packet->picture_ns + packet->picture_ns / 4) {
		delay->off_since_ns = 0;
	} else if (!delay->off_since_ns) {
		delay->off_since_ns = packet->arrived_ns;
	} else if (packet->arrived_ns - delay->off_since_ns > delay->off_for_ns) {
		delay->place_steps = 3;
		if (delay->off_for_ns < OFF_NS_MAX)
			delay->off_for_ns *= 2;
	}
}

/* Fades one packet out, sets a silent one aside, and fades one in at its right place. */
static void place_anew(struct sound_delay *delay, struct sound_packet *packet)
{
	if (!packet->picture_ns || !delay->behind)
		return;
	note_offset(delay, packet);
	if (!delay->place_steps || packet->arrived_ns < delay->place_at_ns)
		return;
	switch (delay->place_steps--) {
	case 3:
		scale_packet(packet, 1.0f, 0.0f);
		break;
	case 2:
		scale_packet(packet, 0.0f, 0.0f);
		packet->timestamp_ns += ASIDE_NS;
		break;
	default:
		delay->placed_ns = packet->picture_offset_ns;
		scale_packet(packet, 0.0f, 1.0f);
		break;
	}
}

bool sound_delay_process(struct sound_delay *delay, struct sound_packet *packet, int64_t delay_ns)
{
	uint64_t behind, past;
	unsigned planes = 0;

	while (planes < SOUND_PLANES_MAX && packet->planes[planes])
		planes++;
	if (!planes || !packet->rate || packet->rate > RATE_MAX || packet->frames > FRAMES_MAX)
		return false;
	if (planes != delay->planes || packet->rate != delay->rate)
		start_over(delay, planes, packet->rate);
	behind = to_frames(delay_ns < SOUND_DELAY_MAX_NS ? delay_ns : SOUND_DELAY_MAX_NS,
			   packet->rate);
	past = to_frames(PAST_NS, packet->rate);
	if (!reserve(delay, (behind > past ? behind : past) + packet->frames))
		return false;
	note_break(delay, packet);
	write_packet(delay, packet);
	follow(delay, packet, behind);
	read_packet(delay, packet);
	place_anew(delay, packet);
	return true;
}
