/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sizes of the output, for different choices of the user and sizes of the source.
 */
#include "check.h"
#include "policy/sizes.h"

#include <stdio.h>

static void test_sizes(void)
{
	static const struct {
		struct sizes_target target;
		uint32_t in[2], canvas[2], out[2];
		bool reached;
	} cases[] = {
		{{2, 0, 0}, {640, 360}, {1920, 1080}, {1280, 720}, false},
		{{4, 0, 0}, {640, 360}, {1920, 1080}, {2560, 1440}, false},
		/* the canvas, one side of which the aspect leaves free */
		{{0, 0, 0}, {640, 360}, {1920, 1080}, {1920, 1080}, false},
		{{0, 0, 0}, {640, 480}, {1920, 1080}, {1440, 1080}, false},
		{{0, 0, 0}, {360, 640}, {1920, 1080}, {608, 1080}, false},
		{{0, 0, 0}, {854, 480}, {1920, 1080}, {1920, 1079}, false},
		/* at most four times */
		{{0, 0, 0}, {160, 90}, {1920, 1080}, {640, 360}, false},
		/* large enough */
		{{0, 0, 0}, {1920, 1080}, {1920, 1080}, {1920, 1080}, true},
		{{0, 0, 0}, {1920, 800}, {1920, 1080}, {1920, 800}, true},
		{{0, 0, 0}, {3840, 2160}, {1920, 1080}, {3840, 2160}, true},
		/* the user's box */
		{{0, 1280, 1280}, {640, 360}, {1920, 1080}, {1280, 720}, false},
		{{0, 1280, 100}, {640, 360}, {1920, 1080}, {640, 360}, true},
		{{0, 16384, 16384}, {640, 360}, {1920, 1080}, {2560, 1440}, false},
		/* impossible */
		{{2, 0, 0}, {15, 360}, {1920, 1080}, {15, 360}, false},
		{{4, 0, 0}, {5000, 360}, {1920, 1080}, {5000, 360}, false},
		{{2, 0, 0}, {0, 0}, {1920, 1080}, {0, 0}, false},
		{{0, 0, 0}, {640, 360}, {0, 0}, {640, 360}, true},
		{{0, 0, 0},
		 {4000000000u, 4000000000u},
		 {1920, 1080},
		 {4000000000u, 4000000000u},
		 true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct sizes_target target = sizes_unpack(sizes_pack(&cases[i].target));
		const struct sizes s = sizes_choose(&target, cases[i].in[0], cases[i].in[1],
						    cases[i].canvas[0], cases[i].canvas[1]);

		CHECK(s.out_width == cases[i].out[0] && s.out_height == cases[i].out[1],
		      "case %zu: %u x %u", i, s.out_width, s.out_height);
		CHECK(sizes_reached(&target, &s) == cases[i].reached, "case %zu", i);
	}
}

/* The bundled network makes the next whole scale. */
static void test_whole(void)
{
	static const struct {
		uint32_t in[2], wanted[2], made[2];
	} cases[] = {
		{{640, 360}, {1280, 720}, {1280, 720}},
		{{640, 360}, {2560, 1440}, {2560, 1440}},
		{{1280, 720}, {1920, 1080}, {2560, 1440}},
		{{854, 480}, {1920, 1079}, {2562, 1440}},
		{{360, 640}, {608, 1080}, {720, 1280}},
		{{1000, 500}, {1050, 525}, {2000, 1000}},
		{{1000, 500}, {2090, 1045}, {2000, 1000}}, /* not three times, for so little */
		{{1000, 500}, {2100, 1050}, {3000, 1500}},
		{{1000, 500}, {3950, 1975}, {4000, 2000}},
		{{1920, 1080}, {1920, 1080}, {1920, 1080}},   /* passed on */
		{{9000, 5000}, {12000, 6667}, {12000, 6667}}, /* no texture is so large */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct sizes wanted = {cases[i].in[0], cases[i].in[1], cases[i].wanted[0],
					     cases[i].wanted[1]};
		const struct sizes made = sizes_whole(&wanted);

		CHECK(made.in_width == wanted.in_width && made.in_height == wanted.in_height &&
			      made.out_width == cases[i].made[0] &&
			      made.out_height == cases[i].made[1],
		      "case %zu: %u x %u", i, made.out_width, made.out_height);
	}
}

/* Whatever goes in: the output has the input's aspect, to a pixel, and never less than its size. */
static void test_aspect(void)
{
	const struct sizes_target canvas = {0, 0, 0};

	for (uint32_t w = 16; w < 2000; w += 37) {
		for (uint32_t h = 16; h < 1200; h += 29) {
			struct sizes s = sizes_choose(&canvas, w, h, 1920, 1080);
			const double high = (double)s.out_width * h / w - s.out_height;
			const double wide = (double)s.out_height * w / h - s.out_width;

			CHECK(s.out_width >= w && s.out_height >= h, "%u x %u", w, h);
			CHECK((high <= 0.51 && high >= -0.51) || (wide <= 0.51 && wide >= -0.51),
			      "%u x %u became %u x %u", w, h, s.out_width, s.out_height);
		}
	}
}

int main(void)
{
	test_sizes();
	test_whole();
	test_aspect();
	return check_result();
}
