/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Models and pictures for the stream tests.
 */
#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool skip_unless_available(const char *backend)
{
	struct fvsr_backend_info info;

	for (unsigned i = 0; !fvsr_backend_describe(i, &info); i++) {
		if (strcmp(info.name, backend))
			continue;
		if (!info.available)
			printf("skipped: %s: %s\n",
			       strcmp(backend, "cuda") ? backend : "needs a card", info.reason);
		return info.available;
	}
	printf("skipped: there is no backend %s in this build\n", backend);
	return false;
}

fvsr_model *test_model_open(const char *spec, const char *backend)
{
	struct fvsr_model_options options;
	struct fvsr_error err;
	fvsr_model *model;

	if (!skip_unless_available(backend))
		exit(77);
	fvsr_model_options_default(&options);
	options.backend = backend;
	options.threads = 1; /* tests run side by side */
	if (fvsr_model_open(&model, spec, &options, &err) < 0) {
		printf("cannot open %s: %s\n", spec, err.text);
		exit(1);
	}
	return model;
}

void test_picture_fill(const struct fvsr_picture *picture, int frame)
{
	for (int y = 0; y < picture->height; y++) {
		uint8_t *row = (uint8_t *)picture->data + (size_t)y * picture->stride;

		for (int x = 0; x < picture->width; x++, row += 4) {
			row[0] = (uint8_t)(x * 7 + frame * 3);
			row[1] = (uint8_t)(y * 5 + frame * 2);
			row[2] = (uint8_t)((x ^ y) * 9 + frame);
			row[3] = (uint8_t)(255 - (x + y + frame) % 64);
		}
	}
}

void test_settings(struct fvsr_settings *settings, int w, int h, int out_w, int out_h)
{
	fvsr_settings_default(settings);
	settings->in_width = w;
	settings->in_height = h;
	settings->out_width = out_w;
	settings->out_height = out_h;
}

uint64_t test_picture_hash(const struct fvsr_picture *picture)
{
	uint64_t hash = 0xCBF29CE484222325u;

	for (int y = 0; y < picture->height; y++) {
		const uint8_t *row = (const uint8_t *)picture->data + (size_t)y * picture->stride;

		for (int i = 0; i < picture->width * 4; i++)
			hash = (hash ^ row[i]) * 0x100000001B3u;
	}
	return hash;
}

int test_stream_hashes(fvsr_stream *stream, const struct fvsr_settings *settings, int frames,
		       uint64_t *hash)
{
	fvsr_frame *in, *out;
	int sent = 0, received = 0, result;

	fvsr_frame_create(&in, settings->in_format, settings->in_width, settings->in_height);
	fvsr_frame_create(&out, settings->out_format, settings->out_width, settings->out_height);
	while ((result = fvsr_stream_receive(stream, out)) != FVSR_ERR_EOF) {
		if (!result && received < frames) {
			hash[received++] = test_picture_hash(fvsr_frame_picture(out));
		} else if (result == FVSR_ERR_AGAIN && sent < frames) {
			test_picture_fill(fvsr_frame_picture(in), sent++);
			CHECK(!fvsr_stream_send(stream, in));
		} else if (result == FVSR_ERR_AGAIN) {
			CHECK(!fvsr_stream_end(stream));
		} else {
			printf("the stream failed: %s\n", fvsr_stream_error(stream));
			exit(1);
		}
	}
	fvsr_frame_destroy(in);
	fvsr_frame_destroy(out);
	return received;
}

void test_rig_open(struct test_rig *rig, fvsr_model *model, const struct fvsr_settings *settings)
{
	struct fvsr_error err = {""};

	*rig = (struct test_rig){0};
	if (fvsr_stream_open(&rig->stream, model, settings, &err) < 0) {
		printf("cannot open a stream: %s\n", err.text);
		exit(1);
	}
	fvsr_frame_create(&rig->in, settings->in_format, settings->in_width, settings->in_height);
	fvsr_frame_create(&rig->out, settings->out_format, settings->out_width,
			  settings->out_height);
}

void test_rig_close(struct test_rig *rig)
{
	fvsr_frame_destroy(rig->in);
	fvsr_frame_destroy(rig->out);
	fvsr_stream_close(rig->stream);
}
