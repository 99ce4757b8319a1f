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

/* Every tensor whose name begins with 'prefix' becomes 'value' times the signs that it has. */
static bool blow_up(const char *path, const char *prefix, float value)
{
	FILE *file = fopen(path, "r+b");
	struct fvsr_tensor_info info;
	struct fvsr_error err;
	fvsr_tensors *tensors;
	bool ok = file && !fvsr_tensors_open(&tensors, path, &err);
	unsigned char length[8];
	long at = 8;

	if (!ok || fread(length, 1, 8, file) != 8)
		return false;
	for (int i = 0; i < 4; i++)
		at += (long)length[i] << (8 * i);
	for (size_t i = 0; ok && !fvsr_tensors_get(tensors, i, &info); i++) {
		size_t count = info.bytes / sizeof(float);
		float *data = malloc(info.bytes);

		ok = data && !fvsr_tensor_to_f32(&info, 0, count, data);
		for (size_t j = 0; ok && j < count && !strncmp(info.name, prefix, strlen(prefix));
		     j++)
			data[j] = data[j] < 0 ? -value : value;
		ok = ok && !fseek(file, at, SEEK_SET) && fwrite(data, 1, info.bytes, file);
		at += (long)info.bytes;
		free(data);
	}
	fvsr_tensors_close(tensors);
	return !fclose(file) && ok;
}

/* Small ones: the upper bit is where a colour that is no number would show. */
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

/* Nothing is scaled, so alpha comes out as it went in. */
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
		if (open_blown_up(&model, argv[1], argv[2], whole[i], 3e38f, &err) < 0) {
			printf("%s: %s\n", whole[i], err.text);
			test_failures++;
			continue;
		}
		for (int color = FVSR_COLOR_ADAIN; color <= FVSR_COLOR_OFF; color++)
			check_stream(model, (enum fvsr_color)color);
		fvsr_model_unref(model);
	}
	for (size_t i = 0; i < sizeof(folded) / sizeof(folded[0]); i++) {
		CHECK(open_blown_up(&model, argv[1], argv[2], folded[i], 3e38f, &err) ==
		      FVSR_ERR_FORMAT);
		CHECK(strstr(err.text, "weights are too large"));
	}
	printf("%s: %d failures\n", argv[2], test_failures);
	return test_failures ? 1 : 0;
}
