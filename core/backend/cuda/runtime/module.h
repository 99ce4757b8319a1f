/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading and unloading the device code of an opened device.
 */
#ifndef FVSR_CUDA_MODULE_H
#define FVSR_CUDA_MODULE_H

#include "backend/cuda/runtime/cuda_backend.h"

/* Both are called inside fvsr_cuda_enter(); 'unload' frees whatever 'load' got to. */
int fvsr_cuda_modules_load(struct fvsr_cuda_device *device, struct fvsr_error *err);
void fvsr_cuda_modules_unload(struct fvsr_cuda_device *device);

#endif
