/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drawing: see drawing.h and data/effects/flashvsr.effect.
 *
 * libobs renders in linear light: a GS_RGBA texture is decoded when it is read and encoded when it
 * is written, and colours are multiplied by alpha. The engine wants the encoded bytes with straight
 * alpha. GS_RGBA_UNORM textures are never converted by the hardware, so they carry those bytes.
 *
 * These bytes cannot hold a high dynamic range. Where both the source and OBS's canvas have one,
 * the source is shown without the network, as linear light in floating point all the way. On a
 * canvas without one, libobs has mapped the tones before the engine sees them, as it would without
 * the filter.
 */
#include "picture/drawing.h"

#include <util/platform.h>

struct drawing {
	gs_effect_t *effect;
	gs_eparam_t *image, *image_size, *multiplier;
	gs_texrender_t *rendered;                 /* GS_RGBA: the source as OBS renders it */
	gs_texrender_t *straight;                 /* GS_RGBA_UNORM: the same for the engine */
	gs_texrender_t *shown;                    /* GS_RGBA: what the filter shows */
	gs_texrender_t *rendered_hdr, *shown_hdr; /* GS_RGBA16F: the same two with light above 1 */
	gs_texrender_t *before; /* GS_RGBA: what it is compared with; NULL: nothing */
	gs_texture_t *foreign;  /* shown instead of those; NULL: none, see drawing_show() */
	uint32_t shown_width, shown_height;
	enum gs_color_space shown_space;
	int64_t source_ns;
};

struct drawing *drawing_create(void)
{
	struct drawing *drawing = bzalloc(sizeof(*drawing));
	char *path = obs_module_file("effects/flashvsr.effect");

	obs_enter_graphics();
	if (path)
		drawing->effect = gs_effect_create_from_file(path, NULL);
	drawing->rendered = gs_texrender_create(GS_RGBA, GS_ZS_NONE);
	drawing->straight = gs_texrender_create(GS_RGBA_UNORM, GS_ZS_NONE);
	drawing->shown = gs_texrender_create(GS_RGBA, GS_ZS_NONE);
	drawing->rendered_hdr = gs_texrender_create(GS_RGBA16F, GS_ZS_NONE);
	drawing->shown_hdr = gs_texrender_create(GS_RGBA16F, GS_ZS_NONE);
	obs_leave_graphics();
	bfree(path);
	if (!drawing->effect) {
		drawing_destroy(drawing);
		return NULL;
	}
	drawing->image = gs_effect_get_param_by_name(drawing->effect, "image");
	drawing->image_size = gs_effect_get_param_by_name(drawing->effect, "image_size");
	drawing->multiplier = gs_effect_get_param_by_name(drawing->effect, "multiplier");
	return drawing;
}

void drawing_destroy(struct drawing *drawing)
{
	if (!drawing)
		return;
	obs_enter_graphics();
	gs_effect_destroy(drawing->effect);
	gs_texrender_destroy(drawing->rendered);
	gs_texrender_destroy(drawing->straight);
	gs_texrender_destroy(drawing->shown);
	gs_texrender_destroy(drawing->rendered_hdr);
	gs_texrender_destroy(drawing->shown_hdr);
	gs_texrender_destroy(drawing->before);
	obs_leave_graphics();
	bfree(drawing);
}

/* ---- passes -------------------------------------------------------------------------------- */

/* Begins to draw to a target of undefined content, to be cleared unless all of it is drawn to. */
static bool begin_target(gs_texrender_t *target, uint32_t width, uint32_t height,
			 enum gs_color_space space)
{
	gs_texrender_reset(target);
	if (!gs_texrender_begin_with_color_space(target, width, height, space))
		return false;
	gs_ortho(0.0f, (float)width, 0.0f, (float)height, -100.0f, 100.0f);
	gs_blend_state_push();
	return true;
}

static void clear_target(void)
{
	struct vec4 clear_color;

	vec4_zero(&clear_color);
	gs_clear(GS_CLEAR_COLOR, &clear_color, 0.0f, 0);
}

static void end_target(gs_texrender_t *target)
{
	gs_blend_state_pop();
	gs_texrender_end(target);
}

static void set_image(struct drawing *drawing, gs_texture_t *image)
{
	struct vec2 size;

	vec2_set(&size, (float)gs_texture_get_width(image), (float)gs_texture_get_height(image));
	gs_effect_set_texture(drawing->image, image);
	gs_effect_set_vec2(drawing->image_size, &size);
}

/* A pass of the effect. */
struct pass {
	const char *technique;
	bool whole; /* its vertex shader, VSWhole, makes a triangle that covers the target */
};

static const struct pass straighten = {"Straighten", true}, compose = {"Compose", true};
static const struct pass bicubic = {"Bicubic", false}, bicubic_light = {"BicubicLight", false};

/* Runs a pass over the whole target, from bytes to bytes. */
static bool run_pass(struct drawing *drawing, const struct pass *pass, gs_texture_t *from,
		     gs_texrender_t *to, uint32_t width, uint32_t height, enum gs_color_space space)
{
	const bool srgb_before = gs_framebuffer_srgb_enabled();
	const enum gs_cull_mode cull_before = gs_get_cull_mode();

	if (!begin_target(to, width, height, space))
		return false;
	gs_enable_blending(false);
	gs_enable_framebuffer_srgb(false);
	gs_set_cull_mode(GS_NEITHER);
	set_image(drawing, from);
	while (gs_effect_loop(drawing->effect, pass->technique)) {
		if (pass->whole)
			gs_draw(GS_TRIS, 0, 3);
		else
			gs_draw_sprite(from, 0, width, height);
	}
	gs_set_cull_mode(cull_before);
	gs_enable_framebuffer_srgb(srgb_before);
	end_target(to);
	return true;
}

/* Draws what lies under the filter as libobs does for its own: only plain sources by default. */
static void render_target(obs_source_t *target, obs_source_t *parent)
{
	const uint32_t flags = obs_source_get_output_flags(parent);
	const bool plain = (flags & (OBS_SOURCE_CUSTOM_DRAW | OBS_SOURCE_ASYNC)) == 0;
	const bool linear_before = gs_set_linear_srgb(true);

	gs_blend_function_separate(GS_BLEND_SRCALPHA, GS_BLEND_INVSRCALPHA, GS_BLEND_ONE,
				   GS_BLEND_INVSRCALPHA);
	if (target == parent && plain)
		obs_source_default_render(target);
	else
		obs_source_video_render(target);
	gs_set_linear_srgb(linear_before);
}

gs_texture_t *drawing_capture(struct drawing *drawing, obs_source_t *filter, uint32_t width,
			      uint32_t height)
{
	obs_source_t *target = obs_filter_get_target(filter);
	obs_source_t *parent = obs_filter_get_parent(filter);
	uint64_t began_ns;

	drawing->source_ns = 0;
	if (!target || !parent || !begin_target(drawing->rendered, width, height, GS_CS_SRGB))
		return NULL;
	clear_target();
	began_ns = os_gettime_ns();
	render_target(target, parent);
	drawing->source_ns = (int64_t)(os_gettime_ns() - began_ns);
	end_target(drawing->rendered);
	if (!run_pass(drawing, &straighten, gs_texrender_get_texture(drawing->rendered),
		      drawing->straight, width, height, GS_CS_SRGB))
		return NULL;
	return gs_texrender_get_texture(drawing->straight);
}

int64_t drawing_source_ns(const struct drawing *drawing)
{
	return drawing->source_ns;
}

static void set_shown(struct drawing *drawing, gs_texture_t *foreign, uint32_t width,
		      uint32_t height, enum gs_color_space space)
{
	drawing->foreign = foreign;
	drawing->shown_width = width;
	drawing->shown_height = height;
	drawing->shown_space = space;
}

bool drawing_compose(struct drawing *drawing, gs_texture_t *texture, uint32_t width,
		     uint32_t height)
{
	const bool same_size =
		gs_texture_get_width(texture) == width && gs_texture_get_height(texture) == height;

	set_shown(drawing, NULL, 0, 0, GS_CS_SRGB);
	if (!run_pass(drawing, same_size ? &compose : &bicubic, texture, drawing->shown, width,
		      height, GS_CS_SRGB))
		return false;
	set_shown(drawing, NULL, width, height, GS_CS_SRGB);
	return true;
}

void drawing_show(struct drawing *drawing, gs_texture_t *texture)
{
	set_shown(drawing, texture, gs_texture_get_width(texture), gs_texture_get_height(texture),
		  GS_CS_SRGB);
}

void drawing_keep(struct drawing *drawing)
{
	if (drawing->foreign)
		drawing_compose(drawing, drawing->foreign, drawing->shown_width,
				drawing->shown_height);
}

bool drawing_compose_before(struct drawing *drawing, gs_texture_t *texture, uint32_t width,
			    uint32_t height)
{
	if (!drawing->before)
		drawing->before = gs_texrender_create(GS_RGBA, GS_ZS_NONE);
	return run_pass(drawing, &bicubic, texture, drawing->before, width, height, GS_CS_SRGB);
}

void drawing_drop_before(struct drawing *drawing)
{
	gs_texrender_destroy(drawing->before);
	drawing->before = NULL;
}

bool drawing_compose_hdr(struct drawing *drawing, obs_source_t *filter, const struct sizes *sizes,
			 enum gs_color_space space)
{
	obs_source_t *target = obs_filter_get_target(filter);
	obs_source_t *parent = obs_filter_get_parent(filter);

	set_shown(drawing, NULL, 0, 0, space);
	if (!target || !parent ||
	    !begin_target(drawing->rendered_hdr, sizes->in_width, sizes->in_height, space))
		return false;
	clear_target();
	render_target(target, parent);
	end_target(drawing->rendered_hdr);
	if (!run_pass(drawing, &bicubic_light, gs_texrender_get_texture(drawing->rendered_hdr),
		      drawing->shown_hdr, sizes->out_width, sizes->out_height, space))
		return false;
	set_shown(drawing, NULL, sizes->out_width, sizes->out_height, space);
	return true;
}

bool drawing_composed(const struct drawing *drawing, uint32_t width, uint32_t height)
{
	return drawing->shown_width == width && drawing->shown_height == height;
}

static bool is_hdr(enum gs_color_space space)
{
	return space == GS_CS_709_EXTENDED || space == GS_CS_709_SCRGB;
}

/*
 * Returns the default effect's technique from one space to another, and its factor. A value of 1.0
 * is SDR white, except in scRGB, where it is 80 nits.
 */
static const char *technique_between(enum gs_color_space from, enum gs_color_space to,
				     float *multiplier)
{
	const float nits = obs_get_video_sdr_white_level(); /* 0 in a host that never set it */
	const float white = nits > 0.0f ? nits / 80.0f : 1.0f;
	const bool multiplied = (from == GS_CS_709_SCRGB) != (to == GS_CS_709_SCRGB);
	const bool mapped = is_hdr(from) && !is_hdr(to);

	*multiplier = !multiplied ? 1.0f : to == GS_CS_709_SCRGB ? white : 1.0f / white;
	if (mapped)
		return multiplied ? "DrawMultiplyTonemap" : "DrawTonemap";
	return multiplied ? "DrawMultiply" : "Draw";
}

/* Draws columns of a texture as large as what is shown. */
static void draw_with(struct drawing *drawing, gs_effect_t *effect, const char *technique,
		      gs_texture_t *texture, uint32_t x, uint32_t width)
{
	gs_matrix_push();
	gs_matrix_translate3f((float)x, 0.0f, 0.0f);
	while (gs_effect_loop(effect, technique))
		gs_draw_sprite_subregion(texture, 0, x, 0, width, drawing->shown_height);
	gs_matrix_pop();
}

/* Sets up the default effect for a texture of OBS's own kind. Returns the technique. */
static const char *set_default(gs_effect_t *effect, gs_texture_t *texture,
			       enum gs_color_space space)
{
	float multiplier;
	const char *technique = technique_between(space, gs_get_color_space(), &multiplier);

	gs_effect_set_texture_srgb(gs_effect_get_param_by_name(effect, "image"), texture);
	gs_effect_set_float(gs_effect_get_param_by_name(effect, "multiplier"), multiplier);
	return technique;
}

static void draw_own(struct drawing *drawing, gs_texrender_t *from, enum gs_color_space space,
		     uint32_t x, uint32_t width)
{
	gs_effect_t *effect = obs_get_base_effect(OBS_EFFECT_DEFAULT);
	gs_texture_t *texture = gs_texrender_get_texture(from);

	draw_with(drawing, effect, set_default(effect, texture, space), texture, x, width);
}

static void draw_foreign(struct drawing *drawing, uint32_t x, uint32_t width)
{
	float multiplier;

	technique_between(drawing->shown_space, gs_get_color_space(), &multiplier);
	set_image(drawing, drawing->foreign);
	gs_effect_set_float(drawing->multiplier, multiplier);
	draw_with(drawing, drawing->effect, "Show", drawing->foreign, x, width);
}

/* Begins to draw premultiplied light. Returns what end_blending() needs. */
static bool begin_blending(void)
{
	const bool srgb_before = gs_framebuffer_srgb_enabled();

	gs_enable_framebuffer_srgb(true);
	gs_blend_state_push();
	gs_blend_function(GS_BLEND_ONE, GS_BLEND_INVSRCALPHA);
	return srgb_before;
}

static void end_blending(bool srgb_before)
{
	gs_blend_state_pop();
	gs_enable_framebuffer_srgb(srgb_before);
}

void drawing_draw_columns(struct drawing *drawing, bool before, uint32_t x, uint32_t width)
{
	const bool srgb_before = begin_blending();

	if (before)
		draw_own(drawing, drawing->before, GS_CS_SRGB, x, width);
	else if (drawing->foreign)
		draw_foreign(drawing, x, width);
	else
		draw_own(drawing,
			 is_hdr(drawing->shown_space) ? drawing->shown_hdr : drawing->shown,
			 drawing->shown_space, x, width);
	end_blending(srgb_before);
}

void drawing_draw(struct drawing *drawing)
{
	drawing_draw_columns(drawing, false, 0, drawing->shown_width);
}

void drawing_draw_over(gs_texture_t *texture, uint32_t x, uint32_t y, uint32_t width,
		       uint32_t height)
{
	gs_effect_t *effect = obs_get_base_effect(OBS_EFFECT_DEFAULT);
	const bool srgb_before = begin_blending();
	const char *technique = set_default(effect, texture, GS_CS_SRGB);

	gs_matrix_push();
	gs_matrix_translate3f((float)x, (float)y, 0.0f);
	while (gs_effect_loop(effect, technique))
		gs_draw_sprite(texture, 0, width, height);
	gs_matrix_pop();
	end_blending(srgb_before);
}
