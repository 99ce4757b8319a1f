/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of test_reference share. Memory is host memory: only plain ops are tested. */
#ifndef FVSR_TEST_REFERENCE_H
#define FVSR_TEST_REFERENCE_H

#include "backend/backend.h"

int pick_int(int low, int high);
/* Return memory, zeroed or with values in [-1, 1]; end the program when there is none. */
void *room(size_t bytes);
float *random_floats(size_t count);

/* Opens a queue that is planning; planned() gives it scratch memory. */
struct fvsr_queue *open_queue(void);
void planned(struct fvsr_queue *queue);
void close_queue(struct fvsr_queue *queue);

/* Calls an op twice: to plan it and to run it. */
#define CALL(op, ...)                                                                              \
	do {                                                                                       \
		struct fvsr_queue *queue_ = open_queue();                                          \
		fvsr_backend_cpu_plain.op(queue_, __VA_ARGS__);                                    \
		planned(queue_);                                                                   \
		fvsr_backend_cpu_plain.op(queue_, __VA_ARGS__);                                    \
		close_queue(queue_);                                                               \
	} while (0)

/* Tells whether the relative L2 distance is at most 'tolerance', and prints it if not. */
bool close_to(const char *what, const float *got, const double *want, size_t count,
	      double tolerance);

bool reference_linear(void);
bool reference_norms(void);
bool reference_qk_rope(void);
bool reference_block_select(void);
bool reference_block_select_ties(void);
bool reference_block_attention(void);
bool reference_cross_attention(void);
bool reference_conv_frames(void);
bool reference_conv3x3(void);
bool reference_upsample_nearest(void);
bool reference_upsample_depth(void);
bool reference_pixel_shuffle(void);
bool reference_mix(void);
bool reference_shrink(void);
bool reference_nonfinite_ingest(void);
bool reference_nonfinite_pixels(void);
bool reference_nonfinite_color(void);
bool reference_nonfinite_select(void);

#endif
