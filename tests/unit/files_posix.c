/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tests' own files on Linux and its relatives: see craft.h.
 */
#include "craft.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *temp_create(void)
{
	const char *base = getenv("TMPDIR");
	char *folder = malloc(300);

	if (!folder)
		exit(1);
	snprintf(folder, 300, "%.240s/" TEMP_NAME "XXXXXX", base && *base ? base : "/tmp");
	if (!mkdtemp(folder)) {
		perror(folder);
		exit(1);
	}
	return folder;
}

static void remove_inside(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *item;

	while (dir && (item = readdir(dir))) {
		char path[512];
		struct stat st;

		if (!strcmp(item->d_name, ".") || !strcmp(item->d_name, ".."))
			continue;
		snprintf(path, sizeof(path), "%.240s/%.255s", folder, item->d_name);
		if (!lstat(path, &st) && S_ISDIR(st.st_mode)) {
			remove_inside(path);
			rmdir(path);
		} else {
			unlink(path);
		}
	}
	if (dir)
		closedir(dir);
}

void temp_remove(char *folder)
{
	remove_inside(folder);
	rmdir(folder);
	free(folder);
}

int folder_entries(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *item;
	int n = 0;

	while (dir && (item = readdir(dir)))
		n += strcmp(item->d_name, ".") && strcmp(item->d_name, "..");
	if (dir)
		closedir(dir);
	return n;
}

FILE *open_file(const char *path, const char *mode)
{
	return fopen(path, mode);
}

bool remove_file(const char *path)
{
	return unlink(path) == 0;
}

bool link_file(const char *path, const char *name)
{
	return link(path, name) == 0;
}

bool make_folder(const char *path)
{
	return mkdir(path, 0700) == 0;
}

long long file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : (long long)st.st_size;
}

bool resize_file(const char *path, long bytes)
{
	return truncate(path, bytes) == 0;
}
