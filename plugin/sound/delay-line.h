/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sound as late as the picture. A delay line: what comes in is kept, and as much goes out, from
 * 'delay' earlier, under the time stamps that came in. So OBS sees the same packets at the same
 * times as without the filter, whatever the kind of source, and nothing is left behind anywhere
 * when the filter goes.
 *
 * One thing is not left as it is: libobs lets the sound of a media source run up to a tenth of a
 * second ahead of its picture, because it joins packets whose times are less than 70 ms off. One
 * packet with a time further off makes it put the next one where the picture's time says.
 *
 * Plain C, for one thread at a time: no clock, no OBS. Times are in nanoseconds.
 */
#ifndef FLASHVSR_DELAY_LINE_H
#define FLASHVSR_DELAY_LINE_H

#include <stdbool.h>
#include <stdint.h>

#define SOUND_PLANES_MAX   8
#define SOUND_DELAY_MAX_NS 30000000000LL

struct sound_packet {
	float *planes[SOUND_PLANES_MAX]; /* NULL after the last one; changed in place */
	uint32_t frames, rate;           /* sample frames, and how many of them are a second */
	int64_t timestamp_ns;            /* the source's; any origin */
	int64_t arrived_ns;              /* by a clock that never stands still */

	/*
	 * When libobs finds the sound's place by the source's pictures: from their time stamps to
	 * the times they are shown, and from one picture to the next. 'picture_ns' is 0 otherwise.
	 */
	int64_t picture_offset_ns, picture_ns;
};

struct sound_delay;

/* NULL when memory runs out. */
struct sound_delay *sound_delay_create(void);
/* NULL is allowed. */
void sound_delay_destroy(struct sound_delay *delay);

/*
 * Exchanges the packet's sound for what is 'delay_ns' older. Another delay than before is faded
 * over to, without a gap: a longer one lets a little of the sound be heard again, a shorter one
 * leaves a little out. Where the source paused there is silence. The packet's time is changed for
 * the purpose said above, a moment after the sound began, stopped or was first delayed, and when
 * the pictures went away from it since. False when memory runs out or the packet makes no sense: it
 * is left as it was.
 */
bool sound_delay_process(struct sound_delay *delay, struct sound_packet *packet, int64_t delay_ns);

#endif
