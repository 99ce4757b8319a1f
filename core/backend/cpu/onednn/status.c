/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * oneDNN's statuses as failures of a queue.
 */
#include "backend/cpu/onednn/onednn.h"

bool fvsr_onednn_failed(struct fvsr_queue *queue, dnnl_status_t status, const char *what)
{
	if (status == dnnl_success)
		return false;
	if (status == dnnl_out_of_memory)
		fvsr_queue_fail(queue, FVSR_ERR_MEMORY, "out of memory");
	else
		fvsr_queue_fail(queue, FVSR_ERR_BACKEND, "oneDNN: %s (status %d)", what,
				(int)status);
	return true;
}
