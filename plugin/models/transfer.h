/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes one request for the rest of a file, through libcurl. What the server says is compared with
 * what is expected before a byte is written, and a failure that may pass is told from one that
 * stays.
 */
#ifndef FLASHVSR_TRANSFER_H
#define FLASHVSR_TRANSFER_H

#include "models/download.h"

#include <stdio.h>

struct transfer {
	const struct download *download;
	const struct download_rules *rules;
	const char *name;    /* the file's, for messages */
	unsigned timeout_ms; /* for the whole request */
	FILE *file;          /* stands at its end, which is where the rest belongs */
	uint64_t have;       /* bytes in the file; goes up with it */
	/* Called at least once a second. Return false to cancel. */
	bool (*go_on)(void *opaque, uint64_t have);
	void *opaque;
	/* Out: */
	bool no_such_range; /* the server has no rest of what is there */
	unsigned asked_ms;  /* how long the server asks to wait before the next request */
};

/* False in a build without libcurl. */
bool transfer_possible(void);

/*
 * Returns 0 when all bytes are in the file, FVSR_ERR_AGAIN when another request may get on, another
 * FVSR_ERR_* code when none will; with the reason. The bytes in the file count always.
 */
int transfer_run(struct transfer *transfer, struct fvsr_error *err);

/* Writes the reason and returns 'code', so that callers can return it. */
int transfer_fail(struct fvsr_error *err, int code, const char *format, ...);

#endif
