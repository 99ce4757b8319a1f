/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is shown, and since when: see screen.h.
 */
#include "picture/screen.h"

bool screen_init(struct screen *screen)
{
	*screen = (struct screen){.past = past_pictures_create(), .drawing = drawing_create()};
	return screen->drawing != NULL;
}

void screen_free(struct screen *screen)
{
	drawing_destroy(screen->drawing);
	past_pictures_destroy(screen->past);
}

bool screen_ready(const struct screen *screen, const struct sizes *sizes)
{
	return drawing_composed(screen->drawing, sizes->out_width, sizes->out_height);
}

bool screen_is_news(const struct screen *screen, const struct sizes *sizes, int64_t time)
{
	return time > screen->content_ns || !screen_ready(screen, sizes);
}

static bool compose(struct screen *screen, const struct sizes *sizes, gs_texture_t *texture,
		    int64_t time, bool upscaled)
{
	if (!texture ||
	    !drawing_compose(screen->drawing, texture, sizes->out_width, sizes->out_height))
		return false;
	screen->content_ns = time;
	screen->upscaled = upscaled;
	return true;
}

bool screen_compose(struct screen *screen, const struct sizes *sizes, gs_texture_t *texture,
		    int64_t time)
{
	return compose(screen, sizes, texture, time, false);
}

bool screen_show(struct screen *screen, const struct sizes *sizes, gs_texture_t *texture,
		 bool lasting, int64_t time)
{
	const bool same_size = texture && gs_texture_get_width(texture) == sizes->out_width &&
			       gs_texture_get_height(texture) == sizes->out_height;

	if (!same_size || !lasting)
		return compose(screen, sizes, texture, time, true);
	drawing_show(screen->drawing, texture);
	screen->content_ns = time;
	screen->upscaled = true;
	return true;
}
