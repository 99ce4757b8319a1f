/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the stream tests share: opening a model on a backend that may not be there, and pictures.
 */
#ifndef FVSR_TEST_SUPPORT_H
#define FVSR_TEST_SUPPORT_H

#include "check.h"
#include "fvsr/fvsr.h"

/* Exits with 77 and the reason when the backend is not in this build. */
fvsr_model *test_model_open(const char *spec, const char *backend);
/* Draws a moving pattern with varying alpha; 'frame' numbers the picture. */
void test_picture_fill(const struct fvsr_picture *picture, int frame);
/* Sets the settings of a stream from w x h to out_w x out_h. */
void test_settings(struct fvsr_settings *settings, int w, int h, int out_w, int out_h);
/* Returns the FNV-1a of the visible pixels. */
uint64_t test_picture_hash(const struct fvsr_picture *picture);
/* Sends 'frames' such pictures through, keeps the hashes of as many; returns how many came. */
int test_stream_hashes(fvsr_stream *stream, const struct fvsr_settings *settings, int frames,
		       uint64_t *hash);

/* A stream with a frame for each end. */
struct test_rig {
	fvsr_stream *stream;
	fvsr_frame *in, *out;
	int sent; /* pictures, for those who count them */
};

/* Opens the stream, or ends the program. */
void test_rig_open(struct test_rig *rig, fvsr_model *model, const struct fvsr_settings *settings);
void test_rig_close(struct test_rig *rig);

#endif
