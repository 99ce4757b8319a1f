/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies of weights in the layouts that oneDNN's primitives want, one for all queues of a device.
 */
#ifndef FVSR_CPU_ONEDNN_WEIGHTS_H
#define FVSR_CPU_ONEDNN_WEIGHTS_H

#include "backend/cpu/onednn/onednn.h"

/*
 * Returns 'source' in the layout 'to': itself if it has that already, else a copy, which is made if
 * it is the first of its kind. NULL when that fails, which then sticks to the queue.
 */
const void *fvsr_onednn_weight_in_layout(struct fvsr_queue *queue, const void *source,
					 fvsr_onednn_const_layout from,
					 fvsr_onednn_const_layout to);
/*
 * Drops the copies of what lies within 'bytes' from 'memory' on. The queues that planned with these
 * weights are closed before, so nobody else holds the copies.
 */
void fvsr_onednn_weights_forget(struct fvsr_onednn_device *device, const void *memory,
				size_t bytes);

#endif
