/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Import and packed files: what goes in comes out, and no failure leaves anything behind.
 */
#include <float.h>
#include <stdlib.h>
#include <string.h>

#ifndef _WIN32
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#endif

#include "check.h"
#include "fvsr/fvsr.h"
#include "model/directory.h"
#include "base/dtype.h"
#include "model/sha256.h"
#include "model/source.h"
#include "released.h"

static char *source, *target;
static char packed[512];
static struct released model;

/* What a run of the progress callback saw. */
struct progress_seen {
	uint64_t done, total;
	int calls, cancel_at;
	bool backwards;
};

static bool see_progress(void *opaque, uint64_t done, uint64_t total, const char *what)
{
	struct progress_seen *seen = opaque;

	seen->backwards = seen->backwards || done < seen->done || done > total || !what;
	seen->done = done;
	seen->total = total;
	return ++seen->calls != seen->cancel_at;
}

struct log_seen {
	int unknown, lines;
};

static void see_log(void *opaque, enum fvsr_log_level level, const char *text)
{
	struct log_seen *seen = opaque;

	(void)level;
	seen->lines++;
	seen->unknown += strstr(text, "not a known release, SHA-256 ") != NULL;
}

static int import_as(enum fvsr_pack_type type, struct fvsr_error *err)
{
	struct fvsr_import_options options;

	fvsr_import_options_default(&options);
	options.type = type;
	err->text[0] = '\0';
	return fvsr_import(source, packed, &options, err);
}

/* Checks that the tensors of 'spec' are those of the source directory, rounded to BF16 or not. */
static void compare(const char *spec, bool rounded)
{
	struct fvsr_weights *a, *b;
	struct fvsr_error err;
	size_t i;

	if (!CHECK(fvsr_weights_open(&a, source, true, NULL, NULL, &err) == 0))
		return;
	if (!CHECK(fvsr_weights_open(&b, spec, false, NULL, NULL, &err) == 0)) {
		printf("  %s\n", err.text);
		fvsr_weights_close(a);
		return;
	}
	CHECK(!memcmp(&a->config, &b->config, sizeof(a->config)));
	for (i = 0; i < a->shapes.count; i++) {
		const char *name = a->shapes.items[i].name;
		struct fvsr_weight x, y;
		float *p, *q;
		uint64_t k;

		CHECK(fvsr_weights_find(a, name, &x, &err) == 0);
		CHECK(fvsr_weights_find(b, name, &y, &err) == 0);
		CHECK(x.count == y.count && x.rank == y.rank);
		CHECK(y.dtype == (rounded ? FVSR_DTYPE_BF16 : FVSR_DTYPE_F32));
		p = malloc(x.count * sizeof(*p));
		q = malloc(x.count * sizeof(*q));
		CHECK(fvsr_weights_read(a, &x, 0, x.count, p, &err) == 0);
		CHECK(fvsr_weights_read(b, &y, 0, y.count, q, &err) == 0);
		for (k = 0; rounded && k < x.count; k++)
			p[k] = fvsr_bf16_to_f32(fvsr_bf16_from_f32(p[k]));
		CHECK_CASE(!memcmp(p, q, x.count * sizeof(*p)), name);
		free(p);
		free(q);
	}
	fvsr_weights_close(a);
	fvsr_weights_close(b);
}

static void test_round_trip(void)
{
	struct fvsr_error err;

	CHECK(import_as(FVSR_PACK_F32, &err) == 0);
	compare(packed, false);
	CHECK(import_as(FVSR_PACK_BF16, &err) == 0);
	compare(packed, true);
	CHECK(folder_entries(target) == 1);
}

#ifndef _WIN32
/* Checks that others may read the file, if the user's umask lets them. */
static void test_mode(void)
{
	struct fvsr_error err;
	struct stat st;
	mode_t mask = umask(022);

	CHECK(import_as(FVSR_PACK_F32, &err) == 0);
	CHECK(!stat(packed, &st) && (st.st_mode & 0777) == 0644);
	umask(mask);
}
#endif

/* Checks that ties go to even, and that what rounds up may carry into the exponent. */
static void test_rounding(void)
{
	static const struct {
		float in, out;
	} values[] = {
		{1.0f, 1.0f},
		{0x1.01p0f, 0x1p0f},            /* half way between even 1.00 and odd 1.02 */
		{0x1.03p0f, 0x1.04p0f},         /* half way, the upper is even */
		{0x1.010002p0f, 0x1.02p0f},     /* a bit above half */
		{0x1.00fffep0f, 0x1p0f},        /* a bit below */
		{0x1.ffp0f, 0x1p1f},            /* carries */
		{-0x1.03p-130f, -0x1.00p-130f}, /* subnormal: fewer bits are left */
		{-0.0f, -0.0f},
	};
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		float out = fvsr_bf16_to_f32(fvsr_bf16_from_f32(values[i].in));

		if (!CHECK(!memcmp(&out, &values[i].out, sizeof(out))))
			printf("  %a became %a\n", values[i].in, out);
	}
}

static void file_sum(const char *path, char sum[FVSR_SHA256_TEXT])
{
	struct fvsr_sha256 sha;
	FILE *file = open_file(path, "rb");
	unsigned char block[999];
	size_t n;

	fvsr_sha256_init(&sha);
	while (file && (n = fread(block, 1, sizeof(block), file)) > 0)
		fvsr_sha256_update(&sha, block, n);
	if (file)
		fclose(file);
	fvsr_sha256_final(&sha, sum);
}

static void test_metadata(void)
{
	struct log_seen log = {0};
	struct progress_seen seen = {0};
	struct fvsr_import_options options;
	struct fvsr_error err;
	fvsr_tensors *file;
	uint64_t sources = 0;
	size_t i;

	fvsr_import_options_default(&options);
	options.name = "A \"name\"";
	options.lq_version = FVSR_LQ_V1;
	options.log = (struct fvsr_log){see_log, &log};
	options.progress = (struct fvsr_progress){see_progress, &seen};
	CHECK(fvsr_import(source, packed, &options, &err) == 0);
	CHECK(log.unknown == 4 && log.lines == 4);
	if (!CHECK(fvsr_tensors_open(&file, packed, &err) == 0))
		return;
	CHECK(!strcmp(fvsr_tensors_metadata(file, "format"), "fvsr-packed"));
	CHECK(!strcmp(fvsr_tensors_metadata(file, "format_version"), "1"));
	CHECK(!strcmp(fvsr_tensors_metadata(file, "name"), options.name));
	CHECK(!strcmp(fvsr_tensors_metadata(file, "lq_version"), "v1"));
	CHECK(strstr(fvsr_tensors_metadata(file, "config"), "\"dim\": 12, \"num_heads\": 2"));
	for (i = 0; i < RELEASED_PARTS; i++) {
		char path[512], key[128], sum[FVSR_SHA256_TEXT];
		const char *value;

		file_sum(temp_path(path, source, released_files[i]), sum);
		snprintf(key, sizeof(key), "sha256.%s", released_files[i]);
		value = fvsr_tensors_metadata(file, key);
		CHECK(value && !strcmp(value, sum));
		CHECK(file_size(path) > 0);
		sources += (uint64_t)file_size(path);
	}
	fvsr_tensors_close(file);
	CHECK(!seen.backwards && seen.done == seen.total && seen.calls > 100);
	CHECK(seen.total == sources);
}

/* Checks that transformer and projection are of one release, or the caller says the version. */
static void test_mixtures(void)
{
	static const struct {
		const char *transformer, *projection, *message; /* NULL: is imported */
		enum fvsr_lq_version version;
	} cases[] = {
		{"A", "A", NULL, FVSR_LQ_MODEL},
		{NULL, NULL, NULL, FVSR_LQ_MODEL},
		{"A", "B", "they do not fit each other", FVSR_LQ_MODEL},
		{"A", "B", "they do not fit each other", FVSR_LQ_V1},
		{"A", NULL, "dmd.safetensors is of A and LQ_proj_in.ckpt is not", FVSR_LQ_MODEL},
		{NULL, "B", "LQ_proj_in.ckpt is of B and diffusion", FVSR_LQ_MODEL},
		{NULL, "B", NULL, FVSR_LQ_V1_1},
	};
	char sums[RELEASED_PARTS][FVSR_SHA256_TEXT];
	uint64_t bytes[RELEASED_PARTS];
	size_t i;

	for (i = 0; i < RELEASED_PARTS; i++) {
		char path[512];

		file_sum(temp_path(path, source, released_files[i]), sums[i]);
		bytes[i] = (uint64_t)file_size(path);
	}
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct fvsr_known_file known[] = {
			{released_files[0], cases[i].transformer, sums[0], bytes[0]},
			{released_files[1], cases[i].projection, sums[1], bytes[1]},
			{released_files[2], "A", sums[2], bytes[2]},
			{released_files[3], "A", sums[3], bytes[3]},
		};
		struct fvsr_import_options options;
		struct fvsr_known_file list[4];
		struct fvsr_error err = {""};
		size_t count = 0, k;
		int result;

		for (k = 0; k < 4; k++)
			if (known[k].release)
				list[count++] = known[k];
		fvsr_import_options_default(&options);
		options.lq_version = cases[i].version;
		remove_file(packed);
		result = fvsr_import_known(source, packed, &options, list, count, &err);
		if (!cases[i].message) {
			CHECK(result == 0 && folder_entries(target) == 1);
			continue;
		}
		CHECK_CASE(result == FVSR_ERR_FORMAT && folder_entries(target) == 0,
			   cases[i].message);
		CHECK_CASE(strstr(err.text, cases[i].message), err.text);
	}
}

/* Checks that a model of files of one release has its name, unless the caller gives another. */
static void test_release_name(void)
{
	char sums[RELEASED_PARTS][FVSR_SHA256_TEXT], path[512];
	static const char release[] = "A release with a name that is longer than any other";
	struct fvsr_known_file known[RELEASED_PARTS];
	struct fvsr_weights *weights;
	struct fvsr_import_options options;
	struct fvsr_error err;
	size_t i, count;

	for (i = 0; i < RELEASED_PARTS; i++) {
		file_sum(temp_path(path, source, released_files[i]), sums[i]);
		known[i] = (struct fvsr_known_file){released_files[i], release, sums[i],
						    (uint64_t)file_size(path)};
	}
	fvsr_import_options_default(&options);
	for (count = RELEASED_PARTS; count > 2; count--) {
		CHECK(fvsr_import_known(source, packed, &options, known, count, &err) == 0);
		if (!CHECK(fvsr_weights_open(&weights, packed, false, NULL, NULL, &err) == 0))
			continue;
		CHECK(!strcmp(fvsr_weights_name(weights), release) == (count == RELEASED_PARTS));
		fvsr_weights_close(weights);
		compare(packed, true);
	}
}

#ifndef _WIN32 /* where others cannot write to a file that is being read */
/* While an import runs, somebody writes to a source. */
struct meddler {
	const char *path;
	long at; /* of a byte, from the end */
	int calls, meddle_at;
};

static void flip_byte(const char *path, long from_end)
{
	FILE *file = open_file(path, "r+b");
	int c;

	if (!CHECK(file && !fseek(file, -from_end, SEEK_END) && (c = getc(file)) != EOF))
		return;
	fseek(file, -from_end, SEEK_END);
	putc(c ^ 1, file);
	fclose(file);
}

static bool meddle(void *opaque, uint64_t done, uint64_t total, const char *what)
{
	struct meddler *m = opaque;

	(void)done, (void)total, (void)what;
	if (m->calls++ == m->meddle_at)
		flip_byte(m->path, m->at);
	return true;
}

/* Sums the packed file as a whole, without its header. */
static void data_sum(const char *path, char sum[FVSR_SHA256_TEXT])
{
	fvsr_tensors *file;
	struct fvsr_tensor_info info;
	struct fvsr_sha256 sha;
	struct fvsr_error err;
	size_t i;

	fvsr_sha256_init(&sha);
	if (!CHECK(fvsr_tensors_open(&file, path, &err) == 0))
		return;
	for (i = 0; fvsr_tensors_get(file, i, &info) == 0; i++)
		fvsr_sha256_update(&sha, info.data, info.bytes);
	fvsr_tensors_close(file);
	fvsr_sha256_final(&sha, sum);
}

/* Reads the sum that the packed file names for a source. */
static void noted_sum(const char *name, char sum[FVSR_SHA256_TEXT])
{
	struct fvsr_error err;
	fvsr_tensors *file;
	char key[128];

	sum[0] = '\0';
	if (!CHECK(fvsr_tensors_open(&file, packed, &err) == 0))
		return;
	snprintf(key, sizeof(key), "sha256.%s", name);
	if (CHECK(fvsr_tensors_metadata(file, key)))
		snprintf(sum, FVSR_SHA256_TEXT, "%s", fvsr_tensors_metadata(file, key));
	fvsr_tensors_close(file);
}

/*
 * Whenever a source changes, the tensors that are packed are those of the bytes that were hashed:
 * those from before or those from after. Nothing else is possible but a refusal.
 */
static void test_meddling(size_t part, long from_end)
{
	char sums[2][FVSR_SHA256_TEXT], data[2][FVSR_SHA256_TEXT], path[512];
	struct meddler m = {.path = temp_path(path, source, released_files[part]), .at = from_end};
	struct fvsr_import_options options;
	struct fvsr_error err;
	int imported = 0, calls = 0, i;

	fvsr_import_options_default(&options);
	options.type = FVSR_PACK_F32;
	options.progress = (struct fvsr_progress){meddle, &m};
	for (i = 0; i < 2; i++) {
		m.calls = 0, m.meddle_at = -1;
		file_sum(path, sums[i]);
		if (fvsr_import(source, packed, &options, &err) == 0)
			data_sum(packed, data[i]);
		else
			data[i][0] = '\0'; /* an archive's checksum is wrong */
		calls = m.calls > calls ? m.calls : calls;
		flip_byte(path, from_end);
	}
	for (i = 0; i < calls; i += calls / 40 + 1) {
		char noted[FVSR_SHA256_TEXT], now[FVSR_SHA256_TEXT];
		int which;

		m.calls = 0, m.meddle_at = i;
		if (fvsr_import(source, packed, &options, &err) == 0) {
			imported++;
			noted_sum(released_files[part], noted);
			data_sum(packed, now);
			which = !strcmp(noted, sums[1]);
			CHECK(!strcmp(noted, sums[which]));
			CHECK(!strcmp(now, data[which]));
		}
		released_write(&model, source);
	}
	CHECK(imported > 5);
}
#endif

/* Checks that name, size and sum all have to be those of the release. */
static void test_recognition(void)
{
	static const char sum[] =
		"4601107a11e4e11a936a6b79df579e54dbc99872132bf542151f0ffd65b4b1ef";
	const char *release = fvsr_release_of("posi_prompt.pth", 4195504, sum);

	CHECK(release && !strcmp(release, "FlashVSR v1.1"));
	CHECK(!fvsr_release_of("posi_prompt.pth", 4195505, sum));
	CHECK(!fvsr_release_of("TCDecoder.ckpt", 4195504, sum));
	CHECK(!fvsr_release_of("posi_prompt.pth", 4195504, sum + 1));
}

/* Checks that the length of the header makes the data begin at a multiple of 64. */
static void test_alignment(void)
{
	unsigned char length[8] = {0};
	struct fvsr_error err;
	FILE *file;

	CHECK(import_as(FVSR_PACK_F32, &err) == 0);
	file = open_file(packed, "rb");
	CHECK(file && fread(length, 1, 8, file) == 8);
	CHECK((length[0] + 8) % 64 == 0 && length[1] != 0);
	if (file)
		fclose(file);
}

static void test_cancel(void)
{
	struct progress_seen seen = {0};
	struct fvsr_import_options options;
	struct fvsr_error err;
	int n;

	remove_file(packed);
	fvsr_import_options_default(&options);
	options.progress = (struct fvsr_progress){see_progress, &seen};
	for (n = 1; n < 10000; n++) {
		int result;

		seen = (struct progress_seen){.cancel_at = n};
		result = fvsr_import(source, packed, &options, &err);
		if (result == 0)
			break;
		CHECK(result == FVSR_ERR_CANCELLED && folder_entries(target) == 0);
	}
	CHECK(n > 100 && folder_entries(target) == 1);
}

/* Checks that whatever goes wrong, an older file of that name stays and nothing is added. */
static void expect_untouched(const char *from, int code, const char *message)
{
	struct fvsr_error err = {""};
	char text[8] = "";
	FILE *file;
	int result;

	write_file(packed, "older", 5);
	result = fvsr_import(from, packed, NULL, &err);
	if (!CHECK_CASE(result == code && strstr(err.text, message), message))
		printf("  got %d '%s'\n", result, err.text);
	file = open_file(packed, "rb");
	CHECK_CASE(file && fread(text, 1, 8, file) == 5 && !strcmp(text, "older"), message);
	if (file)
		fclose(file);
	CHECK_CASE(folder_entries(target) == 1, message);
}

static void test_bad_sources(void)
{
	static float values[12];
	static const struct {
		float value;
		const char *message;
	} bad[] = {
		{__builtin_nanf(""), "element 2 is not a finite number"},
		{-__builtin_inff(), "element 2 is not a finite number"},
		{FLT_MAX, "too large for BF16"},
	};
	struct craft_tensor *t = released_find(&model, "dit.patch_embedding.bias");
	const void *before = t->data;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		values[2] = bad[i].value;
		t->data = values;
		released_write(&model, source);
		expect_untouched(source, FVSR_ERR_FORMAT, bad[i].message);
	}
	t->data = before;
	t->rank = 0;
	released_write(&model, source);
	expect_untouched(source, FVSR_ERR_FORMAT, "is scalar, must be 12");
	t->rank = 1;
	released_write(&model, source);
	expect_untouched("/nowhere", FVSR_ERR_ARGUMENT, "not a folder of released files");
	expect_untouched("", FVSR_ERR_ARGUMENT, "needs a source");
	expect_untouched("synth:full:x", FVSR_ERR_ARGUMENT, "SEED");
	expect_untouched(packed, FVSR_ERR_ARGUMENT, "not a folder of released files");
}

static void test_bad_targets(void)
{
	struct fvsr_import_options options;
	struct fvsr_error err;
	char path[512];

	CHECK(fvsr_import(source, target, NULL, &err) == FVSR_ERR_IO);
	CHECK(strstr(err.text, "is not the name of a file"));
	CHECK(fvsr_import(source, temp_path(path, target, "no/such/folder"), NULL, &err) ==
	      FVSR_ERR_IO);
	CHECK(fvsr_import(source, NULL, NULL, &err) == FVSR_ERR_ARGUMENT);
	fvsr_import_options_default(&options);
	options.type = 0;
	CHECK(fvsr_import(source, packed, &options, &err) == FVSR_ERR_ARGUMENT);
	fvsr_import_options_default(&options);
	options.name = "\xff";
	CHECK(fvsr_import(source, packed, &options, &err) == FVSR_ERR_ARGUMENT);
}

#ifndef _WIN32
/* Imports to a full disk: here, files may not grow beyond 10,000 bytes. */
static void test_full_disk(void)
{
	struct rlimit before, limit;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 10000;
	setrlimit(RLIMIT_FSIZE, &limit);
	expect_untouched(source, FVSR_ERR_IO, "cannot write");
	setrlimit(RLIMIT_FSIZE, &before);
}
#endif

static void test_synthetic(void)
{
	struct fvsr_weights *weights;
	struct fvsr_error err;
	char spec[600], path[512];

	snprintf(spec, sizeof(spec), "synth:%s:5", temp_path(path, source, "config.json"));
	CHECK(fvsr_import(spec, packed, NULL, &err) == 0);
	compare(packed, true);
	if (CHECK(fvsr_weights_open(&weights, packed, false, NULL, NULL, &err) == 0))
		CHECK(!strcmp(fvsr_weights_name(weights), "synth:config.json:5"));
	fvsr_weights_close(weights);
}

int main(void)
{
	source = temp_create();
	target = temp_create();
	temp_path(packed, target, "model.safetensors");
	if (!released_load(&model, source) || !released_write(&model, source))
		return 1;
	test_rounding();
	test_recognition();
	test_round_trip();
	test_metadata();
	test_mixtures();
	test_release_name();
	test_alignment();
	test_cancel();
	test_bad_sources();
	test_bad_targets();
#ifndef _WIN32
	test_full_disk();
	test_mode();
	test_meddling(0, 2);
	test_meddling(2, 2000);
#endif
	test_synthetic();
	released_free(&model);
	temp_remove(source);
	temp_remove(target);
	return check_result();
}
