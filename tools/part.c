/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making one segment: see part.h. Tasks know nothing of each other: the manifest and each part
 * appear at once and whole, so one that is killed, repeated or run twice at once does no harm.
 */
#include "part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/avstring.h>

#include "platform.h"
#include "segment_plan.h"
#include "target.h"

bool fvsr_cli_part_parse(struct fvsr_cli_part *part, const char *text)
{
	char rest;

	return sscanf(text, "%6d/%6d%c", &part->number, &part->of, &rest) == 2 &&
	       part->number >= 1 && part->number <= part->of && part->of <= FVSR_MAX_SEGMENTS;
}

static int take_packet(void *opaque, const AVPacket *packet, struct fvsr_error *err)
{
	struct fvsr_cli_part *part = opaque;

	return fvsr_cli_part_writer_packet(&part->writer, packet, err);
}

void fvsr_cli_part_attach(struct fvsr_cli_part *part, struct fvsr_upscale *up)
{
	part->first_pts = part->last_pts = AV_NOPTS_VALUE;
	part->before_pts = part->after_pts = AV_NOPTS_VALUE;
	up->part = part;
	up->out.take = take_packet;
	up->out.take_opaque = part;
}

/* ------------------------------------------------------------------------------------------- */
/* The manifest                                                                                */

static int check_kind(struct fvsr_upscale *up)
{
	const char *why = NULL;

	if (fvsr_cli_is_standard(up->words[0]) || fvsr_cli_is_standard(up->words[1]))
		why = "a pipe";
	else if (up->container->flags & AVFMT_NOFILE)
		why = "pictures in files of their own";
	if (!why)
		return FVSR_OK;
	fvsr_media_fail(&up->err, 0,
			"segments are made of and for files that can be read at any "
			"place, not of or for %s",
			why);
	return FVSR_ERR_ARGUMENT;
}

/* Plans, if nobody has done so yet. */
static int write_manifest(struct fvsr_upscale *up, const json_t *settings, const char *path)
{
	json_t *root;
	int result;

	if (fvsr_platform_file_size(path) >= 0)
		return FVSR_OK;
	root = json_deep_copy(settings);
	result = root ? fvsr_segment_plan(up, up->part->of, root) : FVSR_ERR_MEMORY;
	if (result == FVSR_OK)
		result = fvsr_manifest_write(root, path, &up->err);
	json_decref(root);
	return result;
}

static int agree(struct fvsr_upscale *up, const char *path)
{
	struct fvsr_cli_part *part = up->part;
	json_t *settings = fvsr_segment_settings(up);
	int result;

	if (!settings)
		return FVSR_ERR_IO;
	result = write_manifest(up, settings, path);
	if (result == FVSR_OK)
		result = fvsr_manifest_open(&part->manifest, path, &up->err);
	if (result == FVSR_OK)
		result = fvsr_manifest_compare(&part->manifest, settings, path, &up->err);
	json_decref(settings);
	if (result == FVSR_OK && part->manifest.count != part->of) {
		fvsr_media_fail(&up->err, 0, "%s is of %d segments, not of %d", path,
				part->manifest.count, part->of);
		return FVSR_ERR_ARGUMENT;
	}
	return result;
}

/* ------------------------------------------------------------------------------------------- */
/* Beginning                                                                                   */

/* Tells whether the part has been made for this manifest. */
static bool is_there(const struct fvsr_cli_part *part)
{
	struct fvsr_cli_part_reader reader;
	struct fvsr_error err;
	const char *id = NULL;
	bool there = fvsr_cli_part_reader_open(&reader, part->path, &err) == FVSR_OK;

	if (there)
		id = json_string_value(json_object_get(reader.record, "manifest"));
	there = id && strcmp(id, part->manifest.id) == 0;
	fvsr_cli_part_reader_close(&reader);
	return there;
}

/* Goes to the frame that the network begins with. */
static int go(struct fvsr_upscale *up, int64_t run_pts)
{
	struct fvsr_cli_part *part = up->part;
	int result;

	fvsr_media_input_video_only(&up->in);
	result = fvsr_media_input_seek(&up->in, run_pts, up->decoded, &part->before_pts, &up->err);
	if (result == FVSR_ERR_EOF || (result == FVSR_OK && up->decoded->pts != run_pts)) {
		fvsr_media_fail(&up->err, 0,
				"%s has no frame at %lld, where segment %d is to begin: its frames "
				"cannot be found again; make a copy with ffmpeg -c copy",
				up->words[0], (long long)run_pts, part->number);
		return FVSR_ERR_IO;
	}
	return result;
}

int fvsr_cli_part_begin(struct fvsr_upscale *up)
{
	struct fvsr_cli_part *part = up->part;
	struct fvsr_manifest_segment segment;
	char path[FVSR_CLI_PATH_BYTES];
	const char *target = fvsr_upscale_path(up->words[1]);
	int result = check_kind(up);
	char *folder;
	bool made;

	if (result < 0)
		return result;
	folder = av_asprintf("%s.parts", target);
	made = folder && fvsr_platform_make_folder(folder) &&
	       (size_t)snprintf(path, sizeof(path), "%s/manifest.json", folder) < sizeof(path);
	av_free(folder);
	if (!made)
		return fvsr_media_fail(&up->err, 0, "the folder %s.parts cannot be made", target);
	result = agree(up, path);
	if (result < 0)
		return result;
	segment = fvsr_manifest_segment(&part->manifest, part->number - 1);
	part->range = segment.range;
	part->start_pts = segment.start_pts;
	part->end_pts = segment.end_pts;
	up->total = (uint64_t)(part->range.end - part->range.first);
	part->path = fvsr_manifest_part_path(path, part->number - 1);
	if (!part->path)
		return fvsr_media_fail(&up->err, AVERROR(ENOMEM), "cannot write %s", path);
	part->there = is_there(part);
	if (part->there)
		return FVSR_OK;
	result = fvsr_cli_part_writer_open(&part->writer, part->path, up->out.encoder, &up->err);
	return result == FVSR_OK ? go(up, segment.run_pts) : result;
}

/* ------------------------------------------------------------------------------------------- */
/* Frames, and the end                                                                         */

bool fvsr_cli_part_owns(const struct fvsr_cli_part *part, int64_t pts)
{
	return pts >= part->start_pts && pts < part->end_pts;
}

void fvsr_cli_part_sent(struct fvsr_cli_part *part, int64_t pts)
{
	if (pts < part->start_pts) {
		part->before_pts = pts;
	} else if (pts < part->end_pts) {
		if (part->first_pts == AV_NOPTS_VALUE)
			part->first_pts = pts;
		part->last_pts = pts;
	} else if (part->after_pts == AV_NOPTS_VALUE) {
		part->after_pts = pts;
	}
}

bool fvsr_cli_part_ends(const struct fvsr_cli_part *part, int64_t pts)
{
	return part->after_pts != AV_NOPTS_VALUE && pts >= part->last_pts;
}

static json_t *time_or_null(int64_t pts)
{
	return pts == AV_NOPTS_VALUE ? json_null() : json_integer(pts);
}

int fvsr_cli_part_commit(struct fvsr_upscale *up)
{
	struct fvsr_cli_part *part = up->part;
	struct fvsr_model_info info;
	json_t *record;
	int result;

	fvsr_model_describe(up->model, &info);
	record = json_pack(
		"{s:s, s:i, s:I, s:I, s:o, s:o, s:o, s:o, s:s, s:s}", "manifest", part->manifest.id,
		"segment", part->number, "frames", (json_int_t)part->written, "damaged",
		(json_int_t)up->in.damaged, "first_pts", time_or_null(part->first_pts), "last_pts",
		time_or_null(part->last_pts), "before_pts", time_or_null(part->before_pts),
		"after_pts", time_or_null(part->after_pts), "backend", info.backend, "version",
		fvsr_version());
	if (!record)
		return fvsr_media_fail(&up->err, AVERROR(ENOMEM), "cannot write %s", part->path);
	result = fvsr_cli_part_writer_commit(&part->writer, record, &up->err);
	json_decref(record);
	return result;
}

void fvsr_cli_part_close(struct fvsr_cli_part *part)
{
	fvsr_cli_part_writer_close(&part->writer);
	fvsr_manifest_close(&part->manifest);
	free(part->path);
	part->path = NULL;
}
