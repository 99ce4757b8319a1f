/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between planes of luma and chroma and RGBA: the matrices of BT.601 and BT.709, full and limited
 * range, and chroma of half the size, linear in between and with a triangle as its filter.
 */
#include "y4m.h"

#include <math.h>
#include <string.h>

#define SD_MAX_HEIGHT 576

struct matrix {
	float red, green, blue; /* of luma; the rest follows */
	float luma_low, luma_span, chroma_span;
};

/* How a plane of chroma lies in the picture. */
struct grid {
	int width, height;
	bool half_x, half_y;
	bool centre_x; /* a sample is in the middle of two columns, not on the left one */
};

static struct matrix matrix_of(const struct fvsr_y4m *video)
{
	bool sd = video->height <= SD_MAX_HEIGHT;
	struct matrix m = {
		.red = sd ? 0.299f : 0.2126f,
		.blue = sd ? 0.114f : 0.0722f,
		.luma_low = video->full_range ? 0.0f : 16.0f,
		.luma_span = video->full_range ? 255.0f : 219.0f,
		.chroma_span = video->full_range ? 255.0f : 224.0f,
	};

	m.green = 1.0f - m.red - m.blue;
	return m;
}

static struct grid grid_of(const struct fvsr_y4m *video)
{
	struct grid grid = {
		.half_x = video->chroma <= FVSR_Y4M_422,
		.half_y = video->chroma <= FVSR_Y4M_420_JPEG,
		.centre_x = video->chroma == FVSR_Y4M_420_JPEG,
	};

	if (video->chroma == FVSR_Y4M_MONO)
		return grid;
	grid.width = grid.half_x ? (video->width + 1) / 2 : video->width;
	grid.height = grid.half_y ? (video->height + 1) / 2 : video->height;
	return grid;
}

size_t fvsr_y4m_plane_bytes(const struct fvsr_y4m *video)
{
	struct grid grid = grid_of(video);

	return (size_t)video->width * video->height + 2 * (size_t)grid.width * grid.height;
}

static int clamp(int value, int size)
{
	return value < 0 ? 0 : value >= size ? size - 1 : value;
}

/* Which two samples a pixel lies between, and how near to the second, in quarters. */
static int between(int at, int size, bool half, bool centre, int samples[2])
{
	int quarters = half ? 2 * at - (centre ? 1 : 0) : 4 * at;
	int first = quarters < 0 ? -1 : quarters / 4;

	samples[0] = clamp(first, size);
	samples[1] = clamp(first + 1, size);
	return quarters - 4 * first;
}

/* Chroma at a pixel, around 0. */
static float chroma_at(const uint8_t *plane, const struct grid *grid, int x, int y)
{
	int columns[2], rows[2];
	int fx = between(x, grid->width, grid->half_x, grid->centre_x, columns);
	int fy = between(y, grid->height, grid->half_y, true, rows);
	const uint8_t *upper = plane + (size_t)rows[0] * grid->width;
	const uint8_t *lower = plane + (size_t)rows[1] * grid->width;
	int sum = (4 - fy) * ((4 - fx) * upper[columns[0]] + fx * upper[columns[1]]) +
		  fy * ((4 - fx) * lower[columns[0]] + fx * lower[columns[1]]);

	return (float)sum / 16.0f - 128.0f;
}

static uint8_t byte_of(float value)
{
	return (uint8_t)(value <= 0.0f ? 0 : value >= 255.0f ? 255 : (int)(value + 0.5f));
}

void fvsr_y4m_to_rgba(const struct fvsr_y4m *video, const struct fvsr_picture *picture)
{
	const struct matrix m = matrix_of(video);
	const struct grid grid = grid_of(video);
	const uint8_t *luma = video->planes;
	const uint8_t *cb = luma + (size_t)video->width * video->height;
	const uint8_t *cr = cb + (size_t)grid.width * grid.height;

	for (int y = 0; y < video->height; y++) {
		uint8_t *to = (uint8_t *)picture->data + y * picture->stride;

		for (int x = 0; x < video->width; x++, to += 4) {
			float light = ((float)*luma++ - m.luma_low) * 255.0f / m.luma_span;
			float u = 0.0f, v = 0.0f;

			if (grid.width) {
				u = chroma_at(cb, &grid, x, y) * 255.0f / m.chroma_span;
				v = chroma_at(cr, &grid, x, y) * 255.0f / m.chroma_span;
			}
			u *= 2.0f * (1.0f - m.blue); /* blue less luma */
			v *= 2.0f * (1.0f - m.red);  /* red less luma */
			to[0] = byte_of(light + v);
			to[1] = byte_of(light - (m.red * v + m.blue * u) / m.green);
			to[2] = byte_of(light + u);
			to[3] = 255;
		}
	}
}

static float luma_of(const struct matrix *m, const uint8_t *rgba)
{
	return m->red * (float)rgba[0] + m->green * (float)rgba[1] + m->blue * (float)rgba[2];
}

/* Weights of the pixels around a sample: one before, its own, one after. */
static const float *filter_of(bool half, bool centre)
{
	static const float own[3] = {0.0f, 1.0f, 0.0f};
	static const float pair[3] = {0.0f, 0.5f, 0.5f};
	static const float triangle[3] = {0.25f, 0.5f, 0.25f};

	return !half ? own : centre ? pair : triangle;
}

/* Blue (channel 2) or red (channel 0) less luma, of the pixels around a sample. */
static float difference_at(const struct matrix *m, const struct grid *grid,
			   const struct fvsr_picture *picture, int channel, int column, int row)
{
	const float *fx = filter_of(grid->half_x, grid->centre_x);
	const float *fy = filter_of(grid->half_y, true);
	float sum = 0.0f;

	for (int j = -1; j <= 1; j++) {
		int y = clamp((grid->half_y ? 2 * row : row) + j, picture->height);
		const uint8_t *line = (const uint8_t *)picture->data + y * picture->stride;

		if (fy[j + 1] <= 0.0f)
			continue;
		for (int i = -1; i <= 1; i++) {
			int x = clamp((grid->half_x ? 2 * column : column) + i, picture->width);
			const uint8_t *pixel = line + 4 * x;

			sum += fx[i + 1] * fy[j + 1] * ((float)pixel[channel] - luma_of(m, pixel));
		}
	}
	return sum;
}

void fvsr_y4m_from_rgba(struct fvsr_y4m *video, const struct fvsr_picture *picture)
{
	const struct matrix m = matrix_of(video);
	const struct grid grid = grid_of(video);
	uint8_t *luma = video->planes;
	uint8_t *cb = luma + (size_t)video->width * video->height;
	uint8_t *cr = cb + (size_t)grid.width * grid.height;
	float scale_b = m.chroma_span / 255.0f / (2.0f * (1.0f - m.blue));
	float scale_r = m.chroma_span / 255.0f / (2.0f * (1.0f - m.red));

	for (int y = 0; y < video->height; y++) {
		const uint8_t *from = (const uint8_t *)picture->data + y * picture->stride;

		for (int x = 0; x < video->width; x++, from += 4)
			*luma++ = byte_of(luma_of(&m, from) * m.luma_span / 255.0f + m.luma_low);
	}
	for (int y = 0; y < grid.height; y++) {
		for (int x = 0; x < grid.width; x++) {
			*cb++ = byte_of(128.0f +
					scale_b * difference_at(&m, &grid, picture, 2, x, y));
			*cr++ = byte_of(128.0f +
					scale_r * difference_at(&m, &grid, picture, 0, x, y));
		}
	}
}
