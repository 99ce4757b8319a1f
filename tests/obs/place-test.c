/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sources keep their place on the canvas, in a real libobs: scenes, groups and nested scenes, with
 * all that happens to a filter there. Two sources are enlarged, an image and a video. The items of
 * the image are compared by their boxes; the video is alone in a scene, of which every picture is
 * looked at, pixel by pixel.
 *
 *	place-test PLUGIN_FOLDER MEDIA_FOLDER MODEL SLOW_MODEL CASE
 */
#include "obs-host.h"

#include <graphics/graphics.h>
#include <graphics/matrix4.h>
#include <util/platform.h>

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIDE       64 /* of the image and the video */
#define VIDEO_X    40
#define VIDEO_Y    30
#define ITEMS      6
#define BACKGROUND 8 /* darker pixels do not belong to a source */

static const char *media_folder;

static obs_source_t *create(const char *id, const char *name, const char *key, const char *file)
{
	obs_data_t *settings = obs_data_create();
	obs_source_t *source;
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", media_folder, file);
	obs_data_set_string(settings, key, path);
	obs_data_set_bool(settings, "looping", true);
	obs_data_set_bool(settings, "hw_decode", false);
	source = obs_source_create(id, name, settings, NULL);
	obs_data_release(settings);
	if (!source)
		abort();
	return source;
}

/* Waits for some pictures of OBS. */
static void let_settle(void)
{
	host_sleep(0.3);
}

/* ---- every picture of one scene ------------------------------------------------------------ */

struct guard {
	obs_source_t *scene;
	gs_texrender_t *target;
	gs_stagesurf_t *surface;
	atomic_bool watching;
	atomic_bool pause, paused; /* between OBS's tick and its drawing */
	atomic_uint pictures, wrong;
};

/* Finds the rectangle that is not background. False: there is nothing. */
static bool find_box(const uint8_t *data, uint32_t linesize, int box[4])
{
	bool any = false;

	for (int y = 0; y < HOST_HEIGHT; y++)
		for (int x = 0; x < HOST_WIDTH; x++) {
			const uint8_t *pixel = data + (size_t)y * linesize + (size_t)x * 4;

			if (pixel[0] < BACKGROUND && pixel[1] < BACKGROUND && pixel[2] < BACKGROUND)
				continue;
			box[0] = !any || x < box[0] ? x : box[0];
			box[1] = !any || y < box[1] ? y : box[1];
			box[2] = !any || x >= box[2] ? x + 1 : box[2];
			box[3] = !any || y >= box[3] ? y + 1 : box[3];
			any = true;
		}
	return any;
}

static void judge_box(struct guard *guard, const int box[4])
{
	static const int right[4] = {VIDEO_X, VIDEO_Y, VIDEO_X + SIDE, VIDEO_Y + SIDE};
	bool wrong = false;

	for (int i = 0; i < 4; i++)
		wrong |= box[i] != right[i];
	atomic_fetch_add(&guard->pictures, 1);
	if (wrong && atomic_fetch_add(&guard->wrong, 1) < 5)
		fprintf(stderr, "    the video is at %d,%d .. %d,%d\n", box[0], box[1], box[2],
			box[3]);
}

static void look(void *opaque, uint32_t cx, uint32_t cy)
{
	struct guard *guard = opaque;
	struct vec4 black;
	uint32_t linesize;
	uint8_t *data;
	int box[4];

	(void)cx, (void)cy;
	if (!atomic_load(&guard->watching))
		return;
	while (atomic_load(&guard->pause)) {
		atomic_store(&guard->paused, true);
		host_sleep(0.001);
	}
	gs_texrender_reset(guard->target);
	if (!gs_texrender_begin(guard->target, HOST_WIDTH, HOST_HEIGHT))
		return;
	vec4_zero(&black);
	gs_clear(GS_CLEAR_COLOR, &black, 0.0f, 0);
	gs_ortho(0.0f, HOST_WIDTH, 0.0f, HOST_HEIGHT, -100.0f, 100.0f);
	obs_source_video_render(guard->scene);
	gs_texrender_end(guard->target);
	gs_stage_texture(guard->surface, gs_texrender_get_texture(guard->target));
	if (!gs_stagesurface_map(guard->surface, &data, &linesize))
		return;
	if (find_box(data, linesize, box))
		judge_box(guard, box);
	gs_stagesurface_unmap(guard->surface);
}

static void guard_start(struct guard *guard)
{
	*guard = (struct guard){0};
	obs_enter_graphics();
	guard->target = gs_texrender_create(GS_RGBA, GS_ZS_NONE);
	guard->surface = gs_stagesurface_create(HOST_WIDTH, HOST_HEIGHT, GS_RGBA);
	obs_leave_graphics();
	obs_add_main_render_callback(look, guard);
}

static void guard_stop(struct guard *guard)
{
	obs_remove_main_render_callback(look, guard);
	obs_enter_graphics();
	gs_texrender_destroy(guard->target);
	gs_stagesurface_destroy(guard->surface);
	obs_leave_graphics();
	printf("  %u pictures of the video, %u wrong\n", atomic_load(&guard->pictures),
	       atomic_load(&guard->wrong));
	CHECK(atomic_load(&guard->pictures) > 10, "the video is not seen");
	CHECK(!atomic_load(&guard->wrong), "%u pictures had another size",
	      atomic_load(&guard->wrong));
}

/* ---- the collection ------------------------------------------------------------------------ */

struct item_state {
	float box[6]; /* the corner, and the vectors to its neighbours */
	struct vec2 scale;
	struct obs_sceneitem_crop crop;
};

struct collection {
	obs_source_t *image, *video;
	obs_scene_t *scene, *other, *alone, *copy;
	obs_sceneitem_t *items[ITEMS]; /* of the image; weak */
	obs_sceneitem_t *nested;
	struct item_state before[ITEMS];
};

static obs_sceneitem_t *add_item(obs_scene_t *scene, obs_source_t *source, float x, float y,
				 float scale_x, float scale_y)
{
	obs_sceneitem_t *item = obs_scene_add(scene, source);
	const struct vec2 pos = {{{x, y}}}, scale = {{{scale_x, scale_y}}};

	obs_sceneitem_set_pos(item, &pos);
	obs_sceneitem_set_scale(item, &scale);
	return item;
}

static void crop_item(obs_sceneitem_t *item, int left, int top, int right, int bottom)
{
	const struct obs_sceneitem_crop crop = {left, top, right, bottom};

	obs_sceneitem_set_crop(item, &crop);
}

static void read_item(struct item_state *state, obs_sceneitem_t *item)
{
	struct matrix4 box;

	obs_sceneitem_get_box_transform(item, &box);
	obs_sceneitem_get_scale(item, &state->scale);
	obs_sceneitem_get_crop(item, &state->crop);
	state->box[0] = box.t.x, state->box[1] = box.t.y;
	state->box[2] = box.x.x, state->box[3] = box.x.y;
	state->box[4] = box.y.x, state->box[5] = box.y.y;
}

static void fill_scene(struct collection *c)
{
	const struct vec2 bounds = {{{50.0f, 40.0f}}};
	obs_sceneitem_t *grouped;

	c->items[0] = add_item(c->scene, c->image, 20.0f, 10.0f, 1.5f, 0.75f);
	c->items[1] = add_item(c->scene, c->image, 160.0f, 120.0f, -1.0f, 1.0f);
	obs_sceneitem_set_alignment(c->items[1], OBS_ALIGN_CENTER);
	obs_sceneitem_set_rot(c->items[1], 30.0f);
	crop_item(c->items[1], 8, 4, 2, 6);
	c->items[2] = add_item(c->scene, c->image, 100.0f, 20.0f, 1.0f, 1.0f);
	obs_sceneitem_set_bounds_type(c->items[2], OBS_BOUNDS_SCALE_INNER);
	obs_sceneitem_set_bounds(c->items[2], &bounds);
	crop_item(c->items[2], 16, 0, 0, 8);
	grouped = add_item(c->scene, c->image, 200.0f, 20.0f, 0.5f, 0.5f);
	c->items[3] = grouped;
	obs_scene_insert_group(c->scene, "group", &grouped, 1);
	c->items[4] = add_item(c->other, c->image, 5.0f, 6.0f, 1.0f, 1.0f);
	c->nested = add_item(c->scene, obs_scene_get_source(c->other), 0.0f, 0.0f, 0.5f, 0.5f);
}

struct search {
	obs_source_t *source;
	int skip;
	obs_sceneitem_t *found;
};

static bool is_wanted(obs_scene_t *scene, obs_sceneitem_t *item, void *opaque)
{
	struct search *search = opaque;

	(void)scene;
	if (obs_sceneitem_get_source(item) == search->source && !search->skip--)
		search->found = item;
	return !search->found;
}

/* Returns the item, from the bottom, of this scene that shows the source. */
static obs_sceneitem_t *find_item(obs_scene_t *scene, obs_source_t *source, int number)
{
	struct search search = {source, number, NULL};

	obs_scene_enum_items(scene, is_wanted, &search);
	if (!search.found) {
		fprintf(stderr, "no item %d of '%s' in '%s'\n", number, obs_source_get_name(source),
			obs_source_get_name(obs_scene_get_source(scene)));
		abort();
	}
	return search.found;
}

static void open_collection(struct collection *c, struct guard *guard)
{
	*c = (struct collection){0};
	c->image = create("image_source", "image", "file", "blocks.png");
	c->video = create("ffmpeg_source", "video", "local_file", "still.mkv");
	c->scene = obs_scene_create("scene");
	c->other = obs_scene_create("other");
	c->alone = obs_scene_create("alone");
	fill_scene(c);
	/* As studio mode does. */
	c->copy = obs_scene_duplicate(c->scene, "copy", OBS_SCENE_DUP_PRIVATE_REFS);
	c->items[5] = find_item(c->copy, c->image, 0);
	add_item(c->alone, c->video, VIDEO_X, VIDEO_Y, 1.0f, 1.0f);
	obs_set_output_source(0, obs_scene_get_source(c->scene));
	obs_set_output_source(1, obs_scene_get_source(c->copy));
	obs_set_output_source(2, obs_scene_get_source(c->alone));
	let_settle();
	for (int i = 0; i < ITEMS; i++)
		read_item(&c->before[i], c->items[i]);
	CHECK(fabsf(c->before[0].box[2] - 96.0f) < 0.01f &&
		      fabsf(c->before[0].box[5] - 48.0f) < 0.01f,
	      "the first item");
	guard->scene = obs_scene_get_source(c->alone);
	atomic_store(&guard->watching, true);
	let_settle();
}

static void close_collection(struct collection *c, struct guard *guard)
{
	atomic_store(&guard->watching, false);
	host_sleep(0.1);
	for (uint32_t channel = 0; channel < 3; channel++)
		obs_set_output_source(channel, NULL);
	obs_scene_release(c->copy);
	obs_scene_release(c->scene);
	obs_scene_release(c->other);
	obs_scene_release(c->alone);
	obs_source_release(c->image);
	obs_source_release(c->video);
}

/* ---- filters ------------------------------------------------------------------------------- */

/* Bicubic by choice: the size is the same, and the machine is not kept busy. */
static obs_source_t *create_filter(int scale)
{
	obs_data_t *settings = obs_data_create();
	obs_source_t *filter;

	obs_data_set_int(settings, "scale", scale);
	obs_data_set_string(settings, "step", "bicubic");
	filter = obs_source_create("flashvsr_filter", "upscale", settings, NULL);
	obs_data_release(settings);
	return filter;
}

static void add_filter(obs_source_t *source, int scale)
{
	obs_source_t *filter = create_filter(scale);

	obs_source_filter_add(source, filter);
	obs_source_release(filter);
}

static void remove_filter(obs_source_t *source, int value)
{
	obs_source_t *filter = obs_source_get_filter_by_name(source, "upscale");

	(void)value;
	obs_source_filter_remove(source, filter);
	obs_source_release(filter);
}

static void set_enabled(obs_source_t *source, int enabled)
{
	obs_source_t *filter = obs_source_get_filter_by_name(source, "upscale");

	obs_source_set_enabled(filter, enabled != 0);
	obs_source_release(filter);
}

static void set_scale(obs_source_t *source, int scale)
{
	obs_source_t *filter = obs_source_get_filter_by_name(source, "upscale");
	obs_data_t *settings = obs_data_create();

	obs_data_set_int(settings, "scale", scale);
	obs_source_update(filter, settings);
	obs_data_release(settings);
	obs_source_release(filter);
}

static void keep_place(obs_source_t *source, bool keep)
{
	obs_source_t *filter = obs_source_get_filter_by_name(source, "upscale");
	obs_data_t *settings = obs_data_create();

	obs_data_set_bool(settings, "keep_place", keep);
	obs_source_update(filter, settings);
	obs_data_release(settings);
	obs_source_release(filter);
}

/* libobs keeps scales in units of its own from version 31 on, which rounds them. */
static bool same_scale(float a, float b)
{
	return fabsf(a - b) < 1e-5f;
}

/* ---- checks -------------------------------------------------------------------------------- */

/* Checks that an item's box is 'larger' times as large as before, and no pixel elsewhere. */
static void check_box(const struct item_state *now, const struct item_state *before, float larger,
		      int i, const char *what)
{
	for (int k = 2; k < 6; k++)
		CHECK(fabsf(now->box[k] - before->box[k] * larger) < 0.01f,
		      "%s: item %d: %f instead of %f", what, i, now->box[k],
		      before->box[k] * larger);
	if (larger == 1.0f)
		CHECK(fabsf(now->box[0] - before->box[0]) < 0.01f &&
			      fabsf(now->box[1] - before->box[1]) < 0.01f,
		      "%s: item %d: at %f,%f", what, i, now->box[0], now->box[1]);
}

/* Checks all items after a change to this factor, and that the source has that size. */
static void check_items(struct collection *c, int factor, const char *what)
{
	const bool bounded[ITEMS] = {[2] = true};
	struct item_state now;

	let_settle();
	CHECK(obs_source_get_width(c->image) == (uint32_t)(SIDE * factor), "%s: image of %u", what,
	      obs_source_get_width(c->image));
	CHECK(obs_source_get_width(c->video) == (uint32_t)(SIDE * factor), "%s: video of %u", what,
	      obs_source_get_width(c->video));
	for (int i = 0; i < ITEMS; i++) {
		const struct item_state *before = &c->before[i];
		const float divided = bounded[i] ? 1.0f : (float)factor;

		if (!c->items[i])
			continue;
		read_item(&now, c->items[i]);
		check_box(&now, before, 1.0f, i, what);
		CHECK(same_scale(now.scale.x * divided, before->scale.x), "%s: item %d: %f", what,
		      i, now.scale.x);
		CHECK(now.crop.left == before->crop.left * factor &&
			      now.crop.bottom == before->crop.bottom * factor,
		      "%s: item %d: crop of %d and %d", what, i, now.crop.left, now.crop.bottom);
	}
	read_item(&now, c->nested);
	CHECK(same_scale(now.scale.x, 0.5f), "%s: the nested scene: %f", what, now.scale.x);
	printf("  %s: done\n", what);
}

/* ---- cases --------------------------------------------------------------------------------- */

static void for_both(struct collection *c, void (*change)(obs_source_t *source, int value),
		     int value)
{
	change(c->image, value);
	change(c->video, value);
}

static void test_changes(struct collection *c, struct guard *guard)
{
	(void)guard;
	for_both(c, add_filter, 2);
	check_items(c, 2, "added");
	for_both(c, set_scale, 3);
	check_items(c, 3, "three times");
	for_both(c, set_scale, 4);
	check_items(c, 4, "four times");
	for_both(c, set_enabled, false);
	check_items(c, 1, "the eye is off");
	for_both(c, set_enabled, true);
	check_items(c, 4, "the eye is on");
	for_both(c, remove_filter, 0);
	check_items(c, 1, "removed");
	for_both(c, add_filter, 3);
	check_items(c, 3, "added again");
}

/* Stops OBS in the middle of a picture. */
static void stop_picture(struct guard *guard)
{
	atomic_store(&guard->paused, false);
	atomic_store(&guard->pause, true);
	for (int i = 0; i < 1000 && !atomic_load(&guard->paused); i++)
		host_sleep(0.005);
	CHECK(atomic_load(&guard->paused), "the video is not drawn");
}

static void do_suddenly(struct collection *c, struct guard *guard,
			void (*change)(obs_source_t *source, int value), int value)
{
	stop_picture(guard);
	for_both(c, change, value);
	atomic_store(&guard->pause, false);
}

/* Other threads do not wait for OBS's pictures: each of these comes in the middle of one. */
static void test_sudden(struct collection *c, struct guard *guard)
{
	obs_source_t *filter = create_filter(2);

	add_filter(c->image, 2);
	stop_picture(guard);
	obs_source_filter_add(c->video, filter);
	atomic_store(&guard->pause, false);
	obs_source_release(filter);
	check_items(c, 2, "added");
	do_suddenly(c, guard, set_scale, 4);
	check_items(c, 4, "four times");
	do_suddenly(c, guard, set_enabled, false);
	check_items(c, 1, "the eye is off");
	do_suddenly(c, guard, set_enabled, true);
	check_items(c, 4, "the eye is on");
	do_suddenly(c, guard, remove_filter, 0);
	check_items(c, 1, "removed");
}

/* Whoever does it inside the graphics context must not wait for libobs' lock on all sources. */
static void test_context(struct collection *c, struct guard *guard)
{
	atomic_store(&guard->watching, false);
	for_both(c, add_filter, 2);
	check_items(c, 2, "added");
	obs_enter_graphics();
	for_both(c, set_enabled, false);
	obs_leave_graphics();
	check_items(c, 1, "the eye is off");
	obs_enter_graphics();
	for_both(c, set_enabled, true);
	obs_leave_graphics();
	check_items(c, 2, "the eye is on");
	obs_enter_graphics();
	for_both(c, remove_filter, 0);
	obs_leave_graphics();
	check_items(c, 1, "removed");
	atomic_store(&guard->watching, true);
	let_settle();
}

/* Those who want the source larger say so, and may change their mind. */
static void test_larger(struct collection *c, struct guard *guard)
{
	struct item_state now;

	atomic_store(&guard->watching, false);
	for_both(c, add_filter, 2);
	keep_place(c->image, false);
	let_settle();
	for (int i = 0; i < ITEMS; i++) {
		if (i == 2)
			continue; /* it has bounds */
		read_item(&now, c->items[i]);
		CHECK(same_scale(now.scale.x, c->before[i].scale.x), "scale of item %d", i);
		CHECK(fabsf(now.box[2]) >= fabsf(c->before[i].box[2]) * 2.0f - 0.01f,
		      "item %d is not larger", i);
	}
	keep_place(c->image, true);
	check_items(c, 2, "kept after all");
	atomic_store(&guard->watching, true);
	let_settle();
}

/* OBS undoes the removal of a filter by loading it from what was saved before. */
static void test_undo(struct collection *c, struct guard *guard)
{
	obs_source_t *filter;
	obs_data_t *saved;

	(void)guard;
	for_both(c, add_filter, 2);
	check_items(c, 2, "added");
	filter = obs_source_get_filter_by_name(c->image, "upscale");
	saved = obs_save_source(filter);
	obs_source_filter_remove(c->image, filter);
	obs_source_release(filter);
	remove_filter(c->video, 0);
	check_items(c, 1, "undone");
	filter = obs_load_source(saved);
	obs_source_filter_add(c->image, filter);
	obs_source_release(filter);
	obs_data_release(saved);
	add_filter(c->video, 2);
	check_items(c, 2, "done again");
}

/* Where the result is small the dialog has a button, which makes it as large as the canvas. */
static void test_suggestion(struct collection *c, struct guard *guard)
{
	obs_source_t *filter;
	obs_properties_t *props;
	struct item_state now;

	(void)guard;
	for_both(c, add_filter, 2);
	check_items(c, 2, "added");
	filter = obs_source_get_filter_by_name(c->image, "upscale");
	props = obs_source_properties(filter);
	obs_property_button_clicked(obs_properties_get(props, "scale_suggest"), filter);
	obs_properties_destroy(props);
	let_settle();
	CHECK(obs_source_get_width(c->image) == HOST_HEIGHT, "fit to %u",
	      obs_source_get_width(c->image));
	read_item(&now, c->items[0]);
	check_box(&now, &c->before[0], 1.0f, 0, "fit");
	props = obs_source_properties(filter);
	CHECK(!obs_properties_get(props, "scale_suggest"), "suggested again");
	obs_properties_destroy(props);
	obs_source_release(filter);
}

/* Two filters on one source count together. */
static void test_two(struct collection *c, struct guard *guard)
{
	obs_source_t *second = obs_source_create("flashvsr_filter", "second", NULL, NULL);

	(void)guard;
	for_both(c, add_filter, 2);
	check_items(c, 2, "one");
	obs_source_filter_add(c->image, second);
	set_scale(c->video, 4);
	check_items(c, 4, "two");
	remove_filter(c->image, 0);
	set_scale(c->video, 2);
	check_items(c, 2, "the other");
	obs_source_filter_remove(c->image, second);
	obs_source_release(second);
	remove_filter(c->video, 0);
	check_items(c, 1, "none");
}

/* Copies of the source come with items that fit, and the filter alone is pasted to others. */
static void test_copies(struct collection *c, struct guard *guard)
{
	obs_source_t *other = create("image_source", "other image", "file", "blocks.png"), *twin;
	obs_sceneitem_t *item = add_item(c->scene, other, 0.0f, 0.0f, 1.5f, 0.75f);
	struct item_state now;

	(void)guard;
	for_both(c, add_filter, 2);
	check_items(c, 2, "added");
	obs_source_copy_filters(other, c->image);
	twin = obs_source_duplicate(c->image, "twin", false);
	read_item(&now, c->items[0]);
	c->items[0] = add_item(c->scene, twin, 20.0f, 10.0f, now.scale.x, now.scale.y);
	check_items(c, 2, "a copy of the source");
	CHECK(obs_source_get_width(other) == 2 * SIDE, "the filter was not pasted");
	read_item(&now, item);
	CHECK(same_scale(now.scale.x, 0.75f) && fabsf(now.box[2] - 96.0f) < 0.01f, "pasted: %f, %f",
	      now.scale.x, now.box[2]);
	remove_filter(twin, 0);
	for_both(c, remove_filter, 0);
	check_items(c, 1, "removed from both");
	obs_source_release(other);
	obs_source_release(twin);
}

/* ---- saving and loading -------------------------------------------------------------------- */

/* Holds a scene that was loaded, as OBS does, and finds out which it is. */
static void take_loaded(void *opaque, obs_source_t *source)
{
	struct collection *c = opaque;
	const char *name = obs_source_get_name(source);
	obs_scene_t **scene = strcmp(name, "scene") == 0   ? &c->scene
			      : strcmp(name, "other") == 0 ? &c->other
			      : strcmp(name, "alone") == 0 ? &c->alone
							   : NULL;

	if (scene)
		*scene = obs_scene_from_source(obs_source_get_ref(source));
	else if (strcmp(name, "image") == 0)
		c->image = obs_source_get_ref(source);
	else if (strcmp(name, "video") == 0)
		c->video = obs_source_get_ref(source);
}

/* Throws everything away and loads it from the text that OBS keeps in its file. */
static void reload(struct collection *c, struct guard *guard)
{
	obs_data_t *data = obs_data_create();
	obs_data_array_t *saved = obs_save_sources();
	obs_scene_t *group;
	char *text;

	obs_data_set_array(data, "sources", saved);
	text = bstrdup(obs_data_get_json(data));
	obs_data_array_release(saved);
	obs_data_release(data);
	close_collection(c, guard);
	obs_wait_for_destroy_queue();
	CHECK(!obs_get_source_by_name("image"), "the image is still there");

	data = obs_data_create_from_json(text);
	bfree(text);
	saved = obs_data_get_array(data, "sources");
	obs_load_sources(saved, take_loaded, c);
	obs_data_array_release(saved);
	obs_data_release(data);
	c->copy = NULL;
	group = obs_group_from_source(obs_get_source_by_name("group"));
	guard->scene = obs_scene_get_source(c->alone);
	atomic_store(&guard->watching, true);
	obs_set_output_source(0, obs_scene_get_source(c->scene));
	obs_set_output_source(2, guard->scene);
	for (int i = 0; i < 3; i++)
		c->items[i] = find_item(c->scene, c->image, i);
	c->items[3] = find_item(group, c->image, 0);
	c->items[4] = find_item(c->other, c->image, 0);
	c->items[5] = NULL;
	c->nested = find_item(c->scene, obs_scene_get_source(c->other), 0);
	obs_scene_release(group);
	host_sleep(0.5);
}

static void test_reload(struct collection *c, struct guard *guard)
{
	for_both(c, add_filter, 2);
	check_items(c, 2, "added");
	reload(c, guard);
	check_items(c, 2, "loaded");
	for_both(c, set_scale, 3);
	check_items(c, 3, "three times after that");
	for_both(c, remove_filter, 0);
	check_items(c, 1, "removed after that");
}

static const struct {
	const char *name;
	void (*run)(struct collection *c, struct guard *guard);
} cases[] = {
	{"changes", test_changes}, {"sudden", test_sudden}, {"context", test_context},
	{"larger", test_larger},   {"undo", test_undo},     {"two", test_two},
	{"copies", test_copies},   {"reload", test_reload}, {"suggestion", test_suggestion},
};

static bool run_case(const char *name)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct collection c;
		struct guard guard;

		if (strcmp(cases[i].name, name) != 0)
			continue;
		guard_start(&guard);
		open_collection(&c, &guard);
		cases[i].run(&c, &guard);
		close_collection(&c, &guard);
		guard_stop(&guard);
		return true;
	}
	fprintf(stderr, "no case '%s'\n", name);
	return false;
}

int main(int argc, char **argv)
{
	bool found;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 6)
		return 2;
	media_folder = argv[2];
	if (!host_start(argv[1]))
		return 1;
	found = run_case(argv[5]);
	host_stop();
	return found ? check_result() : 1;
}
