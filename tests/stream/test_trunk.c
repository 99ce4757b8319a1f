/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Streams of trunks through the public interface: each frame comes out when it is in, by itself,
 * at any size and scale.
 *
 *	test_trunk MODEL BACKEND
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_support.h"

static int send_picture(struct test_rig *rig, int picture)
{
	test_picture_fill(fvsr_frame_picture(rig->in), picture);
	fvsr_frame_set_tag(rig->in, 100 + picture);
	return fvsr_stream_send(rig->stream, rig->in);
}

/* Sends a picture and receives it; returns its hash. */
static uint64_t pass(struct test_rig *rig, int picture)
{
	CHECK(fvsr_stream_next(rig->stream) == FVSR_NEXT_NOTHING);
	CHECK(!send_picture(rig, picture));
	CHECK(fvsr_stream_next(rig->stream) == FVSR_NEXT_COMPUTE);
	CHECK(!fvsr_stream_receive(rig->stream, rig->out));
	CHECK(fvsr_frame_tag(rig->out) == 100 + picture);
	CHECK(fvsr_stream_receive(rig->stream, rig->out) == FVSR_ERR_AGAIN);
	return test_picture_hash(fvsr_frame_picture(rig->out));
}

/* Checks that a picture depends on its frame alone, and that nothing waits for later frames. */
static void test_frames(fvsr_model *model)
{
	struct fvsr_settings settings;
	struct fvsr_stream_cost cost;
	struct fvsr_timing timing;
	uint64_t first, second;
	struct test_rig rig;

	test_settings(&settings, 24, 17, 96, 68);
	CHECK(!fvsr_stream_cost(model, &settings, &cost, NULL));
	CHECK(cost.first_latency == 1 && cost.latency == 1 && cost.chunk == 1);
	CHECK(cost.canvas_width == 128 && cost.canvas_height == 128);
	test_rig_open(&rig, model, &settings);
	first = pass(&rig, 0);
	second = pass(&rig, 5);
	CHECK(first != second);
	CHECK(pass(&rig, 0) == first);
	CHECK(!fvsr_stream_set_effort(rig.stream, 1.0, 1));
	fvsr_stream_set_budget(rig.stream, 1000);
	for (int i = 3; i < 22; i++)
		CHECK(pass(&rig, i % 2 ? 5 : 0) == (i % 2 ? second : first));
	fvsr_stream_timing(rig.stream, &timing, true);
	CHECK(timing.frames == 22 && timing.chunks == 2 && timing.trunk_ms > 0);
	CHECK(timing.paused_ms == 0 && timing.decoder_ms == 0 && timing.transformer_ms == 0);
	CHECK(!fvsr_stream_end(rig.stream));
	CHECK(fvsr_stream_receive(rig.stream, rig.out) == FVSR_ERR_EOF);
	fvsr_stream_reset(rig.stream);
	CHECK(pass(&rig, 0) == first);
	test_rig_close(&rig);
}

/* Checks that frames that nobody fetches fill the stream, which forgets none of them. */
static void test_full(fvsr_model *model)
{
	struct fvsr_settings settings;
	int result, sent = 0, received = 0;
	struct test_rig rig;

	test_settings(&settings, 16, 16, 32, 32);
	test_rig_open(&rig, model, &settings);
	while (!(result = send_picture(&rig, sent)) && sent < 100)
		sent++;
	CHECK(result == FVSR_ERR_AGAIN && sent > 1 && sent < 100);
	CHECK(!fvsr_stream_receive(rig.stream, rig.out) && ++received);
	CHECK(!send_picture(&rig, sent++));
	CHECK(!fvsr_stream_end(rig.stream));
	while (!(result = fvsr_stream_receive(rig.stream, rig.out)))
		CHECK(fvsr_frame_tag(rig.out) == 100 + received++);
	CHECK(result == FVSR_ERR_EOF && received == sent);
	test_rig_close(&rig);
}

static void test_interrupt(fvsr_model *model)
{
	struct fvsr_settings settings;
	struct test_rig rig;
	uint64_t hash;

	test_settings(&settings, 16, 16, 32, 32);
	test_rig_open(&rig, model, &settings);
	hash = pass(&rig, 1);
	CHECK(!send_picture(&rig, 2));
	fvsr_stream_interrupt(rig.stream);
	CHECK(fvsr_stream_receive(rig.stream, rig.out) == FVSR_ERR_CANCELLED);
	fvsr_stream_reset(rig.stream);
	CHECK(pass(&rig, 1) == hash);
	test_rig_close(&rig);
}

/* Checks which trunk each scale gets by the canvas, whose sides are 16 times a trunk's scale. */
static void test_sizes(fvsr_model *model)
{
	static const int sizes[][6] = {
		/* in, out, canvas */
		{16, 16, 16, 16, 32, 32},   {20, 16, 30, 24, 32, 32},     {17, 33, 34, 66, 64, 96},
		{40, 40, 99, 99, 128, 128}, {40, 40, 101, 101, 144, 144}, {16, 19, 48, 57, 48, 96},
		{61, 16, 244, 64, 256, 64}, {16, 16, 160, 160, 192, 192},
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		const int *s = sizes[i];
		struct fvsr_settings settings;
		struct fvsr_stream_cost cost;
		struct test_rig rig;

		test_settings(&settings, s[0], s[1], s[2], s[3]);
		CHECK(!fvsr_stream_cost(model, &settings, &cost, NULL));
		if (!CHECK(cost.canvas_width == s[4] && cost.canvas_height == s[5]))
			printf("  %d x %d: %d x %d\n", s[2], s[3], cost.canvas_width,
			       cost.canvas_height);
		test_rig_open(&rig, model, &settings);
		CHECK(pass(&rig, 0) != pass(&rig, 1));
		test_rig_close(&rig);
	}
}

static uint64_t told(fvsr_model *model, double scale)
{
	struct fvsr_settings settings;
	struct test_rig rig;
	uint64_t hash;

	test_settings(&settings, 24, 16, 96, 64);
	settings.scale = scale;
	test_rig_open(&rig, model, &settings);
	hash = pass(&rig, 0);
	test_rig_close(&rig);
	return hash;
}

static void test_memory(fvsr_model *model)
{
	struct fvsr_settings settings;
	struct fvsr_stream_cost cost;
	struct fvsr_error err = {""};
	fvsr_stream *stream;

	test_settings(&settings, 24, 16, 96, 64);
	CHECK(!fvsr_stream_cost(model, &settings, &cost, NULL));
	settings.memory_limit = cost.host_bytes + cost.device_bytes;
	CHECK(!fvsr_stream_open(&stream, model, &settings, NULL));
	fvsr_stream_close(stream);
	settings.memory_limit--;
	CHECK(fvsr_stream_open(&stream, model, &settings, &err) == FVSR_ERR_MEMORY);
	CHECK(strstr(err.text, "GiB"));
}

/* Checks that a packed file of the same numbers gives the same pictures. */
static void test_packed(fvsr_model *model, const char *spec, const char *backend)
{
	char path[64];
	struct fvsr_import_options options;
	struct fvsr_error err = {""};
	fvsr_model *packed;

	snprintf(path, sizeof(path), "trunk-%s.safetensors", backend);
	fvsr_import_options_default(&options);
	options.type = FVSR_PACK_F32;
	CHECK(!fvsr_import(spec, path, &options, &err));
	packed = test_model_open(path, backend);
	CHECK(told(packed, 0) == told(model, 0));
	fvsr_model_unref(packed);
	remove(path);
}

int main(int argc, char **argv)
{
	fvsr_model *model;

	if (argc != 3)
		return 2;
	model = test_model_open(argv[1], argv[2]);
	test_frames(model);
	test_full(model);
	test_interrupt(model);
	test_sizes(model);
	test_memory(model);
	test_packed(model, argv[1], argv[2]);
	/* the trunk is the nearest one, and knows the scale itself */
	CHECK(told(model, 0) == told(model, 4) && told(model, 4) == told(model, 5));
	CHECK(told(model, 4) != told(model, 2) && told(model, 4) != told(model, 3.8));
	fvsr_model_unref(model);
	return check_result();
}
