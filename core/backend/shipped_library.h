/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opens the libraries that are shipped with us, on Windows and in the portable build for Linux.
 * They lie beside the module that this code is in and are opened by their full path, so that
 * neither another program's library is taken for ours nor ours for another program's.
 */
#ifndef FVSR_BACKEND_SHIPPED_LIBRARY_H
#define FVSR_BACKEND_SHIPPED_LIBRARY_H

#include <stdbool.h>

/*
 * Opens the library of that file name and returns its handle. Returns NULL when that fails; *there
 * then says whether there is such a file, and if so GetLastError(), or dlerror(), why it cannot be
 * loaded. On Linux a library stays loaded once it is opened.
 */
void *fvsr_shipped_library_open(const char *name, bool *there);

#endif
