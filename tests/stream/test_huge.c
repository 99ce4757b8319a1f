/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A packed model whose weights are finite and far too large: it is refused when it is loaded, or
 * every picture that comes out is there, with the alpha that went in, whatever its colours are.
 * Sanitizers watch the conversions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_support.h"

#define FRAMES 30

/* Returns where the tensors' data begins: behind the header's length and the header. */
static size_t data_begins(const unsigned char *file)
{
	size_t at = 8;

	for (int i = 0; i < 4; i++)
		at += (size_t)file[i] << (8 * i);
	return at;
}

/* Returns a whole file, malloc'ed; NULL when it cannot be read. */
static unsigned char *read_whole(const char *path, size_t *bytes)
{
	FILE *file = fopen(path, "rb");
	unsigned char *data = NULL;
	long size = -1;

	if (file && !fseek(file, 0, SEEK_END))
		size = ftell(file);
	if (size > 8 && !fseek(file, 0, SEEK_SET))
		data = malloc((size_t)size);
	if (data && fread(data, 1, (size_t)size, file) != (size_t)size) {
		free(data);
		data = NULL;
	}
	if (file)
		fclose(file);
	*bytes = data ? (size_t)size : 0;
	return data;
}

/* Gives the weights whose names begin with 'prefix' this size, in a copy of the file in memory. */
static bool enlarge(const char *path, unsigned char *file, const char *prefix, float value)
{
	struct fvsr_tensor_info info;
	struct fvsr_error err;
	fvsr_tensors *tensors;
	size_t at = data_begins(file);

	if (fvsr_tensors_open(&tensors, path, &err))
		return false;
	for (size_t i = 0; !fvsr_tensors_get(tensors, i, &info); i++) {
		for (size_t j = 0; j < info.bytes && !strncmp(info.name, prefix, strlen(prefix));
		     j += sizeof(float)) {
			float weight;

			memcpy(&weight, file + at + j, sizeof(weight));
			weight = weight < 0 ? -value : value;
			memcpy(file + at + j, &weight, sizeof(weight));
		}
		at += info.bytes;
	}
	fvsr_tensors_close(tensors);
	return true;
}

/* Windows does not let a file be written while it is open for reading, so one after the other. */
static bool blow_up(const char *path, const char *prefix, float value)
{
	size_t bytes;
	unsigned char *data = read_whole(path, &bytes);
	bool ok = data && enlarge(path, data, prefix, value);
	FILE *file = ok ? fopen(path, "wb") : NULL;

	ok = file && fwrite(data, 1, bytes, file) == bytes;
	if (file)
		ok = !fclose(file) && ok;
	free(data);
	return ok;
}

/* Returns small alphas, since a colour that is no number would show in the upper bit. */
static uint8_t alpha_of(int x, int y, int frame)
{
	return (uint8_t)((x + y + frame) % 64);
}

static void fill(const struct fvsr_picture *picture, int frame)
{
	test_picture_fill(picture, frame);
	for (int y = 0; y < picture->height; y++)
		for (int x = 0; x < picture->width; x++)
			((uint8_t *)picture->data)[y * picture->stride + 4 * (size_t)x + 3] =
				alpha_of(x, y, frame);
}

/* Checks that alpha comes out as it went in, for nothing is scaled. */
static void check_alpha(const struct fvsr_picture *picture, int frame)
{
	bool same = true;

	for (int y = 0; y < picture->height; y++) {
		const uint8_t *row = (const uint8_t *)picture->data + y * picture->stride;

		for (int x = 0; x < picture->width; x++)
			same = same && row[4 * x + 3] == alpha_of(x, y, frame);
	}
	CHECK(same);
}

static void check_stream(fvsr_model *model, enum fvsr_color color)
{
	struct fvsr_settings settings;
	int sent = 0, received = 0, result;
	fvsr_frame *in, *out;
	fvsr_stream *stream;
	struct fvsr_error err;

	test_settings(&settings, 40, 24, 40, 24);
	settings.color = color;
	fvsr_frame_create(&in, settings.in_format, 40, 24);
	fvsr_frame_create(&out, settings.out_format, 40, 24);
	if (fvsr_stream_open(&stream, model, &settings, &err) < 0) {
		printf("%s\n", err.text);
		exit(1);
	}
	while ((result = fvsr_stream_receive(stream, out)) != FVSR_ERR_EOF) {
		if (!result) {
			check_alpha(fvsr_frame_picture(out), received++);
		} else if (result == FVSR_ERR_AGAIN && sent < FRAMES) {
			fill(fvsr_frame_picture(in), sent++);
			CHECK(!fvsr_stream_send(stream, in));
		} else if (result == FVSR_ERR_AGAIN) {
			CHECK(!fvsr_stream_end(stream));
		} else {
			printf("the stream failed: %s\n", fvsr_stream_error(stream));
			exit(1);
		}
	}
	CHECK(received == FRAMES);
	fvsr_stream_close(stream);
	fvsr_frame_destroy(in);
	fvsr_frame_destroy(out);
}

static int open_blown_up(fvsr_model **model, const char *spec, const char *backend,
			 const char *prefix, float value, struct fvsr_error *err)
{
	struct fvsr_import_options import;
	struct fvsr_model_options options;
	char path[64];
	int result;

	snprintf(path, sizeof(path), "huge-%s.safetensors", backend);
	fvsr_import_options_default(&import);
	import.type = FVSR_PACK_F32;
	if (fvsr_import(spec, path, &import, err) < 0 || !blow_up(path, prefix, value)) {
		printf("cannot write %s: %s\n", path, err->text);
		exit(1);
	}
	fvsr_model_options_default(&options);
	options.backend = backend;
	options.threads = 1;
	result = fvsr_model_open(model, path, &options, err);
	remove(path);
	return result;
}

int main(int argc, char **argv)
{
	static const char *const whole[] = {"lq.conv1.", "lq.", "dit.blocks.0.self_attn.q.",
					    "dec.decoder.1.", "dec.decoder.26."};
	static const char *const folded[] = {"dit.", ""};
	struct fvsr_error err = {""};
	fvsr_model *model;

	if (argc != 3)
		return 2;
	fvsr_model_unref(test_model_open(argv[1], argv[2]));
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		if (!CHECK(open_blown_up(&model, argv[1], argv[2], whole[i], 3e38f, &err) == 0,
			   "%s: %s", whole[i], err.text))
			continue;
		for (int color = FVSR_COLOR_ADAIN; color <= FVSR_COLOR_OFF; color++)
			check_stream(model, (enum fvsr_color)color);
		fvsr_model_unref(model);
	}
	for (size_t i = 0; i < sizeof(folded) / sizeof(folded[0]); i++) {
		CHECK(open_blown_up(&model, argv[1], argv[2], folded[i], 3e38f, &err) ==
		      FVSR_ERR_FORMAT);
		CHECK(strstr(err.text, "weights are too large"));
	}
	return check_result();
}
