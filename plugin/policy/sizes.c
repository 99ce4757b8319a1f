/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Choosing sizes: see sizes.h.
 */
#include "policy/sizes.h"

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Fits the output into a box, at the source's aspect and no larger than SIZES_SCALE_MAX times. */
static void fit(struct sizes *sizes, uint32_t box_width, uint32_t box_height)
{
	const uint64_t w = sizes->in_width, h = sizes->in_height;
	const uint64_t width = smaller(box_width, sizes->in_width * SIZES_SCALE_MAX);
	const uint64_t height = smaller(box_height, sizes->in_height * SIZES_SCALE_MAX);

	if (width * h <= height * w) {
		sizes->out_width = (uint32_t)width;
		sizes->out_height = (uint32_t)((width * h + w / 2) / w);
	} else {
		sizes->out_height = (uint32_t)height;
		sizes->out_width = (uint32_t)((height * w + h / 2) / h);
	}
}

static bool possible(const struct sizes *s)
{
	return s->in_width >= SIZES_SIDE_MIN && s->in_height >= SIZES_SIDE_MIN &&
	       s->out_width <= SIZES_SIDE_MAX && s->out_height <= SIZES_SIDE_MAX &&
	       s->out_width >= s->in_width && s->out_height >= s->in_height;
}

struct sizes sizes_choose(const struct sizes_target *target, uint32_t in_width, uint32_t in_height,
			  uint32_t canvas_width, uint32_t canvas_height)
{
	struct sizes sizes = {in_width, in_height, in_width, in_height};

	/* This also keeps the products below within their types. */
	if (!in_width || !in_height || in_width > SIZES_SIDE_MAX || in_height > SIZES_SIDE_MAX)
		return sizes;
	if (target->scale) {
		sizes.out_width *= target->scale;
		sizes.out_height *= target->scale;
	} else if (target->width && target->height) {
		fit(&sizes, target->width, target->height);
	} else {
		fit(&sizes, canvas_width, canvas_height);
	}
	if (!possible(&sizes)) {
		sizes.out_width = in_width;
		sizes.out_height = in_height;
	}
	return sizes;
}

struct sizes sizes_whole(const struct sizes *wanted)
{
	struct sizes made = *wanted;
	uint32_t scale;

	if (!sizes_enlarge(wanted))
		return made;
	/* A tenth more than two times is scaled up, not down from three. */
	scale = smaller((10 * wanted->out_width + 9 * wanted->in_width) / (10 * wanted->in_width),
			SIZES_SCALE_MAX);
	scale = scale < SIZES_SCALE_MIN ? SIZES_SCALE_MIN : scale;
	made.out_width = wanted->in_width * scale;
	made.out_height = wanted->in_height * scale;
	return possible(&made) ? made : *wanted;
}

bool sizes_same(const struct sizes *a, const struct sizes *b)
{
	return a->in_width == b->in_width && a->in_height == b->in_height &&
	       a->out_width == b->out_width && a->out_height == b->out_height;
}

bool sizes_enlarge(const struct sizes *sizes)
{
	return sizes->out_width > sizes->in_width || sizes->out_height > sizes->in_height;
}

bool sizes_reached(const struct sizes_target *target, const struct sizes *sizes)
{
	return !target->scale && !sizes_enlarge(sizes) && sizes->in_width >= SIZES_SIDE_MIN &&
	       sizes->in_height >= SIZES_SIDE_MIN;
}

uint64_t sizes_pack(const struct sizes_target *target)
{
	return (uint64_t)target->scale << 32 | (uint64_t)(target->width & 0xffff) << 16 |
	       (target->height & 0xffff);
}

struct sizes_target sizes_unpack(uint64_t packed)
{
	return (struct sizes_target){
		.scale = (uint32_t)(packed >> 32),
		.width = (uint32_t)(packed >> 16) & 0xffff,
		.height = (uint32_t)packed & 0xffff,
	};
}
