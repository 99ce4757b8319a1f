/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes a request: see transfer.h. It asks for the range that is missing. A server that knows no
 * ranges sends the whole file: then the part that is there already is skipped.
 */
/* CURLOPT_PROTOCOLS below is deprecated since 7.85. */
#define CURL_DISABLE_DEPRECATION
#include "models/transfer.h"

#include "system.h"

#include <util/dstr.h>

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int transfer_fail(struct fvsr_error *err, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return code;
}

#ifndef FVSR_WITH_CURL

bool transfer_possible(void)
{
	return false;
}

int transfer_run(struct transfer *transfer, struct fvsr_error *err)
{
	return transfer_fail(err, FVSR_ERR_UNSUPPORTED,
			     "this build cannot download; please get %s yourself",
			     transfer->download->url);
}

#else

#include <curl/curl.h>

#define REDIRECTS   10L
/*
 * Flushed that often, the end of the download never waits long for the disk, for that wait cannot
 * be interrupted.
 */
#define FLUSH_BYTES ((uint64_t)32 << 20)

#define NOT_SAID UINT64_MAX

struct request {
	struct transfer *transfer;
	struct fvsr_error *err;
	CURL *curl;
	char reason[CURL_ERROR_SIZE];
	/* Of the response: */
	uint64_t length;                  /* Content-Length */
	uint64_t range_from, range_whole; /* Content-Range */
	uint64_t skip;                    /* bytes of the body that are there already */
	uint64_t unflushed;
	bool begun; /* the response was looked at */
	int code;   /* what a callback ended the request for; 0: nothing */
};

bool transfer_possible(void)
{
	return true;
}

/* ---- what the server says ------------------------------------------------------------------ */

static uint64_t number(const char *text)
{
	return *text >= '0' && *text <= '9' ? strtoull(text, NULL, 10) : NOT_SAID;
}

/* Returns the seconds of a Retry-After, an hour at most. A date counts as none. */
static unsigned seconds(const char *text)
{
	const uint64_t value = number(text);

	return value == NOT_SAID ? 0 : value < 3600 ? (unsigned)value : 3600;
}

/* Returns the text behind "NAME: ", or NULL when the line is another header's. */
static const char *value_of(const char *line, const char *name)
{
	const size_t n = strlen(name);

	if (astrcmpi_n(line, name, n) != 0 || line[n] != ':')
		return NULL;
	return line + n + 1 + strspn(line + n + 1, " \t");
}

/* Reads a Content-Range: "bytes 100-199/200", with a star for what is not known. */
static void read_range(struct request *request, const char *value)
{
	const char *slash = strchr(value, '/');

	if (astrcmpi_n(value, "bytes ", 6) != 0 || !slash)
		return;
	request->range_from = number(value + 6);
	request->range_whole = number(slash + 1);
}

/*
 * Reads a line of the headers. Each response of a chain of redirects begins with its status line,
 * and the last response counts.
 */
static size_t note_header(char *data, size_t size, size_t count, void *opaque)
{
	struct request *request = opaque;
	const size_t bytes = size * count;
	const char *value;
	char line[128];

	snprintf(line, sizeof(line), "%.*s", (int)(bytes < sizeof(line) ? bytes : sizeof(line)),
		 data);
	if (astrcmpi_n(line, "HTTP/", 5) == 0)
		request->length = request->range_from = request->range_whole = NOT_SAID;
	else if ((value = value_of(line, "Content-Length")))
		request->length = number(value);
	else if ((value = value_of(line, "Content-Range")))
		read_range(request, value);
	else if ((value = value_of(line, "Retry-After")))
		request->transfer->asked_ms = seconds(value) * 1000;
	return bytes;
}

static int wrong_size(struct request *request, uint64_t size)
{
	const struct transfer *transfer = request->transfer;

	return transfer_fail(request->err, FVSR_ERR_FORMAT,
			     "%s: the server has %" PRIu64 " bytes where %" PRIu64 " are expected",
			     transfer->name, size, transfer->download->bytes);
}

static int begin_whole(struct request *request)
{
	if (request->length != NOT_SAID && request->length != request->transfer->download->bytes)
		return wrong_size(request, request->length);
	request->skip = request->transfer->have;
	return 0;
}

static int begin_rest(struct request *request)
{
	const struct transfer *transfer = request->transfer;

	if (request->range_whole != NOT_SAID && request->range_whole != transfer->download->bytes)
		return wrong_size(request, request->range_whole);
	if (request->range_from != transfer->have)
		return transfer_fail(
			request->err, FVSR_ERR_IO,
			"%s: the server sends another part than the one that is missing",
			transfer->name);
	return 0;
}

static int refused(struct request *request, long status)
{
	struct transfer *transfer = request->transfer;

	if (status == 416 && request->range_whole != NOT_SAID &&
	    request->range_whole != transfer->download->bytes)
		return wrong_size(request, request->range_whole);
	transfer_fail(request->err, FVSR_ERR_IO, "%s: the server answers with %ld", transfer->name,
		      status);
	transfer->no_such_range = status == 416 && transfer->have;
	/* Too slow, too early, too often; and what is wrong with a server may pass. */
	return transfer->no_such_range || status == 408 || status == 425 || status == 429 ||
			       status >= 500
		       ? FVSR_ERR_AGAIN
		       : FVSR_ERR_IO;
}

/* Looks at the response when all of its headers are there, before any of its body. */
static int begin(struct request *request)
{
	long status = 0;

	request->begun = true;
	curl_easy_getinfo(request->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200)
		return begin_whole(request);
	if (status == 206 && request->transfer->have)
		return begin_rest(request);
	return refused(request, status);
}

/* ---- the body ------------------------------------------------------------------------------ */

static int disk_failed(struct request *request)
{
	return transfer_fail(request->err, FVSR_ERR_IO, "%s.part cannot be written: %s",
			     request->transfer->download->path, strerror(errno));
}

static int write_bytes(struct request *request, const char *data, size_t bytes)
{
	struct transfer *transfer = request->transfer;

	if (bytes > transfer->download->bytes - transfer->have)
		return transfer_fail(request->err, FVSR_ERR_FORMAT,
				     "%s: the server sends more than the %" PRIu64
				     " bytes expected",
				     transfer->name, transfer->download->bytes);
	if (fwrite(data, 1, bytes, transfer->file) != bytes)
		return disk_failed(request);
	transfer->have += bytes;
	request->unflushed += bytes;
	if (request->unflushed < FLUSH_BYTES)
		return 0;
	request->unflushed = 0;
	return system_flush_file(transfer->file) ? 0 : disk_failed(request);
}

static size_t take_body(char *data, size_t size, size_t count, void *opaque)
{
	struct request *request = opaque;
	const size_t bytes = size * count;
	size_t skip;

	if (!request->begun)
		request->code = begin(request);
	if (request->code)
		return 0;
	skip = request->skip < bytes ? (size_t)request->skip : bytes;
	request->skip -= skip;
	request->code = write_bytes(request, data + skip, bytes - skip);
	return request->code ? 0 : bytes;
}

static int note_progress(void *opaque, curl_off_t total, curl_off_t now, curl_off_t up_total,
			 curl_off_t up_now)
{
	struct request *request = opaque;
	struct transfer *transfer = request->transfer;

	(void)total, (void)now, (void)up_total, (void)up_now;
	if (!transfer->go_on(transfer->opaque, transfer->have))
		request->code = transfer_fail(request->err, FVSR_ERR_CANCELLED, "cancelled");
	return request->code != 0;
}

/* ---- the request --------------------------------------------------------------------------- */

/*
 * Keeps libcurl to https, redirects included, and to hosts that prove who they are. The options
 * that take names instead of numbers came with 7.85 only; these are in every libcurl. A library
 * that refuses one of them is not used.
 */
static bool make_safe(CURL *curl, const struct download_rules *rules)
{
	const long https = CURLPROTO_HTTPS;

	if (rules->ca_file && curl_easy_setopt(curl, CURLOPT_CAINFO, rules->ca_file) != CURLE_OK)
		return false;
	return curl_easy_setopt(curl, CURLOPT_PROTOCOLS, https) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS, https) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK;
}

static void set_limits(CURL *curl, const struct transfer *transfer)
{
	const struct download_rules *rules = transfer->rules;

	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(curl, CURLOPT_MAXREDIRS, REDIRECTS);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, rules->connect_s);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, rules->slow_bytes);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, rules->slow_s);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)transfer->timeout_ms);
}

static void set_callbacks(CURL *curl, struct request *request)
{
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, request->reason);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, note_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, request);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, request);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, note_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, request);
}

/*
 * Says what is wanted. With CURLOPT_RESUME_FROM libcurl itself would refuse a server that knows no
 * ranges, hence CURLOPT_RANGE.
 */
static void set_address(CURL *curl, const struct transfer *transfer)
{
	char range[32];

	curl_easy_setopt(curl, CURLOPT_URL, transfer->download->url);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "obs-flashvsr");
	if (!transfer->have)
		return;
	snprintf(range, sizeof(range), "%" PRIu64 "-", transfer->have);
	curl_easy_setopt(curl, CURLOPT_RANGE, range);
}

/* ---- what came of it ----------------------------------------------------------------------- */

static int untrusted(struct request *request, const char *reason)
{
	return transfer_fail(request->err, FVSR_ERR_IO,
			     "%s: the server's certificate is not accepted: %s",
			     request->transfer->name, reason);
}

static int judge_failure(struct request *request, CURLcode code)
{
	const char *reason = request->reason[0] ? request->reason : curl_easy_strerror(code);

	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CRL_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
		return untrusted(request, reason);
	case CURLE_UNSUPPORTED_PROTOCOL:
		return transfer_fail(request->err, FVSR_ERR_IO,
				     "%s: the server leads away from https: %s",
				     request->transfer->name, reason);
	case CURLE_URL_MALFORMAT:
	case CURLE_TOO_MANY_REDIRECTS:
		return transfer_fail(request->err, FVSR_ERR_IO, "%s: %s", request->transfer->name,
				     reason);
	case CURLE_OUT_OF_MEMORY:
		return transfer_fail(request->err, FVSR_ERR_MEMORY, "out of memory");
	default:
		return transfer_fail(request->err, FVSR_ERR_AGAIN, "%s: %s",
				     request->transfer->name, reason);
	}
}

static int judge(struct request *request, CURLcode code)
{
	const struct transfer *transfer = request->transfer;

	if (request->code)
		return request->code;
	if (code != CURLE_OK)
		return judge_failure(request, code);
	if (!request->begun && (request->code = begin(request)) < 0)
		return request->code;
	if (transfer->have == transfer->download->bytes)
		return 0;
	return transfer_fail(request->err, FVSR_ERR_AGAIN,
			     "%s: the server sends %" PRIu64 " of %" PRIu64 " bytes and ends",
			     transfer->name, transfer->have, transfer->download->bytes);
}

int transfer_run(struct transfer *transfer, struct fvsr_error *err)
{
	struct request request = {.transfer = transfer,
				  .err = err,
				  .length = NOT_SAID,
				  .range_from = NOT_SAID,
				  .range_whole = NOT_SAID};
	int code;

	request.curl = curl_easy_init();
	if (!request.curl)
		return transfer_fail(err, FVSR_ERR_MEMORY, "out of memory");
	if (make_safe(request.curl, transfer->rules)) {
		set_address(request.curl, transfer);
		set_limits(request.curl, transfer);
		set_callbacks(request.curl, &request);
		code = judge(&request, curl_easy_perform(request.curl));
	} else {
		code = transfer_fail(err, FVSR_ERR_UNSUPPORTED,
				     "this libcurl cannot be kept to https");
	}
	curl_easy_cleanup(request.curl);
	return code;
}

#endif
