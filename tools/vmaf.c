/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMAF through the program `ffmpeg`, where that one has libvmaf: few do, and a library that only
 * one figure needs is not asked of everybody. The two pictures go through files, which are removed
 * again.
 */
#include "likeness.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform.h"

static int fail(struct fvsr_error *err, const char *what)
{
	snprintf(err->text, sizeof(err->text), "VMAF: %s: %s", what, strerror(errno));
	return FVSR_ERR_IO;
}

/* Runs `ffmpeg`, whose output and errors can be read from the stream; NULL when it cannot run. */
static FILE *start(const char *const *arguments, pid_t *child)
{
	int ends[2];
	FILE *from;

	if (pipe(ends) < 0)
		return NULL;
	*child = fork();
	if (*child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		execvp("ffmpeg", (char *const *)(uintptr_t)arguments);
		_exit(127);
	}
	close(ends[1]);
	from = *child > 0 ? fdopen(ends[0], "r") : NULL;
	if (!from)
		close(ends[0]);
	return from;
}

/* Looks for 'word' in what `ffmpeg` says; *rest gets what follows it in its line. */
static bool find_word(const char *const *arguments, const char *word, char *rest, size_t size)
{
	char line[1024];
	pid_t child = -1;
	FILE *from = start(arguments, &child);
	bool found = false;
	int status = 0;

	while (from && fgets(line, sizeof(line), from)) {
		const char *at = strstr(line, word);

		if (at && !found) {
			found = true;
			snprintf(rest, size, "%s", at + strlen(word));
		}
	}
	if (from)
		fclose(from);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return found && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool fvsr_vmaf_available(void)
{
	static const char *const arguments[] = {"ffmpeg", "-hide_banner", "-filters", NULL};
	char rest[8];

	return find_word(arguments, " libvmaf ", rest, sizeof(rest));
}

static bool write_rgb(FILE *to, const struct fvsr_picture *picture)
{
	for (int y = 0; y < picture->height; y++) {
		const uint8_t *pixel =
			(const uint8_t *)picture->data + (ptrdiff_t)picture->stride * y;

		for (int x = 0; x < picture->width; x++, pixel += 4)
			if (fwrite(pixel, 1, 3, to) != 3)
				return false;
	}
	return true;
}

/* Writes a picture to a new file of this name, whose last six letters are replaced. */
static bool write_picture(char *path, const struct fvsr_picture *picture)
{
	int handle = mkstemp(path);
	FILE *to = handle < 0 ? NULL : fdopen(handle, "wb");
	bool ok = to && write_rgb(to, picture);

	if (to)
		return fclose(to) == 0 && ok;
	if (handle >= 0)
		close(handle);
	return false;
}

static int ask(const char *const paths[2], const struct fvsr_picture *size, double *vmaf,
	       struct fvsr_error *err)
{
	char text[32], rest[64];
	const char *const arguments[] = {
		"ffmpeg",      "-hide_banner",
		"-nostats",    "-nostdin",
		"-f",          "rawvideo",
		"-pix_fmt",    "rgb24",
		"-video_size", text,
		"-i",          paths[0],
		"-f",          "rawvideo",
		"-pix_fmt",    "rgb24",
		"-video_size", text,
		"-i",          paths[1],
		"-lavfi",      "[0]format=yuv420p[a];[1]format=yuv420p[b];[a][b]libvmaf",
		"-f",          "null",
		"-",           NULL};

	snprintf(text, sizeof(text), "%dx%d", size->width, size->height);
	if (!find_word(arguments, "VMAF score: ", rest, sizeof(rest))) {
		snprintf(err->text, sizeof(err->text), "VMAF: ffmpeg gave no score");
		return FVSR_ERR_IO;
	}
	*vmaf = strtod(rest, NULL);
	return FVSR_OK;
}

int fvsr_vmaf(const struct fvsr_picture *picture, const struct fvsr_picture *truth, double *vmaf,
	      struct fvsr_error *err)
{
	const struct fvsr_picture *const pictures[2] = {picture, truth};
	char folder[2048], paths[2][2100];
	const char *const both[2] = {paths[0], paths[1]};
	int result = FVSR_OK, written = 0;

	if (!fvsr_platform_variable("TMPDIR", folder, sizeof(folder)))
		snprintf(folder, sizeof(folder), "/tmp");
	for (; written < 2 && result == FVSR_OK; written++) {
		snprintf(paths[written], sizeof(paths[written]), "%s/fvsr-vmaf-XXXXXX", folder);
		if (!write_picture(paths[written], pictures[written]))
			result = fail(err, paths[written]);
	}
	if (result == FVSR_OK)
		result = ask(both, truth, vmaf, err);
	while (written > 0)
		unlink(paths[--written]);
	return result;
}
