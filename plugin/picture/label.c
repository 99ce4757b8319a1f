/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A font of dots: see label.h. A glyph is as tall as its rows and stands on the line; the tallest
 * have GLYPH_ROWS.
 */
#include "picture/label.h"

#include <stdlib.h>
#include <string.h>

#define GLYPH_ROWS 12
#define MARGIN     2 /* dots around the word */
#define GAP        1 /* dots between two letters */
#define GROUND     160

struct glyph {
	const char *character;
	const char *rows[GLYPH_ROWS]; /* NULL after the last */
};

/* clang-format off */
static const struct glyph glyphs[] = {
	{"A", {
		"..##..",
		".#..#.",
		"#....#",
		"#....#",
		"#....#",
		"######",
		"#....#",
		"#....#",
		"#....#"}},
	{"B", {
		"#####.",
		"#....#",
		"#....#",
		"#....#",
		"#####.",
		"#....#",
		"#....#",
		"#....#",
		"#####."}},
	{"C", {
		".####.",
		"#....#",
		"#.....",
		"#.....",
		"#.....",
		"#.....",
		"#.....",
		"#....#",
		".####."}},
	{"D", {
		"####..",
		"#...#.",
		"#....#",
		"#....#",
		"#....#",
		"#....#",
		"#....#",
		"#...#.",
		"####.."}},
	{"E", {
		"######",
		"#.....",
		"#.....",
		"#.....",
		"#####.",
		"#.....",
		"#.....",
		"#.....",
		"######"}},
	{"F", {
		"######",
		"#.....",
		"#.....",
		"#.....",
		"#####.",
		"#.....",
		"#.....",
		"#.....",
		"#....."}},
	{"H", {
		"#....#",
		"#....#",
		"#....#",
		"#....#",
		"######",
		"#....#",
		"#....#",
		"#....#",
		"#....#"}},
	{"I", {
		"###",
		".#.",
		".#.",
		".#.",
		".#.",
		".#.",
		".#.",
		".#.",
		"###"}},
	{"N", {
		"#....#",
		"##...#",
		"##...#",
		"#.#..#",
		"#.#..#",
		"#..#.#",
		"#..#.#",
		"#...##",
		"#....#"}},
	{"O", {
		".####.",
		"#....#",
		"#....#",
		"#....#",
		"#....#",
		"#....#",
		"#....#",
		"#....#",
		".####."}},
	{"P", {
		"#####.",
		"#....#",
		"#....#",
		"#....#",
		"#####.",
		"#.....",
		"#.....",
		"#.....",
		"#....."}},
	{"R", {
		"#####.",
		"#....#",
		"#....#",
		"#....#",
		"#####.",
		"#.#...",
		"#..#..",
		"#...#.",
		"#....#"}},
	{"S", {
		".####.",
		"#....#",
		"#.....",
		"#.....",
		".####.",
		".....#",
		".....#",
		"#....#",
		".####."}},
	{"T", {
		"#######",
		"...#...",
		"...#...",
		"...#...",
		"...#...",
		"...#...",
		"...#...",
		"...#...",
		"...#..."}},
	{"U", {
		"#....#",
		"#....#",
		"#....#",
		"#....#",
		"#....#",
		"#....#",
		"#....#",
		"#....#",
		".####."}},
	{"V", {
		"#.....#",
		"#.....#",
		"#.....#",
		".#...#.",
		".#...#.",
		".#...#.",
		"..#.#..",
		"..#.#..",
		"...#..."}},
	{"É", {
		"...#..",
		"..#...",
		"......",
		"######",
		"#.....",
		"#.....",
		"#.....",
		"#####.",
		"#.....",
		"#.....",
		"#.....",
		"######"}},
	{"È", {
		"..#...",
		"...#..",
		"......",
		"######",
		"#.....",
		"#.....",
		"#.....",
		"#####.",
		"#.....",
		"#.....",
		"#.....",
		"######"}},
	{"前", {
		"...#....#...",
		"....#..#....",
		"############",
		"............",
		".#####.#...#",
		".#...#.#...#",
		".#####.#...#",
		".#...#.#...#",
		".#####.#...#",
		".#...#.....#",
		".#...#.....#",
		".#..##...##."}},
	{"後", {
		"...#...#....",
		"..#...#..#..",
		".#...####...",
		"...#...#.#..",
		"..#..######.",
		".#.....#..#.",
		"##....#####.",
		".#...##..#..",
		".#..#..##...",
		".#.....##...",
		".#...##..##.",
		".#.##......#"}},
	{"后", {
		".......###..",
		"..#####.....",
		"..#.........",
		"..#.........",
		"..##########",
		"..#.........",
		"..#.........",
		"..#.#######.",
		"..#.#.....#.",
		".#..#.....#.",
		".#..#######.",
		"#...#.....#."}},
	{"전", {
		".........#",
		"#######..#",
		"...#.....#",
		"...#...###",
		"..#.#....#",
		".#...#...#",
		"#.....#..#",
		".........#",
		".#........",
		".#........",
		".#........",
		".#########"}},
	{"후", {
		".....#.....",
		"..#######..",
		"...........",
		"....###....",
		"...#...#...",
		"...#...#...",
		"....###....",
		"...........",
		"###########",
		".....#.....",
		".....#.....",
		".....#....."}},
};
/* clang-format on */

/* Returns the glyph that the text begins with; NULL: there is none. */
static const struct glyph *find_glyph(const char *text)
{
	for (size_t i = 0; i < sizeof(glyphs) / sizeof(*glyphs); i++)
		if (strncmp(text, glyphs[i].character, strlen(glyphs[i].character)) == 0)
			return &glyphs[i];
	return NULL;
}

static uint32_t count_rows(const struct glyph *glyph)
{
	uint32_t rows = 0;

	while (rows < GLYPH_ROWS && glyph->rows[rows])
		rows++;
	return rows;
}

/* Returns the width of the word in dots, with its margins; 0: a character is unknown. */
static uint32_t measure(const char *text)
{
	uint32_t width = 2 * MARGIN - GAP;

	while (*text) {
		const struct glyph *glyph = find_glyph(text);

		if (!glyph)
			return 0;
		width += (uint32_t)strlen(glyph->rows[0]) + GAP;
		text += strlen(glyph->character);
	}
	return width;
}

static void set_dot(struct label *label, uint32_t x, uint32_t y, uint32_t unit)
{
	for (uint32_t row = y * unit; row < (y + 1) * unit; row++)
		memset(label->pixels + ((size_t)row * label->width + (size_t)x * unit) * 4, 255,
		       (size_t)unit * 4);
}

static void draw_glyph(struct label *label, const struct glyph *glyph, uint32_t left, uint32_t unit)
{
	const uint32_t rows = count_rows(glyph);

	for (uint32_t y = 0; y < rows; y++)
		for (uint32_t x = 0; glyph->rows[y][x]; x++)
			if (glyph->rows[y][x] == '#')
				set_dot(label, left + x, MARGIN + GLYPH_ROWS - rows + y, unit);
}

struct label label_make(const char *text, uint32_t unit)
{
	struct label label = {measure(text) * unit, (GLYPH_ROWS + 2 * MARGIN) * unit, NULL};
	const size_t bytes = (size_t)label.width * label.height * 4;
	uint32_t left = MARGIN;

	label.pixels = bytes ? calloc(1, bytes) : NULL;
	if (!label.pixels)
		return label;
	for (size_t i = 3; i < bytes; i += 4)
		label.pixels[i] = GROUND;
	while (*text) {
		const struct glyph *glyph = find_glyph(text);

		draw_glyph(&label, glyph, left, unit);
		left += (uint32_t)strlen(glyph->rows[0]) + GAP;
		text += strlen(glyph->character);
	}
	return label;
}
