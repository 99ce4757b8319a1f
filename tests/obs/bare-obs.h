/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libobs with its OpenGL renderer and nothing else, no modules and no sources, for programs that
 * call the plugin's parts themselves. libobs's effects come from the folder that OBS_HEADLESS_DATA
 * names, if that is set.
 */
#ifndef TEST_BARE_OBS_H
#define TEST_BARE_OBS_H

#include <graphics/graphics.h>

/* Starts libobs. False when it does not start here. */
bool bare_obs_start(void);
/* Stops libobs. False when something was leaked. */
bool bare_obs_stop(void);

/* Makes a GS_RGBA_UNORM texture of these bytes; NULL: its content is undefined. */
gs_texture_t *bare_obs_texture(int width, int height, const uint8_t *pixels);
/* Returns the bytes of a texture; free() them. In the graphics context. */
uint8_t *bare_obs_read(gs_texture_t *texture, int width, int height);

#endif
