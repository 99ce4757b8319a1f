/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The arithmetic of frames, slices and chunks against the table of section 3, which is written out
 * here as it stands in docs/network.md.
 */
#include <stdio.h>

#include "net/slices.h"
#include "test_support.h"

/* A row of the table: what chunk k reads, decodes and gives. */
struct row {
	int64_t first_read, last_read;
	int64_t first_latent, latents;
	int64_t first_out, last_out;
};

static struct row table(int64_t k)
{
	if (k == 0)
		return (struct row){0, 24, 0, 6, 0, 20};
	return (struct row){8 * k + 17, 8 * k + 24, 4 + 2 * k, 2, 8 * k + 13, 8 * k + 20};
}

static void test_chunk(int64_t k)
{
	struct row row = table(k);
	int64_t first = fvsr_chunk_slice(k), end = first + fvsr_chunk_slices(k);

	CHECK(end == fvsr_chunk_slice(k + 1));
	CHECK(fvsr_chunk_last_read(k) == row.last_read);
	CHECK(fvsr_slice_first_read(first) + (k ? FVSR_CLIP_PAST : 1) == row.first_read);
	CHECK(fvsr_slice_latent(first) == row.first_latent);
	CHECK((int64_t)FVSR_SLICE_LATENTS * fvsr_chunk_slices(k) == row.latents);
	CHECK(fvsr_chunk_picture(k) == row.first_out);
	CHECK(fvsr_slice_picture(end) - 1 == row.last_out);
	for (int64_t n = row.first_out; n <= row.last_out; n++)
		CHECK(fvsr_picture_chunk(n) == k);
	for (int64_t s = first; s < end; s++)
		CHECK(fvsr_slice_place(s) == s - first);
}

/* Checks that all that a slice needs has its canvas when the frames of its chunk are there. */
static void test_canvases(int64_t k)
{
	int64_t first = fvsr_chunk_slice(k);

	CHECK(fvsr_chunk_last_read(k) - fvsr_slice_oldest_frame(first) < FVSR_CANVASES);
	CHECK(fvsr_frame_within(fvsr_slice_first_read(first), FVSR_LAST_UNKNOWN) >=
	      fvsr_slice_oldest_frame(first));
	CHECK(fvsr_frame_within(fvsr_latent_picture(first, 0), FVSR_LAST_UNKNOWN) ==
	      fvsr_slice_oldest_frame(first));
}

/* Checks that the pictures of a slice have places of their own. */
static void test_slots(int64_t s)
{
	unsigned used = 0;

	for (int64_t n = fvsr_slice_picture(s); n < fvsr_slice_picture(s + 1); n++)
		if (fvsr_frame_exists(n, FVSR_LAST_UNKNOWN))
			used |= 1u << fvsr_picture_slot(n);
	CHECK(used == (s ? 0xffu : 0xf8u));
}

static void test_kept(void)
{
	static const int kept[] = {0, 2, 2, 3, 4, 5, 6, 7, 8},
			 attended[] = {0, 3, 3, 4, 5, 6, 7, 8, 9};

	for (int ratio = 1; ratio <= 8; ratio++) {
		CHECK(fvsr_kept_slices(ratio) == kept[ratio]);
		CHECK(fvsr_attended_slices(fvsr_kept_slices(ratio)) == attended[ratio]);
	}
}

/* Checks what settles when: a layer sees 'kept' slices further back, the decoder latent frames. */
static void test_settled(void)
{
	for (int64_t s = 0; s < 100; s++) {
		int64_t k = fvsr_slice_chunk(s);

		CHECK(s >= fvsr_chunk_slice(k) && s < fvsr_chunk_slice(k + 1));
		CHECK(fvsr_slice_place(s) == s - fvsr_chunk_slice(k));
	}
	CHECK(fvsr_settled_slice(1, 2) == FVSR_CHUNK0_SLICES);
	CHECK(fvsr_settled_slice(30, 3) == 91);
	/* The bundled model, and the released ones. */
	CHECK(fvsr_settled_picture(2, 3, 6) == 77);
	CHECK(fvsr_settled_picture(30, 3, 8) == 757);
}

int main(void)
{
	for (int64_t k = 0; k < 100; k++) {
		test_chunk(k);
		test_canvases(k);
		test_slots(k);
	}
	test_chunk(INT64_C(1) << 40);
	test_kept();
	test_settled();
	CHECK(fvsr_frame_within(30, 20) == 20 && !fvsr_frame_exists(21, 20));
	return check_result();
}
