/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter: what libobs calls, and the way of a picture through it. For each picture of OBS the
 * graphics thread renders the source, hands it to the worker when its turn has come, and shows the
 * upscaled picture that is due, or a bicubic one of the same size. It never waits.
 *
 * Threads: create, destroy, the dialog and get_width/height come from any thread; update, tick and
 * render from the graphics thread; audio from the source's. 'lock' guards what the dialog reads.
 * See docs/architecture.md.
 */
#include "filter/filter.h"

#include "filter/dialog.h"
#include "policy/effort.h"
#include "filter/filter-internal.h"
#include "filter/filter-settings.h"
#include "transport/frame-transport.h"
#include "policy/pacing.h"
#include "picture/past-pictures.h"
#include "picture/picture.h"
#include "filter/render-cost.h"
#include "policy/retry.h"
#include "policy/sizes.h"
#include "sound/sync.h"
#include "transport/transport-choice.h"

#include <util/platform.h>

#include <pthread.h>
#include <stdatomic.h>

#define NS_PER_S     1000000000LL
#define IDLE_NS      (NS_PER_S / 2)
#define LOG_PAUSE_NS (10 * NS_PER_S)

#define do_log(filter, level, format, ...)                                                         \
	blog(level, "[FlashVSR Upscale: '%s'] " format, obs_source_get_name((filter)->context),    \
	     ##__VA_ARGS__)

struct flashvsr_filter {
	obs_source_t *context;
	struct worker *worker;
	struct picture *picture;
	atomic_int hdr_space; /* of what is shown, an enum gs_color_space; 0: SDR */
	struct shared *shared;
	struct dialog dialog;
	atomic_ullong target;     /* see sizes_pack() */
	atomic_bool wants_packed; /* the store works for this filter, which takes the result */

	struct sync sync; /* with the source's sound */

	pthread_mutex_t lock;
	struct filter_report report;

	/* The graphics thread's. */
	struct filter_settings settings;
	bool settings_changed;
	struct sizes sizes;     /* of the picture at hand */
	struct sizes job_sizes; /* that the job was made for */
	struct sizes made;      /* what the engine makes of it, and the transport carries */
	enum filter_phase phase;
	bool prepared;       /* what is shown is up to date for this tick */
	int64_t rendered_ns; /* when last */
	int64_t logged_ns;

	struct transport_choice choice;
	int card;                              /* that OBS renders on, as CUDA counts them */
	const struct frame_transport_ops *ops; /* of the transport */
	struct frame_transport *transport;
	struct job *job;
	struct pacing pacing;
	struct past_pictures *past;
	int64_t delay_ns;   /* of what is shown; 0: none */
	int64_t content_ns; /* when what is shown was the source's picture */
	struct render_cost cost;
	int64_t source_ns; /* of the tick: drawing the source itself */
	struct ladder ladder;
	struct retry retry;   /* of what failed */
	uint64_t serial;      /* of the last job */
	uint64_t chunks_seen; /* of the job */
	int64_t shown_ns;     /* when the shown upscaled frame was taken; 0: none */
	uint64_t not_taken;
};

/* ---- small things -------------------------------------------------------------------------- */

static void engine_log(void *opaque, enum fvsr_log_level level, const char *text)
{
	struct flashvsr_filter *filter = opaque;
	const int obs_level = level == FVSR_LOG_ERROR     ? LOG_ERROR
			      : level == FVSR_LOG_WARNING ? LOG_WARNING
			      : level == FVSR_LOG_INFO    ? LOG_INFO
							  : LOG_DEBUG;

	do_log(filter, obs_level, "%s", text);
}

static int64_t tick_ns(void)
{
	struct obs_video_info info;

	if (!obs_get_video_info(&info) || !info.fps_num)
		return NS_PER_S / 60;
	return NS_PER_S * info.fps_den / info.fps_num;
}

/* Any thread. */
static struct sizes measure(const struct flashvsr_filter *filter)
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

/* The source's space, if both it and the canvas have a high dynamic range; else 0. */
static int find_hdr_space(struct flashvsr_filter *filter)
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

/* ---- phases -------------------------------------------------------------------------------- */

static void log_phase(struct flashvsr_filter *filter, enum filter_phase before, int64_t now)
{
	const struct sizes *sizes = &filter->sizes;
	const char *what = filter->phase == PHASE_UPSCALING  ? "upscaling"
			   : filter->phase == PHASE_BEHIND   ? "fell behind, bicubic"
			   : filter->phase == PHASE_TOO_SLOW ? "too slow, bicubic"
			   : filter->phase == PHASE_PINNED   ? "bicubic as wished"
							     : NULL;

	/* A machine at its limit goes back and forth; the log need not. */
	if (!what || (before != PHASE_STARTING && now - filter->logged_ns < LOG_PAUSE_NS))
		return;
	filter->logged_ns = now;
	do_log(filter, LOG_INFO, "%s %ux%u to %ux%u, %.1f frames/s, delay %.2f s", what,
	       sizes->in_width, sizes->in_height, sizes->out_width, sizes->out_height,
	       (double)NS_PER_S / (double)filter->pacing.interval_ns,
	       (double)filter->pacing.delay_ns / (double)NS_PER_S);
}

static void set_phase(struct flashvsr_filter *filter, enum filter_phase phase, int64_t now)
{
	const enum filter_phase before = filter->phase;

	filter->phase = phase;
	if (phase != before)
		log_phase(filter, before, now);
}

static void publish_report(struct flashvsr_filter *filter, int64_t now)
{
	pthread_mutex_lock(&filter->lock);
	filter->report = (struct filter_report){
		.phase = filter->phase,
		.in_width = filter->sizes.in_width,
		.in_height = filter->sizes.in_height,
		.out_width = filter->sizes.out_width,
		.out_height = filter->sizes.out_height,
		.frames_per_s = (double)NS_PER_S / (double)filter->pacing.interval_ns,
		.possible_fps = ladder_possible_fps(&filter->ladder),
		.step = filter->ladder.step,
		.step_pinned = filter->ladder.plan.pinned != 0,
		.shown_on_processor = retry_without(&filter->retry),
		.retry_ns = retry_left(&filter->retry, now),
		.no_bundled_model = filter->settings.no_bundled_model,
		.delay_s = (double)filter->delay_ns / (double)NS_PER_S,
		.sound_follows =
			sync_follows(&filter->sync, obs_filter_get_parent(filter->context)),
		.render_ms = (double)render_cost_p99(&filter->cost) / 1e6,
		.not_taken = filter->not_taken,
		.transport = filter->ops->name,
	};
	snprintf(filter->report.transport_reason, sizeof(filter->report.transport_reason), "%s",
		 filter->choice.reason);
	pthread_mutex_unlock(&filter->lock);
}

void filter_get_report(struct flashvsr_filter *filter, struct filter_report *report,
		       struct worker_status *status)
{
	pthread_mutex_lock(&filter->lock);
	*report = filter->report;
	pthread_mutex_unlock(&filter->lock);
	worker_get_status(filter->worker, status);
}

struct shared *filter_shared(struct flashvsr_filter *filter)
{
	return filter->shared;
}

obs_source_t *filter_source(struct flashvsr_filter *filter)
{
	return filter->context;
}

struct dialog *filter_dialog(struct flashvsr_filter *filter)
{
	return &filter->dialog;
}

void filter_want_packed(struct flashvsr_filter *filter)
{
	atomic_store(&filter->wants_packed, true);
}

/* Its model is there: use it. */
static void take_packed(struct flashvsr_filter *filter, const struct model_store_status *status)
{
	obs_data_t *settings = obs_data_create();

	atomic_store(&filter->wants_packed, false);
	obs_data_set_string(settings, S_MODEL, MODEL_FILE);
	obs_data_set_string(settings, S_MODEL_FILE, status->packed);
	obs_source_update(filter->context, settings);
	obs_data_release(settings);
}

/* What the user must know at once: a change of phase or step, and how far the store is. */
static void keep_dialog(struct flashvsr_filter *filter)
{
	struct model_store_status store = {.state = STORE_IDLE};
	uint64_t percent, state;

	if (filter->shared->store)
		model_store_get(filter->shared->store, &store);
	if (store.state == STORE_DONE && atomic_load(&filter->wants_packed))
		take_packed(filter, &store);
	else if (store.state != STORE_IDLE && !model_store_busy(&store))
		atomic_store(&filter->wants_packed, false);
	percent = store.total ? store.done * 100 / store.total : 0;
	state = (uint64_t)filter->phase | (uint64_t)filter->ladder.step << 8 |
		(uint64_t)filter->ladder.divisor << 16 | (uint64_t)store.state << 48 |
		percent << 56;
	if (dialog_due(&filter->dialog, state, os_gettime_ns()))
		obs_source_update_properties(filter->context);
}

/* ---- jobs ---------------------------------------------------------------------------------- */

static void forget_job(struct flashvsr_filter *filter)
{
	job_unref(filter->job);
	filter->job = NULL;
	filter->chunks_seen = 0;
	filter->shown_ns = 0;
	filter->not_taken = 0;
}

static void stop_job(struct flashvsr_filter *filter, enum filter_phase phase, int64_t now)
{
	if (filter->job)
		worker_set_job(filter->worker, NULL);
	forget_job(filter);
	set_phase(filter, phase, now);
}

static void refuse_sharing(struct flashvsr_filter *filter, const char *reason)
{
	transport_choice_refuse(&filter->choice, reason);
	do_log(filter, LOG_WARNING, "frames go through host memory: %s", reason);
}

/* With the transport that was chosen. */
static bool make_transport(struct flashvsr_filter *filter, const struct sizes *made)
{
	const struct frame_transport_setup setup = {
		.in_width = (int)made->in_width,
		.in_height = (int)made->in_height,
		.out_width = (int)made->out_width,
		.out_height = (int)made->out_height,
		.card = filter->choice.card,
	};
	char reason[200] = "";

	if (filter->transport && filter->ops == filter->choice.ops &&
	    sizes_same(&filter->made, made)) {
		filter->ops->clear(filter->transport);
		return true;
	}
	picture_keep(filter->picture);
	filter->ops->destroy(filter->transport);
	filter->ops = filter->choice.ops;
	filter->made = *made;
	filter->transport = filter->ops->create(&setup, reason, sizeof(reason));
	if (!filter->transport)
		do_log(filter, LOG_WARNING, "no frames by %s: %s", filter->ops->name, reason);
	if (!filter->transport && filter->ops == &frame_transport_interop) {
		refuse_sharing(filter, reason);
		return make_transport(filter, made);
	}
	return filter->transport != NULL;
}

/* And its transport. The bundled model alone was trained for whole scales and is told which. */
static struct job *make_job(struct flashvsr_filter *filter)
{
	struct job_request request = filter->settings.request;
	struct sizes made = filter->sizes;
	struct frame_maker maker;

	request.card = filter->card;
	effort_request(&request, &filter->ladder, &filter->settings);
	if (retry_without(&filter->retry))
		snprintf(request.backend, sizeof(request.backend), "cpu");
	if (strcmp(request.model, filter->settings.small_model) == 0)
		made = sizes_whole(&made);
	request.settings.in_width = (int)made.in_width;
	request.settings.in_height = (int)made.in_height;
	request.settings.out_width = (int)made.out_width;
	request.settings.out_height = (int)made.out_height;
	if (!make_transport(filter, &made))
		return NULL;
	maker = (struct frame_maker){filter->ops->make_frame, filter->transport};
	return job_create(&request, ++filter->serial, &maker);
}

/* Replaces the job, if any; the worker keeps of the old one what serves the new one too. */
static void start_job(struct flashvsr_filter *filter, int64_t now)
{
	struct job *job = make_job(filter);

	if (!job && filter->ops == &frame_transport_interop) {
		refuse_sharing(filter, "no memory for frames on the graphics card");
		job = make_job(filter);
	}
	filter->job_sizes = filter->sizes;
	if (!job) {
		do_log(filter, LOG_WARNING, "no memory for frames of %ux%u", filter->made.out_width,
		       filter->made.out_height);
		stop_job(filter, PHASE_UNFIT, now);
		return;
	}
	forget_job(filter);
	/* On a card the work gives way to OBS and the game by pauses; a CPU is shared anyway. */
	job->budget_ns = pacing_spread(&filter->pacing, filter->choice.card >= 0);
	filter->job = job;
	effort_apply(job, &filter->ladder);
	pacing_restart(&filter->pacing);
	worker_set_job(filter->worker, job);
	set_phase(filter, PHASE_STARTING, now);
}

static void new_pace(struct flashvsr_filter *filter)
{
	pacing_init(&filter->pacing, filter->ladder.plan.tick_ns);
	pacing_set_interval(&filter->pacing, filter->ladder.divisor * filter->ladder.plan.tick_ns);
}

/* On the ladder's last step there is nothing to be computed. */
static void start_or_rest(struct flashvsr_filter *filter, int64_t now)
{
	if (filter->ladder.step == LADDER_BICUBIC)
		stop_job(filter, filter->ladder.plan.pinned ? PHASE_PINNED : PHASE_TOO_SLOW, now);
	else
		start_job(filter, now);
}

/* Nothing is known any more: of another model, size or wish. */
static void start_over(struct flashvsr_filter *filter, int64_t now)
{
	struct ladder_plan plan;

	effort_plan(&plan, &filter->settings, tick_ns());
	ladder_init(&filter->ladder, &plan);
	retry_init(&filter->retry);
	new_pace(filter);
	start_or_rest(filter, now);
}

/* Starts and stops the job as the source, its size and the settings ask. */
static void follow_changes(struct flashvsr_filter *filter, int64_t now)
{
	const bool same = sizes_same(&filter->sizes, &filter->job_sizes);
	const bool jumped = sync_jumped(&filter->sync);

	if (!filter->sizes.in_width || !filter->sizes.in_height) {
		stop_job(filter, PHASE_NO_PICTURE, now);
	} else if (!sizes_enlarge(&filter->sizes)) {
		stop_job(filter,
			 sizes_reached(&filter->settings.target, &filter->sizes) ? PHASE_REACHED
										 : PHASE_UNFIT,
			 now);
		filter->job_sizes = (struct sizes){0};
	} else if (atomic_load(&filter->hdr_space)) {
		stop_job(filter, PHASE_HDR, now);
		filter->job_sizes = (struct sizes){0};
	} else if (filter->settings_changed || !same) {
		if (filter->settings_changed)
			transport_choice_init(&filter->choice);
		filter->settings_changed = false;
		start_over(filter, now);
	} else if (ladder_retry(&filter->ladder, now)) {
		new_pace(filter);
		start_job(filter, now);
	} else if (filter->phase == PHASE_FAILED && retry_due(&filter->retry, now)) {
		start_job(filter, now);
	} else if (filter->phase == PHASE_HIDDEN || filter->phase == PHASE_NO_PICTURE) {
		start_or_rest(filter, now);
	} else if (jumped && filter->job) {
		/* The network must not mix what was before a seek into what comes after. */
		start_job(filter, now);
	}
}

/* ---- frames -------------------------------------------------------------------------------- */

/*
 * Once the engine runs it is known where, and frames may have to travel in another way; likewise
 * when the way they go has failed. True when there is a new job for that.
 */
static bool follow_engine(struct flashvsr_filter *filter, const struct worker_status *status,
			  int64_t now)
{
	const bool sharing = filter->ops == &frame_transport_interop;
	const char *trouble = filter->ops->trouble ? filter->ops->trouble(filter->transport) : NULL;
	uint64_t began_ns;

	if (trouble)
		refuse_sharing(filter, trouble);
	if (status->state == WORKER_RUNNING || (status->state == WORKER_FAILED && sharing))
		transport_choice_follow(&filter->choice, status->card);
	if (filter->choice.ops == filter->ops)
		return false;
	began_ns = os_gettime_ns();
	start_job(filter, now);
	do_log(filter, LOG_INFO, "frames by %s, set up in %.1f ms", filter->ops->name,
	       (double)(os_gettime_ns() - began_ns) / 1e6);
	return true;
}

/* What is shown stays until the new job delivers, or is too old. */
static void follow_ladder(struct flashvsr_filter *filter, enum ladder_change change, int64_t now)
{
	const struct ladder *ladder = &filter->ladder;

	if (change == LADDER_SAME)
		return;
	do_log(filter, LOG_INFO, "a frame took %.1f ms: now step %d, one picture of %d",
	       (double)ladder->cost_ns / 1e6, (int)ladder->step, ladder->divisor);
	if (change == LADDER_OTHER) {
		new_pace(filter);
		start_or_rest(filter, now);
		return;
	}
	effort_apply(filter->job, ladder);
	if (change == LADDER_PACE &&
	    pacing_set_interval(&filter->pacing, ladder->divisor * ladder->plan.tick_ns))
		filter->pacing.stalled = true;
}

/* Something smaller, if it is memory; the same later, if it is the card or nothing is smaller. */
static void follow_failure(struct flashvsr_filter *filter, const struct worker_status *status,
			   int64_t now)
{
	enum ladder_change change = LADDER_SAME;

	if (filter->phase == PHASE_FAILED)
		return;
	set_phase(filter, PHASE_FAILED, now);
	filter->shown_ns = 0; /* there is nothing to fall behind */
	if (status->no_memory)
		change = ladder_no_memory(&filter->ladder);
	if (change != LADDER_SAME)
		follow_ladder(filter, change, now);
	else if (status->no_memory || status->device_failed)
		retry_failed(&filter->retry, status->device_failed, now);
}

static void follow_chunks(struct flashvsr_filter *filter, const struct worker_status *status,
			  int64_t now)
{
	const int64_t computing_ns = (int64_t)(status->computing_ms * 1e6);
	const int64_t chunk_ns = (int64_t)(status->chunk_ms * 1e6);
	const struct job *job = filter->job;
	struct ladder *ladder = &filter->ladder;

	if (status->chunks != filter->chunks_seen) {
		filter->chunks_seen = status->chunks;
		retry_working(&filter->retry, now);
		follow_ladder(filter, ladder_measured(ladder, chunk_ns, status->chunk_frames, now),
			      now);
		if (filter->job == job) /* else it says nothing about the new one */
			pacing_measured(&filter->pacing, chunk_ns, status->chunk_frames,
					status->cost.latency, status->cost.first_latency);
	} else if (ladder_overdue(ladder, computing_ns, status->computing_frames)) {
		follow_ladder(filter,
			      ladder_measured(ladder, computing_ns, status->computing_frames, now),
			      now);
	}
}

/* Learns from the chunks that the worker computed. False when there is no job (any more). */
static bool follow_worker(struct flashvsr_filter *filter, int64_t now)
{
	const struct job *job = filter->job;
	struct worker_status status;

	worker_get_status(filter->worker, &status);
	if (!job || status.serial != job->serial)
		return false;
	if (follow_engine(filter, &status, now))
		return false;
	if (status.state == WORKER_FAILED)
		follow_failure(filter, &status, now);
	if (status.state != WORKER_RUNNING)
		return false;
	follow_chunks(filter, &status, now);
	if (filter->job == job && filter->pacing.stalled)
		start_job(filter, now);
	return filter->job == job;
}

/* The picture stands still when the delay becomes longer: time never goes back. */
static bool is_news(const struct flashvsr_filter *filter, int64_t time)
{
	return time > filter->content_ns ||
	       !picture_composed(filter->picture, filter->sizes.out_width,
				 filter->sizes.out_height);
}

static bool compose(struct flashvsr_filter *filter, gs_texture_t *texture, int64_t time)
{
	if (!texture || !picture_compose(filter->picture, texture, filter->sizes.out_width,
					 filter->sizes.out_height))
		return false;
	filter->content_ns = time;
	return true;
}

/* Without a copy where that is possible: drawing into another texture takes OBS's time. */
static bool show(struct flashvsr_filter *filter, gs_texture_t *texture, int64_t time)
{
	const bool same_size = texture &&
			       gs_texture_get_width(texture) == filter->sizes.out_width &&
			       gs_texture_get_height(texture) == filter->sizes.out_height;

	if (!same_size || !filter->ops->lasting)
		return compose(filter, texture, time);
	picture_show(filter->picture, texture);
	filter->content_ns = time;
	return true;
}

/* What was staged some pictures ago goes to the worker, and 'out', if any, into a texture. */
static gs_texture_t *exchange_frames(struct flashvsr_filter *filter, const fvsr_frame *out)
{
	struct frame_queue *in = filter->job->in;
	struct frame_exchange exchange = {.fetch = filter->ops->ready(filter->transport),
					  .out = out};

	if (exchange.fetch) {
		exchange.in = frame_queue_write_begin(in);
		filter->not_taken += !exchange.in;
	}
	if (exchange.fetch || out)
		filter->ops->exchange(filter->transport, &exchange);
	if (exchange.fetched) {
		frame_queue_write_end(in);
		worker_wake(filter->worker);
	}
	return exchange.shown;
}

/* Frames go to the worker, and what came back and is due now becomes the picture. */
static void carry_frames(struct flashvsr_filter *filter, int64_t now)
{
	struct frame_queue *out = filter->job->out;
	const fvsr_frame *due = NULL;
	gs_texture_t *texture;
	bool freed = false, news;
	int64_t time;

	filter->ops->advance(filter->transport);
	if (filter->pacing.delay_ns)
		due = pacing_due(&filter->pacing, out, now, &freed);
	time = due ? fvsr_frame_tag(due) : 0;
	news = due && is_news(filter, time);
	texture = exchange_frames(filter, news ? due : NULL);
	while (filter->ops->ready(filter->transport))
		exchange_frames(filter, NULL);
	if (due && (!news || show(filter, texture, time))) {
		filter->shown_ns = time;
		set_phase(filter, PHASE_UPSCALING, now);
	}
	if (due) {
		pacing_shown(&filter->pacing, out);
		freed = true;
	}
	if (freed)
		worker_wake(filter->worker);
}

/*
 * The delay of picture and sound. It is the upscaled pictures', and stays while there are none for
 * a while, so that nothing jumps; without the prospect of any there is no delay.
 */
static void choose_delay(struct flashvsr_filter *filter, bool upscaled)
{
	const struct pacing *pacing = &filter->pacing;
	int64_t held_ns = 0;

	if (filter->phase == PHASE_FAILED || filter->phase == PHASE_TOO_SLOW ||
	    filter->phase == PHASE_PINNED || filter->phase == PHASE_REACHED ||
	    filter->phase == PHASE_HDR || filter->phase == PHASE_UNFIT)
		filter->delay_ns = 0;
	else if (upscaled) /* Pictures come with OBS' ticks, so they are late by whole ones. */
		filter->delay_ns = (pacing->delay_ns + pacing->tick_ns / 2) / pacing->tick_ns *
				   pacing->tick_ns;
	if (upscaled) /* Each stands for those left out after it: the sound goes to their middle. */
		held_ns = (pacing->interval_ns - pacing->tick_ns) / 2;
	atomic_store(&filter->sync.delay_ns,
		     atomic_load(&filter->sync.keep) ? filter->delay_ns + held_ns : 0);
}

static bool keep_picture(struct flashvsr_filter *filter, int64_t now, int64_t delay_ns)
{
	return past_pictures_wanted(filter->past, filter->sizes.in_width, filter->sizes.in_height,
				    now, delay_ns, filter->pacing.tick_ns);
}

/*
 * Takes the picture of 'now' if its turn has come. Returns the one to make the bicubic of, when
 * that is 'wanted', and its time.
 */
static gs_texture_t *take_picture(struct flashvsr_filter *filter, bool running, bool wanted,
				  int64_t now, int64_t *time)
{
	const int64_t shown_ns = filter->delay_ns;
	const int64_t delay_ns = shown_ns ? shown_ns : filter->pacing.delay_ns;
	const bool take = running && pacing_take(&filter->pacing, now);
	const bool keep = filter->job && keep_picture(filter, now, delay_ns);
	gs_texture_t *texture = NULL;

	if (take || keep || (wanted && !shown_ns)) {
		texture = picture_capture(filter->picture, filter->context, filter->sizes.in_width,
					  filter->sizes.in_height);
		filter->source_ns = picture_source_ns(filter->picture);
	}
	if (take && texture && !filter->ops->stage(filter->transport, texture, now))
		filter->not_taken++;
	if (keep && texture)
		past_pictures_keep(filter->past, texture, now, delay_ns);
	*time = now;
	if (!shown_ns)
		return texture;
	*time = now - shown_ns + filter->pacing.tick_ns / 2; /* half a tick, as in pacing */
	return past_pictures_at(filter->past, time);
}

/* Brings what is shown up to date, once for each picture of OBS. */
static void prepare(struct flashvsr_filter *filter, int64_t now)
{
	const uint32_t width = filter->sizes.out_width, height = filter->sizes.out_height;
	const int hdr_space = atomic_load(&filter->hdr_space);
	bool running, upscaled;
	gs_texture_t *texture;
	int64_t time;

	if (hdr_space) {
		choose_delay(filter, false);
		picture_compose_hdr(filter->picture, filter->context, &filter->sizes,
				    (enum gs_color_space)hdr_space);
		return;
	}
	running = follow_worker(filter, now);
	if (running)
		carry_frames(filter, now);
	if (filter->shown_ns && pacing_behind(&filter->pacing, filter->shown_ns, now)) {
		filter->shown_ns = 0;
		set_phase(filter, PHASE_BEHIND, now);
	}
	upscaled = filter->shown_ns && running && picture_composed(filter->picture, width, height);
	choose_delay(filter, upscaled);
	texture = take_picture(filter, running, !upscaled, now, &time);
	if (!upscaled && is_news(filter, time))
		compose(filter, texture, time);
}

/* ---- what libobs calls --------------------------------------------------------------------- */

static const char *filter_name(void *type_data)
{
	UNUSED_PARAMETER(type_data);
	return obs_module_text("Filter.Name");
}

static uint32_t filter_width(void *data)
{
	struct flashvsr_filter *filter = data;

	return measure(filter).out_width;
}

static uint32_t filter_height(void *data)
{
	struct flashvsr_filter *filter = data;

	return measure(filter).out_height;
}

static void filter_update(void *data, obs_data_t *obs_settings)
{
	struct flashvsr_filter *filter = data;
	struct filter_settings settings;

	filter_settings_read(&settings, obs_settings);
	worker_set_keep(filter->worker, settings.hidden_s);
	atomic_store(&filter->sync.keep, settings.keep_sync);
	dialog_edited(&filter->dialog, obs_data_get_bool(obs_settings, S_LIVE));
	if (filter_settings_same(&settings, &filter->settings))
		return;
	filter->settings = settings;
	filter->settings_changed = true;
	atomic_store(&filter->target, sizes_pack(&settings.target));
}

/* The source is not rendered, or this filter is switched off: nothing is to be computed. */
static void notice_hidden(struct flashvsr_filter *filter, int64_t now)
{
	if (filter->phase == PHASE_HIDDEN || now - filter->rendered_ns <= IDLE_NS)
		return;
	stop_job(filter, PHASE_HIDDEN, now);
	past_pictures_clear(filter->past);
}

static void filter_tick(void *data, float seconds)
{
	struct flashvsr_filter *filter = data;
	const int64_t now = (int64_t)obs_get_video_frame_time();

	UNUSED_PARAMETER(seconds);
	filter->prepared = false;
	filter->sizes = measure(filter);
	atomic_store(&filter->hdr_space, find_hdr_space(filter));
	notice_hidden(filter, now);
	publish_report(filter, now);
	keep_dialog(filter);
}

/* Once for each picture of OBS. */
static void update_picture(struct flashvsr_filter *filter, int64_t now)
{
	filter->prepared = true;
	filter->source_ns = 0;
	filter->sizes = measure(filter);
	follow_changes(filter, now);
	if (sizes_enlarge(&filter->sizes))
		prepare(filter, now);
	else
		choose_delay(filter, false);
}

/* False when it is the source's own picture that is to be shown. */
static bool draw_picture(struct flashvsr_filter *filter)
{
	if (!sizes_enlarge(&filter->sizes) ||
	    !picture_composed(filter->picture, filter->sizes.out_width, filter->sizes.out_height))
		return false;
	picture_draw(filter->picture);
	return true;
}

/* The engines' threads do not hold the graphics driver's locks meanwhile. */
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
	filter->rendered_ns = now;
	model_pool_hold(filter->shared->pool);
	if (first)
		update_picture(filter, now);
	drawn = draw_picture(filter);
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

	sync_video(&filter->sync, frame, filter->pacing.tick_ns);
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
	const int hdr_space = atomic_load(&filter->hdr_space);
	obs_source_t *target = obs_filter_get_target(filter->context);

	/* What cannot be enlarged is passed on. */
	if (target && (filter->phase == PHASE_UNFIT || filter->phase == PHASE_REACHED))
		return obs_source_get_color_space(target, count, preferred);
	return hdr_space ? (enum gs_color_space)hdr_space : GS_CS_SRGB;
}

static void filter_destroy(void *data)
{
	struct flashvsr_filter *filter = data;

	/* First: it logs through the filter. */
	worker_destroy(filter->worker);
	forget_job(filter);
	obs_enter_graphics();
	filter->ops->destroy(filter->transport);
	obs_leave_graphics();
	picture_destroy(filter->picture);
	shared_unref(filter->shared);
	past_pictures_destroy(filter->past);
	sync_free(&filter->sync);
	pthread_mutex_destroy(&filter->lock);
	bfree(filter);
}

static void *filter_create(obs_data_t *settings, obs_source_t *context)
{
	struct flashvsr_filter *filter = bzalloc(sizeof(*filter));
	const struct fvsr_log log = {engine_log, filter};
	struct ladder_plan plan = {.tick_ns = tick_ns(), .slowest_ns = tick_ns()};
	bool in_sync;

	filter->context = context;
	filter->shared = shared_ref(obs_source_get_type_data(context));
	dialog_init(&filter->dialog);
	atomic_init(&filter->wants_packed, false);
	atomic_init(&filter->hdr_space, 0);
	transport_choice_init(&filter->choice);
	filter->ops = filter->choice.ops;
	filter->card = transport_choice_find_card();
	filter->phase = PHASE_HIDDEN;
	filter->report.phase = PHASE_HIDDEN;
	pthread_mutex_init(&filter->lock, NULL);
	atomic_init(&filter->target, sizes_pack(&(struct sizes_target){.scale = SCALE_MIN}));
	ladder_init(&filter->ladder, &plan);
	retry_init(&filter->retry);
	new_pace(filter);
	filter->past = past_pictures_create();
	in_sync = sync_init(&filter->sync);
	filter->picture = picture_create();
	filter->worker = worker_create(&log, filter->shared->pool);
	if (!filter->picture || !filter->worker || !in_sync) {
		do_log(filter, LOG_ERROR, "%s",
		       !filter->picture  ? "the effect is missing"
		       : !filter->worker ? "no thread for the engine"
					 : "out of memory");
		filter_destroy(filter);
		return NULL;
	}
	filter_update(filter, settings);
	return filter;
}

/*
 * The flags say video alone: with OBS_SOURCE_AUDIO the filter would be listed among the audio
 * filters, and refused by sources without sound. libobs calls filter_audio and filter_video all
 * the same, for the sources that have these.
 */
struct obs_source_info flashvsr_filter_info = {
	.id = "flashvsr_filter",
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
};
