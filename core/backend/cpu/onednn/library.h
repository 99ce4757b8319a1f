/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * oneDNN as a library that may be missing, and the runtime that runs its threads.
 */
#ifndef FVSR_CPU_ONEDNN_LIBRARY_H
#define FVSR_CPU_ONEDNN_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

/* The two functions belong to the OpenMP that oneDNN uses; NULL: it does not say. */
struct fvsr_dnnl_library {
	void *module; /* NULL where oneDNN is linked */
	int (*get_max_threads)(void);
	void (*set_num_threads)(int threads);
};

/* Before any call of oneDNN. False: 'reason' says why it cannot be used. */
bool fvsr_dnnl_library_open(struct fvsr_dnnl_library *library, char *reason, size_t reason_bytes);
void fvsr_dnnl_library_close(struct fvsr_dnnl_library *library);

#endif
