/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Downloads one file, on the calling thread, because the user asked for it. What is there of it
 * from before is not fetched again, nothing stands under the file's name but the expected content,
 * and no server keeps the download busy for ever.
 */
#ifndef FLASHVSR_DOWNLOAD_H
#define FLASHVSR_DOWNLOAD_H

#include "fvsr/fvsr.h"

/* How patient a download is. An attempt is one request. */
struct download_rules {
	unsigned attempts; /* so many in a row that each add less than 'step' bytes end the download
			    */
	uint64_t step;
	unsigned pause_ms;       /* before the next attempt; doubles while they are in vain */
	unsigned total_s;        /* for the whole file */
	long connect_s;          /* for a connection */
	long slow_bytes, slow_s; /* fewer bytes a second for so long end an attempt */
	const char *ca_file;     /* trusted instead of the system's certificates, for tests; NULL */
};

struct download {
	const char *url;                    /* https; redirects may lead to https only */
	const char *path;                   /* "PATH.part" until it is complete */
	uint64_t bytes;                     /* never 0 */
	const char *sha256;                 /* 64 lower-case digits */
	const struct download_rules *rules; /* NULL: the ones for users */
};

enum download_phase {
	DOWNLOAD_FETCHING = 1,
	DOWNLOAD_CHECKING, /* the SHA-256 of what is on the disk */
};

/* Called at least once a second, on the downloading thread. Return false to cancel. */
struct download_progress {
	bool (*report)(void *opaque, enum download_phase phase, uint64_t done, uint64_t total);
	void *opaque;
};

/* Returns false in a build without libcurl; then download_file() says so, too. */
bool download_possible(void);

/*
 * Returns 0 when the file stands under its name with the expected content, or an FVSR_ERR_* code
 * and the reason. A file that stood there before is checked, and replaced when it is another one.
 * A connection that breaks is made again as long as that gets on; what was received stays for a
 * later call, also after a cancellation.
 */
int download_file(const struct download *download, const struct download_progress *progress,
		  struct fvsr_error *err);

/* Returns the bytes that a call would not fetch, because the file or a part of it is there. */
uint64_t download_bytes_there(const struct download *download);

/* Returns true for 64 lower-case hexadecimal digits. */
bool download_sha256_valid(const char *text);
/* Returns true for an address that download_file() takes. */
bool download_url_valid(const char *url);

#endif
