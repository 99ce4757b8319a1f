/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The zip side of a PyTorch archive: it is opened through struct fvsr_file, and its entries are
 * read by name.
 */
#ifndef FVSR_MODEL_ARCHIVE_ZIP_H
#define FVSR_MODEL_ARCHIVE_ZIP_H

#include "model/file.h"

struct fvsr_zip;

/*
 * Opens the archive and checks every entry: stored, not encrypted, inside the one top folder, no
 * name twice, local and central headers alike, and together no larger than the file.
 */
int fvsr_zip_open(struct fvsr_zip **out, struct fvsr_file *file, struct fvsr_error *err);
void fvsr_zip_close(struct fvsr_zip *zip);
/* Returns the size of "NAME" in the top folder, or -1 when it is not there. */
int64_t fvsr_zip_size(const struct fvsr_zip *zip, const char *name);
/*
 * Reads a whole entry into 'buf', which has its size, and compares its checksum. 'done' and 'total'
 * are what progress (may be NULL) reports before this entry.
 */
int fvsr_zip_read(struct fvsr_zip *zip, const char *name, void *buf, size_t bytes,
		  const struct fvsr_progress *progress, uint64_t done, uint64_t total,
		  struct fvsr_error *err);

#endif
