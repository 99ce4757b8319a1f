/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes small clips through x264 and back, to what their viewers would see. Training encodes
 * thousands of frames a second and has no use for the streams, so nothing is decoded: every decoder
 * arrives at the encoder's own reconstruction. encoding.py compiles this file, whenever it is
 * needed, and calls reconstruct().
 */
#include <stdint.h>
#include <string.h>
#include <x264.h>

#define FPS 30

static x264_t *open_encoder(int width, int height, const char *preset, const char *tune, int crf)
{
	x264_param_t param;

	if (x264_param_default_preset(&param, preset, tune) < 0)
		return NULL;
	param.i_log_level = X264_LOG_NONE;
	param.i_threads = 1;
	param.i_csp = X264_CSP_I420;
	param.i_width = width;
	param.i_height = height;
	param.i_fps_num = FPS;
	param.i_fps_den = 1;
	param.b_vfr_input = 0;
	param.b_full_recon = 1;
	param.rc.i_rc_method = X264_RC_CRF;
	param.rc.f_rf_constant = (float)crf;
	return x264_encoder_open(&param);
}

/* Sets the planes of one frame: Y, then U and V of half the size, without gaps. */
static void set_planes(x264_image_t *image, uint8_t *frame, int width, int height)
{
	const int size = width * height;

	image->i_csp = X264_CSP_I420;
	image->i_plane = 3;
	image->plane[0] = frame;
	image->plane[1] = frame + size;
	image->plane[2] = frame + size + size / 4;
	image->i_stride[0] = width;
	image->i_stride[1] = image->i_stride[2] = width / 2;
}

static void copy_row(uint8_t *to, const uint8_t *from, int width, int step)
{
	for (int x = 0; x < width; x++)
		to[x] = from[x * step];
}

/* Copies a picture of x264, which keeps its pictures as NV12. */
static void copy_frame(const x264_image_t *from, uint8_t *frame, int width, int height)
{
	x264_image_t to;

	set_planes(&to, frame, width, height);
	for (int y = 0; y < height; y++)
		memcpy(to.plane[0] + y * width, from->plane[0] + y * from->i_stride[0],
		       (size_t)width);
	for (int y = 0; y < height / 2; y++)
		for (int c = 0; c < 2; c++)
			copy_row(to.plane[1 + c] + y * (width / 2),
				 from->plane[1] + y * from->i_stride[1] + c, width / 2, 2);
}

/*
 * Replaces 'count' frames of 4:2:0, of even width and height, by what they become. 'stream' is
 * NULL, or gets the stream. Returns the stream's bytes, or a negative number when x264 refuses.
 */
int64_t reconstruct(uint8_t *frames, int count, int width, int height, const char *preset,
		    const char *tune, int crf, uint8_t *stream)
{
	x264_t *encoder = open_encoder(width, height, preset, tune, crf);
	const size_t size = (size_t)width * height * 3 / 2;
	x264_picture_t in, out;
	x264_nal_t *nals;
	int64_t bytes = 0;
	int nal_count, more = 0;

	if (!encoder)
		return -1;
	x264_picture_init(&in);
	for (int i = 0; more >= 0 && (i < count || x264_encoder_delayed_frames(encoder)); i++) {
		if (i < count) {
			set_planes(&in.img, frames + i * size, width, height);
			in.i_pts = i;
		}
		more = x264_encoder_encode(encoder, &nals, &nal_count, i < count ? &in : NULL,
					   &out);
		if (more <= 0)
			continue;
		/* The frame went in before, so its place is free. NALs lie behind each other. */
		copy_frame(&out.img, frames + out.i_pts * size, width, height);
		if (stream)
			memcpy(stream + bytes, nals[0].p_payload, (size_t)more);
		bytes += more;
	}
	x264_encoder_close(encoder);
	return more < 0 ? more : bytes;
}
