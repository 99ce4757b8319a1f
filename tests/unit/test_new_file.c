/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that appear only when they are complete: what stays after each kind of end, which leftovers
 * are removed and which never, and which names are one file.
 */
#include <stdlib.h>
#include <string.h>
#ifndef _WIN32
#include <sys/stat.h>
#include <unistd.h>
#endif

#include "check.h"
#include "craft.h"
#include "model/file.h"
#include "model/new_file.h"

/* A process that cannot be there: Windows and Linux both number them lower. */
#define NOBODY "4294967294"

#define PATH_BYTES 512

static const char *folder;

static const char *in_folder(char path[PATH_BYTES], const char *name)
{
	snprintf(path, PATH_BYTES, "%.200s/%.255s", folder, name);
	return path;
}

static void write_text(const char *name, const char *text)
{
	char path[PATH_BYTES];
	FILE *file = open_file(in_folder(path, name), "wb");

	if (CHECK_CASE(file, name)) {
		fputs(text, file);
		fclose(file);
	}
}

static bool holds(const char *name, const char *text)
{
	char path[PATH_BYTES], *got = NULL;
	struct fvsr_error err;
	size_t bytes = 0;
	bool same = fvsr_file_slurp(in_folder(path, name), 1000, &got, &bytes, &err) == 0 &&
		    strcmp(got, text) == 0;

	free(got);
	return same;
}

static bool is_there(const char *name)
{
	char path[PATH_BYTES];

	return fvsr_path_exists(in_folder(path, name));
}

static struct fvsr_new_file *begin(const char *name, const char *text)
{
	struct fvsr_new_file *file = NULL;
	struct fvsr_error err;
	char path[PATH_BYTES];

	if (CHECK_CASE(fvsr_new_file_create(&file, in_folder(path, name), &err) == 0, name))
		CHECK(fvsr_new_file_write(file, text, strlen(text), &err) == 0);
	return file;
}

static void test_commit(void)
{
	struct fvsr_new_file *file;
	struct fvsr_error err;

	write_text("a.mkv", "old");
	file = begin("a.mkv", "new");
	CHECK(holds("a.mkv", "old"));
	fvsr_new_file_abort(file);
	CHECK(holds("a.mkv", "old"));
	file = begin("a.mkv", "new");
	CHECK(fvsr_new_file_commit(file, &err) == 0);
	CHECK(holds("a.mkv", "new"));
	CHECK(folder_entries(folder) == 1);
	file = begin("a.mkv", "longer");
	CHECK(fvsr_new_file_truncate(file, 4, &err) == 0);
	CHECK(fvsr_new_file_commit(file, &err) == 0);
	CHECK(holds("a.mkv", "long"));
}

static void keep_as(const char *target, const char *text, const char *name)
{
	struct fvsr_new_file *file = begin(target, text);
	struct fvsr_error err;
	char *kept = NULL, path[PATH_BYTES];

	CHECK_CASE(fvsr_new_file_keep(file, &kept, &err) == 0, name);
	CHECK_CASE(kept && strcmp(kept, in_folder(path, name)) == 0, kept ? kept : name);
	CHECK_CASE(holds(name, text), name);
	free(kept);
}

static void test_keep(void)
{
	int before = folder_entries(folder);

	keep_as("b.mkv", "first", "b.mkv");
	keep_as("b.mkv", "second", "b.partial.mkv");
	keep_as("b.mkv", "third", "b.partial-2.mkv");
	keep_as("noending", "one", "noending");
	keep_as("noending", "two", "noending.partial");
	CHECK(holds("b.mkv", "first"));
	CHECK(folder_entries(folder) == before + 5);
}

/* Checks that parts of the dead go; what is alive or no part of this target stays. */
static void test_leftovers(void)
{
	static const char *const stay[] = {"other.mkv." NOBODY "-1.part", "c.mkv.part",
					   "c.mkv." NOBODY "-1.partx", "c.mkv.x-1.part",
					   "c.mkv." NOBODY "-.part"};
	struct fvsr_new_file *living = begin("c.mkv", "living"), *file;
	struct fvsr_error err;

	write_text("c.mkv." NOBODY "-0.part", "dead");
	write_text("c.mkv." NOBODY "-123456.part", "dead");
	for (size_t i = 0; i < sizeof(stay) / sizeof(stay[0]); i++)
		write_text(stay[i], "not ours");
	file = begin("c.mkv", "second");
	CHECK(!is_there("c.mkv." NOBODY "-0.part"));
	CHECK(!is_there("c.mkv." NOBODY "-123456.part"));
	for (size_t i = 0; i < sizeof(stay) / sizeof(stay[0]); i++)
		CHECK_CASE(is_there(stay[i]), stay[i]);
	CHECK(fvsr_path_exists(fvsr_new_file_part(living)));
	CHECK(fvsr_new_file_commit(file, &err) == 0);
	CHECK(holds("c.mkv", "second"));
	CHECK(fvsr_new_file_commit(living, &err) == 0);
	CHECK(holds("c.mkv", "living"));
}

static void test_names(void)
{
	struct fvsr_new_file *file = NULL;
	struct fvsr_error err;
	char path[PATH_BYTES], name[241], other[256];

	CHECK(fvsr_new_file_create(&file, folder, &err) < 0);
	CHECK(fvsr_new_file_create(&file, in_folder(path, ""), &err) < 0);
	CHECK(fvsr_new_file_create(&file, in_folder(path, "no/such"), &err) < 0);
	CHECK(fvsr_new_file_create(&file, "", &err) < 0);
	/* As long as names can be; of two-byte characters, so that a cut may fall into one. */
	for (int i = 0; i < 240; i += 2)
		memcpy(name + i, "\xc3\xbc", 2);
	name[240] = '\0';
	snprintf(other, sizeof(other), "%s.mkv", name);
	file = begin(other, "x");
	CHECK(fvsr_new_file_commit(file, &err) == 0);
	CHECK(is_there(other));
}

static void test_same(void)
{
	char a[PATH_BYTES], b[PATH_BYTES], c[PATH_BYTES];

	write_text("d.mkv", "d");
	write_text("e.mkv", "d");
	in_folder(a, "d.mkv");
	snprintf(b, sizeof(b), "%.200s/./d.mkv", folder);
	in_folder(c, "e.mkv");
	CHECK(fvsr_same_file(a, a));
	CHECK(fvsr_same_file(a, b));
	CHECK(!fvsr_same_file(a, c));
	CHECK(!fvsr_same_file(a, in_folder(c, "none")));
	CHECK(!fvsr_same_file(in_folder(c, "none"), c));
	CHECK(!fvsr_same_file(folder, folder));
	if (CHECK(link_file(a, in_folder(b, "linked.mkv"))))
		CHECK(fvsr_same_file(a, b));
	CHECK(fvsr_model_reads(a, b));
	CHECK(!fvsr_model_reads(in_folder(c, "e.mkv"), b));
	/* Two names of one file: the new one is under one of them, the old one keeps the other. */
	CHECK(fvsr_new_file_commit(begin("linked.mkv", "new"), &(struct fvsr_error){""}) == 0);
	CHECK(holds("linked.mkv", "new") && holds("d.mkv", "d"));
}

static void test_models(void)
{
	char path[PATH_BYTES], spec[PATH_BYTES + 20];

	write_text("LQ_proj_in.ckpt", "a file that a model is read from");
	write_text("packed.safetensors", "one that stands beside it");
	write_text("tiny.json", "{}");
	CHECK(fvsr_model_reads(folder, in_folder(path, "LQ_proj_in.ckpt")));
	CHECK(!fvsr_model_reads(folder, in_folder(path, "packed.safetensors")));
	CHECK(!fvsr_model_reads(folder, in_folder(path, "posi_prompt.pth")));
	snprintf(spec, sizeof(spec), "synth:%s:1", in_folder(path, "tiny.json"));
	CHECK(fvsr_model_reads(spec, path));
	CHECK(!fvsr_model_reads("synth:full:1", path));
	CHECK(!fvsr_model_reads("synth:", path));
	CHECK(fvsr_import(spec, path, NULL, &(struct fvsr_error){""}) == FVSR_ERR_ARGUMENT);
	CHECK(holds("tiny.json", "{}"));
}

static void test_reserve(void)
{
	struct fvsr_new_file *file = begin("f.mkv", "f");
	int before = folder_entries(folder);

	/* Where a system has no such thing, nothing comes of it. */
	fvsr_new_file_reserve(file, 100000);
	CHECK(folder_entries(folder) == before);
	fvsr_new_file_release(file);
	CHECK(fvsr_new_file_commit(file, &(struct fvsr_error){""}) == 0);
	CHECK(holds("f.mkv", "f"));
}

#ifndef _WIN32
static void link_to(const char *target, const char *name)
{
	char path[PATH_BYTES];

	CHECK_CASE(symlink(target, in_folder(path, name)) == 0, name);
}

/* Checks that a link stays one, and what it leads to is replaced, with the rights that it had. */
static void test_links(void)
{
	char path[PATH_BYTES];
	struct stat st;

	write_text("real.mkv", "old");
	CHECK(chmod(in_folder(path, "real.mkv"), 0604) == 0);
	link_to("real.mkv", "link.mkv");
	link_to("link.mkv", "again.mkv");
	link_to("not-yet.mkv", "dangling.mkv");
	link_to("round.mkv", "round.mkv");
	CHECK(fvsr_same_file(in_folder(path, "again.mkv"), path));
	CHECK(fvsr_new_file_commit(begin("again.mkv", "new"), &(struct fvsr_error){""}) == 0);
	CHECK(holds("real.mkv", "new"));
	CHECK(lstat(in_folder(path, "again.mkv"), &st) == 0 && S_ISLNK(st.st_mode));
	CHECK(stat(in_folder(path, "real.mkv"), &st) == 0 && (st.st_mode & 0777) == 0604);
	CHECK(fvsr_new_file_commit(begin("dangling.mkv", "x"), &(struct fvsr_error){""}) == 0);
	CHECK(holds("not-yet.mkv", "x"));
	CHECK(fvsr_new_file_create(&(struct fvsr_new_file *){NULL}, in_folder(path, "round.mkv"),
				   &(struct fvsr_error){""}) < 0);
	CHECK(fvsr_new_file_create(&(struct fvsr_new_file *){NULL}, "/dev/null",
				   &(struct fvsr_error){""}) < 0);
}
#endif

int main(void)
{
	char *temporary = temp_create();

	folder = temporary;
	test_commit();
	test_keep();
	test_leftovers();
	test_names();
	test_same();
	test_models();
	test_reserve();
#ifndef _WIN32
	test_links();
#endif
	temp_remove(temporary);
	return check_result();
}
