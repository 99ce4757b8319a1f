/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening and drawing the window: see x-window.h.
 */
#include "x-window.h"

#include <X11/Xlib.h>

#include <stdlib.h>

struct x_window {
	Display *display;
	Window window;
	int x, y;
};

void blocks_color(uint32_t x, uint32_t y, uint8_t *rgb)
{
	const uint32_t column = x / BLOCKS_BLOCK, row = y / BLOCKS_BLOCK;

	rgb[0] = (uint8_t)(48 * column + 40);
	rgb[1] = (uint8_t)(48 * row + 40);
	rgb[2] = (uint8_t)(16 * ((column * 3 + row * 5) % 14) + 24);
}

/* Draws the blocks as the window's background, which the server draws again whenever it has to. */
static void draw_blocks(Display *display, Window window)
{
	const int screen = DefaultScreen(display);
	const Pixmap pixmap = XCreatePixmap(display, window, BLOCKS_SIDE, BLOCKS_SIDE,
					    (unsigned)DefaultDepth(display, screen));
	const GC gc = DefaultGC(display, screen);

	for (int y = 0; y < BLOCKS_SIDE; y += BLOCKS_BLOCK)
		for (int x = 0; x < BLOCKS_SIDE; x += BLOCKS_BLOCK) {
			uint8_t rgb[3];

			blocks_color((uint32_t)x, (uint32_t)y, rgb);
			XSetForeground(display, gc,
				       (unsigned long)rgb[0] << 16 | (unsigned long)rgb[1] << 8 |
					       rgb[2]);
			XFillRectangle(display, pixmap, gc, x, y, BLOCKS_BLOCK, BLOCKS_BLOCK);
		}
	XSetWindowBackgroundPixmap(display, window, pixmap);
	XFreePixmap(display, pixmap);
}

struct x_window *x_window_open(int x, int y)
{
	struct x_window *window = calloc(1, sizeof(*window));
	XSetWindowAttributes attributes = {.override_redirect = True};
	Window root;

	if (!window)
		abort();
	window->display = XOpenDisplay(NULL);
	if (!window->display) {
		free(window);
		return NULL;
	}
	window->x = x;
	window->y = y;
	root = DefaultRootWindow(window->display);
	window->window =
		XCreateWindow(window->display, root, x, y, BLOCKS_SIDE, BLOCKS_SIDE, 0,
			      CopyFromParent, InputOutput, NULL, CWOverrideRedirect, &attributes);
	draw_blocks(window->display, window->window);
	XMapRaised(window->display, window->window);
	XSync(window->display, False);
	return window;
}

void x_window_close(struct x_window *window)
{
	XCloseDisplay(window->display);
	free(window);
}

void x_window_around(const struct x_window *window, int around[4])
{
	const int screen = DefaultScreen(window->display);

	around[0] = window->x;
	around[1] = window->y;
	around[2] = DisplayWidth(window->display, screen) - window->x - BLOCKS_SIDE;
	around[3] = DisplayHeight(window->display, screen) - window->y - BLOCKS_SIDE;
}
