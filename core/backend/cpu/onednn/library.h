/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * oneDNN as a library that may be missing, and the OpenMP that runs its threads.
 */
#ifndef FVSR_CPU_ONEDNN_LIBRARY_H
#define FVSR_CPU_ONEDNN_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

/* The two functions belong to the OpenMP that oneDNN uses; NULL where it has none. */
struct fvsr_onednn_library {
	void *module; /* NULL where oneDNN is linked */
	int (*get_max_threads)(void);
	void (*set_num_threads)(int threads);
};

/* Opens oneDNN, before any call of it; false when it cannot be used, with 'reason'. */
bool fvsr_onednn_library_open(struct fvsr_onednn_library *library, char *reason,
			      size_t reason_bytes);
void fvsr_onednn_library_close(struct fvsr_onednn_library *library);

#endif
