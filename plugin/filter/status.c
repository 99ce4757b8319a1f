/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The status texts of the dialog. Translations hold names in braces instead of conversions of
 * printf(), so that a wrong translation cannot do harm.
 */
#include "filter/internal.h"

#include "units.h"

#include <util/dstr.h>

static void replace(struct dstr *text, const char *name, const char *format, ...)
{
	struct dstr value = {0};
	va_list args;

	va_start(args, format);
	dstr_vprintf(&value, format, args);
	va_end(args);
	dstr_replace(text, name, value.array ? value.array : "");
	dstr_free(&value);
}

static const char *phase_key(const struct filter_report *report)
{
	switch (report->session.phase) {
	case PHASE_HIDDEN:
		return "Status.Hidden";
	case PHASE_NO_PICTURE:
		return "Status.NoPicture";
	case PHASE_UNFIT:
		return "Status.Unfit";
	case PHASE_REACHED:
		return "Status.Reached";
	case PHASE_HDR:
		return "Status.Hdr";
	case PHASE_PINNED:
		return "Status.Pinned";
	case PHASE_UPSCALING:
		return "Status.Upscaling";
	case PHASE_BEHIND:
		return "Status.Behind";
	case PHASE_TOO_SLOW:
		return "Status.TooSlow";
	case PHASE_FAILED:
		return report->session.no_bundled_model ? "Status.NoModel" : "Status.Failed";
	case PHASE_STARTING:
		break;
	}
	return "Status.Starting";
}

/* Says what follows from the phase: the cause, or what else the user has to know. NULL: nothing. */
static const char *more_key(const struct filter_report *report)
{
	const struct session_report *session = &report->session;

	if (session->phase == PHASE_FAILED && session->no_bundled_model)
		return "Status.More.NoModel";
	if (session->phase == PHASE_FAILED)
		return session->retry_ns ? "Status.More.Retry" : NULL;
	if (session->phase == PHASE_TOO_SLOW)
		return session->possible_fps > 0.0 ? "Status.More.Possible" : NULL;
	if (session->no_model_chosen)
		return "Status.More.Unchosen";
	if (session->phase != PHASE_UPSCALING && session->phase != PHASE_BEHIND)
		return NULL;
	if (session->delay_was_s > 0.0)
		return "Status.More.DelayWas";
	return report->sound_follows ? "Status.More.DelayBoth" : "Status.More.Delay";
}

static const char *stage_key(const struct filter_report *report, const struct worker_status *status)
{
	switch (status->state) {
	case WORKER_LOADING:
		return "Stage.Loading";
	case WORKER_OPENING:
		return "Stage.Opening";
	case WORKER_RUNNING:
		return report->session.phase == PHASE_STARTING ? "Stage.Filling" : "Stage.Running";
	case WORKER_FAILED:
		return report->session.retry_ns ? "Stage.Retry" : "Stage.Failed";
	case WORKER_IDLE:
		break;
	}
	return "Stage.Idle";
}

static const char *step_key(enum ladder_step step)
{
	switch (step) {
	case LADDER_SPARSE:
		return "Step.Sparse";
	case LADDER_SLICES:
		return "Step.Slices";
	case LADDER_SMALL:
		return "Step.Small";
	case LADDER_RATE:
		return "Step.Rate";
	case LADDER_BICUBIC:
		return "Step.Bicubic";
	case LADDER_FULL:
		break;
	}
	return "Step.Full";
}

/* Adds a line, which is empty where there is nothing to tell: no control below may move. */
static void add_line(struct dstr *text, bool told, const char *key)
{
	dstr_cat(text, "\n");
	dstr_cat(text, told ? obs_module_text(key) : " ");
}

static void fill_in(struct dstr *text, const struct filter_report *report,
		    const struct worker_status *status)
{
	const double gib = 1024.0 * 1024.0 * 1024.0;
	const struct session_report *session = &report->session;

	replace(text, "{in}", "%ux%u", report->in_width, report->in_height);
	replace(text, "{out}", "%ux%u", report->out_width, report->out_height);
	replace(text, "{fps}", session->frames_per_s < 9.95 ? "%.1f" : "%.0f",
		session->frames_per_s);
	replace(text, "{delay}", "%.1f", session->delay_s);
	replace(text, "{delay_ms}", "%.0f", session->delay_s * 1e3);
	replace(text, "{before_ms}", "%.0f", session->delay_was_s * 1e3);
	replace(text, "{allow}", "%d", session->allow_fps);
	replace(text, "{render_ms}", "%.2f", report->render_ms);
	replace(text, "{possible}", session->possible_fps < 9.95 ? "%.1f" : "%.0f",
		session->possible_fps);
	replace(text, "{step}", "%s", obs_module_text(step_key(session->step)));
	replace(text, "{missed}", "%llu", (unsigned long long)session->not_taken);
	replace(text, "{transport}", session->transport_reason[0] ? "%s (%s)" : "%s",
		session->transport ? session->transport : "", session->transport_reason);
	replace(text, "{retry}", "%d", (int)((session->retry_ns + NS_PER_S - 1) / NS_PER_S));
	replace(text, "{percent}", "%d", status->loaded_percent);
	replace(text, "{chunk_ms}", "%.0f", status->chunk_ms);
	replace(text, "{frames}", "%d", status->chunk_frames);
	replace(text, "{latency}", "%d", status->cost.first_latency);
	replace(text, "{memory}", "%.2f", (double)status->host_bytes / gib);
	replace(text, "{vram}", "%.2f", (double)status->device_bytes / gib);
	replace(text, "{free}", "%.2f", (double)status->available_bytes / gib);
	replace(text, "{backend}", "%s", status->backend);
	/* Last: names of files may hold braces. */
	replace(text, "{model}", "%s", status->model_name);
	replace(text, "{reason}", "%s", status->reason);
}

/* Makes one line of a reason, wherever it comes from. */
static void join_lines(char *text)
{
	for (; *text; text++)
		if (*text == '\n')
			*text = ' ';
}

char *filter_text(const char *key, const struct filter_report *report,
		  const struct worker_status *status)
{
	struct dstr text = {0};

	dstr_copy(&text, obs_module_text(key));
	fill_in(&text, report, status);
	join_lines(text.array);
	return text.array;
}

char *filter_status_text(const struct filter_report *report, const struct worker_status *status)
{
	const bool failed = report->session.phase == PHASE_FAILED;
	const char *key = more_key(report);
	char *more = key ? filter_text(key, report, status) : bstrdup(failed ? status->reason : "");
	char *first = filter_text(phase_key(report), report, status);
	struct dstr text = {0};

	join_lines(more);
	dstr_printf(&text, "%s\n%s", first, more[0] ? more : " ");
	bfree(first);
	bfree(more);
	return text.array;
}

char *filter_figures_text(const struct filter_report *report, const struct worker_status *status)
{
	struct dstr text = {0};

	dstr_copy(&text, obs_module_text(stage_key(report, status)));
	add_line(&text, report->session.delay_s > 0.0, "Status.Line.Delay");
	add_line(&text, status->chunks > 0, "Status.Line.Speed");
	add_line(&text, report->render_ms > 0.0, "Status.Line.Cost");
	add_line(&text, status->state == WORKER_RUNNING,
		 report->session.step_pinned ? "Status.Line.Pinned" : "Status.Line.Step");
	add_line(&text, status->host_bytes > 0,
		 status->device_bytes ? "Status.Line.MemoryDevice" : "Status.Line.Memory");
	add_line(&text, status->backend[0], "Status.Line.Engine");
	add_line(&text, report->session.shown_on_processor, "Status.Line.Processor");
	fill_in(&text, report, status);
	return text.array;
}

static const char *store_key(enum model_store_state state)
{
	switch (state) {
	case STORE_DOWNLOADING:
		return "Store.Downloading";
	case STORE_CHECKING:
		return "Store.Checking";
	case STORE_IMPORTING:
		return "Store.Importing";
	case STORE_DONE:
		return "Store.Done";
	case STORE_CANCELLED:
		return "Store.Cancelled";
	case STORE_FAILED:
		return "Store.Failed";
	case STORE_IDLE:
		break;
	}
	return NULL;
}

char *filter_store_text(const struct model_store_status *status)
{
	const char *key = store_key(status->state);
	struct dstr text = {0};

	if (!key)
		return NULL;
	dstr_copy(&text, obs_module_text(key));
	replace(&text, "{done}", "%.1f", (double)status->done / 1e6);
	replace(&text, "{total}", "%.1f", (double)status->total / 1e6);
	replace(&text, "{percent}", "%.0f",
		status->total ? (double)status->done * 100.0 / (double)status->total : 0.0);
	/* Last: names of files may hold braces. */
	replace(&text, "{file}", "%s", status->what);
	replace(&text, "{packed}", "%s", status->packed);
	replace(&text, "{reason}", "%s", status->reason);
	return text.array;
}
