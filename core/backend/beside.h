/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Libraries that are shipped with us, on Windows and in the portable build for Linux, lie beside
 * the module that this code is in, and are opened by their full path, so that no other program's is
 * taken for them nor ours for theirs.
 */
#ifndef FVSR_BACKEND_BESIDE_H
#define FVSR_BACKEND_BESIDE_H

#include <stdbool.h>

/* NULL: *there says whether there is such a file; GetLastError(), or dlerror(), then says why it
 * cannot be loaded. On Linux a library stays loaded. */
void *fvsr_beside_open(const char *name, bool *there);

#endif
