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

static const char *phase_key(const struct filter_report *report, const struct worker_status *status)
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
	if (status->state == WORKER_LOADING)
		return "Status.Loading";
	return status->state == WORKER_OPENING ? "Status.Opening" : "Status.Filling";
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

static void add_line(struct dstr *text, const char *key)
{
	dstr_cat(text, "\n");
	dstr_cat(text, obs_module_text(key));
}

static void fill_in(struct dstr *text, const struct filter_report *report,
		    const struct worker_status *status)
{
	const double gib = 1024.0 * 1024.0 * 1024.0;

	replace(text, "{in}", "%ux%u", report->in_width, report->in_height);
	replace(text, "{out}", "%ux%u", report->out_width, report->out_height);
	replace(text, "{fps}", "%.1f", report->session.frames_per_s);
	replace(text, "{delay}", "%.2f", report->session.delay_s);
	replace(text, "{before}", "%.2f", report->session.delay_was_s);
	replace(text, "{render_ms}", "%.2f", report->render_ms);
	replace(text, "{possible}", "%.1f", report->session.possible_fps);
	replace(text, "{step}", "%s", obs_module_text(step_key(report->session.step)));
	replace(text, "{missed}", "%llu", (unsigned long long)report->session.not_taken);
	replace(text, "{transport}", report->session.transport_reason[0] ? "%s (%s)" : "%s",
		report->session.transport ? report->session.transport : "",
		report->session.transport_reason);
	replace(text, "{retry}", "%d", (int)((report->session.retry_ns + NS_PER_S - 1) / NS_PER_S));
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

char *filter_status_text(const struct filter_report *report, const struct worker_status *status)
{
	struct dstr text = {0};

	dstr_copy(&text, obs_module_text(phase_key(report, status)));
	if (report->session.phase == PHASE_FAILED && report->session.retry_ns)
		add_line(&text, "Status.Line.Retry");
	if (report->session.delay_s > 0.0 && report->session.phase != PHASE_HIDDEN &&
	    report->session.phase != PHASE_NO_PICTURE)
		add_line(&text,
			 report->sound_follows ? "Status.Line.DelayBoth" : "Status.Line.Delay");
	if (report->session.delay_was_s > 0.0)
		add_line(&text, "Status.Line.DelayWas");
	if (status->chunks)
		add_line(&text, "Status.Line.Speed");
	if (report->render_ms > 0.0)
		add_line(&text, "Status.Line.Cost");
	if (status->state == WORKER_RUNNING)
		add_line(&text,
			 report->session.step_pinned ? "Status.Line.Pinned" : "Status.Line.Step");
	if (status->host_bytes)
		add_line(&text,
			 status->device_bytes ? "Status.Line.MemoryDevice" : "Status.Line.Memory");
	if (status->backend[0])
		add_line(&text, "Status.Line.Engine");
	if (report->session.shown_on_processor)
		add_line(&text, "Status.Line.Processor");
	if (report->session.no_model_chosen)
		add_line(&text, "Status.Line.Unchosen");
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
