/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The generic convolution kernels, which linear layers also use.
 */
#ifndef FVSR_CUDA_CONV_H
#define FVSR_CUDA_CONV_H

#include "backend/cuda/runtime/cuda_backend.h"
#include "kernels/generic/params.h"

/* Launches the kernel for a shape, after filling in 'channels', 'taps' and 'k' of 'p'. */
void fvsr_cuda_conv(struct fvsr_cuda_queue *queue, struct fvsr_conv_params *p, int tap_frames,
		    int images);

#endif
