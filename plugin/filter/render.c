/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of a picture through the filter. For each picture of OBS the session is told what there
 * is, and what it answers is done here: frames are carried between OBS's textures and the engine,
 * the source is rendered, and what is due, upscaled or bicubic, is made what is shown. Nothing here
 * waits.
 */
#include "filter/internal.h"

#include "units.h"

int64_t filter_tick_ns(void)
{
	struct obs_video_info info;

	if (!obs_get_video_info(&info) || !info.fps_num)
		return NS_PER_S / 60;
	return NS_PER_S * info.fps_den / info.fps_num;
}

struct sizes filter_measure(const struct flashvsr_filter *filter)
{
	obs_source_t *target = obs_filter_get_target(filter->context);
	uint32_t width = target ? obs_source_get_base_width(target) : 0;
	uint32_t height = target ? obs_source_get_base_height(target) : 0;
	const struct sizes_target chosen = sizes_unpack(atomic_load(&filter->target));
	struct obs_video_info info = {0};

	if (!chosen.scale)
		obs_get_video_info(&info);
	return sizes_choose(&chosen, width, height, info.base_width, info.base_height);
}

/* Copies what is shown before a transport goes, because it may lie in that transport. */
bool filter_provide_transport(void *opaque, const struct transport_request *wanted,
			      struct frame_maker *maker, char *reason, size_t reason_size)
{
	struct flashvsr_filter *filter = opaque;
	struct carrier *carrier = &filter->carrier;

	if (!carrier_reuse(carrier, wanted)) {
		drawing_keep(filter->screen.drawing);
		if (!carrier_replace(carrier, wanted, reason, reason_size))
			return false;
	}
	*maker = carrier_maker(carrier);
	return true;
}

/*
 * Hands what was staged some pictures ago to the engine, and puts 'out' into a texture, which is
 * returned. 'out' may be NULL.
 */
static gs_texture_t *exchange_frames(struct flashvsr_filter *filter, const fvsr_frame *out)
{
	const struct carrier *carrier = &filter->carrier;
	struct frame_exchange exchange = {.fetch = carrier->ops->ready(carrier->transport),
					  .out = out};

	if (exchange.fetch)
		exchange.in = session_begin_input(filter->session);
	if (exchange.fetch || out)
		carrier->ops->exchange(carrier->transport, &exchange);
	if (exchange.fetched)
		session_end_input(filter->session);
	return exchange.shown;
}

/* Carries frames both ways. Returns true when the frame that is due is what is shown now. */
static bool carry_frames(struct flashvsr_filter *filter, const struct session_answer *answer)
{
	const struct carrier *carrier = &filter->carrier;
	const bool news =
		answer->due && screen_is_news(&filter->screen, &filter->sizes, answer->due_ns);
	gs_texture_t *texture;

	carrier->ops->advance(carrier->transport);
	texture = exchange_frames(filter, news ? answer->due : NULL);
	while (carrier->ops->ready(carrier->transport))
		exchange_frames(filter, NULL);
	if (!news)
		return answer->due != NULL;
	return screen_show(&filter->screen, &filter->sizes, texture, carrier->ops->lasting,
			   answer->due_ns);
}

/*
 * Renders the source if its picture is needed, and hands it to the engine if the session says so.
 * With 'only_taken' no other pictures are kept. Returns the picture to make a bicubic one of, and
 * its time.
 */
static gs_texture_t *take_picture(struct flashvsr_filter *filter,
				  const struct session_answer *answer, bool only_taken, int64_t now,
				  int64_t *time)
{
	const struct sizes *sizes = &filter->sizes;
	const struct carrier *carrier = &filter->carrier;
	const int64_t tick_ns = session_get_tick(filter->session);
	struct screen *screen = &filter->screen;
	/* To be compared, the very pictures are needed that the engine gets. */
	const bool keep = answer->keep && (answer->take || !only_taken) &&
			  past_pictures_wanted(screen->past, sizes->in_width, sizes->in_height, now,
					       answer->keep_ns, tick_ns);
	gs_texture_t *texture = NULL;

	if (answer->take || keep || (answer->bicubic && !answer->delay_ns)) {
		texture = drawing_capture(screen->drawing, filter->context, sizes->in_width,
					  sizes->in_height);
		filter->source_ns = drawing_source_ns(screen->drawing);
	}
	if (answer->take && texture && !carrier->ops->stage(carrier->transport, texture, now))
		session_miss(filter->session);
	if (keep && texture)
		past_pictures_keep(screen->past, texture, now, answer->keep_ns);
	*time = now;
	if (!answer->delay_ns)
		return texture;
	*time = now - answer->delay_ns + tick_ns / 2; /* half a tick, as in schedule */
	return past_pictures_at(screen->past, time);
}

static void set_sound_delay(struct flashvsr_filter *filter, const struct session_answer *answer)
{
	const bool keep = atomic_load(&filter->sync.keep);

	atomic_store(&filter->sync.delay_ns, keep ? answer->sound_delay_ns : 0);
}

/* Makes the network's picture, or a bicubic one in its place, what is shown. */
static void prepare_network(struct flashvsr_filter *filter, struct session_answer *answer,
			    int64_t now)
{
	struct session_event event = {.kind = SESSION_CARRIED, .now = now};
	const bool comparing = comparing_view(filter).mode != COMPARE_OFF;
	const bool running = answer->carry;
	gs_texture_t *texture;
	int64_t time;

	event.shown = answer->carry && carry_frames(filter, answer);
	if (comparing)
		compare_prepare(&filter->comparing.picture, &filter->screen, &filter->sizes);
	event.ready = screen_ready(&filter->screen, &filter->sizes);
	session_handle(filter->session, &event, answer);
	set_sound_delay(filter, answer);
	texture = take_picture(filter, answer, comparing && running, now, &time);
	if (answer->bicubic && screen_is_news(&filter->screen, &filter->sizes, time))
		screen_compose(&filter->screen, &filter->sizes, texture, time);
}

void filter_prepare(struct flashvsr_filter *filter, int64_t now)
{
	const int hdr_space = atomic_load(&filter->hdr_space);
	struct session_event event = {.kind = SESSION_PICTURE, .now = now};
	struct session_answer answer;

	filter->prepared = true;
	filter->source_ns = 0;
	filter->sizes = filter_measure(filter);
	event.sizes = filter->sizes;
	event.tick_ns = filter_tick_ns();
	event.hdr = hdr_space != 0;
	event.jumped = sync_jumped(&filter->sync);
	event.trouble = carrier_trouble(&filter->carrier);
	session_handle(filter->session, &event, &answer);
	switch (answer.view) {
	case SESSION_VIEW_NETWORK:
		prepare_network(filter, &answer, now);
		break;
	case SESSION_VIEW_HDR:
		set_sound_delay(filter, &answer);
		filter->screen.upscaled = false;
		drawing_compose_hdr(filter->screen.drawing, filter->context, &filter->sizes,
				    (enum gs_color_space)hdr_space);
		break;
	case SESSION_VIEW_SOURCE:
		set_sound_delay(filter, &answer);
		break;
	}
}

bool filter_draw(struct flashvsr_filter *filter)
{
	const struct compare_view view = comparing_view(filter);

	if (!sizes_enlarge(&filter->sizes) || !screen_ready(&filter->screen, &filter->sizes))
		return false;
	if (view.mode == COMPARE_OFF)
		drawing_draw(filter->screen.drawing);
	else
		compare_draw(&filter->comparing.picture, &filter->screen, &filter->sizes, &view);
	return true;
}
