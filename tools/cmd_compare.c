/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fvsr compare: what upscaling makes of one picture of a video, to be looked at. The picture before
 * it, enlarged by bicubic, and upscaled stand side by side, pixel for pixel; where the truth is at
 * hand, figures say how like it they are.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "console.h"
#include "film.h"
#include "interrupt.h"
#include "likeness.h"
#include "model_args.h"
#include "open_stream.h"
#include "options.h"
#include "page.h"
#include "target.h"

/* Pictures before the wanted one that the network is to have seen: three slices of eight. */
#define RUN_UP 24
/* The largest part of the output that is shown where nobody names one. */
#define PART_WIDTH  480
#define PART_HEIGHT 360
/* Where the picture differs most is looked for on this grid. */
#define STEP 8

enum role { BEFORE, BICUBIC, AFTER, TRUTH, ROLES };

struct compare {
	const char *words[2]; /* input; the upscaled file, or NULL */
	struct fvsr_cli_model_args model_args;
	struct fvsr_cli_stream_args stream_args;
	double scale, at_s; /* at_s < 0: the film's middle */
	struct fvsr_cli_size size;
	const char *crop, *page, *reference;
	bool quiet, verbose;

	struct fvsr_film in, other; /* 'other': the upscaled file, later the reference */
	fvsr_model *model;
	fvsr_stream *stream;
	fvsr_frame *small, *large;
	fvsr_frame *source;          /* the picture that is compared, as the input has it */
	fvsr_frame *pictures[ROLES]; /* of the output's size; TRUTH is NULL without a reference */
	double shown_s;              /* the picture's time */
	struct fvsr_likeness likeness[ROLES];
	struct fvsr_page_part part;
	struct fvsr_error err;
};

static int refuse(struct compare *cmp, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int refuse(struct compare *cmp, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(cmp->err.text, sizeof(cmp->err.text), format, args);
	va_end(args);
	return FVSR_ERR_ARGUMENT;
}

/* ------------------------------------------------------------------------------------------- */
/* The pictures                                                                                */

static int new_picture(fvsr_frame **out, int width, int height)
{
	return fvsr_frame_create(out, FVSR_FORMAT_RGBA8, width, height);
}

/* Reads the decoded picture of a film into a new frame. */
static int take_picture(struct compare *cmp, struct fvsr_film *film, fvsr_frame **out)
{
	int result = new_picture(out, film->width, film->height);

	return result < 0 ? result : fvsr_film_picture(film, fvsr_frame_picture(*out), &cmp->err);
}

static int choose_time(struct compare *cmp)
{
	const double length_s = fvsr_film_length_s(&cmp->in);

	if (cmp->at_s < 0)
		cmp->at_s = length_s / 2;
	else if (length_s > 0 && cmp->at_s >= length_s)
		return refuse(cmp, "%s is %.3f s long, so there is no picture at %.3f s",
			      cmp->words[0], length_s, cmp->at_s);
	return FVSR_OK;
}

static int open_stream(struct compare *cmp)
{
	struct fvsr_settings set;

	fvsr_settings_default(&set);
	fvsr_cli_apply_stream_args(&cmp->stream_args, &set);
	set.in_width = cmp->in.width;
	set.in_height = cmp->in.height;
	set.out_width = cmp->size.width;
	set.out_height = cmp->size.height;
	return fvsr_cli_open_stream(cmp->model, &set, cmp->verbose, &cmp->stream, &cmp->small,
				    &cmp->large, &cmp->err);
}

/* Looks for the wanted picture among those that are ready. FVSR_ERR_AGAIN: it is not there yet. */
static int receive(struct compare *cmp)
{
	int result;

	while (!fvsr_cli_interrupted()) {
		result = fvsr_stream_receive(cmp->stream, cmp->large);
		if (result == FVSR_ERR_AGAIN)
			return result;
		if (result < 0)
			return fvsr_cli_stream_failed(cmp->stream, result, &cmp->err);
		if (fvsr_frame_tag(cmp->large)) {
			cmp->pictures[AFTER] = cmp->large;
			cmp->large = NULL;
			return FVSR_OK;
		}
	}
	return FVSR_ERR_CANCELLED;
}

static int send(struct compare *cmp)
{
	int result = fvsr_film_picture(&cmp->in, fvsr_frame_picture(cmp->small), &cmp->err);

	if (result < 0)
		return result;
	fvsr_frame_set_tag(cmp->small, cmp->in.time_s == cmp->shown_s);
	result = fvsr_stream_send(cmp->stream, cmp->small);
	return result < 0 ? fvsr_cli_stream_failed(cmp->stream, result, &cmp->err) : FVSR_OK;
}

/* Runs the network over the pictures before the wanted one, and on until that one comes out. */
static int compute_after(struct compare *cmp)
{
	const double run_up_s = RUN_UP * cmp->in.duration_s;
	const double from_s = cmp->shown_s > run_up_s ? cmp->shown_s - run_up_s : 0;
	int result = open_stream(cmp);

	if (result == FVSR_OK)
		result = fvsr_film_seek(&cmp->in, from_s, &cmp->err);
	while (result == FVSR_OK) {
		result = send(cmp);
		if (result == FVSR_OK)
			result = receive(cmp);
		if (result != FVSR_ERR_AGAIN)
			return result;
		result = fvsr_film_next(&cmp->in, &cmp->err);
	}
	if (result == FVSR_ERR_EOF)
		result = fvsr_stream_end(cmp->stream);
	return result < 0 ? result : receive(cmp);
}

/* Reads the picture of another film that is shown at the same time. */
static int read_other(struct compare *cmp, const char *path, fvsr_frame **out)
{
	int result = fvsr_film_open(&cmp->other, path, &cmp->err);

	if (result == FVSR_OK)
		result = fvsr_film_seek(&cmp->other, cmp->shown_s, &cmp->err);
	if (result == FVSR_OK)
		result = take_picture(cmp, &cmp->other, out);
	fvsr_film_close(&cmp->other);
	return result;
}

static int read_after(struct compare *cmp)
{
	const struct fvsr_picture *after;
	int result = read_other(cmp, cmp->words[1], &cmp->pictures[AFTER]);

	if (result < 0)
		return result;
	after = fvsr_frame_picture(cmp->pictures[AFTER]);
	cmp->size = (struct fvsr_cli_size){after->width, after->height};
	if (cmp->size.width < cmp->in.width || cmp->size.height < cmp->in.height)
		return refuse(cmp, "%s has %dx%d pixels, fewer than %s, which has %dx%d",
			      cmp->words[1], cmp->size.width, cmp->size.height, cmp->words[0],
			      cmp->in.width, cmp->in.height);
	return FVSR_OK;
}

static int read_truth(struct compare *cmp)
{
	const struct fvsr_picture *truth;
	int result = read_other(cmp, cmp->reference, &cmp->pictures[TRUTH]);

	if (result < 0)
		return result;
	truth = fvsr_frame_picture(cmp->pictures[TRUTH]);
	if (truth->width != cmp->size.width || truth->height != cmp->size.height)
		return refuse(cmp, "%s has %dx%d pixels, and the upscaled picture %dx%d",
			      cmp->reference, truth->width, truth->height, cmp->size.width,
			      cmp->size.height);
	return FVSR_OK;
}

/* Repeats pixels, so that the page shows them as they are, at the output's size. */
static void repeat_pixels(const struct fvsr_picture *from, const struct fvsr_picture *to)
{
	for (int y = 0; y < to->height; y++) {
		const uint8_t *row =
			(const uint8_t *)from->data +
			from->stride * (size_t)((int64_t)y * from->height / to->height);
		uint8_t *out = (uint8_t *)to->data + to->stride * (size_t)y;

		for (int x = 0; x < to->width; x++, out += 4)
			memcpy(out, row + 4 * ((int64_t)x * from->width / to->width), 4);
	}
}

static int enlarge(struct compare *cmp)
{
	const struct fvsr_picture *source = fvsr_frame_picture(cmp->source);
	int result = new_picture(&cmp->pictures[BEFORE], cmp->size.width, cmp->size.height);

	if (result == FVSR_OK)
		result = new_picture(&cmp->pictures[BICUBIC], cmp->size.width, cmp->size.height);
	if (result < 0)
		return result;
	repeat_pixels(source, fvsr_frame_picture(cmp->pictures[BEFORE]));
	return fvsr_bicubic(source, fvsr_frame_picture(cmp->pictures[BICUBIC]), &cmp->err);
}

static int read_pictures(struct compare *cmp)
{
	int result = fvsr_film_open(&cmp->in, cmp->words[0], &cmp->err);

	if (result == FVSR_OK)
		result = choose_time(cmp);
	if (result == FVSR_OK)
		result = fvsr_film_seek(&cmp->in, cmp->at_s, &cmp->err);
	if (result == FVSR_OK)
		result = take_picture(cmp, &cmp->in, &cmp->source);
	if (result < 0)
		return result;
	cmp->shown_s = cmp->in.time_s;
	if (cmp->words[1])
		result = read_after(cmp);
	else if (!cmp->size.width)
		cmp->size = (struct fvsr_cli_size){(int)lround(cmp->in.width * cmp->scale),
						   (int)lround(cmp->in.height * cmp->scale)};
	if (result == FVSR_OK && cmp->reference)
		result = read_truth(cmp);
	if (result == FVSR_OK && !cmp->words[1])
		result = compute_after(cmp);
	return result < 0 ? result : enlarge(cmp);
}

/* ------------------------------------------------------------------------------------------- */
/* The part that is shown                                                                      */

/* How far the upscaled picture is from bicubic in a part, on a grid. */
static uint64_t difference_in(const struct compare *cmp, const struct fvsr_page_part *part)
{
	const struct fvsr_picture *a = fvsr_frame_picture(cmp->pictures[BICUBIC]);
	const struct fvsr_picture *b = fvsr_frame_picture(cmp->pictures[AFTER]);
	uint64_t sum = 0;

	for (int y = part->y; y < part->y + part->height; y += 2) {
		const uint8_t *row_a = (const uint8_t *)a->data + a->stride * (size_t)y;
		const uint8_t *row_b = (const uint8_t *)b->data + b->stride * (size_t)y;

		for (int x = part->x; x < part->x + part->width; x += 2)
			sum += (uint64_t)abs(row_a[4 * x + 1] - row_b[4 * x + 1]);
	}
	return sum;
}

/* Moves the part to where upscaling changed most, in steps of a fraction of its size. */
static void find_place(struct compare *cmp)
{
	struct fvsr_page_part best = cmp->part, part = cmp->part;
	const int step_x = part.width > STEP ? part.width / STEP : 1;
	const int step_y = part.height > STEP ? part.height / STEP : 1;
	uint64_t most = 0;

	for (part.y = 0; part.y + part.height <= cmp->size.height; part.y += step_y) {
		for (part.x = 0; part.x + part.width <= cmp->size.width; part.x += step_x) {
			const uint64_t difference = difference_in(cmp, &part);

			if (difference > most) {
				most = difference;
				best = part;
			}
		}
	}
	cmp->part = best;
}

static int limit(int value, int most)
{
	return value < most ? value : most;
}

/* Reads --crop, "WxH" or "WxH+X+Y", in pixels of the output. */
static int choose_part(struct compare *cmp)
{
	struct fvsr_page_part *part = &cmp->part;
	int fields = 2, used = 0;

	*part = (struct fvsr_page_part){.width = limit(PART_WIDTH, cmp->size.width),
					.height = limit(PART_HEIGHT, cmp->size.height)};
	if (cmp->crop) {
		fields = sscanf(cmp->crop, "%5dx%5d%n+%5d+%5d%n", &part->width, &part->height,
				&used, &part->x, &part->y, &used);
		if ((fields != 2 && fields != 4) || cmp->crop[used])
			return refuse(cmp, "--crop takes WxH or WxH+X+Y, not '%s'", cmp->crop);
	}
	if (part->width < 1 || part->height < 1 || part->x < 0 || part->y < 0 ||
	    part->x + part->width > cmp->size.width || part->y + part->height > cmp->size.height)
		return refuse(cmp, "--crop %s is not inside the upscaled picture, which is %dx%d",
			      cmp->crop, cmp->size.width, cmp->size.height);
	if (fields == 2)
		find_place(cmp);
	return FVSR_OK;
}

/* ------------------------------------------------------------------------------------------- */
/* What is said of them                                                                        */

static int measure(struct compare *cmp)
{
	const struct fvsr_picture *truth;
	const bool vmaf = cmp->reference && fvsr_vmaf_available();
	int result = FVSR_OK;

	if (!cmp->reference)
		return result;
	if (!vmaf && !cmp->quiet)
		fvsr_cli_note("no VMAF: the program ffmpeg is missing, or has no libvmaf");
	truth = fvsr_frame_picture(cmp->pictures[TRUTH]);
	for (int role = BICUBIC; role <= AFTER && result == FVSR_OK; role++)
		result = fvsr_likeness_of(fvsr_frame_picture(cmp->pictures[role]), truth, vmaf,
					  &cmp->likeness[role], &cmp->err);
	return result;
}

static void describe(const struct fvsr_likeness *likeness, char *text, size_t size)
{
	int used = snprintf(text, size, "PSNR %.2f dB", likeness->psnr_db);

	if (!isnan(likeness->ssim))
		used += snprintf(text + used, size - (size_t)used, "  SSIM %.4f", likeness->ssim);
	if (!isnan(likeness->vmaf))
		snprintf(text + used, size - (size_t)used, "  VMAF %.1f", likeness->vmaf);
}

static int write_page(struct compare *cmp)
{
	static const char *const names[ROLES] = {"BEFORE", "BICUBIC", "AFTER", "REFERENCE"};
	const struct fvsr_picture *source = fvsr_frame_picture(cmp->source);
	struct fvsr_page_panel panels[ROLES];
	int count = 0;

	memset(panels, 0, sizeof(panels));
	for (int role = BEFORE; role < ROLES; role++) {
		struct fvsr_page_panel *panel = &panels[count];

		if (!cmp->pictures[role])
			continue;
		count++;
		panel->picture = fvsr_frame_picture(cmp->pictures[role]);
		snprintf(panel->lines[0], sizeof(panel->lines[0]), "%s %dX%d", names[role],
			 role == BEFORE ? source->width : cmp->size.width,
			 role == BEFORE ? source->height : cmp->size.height);
		if (cmp->reference && (role == BICUBIC || role == AFTER))
			describe(&cmp->likeness[role], panel->lines[1], sizeof(panel->lines[1]));
	}
	return fvsr_page_write(cmp->page, panels, count, &cmp->part, &cmp->err);
}

static void say_done(const struct compare *cmp)
{
	char text[64];

	printf("%s: %dx%d at +%d+%d of %dx%d, the picture at %.3f s\n", cmp->page, cmp->part.width,
	       cmp->part.height, cmp->part.x, cmp->part.y, cmp->size.width, cmp->size.height,
	       cmp->shown_s);
	if (!cmp->reference)
		return;
	describe(&cmp->likeness[BICUBIC], text, sizeof(text));
	printf("bicubic  %s\n", text);
	describe(&cmp->likeness[AFTER], text, sizeof(text));
	printf("after    %s\n", text);
}

/* ------------------------------------------------------------------------------------------- */
/* The command                                                                                 */

/* Refuses a page that would destroy a film or the model, or fill a terminal. */
static int check_page(struct compare *cmp)
{
	const char *const films[] = {cmp->words[0], cmp->words[1], cmp->reference};
	char path[FVSR_CLI_PATH_BYTES];
	int result = FVSR_OK;

	for (size_t i = 0; i < sizeof(films) / sizeof(films[0]); i++)
		if (films[i] && fvsr_cli_is_standard(films[i]))
			return refuse(cmp, "a picture in the middle of a pipe cannot be found: "
					   "name a file");
	if (fvsr_cli_is_standard(cmp->page))
		return refuse(cmp, "name a file for the page: --output FILE.png");
	for (size_t i = 0; i < sizeof(films) / sizeof(films[0]) && result == FVSR_OK; i++)
		if (films[i])
			result = fvsr_cli_check_target(cmp->page, films[i],
						       fvsr_cli_model_spec(&cmp->model_args, path),
						       "", &cmp->err);
	return result;
}

static int fail(const struct compare *cmp, int result)
{
	if (fvsr_cli_interrupted())
		return FVSR_CLI_SIGNAL + fvsr_cli_interrupted();
	fvsr_cli_error("%s", cmp->err.text[0] ? cmp->err.text : fvsr_result_text(result));
	return result == FVSR_ERR_ARGUMENT ? FVSR_CLI_USAGE : FVSR_CLI_FAILED;
}

static int run(struct compare *cmp)
{
	int result;

	fvsr_cli_catch_signals();
	fvsr_media_log(cmp->verbose, true);
	result = check_page(cmp);
	if (result < 0)
		return fail(cmp, result);
	if (!cmp->words[1]) {
		cmp->model = fvsr_cli_open_model(&cmp->model_args, cmp->quiet, cmp->verbose);
		if (!cmp->model)
			return fvsr_cli_interrupted() ? FVSR_CLI_SIGNAL + fvsr_cli_interrupted()
						      : FVSR_CLI_USAGE;
	}
	result = read_pictures(cmp);
	if (result == FVSR_OK)
		result = choose_part(cmp);
	if (result == FVSR_OK)
		result = measure(cmp);
	if (result == FVSR_OK)
		result = write_page(cmp);
	if (result < 0)
		return fail(cmp, result);
	if (!cmp->quiet)
		say_done(cmp);
	return FVSR_CLI_OK;
}

static void clean_up(struct compare *cmp)
{
	for (int role = BEFORE; role < ROLES; role++)
		fvsr_frame_destroy(cmp->pictures[role]);
	fvsr_frame_destroy(cmp->source);
	fvsr_frame_destroy(cmp->small);
	fvsr_frame_destroy(cmp->large);
	fvsr_stream_close(cmp->stream);
	fvsr_model_unref(cmp->model);
	fvsr_film_close(&cmp->in);
}

static const char description[] =
	"Shows what upscaling makes of one picture of IN, side by side and pixel for\n"
	"pixel in a PNG file: the picture before it (its pixels repeated), enlarged by\n"
	"bicubic, and upscaled. OUT is the file that was made of IN; without it the\n"
	"network runs here, over the pictures before the wanted one too.\n"
	"\n"
	"With --reference, a video of the output's size that shows the truth, PSNR and\n"
	"SSIM of the whole picture are printed, and VMAF where the program ffmpeg has\n"
	"libvmaf.\n";

static const char epilogue[] =
	"Exit status: 0 when the page is written, 1 when the work failed, 2 for wrong\n"
	"usage or a model that cannot be opened, 128 + N when signal N stopped it.\n"
	"\n"
	"Examples:\n"
	"  fvsr compare --at 12.5 game.mp4\n"
	"  fvsr compare --crop 320x240+100+80 -o face.png talk.mp4 talk-4x.mp4\n"
	"  fvsr compare --reference large.mkv small.mkv\n";

int fvsr_cmd_compare(int argc, char **argv)
{
	struct compare cmp = {.scale = 4, .at_s = -1, .page = "compare.png"};
	struct fvsr_cli_option model_options[FVSR_CLI_MODEL_OPTIONS];
	struct fvsr_cli_option stream_options[FVSR_CLI_STREAM_OPTIONS];
	const struct fvsr_cli_option own[] = {
		{"output", 'o', FVSR_CLI_STRING, &cmp.page, "FILE",
		 "where the page goes (default compare.png)", 0, 0, NULL},
		{"at", 0, FVSR_CLI_REAL, &cmp.at_s, "S",
		 "the picture that is shown S seconds after the first\n(default: the middle)", 0,
		 1e7, NULL},
		{"crop", 0, FVSR_CLI_STRING, &cmp.crop, "WxH[+X+Y]",
		 "the part to show, in pixels of the output (default\n480x360, where upscaling "
		 "changes most)",
		 0, 0, NULL},
		{"reference", 'r', FVSR_CLI_STRING, &cmp.reference, "FILE",
		 "a video that shows what the output should be", 0, 0, NULL},
		{"scale", 's', FVSR_CLI_REAL, &cmp.scale, "S",
		 "how much larger the output is (default 4)", 1, 16, NULL},
		{"size", 0, FVSR_CLI_SIZE, &cmp.size, "WxH",
		 "the output's size, instead of --scale", 0, 0, NULL},
		{"quiet", 'q', FVSR_CLI_FLAG, &cmp.quiet, NULL,
		 "nothing but warnings and errors is said", 0, 0, NULL},
		{"verbose", 'v', FVSR_CLI_FLAG, &cmp.verbose, NULL,
		 "also the messages of the library and of FFmpeg", 0, 0, NULL},
	};
	const struct fvsr_cli_group groups[] = {
		{"Options", own, sizeof(own) / sizeof(own[0])},
		{"Model", model_options, FVSR_CLI_MODEL_OPTIONS},
		{"Network", stream_options, FVSR_CLI_STREAM_OPTIONS},
	};
	const struct fvsr_cli_usage usage = {.name = "compare",
					     .summary = "look at what upscaling makes of a picture",
					     .synopsis = "[options] IN [OUT]",
					     .description = description,
					     .epilogue = epilogue,
					     .groups = groups,
					     .num_groups = sizeof(groups) / sizeof(groups[0]),
					     .min_words = 1,
					     .max_words = 2};
	int status;

	fvsr_cli_model_options(&cmp.model_args, model_options);
	fvsr_cli_stream_options(&cmp.stream_args, stream_options);
	status = fvsr_cli_parse(&usage, argc, argv, cmp.words);
	if (status != FVSR_CLI_GO)
		return status;
	status = run(&cmp);
	clean_up(&cmp);
	return status;
}
