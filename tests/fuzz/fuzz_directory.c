/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory of released files, damaged, as the source of an import. The input is a list of edits
 * of a good one, so that nearly all of them get past the outer formats:
 *
 *	file (0 .. 4), operation, offset (2 bytes), length, then that many bytes
 *
 * File 4 is config.json. Checksums of archives are put right afterwards.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz_zip.h"
#include "model/weights.h"
#include "released.h"

#define FILES      (RELEASED_PARTS + 1)
#define MAX_GROWTH 4096 /* bytes that edits may add to a file */

enum operation {
	OVERWRITE = 0,
	INSERT = 1,
	REMOVE = 2,
	CUT = 3, /* the file ends here */
	LEAVE_OUT = 4,
	OPERATIONS = 5,
};

struct file {
	uint8_t *data;
	size_t size;
	bool absent, edited;
};

static char *source, *target;
static char packed[512];
static struct file good[FILES];

static const char *name_of(size_t i)
{
	return i < RELEASED_PARTS ? released_files[i] : "config.json";
}

static struct file read_whole(const char *path)
{
	long long size = file_size(path);
	FILE *file = open_file(path, "rb");
	struct file out = {.size = (size_t)size};

	PROMISE(file && size > 0);
	out.data = malloc(out.size + MAX_GROWTH);
	PROMISE(out.data && fread(out.data, 1, out.size, file) == out.size);
	fclose(file);
	return out;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct released model;
	char path[512];

	(void)argc, (void)argv;
	source = temp_create();
	target = temp_create();
	PROMISE(source && target);
	temp_path(packed, target, "model.safetensors");
	PROMISE(released_load(&model, source) && released_write(&model, source));
	released_free(&model);
	for (size_t i = 0; i < FILES; i++)
		good[i] = read_whole(temp_path(path, source, name_of(i)));
	return 0;
}

static void edit(struct file *file, size_t limit, unsigned int operation, size_t offset,
		 const uint8_t *bytes, size_t count)
{
	size_t at = file->size ? offset % (file->size + 1) : 0;
	size_t left = file->size - at, n = count < left ? count : left;

	switch (operation % OPERATIONS) {
	case OVERWRITE:
		memcpy(file->data + at, bytes, n);
		break;
	case INSERT:
		if (file->size + count > limit)
			break;
		memmove(file->data + at + count, file->data + at, left);
		memcpy(file->data + at, bytes, count);
		file->size += count;
		break;
	case REMOVE:
		memmove(file->data + at, file->data + at + n, left - n);
		file->size -= n;
		break;
	case CUT:
		file->size = at;
		break;
	case LEAVE_OUT:
		file->absent = count == 0;
		break;
	}
}

static void apply(struct file *files, const uint8_t *data, size_t size)
{
	while (size >= 5) {
		size_t i = data[0] % FILES, count = data[4] < size - 5 ? data[4] : size - 5;
		size_t offset = data[2] | (size_t)data[3] << 8;

		files[i].edited = true;
		edit(&files[i], good[i].size + MAX_GROWTH, data[1], offset, data + 5, count);
		data += 5 + count;
		size -= 5 + count;
	}
}

static void write_out(const struct file *files)
{
	char path[512];

	for (size_t i = 0; i < FILES; i++) {
		temp_path(path, source, name_of(i));
		if (files[i].absent)
			remove_file(path);
		else
			PROMISE(write_file(path, files[i].data, files[i].size));
	}
}

/* Whatever the source is: a packed file that opens, or a message and nothing left behind. */
static void import(void)
{
	struct fvsr_import_options options;
	struct fvsr_weights *weights;
	struct fvsr_error err = {""};

	fvsr_import_options_default(&options);
	options.type = FVSR_PACK_F32;
	if (fvsr_import(source, packed, &options, &err) < 0) {
		PROMISE(err.text[0] && !strchr(err.text, '\n'));
		PROMISE(folder_entries(target) == 0);
		return;
	}
	PROMISE(folder_entries(target) == 1);
	PROMISE(fvsr_weights_open(&weights, packed, false, NULL, NULL, &err) == 0);
	fvsr_weights_close(weights);
	remove_file(packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct file files[FILES];

	for (size_t i = 0; i < FILES; i++) {
		files[i] = good[i];
		files[i].data = malloc(good[i].size + MAX_GROWTH);
		PROMISE(files[i].data);
		memcpy(files[i].data, good[i].data, good[i].size);
	}
	apply(files, data, size);
	for (size_t i = 1; i < RELEASED_PARTS; i++)
		if (files[i].edited)
			fuzz_zip_fix(files[i].data, files[i].size);
	write_out(files);
	import();
	for (size_t i = 0; i < FILES; i++)
		free(files[i].data);
	return 0;
}
