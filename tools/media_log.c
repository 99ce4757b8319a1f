/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FFmpeg's messages in the words of this program: one line each, with the name of the part that
 * speaks and without its address. What encoders print past FFmpeg is turned off.
 */
#include "media.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/log.h>
#include <libavutil/opt.h>

#include "console.h"

static void write_line(void *source, int level, const char *format, va_list args)
{
	const AVClass *class = source ? *(const AVClass **)source : NULL;
	char line[512];
	int no_prefix = 0;

	if (level > av_log_get_level())
		return;
	av_log_format_line2(NULL, level, format, args, line, sizeof(line), &no_prefix);
	line[strcspn(line, "\r\n")] = '\0';
	if (!line[0])
		return;
	if (class && class->item_name)
		fvsr_cli_note("%s: %s", class->item_name(source), line);
	else
		fvsr_cli_note("%s", line);
}

void fvsr_media_log(bool verbose, bool opening)
{
	av_log_set_callback(write_line);
	av_log_set_level(verbose ? AV_LOG_INFO : opening ? AV_LOG_ERROR : AV_LOG_FATAL);
}

void fvsr_media_quiet_encoder(AVCodecContext *encoder)
{
	if (av_log_get_level() >= AV_LOG_INFO)
		return;
	/* These two write to standard error by themselves; their reasons are there with --verbose.
	 */
	if (strcmp(encoder->codec->name, "libx265") == 0)
		av_opt_set(encoder->priv_data, "x265-params", "log-level=none", 0);
	else if (strcmp(encoder->codec->name, "libsvtav1") == 0)
		setenv("SVT_LOG", "0", 0);
}
