/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Downloading: see download.h. HTTP ranges continue where the last attempt ended; a server that
 * knows none sends everything again, which replaces what there was.
 */
#include "download.h"

#include <util/bmem.h>
#include <util/dstr.h>
#include <util/platform.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int fail(struct fvsr_error *err, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return code;
}

#ifndef FVSR_WITH_CURL

bool download_possible(void)
{
	return false;
}

int download_file(const struct download *download, const struct fvsr_progress *progress,
		  struct fvsr_error *err)
{
	(void)progress;
	return fail(err, FVSR_ERR_UNSUPPORTED, "this build cannot download; please get %s yourself",
		    download->url);
}

#else

#include <curl/curl.h>

#define ATTEMPTS  5 /* without getting on */
#define CONNECT_S 20L
#define STALL_S   30L
#define REDIRECTS 10L
#define PAUSE_MS  500

struct transfer {
	const struct download *download;
	const struct fvsr_progress *progress;
	CURL *curl;
	FILE *file;
	uint64_t have; /* bytes in the file */
	bool cancelled, too_long, disk_failed;
};

bool download_possible(void)
{
	return true;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static size_t write_data(char *data, size_t size, size_t count, void *opaque)
{
	struct transfer *transfer = opaque;
	const uint64_t limit = transfer->download->bytes;

	if (limit && transfer->have + size * count > limit) {
		transfer->too_long = true;
		return 0;
	}
	if (fwrite(data, size, count, transfer->file) != count) {
		transfer->disk_failed = true;
		return 0;
	}
	transfer->have += size * count;
	return size * count;
}

static int note_progress(void *opaque, curl_off_t total, curl_off_t now, curl_off_t up_total,
			 curl_off_t up_now)
{
	struct transfer *transfer = opaque;
	const struct fvsr_progress *progress = transfer->progress;

	(void)total, (void)now, (void)up_total, (void)up_now;
	transfer->cancelled =
		progress && progress->report &&
		!progress->report(progress->opaque, transfer->have, transfer->download->bytes,
				  base_name(transfer->download->path));
	return transfer->cancelled;
}

/* Nothing but the web; and from an encrypted address to encrypted ones only. */
static const char *protocols(const char *url)
{
	return strncmp(url, "http://", 7) == 0 ? "http,https" : "https";
}

static CURL *make_request(struct transfer *transfer)
{
	CURL *curl = curl_easy_init();
	const char *url = transfer->download->url;

	if (!curl)
		return NULL;
	curl_easy_setopt(curl, CURLOPT_URL, url);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, protocols(url));
	curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, protocols(url));
#endif
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(curl, CURLOPT_MAXREDIRS, REDIRECTS);
	curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, STALL_S);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "obs-flashvsr");
	curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)transfer->have);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, write_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, note_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
	return curl;
}

/* What cannot get better by trying again. */
static bool final(CURLcode code, long status)
{
	return code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT ||
	       code == CURLE_TOO_MANY_REDIRECTS ||
	       (code == CURLE_HTTP_RETURNED_ERROR && status >= 400 && status < 500 &&
		status != 408 && status != 429 && status != 416);
}

/* FVSR_ERR_AGAIN: another attempt may get on. */
static int attempt(struct transfer *transfer, const char *part, struct fvsr_error *err)
{
	long status = 0;
	CURLcode code;

	transfer->file = os_fopen(part, "ab");
	if (!transfer->file)
		return fail(err, FVSR_ERR_IO, "%s cannot be written: %s", part, strerror(errno));
	transfer->curl = make_request(transfer);
	if (!transfer->curl) {
		fclose(transfer->file);
		return fail(err, FVSR_ERR_MEMORY, "out of memory");
	}
	code = curl_easy_perform(transfer->curl);
	curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(transfer->curl);
	if (fclose(transfer->file) != 0)
		transfer->disk_failed = true;
	if (transfer->cancelled)
		return fail(err, FVSR_ERR_CANCELLED, "cancelled");
	if (transfer->disk_failed)
		return fail(err, FVSR_ERR_IO, "%s cannot be written: is the disk full?", part);
	if (transfer->too_long)
		return fail(err, FVSR_ERR_FORMAT, "%s is longer than it should be",
			    base_name(transfer->download->path));
	if (code == CURLE_OK)
		return 0;
	fail(err, FVSR_ERR_IO, "%s: %s", base_name(transfer->download->path),
	     curl_easy_strerror(code));
	if (code == CURLE_HTTP_RETURNED_ERROR)
		fail(err, FVSR_ERR_IO, "%s: the server answers with %ld",
		     base_name(transfer->download->path), status);
	/* The server knows no ranges, or what is there is not the beginning of what it has. */
	if (code == CURLE_RANGE_ERROR || status == 416)
		os_unlink(part);
	return final(code, status) ? FVSR_ERR_IO : FVSR_ERR_AGAIN;
}

static uint64_t size_of(const char *path)
{
	const int64_t bytes = os_get_file_size(path);

	return bytes > 0 ? (uint64_t)bytes : 0;
}

static int fetch(const struct download *download, const char *part,
		 const struct fvsr_progress *progress, struct fvsr_error *err)
{
	int code = FVSR_ERR_AGAIN;

	for (int in_vain = 0; in_vain < ATTEMPTS && code == FVSR_ERR_AGAIN;) {
		struct transfer transfer = {
			.download = download, .progress = progress, .have = size_of(part)};
		const uint64_t before = transfer.have;

		if (download->bytes && transfer.have >= download->bytes)
			return 0;
		if (in_vain)
			os_sleep_ms(PAUSE_MS);
		code = attempt(&transfer, part, err);
		in_vain = transfer.have > before ? 0 : in_vain + 1;
		if (code == 0 && download->bytes && transfer.have < download->bytes)
			code = FVSR_ERR_AGAIN;
	}
	return code == FVSR_ERR_AGAIN ? FVSR_ERR_IO : code;
}

static int check(const struct download *download, const char *part,
		 const struct fvsr_progress *progress, struct fvsr_error *err)
{
	char sha256[65];
	int code = fvsr_file_sha256(part, sha256, progress, err);

	if (code < 0)
		return code;
	if (strcmp(sha256, download->sha256) == 0)
		return 0;
	os_unlink(part);
	return fail(err, FVSR_ERR_FORMAT, "%s is not the file that it should be (SHA-256 %s)",
		    base_name(download->path), sha256);
}

int download_file(const struct download *download, const struct fvsr_progress *progress,
		  struct fvsr_error *err)
{
	struct dstr part = {0};
	int code;

	err->text[0] = 0;
	if (os_file_exists(download->path))
		return 0; /* it was checked before it got this name */
	dstr_printf(&part, "%s.part", download->path);
	code = fetch(download, part.array, progress, err);
	if (code == 0)
		code = check(download, part.array, progress, err);
	if (code == 0 && os_rename(part.array, download->path) != 0)
		code = fail(err, FVSR_ERR_IO, "%s cannot be renamed", part.array);
	dstr_free(&part);
	return code;
}

#endif
