/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of a device that the fast ops need: the loops for this processor, and the list of
 * Winograd's weights.
 */
#include "backend/cpu/fast/fast.h"

bool fvsr_fast_device_init(struct fvsr_fast_device *device, const struct fvsr_backend *backend,
			   const struct fvsr_model_options *options)
{
	if (pthread_mutex_init(&device->winograd_lock, NULL))
		return false;
	fvsr_cpu_device_init(&device->cpu, backend, options);
	device->loops = fvsr_loops_at(0);
	device->winograd = NULL;
	return true;
}

void fvsr_fast_device_clear(struct fvsr_fast_device *device)
{
	fvsr_cpu_device_clear(&device->cpu);
	pthread_mutex_destroy(&device->winograd_lock);
}
