/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words in the picture: each translation can be drawn with the font of dots, and a dot is as
 * large as asked for.
 *
 *	label-test LOCALE_FOLDER
 */
#include "picture/label.h"

#include "check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOT 255

static int count_dots(const struct label *label)
{
	int count = 0;

	for (size_t i = 0; i < (size_t)label->width * label->height; i++)
		count += label->pixels[i * 4] == DOT;
	return count;
}

static void check_word(const char *file, const char *word)
{
	struct label label = label_make(word, 1);

	if (CHECK(label.pixels, "%s: '%s' cannot be drawn", file, word))
		CHECK(count_dots(&label) > 20, "%s: '%s' has no dots", file, word);
	free(label.pixels);
}

/* Returns how many words of the picture the translation has. */
static int check_file(const char *folder, const char *name)
{
	char path[1024], line[4096];
	int words = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file)) {
		char *text = strchr(line, '"'), *end = strrchr(line, '"');

		if (strncmp(line, "Compare.Before=", 15) != 0 &&
		    strncmp(line, "Compare.After=", 14) != 0)
			continue;
		*end = '\0';
		check_word(name, text + 1);
		words++;
	}
	if (file)
		fclose(file);
	return words;
}

static void test_languages(const char *folder)
{
	DIR *files = opendir(folder);
	struct dirent *entry;
	int languages = 0;

	while (files && (entry = readdir(files)) != NULL) {
		if (!strstr(entry->d_name, ".ini"))
			continue;
		CHECK(check_file(folder, entry->d_name) == 2, "%s: a word is missing",
		      entry->d_name);
		languages++;
	}
	if (files)
		closedir(files);
	CHECK(languages == 8, "%d languages", languages);
}

static void test_dots(void)
{
	struct label small = label_make("FÉ", 1), large = label_make("FÉ", 3);

	/* Two letters of six dots, a gap, and margins of two. */
	CHECK(small.width == 17 && small.height == 16, "%ux%u", small.width, small.height);
	CHECK(large.width == 51 && large.height == 48, "%ux%u", large.width, large.height);
	for (uint32_t y = 0; y < large.height; y++)
		for (uint32_t x = 0; x < large.width; x++)
			CHECK(memcmp(large.pixels + ((size_t)y * large.width + x) * 4,
				     small.pixels + ((size_t)(y / 3) * small.width + x / 3) * 4,
				     4) == 0,
			      "%u,%u", x, y);
	/* The corner of the F, right above it the accent's row, and the ground between. */
	CHECK(small.pixels[(5 * 17 + 2) * 4] == DOT, "no F");
	CHECK(small.pixels[(4 * 17 + 2) * 4] == 0 && small.pixels[(4 * 17 + 2) * 4 + 3] > 0 &&
		      small.pixels[(4 * 17 + 2) * 4 + 3] < DOT,
	      "no ground");
	CHECK(small.pixels[(2 * 17 + 12) * 4] == DOT, "no accent");
	free(small.pixels);
	free(large.pixels);
	CHECK(!label_make("A?", 1).pixels, "an unknown character");
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	test_languages(argv[1]);
	test_dots();
	return check_result();
}
