/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watching time stamps and delaying sound: see sync.h.
 */
#include "sound/sync.h"

#include "units.h"

#include <util/platform.h>

#include <stdlib.h>

#define JUMP_NS (NS_PER_S / 2) /* time stamps that are so far ahead of the clock tell of a seek */

bool sync_init(struct sync *sync)
{
	atomic_init(&sync->keep, true);
	atomic_init(&sync->delay_ns, 0);
	atomic_init(&sync->picture_offset_ns, 0);
	atomic_init(&sync->picture_ns, 0);
	sync->line = sound_delay_create();
	return sync->line != NULL;
}

void sync_free(struct sync *sync)
{
	sound_delay_destroy(sync->line);
}

bool sync_follows(struct sync *sync, obs_source_t *parent)
{
	const uint32_t flags = parent ? obs_source_get_output_flags(parent) : 0;

	return atomic_load(&sync->keep) && (flags & OBS_SOURCE_AUDIO) != 0 &&
	       (flags & OBS_SOURCE_COMPOSITE) == 0;
}

/* Notes what libobs adds to the sound's time stamps, smoothed, for pictures wait for ticks. */
static void note_offset(struct sync *sync, int64_t offset_ns)
{
	const int64_t off_ns = offset_ns - atomic_load(&sync->picture_offset_ns);

	if (llabs(off_ns) > JUMP_NS)
		atomic_store(&sync->picture_offset_ns, offset_ns);
	else
		atomic_fetch_add(&sync->picture_offset_ns, off_ns / 8);
}

/* Takes no pause for a jump: after it time stamps go on with the clock, or from where they were. */
void sync_video(struct sync *sync, const struct obs_source_frame *frame, int64_t tick_ns)
{
	const int64_t now = (int64_t)obs_get_video_frame_time();
	const int64_t step_ns = (int64_t)frame->timestamp - sync->frame_ns;

	if (sync->framed_ns && (step_ns < 0 || step_ns > now - sync->framed_ns + JUMP_NS))
		sync->jumped = true;
	sync->frame_ns = (int64_t)frame->timestamp;
	sync->framed_ns = now;
	note_offset(sync, now - sync->frame_ns);
	atomic_store(&sync->picture_ns, tick_ns);
}

struct obs_audio_data *sync_audio(struct sync *sync, struct obs_audio_data *audio)
{
	struct sound_packet packet = {
		.frames = audio->frames,
		.rate = audio_output_get_sample_rate(obs_get_audio()),
		.timestamp_ns = (int64_t)audio->timestamp,
		.arrived_ns = (int64_t)os_gettime_ns(),
	};

	for (unsigned i = 0; i < SOUND_PLANES_MAX && i < MAX_AV_PLANES; i++)
		packet.planes[i] = (float *)audio->data[i];
	/* Time stamps near the clock are taken as they are; see source_output_audio_data(). */
	if (llabs(packet.timestamp_ns - packet.arrived_ns) > 2 * NS_PER_S)
		packet.picture_ns = atomic_load(&sync->picture_ns);
	packet.picture_offset_ns = atomic_load(&sync->picture_offset_ns);
	sound_delay_process(sync->line, &packet, atomic_load(&sync->delay_ns));
	audio->timestamp = (uint64_t)packet.timestamp_ns;
	return audio;
}

bool sync_jumped(struct sync *sync)
{
	const bool jumped = sync->jumped;

	sync->jumped = false;
	return jumped;
}
