/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking CUDA about OpenGL and Direct3D 11: see cuda-textures.h.
 */
#include "transport/cuda-textures.h"

#include <stdio.h>

#define CARDS_MAX     16
#define GL_TEXTURE_2D 0x0DE1u

#define CUDA_ERROR_NO_DEVICE     100
#define CUDA_ERROR_NOT_SUPPORTED 801

/* Lists the cards that OBS renders on. An error does not mean none: some drivers cannot tell. */
static cuda_result list_cards(const struct cuda_driver *driver, int *cards, unsigned *listed)
{
	unsigned count = 0;
	cuda_result result = CUDA_ERROR_NOT_SUPPORTED;

	*listed = 0;
	if (gs_get_device_type() == GS_DEVICE_OPENGL && driver->gl_devices)
		result = driver->gl_devices(&count, cards, CARDS_MAX, CUDA_DEVICE_LIST_ALL);
	else if (gs_get_device_type() == GS_DEVICE_DIRECT3D_11 && driver->d3d11_devices)
		result = driver->d3d11_devices(&count, cards, CARDS_MAX, gs_get_device_obj(),
					       CUDA_DEVICE_LIST_ALL);
	if (!result)
		*listed = count < CARDS_MAX ? count : CARDS_MAX;
	return result;
}

int cuda_textures_card(const struct cuda_driver *driver)
{
	int cards[CARDS_MAX];
	unsigned count;

	return !list_cards(driver, cards, &count) && count ? cards[0] : -1;
}

bool cuda_textures_on_card(const struct cuda_driver *driver, int card, char *reason,
			   size_t reason_size)
{
	int cards[CARDS_MAX];
	unsigned count;
	cuda_result result = list_cards(driver, cards, &count);

	if (result && result != CUDA_ERROR_NO_DEVICE)
		return true; /* registering a texture will show */
	for (unsigned i = 0; i < count; i++)
		if (cards[i] == card)
			return true;
	snprintf(reason, reason_size, "%s",
		 count ? "OBS renders on another graphics card than the engine"
		       : "OBS does not render on an NVIDIA graphics card");
	return false;
}

/* Registers with a hint of the use, which CUDA does not take for Direct3D 11. */
cuda_result cuda_textures_register(const struct cuda_driver *driver, gs_texture_t *texture,
				   enum cuda_texture_use use, cuda_handle *resource,
				   const char **what)
{
	const unsigned hint =
		use == CUDA_TEXTURE_READ ? CUDA_REGISTER_READ_ONLY : CUDA_REGISTER_WRITE_DISCARD;
	void *object = gs_texture_get_obj(texture);

	if (gs_get_device_type() == GS_DEVICE_OPENGL && driver->gl_register && object) {
		*what = "cuGraphicsGLRegisterImage";
		return driver->gl_register(resource, *(const unsigned *)object, GL_TEXTURE_2D,
					   hint);
	}
	if (gs_get_device_type() == GS_DEVICE_DIRECT3D_11 && driver->d3d11_register && object) {
		*what = "cuGraphicsD3D11RegisterResource";
		return driver->d3d11_register(resource, object, 0);
	}
	*what = "gs_texture_get_obj";
	return CUDA_ERROR_NOT_SUPPORTED;
}
