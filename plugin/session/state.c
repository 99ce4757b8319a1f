/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a session's files share: its lines in the log, its phase, and small changes of its state.
 */
#include "session/state.h"

#include "units.h"

#include <stdarg.h>
#include <stdio.h>

#define LOG_PAUSE_NS (10 * NS_PER_S)

void session_log(const struct session *session, enum fvsr_log_level level, const char *format, ...)
{
	char text[512];
	va_list args;

	if (!session->log.write)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	session->log.write(session->log.opaque, level, text);
}

static void log_phase(struct session *session, enum session_phase before, int64_t now)
{
	const struct sizes *sizes = &session->sizes;
	const char *what = session->phase == PHASE_UPSCALING  ? "upscaling"
			   : session->phase == PHASE_BEHIND   ? "fell behind, bicubic"
			   : session->phase == PHASE_TOO_SLOW ? "too slow, bicubic"
			   : session->phase == PHASE_PINNED   ? "bicubic as wished"
							      : NULL;

	/* A machine at its limit goes back and forth; the log need not. */
	if (!what || (before != PHASE_STARTING && now - session->logged_ns < LOG_PAUSE_NS))
		return;
	session->logged_ns = now;
	session_log(session, FVSR_LOG_INFO, "%s %ux%u to %ux%u, %.1f frames/s, delay %.2f s", what,
		    sizes->in_width, sizes->in_height, sizes->out_width, sizes->out_height,
		    (double)NS_PER_S / (double)session->schedule.interval_ns,
		    (double)session->schedule.delay_ns / (double)NS_PER_S);
}

void session_set_phase(struct session *session, enum session_phase phase, int64_t now)
{
	const enum session_phase before = session->phase;

	session->phase = phase;
	if (phase != before)
		log_phase(session, before, now);
}

void session_refuse_sharing(struct session *session, const char *reason)
{
	transport_choice_refuse(&session->choice, reason);
	session_log(session, FVSR_LOG_WARNING, "frames go through host memory: %s", reason);
}

void session_set_interval(struct session *session)
{
	const struct ladder *ladder = &session->ladder;

	schedule_set_interval(&session->schedule, ladder->divisor * ladder->plan.tick_ns);
}
