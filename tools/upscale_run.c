/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames through the network, and the end of the work, which keeps and counts what there is however
 * it comes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "interrupt.h"
#include "open_stream.h"
#include "part.h"
#include "target.h"
#include "upscale.h"

/* Tells whether all of what is wanted has come out, though the video goes on. */
static bool is_complete(const struct fvsr_upscale *up)
{
	return up->part && up->part->written && fvsr_cli_part_ends(up->part, up->part->out_pts);
}

static int write_picture(struct fvsr_upscale *up)
{
	int64_t pts = fvsr_frame_tag(up->large);
	int result;

	if (up->part && !fvsr_cli_part_owns(up->part, pts))
		return FVSR_OK;
	result = fvsr_media_output_frame(&up->out, fvsr_frame_picture(up->large), pts, &up->err);
	if (result == FVSR_OK && up->part) {
		up->part->written++;
		up->part->out_pts = pts;
	}
	return result;
}

/* Writes every frame that is ready. */
static int receive(struct fvsr_upscale *up)
{
	int result;

	while (!fvsr_cli_interrupted()) {
		if (is_complete(up))
			return FVSR_ERR_EOF;
		result = fvsr_stream_receive(up->stream, up->large);
		if (result == FVSR_ERR_AGAIN || result == FVSR_ERR_EOF)
			return FVSR_OK;
		if (result < 0)
			return fvsr_cli_stream_failed(up->stream, result, &up->err);
		result = write_picture(up);
		if (result < 0)
			return result;
		fvsr_cli_progress_frames(&up->progress, up->out.frames, up->total);
	}
	return FVSR_ERR_CANCELLED;
}

static int send_frame(struct fvsr_upscale *up)
{
	int result = fvsr_media_color_of(up->decoded, &up->color, &up->err);

	if (result < 0)
		return result;
	if (!up->size_changed && (up->decoded->width != up->decoded_width ||
				  up->decoded->height != up->decoded_height)) {
		up->size_changed = true;
		fvsr_cli_warning("the video's size changes from %dx%d to %dx%d at frame %llu; "
				 "frames are scaled to the first size",
				 up->decoded_width, up->decoded_height, up->decoded->width,
				 up->decoded->height, (unsigned long long)up->in.frames - 1);
	}
	result = fvsr_media_to_shown(&up->converter, up->decoded, &up->color, &up->turn,
				     up->unturned, fvsr_frame_picture(up->small), &up->err);
	if (result < 0)
		return result;
	fvsr_frame_set_tag(up->small, up->decoded->pts);
	if (up->part)
		fvsr_cli_part_sent(up->part, up->decoded->pts);
	fvsr_media_output_announce(&up->out, up->decoded->pts,
				   fvsr_media_frame_duration(up->decoded));
	result = fvsr_stream_send(up->stream, up->small);
	return result < 0 ? fvsr_cli_stream_failed(up->stream, result, &up->err) : FVSR_OK;
}

/* From the first frame, which is already decoded, to the end of the input. */
int fvsr_upscale_pump(struct fvsr_upscale *up)
{
	int result = FVSR_OK;

	fvsr_cli_progress_start(&up->progress, up->quiet);
	while (result == FVSR_OK) {
		result = send_frame(up);
		if (result == FVSR_OK)
			result = receive(up);
		av_frame_unref(up->decoded);
		fvsr_cli_progress_frames(&up->progress, up->out.frames, up->total);
		if (result == FVSR_OK)
			result = fvsr_media_input_read(&up->in, up->decoded);
	}
	if (result != FVSR_ERR_EOF)
		return result;
	if (is_complete(up))
		return FVSR_OK;
	result = fvsr_stream_end(up->stream);
	if (result < 0)
		return fvsr_cli_stream_failed(up->stream, result, &up->err);
	result = receive(up);
	return result == FVSR_ERR_EOF ? FVSR_OK : result;
}

static void warn_about_damage(const struct fvsr_upscale *up)
{
	if (up->in.damaged)
		fvsr_cli_warning("%llu packets of %s are damaged and could not be decoded",
				 (unsigned long long)up->in.damaged, up->words[0]);
	if (up->in.retimed)
		fvsr_cli_warning("%llu frames were not after the one before them in time and have "
				 "been moved",
				 (unsigned long long)up->in.retimed);
}

static void say_done(const struct fvsr_upscale *up, double seconds)
{
	if (up->quiet)
		return;
	fvsr_cli_note("%s: %llu frame%s of %dx%d in %.1f s (%.2f frames/s)",
		      up->part ? up->part->path : fvsr_cli_target_name(up->words[1]),
		      (unsigned long long)up->out.frames, up->out.frames == 1 ? "" : "s",
		      up->size.width, up->size.height, seconds,
		      seconds > 0 ? (double)up->out.frames / seconds : 0);
}

/* What is no file cannot be kept or removed: what is there is there. */
static void say_what_went_out(const struct fvsr_upscale *up)
{
	unsigned long long frames = up->out.written;

	if (up->out.sink.sequence)
		fvsr_cli_note("%s got its first %llu picture%s", up->words[1], frames,
			      frames == 1 ? "" : "s");
	else
		fvsr_cli_note("%llu frame%s went to %s", frames, frames == 1 ? "" : "s",
			      fvsr_cli_target_name(up->words[1]));
}

/*
 * Keeps what there is of a file that is not complete. 'sound': all of it has been written in good
 * order, else what can be read decides.
 */
static void keep_part(struct fvsr_upscale *up, bool sound)
{
	struct fvsr_media_sink *sink = &up->out.sink;
	uint64_t frames = sink->single_picture ? 0 : up->out.written;
	struct fvsr_error err = {""};
	char *kept = NULL;

	if (!sink->file) {
		if (frames && sound)
			say_what_went_out(up);
		return;
	}
	if (frames && !sound)
		frames = fvsr_media_readable_frames(fvsr_new_file_part(sink->file));
	if (!frames) {
		fvsr_cli_note(up->out.written
				      ? "what was written cannot be read without its end, which "
					"is missing; no file is left of it"
				      : "stopped before the first frame came out; no file is left");
		return;
	}
	if (fvsr_media_sink_keep(sink, &kept, &err) < 0)
		fvsr_cli_error("%s", err.text);
	else
		fvsr_cli_note("%s holds the first %llu frame%s", kept, (unsigned long long)frames,
			      frames == 1 ? "" : "s");
	free(kept);
}

/* Only a segment that is whole is of use. */
static int end_part(struct fvsr_upscale *up, int result, int status, double seconds)
{
	if (result < 0 || status != FVSR_CLI_OK) {
		fvsr_cli_note("segment %d is not complete; nothing is left of it",
			      up->part->number);
	} else if (fvsr_cli_part_commit(up) < 0) {
		fvsr_cli_error("%s", up->err.text);
		status = FVSR_CLI_FAILED;
	} else {
		say_done(up, seconds);
	}
	return status;
}

int fvsr_upscale_finish(struct fvsr_upscale *up, int result, double seconds)
{
	struct fvsr_error err = {""};
	bool stopped = result == FVSR_ERR_CANCELLED;
	int status = stopped ? FVSR_CLI_SIGNAL + fvsr_cli_interrupted() : FVSR_CLI_OK;
	int end;

	fvsr_cli_progress_clear(&up->progress);
	if (result < 0 && !stopped) {
		fvsr_cli_error("%s", up->err.text);
		status = FVSR_CLI_FAILED;
	}
	end = fvsr_media_output_finish(&up->out, result < 0, &err);
	warn_about_damage(up);
	if (end < 0 && result != FVSR_ERR_IO) {
		fvsr_cli_error("%s", err.text);
		status = FVSR_CLI_FAILED;
	}
	if (up->in.read_error) {
		fvsr_media_fail(&err, up->in.read_error, "%s could not be read to its end",
				up->words[0]);
		fvsr_cli_error("%s", err.text);
		status = FVSR_CLI_FAILED;
	}
	if (up->part)
		return end_part(up, result, status, seconds);
	if (result < 0 || status != FVSR_CLI_OK) {
		keep_part(up, end == FVSR_OK && result != FVSR_ERR_IO);
	} else if (fvsr_media_sink_commit(&up->out.sink, &err) < 0) {
		fvsr_cli_error("%s", err.text);
		status = FVSR_CLI_FAILED;
	} else {
		say_done(up, seconds);
	}
	return status;
}

int fvsr_upscale_fail_early(const struct fvsr_upscale *up, int result)
{
	if (fvsr_cli_interrupted())
		return FVSR_CLI_SIGNAL + fvsr_cli_interrupted();
	fvsr_cli_error("%s", up->err.text[0] ? up->err.text : fvsr_result_text(result));
	return result == FVSR_ERR_ARGUMENT ? FVSR_CLI_USAGE : FVSR_CLI_FAILED;
}
