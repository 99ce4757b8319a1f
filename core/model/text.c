/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths and foreign text are handled here: what a file says about itself goes into messages and
 * logs only after it has been made printable.
 */
#include "model/file.h"

#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>
#else
#include <sys/stat.h>
#endif

#ifdef _WIN32

#define IS_SEPARATOR(c) ((c) == '/' || (c) == '\\')

wchar_t *fvsr_path_wide(const char *path)
{
	int n = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, NULL, 0);
	wchar_t *wide = n > 0 ? malloc((size_t)n * sizeof(*wide)) : NULL;

	if (wide)
		MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, n);
	return wide;
}

static DWORD attributes_of(const char *path)
{
	wchar_t *wide = fvsr_path_wide(path);
	DWORD attributes = wide ? GetFileAttributesW(wide) : INVALID_FILE_ATTRIBUTES;

	free(wide);
	return attributes;
}

bool fvsr_path_is_folder(const char *path)
{
	DWORD attributes = attributes_of(path);

	return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY);
}

bool fvsr_path_exists(const char *path)
{
	return attributes_of(path) != INVALID_FILE_ATTRIBUTES;
}

#else

#define IS_SEPARATOR(c) ((c) == '/')

bool fvsr_path_is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

bool fvsr_path_exists(const char *path)
{
	struct stat st;

	return !stat(path, &st);
}

#endif

char *fvsr_path_join(const char *folder, const char *name)
{
	size_t n = strlen(folder), m = strlen(name);
	char *path = malloc(n + m + 2);

	if (!path)
		return NULL;
	memcpy(path, folder, n);
	if (n && !IS_SEPARATOR(folder[n - 1]))
		path[n++] = '/';
	memcpy(path + n, name, m + 1);
	return path;
}

const char *fvsr_path_base(const char *path)
{
	const char *base = path;

	for (; *path; path++)
		if (IS_SEPARATOR(*path) && path[1])
			base = path + 1;
	return base;
}

/* Returns the length of the well-formed sequence at 'text', or 0 (RFC 3629, table 3-7). */
static size_t sequence_length(const unsigned char *text, size_t length)
{
	unsigned char first = text[0], low = 0x80, high = 0xbf;
	size_t n = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4, i;

	if ((first >= 0x80 && first < 0xc2) || first > 0xf4 || n > length)
		return 0;
	if (first == 0xe0)
		low = 0xa0;
	else if (first == 0xed)
		high = 0x9f;
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xf4)
		high = 0x8f;
	for (i = 1; i < n; i++) {
		if (text[i] < low || text[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return n;
}

bool fvsr_utf8_valid(const char *text, size_t length)
{
	const unsigned char *at = (const unsigned char *)text;

	while (length) {
		size_t n = sequence_length(at, length);

		if (!n)
			return false;
		at += n;
		length -= n;
	}
	return true;
}

void fvsr_printable(char *out, size_t size, const char *text, size_t length)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t used = 0;

	while (length) {
		size_t n = sequence_length(at, length);
		bool bad = !n || *at < 0x20 || *at == 0x7f;

		n = n ? n : 1;
		if (used + n >= size)
			break;
		if (bad)
			out[used] = '?';
		else
			memcpy(out + used, at, n);
		used += n;
		at += n;
		length -= n;
	}
	out[used] = '\0';
}
