/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Windows: libraries that are shipped with us lie beside the module that this code is in, and are
 * opened by their full path, so that no other program's is taken for them nor ours for theirs.
 */
#ifndef FVSR_BACKEND_BESIDE_H
#define FVSR_BACKEND_BESIDE_H

#include <stdbool.h>

/* NULL: *there says whether there is such a file, GetLastError() then why it cannot be loaded. */
void *fvsr_beside_open(const char *name, bool *there);

#endif
