/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter: what libobs calls. Each callback tells the session what happened, or hands it on to
 * the part of the filter that it concerns.
 *
 * Threads: create, destroy, the dialog and get_width/height come from any thread; update, tick and
 * render from the graphics thread; audio from the source's. See docs/architecture.md.
 */
#include "filter/filter.h"

#include "filter/internal.h"
#include "filter/settings.h"
#include "transport/card.h"

#include <util/platform.h>

/* ---- small things -------------------------------------------------------------------------- */

/* Writes the lines of session, worker and engine to OBS's log. Any thread. */
static void write_log(void *opaque, enum fvsr_log_level level, const char *text)
{
	const struct flashvsr_filter *filter = opaque;
	const int obs_level = level == FVSR_LOG_ERROR     ? LOG_ERROR
			      : level == FVSR_LOG_WARNING ? LOG_WARNING
			      : level == FVSR_LOG_INFO    ? LOG_INFO
							  : LOG_DEBUG;

	blog(obs_level, "[FlashVSR Upscale: '%s'] %s", obs_source_get_name(filter->context), text);
}

/* Returns the source's space if both it and the canvas have a high dynamic range; else 0. */
static int find_hdr_space(const struct flashvsr_filter *filter)
{
	static const enum gs_color_space spaces[] = {GS_CS_SRGB, GS_CS_SRGB_16F, GS_CS_709_EXTENDED,
						     GS_CS_709_SCRGB};
	obs_source_t *target = obs_filter_get_target(filter->context);
	struct obs_video_info info;
	enum gs_color_space space;

	if (!target || !obs_get_video_info(&info) ||
	    (info.colorspace != VIDEO_CS_2100_PQ && info.colorspace != VIDEO_CS_2100_HLG))
		return 0;
	space = obs_source_get_color_space(target, 4, spaces);
	return space == GS_CS_709_EXTENDED || space == GS_CS_709_SCRGB ? (int)space : 0;
}

/* ---- what libobs calls --------------------------------------------------------------------- */

static const char *filter_name(void *type_data)
{
	UNUSED_PARAMETER(type_data);
	return obs_module_text("Filter.Name");
}

static uint32_t filter_width(void *data)
{
	return filter_measure(data).out_width;
}

static uint32_t filter_height(void *data)
{
	return filter_measure(data).out_height;
}

static void apply_settings(struct flashvsr_filter *filter, obs_data_t *obs_settings, bool afresh)
{
	struct filter_settings settings;
	const struct session_event event = {
		.kind = SESSION_SETTINGS, .settings = &settings.session, .afresh = afresh};
	struct session_answer answer;

	filter_settings_read(&settings, obs_settings);
	atomic_store(&filter->sync.keep, settings.keep_sync);
	comparing_set(filter, &settings);
	atomic_store(&filter->keep_place, settings.keep_place);
	atomic_store(&filter->wanted, sizes_pack(&settings.session.target));
	dialog_set_live(&filter->dialog, obs_data_get_bool(obs_settings, S_DETAILS) &&
						 obs_data_get_bool(obs_settings, S_LIVE));
	session_handle(filter->session, &event, &answer);
}

static void filter_update(void *data, obs_data_t *obs_settings)
{
	struct flashvsr_filter *filter = data;
	const bool afresh = atomic_exchange(&filter->afresh, false);

	apply_settings(filter, obs_settings, afresh);
	if (!afresh) /* Who clicks on a remedy waits for its effect. */
		dialog_edited(&filter->dialog);
}

static void filter_tick(void *data, float seconds)
{
	struct flashvsr_filter *filter = data;
	const int64_t now = (int64_t)obs_get_video_frame_time();
	const struct session_event event = {.kind = SESSION_TICK, .now = now};
	struct session_answer answer;

	UNUSED_PARAMETER(seconds);
	filter->prepared = false;
	place_tick(filter);
	comparing_tick(filter);
	filter->sizes = filter_measure(filter);
	atomic_store(&filter->hdr_space, find_hdr_space(filter));
	session_handle(filter->session, &event, &answer);
	if (answer.forget)
		past_pictures_clear(filter->screen.past);
	filter_publish_report(filter, now);
}

/* Draws, while the engines' threads do not hold the graphics driver's locks. */
static void filter_render(void *data, gs_effect_t *effect)
{
	struct flashvsr_filter *filter = data;
	const int64_t now = (int64_t)obs_get_video_frame_time();
	const uint64_t began_ns = os_gettime_ns();
	const bool first = !filter->prepared;
	bool drawn;

	UNUSED_PARAMETER(effect);
	if (!obs_filter_get_target(filter->context) || !obs_filter_get_parent(filter->context))
		return;
	model_pool_hold(filter->shared->pool);
	if (first)
		filter_prepare(filter, now);
	drawn = filter_draw(filter);
	model_pool_let_go(filter->shared->pool);
	if (!drawn)
		obs_source_skip_video_filter(filter->context);
	else if (first)
		render_cost_add(&filter->cost,
				(int64_t)(os_gettime_ns() - began_ns) - filter->source_ns);
}

static struct obs_source_frame *filter_video(void *data, struct obs_source_frame *frame)
{
	struct flashvsr_filter *filter = data;

	sync_video(&filter->sync, frame, session_get_tick(filter->session));
	return frame;
}

static struct obs_audio_data *filter_audio(void *data, struct obs_audio_data *audio)
{
	struct flashvsr_filter *filter = data;

	return sync_audio(&filter->sync, audio);
}

static enum gs_color_space filter_color_space(void *data, size_t count,
					      const enum gs_color_space *preferred)
{
	struct flashvsr_filter *filter = data;
	const enum session_phase phase = session_get_phase(filter->session);
	const int hdr_space = atomic_load(&filter->hdr_space);
	obs_source_t *target = obs_filter_get_target(filter->context);

	/* What cannot be enlarged is passed on. */
	if (target && (phase == PHASE_UNFIT || phase == PHASE_REACHED))
		return obs_source_get_color_space(target, count, preferred);
	return hdr_space ? (enum gs_color_space)hdr_space : GS_CS_SRGB;
}

/*
 * Called when the user has clicked the eye. Inside the graphics context libobs' locks must not be
 * taken, so items change with the next tick then.
 */
static void filter_enabled(void *data, calldata_t *call)
{
	struct flashvsr_filter *filter = data;

	UNUSED_PARAMETER(call);
	if (!gs_get_context())
		place_now(filter->shared, obs_filter_get_parent(filter->context));
}

static void filter_removed(void *data, obs_source_t *parent)
{
	struct flashvsr_filter *filter = data;

	place_now(filter->shared, parent);
	place_reset(filter);
	hotkeys_free(filter);
}

static void filter_destroy(void *data)
{
	struct flashvsr_filter *filter = data;

	signal_handler_disconnect(obs_source_get_signal_handler(filter->context), "enable",
				  filter_enabled, filter);
	/* First: it logs through the filter, and frames may be in the transport's memory. */
	session_destroy(filter->session);
	obs_enter_graphics();
	carrier_free(&filter->carrier);
	obs_leave_graphics();
	comparing_free(filter);
	screen_free(&filter->screen);
	shared_unref(filter->shared);
	sync_free(&filter->sync);
	pthread_mutex_destroy(&filter->lock);
	bfree(filter);
}

static struct session *create_session(struct flashvsr_filter *filter)
{
	const struct session_setup setup = {
		.log = {write_log, filter},
		.pool = filter->shared->pool,
		.host = {filter_provide_transport, filter},
		.card = card_of_obs(),
		.tick_ns = filter_tick_ns(),
	};

	return session_create(&setup);
}

static void *filter_create(obs_data_t *settings, obs_source_t *context)
{
	struct flashvsr_filter *filter = bzalloc(sizeof(*filter));
	bool effect, line;

	filter->context = context;
	filter->shared = shared_ref(obs_source_get_type_data(context));
	dialog_init(&filter->dialog);
	atomic_init(&filter->wants_packed, false);
	atomic_init(&filter->afresh, false);
	atomic_init(&filter->hdr_space, 0);
	place_init(filter);
	comparing_init(filter);
	pthread_mutex_init(&filter->lock, NULL);
	filter->report.session.phase = PHASE_NO_PICTURE;
	carrier_init(&filter->carrier);
	line = sync_init(&filter->sync);
	effect = screen_init(&filter->screen);
	filter->session = create_session(filter);
	if (!effect || !filter->session || !line) {
		write_log(filter, FVSR_LOG_ERROR,
			  !effect            ? "the effect is missing"
			  : !filter->session ? "no thread for the engine"
					     : "out of memory");
		filter_destroy(filter);
		return NULL;
	}
	apply_settings(filter, settings, false);
	signal_handler_connect(obs_source_get_signal_handler(context), "enable", filter_enabled,
			       filter);
	return filter;
}

/*
 * The flags say video alone: with OBS_SOURCE_AUDIO the filter would be listed among the audio
 * filters, and refused by sources without sound. libobs calls filter_audio and filter_video all
 * the same, for the sources that have these.
 */
struct obs_source_info flashvsr_filter_info = {
	.id = FILTER_ID,
	.type = OBS_SOURCE_TYPE_FILTER,
	.output_flags = OBS_SOURCE_VIDEO | OBS_SOURCE_SRGB,
	.get_name = filter_name,
	.create = filter_create,
	.destroy = filter_destroy,
	.get_width = filter_width,
	.get_height = filter_height,
	.get_defaults = filter_settings_defaults,
	.get_properties = filter_properties,
	.update = filter_update,
	.video_tick = filter_tick,
	.video_render = filter_render,
	.filter_video = filter_video,
	.filter_audio = filter_audio,
	.video_get_color_space = filter_color_space,
	.filter_remove = filter_removed,
};
