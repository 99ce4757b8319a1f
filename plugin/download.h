/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One file from the network to the disk, on the calling thread, only because the user asked for it.
 * What there is of it from before is not fetched again, and nothing appears under its name that is
 * not of the expected content.
 */
#ifndef FLASHVSR_DOWNLOAD_H
#define FLASHVSR_DOWNLOAD_H

#include "fvsr/fvsr.h"

struct download {
	const char *url;
	const char *path;   /* "PATH.part" until it is complete */
	uint64_t bytes;     /* 0: not known */
	const char *sha256; /* 64 digits */
};

/* False in a build without libcurl; then download_file() says so. */
bool download_possible(void);

/*
 * 0, or an FVSR_ERR_* code and the reason. A connection that breaks is made again some times, as
 * long as it gets on; what was received stays for a later call, also after a cancellation.
 */
int download_file(const struct download *download, const struct fvsr_progress *progress,
		  struct fvsr_error *err);

#endif
