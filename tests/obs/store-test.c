/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Getting a model from a real web server on this machine, one that fails in the ways that servers
 * do, and importing it: what is in the end on the disk is right or not there.
 *
 *	store-test WORK_FOLDER released			makes the files that the servers give
 *	store-test WORK_FOLDER LOG CA LIST PORT...	the test; LOG is the servers', CA the file
 *of the certificate that makes them trusted, LIST the shipped one, each PORT a server
 */
#include "check.h"
#include "models/download.h"
#include "models/store.h"

#include "../unit/released.h"
#include "model/directory.h"

#include <util/bmem.h>
#include <util/platform.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* In the order of range-server.py. */
enum server { SERVER_RIGHT, SERVER_NAME, SERVER_STRANGER, SERVER_EXPIRED, SERVER_PLAIN, SERVERS };

#define ATTEMPTS 3 /* of each test's downloads, that get nowhere */

struct test {
	const char *work, *log, *list;
	const char *ports[SERVERS];
	struct download_rules rules;
	struct model_list_file file; /* the largest */
};

/* Valid until the eighth call from now. */
static const char *path_in(const char *folder, const char *name)
{
	static char *paths[8];
	static unsigned next;
	char **path = &paths[next++ % 8];

	free(*path);
	if (asprintf(path, "%s/%s", folder, name) < 0)
		abort();
	return *path;
}

/* How many of the server's log lines contain 'text'. */
static int logged(const struct test *test, const char *text)
{
	char line[512];
	FILE *file = fopen(test->log, "r");
	int count = 0;

	while (file && fgets(line, sizeof(line), file))
		count += strstr(line, text) != NULL;
	if (file)
		fclose(file);
	return count;
}

static void forget_log(const struct test *test)
{
	FILE *file = fopen(test->log, "w");

	if (file)
		fclose(file);
}

static void describe_at(struct model_list_file *file, const struct test *test, enum server server,
			const char *kind, const char *name)
{
	const char *path = path_in(path_in(test->work, "released"), name);
	struct fvsr_error err;

	memset(file, 0, sizeof(*file));
	snprintf(file->name, sizeof(file->name), "%s", name);
	snprintf(file->url, sizeof(file->url), "https://127.0.0.1:%s/%s/%s", test->ports[server],
		 kind, name);
	file->bytes = (uint64_t)os_get_file_size(path);
	CHECK(fvsr_file_sha256(path, file->sha256, NULL, &err) == 0, "%s", err.text);
}

static void describe(struct model_list_file *file, const struct test *test, const char *kind,
		     const char *name)
{
	describe_at(file, test, SERVER_RIGHT, kind, name);
}

static int fetch_file(const struct test *test, const struct model_list_file *file,
		      const struct download_progress *progress, struct fvsr_error *err)
{
	const struct download download = {file->url, path_in(test->work, "fetched"), file->bytes,
					  file->sha256, &test->rules};

	return download_file(&download, progress, err);
}

static int fetch(const struct test *test, const char *kind,
		 const struct download_progress *progress, struct fvsr_error *err)
{
	struct model_list_file file;

	describe(&file, test, kind, test->file.name);
	return fetch_file(test, &file, progress, err);
}

static bool there(const struct test *test, const char *name)
{
	return os_file_exists(path_in(test->work, name));
}

static void clean(const struct test *test)
{
	os_unlink(path_in(test->work, "fetched"));
	os_unlink(path_in(test->work, "fetched.part"));
	forget_log(test);
}

/* Ends a download that does not end by itself: it fails the test, but does not hang it. */
static bool until_deadline(void *opaque, enum download_phase phase, uint64_t done, uint64_t total)
{
	(void)phase, (void)done, (void)total;
	return os_gettime_ns() < *(const uint64_t *)opaque;
}

struct server_case {
	enum server server;
	const char *kind;
	int code;
	const char *reason;
	int requests; /* at most; -1: any number */
};

static void test_server(const struct test *test, const struct server_case *c)
{
	uint64_t deadline_ns = os_gettime_ns() + 20000000000ULL;
	const struct download_progress progress = {until_deadline, &deadline_ns};
	struct model_list_file file;
	struct fvsr_error err;
	int code, requests;

	clean(test);
	describe_at(&file, test, c->server, c->kind, test->file.name);
	code = fetch_file(test, &file, &progress, &err);
	requests = logged(test, test->file.name);
	printf("%-10s %2d requests, %3d %s\n", c->kind, requests, code, err.text);
	CHECK(code == c->code, "%s: %d, %s", c->kind, code, err.text);
	CHECK(there(test, "fetched") == (code == 0), "%s: the file", c->kind);
	CHECK(code == 0 || strstr(err.text, c->reason), "%s: %s", c->kind, err.text);
	CHECK(c->requests < 0 || requests <= c->requests, "%s: %d requests", c->kind, requests);
	CHECK(logged(test, "connection") <= (requests ? requests : 1), "%s: %d connections",
	      c->kind, logged(test, "connection"));
	CHECK(logged(test, "connection plain") == 0, "%s: a connection without TLS", c->kind);
}

/* Each row says how often a kind of server may be asked, and what must come of it. */
static void test_servers(const struct test *test)
{
	static const struct server_case cases[] = {
		{SERVER_RIGHT, "ok", 0, "", 1},
		{SERVER_RIGHT, "norange", 0, "", 1},
		{SERVER_RIGHT, "drop", 0, "", -1},
		{SERVER_RIGHT, "moved", 0, "", 2},
		{SERVER_RIGHT, "busy", 0, "", 3},
		/* It gets on once, from nothing to a third of the file, and then never again. */
		{SERVER_RIGHT, "dropwhole", FVSR_ERR_IO, "several attempts", 1 + ATTEMPTS},
		{SERVER_RIGHT, "crumbs", FVSR_ERR_IO, "several attempts", ATTEMPTS},
		{SERVER_RIGHT, "down", FVSR_ERR_IO, "503", ATTEMPTS},
		{SERVER_RIGHT, "empty", FVSR_ERR_FORMAT, "has 0 bytes", 1},
		{SERVER_RIGHT, "short", FVSR_ERR_FORMAT, "are expected", 1},
		{SERVER_RIGHT, "shorter", FVSR_ERR_FORMAT, "are expected", 2},
		{SERVER_RIGHT, "long", FVSR_ERR_FORMAT, "are expected", 1},
		{SERVER_RIGHT, "longer", FVSR_ERR_FORMAT, "sends more", 1},
		{SERVER_RIGHT, "wrong", FVSR_ERR_FORMAT, "SHA-256", 1},
		{SERVER_RIGHT, "changed", 0, "", -1},
		{SERVER_RIGHT, "changing", FVSR_ERR_FORMAT, "SHA-256", 40},
		{SERVER_RIGHT, "gone", FVSR_ERR_IO, "404", 1},
		{SERVER_RIGHT, "forbidden", FVSR_ERR_IO, "403", 1},
		{SERVER_RIGHT, "loop", FVSR_ERR_IO, "redirects", 11},
		{SERVER_RIGHT, "tohttp", FVSR_ERR_IO, "away from https", 1},
		{SERVER_RIGHT, "tofile", FVSR_ERR_IO, "away from https", 1},
		{SERVER_NAME, "ok", FVSR_ERR_IO, "certificate", 0},
		{SERVER_STRANGER, "ok", FVSR_ERR_IO, "certificate", 0},
		{SERVER_EXPIRED, "ok", FVSR_ERR_IO, "certificate", 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		test_server(test, &cases[i]);
	clean(test);
}

static int fetch_patiently(const struct test *test, const struct download_rules *rules,
			   const char *kind, uint64_t patience_ms, struct fvsr_error *err)
{
	uint64_t deadline_ns = os_gettime_ns() + patience_ms * 1000000;
	const struct download_progress progress = {until_deadline, &deadline_ns};
	struct test other = *test;

	other.rules = *rules;
	return fetch(&other, kind, &progress, err);
}

/* A server may be slower than is worth waiting for, or the time for the whole may be over. */
static void test_slow(const struct test *test)
{
	struct download_rules rules = test->rules;
	struct fvsr_error err;

	clean(test);
	rules.slow_s = 1;
	rules.attempts = 2;
	CHECK(fetch_patiently(test, &rules, "drip", 30000, &err) == FVSR_ERR_IO &&
		      strstr(err.text, "several attempts"),
	      "drip: %s", err.text);
	CHECK(logged(test, "drip") == 2, "drip: %d requests", logged(test, "drip"));

	clean(test);
	rules = test->rules;
	rules.total_s = 2;
	CHECK(fetch_patiently(test, &rules, "drip", 20000, &err) == FVSR_ERR_IO &&
		      strstr(err.text, "too long"),
	      "too long: %s", err.text);
	CHECK(logged(test, "drip") == 1, "too long: %d requests", logged(test, "drip"));
	CHECK(there(test, "fetched.part"), "what was received is gone");
	clean(test);
}

static void test_asked_to_wait(const struct test *test)
{
	const uint64_t start_ns = os_gettime_ns();
	struct fvsr_error err;

	clean(test);
	CHECK(fetch(test, "later", NULL, &err) == 0, "%s", err.text);
	CHECK(os_gettime_ns() - start_ns >= 1000000000ULL, "asked again too early");
	CHECK(logged(test, "later") == 2, "%d requests", logged(test, "later"));
	clean(test);
}

/* The pauses are a tenth of a second, two tenths and four tenths. */
static void test_back_off(const struct test *test)
{
	const uint64_t start_ns = os_gettime_ns();
	struct download_rules rules = test->rules;
	struct fvsr_error err;

	clean(test);
	rules.attempts = 4;
	rules.pause_ms = 100;
	CHECK(fetch_patiently(test, &rules, "down", 20000, &err) == FVSR_ERR_IO, "%s", err.text);
	CHECK(logged(test, "down") == 4, "%d requests", logged(test, "down"));
	CHECK(os_gettime_ns() - start_ns >= 700000000ULL, "asked again too early");
}

/* Other protocols, and files of which nobody knows what they should be, are never asked for. */
static void test_refusals(const struct test *test)
{
	struct model_list_file files[6];
	struct fvsr_error err;

	clean(test);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		describe(&files[i], test, "ok", test->file.name);
	snprintf(files[0].url, sizeof(files[0].url), "http://127.0.0.1:%s/ok/%s",
		 test->ports[SERVER_PLAIN], test->file.name);
	snprintf(files[1].url, sizeof(files[1].url), "file://%s/released/%s", test->work,
		 test->file.name);
	files[2].sha256[0] = 0;
	files[3].sha256[63] = 0;
	files[4].sha256[0] = 'X';
	files[5].bytes = 0;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		CHECK(fetch_file(test, &files[i], NULL, &err) == FVSR_ERR_ARGUMENT, "%zu: %s", i,
		      err.text);
		CHECK(!there(test, "fetched"), "%zu: the file", i);
	}
	CHECK(logged(test, "connection") == 0, "%d connections", logged(test, "connection"));
}

/* ---- what is there already ----------------------------------------------------------------- */

/* Writes 'bytes' of the right file, then 'rubbish' bytes of another. */
static void put_file(const struct test *test, const char *name, uint64_t bytes, uint64_t rubbish)
{
	const char *released = path_in(path_in(test->work, "released"), test->file.name);
	char *data = malloc(test->file.bytes);
	FILE *from = fopen(released, "rb"), *to = fopen(path_in(test->work, name), "wb");

	CHECK(from && fread(data, 1, bytes, from) == bytes, "%s cannot be read", released);
	CHECK(to && fwrite(data, 1, bytes, to) == bytes, "%s cannot be written", name);
	for (uint64_t i = 0; i < rubbish; i++)
		fputc('x', to);
	fclose(to);
	fclose(from);
	free(data);
}

/* The rest is fetched, and only that; another file's part is thrown away. */
static void test_resume(const struct test *test)
{
	const uint64_t whole = test->file.bytes;
	const struct {
		const char *kind;
		uint64_t bytes, rubbish; /* of the part */
		int code, rests, wholes; /* requests of the rest and of the whole */
	} cases[] = {
		{"ok", 5000, 0, 0, 1, 0},           {"norange", 5000, 0, 0, 1, 0},
		{"refuse", 5000, 0, 0, 1, 1},       {"other", 5000, 0, FVSR_ERR_IO, 1, 0},
		{"ok", whole, 0, 0, 0, 0},          {"ok", 0, whole - 1, 0, 1, 1},
		{"norange", 0, whole - 1, 0, 1, 1}, {"ok", 0, whole, 0, 0, 1},
		{"ok", 0, whole + 1, 0, 0, 1},      {"wrong", 0, whole - 1, FVSR_ERR_FORMAT, 1, 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fvsr_error err;
		int code;

		clean(test);
		put_file(test, "fetched.part", cases[i].bytes, cases[i].rubbish);
		code = fetch(test, cases[i].kind, NULL, &err);
		CHECK(code == cases[i].code, "%zu, %s: %d, %s", i, cases[i].kind, code, err.text);
		CHECK(logged(test, "bytes=") == cases[i].rests, "%zu, %s: %d requests of the rest",
		      i, cases[i].kind, logged(test, "bytes="));
		CHECK(logged(test, " -") == cases[i].wholes, "%zu, %s: %d requests of the whole", i,
		      cases[i].kind, logged(test, " -"));
		CHECK(there(test, "fetched") == (code == 0), "%zu, %s: the file", i, cases[i].kind);
	}
	clean(test);
}

static bool note_phase(void *opaque, enum download_phase phase, uint64_t done, uint64_t total)
{
	(void)done, (void)total;
	*(unsigned *)opaque |= 1u << phase;
	return true;
}

/* A file under its final name is believed only after a look at all of it. */
static void test_earlier(const struct test *test)
{
	const uint64_t whole = test->file.bytes;
	const struct {
		uint64_t bytes, rubbish;
		int requests;
	} cases[] = {{0, 0, 1}, {whole - 1, 1, 1}, {whole - 1, 0, 1}, {whole, 1, 1}, {whole, 0, 0}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		unsigned phases = 0;
		const struct download_progress progress = {note_phase, &phases};
		struct fvsr_error err;
		char sha256[65];

		clean(test);
		put_file(test, "fetched", cases[i].bytes, cases[i].rubbish);
		CHECK(fetch(test, "ok", &progress, &err) == 0, "%zu: %s", i, err.text);
		CHECK(fvsr_file_sha256(path_in(test->work, "fetched"), sha256, NULL, &err) == 0 &&
			      strcmp(sha256, test->file.sha256) == 0,
		      "%zu: the file is another one", i);
		CHECK(logged(test, "ok") == cases[i].requests, "%zu: %d requests", i,
		      logged(test, "ok"));
		CHECK(phases & 1u << DOWNLOAD_CHECKING, "%zu: nobody says that it is checked", i);
	}
	clean(test);
}

/* ---- the disk ------------------------------------------------------------------------------ */

/* What was flushed, and whether the file had its name at that moment. */
static struct {
	const struct test *test;
	bool fail;
	int parts, parts_late;
	int folders, folders_early;
} flushes;

int __real_fsync(int handle);
int __wrap_fsync(int handle);

static bool is_file(int handle, const char *path)
{
	struct stat a, b;

	return fstat(handle, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

int __wrap_fsync(int handle)
{
	const struct test *test = flushes.test;

	if (test && is_file(handle, test->work)) {
		flushes.folders++;
		flushes.folders_early += !there(test, "fetched");
	} else if (test) {
		flushes.parts += is_file(handle, path_in(test->work, "fetched.part"));
		flushes.parts_late += there(test, "fetched");
	}
	if (!flushes.fail)
		return __real_fsync(handle);
	errno = EIO;
	return -1;
}

/* The bytes are on the disk before they get their name, and the name is before that is reported. */
static void test_flush(const struct test *test)
{
	struct fvsr_error err;

	for (int complete = 0; complete < 2; complete++) {
		clean(test);
		memset(&flushes, 0, sizeof(flushes));
		flushes.test = test;
		if (complete)
			put_file(test, "fetched.part", test->file.bytes, 0);
		CHECK(fetch(test, "ok", NULL, &err) == 0, "%s", err.text);
		CHECK(flushes.parts > 0 && !flushes.parts_late, "the file was not flushed in time");
		CHECK(flushes.folders > 0 && !flushes.folders_early, "its folder was not flushed");
	}
	clean(test);
	flushes.fail = true;
	CHECK(fetch(test, "ok", NULL, &err) == FVSR_ERR_IO, "a broken disk: %s", err.text);
	CHECK(!there(test, "fetched"), "a name for what is not on the disk");
	memset(&flushes, 0, sizeof(flushes));
	clean(test);
}

static void test_full_disk(const struct test *test)
{
	struct rlimit limit, small;
	struct fvsr_error err;

	clean(test);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	small = (struct rlimit){20000, limit.rlim_max};
	setrlimit(RLIMIT_FSIZE, &small);
	CHECK(fetch(test, "ok", NULL, &err) == FVSR_ERR_IO, "%s", err.text);
	setrlimit(RLIMIT_FSIZE, &limit);
	CHECK(strstr(err.text, "fetched.part") && strstr(err.text, strerror(EFBIG)), "%s",
	      err.text);
	CHECK(logged(test, "ok") == 1, "%d requests for a full disk", logged(test, "ok"));
	CHECK(!there(test, "fetched"), "a part under the whole's name");
	CHECK(fetch(test, "ok", NULL, &err) == 0, "not continued: %s", err.text);
	CHECK(logged(test, "bytes=20000-") == 1, "it began anew");

	clean(test);
	if (access("/dev/full", W_OK) == 0 &&
	    symlink("/dev/full", path_in(test->work, "fetched.part")) == 0) {
		CHECK(fetch(test, "ok", NULL, &err) == FVSR_ERR_IO, "%s", err.text);
		CHECK(strstr(err.text, strerror(ENOSPC)), "%s", err.text);
	}
	clean(test);
}

/* ---- cancelling ---------------------------------------------------------------------------- */

struct impatience {
	const struct test *test;
	const char *kind;
	uint64_t deadline_ns; /* 0: the server was not asked yet */
};

/* Cancels a third of a second after the server was asked. */
static bool stop_soon(void *opaque, enum download_phase phase, uint64_t done, uint64_t total)
{
	struct impatience *impatience = opaque;

	(void)phase, (void)done, (void)total;
	if (!impatience->deadline_ns && logged(impatience->test, impatience->kind))
		impatience->deadline_ns = os_gettime_ns() + 333000000;
	return !impatience->deadline_ns || os_gettime_ns() < impatience->deadline_ns;
}

/* The user cancels while the server says nothing, or between two attempts. */
static void test_cancel_waiting(const struct test *test, const char *kind)
{
	struct impatience impatience = {test, kind, 0};
	const struct download_progress progress = {stop_soon, &impatience};
	struct test other = *test;
	struct fvsr_error err;

	clean(test);
	other.rules.pause_ms = 60000;
	CHECK(fetch(&other, kind, &progress, &err) == FVSR_ERR_CANCELLED, "%s: %s", kind, err.text);
	CHECK(os_gettime_ns() - impatience.deadline_ns < 3000000000ULL, "%s: cancelling takes long",
	      kind);
	CHECK(logged(test, kind) == 1, "%s: %d requests", kind, logged(test, kind));
	clean(test);
}

static bool stop_after(void *opaque, enum download_phase phase, uint64_t done, uint64_t total)
{
	(void)phase, (void)total;
	return done < *(uint64_t *)opaque;
}

static void test_cancel(const struct test *test)
{
	uint64_t limit = 20000;
	const struct download_progress progress = {stop_after, &limit};
	const uint64_t start_ns = os_gettime_ns();
	struct fvsr_error err;
	int64_t kept;

	clean(test);
	CHECK(fetch(test, "slow", &progress, &err) == FVSR_ERR_CANCELLED, "%s", err.text);
	CHECK(os_gettime_ns() - start_ns < 3000000000ULL, "cancelling takes long");
	kept = os_get_file_size(path_in(test->work, "fetched.part"));
	CHECK(kept >= (int64_t)limit && kept < (int64_t)test->file.bytes, "%lld bytes kept",
	      (long long)kept);
	CHECK(!there(test, "fetched"), "a part under the whole's name");
	CHECK(fetch(test, "ok", NULL, &err) == 0, "%s", err.text);
	CHECK(logged(test, "ok") == 1 && logged(test, "bytes=") == 1, "it began anew");

	test_cancel_waiting(test, "stall");
	test_cancel_waiting(test, "down");
}

/* ---- the store ----------------------------------------------------------------------------- */

static struct model_store *open_store(const struct test *test, const char *kind, char *folder)
{
	struct model_list list = {.name = "Test", .packed = "packed.safetensors"};

	for (unsigned i = 0; i < RELEASED_PARTS; i++)
		describe(&list.files[list.count++], test, kind, released_files[i]);
	describe(&list.files[list.count++], test, kind, "config.json");
	snprintf(folder, 1280, "%s", path_in(test->work, "config/models"));
	return model_store_create(folder, &list, &test->rules);
}

static struct model_store_status wait_store(struct model_store *store)
{
	struct model_store_status status;

	for (int i = 0; i < 3000; i++) {
		model_store_get(store, &status);
		if (!model_store_busy(&status))
			break;
		os_sleep_ms(10);
	}
	return status;
}

static void expect_model(const char *packed)
{
	struct fvsr_error err = {""};
	fvsr_model *model = NULL;

	CHECK(fvsr_model_open(&model, packed, NULL, &err) == 0, "%s", err.text);
	fvsr_model_unref(model);
	os_unlink(packed);
}

static void test_store(const struct test *test)
{
	struct model_store_status status;
	struct model_store *store;
	char folder[1280];

	store = open_store(test, "drop", folder);
	model_store_get(store, &status);
	CHECK(status.state == STORE_IDLE, "not idle before anybody clicked");
	CHECK(logged(test, "") == 0, "%d requests that nobody asked for", logged(test, ""));
	CHECK(model_store_download(store), "no start");
	CHECK(!model_store_download(store), "twice at once");
	status = wait_store(store);
	CHECK(status.state == STORE_DONE, "state %d: %s", status.state, status.reason);
	CHECK(!os_file_exists(path_in(folder, released_files[0])), "the downloads are left");
	expect_model(status.packed);
	model_store_destroy(store);

	store = open_store(test, "slow", folder);
	CHECK(model_store_download(store), "no start");
	os_sleep_ms(300);
	model_store_cancel(store);
	status = wait_store(store);
	CHECK(status.state == STORE_CANCELLED, "state %d", status.state);
	CHECK(model_store_download(store), "no second start");
	model_store_destroy(store); /* while it is busy */

	store = open_store(test, "gone", folder);
	CHECK(model_store_download(store), "no start");
	status = wait_store(store);
	CHECK(status.state == STORE_FAILED && strstr(status.reason, "404"), "%s", status.reason);
	CHECK(!model_store_import(store, ""), "an import from nowhere");
	CHECK(model_store_import(store, path_in(test->work, "released")), "no import");
	status = wait_store(store);
	CHECK(status.state == STORE_DONE, "state %d: %s", status.state, status.reason);
	CHECK(os_file_exists(path_in(path_in(test->work, "released"), released_files[0])),
	      "the user's files are gone");
	expect_model(status.packed);
	CHECK(model_store_import(store, path_in(test->work, "nothing")), "no import");
	status = wait_store(store);
	CHECK(status.state == STORE_FAILED && status.reason[0], "state %d", status.state);
	model_store_destroy(store);
}

static void make_sparse(const char *path, uint64_t bytes)
{
	FILE *file = fopen(path, "wb");

	CHECK(file && ftruncate(fileno(file), (off_t)bytes) == 0, "%s", path);
	fclose(file);
}

/* A check of much data, as after a download that was interrupted, does not keep OBS from ending. */
static void test_interrupted_check(const struct test *test)
{
	struct model_list list = {.packed = "packed.safetensors", .count = 1};
	const char *folder = path_in(test->work, "check");
	struct model_store_status status = {.state = STORE_IDLE};
	struct model_store *store;
	uint64_t start_ns;

	describe(&list.files[0], test, "ok", test->file.name);
	list.files[0].bytes = (uint64_t)2 << 30;
	os_mkdirs(folder);
	make_sparse(path_in(folder, list.files[0].name), list.files[0].bytes);
	store = model_store_create(folder, &list, &test->rules);
	CHECK(model_store_download(store), "no start");
	for (int i = 0; i < 10000 && status.state != STORE_CHECKING; i++) {
		os_sleep_ms(1);
		model_store_get(store, &status);
		if (!model_store_busy(&status))
			break;
	}
	CHECK(status.state == STORE_CHECKING, "state %d: %s", status.state, status.reason);
	start_ns = os_gettime_ns();
	model_store_destroy(store);
	CHECK(os_gettime_ns() - start_ns < 1000000000ULL, "the end takes long");
	CHECK(os_file_exists(path_in(folder, list.files[0].name)), "the file is gone");
	os_unlink(path_in(folder, list.files[0].name));
}

/* Nothing is fetched that has no room; what is there already of it needs none. */
static void test_space(const struct test *test)
{
	const char *folder = path_in(test->work, "space");
	struct model_list list = {.packed = "packed.safetensors", .count = 1};
	struct model_list_file *file = &list.files[0];
	char part[1280];

	describe(file, test, "ok", test->file.name);
	snprintf(part, sizeof(part), "%s/%s.part", folder, file->name);
	os_mkdirs(folder);
	file->bytes = os_get_free_disk_space(folder) / 10 * 9;
	for (int there_already = 0; there_already < 2; there_already++) {
		struct model_store *store = model_store_create(folder, &list, &test->rules);
		struct model_store_status status;

		forget_log(test);
		if (there_already)
			make_sparse(part, file->bytes - 100);
		CHECK(model_store_download(store), "no start");
		status = wait_store(store);
		CHECK(status.state == STORE_FAILED, "state %d: %s", status.state, status.reason);
		CHECK(!there_already == !!strstr(status.reason, "GB are needed"), "%s",
		      status.reason);
		CHECK(there_already || strstr(status.reason, folder), "%s", status.reason);
		CHECK(logged(test, "ok") == there_already, "%d requests", logged(test, "ok"));
		model_store_destroy(store);
	}
}

/* ---- the list ------------------------------------------------------------------------------ */

/* The list that is shipped: complete, encrypted, and of files that the importer knows. */
static void test_list(const struct test *test)
{
	struct model_list list;

	CHECK(model_list_read(&list, test->list), "%s", test->list);
	CHECK(list.count == RELEASED_PARTS, "%u files", list.count);
	for (unsigned i = 0; i < list.count; i++) {
		CHECK(strcmp(list.files[i].name, released_files[i]) == 0, "%s", list.files[i].name);
		CHECK(strncmp(list.files[i].url, "https://", 8) == 0, "%s", list.files[i].url);
		CHECK(strlen(list.files[i].sha256) == 64 && list.files[i].bytes > 0, "%s",
		      list.files[i].name);
		CHECK(fvsr_release_of(list.files[i].name, list.files[i].bytes,
				      list.files[i].sha256) != NULL,
		      "the importer does not know %s", list.files[i].name);
	}
	CHECK(!model_list_read(&list, "/nowhere/models.json"), "a list that is not there");
}

#define ENTRY(name, url, bytes, sha256)                                                            \
	"{\"name\": \"" name "\", \"url\": \"" url "\", \"bytes\": " bytes                         \
	", \"sha256\": \"" sha256 "\"}"
#define LIST(packed, files) "{\"packed\": \"" packed "\", \"files\": [" files "]}"
#define SUM                 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define GOOD                ENTRY("a.bin", "https://example.org/a", "1", SUM)

/* A list without a sum, or one that leads out of the folder or away from https, is refused. */
static void test_bad_lists(const struct test *test)
{
	static const struct {
		const char *text;
		bool valid;
	} cases[] = {
		{LIST("p", GOOD), true},
		{LIST("p", GOOD "," GOOD), true},
		{LIST("p", ""), false},
		{LIST("", GOOD), false},
		{LIST("../p", GOOD), false},
		{LIST("p", ENTRY("a.bin", "https://example.org/a", "1", "")), false},
		{LIST("p", "{\"name\": \"a\", \"url\": \"https://example.org/a\", \"bytes\": 1}"),
		 false},
		{LIST("p", ENTRY("a.bin", "https://example.org/a", "1", SUM "0")), false},
		{LIST("p", ENTRY("a.bin", "https://example.org/a", "1", "A" SUM)), false},
		{LIST("p", GOOD "," ENTRY("a.bin", "https://example.org/a", "0", SUM)), false},
		{LIST("p", ENTRY("a.bin", "https://example.org/a", "-1", SUM)), false},
		{LIST("p", ENTRY("a.bin", "http://example.org/a", "1", SUM)), false},
		{LIST("p", ENTRY("a.bin", "file:///a", "1", SUM)), false},
		{LIST("p", ENTRY("../a.bin", "https://example.org/a", "1", SUM)), false},
		{LIST("p", ENTRY("..\\\\a.bin", "https://example.org/a", "1", SUM)), false},
		{LIST("p", ENTRY("C:a.bin", "https://example.org/a", "1", SUM)), false},
		{LIST("p", ENTRY("/a.bin", "https://example.org/a", "1", SUM)), false},
		{LIST("p", ENTRY("", "https://example.org/a", "1", SUM)), false},
		{LIST("p",
		      GOOD "," GOOD "," GOOD "," GOOD "," GOOD "," GOOD "," GOOD "," GOOD "," GOOD),
		 false},
	};
	const char *path = strdup(path_in(test->work, "list.json"));
	struct model_list list;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		FILE *file = fopen(path, "w");

		fputs(cases[i].text, file);
		fclose(file);
		CHECK(model_list_read(&list, path) == cases[i].valid, "%s", cases[i].text);
	}
	free((void *)path);
}

static int make_released(const char *work)
{
	const char *folder = path_in(work, "released");
	struct released model;
	bool ok;

	os_mkdirs(folder);
	ok = released_load(&model, folder) && released_write(&model, folder);
	released_free(&model);
	return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct test test = {
		.rules = {.attempts = ATTEMPTS,
			  .step = 1000,
			  .pause_ms = 10,
			  .total_s = 60,
			  .connect_s = 20,
			  .slow_bytes = 4000,
			  .slow_s = 20},
	};

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3)
		return make_released(argv[1]);
	if (argc != 5 + SERVERS)
		return 2;
	test.work = argv[1];
	test.log = argv[2];
	test.rules.ca_file = argv[3];
	test.list = argv[4];
	memcpy(test.ports, argv + 5, sizeof(test.ports));
	describe(&test.file, &test, "ok", released_files[1]);
	test_list(&test);
	test_bad_lists(&test);
	if (!download_possible()) {
		printf("skipped: built without libcurl\n");
		return check_failures() ? 1 : 77;
	}
	test_servers(&test);
	test_slow(&test);
	test_asked_to_wait(&test);
	test_back_off(&test);
	test_refusals(&test);
	test_resume(&test);
	test_earlier(&test);
	test_flush(&test);
	test_full_disk(&test);
	test_cancel(&test);
	test_store(&test);
	test_interrupted_check(&test);
	test_space(&test);
	CHECK(bnum_allocs() == 0, "%ld blocks leaked", bnum_allocs());
	return check_result();
}
