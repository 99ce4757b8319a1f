/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A released directory (or a synthetic model) is imported: it becomes one packed file. The sources
 * are hashed as they are read, once, so that the packed file can say for good what it was made
 * from.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/common.h"
#include "model/directory.h"
#include "model/file.h"
#include "model/pack.h"
#include "model/sha256.h"
#include "model/source.h"

#define HASH_BYTES ((size_t)1 << 20) /* read at a time */

/* Section 2 of the specification. */
static const struct fvsr_known_file known_files[] = {
	{"diffusion_pytorch_model_streaming_dmd.safetensors", "FlashVSR v1.1",
	 "bd28180edcf3446c028e32fc6b731a80bf7e4da2ab4caac3186b9499964d37be", 5676070392},
	{"LQ_proj_in.ckpt", "FlashVSR v1.1",
	 "d6d011cdaaba6a52645086caa08fa04124e746f6ca568140a24007591142bfd2", 575694948},
	{"TCDecoder.ckpt", "FlashVSR v1.1",
	 "e224bdcf2f52745cbf4d393ff5374c2ba09e90285d5d19062d2bf63b915b6161", 189018333},
	{"posi_prompt.pth", "FlashVSR v1.1",
	 "4601107a11e4e11a936a6b79df579e54dbc99872132bf542151f0ffd65b4b1ef", 4195504},
};

struct import {
	const struct fvsr_import_options *options;
	const struct fvsr_known_file *known;
	size_t known_count;
	struct fvsr_intake intake;
	char keys[FVSR_RELEASED_FILES][80]; /* of the metadata */
	struct fvsr_pack_note notes[FVSR_RELEASED_FILES];
	const char *releases[FVSR_RELEASED_FILES]; /* NULL when unknown */
	bool from_files;
	uint64_t done, total; /* bytes read of files, or written where there are none */
};

void fvsr_import_options_default(struct fvsr_import_options *options)
{
	memset(options, 0, sizeof(*options));
	options->type = FVSR_PACK_BF16;
	options->lq_version = FVSR_LQ_MODEL;
}

static int hash_file(const struct fvsr_file *file, char text[FVSR_SHA256_TEXT],
		     unsigned char *buffer, const struct fvsr_progress *progress,
		     struct fvsr_error *err)
{
	uint64_t bytes = fvsr_file_size(file), at = 0;
	struct fvsr_sha256 sha;

	fvsr_sha256_init(&sha);
	while (at < bytes) {
		size_t n = bytes - at < HASH_BYTES ? (size_t)(bytes - at) : HASH_BYTES;
		int result = fvsr_file_read(file, at, buffer, n, err);

		if (result < 0)
			return result;
		fvsr_sha256_update(&sha, buffer, n);
		at += n;
		if (!fvsr_progress(progress, at, bytes, fvsr_file_name(file)))
			return fvsr_fail(err, FVSR_ERR_CANCELLED, "cancelled");
	}
	fvsr_sha256_final(&sha, text);
	return 0;
}

int fvsr_file_sha256(const char *path, char text[65], const struct fvsr_progress *progress,
		     struct fvsr_error *err)
{
	const struct fvsr_progress silent = {NULL, NULL};
	char sum[FVSR_SHA256_TEXT];
	struct fvsr_file *file;
	unsigned char *buffer;
	int result;

	if (!path || !text)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "NULL argument");
	result = fvsr_file_open(&file, path, err);
	if (result < 0)
		return result;
	buffer = malloc(HASH_BYTES);
	result = buffer ? hash_file(file, sum, buffer, progress ? progress : &silent, err)
			: fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	if (result >= 0)
		memcpy(text, sum, FVSR_SHA256_TEXT);
	free(buffer);
	fvsr_file_close(file);
	return result;
}

static const char *release_of(const struct fvsr_known_file *known, size_t count, const char *name,
			      uint64_t bytes, const char *sha256)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!strcmp(name, known[i].name) && bytes == known[i].bytes &&
		    !strcmp(sha256, known[i].sha256))
			return known[i].release;
	return NULL;
}

const char *fvsr_release_of(const char *name, uint64_t bytes, const char *sha256)
{
	return release_of(known_files, sizeof(known_files) / sizeof(known_files[0]), name, bytes,
			  sha256);
}

/* ------------------------------------------------------------------------------------------- */
/* Progress: bytes of files while there are any, else bytes of the packed file                 */

static int report(struct import *im, uint64_t bytes, const char *what, struct fvsr_error *err)
{
	im->done += bytes;
	if (!fvsr_progress(&im->options->progress, im->done, im->total, what))
		return fvsr_fail(err, FVSR_ERR_CANCELLED, "cancelled");
	return 0;
}

static int count_read(void *opaque, uint64_t bytes, const char *file, struct fvsr_error *err)
{
	struct import *im = opaque;
	size_t i;

	for (i = 0; !im->done && i < FVSR_RELEASED_FILES; i++)
		im->total += im->intake.files[i].bytes;
	return report(im, bytes, file, err);
}

static int count_written(void *opaque, uint64_t bytes, const char *tensor, struct fvsr_error *err)
{
	struct import *im = opaque;

	return report(im, im->from_files ? 0 : bytes, tensor, err);
}

/* ------------------------------------------------------------------------------------------- */
/* Which release                                                                               */

static void recognise(struct import *im)
{
	size_t i;

	for (i = 0; i < FVSR_RELEASED_FILES; i++) {
		const char *name = fvsr_released_files[i], *sum = im->intake.files[i].sha256;

		im->releases[i] = release_of(im->known, im->known_count, name,
					     im->intake.files[i].bytes, sum);
		if (im->releases[i])
			fvsr_log(&im->options->log, FVSR_LOG_INFO, "%s: recognised as %s", name,
				 im->releases[i]);
		else
			fvsr_log(&im->options->log, FVSR_LOG_WARNING,
				 "%s: not a known release, SHA-256 %s", name, sum);
	}
}

/*
 * Refuses a mixture of releases: transformer and projection are trained together, and what is not
 * of one release shows ghosts. Two files of different releases are always a mixture. A known file
 * beside an unknown one may be, so the caller has to say the version.
 */
static int refuse_mixture(const struct import *im, struct fvsr_error *err)
{
	const char *transformer = im->releases[0], *projection = im->releases[1];
	size_t known = transformer ? 0 : 1;

	if (!transformer && !projection)
		return 0;
	if (transformer && projection) {
		if (!strcmp(transformer, projection))
			return 0;
		return fvsr_fail(err, FVSR_ERR_FORMAT,
				 "%s is of %s and %s of %s: they do not fit each other",
				 fvsr_released_files[0], transformer, fvsr_released_files[1],
				 projection);
	}
	if (im->options->lq_version != FVSR_LQ_MODEL)
		return 0;
	return fvsr_fail(err, FVSR_ERR_FORMAT,
			 "%s is of %s and %s is not: a mixture of releases makes ghosts. Take both "
			 "files from one release, or say which version they are",
			 fvsr_released_files[known], im->releases[known],
			 fvsr_released_files[1 - known]);
}

/* Names and checks the release when all sums are known, which is when all has been read. */
static int seal(struct fvsr_pack *pack, void *opaque, struct fvsr_error *err)
{
	struct import *im = opaque;
	size_t i, same = 0;

	recognise(im);
	for (i = 0; i < FVSR_RELEASED_FILES; i++)
		same += im->releases[i] && im->releases[0] &&
			!strcmp(im->releases[i], im->releases[0]);
	if (same == FVSR_RELEASED_FILES && !im->options->name)
		pack->name = im->releases[0];
	return refuse_mixture(im, err);
}

/* Returns the longest name of a release that seal() may find. */
static const char *longest_release(const struct import *im)
{
	const char *longest = NULL;
	size_t i;

	for (i = 0; i < im->known_count; i++)
		if (!longest || strlen(im->known[i].release) > strlen(longest))
			longest = im->known[i].release;
	return longest;
}

static int write_packed(struct import *im, const struct fvsr_weights *weights, const char *path,
			struct fvsr_error *err)
{
	const struct fvsr_import_options *options = im->options;
	struct fvsr_pack pack = {
		.weights = weights,
		.type = options->type,
		.lq_version = options->lq_version,
		.name = options->name ? options->name : fvsr_weights_name(weights),
		.other_name = options->name ? NULL : longest_release(im),
		.notes = im->notes,
		.count = count_written,
		.opaque = im,
	};
	size_t i;

	for (i = 0; im->from_files && i < FVSR_RELEASED_FILES; i++) {
		char *sum = im->intake.files[i].sha256;

		snprintf(im->keys[i], sizeof(im->keys[i]), "sha256.%s", fvsr_released_files[i]);
		im->notes[i] = (struct fvsr_pack_note){im->keys[i], sum};
		if (!*sum) /* as long as it will be */
			snprintf(sum, FVSR_SHA256_TEXT, "%064d", 0);
	}
	if (im->from_files) {
		pack.note_count = FVSR_RELEASED_FILES;
		pack.seal = seal;
	}
	if (pack.lq_version == FVSR_LQ_MODEL)
		pack.lq_version = fvsr_weights_config(weights)->lq_version;
	return fvsr_pack_write(&pack, path, err);
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
	if (fvsr_model_reads(source, packed_path))
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "'%.300s' is a file that the import reads",
				 packed_path);
	return 0;
}

static int open_files(struct import *im, struct fvsr_weights **out, const char *folder,
		      struct fvsr_error *err)
{
	struct fvsr_weights *weights = calloc(1, sizeof(*weights));
	int result;

	if (!weights)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	im->from_files = true;
	im->intake.count = count_read;
	im->intake.opaque = im;
	result = fvsr_directory_open(weights, folder, &im->options->log, NULL, &im->intake, err);
	if (result < 0)
		fvsr_weights_close(weights);
	else
		*out = weights;
	return result;
}

static int open_formula(struct import *im, struct fvsr_weights **out, const char *spec,
			struct fvsr_error *err)
{
	int result = fvsr_weights_open(out, spec, false, &im->options->log, NULL, err);

	if (result >= 0)
		im->total = fvsr_pack_bytes(*out, im->options->type);
	return result;
}

int fvsr_import_known(const char *source, const char *packed_path,
		      const struct fvsr_import_options *options,
		      const struct fvsr_known_file *known, size_t known_count,
		      struct fvsr_error *err)
{
	struct import im = {.options = options, .known = known, .known_count = known_count};
	struct fvsr_weights *weights = NULL;
	int result = check_arguments(source, packed_path, options, err);

	if (result < 0)
		return result;
	/* What cannot be imported is refused before the largest file is read. */
	result = fvsr_synth_is_spec(source) ? open_formula(&im, &weights, source, err)
					    : open_files(&im, &weights, source, err);
	if (result >= 0)
		result = write_packed(&im, weights, packed_path, err);
	fvsr_weights_close(weights);
	return result;
}

int fvsr_import(const char *source, const char *packed_path,
		const struct fvsr_import_options *options, struct fvsr_error *err)
{
	struct fvsr_import_options defaults;

	fvsr_import_options_default(&defaults);
	return fvsr_import_known(source, packed_path, options ? options : &defaults, known_files,
				 sizeof(known_files) / sizeof(known_files[0]), err);
}
