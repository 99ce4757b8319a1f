/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Downloads a file: see download.h. It asks for what is missing, one request after the other
 * (transfer.c makes them), until all is there or the requests no longer get on; then it checks the
 * file and gives it its name.
 */
#include "models/download.h"

#include "system.h"
#include "models/transfer.h"

#include <util/bmem.h>
#include <util/dstr.h>
#include <util/platform.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PAUSE_MAX_MS 120000u
#define NAP_MS       20u /* between two looks at whether the user has cancelled */

/*
 * A day is long enough for a line of 0.6 Mbit/s. A server that is slower than 'slow_bytes' adds
 * less than a 'step' in 'slow_s', so such attempts are in vain.
 */
static const struct download_rules rules_for_users = {
	.attempts = 5,
	.step = 1u << 20,
	.pause_ms = 1000,
	.total_s = 24 * 60 * 60,
	.connect_s = 20,
	.slow_bytes = 10000,
	.slow_s = 30,
};

struct job {
	const struct download *download;
	const struct download_rules *rules;
	const struct download_progress *progress;
	struct fvsr_error *err;
	const char *part;
	uint64_t start_ns;
	uint64_t have;    /* bytes of the part */
	uint64_t counted; /* of them, before the attempts that were in vain */
	unsigned in_vain;
	bool mixed; /* the part holds bytes of several responses, or of an earlier call */
	bool started_over;
};

bool download_possible(void)
{
	return transfer_possible();
}

bool download_sha256_valid(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

bool download_url_valid(const char *url)
{
	return strncmp(url, "https://", 8) == 0 && url[8];
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static uint64_t size_of(const char *path)
{
	const int64_t bytes = os_get_file_size(path);

	return bytes > 0 ? (uint64_t)bytes : 0;
}

static int cannot_write(const struct job *job)
{
	return transfer_fail(job->err, FVSR_ERR_IO, "%s cannot be written: %s", job->part,
			     strerror(errno));
}

static int remove_file(const struct job *job, const char *path)
{
	return os_unlink(path) == 0
		       ? 0
		       : transfer_fail(job->err, FVSR_ERR_IO, "%s cannot be removed", path);
}

static bool report(const struct job *job, enum download_phase phase, uint64_t done)
{
	const struct download_progress *progress = job->progress;

	return !progress || !progress->report ||
	       progress->report(progress->opaque, phase, done, job->download->bytes);
}

/* ---- fetching ------------------------------------------------------------------------------ */

static bool report_fetching(void *opaque, uint64_t have)
{
	return report(opaque, DOWNLOAD_FETCHING, have);
}

static int pause_before_next(const struct job *job, unsigned asked_ms)
{
	const unsigned doublings = job->in_vain < 2 ? 0 : job->in_vain < 16 ? job->in_vain - 1 : 15;
	const uint64_t own_ms = (uint64_t)job->rules->pause_ms << doublings;
	uint64_t pause_ms = own_ms > asked_ms ? own_ms : asked_ms;

	for (pause_ms = pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS; pause_ms;) {
		const uint32_t nap_ms = pause_ms < NAP_MS ? (uint32_t)pause_ms : NAP_MS;

		if (!report(job, DOWNLOAD_FETCHING, job->have))
			return transfer_fail(job->err, FVSR_ERR_CANCELLED, "cancelled");
		os_sleep_ms(nap_ms);
		pause_ms -= nap_ms;
	}
	return 0;
}

static int give_up(const struct job *job, const char *why)
{
	char last[sizeof(job->err->text)];

	snprintf(last, sizeof(last), "%s", job->err->text);
	return transfer_fail(job->err, FVSR_ERR_IO, "%.380s (%s; click again to go on)", last, why);
}

/* Returns what is left of the time for the whole file. */
static unsigned left_ms(const struct job *job)
{
	const uint64_t whole_ms = (uint64_t)job->rules->total_s * 1000;
	const uint64_t gone_ms = (os_gettime_ns() - job->start_ns) / 1000000;

	return gone_ms < whole_ms ? (unsigned)(whole_ms - gone_ms) : 0;
}

/*
 * Throws away a part that does not belong to what the server has now. The second time it fails,
 * for then the server does not have the file that is wanted.
 */
static int start_over(struct job *job)
{
	if (job->started_over)
		return FVSR_ERR_FORMAT;
	job->started_over = true;
	job->mixed = false;
	job->have = job->counted = 0;
	job->in_vain = 0;
	return remove_file(job, job->part);
}

/*
 * Gives up, or waits until it is time for another attempt. An attempt is in vain unless the part is
 * a step longer than it ever was: a server that begins at 0 each time does not get on, however much
 * it sends.
 */
static int prepare_next(struct job *job, unsigned asked_ms)
{
	job->in_vain++;
	if (job->have >= job->counted + job->rules->step) {
		job->counted = job->have;
		job->in_vain = 0;
	}
	if (job->in_vain >= job->rules->attempts)
		return give_up(job, "given up after several attempts");
	return pause_before_next(job, asked_ms);
}

/* Makes one request for what follows the part. Returns 0 when the caller is to go on. */
static int attempt(struct job *job, unsigned timeout_ms)
{
	struct transfer transfer = {
		.download = job->download,
		.rules = job->rules,
		.name = base_name(job->download->path),
		.timeout_ms = timeout_ms,
		.have = job->have,
		.go_on = report_fetching,
		.opaque = job,
	};
	int code;

	transfer.file = os_fopen(job->part, "ab");
	if (!transfer.file)
		return cannot_write(job);
	code = transfer_run(&transfer, job->err);
	if (fclose(transfer.file) != 0 && (code == 0 || code == FVSR_ERR_AGAIN))
		code = cannot_write(job);
	job->mixed = job->mixed || (job->have && transfer.have > job->have);
	job->have = transfer.have;
	if (code != FVSR_ERR_AGAIN)
		return code;
	return transfer.no_such_range ? start_over(job) : prepare_next(job, transfer.asked_ms);
}

/* Fetches what the part lacks. Only check_part() finds out that it is another file's. */
static int fetch(struct job *job)
{
	int code = 0;

	job->have = job->counted = size_of(job->part);
	job->mixed = job->have > 0;
	while (code == 0 && job->have < job->download->bytes) {
		const unsigned timeout_ms = left_ms(job);

		if (!timeout_ms)
			return give_up(job, "it has taken too long");
		code = attempt(job, timeout_ms);
	}
	return code;
}

/* ---- checking ------------------------------------------------------------------------------ */

static bool report_checking(void *opaque, uint64_t done, uint64_t total, const char *what)
{
	(void)total, (void)what;
	return report(opaque, DOWNLOAD_CHECKING, done);
}

/* Returns 0, FVSR_ERR_FORMAT when it is another file, or why that cannot be found out. */
static int check(struct job *job, const char *path)
{
	const struct fvsr_progress progress = {report_checking, job};
	char sha256[65];
	int code;

	if (!report(job, DOWNLOAD_CHECKING, 0))
		return transfer_fail(job->err, FVSR_ERR_CANCELLED, "cancelled");
	code = fvsr_file_sha256(path, sha256, &progress, job->err);
	if (code < 0 || strcmp(sha256, job->download->sha256) == 0)
		return code;
	return transfer_fail(job->err, FVSR_ERR_FORMAT,
			     "%s is not the file that it should be (SHA-256 %s)",
			     base_name(job->download->path), sha256);
}

/* Returns 0 when nothing needs to be fetched, FVSR_ERR_AGAIN when everything does. */
static int check_earlier(struct job *job)
{
	const char *path = job->download->path;
	int code = FVSR_ERR_FORMAT;

	if (!os_file_exists(path))
		return FVSR_ERR_AGAIN;
	if (size_of(path) == job->download->bytes)
		code = check(job, path);
	if (code != FVSR_ERR_FORMAT)
		return code;
	code = remove_file(job, path);
	return code == 0 ? FVSR_ERR_AGAIN : code;
}

/*
 * Returns FVSR_ERR_AGAIN when all is to be fetched anew, because the server may have changed its
 * file since the part was begun. The hash shows that; an ETag would only show it earlier.
 */
static int check_part(struct job *job)
{
	int code = check(job, job->part);

	if (code != FVSR_ERR_FORMAT)
		return code;
	if (job->mixed && !job->started_over) {
		code = start_over(job);
		return code == 0 ? FVSR_ERR_AGAIN : code;
	}
	os_unlink(job->part);
	return code;
}

/* ---- all of it ----------------------------------------------------------------------------- */

static int fetch_and_check(struct job *job)
{
	int code;

	do {
		code = fetch(job);
		if (code == 0)
			code = check_part(job);
	} while (code == FVSR_ERR_AGAIN);
	return code;
}

/* Flushes the bytes before they get their name, which a crash could leave without them. */
static int put_in_place(const struct job *job)
{
	FILE *file = os_fopen(job->part, "ab");
	int code = 0;

	if (!file)
		return cannot_write(job);
	if (!system_flush_file(file))
		code = cannot_write(job);
	if (fclose(file) != 0 && code == 0)
		code = cannot_write(job);
	if (code < 0)
		return code;
	if (os_rename(job->part, job->download->path) != 0)
		return transfer_fail(job->err, FVSR_ERR_IO, "%s cannot be renamed", job->part);
	system_flush_folder_of(job->download->path);
	return 0;
}

static int run(struct job *job)
{
	int code = check_earlier(job);

	if (code != FVSR_ERR_AGAIN)
		return code;
	code = fetch_and_check(job);
	return code == 0 ? put_in_place(job) : code;
}

uint64_t download_bytes_there(const struct download *download)
{
	struct dstr part = {0};
	uint64_t bytes = size_of(download->path);

	dstr_printf(&part, "%s.part", download->path);
	if (bytes != download->bytes)
		bytes = size_of(part.array);
	dstr_free(&part);
	return bytes <= download->bytes ? bytes : 0;
}

int download_file(const struct download *download, const struct download_progress *progress,
		  struct fvsr_error *err)
{
	struct job job = {
		.download = download,
		.rules = download->rules ? download->rules : &rules_for_users,
		.progress = progress,
		.err = err,
		.start_ns = os_gettime_ns(),
	};
	struct dstr part = {0};
	int code;

	err->text[0] = 0;
	if (!download_url_valid(download->url) || !download_sha256_valid(download->sha256) ||
	    !download->bytes)
		return transfer_fail(err, FVSR_ERR_ARGUMENT,
				     "%s: an https address, a size and a SHA-256 are needed",
				     base_name(download->path));
	dstr_printf(&part, "%s.part", download->path);
	job.part = part.array;
	code = run(&job);
	if (code == 0)
		err->text[0] = 0; /* of an attempt in vain */
	dstr_free(&part);
	return code;
}
