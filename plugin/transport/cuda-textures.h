/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where CUDA meets OBS's renderer, which is OpenGL or Direct3D 11: the card that OBS renders on,
 * and textures that both see. The rest of the plugin need not know which renderer it is.
 *
 * All functions run inside the graphics context.
 */
#ifndef FLASHVSR_CUDA_TEXTURES_H
#define FLASHVSR_CUDA_TEXTURES_H

#include <graphics/graphics.h>

#include "transport/cuda-driver.h"

/*
 * Returns false when OBS is known not to render on 'card' (as CUDA counts them); 'reason' then says
 * why.
 */
bool cuda_textures_on_card(const struct cuda_driver *driver, int card, char *reason,
			   size_t reason_size);
/* Returns the first card that OBS renders on; -1 if CUDA cannot tell. */
int cuda_textures_card(const struct cuda_driver *driver);

/* What CUDA does with a texture. */
enum cuda_texture_use {
	CUDA_TEXTURE_READ = 1,
	CUDA_TEXTURE_WRITTEN = 2, /* always the whole of it */
};

/*
 * Makes 'texture' known to the current CUDA context, until driver->unregister(). Formats that end
 * in _UNORM work with both renderers. 'what' becomes the name of the function that was called.
 */
cuda_result cuda_textures_register(const struct cuda_driver *driver, gs_texture_t *texture,
				   enum cuda_texture_use use, cuda_handle *resource,
				   const char **what);

#endif
