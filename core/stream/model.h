/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of a model handle: a network on its device, and how many owners it has.
 */
#ifndef FVSR_STREAM_MODEL_H
#define FVSR_STREAM_MODEL_H

#include <stdatomic.h>

#include "net/net.h"

struct fvsr_model {
	atomic_int owners;
	struct fvsr_device *device;
	struct fvsr_net *net;
	struct fvsr_model_info info;
};

#endif
