/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Import: a released directory (or a synthetic model) becomes one packed file. The sources are
 * hashed first, so that the packed file can say for good what it was made from.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "model/directory.h"
#include "model/file.h"
#include "model/pack.h"
#include "model/sha256.h"
#include "model/source.h"

#define HASH_BYTES ((size_t)1 << 20) /* read at a time */

/* Files that are known, by content (section 2 of the specification). */
static const struct known_file {
	const char *name, *release, *sha256;
	uint64_t bytes;
} known_files[] = {
	{"diffusion_pytorch_model_streaming_dmd.safetensors", "FlashVSR v1.1",
	 "bd28180edcf3446c028e32fc6b731a80bf7e4da2ab4caac3186b9499964d37be", 5676070392},
	{"LQ_proj_in.ckpt", "FlashVSR v1.1",
	 "d6d011cdaaba6a52645086caa08fa04124e746f6ca568140a24007591142bfd2", 575694948},
	{"TCDecoder.ckpt", "FlashVSR v1.1",
	 "e224bdcf2f52745cbf4d393ff5374c2ba09e90285d5d19062d2bf63b915b6161", 189018333},
	{"posi_prompt.pth", "FlashVSR v1.1",
	 "4601107a11e4e11a936a6b79df579e54dbc99872132bf542151f0ffd65b4b1ef", 4195504},
};

struct source_file {
	struct fvsr_file *file;
	char key[80]; /* of the metadata */
	char sha256[FVSR_SHA256_TEXT];
	const char *release; /* NULL when unknown */
};

struct import {
	const struct fvsr_import_options *options;
	struct source_file files[FVSR_RELEASED_FILES];
	size_t file_count;
	uint64_t done, total;
	struct fvsr_error *err;
};

void fvsr_import_options_default(struct fvsr_import_options *options)
{
	memset(options, 0, sizeof(*options));
	options->type = FVSR_PACK_BF16;
	options->lq_version = FVSR_LQ_MODEL;
}

static int hash_file(struct import *im, struct source_file *source, unsigned char *buffer)
{
	uint64_t bytes = fvsr_file_size(source->file), at = 0;
	struct fvsr_sha256 sha;

	fvsr_sha256_init(&sha);
	while (at < bytes) {
		size_t n = bytes - at < HASH_BYTES ? (size_t)(bytes - at) : HASH_BYTES;
		int ret = fvsr_file_read(source->file, at, buffer, n, im->err);

		if (ret < 0)
			return ret;
		fvsr_sha256_update(&sha, buffer, n);
		at += n;
		im->done += n;
		if (!fvsr_progress(&im->options->progress, im->done, im->total,
				   fvsr_file_name(source->file)))
			return fvsr_fail(im->err, FVSR_ERR_CANCELLED, "cancelled");
	}
	fvsr_sha256_final(&sha, source->sha256);
	return 0;
}

int fvsr_file_sha256(const char *path, char text[65], const struct fvsr_progress *progress,
		     struct fvsr_error *err)
{
	struct fvsr_import_options options = {.progress = {NULL, NULL}};
	struct source_file source = {.file = NULL};
	struct import im = {.options = &options, .err = err};
	unsigned char *buffer;
	int ret;

	if (!path || !text)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "NULL argument");
	if (progress)
		options.progress = *progress;
	ret = fvsr_file_open(&source.file, path, err);
	if (ret < 0)
		return ret;
	im.total = fvsr_file_size(source.file);
	buffer = malloc(HASH_BYTES);
	ret = buffer ? hash_file(&im, &source, buffer)
		     : fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	if (ret >= 0)
		memcpy(text, source.sha256, FVSR_SHA256_TEXT);
	free(buffer);
	fvsr_file_close(source.file);
	return ret;
}

const char *fvsr_release_of(const char *name, uint64_t bytes, const char *sha256)
{
	size_t i;

	for (i = 0; i < sizeof(known_files) / sizeof(known_files[0]); i++)
		if (!strcmp(name, known_files[i].name) && bytes == known_files[i].bytes &&
		    !strcmp(sha256, known_files[i].sha256))
			return known_files[i].release;
	return NULL;
}

static void recognise(const struct import *im, struct source_file *source)
{
	const char *name = fvsr_file_name(source->file);

	source->release = fvsr_release_of(name, fvsr_file_size(source->file), source->sha256);
	if (source->release)
		fvsr_log(&im->options->log, FVSR_LOG_INFO, "%s: recognised as %s", name,
			 source->release);
	else
		fvsr_log(&im->options->log, FVSR_LOG_WARNING,
			 "%s: not a known release, SHA-256 %s", name, source->sha256);
}

static int open_sources(struct import *im, const char *folder)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < FVSR_RELEASED_FILES && ret >= 0; i++) {
		struct source_file *source = &im->files[i];
		char *path = fvsr_path_join(folder, fvsr_released_files[i]);

		if (!path)
			return fvsr_fail(im->err, FVSR_ERR_MEMORY, "out of memory");
		ret = fvsr_file_open(&source->file, path, im->err);
		free(path);
		if (ret < 0)
			break;
		snprintf(source->key, sizeof(source->key), "sha256.%s", fvsr_released_files[i]);
		im->total += fvsr_file_size(source->file);
		im->file_count++;
	}
	return ret;
}

static int hash_sources(struct import *im)
{
	unsigned char *buffer = malloc(HASH_BYTES);
	size_t i;
	int ret = 0;

	if (!buffer)
		return fvsr_fail(im->err, FVSR_ERR_MEMORY, "out of memory");
	for (i = 0; i < im->file_count && ret >= 0; i++) {
		ret = hash_file(im, &im->files[i], buffer);
		if (ret >= 0)
			recognise(im, &im->files[i]);
	}
	free(buffer);
	return ret;
}

static void close_sources(struct import *im)
{
	size_t i;

	for (i = 0; i < im->file_count; i++)
		fvsr_file_close(im->files[i].file);
}

/* The release that all files are from, or NULL. */
static const char *common_release(const struct import *im)
{
	size_t i;

	for (i = 0; i < im->file_count; i++)
		if (!im->files[i].release || strcmp(im->files[i].release, im->files[0].release))
			return NULL;
	return im->file_count ? im->files[0].release : NULL;
}

static int write_packed(struct import *im, const struct fvsr_weights *weights, const char *path)
{
	const struct fvsr_import_options *options = im->options;
	const char *release = common_release(im);
	struct fvsr_pack_note notes[FVSR_RELEASED_FILES];
	struct fvsr_pack pack = {
		.weights = weights,
		.type = options->type,
		.lq_version = options->lq_version,
		.name = options->name ? options->name : release,
		.notes = notes,
		.note_count = im->file_count,
		.progress = &options->progress,
		.done = im->done,
		.total = im->total,
	};
	size_t i;

	for (i = 0; i < im->file_count; i++)
		notes[i] = (struct fvsr_pack_note){im->files[i].key, im->files[i].sha256};
	if (pack.lq_version == FVSR_LQ_MODEL)
		pack.lq_version = fvsr_weights_config(weights)->lq_version;
	if (!pack.name)
		pack.name = fvsr_weights_name(weights);
	return fvsr_pack_write(&pack, path, im->err);
}

static int check_arguments(const char *source, const char *packed_path,
			   const struct fvsr_import_options *options, struct fvsr_error *err)
{
	if (!source || !*source || !packed_path || !*packed_path)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "import needs a source and a target");
	if (options->type != FVSR_PACK_BF16 && options->type != FVSR_PACK_F32)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "unknown type to pack to");
	if (options->name && !fvsr_utf8_valid(options->name, strlen(options->name)))
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "the model's name is not UTF-8");
	if (!fvsr_synth_is_spec(source) && !fvsr_path_is_folder(source))
		return fvsr_fail(err, FVSR_ERR_ARGUMENT,
				 "'%.300s' is not a folder of released files", source);
	return 0;
}

int fvsr_import(const char *source, const char *packed_path,
		const struct fvsr_import_options *options, struct fvsr_error *err)
{
	struct fvsr_import_options defaults;
	struct import im = {.err = err};
	struct fvsr_weights *weights = NULL;
	int ret;

	fvsr_import_options_default(&defaults);
	im.options = options ? options : &defaults;
	ret = check_arguments(source, packed_path, im.options, err);
	if (ret < 0)
		return ret;
	/* Opened before hashing: what cannot be imported is refused in seconds. */
	ret = fvsr_weights_open(&weights, source, true, &im.options->log, NULL, err);
	if (ret >= 0)
		im.total = fvsr_pack_bytes(weights, im.options->type);
	if (ret >= 0 && !fvsr_synth_is_spec(source))
		ret = open_sources(&im, source);
	if (ret >= 0)
		ret = hash_sources(&im);
	if (ret >= 0)
		ret = write_packed(&im, weights, packed_path);
	close_sources(&im);
	fvsr_weights_close(weights);
	return ret;
}
