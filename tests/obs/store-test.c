/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Getting a model from a real web server on this machine, one that fails in the ways that servers
 * do, and importing it: what is in the end on the disk is right or not there.
 *
 *	store-test WORK_FOLDER released		makes the files that the server gives
 *	store-test WORK_FOLDER LOG LIST ADDRESS	the test; LOG is the server's, LIST the shipped one
 */
#include "check.h"
#include "download.h"
#include "model-store.h"

#include "../unit/released.h"
#include "model/directory.h"

#include <util/bmem.h>
#include <util/platform.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct test {
	const char *work, *log, *address;
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

static void describe(struct model_list_file *file, const struct test *test, const char *kind,
		     const char *name)
{
	const char *path = path_in(path_in(test->work, "released"), name);
	struct fvsr_error err;

	memset(file, 0, sizeof(*file));
	snprintf(file->name, sizeof(file->name), "%s", name);
	snprintf(file->url, sizeof(file->url), "%s/%s/%s", test->address, kind, name);
	file->bytes = (uint64_t)os_get_file_size(path);
	CHECK(fvsr_file_sha256(path, file->sha256, NULL, &err) == 0, "%s", err.text);
}

static int fetch(const struct test *test, const char *kind, const struct fvsr_progress *progress,
		 struct fvsr_error *err)
{
	const char *path = path_in(test->work, "fetched");
	struct model_list_file file;
	struct download download;

	describe(&file, test, kind, test->file.name);
	download = (struct download){file.url, path, file.bytes, file.sha256};
	return download_file(&download, progress, err);
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

/* Every kind of server, and what must come of it. */
static void test_servers(const struct test *test)
{
	static const struct {
		const char *kind;
		int code;
		const char *reason;
	} cases[] = {
		{"ok", 0, ""},
		{"norange", 0, ""},
		{"drop", 0, ""},
		{"moved", 0, ""},
		{"busy", 0, ""},
		{"wrong", FVSR_ERR_FORMAT, "SHA-256"},
		{"long", FVSR_ERR_FORMAT, "longer"},
		{"gone", FVSR_ERR_IO, "404"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fvsr_error err;
		int code;

		clean(test);
		code = fetch(test, cases[i].kind, NULL, &err);
		printf("%-8s %d %s\n", cases[i].kind, code, err.text);
		CHECK(code == cases[i].code, "%s: %d, %s", cases[i].kind, code, err.text);
		CHECK(there(test, "fetched") == (code == 0), "%s: the file", cases[i].kind);
		CHECK(code == 0 || strstr(err.text, cases[i].reason), "%s: %s", cases[i].kind,
		      err.text);
	}
	clean(test);
}

/* The rest of what is there, and only that; from the start where the server knows no ranges. */
static void test_resume(const struct test *test)
{
	char *from = strdup(path_in(path_in(test->work, "released"), test->file.name));
	char *data = malloc(test->file.bytes), range[64];
	struct fvsr_error err;
	FILE *file;

	for (int ranges = 0; ranges < 2; ranges++) {
		clean(test);
		file = fopen(from, "rb");
		CHECK(file && fread(data, 1, test->file.bytes, file) == test->file.bytes, "read");
		fclose(file);
		file = fopen(path_in(test->work, "fetched.part"), "wb");
		fwrite(data, 1, 5000, file);
		fclose(file);
		CHECK(fetch(test, ranges ? "ok" : "norange", NULL, &err) == 0, "%s", err.text);
		snprintf(range, sizeof(range), "bytes=5000-");
		CHECK(logged(test, range) == 1, "%d requests of the rest", logged(test, range));
	}
	/* Another file's beginning is found out, thrown away, and fetched anew. */
	clean(test);
	file = fopen(path_in(test->work, "fetched.part"), "wb");
	for (uint64_t i = 0; i + 1 < test->file.bytes; i++)
		fputc('x', file);
	fclose(file);
	CHECK(fetch(test, "ok", NULL, &err) == FVSR_ERR_FORMAT, "rubbish was accepted");
	CHECK(fetch(test, "ok", NULL, &err) == 0, "not from the beginning: %s", err.text);
	free(data);
	free(from);
	clean(test);
}

static bool stop_after(void *opaque, uint64_t done, uint64_t total, const char *what)
{
	(void)total, (void)what;
	return done < *(uint64_t *)opaque;
}

static void test_cancel(const struct test *test)
{
	uint64_t limit = 20000;
	const struct fvsr_progress progress = {stop_after, &limit};
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
	clean(test);
}

/* ---- the store ----------------------------------------------------------------------------- */

static struct model_store *open_store(const struct test *test, const char *kind, char *folder)
{
	struct model_list list = {.name = "Test", .packed = "packed.safetensors"};

	for (unsigned i = 0; i < RELEASED_PARTS; i++)
		describe(&list.files[list.count++], test, kind, released_files[i]);
	describe(&list.files[list.count++], test, kind, "config.json");
	snprintf(folder, 1280, "%s", path_in(test->work, "config/models"));
	return model_store_create(folder, &list);
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

/* The list that is shipped: complete, encrypted, and of files that the importer knows. */
static void test_list(const char *path)
{
	struct model_list list;

	CHECK(model_list_read(&list, path), "%s", path);
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
	struct test test = {0};

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3)
		return make_released(argv[1]);
	if (argc != 5)
		return 2;
	test = (struct test){.work = argv[1], .log = argv[2], .address = argv[4]};
	describe(&test.file, &test, "ok", released_files[1]);
	test_list(argv[3]);
	if (!download_possible()) {
		printf("SKIPPED: built without libcurl\n");
		return failures ? 1 : 77;
	}
	test_servers(&test);
	test_resume(&test);
	test_cancel(&test);
	test_store(&test);
	CHECK(bnum_allocs() == 0, "%ld blocks leaked", bnum_allocs());
	return check_result();
}
