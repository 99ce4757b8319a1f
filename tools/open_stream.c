/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stream that does not fit would push all other programs out of memory, and is then killed when
 * hours of work are done: so its cost is compared with what is free first, as the filter does. On
 * a graphics card the library compares by itself.
 */
#include "open_stream.h"

#include <math.h>
#include <stdio.h>

#include "console.h"
#include "platform.h"
#include "report.h"

#define HALVINGS 6

/* The settings with an output 'part' of the way from the input's size to the wanted one. */
static struct fvsr_settings between(const struct fvsr_settings *set, double part)
{
	struct fvsr_settings smaller = *set;

	smaller.out_width = set->in_width + (int)lround(part * (set->out_width - set->in_width));
	smaller.out_height =
		set->in_height + (int)lround(part * (set->out_height - set->in_height));
	return smaller;
}

/* In the computer: the stream, and a frame at both ends of it. */
static uint64_t needed(const struct fvsr_settings *set, const struct fvsr_stream_cost *cost)
{
	return cost->host_bytes + 4 * ((uint64_t)set->in_width * (uint64_t)set->in_height +
				       (uint64_t)set->out_width * (uint64_t)set->out_height);
}

static bool fits(const fvsr_model *model, const struct fvsr_settings *set, uint64_t available)
{
	struct fvsr_stream_cost cost;
	struct fvsr_error err;

	return fvsr_stream_cost(model, set, &cost, &err) == FVSR_OK &&
	       needed(set, &cost) < available;
}

/* "; 640x480 would fit" when something between the input's size and the wanted one does. */
static void say_what_fits(const fvsr_model *model, const struct fvsr_settings *set,
			  uint64_t available, char *text, size_t size)
{
	double least = 0, most = 1;
	struct fvsr_settings smaller;

	smaller = between(set, 0);
	if (!fits(model, &smaller, available)) {
		snprintf(text, size, "; not even the video's own size would fit");
		return;
	}
	for (int i = 0; i < HALVINGS; i++) {
		double middle = (least + most) / 2;

		smaller = between(set, middle);
		if (fits(model, &smaller, available))
			least = middle;
		else
			most = middle;
	}
	smaller = between(set, least);
	/* Even sides, where they may be: every encoder takes them. */
	smaller.out_width -= smaller.out_width > set->in_width ? smaller.out_width & 1 : 0;
	smaller.out_height -= smaller.out_height > set->in_height ? smaller.out_height & 1 : 0;
	snprintf(text, size, "; --size %dx%d would fit", smaller.out_width, smaller.out_height);
}

static int check_memory(const fvsr_model *model, const struct fvsr_settings *set,
			const struct fvsr_stream_cost *cost, struct fvsr_error *err)
{
	uint64_t available = fvsr_platform_available_memory();
	uint64_t bytes = needed(set, cost);
	char wanted[FVSR_CLI_BYTES_TEXT], there[FVSR_CLI_BYTES_TEXT], smaller[96];

	if (!available || bytes < available)
		return FVSR_OK;
	say_what_fits(model, set, available, smaller, sizeof(smaller));
	snprintf(err->text, sizeof(err->text), "%dx%d needs %s of memory and only %s is free%s",
		 set->out_width, set->out_height, fvsr_cli_bytes(bytes, wanted),
		 fvsr_cli_bytes(available, there), smaller);
	return FVSR_ERR_MEMORY;
}

int fvsr_cli_open_stream(fvsr_model *model, const struct fvsr_settings *settings, bool verbose,
			 fvsr_stream **stream, fvsr_frame **small, fvsr_frame **large,
			 struct fvsr_error *err)
{
	struct fvsr_stream_cost cost;
	char device[FVSR_CLI_BYTES_TEXT], host[FVSR_CLI_BYTES_TEXT];
	int result = fvsr_stream_cost(model, settings, &cost, err);

	if (result == FVSR_OK && verbose)
		fvsr_cli_note("stream memory: %s on the GPU, %s in the computer",
			      fvsr_cli_bytes(cost.device_bytes, device),
			      fvsr_cli_bytes(cost.host_bytes, host));
	if (result == FVSR_OK)
		result = check_memory(model, settings, &cost, err);
	if (result == FVSR_OK)
		result = fvsr_stream_open(stream, model, settings, err);
	if (result == FVSR_OK)
		result = fvsr_frame_create(small, FVSR_FORMAT_RGBA8, settings->in_width,
					   settings->in_height);
	if (result == FVSR_OK)
		result = fvsr_frame_create(large, FVSR_FORMAT_RGBA8, settings->out_width,
					   settings->out_height);
	return result;
}

int fvsr_cli_stream_failed(const fvsr_stream *stream, int result, struct fvsr_error *err)
{
	const char *text = fvsr_stream_error(stream);

	snprintf(err->text, sizeof(err->text), "%s",
		 text && *text ? text : fvsr_result_text(result));
	return result;
}
