/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How queues of all backends fail: the first failure stays.
 */
#include "backend/backend.h"

#include <stdio.h>

/* Logs nothing: somebody asked for the interruption. */
void fvsr_queue_stop(struct fvsr_queue *queue)
{
	if (queue->error)
		return;
	queue->error = FVSR_ERR_CANCELLED;
	fvsr_fail(&queue->message, FVSR_ERR_CANCELLED, "interrupted");
}

void fvsr_queue_fail(struct fvsr_queue *queue, int code, const char *format, ...)
{
	va_list args;

	if (queue->error)
		return;
	queue->error = code;
	va_start(args, format);
	vsnprintf(queue->message.text, sizeof(queue->message.text), format, args);
	va_end(args);
	fvsr_log(&queue->device->log, FVSR_LOG_ERROR, "%s", queue->message.text);
}
