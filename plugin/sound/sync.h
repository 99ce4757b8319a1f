/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of the source passes the filter beside its picture: the time stamps of its frames, which
 * tell of seeks, and its sound, which is delayed as the picture is (docs/architecture.md, "Sound").
 */
#ifndef FLASHVSR_SYNC_H
#define FLASHVSR_SYNC_H

#include <obs-module.h>

#include "sound/sound-delay.h"

#include <stdatomic.h>

struct sync {
	struct sound_delay *line; /* the audio thread's */
	atomic_llong delay_ns;    /* the graphics thread sets it */
	atomic_bool keep;

	/* Of a source whose pictures have time stamps, for struct sound_packet. */
	atomic_llong picture_offset_ns, picture_ns;

	/* The graphics thread's: of the source's last frame, its own and OBS' time. */
	int64_t frame_ns, framed_ns;
	bool jumped; /* the source's time did, since the last sync_jumped() */
};

/* False: out of memory. */
bool sync_init(struct sync *sync);
void sync_free(struct sync *sync);

/* Whether the sound of this source is delayed: libobs gives filters that of single sources only. */
bool sync_follows(struct sync *sync, obs_source_t *parent);

/* Of each frame of a media source or camera, as it is about to be shown. */
void sync_video(struct sync *sync, const struct obs_source_frame *frame, int64_t tick_ns);
struct obs_audio_data *sync_audio(struct sync *sync, struct obs_audio_data *audio);
/* True once after a seek. */
bool sync_jumped(struct sync *sync);

#endif
