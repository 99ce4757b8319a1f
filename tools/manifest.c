/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading and writing the manifest of a video in segments. Nothing in it is believed before it has
 * been looked at: segments must follow one another without a gap, in frames and in time.
 */
#include "manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/mem.h>
#include <libavutil/sha.h>

#include "media.h"
#include "platform.h"
#include "target.h"

#define FORMAT    "fvsr-segments"
#define VERSION   1
#define MAX_BYTES (64 << 20)

bool fvsr_sha256_text(const void *data, size_t bytes, char text[65])
{
	struct AVSHA *sha = av_sha_alloc();
	uint8_t sum[32];

	if (!sha)
		return false;
	av_sha_init(sha, 256);
	av_sha_update(sha, data, bytes);
	av_sha_final(sha, sum);
	av_free(sha);
	for (size_t i = 0; i < sizeof(sum); i++)
		snprintf(text + 2 * i, 3, "%02x", sum[i]);
	return true;
}

char *fvsr_manifest_part_path(const char *manifest_path, int k)
{
	size_t folder = (size_t)(fvsr_platform_last_word(manifest_path) - manifest_path);
	char *path = malloc(folder + 32);

	if (path)
		snprintf(path, folder + 32, "%.*s%05d.part", (int)folder, manifest_path, k + 1);
	return path;
}

int fvsr_manifest_write(const json_t *root, const char *path, struct fvsr_error *err)
{
	char *text = json_dumps(root, JSON_INDENT(1) | JSON_SORT_KEYS);
	int result;

	if (!text)
		return fvsr_media_fail(err, AVERROR(ENOMEM), "cannot write %s", path);
	result = fvsr_cli_write_file(path, text, strlen(text), err);
	free(text);
	return result;
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

json_t *fvsr_manifest_of_segment(const struct fvsr_manifest_segment *segment)
{
	json_t *end = segment->end_pts == INT64_MAX ? json_null() : json_integer(segment->end_pts);

	return json_pack("{s:I, s:I, s:I, s:s, s:I, s:o, s:I}", "first",
			 (json_int_t)segment->range.first, "end", (json_int_t)segment->range.end,
			 "run_from", (json_int_t)segment->range.run_from, "seam",
			 fvsr_seam_word(segment->range.seam), "start_pts",
			 (json_int_t)segment->start_pts, "end_pts", end, "run_pts",
			 (json_int_t)segment->run_pts);
}

struct fvsr_manifest_segment fvsr_manifest_segment(const struct fvsr_manifest *manifest, int k)
{
	const json_t *json = json_array_get(json_object_get(manifest->root, "segments"), (size_t)k);
	struct fvsr_manifest_segment segment = {
		.range = {.first = number(json, "first"),
			  .end = number(json, "end"),
			  .run_from = number(json, "run_from")},
		.start_pts = number(json, "start_pts"),
		.run_pts = number(json, "run_pts"),
		.end_pts = json_is_null(json_object_get(json, "end_pts")) ? INT64_MAX
									  : number(json, "end_pts"),
	};

	fvsr_seam_of(json_string_value(json_object_get(json, "seam")), &segment.range.seam);
	return segment;
}

static bool is_segment(const struct fvsr_manifest_segment *s)
{
	return s->range.first >= 0 && s->range.end > s->range.first && s->range.run_from >= 0 &&
	       s->range.run_from <= s->range.first && s->range.run_from % FVSR_CHUNK_FRAMES == 0 &&
	       s->run_pts <= s->start_pts && s->end_pts > s->start_pts;
}

/* Checks that the segments are all of the video, and that each begins where another ends. */
static bool is_whole(const struct fvsr_manifest *manifest)
{
	struct fvsr_manifest_segment last = fvsr_manifest_segment(manifest, 0), next;

	if (!is_segment(&last) || last.range.first != 0)
		return false;
	for (int k = 1; k < manifest->count; k++, last = next) {
		next = fvsr_manifest_segment(manifest, k);
		if (!is_segment(&next) || next.range.first != last.range.end ||
		    next.start_pts != last.end_pts)
			return false;
	}
	return last.end_pts == INT64_MAX && last.range.end == number(manifest->root, "frames");
}

static bool is_manifest(struct fvsr_manifest *manifest)
{
	const char *format = json_string_value(json_object_get(manifest->root, "format"));
	size_t count = json_array_size(json_object_get(manifest->root, "segments"));

	if (!format || strcmp(format, FORMAT) != 0 ||
	    number(manifest->root, "version") != VERSION || count < 1 || count > FVSR_MAX_SEGMENTS)
		return false;
	manifest->count = (int)count;
	return is_whole(manifest);
}

static char *read_text(const char *path, int64_t bytes)
{
	FILE *file = fvsr_platform_open(path, "rb");
	char *text = file ? malloc((size_t)bytes + 1) : NULL;

	if (text && fread(text, 1, (size_t)bytes, file) != (size_t)bytes) {
		free(text);
		text = NULL;
	}
	if (file)
		fclose(file);
	return text;
}

int fvsr_manifest_open(struct fvsr_manifest *manifest, const char *path, struct fvsr_error *err)
{
	int64_t bytes = fvsr_platform_file_size(path);
	char *text;

	*manifest = (struct fvsr_manifest){0};
	if (bytes < 0) {
		fvsr_media_fail(err, 0, "there is no manifest %s", path);
		return FVSR_ERR_IO;
	}
	text = bytes <= MAX_BYTES ? read_text(path, bytes) : NULL;
	if (text && fvsr_sha256_text(text, (size_t)bytes, manifest->id))
		manifest->root = json_loadb(text, (size_t)bytes, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	if (is_manifest(manifest))
		return FVSR_OK;
	fvsr_media_fail(err, 0, "%s is no manifest of segments, or is damaged", path);
	return FVSR_ERR_FORMAT;
}

void fvsr_manifest_close(struct fvsr_manifest *manifest)
{
	json_decref(manifest->root);
	manifest->root = NULL;
}

int fvsr_manifest_compare(const struct fvsr_manifest *manifest, const json_t *want,
			  const char *path, struct fvsr_error *err)
{
	const char *group, *key;
	json_t *values, *value;

	json_object_foreach((json_t *)(uintptr_t)want, group, values)
	{
		const json_t *there = json_object_get(manifest->root, group);

		json_object_foreach(values, key, value)
		{
			/* A file may be reached by several paths. */
			if (strcmp(key, "path") == 0 ||
			    json_equal(value, json_object_get(there, key)))
				continue;
			fvsr_media_fail(err, 0,
					"%s is of segments with another %s (%s); use another name "
					"for the output, or remove the folder",
					path, key, group);
			return FVSR_ERR_ARGUMENT;
		}
	}
	return FVSR_OK;
}
