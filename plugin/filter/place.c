/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changing scene items with the size: see place.h. All scenes are looked through, also groups and
 * the private copies that OBS makes in studio mode. A scene that shows another one is not
 * concerned, because the size of a scene stays.
 */
#include "filter/filter.h"
#include "filter/internal.h"

#include <util/darray.h>

#include <math.h>
#include <string.h>

#define PRIVATE_FACTOR_X "obs_flashvsr_factor_x"
#define PRIVATE_FACTOR_Y "obs_flashvsr_factor_y"

/* ---- factors ------------------------------------------------------------------------------- */

static bool same_factor(const struct place_factor *a, const struct place_factor *b)
{
	return a->x == b->x && a->y == b->y;
}

static const struct place_factor one = {1.0, 1.0};

/* Returns by how much one filter enlarges at present. False: the source has no size yet. */
static bool find_own(const struct flashvsr_filter *filter, struct place_factor *factor)
{
	struct sizes sizes;

	*factor = one;
	if (!obs_source_enabled(filter->context) || !atomic_load(&filter->keep_place))
		return true;
	sizes = filter_measure(filter);
	if (!sizes.in_width || !sizes.in_height)
		return false;
	factor->x = (double)sizes.out_width / sizes.in_width;
	factor->y = (double)sizes.out_height / sizes.in_height;
	return true;
}

struct product {
	struct place_factor factor;
	bool known;
};

static void multiply(obs_source_t *source, obs_source_t *filter_source, void *opaque)
{
	struct product *product = opaque;
	const struct flashvsr_filter *filter;
	struct place_factor own;

	UNUSED_PARAMETER(source);
	if (strcmp(obs_source_get_id(filter_source), FILTER_ID) != 0)
		return;
	filter = obs_obj_get_data(filter_source);
	if (!filter)
		return;
	if (!find_own(filter, &own))
		product->known = false;
	product->factor.x *= own.x;
	product->factor.y *= own.y;
}

/* Returns by how much all filters enlarge the source. False: it has no size yet. */
static bool find_factor(obs_source_t *source, struct place_factor *factor)
{
	struct product product = {one, true};

	obs_source_enum_filters(source, multiply, &product);
	*factor = product.factor;
	return product.known;
}

/* Returns by what the source's scene items are divided. */
static struct place_factor read_factor(obs_source_t *source)
{
	obs_data_t *data = obs_source_get_private_settings(source);
	struct place_factor factor = {obs_data_get_double(data, PRIVATE_FACTOR_X),
				      obs_data_get_double(data, PRIVATE_FACTOR_Y)};

	obs_data_release(data);
	if (!(factor.x > 0.0) || !(factor.y > 0.0))
		factor = one;
	return factor;
}

static void write_factor(obs_source_t *source, const struct place_factor *factor)
{
	obs_data_t *data = obs_source_get_private_settings(source);

	obs_data_set_double(data, PRIVATE_FACTOR_X, factor->x);
	obs_data_set_double(data, PRIVATE_FACTOR_Y, factor->y);
	obs_data_release(data);
}

/* ---- scene items --------------------------------------------------------------------------- */

struct scenes {
	DARRAY(obs_source_t *) sources;
};

static bool collect_scene(void *opaque, obs_source_t *source)
{
	struct scenes *scenes = opaque;

	if (obs_scene_from_source(source) || obs_group_from_source(source)) {
		source = obs_source_get_ref(source);
		if (source)
			da_push_back(scenes->sources, &source);
	}
	return true;
}

/* To be called without the lock, because libobs has locks of its own around its sources. */
static void collect_scenes(struct scenes *scenes)
{
	da_init(scenes->sources);
	obs_enum_all_sources(collect_scene, scenes);
}

static void release_scenes(struct scenes *scenes)
{
	for (size_t i = 0; i < scenes->sources.num; i++)
		obs_source_release(scenes->sources.array[i]);
	da_free(scenes->sources);
}

struct change {
	obs_source_t *source;
	double x, y; /* by which the source becomes larger */
};

static int cropped(int pixels, double factor)
{
	return (int)lround(pixels * factor);
}

/* The crop counts the source's pixels, also where the item's size is that of its bounds. */
static bool change_item(obs_scene_t *scene, obs_sceneitem_t *item, void *opaque)
{
	const struct change *change = opaque;
	struct obs_sceneitem_crop crop;
	struct vec2 scale;

	UNUSED_PARAMETER(scene);
	if (obs_sceneitem_get_source(item) != change->source)
		return true;
	obs_sceneitem_defer_update_begin(item);
	obs_sceneitem_get_crop(item, &crop);
	crop.left = cropped(crop.left, change->x);
	crop.right = cropped(crop.right, change->x);
	crop.top = cropped(crop.top, change->y);
	crop.bottom = cropped(crop.bottom, change->y);
	obs_sceneitem_set_crop(item, &crop);
	if (obs_sceneitem_get_bounds_type(item) == OBS_BOUNDS_NONE) {
		obs_sceneitem_get_scale(item, &scale);
		scale.x = (float)(scale.x / change->x);
		scale.y = (float)(scale.y / change->y);
		obs_sceneitem_set_scale(item, &scale);
	}
	obs_sceneitem_defer_update_end(item);
	return true;
}

/* Brings the items up to date. False: the source has no size yet. The lock is held. */
static bool follow(const struct scenes *scenes, obs_source_t *source)
{
	const struct place_factor before = read_factor(source);
	struct change change = {.source = source};
	struct place_factor now;

	if (!find_factor(source, &now))
		return false;
	if (same_factor(&now, &before))
		return true;
	write_factor(source, &now);
	change.x = now.x / before.x;
	change.y = now.y / before.y;
	for (size_t i = 0; i < scenes->sources.num; i++) {
		obs_scene_t *scene = obs_scene_from_source(scenes->sources.array[i]);

		if (!scene)
			scene = obs_group_from_source(scenes->sources.array[i]);
		obs_scene_enum_items(scene, change_item, &change);
	}
	return true;
}

/* ---- when ---------------------------------------------------------------------------------- */

static const struct sizes_target as_it_is = {.scale = 1};

void place_reset(struct flashvsr_filter *filter)
{
	atomic_store(&filter->target, sizes_pack(&as_it_is));
}

void place_init(struct flashvsr_filter *filter)
{
	place_reset(filter);
	atomic_init(&filter->wanted, sizes_pack(&as_it_is));
	atomic_init(&filter->keep_place, true);
	filter->placed = one;
}

/*
 * Says whether the output may have its size. A source without a size yet waits, unless its items
 * are divided already, because they were loaded so.
 */
static bool is_ready(const struct flashvsr_filter *filter, obs_source_t *parent)
{
	struct place_factor saved;

	if (atomic_load(&filter->target) != sizes_pack(&as_it_is) ||
	    filter_measure(filter).in_width)
		return true;
	saved = read_factor(parent);
	return !same_factor(&saved, &one);
}

/*
 * Tells whether this filter has changed. What other filters of this kind do is theirs to follow, so
 * that a tick costs no look through all of a source's filters.
 */
static bool is_pending(const struct flashvsr_filter *filter, obs_source_t *parent)
{
	struct place_factor own;

	if (atomic_load(&filter->target) != atomic_load(&filter->wanted))
		return is_ready(filter, parent);
	return find_own(filter, &own) && !same_factor(&own, &filter->placed);
}

void place_tick(struct flashvsr_filter *filter)
{
	obs_source_t *parent = obs_source_get_ref(obs_filter_get_parent(filter->context));
	pthread_mutex_t *lock = &filter->shared->place_lock;
	struct scenes scenes;

	if (parent && is_pending(filter, parent)) {
		collect_scenes(&scenes);
		if (pthread_mutex_trylock(lock) == 0) {
			atomic_store(&filter->target, atomic_load(&filter->wanted));
			if (follow(&scenes, parent))
				find_own(filter, &filter->placed);
			pthread_mutex_unlock(lock);
		}
		release_scenes(&scenes);
	}
	obs_source_release(parent);
}

static void bring_up_to_date(struct shared *shared, obs_source_t *source)
{
	struct scenes scenes;

	collect_scenes(&scenes);
	pthread_mutex_lock(&shared->place_lock);
	follow(&scenes, source);
	pthread_mutex_unlock(&shared->place_lock);
	release_scenes(&scenes);
}

struct late {
	struct shared *shared;
	obs_source_t *source;
};

static void do_late(void *opaque)
{
	struct late *late = opaque;

	bring_up_to_date(late->shared, late->source);
	obs_source_release(late->source);
	shared_unref(late->shared);
	bfree(late);
}

void place_now(struct shared *shared, obs_source_t *source)
{
	struct late *late;

	/* A source on its way out has no items. */
	source = obs_source_get_ref(source);
	if (!source)
		return;
	if (!gs_get_context()) {
		bring_up_to_date(shared, source);
		obs_source_release(source);
		return;
	}
	/* The lock on all sources must not be taken here, but on a thread that holds nothing. */
	late = bmalloc(sizeof(*late));
	*late = (struct late){shared_ref(shared), source};
	obs_queue_task(OBS_TASK_DESTROY, do_late, late, false);
}
