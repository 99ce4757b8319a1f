/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PSNR and SSIM, defined as in tests/bench/quality/metrics.py, so that a figure of one picture and
 * one of a benchmark mean the same.
 */
#include "likeness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define EXACT_DB 100.0
#define WINDOW   11
#define SIGMA    1.5
#define C1       (0.01 * 255 * 0.01 * 255)
#define C2       (0.03 * 255 * 0.03 * 255)

static const uint8_t *row_of(const struct fvsr_picture *picture, int y)
{
	return (const uint8_t *)picture->data + (ptrdiff_t)picture->stride * y;
}

static double psnr_db(const struct fvsr_picture *picture, const struct fvsr_picture *truth)
{
	double sum = 0, psnr;

	for (int y = 0; y < truth->height; y++) {
		const uint8_t *a = row_of(picture, y), *b = row_of(truth, y);

		for (int x = 0; x < truth->width; x++, a += 4, b += 4)
			for (int channel = 0; channel < 3; channel++)
				sum += (a[channel] - b[channel]) * (a[channel] - b[channel]);
	}
	if (sum == 0)
		return EXACT_DB;
	psnr = 10 * log10(255.0 * 255.0 * 3.0 * truth->width * truth->height / sum);
	return psnr < EXACT_DB ? psnr : EXACT_DB;
}

/* Sums over the window: of both pictures, their squares, and their product. */
enum moment { OF_A, OF_B, OF_AA, OF_BB, OF_AB, MOMENTS };

struct moments {
	double taps[WINDOW];
	int width;            /* places in a row where the window fits */
	double *luma[2];      /* a row of each picture */
	double *rows[WINDOW]; /* the last rows, blurred along x: 'width' places of each moment */
};

static void set_taps(double taps[WINDOW])
{
	double sum = 0;

	for (int i = 0; i < WINDOW; i++) {
		const int d = i - WINDOW / 2;

		taps[i] = exp(-d * d / (2 * SIGMA * SIGMA));
		sum += taps[i];
	}
	for (int i = 0; i < WINDOW; i++)
		taps[i] /= sum;
}

static bool allocate(struct moments *m, int width)
{
	bool ok;

	set_taps(m->taps);
	m->width = width - (WINDOW - 1);
	m->luma[0] = malloc((size_t)width * sizeof(double));
	m->luma[1] = malloc((size_t)width * sizeof(double));
	ok = m->luma[0] && m->luma[1];
	for (int i = 0; i < WINDOW; i++) {
		m->rows[i] = malloc((size_t)m->width * MOMENTS * sizeof(double));
		ok = ok && m->rows[i];
	}
	return ok;
}

static void release(struct moments *m)
{
	free(m->luma[0]);
	free(m->luma[1]);
	for (int i = 0; i < WINDOW; i++)
		free(m->rows[i]);
}

static void read_luma(const struct fvsr_picture *picture, int y, double *luma)
{
	const uint8_t *pixel = row_of(picture, y);

	for (int x = 0; x < picture->width; x++, pixel += 4)
		luma[x] = 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
}

static void blur_row(struct moments *m, double *out)
{
	for (int x = 0; x < m->width; x++, out += MOMENTS) {
		double sum[MOMENTS] = {0};

		for (int i = 0; i < WINDOW; i++) {
			const double a = m->luma[0][x + i], b = m->luma[1][x + i];

			sum[OF_A] += m->taps[i] * a;
			sum[OF_B] += m->taps[i] * b;
			sum[OF_AA] += m->taps[i] * a * a;
			sum[OF_BB] += m->taps[i] * b * b;
			sum[OF_AB] += m->taps[i] * a * b;
		}
		for (int k = 0; k < MOMENTS; k++)
			out[k] = sum[k];
	}
}

static double ssim_at(const double s[MOMENTS])
{
	const double ab = s[OF_A] * s[OF_B], aa = s[OF_A] * s[OF_A], bb = s[OF_B] * s[OF_B];

	return (2 * ab + C1) * (2 * (s[OF_AB] - ab) + C2) /
	       ((aa + bb + C1) * (s[OF_AA] - aa + s[OF_BB] - bb + C2));
}

/* The sum of SSIM over a row of places, when the ring is full. Row y is the window's last. */
static double ssim_of_row(const struct moments *m, int y)
{
	double total = 0;

	for (int x = 0; x < m->width; x++) {
		double sum[MOMENTS] = {0};

		for (int i = 0; i < WINDOW; i++) {
			const double *row =
				m->rows[(y - (WINDOW - 1) + i) % WINDOW] + (ptrdiff_t)x * MOMENTS;

			for (int k = 0; k < MOMENTS; k++)
				sum[k] += m->taps[i] * row[k];
		}
		total += ssim_at(sum);
	}
	return total;
}

static bool ssim(const struct fvsr_picture *picture, const struct fvsr_picture *truth, double *out)
{
	struct moments m = {0};
	double total = 0;
	bool ok;

	*out = NAN;
	if (truth->width < WINDOW || truth->height < WINDOW)
		return true;
	ok = allocate(&m, truth->width);
	for (int y = 0; ok && y < truth->height; y++) {
		read_luma(picture, y, m.luma[0]);
		read_luma(truth, y, m.luma[1]);
		blur_row(&m, m.rows[y % WINDOW]);
		if (y >= WINDOW - 1)
			total += ssim_of_row(&m, y);
	}
	if (ok)
		*out = total / ((double)m.width * (truth->height - (WINDOW - 1)));
	release(&m);
	return ok;
}

int fvsr_likeness_of(const struct fvsr_picture *picture, const struct fvsr_picture *truth,
		     bool vmaf, struct fvsr_likeness *out, struct fvsr_error *err)
{
	out->psnr_db = psnr_db(picture, truth);
	out->vmaf = NAN;
	if (!ssim(picture, truth, &out->ssim)) {
		snprintf(err->text, sizeof(err->text), "SSIM: %s",
			 fvsr_result_text(FVSR_ERR_MEMORY));
		return FVSR_ERR_MEMORY;
	}
	return vmaf ? fvsr_vmaf(picture, truth, &out->vmaf, err) : FVSR_OK;
}
