/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds shipped libraries on Linux, where the portable build has its own oneDNN; see
 * shipped_library.h.
 */
#include "backend/shipped_library.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dlfcn.h>
#include <link.h>

/* Finds the real path of the module that this code is in: links to it may lie anywhere. */
static bool find_self(char *path)
{
	struct link_map *map;
	Dl_info info;
	void *found;

	if (!dladdr1((const void *)(uintptr_t)find_self, &info, &found, RTLD_DL_LINKMAP))
		return false;
	map = found;
	/* The program itself has no name there. */
	return realpath(*map->l_name ? map->l_name : "/proc/self/exe", path) != NULL;
}

void *fvsr_shipped_library_open(const char *name, bool *there)
{
	char path[PATH_MAX];
	size_t folder;

	*there = false;
	if (!find_self(path))
		return NULL;
	folder = (size_t)(strrchr(path, '/') + 1 - path);
	if (snprintf(path + folder, sizeof(path) - folder, "%s", name) >=
	    (int)(sizeof(path) - folder))
		return NULL;
	*there = access(path, F_OK) == 0;
	/* Its own symbols go before another version's that the process may have. */
	return *there ? dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND | RTLD_NODELETE) : NULL;
}
