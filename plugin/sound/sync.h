/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What else of the source passes the filter: its sound, which is delayed as the picture is, and the
 * time stamps of its frames, which tell of seeks (docs/decisions/0007).
 */
#ifndef FLASHVSR_SYNC_H
#define FLASHVSR_SYNC_H

#include <obs-module.h>

#include "sound/delay-line.h"

#include <stdatomic.h>

struct sync {
	struct sound_delay *line; /* the audio thread's */
	atomic_llong delay_ns;    /* of the sound; set by the graphics thread */
	atomic_bool keep;         /* the user wants the sound delayed */

	/* For struct sound_packet, of a source whose pictures have time stamps. */
	atomic_llong picture_offset_ns, picture_ns;

	/* The graphics thread's: the time stamp of the source's last frame, and OBS's time then. */
	int64_t frame_ns, framed_ns;
	bool jumped; /* the source's time has jumped since the last sync_jumped() */
};

/* False: out of memory. sync_free() must follow in any case. */
bool sync_init(struct sync *sync);
void sync_free(struct sync *sync);

/* Returns true when this source's sound is delayed: libobs gives no filter that of a scene. */
bool sync_follows(struct sync *sync, obs_source_t *parent);

/* Looks at a frame of a media source or camera that is about to be shown. */
void sync_video(struct sync *sync, const struct obs_source_frame *frame, int64_t tick_ns);
/* Delays a packet of the source's sound. The audio thread. */
struct obs_audio_data *sync_audio(struct sync *sync, struct obs_audio_data *audio);
/* Returns true once after a seek. */
bool sync_jumped(struct sync *sync);

#endif
