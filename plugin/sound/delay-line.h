/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A delay line, which makes sound as late as the picture. What comes in is kept, and as much sound
 * from before goes out under the time stamps that came in. So OBS sees the same packets at the same
 * times as without the filter, whatever the kind of source, and when the filter goes nothing is
 * left behind.
 *
 * Some time stamps are changed, though: libobs lets the sound of a media source run up to a tenth
 * of a second ahead of its picture, because it joins packets whose times are less than 70 ms off.
 * After a packet whose time is further off, libobs puts the next one where the picture's time says.
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
	int64_t timestamp_ns;            /* the source's, from any origin */
	int64_t arrived_ns;              /* by a clock that never stands still */

	/*
	 * Where libobs finds the sound's place by the source's pictures, the time from their time
	 * stamps to when they are shown, and from one picture to the next; else picture_ns is 0.
	 */
	int64_t picture_offset_ns, picture_ns;
};

struct sound_delay;

/* Creates a line. NULL when memory runs out. */
struct sound_delay *sound_delay_create(void);
/* NULL is allowed. */
void sound_delay_destroy(struct sound_delay *delay);

/*
 * Exchanges the packet's sound for sound that is 'delay_ns' older. A change of the delay is faded
 * over, without a gap: with a longer delay a little of the sound is heard again, with a shorter one
 * a little is left out. Where the source paused there is silence. The packet's time stamp is
 * changed for the reason given above, a moment after the sound began, stopped or was first delayed,
 * and when the pictures have moved away from the sound since. False when memory runs out or the
 * packet makes no sense; then the packet is left as it was.
 */
bool sound_delay_process(struct sound_delay *delay, struct sound_packet *packet, int64_t delay_ns);

#endif
