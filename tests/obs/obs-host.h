/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small OBS without windows: libobs with its OpenGL renderer, the real media and image sources,
 * and obs-flashvsr.so. A watch looks at one source from within the render loop, each picture, as
 * OBS itself would draw it.
 */
#ifndef TEST_OBS_HOST_H
#define TEST_OBS_HOST_H

#include <obs.h>

#include "check.h"

#define HOST_WIDTH  320
#define HOST_HEIGHT 240
#define HOST_FPS    30

/* Starts OBS. False, with a line on stderr, when it cannot start here. */
bool host_start(const char *plugin_folder);
/* Loads another of OBS's own modules, by the name of its file. */
bool host_load_module(const char *name);
/* Shuts OBS down and checks that nothing was leaked: neither blocks nor threads. */
void host_stop(void);
/* Returns true when the filter has written a line with 'text' to OBS's log. */
bool host_log_has(const char *text);
/* Returns how many threads the filters have. */
int host_workers(void);

/* Make a media source that loops, and an image source. */
obs_source_t *host_media(const char *name, const char *path);
obs_source_t *host_image(const char *name, const char *path);
void host_media_set_path(obs_source_t *media, const char *path);
/*
 * Makes the filter, which is not added to a source yet. 'model' is as for fvsr_model_open(), or
 * NULL for the default. The ladder is pinned to 'step'; with NULL a busy machine may end at any
 * step.
 */
obs_source_t *host_create_filter(const char *name, const char *model, int scale, const char *step);
/* Returns the status of the filter's dialog, and the figures among the details; bfree() it. */
char *host_status(obs_source_t *filter);
/* Waits until the status contains 'text'. */
bool host_wait_status(obs_source_t *filter, const char *text, double timeout_s);
void host_sleep(double seconds);

/* Pixels of one moment: what the source shows, and what it shows without the filter. */
struct view {
	uint32_t width, height, source_width, source_height;
	uint8_t *pixels, *source_pixels; /* RGBA, tightly packed */
	uint64_t number;                 /* counts the pictures of the watch, from 1 */
	uint64_t time_ns;
};

struct watch;

/*
 * Watches 'source', which has no filter yet. Each picture must have the expected size and must not
 * be black; violations are counted and printed.
 */
struct watch *watch_start(obs_source_t *source);
void watch_stop(struct watch *watch);
/*
 * Begin and end a change, during which no picture is watched. watch_begin_change() returns the
 * number of the last picture before the change. After it the source must show 'scale' times its own
 * size (for some pictures still the scale before); 0: any size. 'filter' may be NULL.
 */
uint64_t watch_begin_change(struct watch *watch);
void watch_end_change(struct watch *watch, obs_source_t *filter, uint32_t scale);
/*
 * Waits for a picture newer than 'after' (UINT64_MAX: than now) and copies the newest one; the copy
 * is valid until the next call. NULL after 10 s.
 */
const struct view *watch_next(struct watch *watch, uint64_t after);
unsigned watch_violations(struct watch *watch);

#endif
