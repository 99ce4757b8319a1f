/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A page of pictures side by side, pixel for pixel and each with its name above it, as a PNG file.
 */
#ifndef FVSR_TOOLS_PAGE_H
#define FVSR_TOOLS_PAGE_H

#include "fvsr/fvsr.h"

#define FVSR_PAGE_LINES  2
#define FVSR_PAGE_PANELS 4 /* at most */

/* Lines are of characters that plugin/picture/label.c has, or empty. */
struct fvsr_page_panel {
	const struct fvsr_picture *picture; /* RGBA8; what is transparent is on black */
	char lines[FVSR_PAGE_LINES][64];
};

/* The part of every picture that the page shows. */
struct fvsr_page_part {
	int x, y, width, height;
};

/* Writes the page to 'path', which gets the file when it is complete. 0 or FVSR_ERR_*. */
int fvsr_page_write(const char *path, const struct fvsr_page_panel *panels, int count,
		    const struct fvsr_page_part *part, struct fvsr_error *err);

#endif
