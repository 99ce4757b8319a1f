/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The little that the plugin asks the operating system for itself.
 */
#ifndef FLASHVSR_SYSTEM_H
#define FLASHVSR_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Nanoseconds of a clock that never goes back. */
int64_t system_now_ns(void);

/* Bytes of memory that can be had without swapping; 0 when that cannot be found out. */
uint64_t system_available_memory(void);

/* Of a file; 0 when it is not there or that cannot be found out. */
uint64_t system_file_bytes(const char *path);

/* Waits until what was written to the file is on the disk. False: it is not, see errno. */
bool system_flush_file(FILE *file);

/*
 * Waits until the names of files in the folder of 'path' are on the disk, too. Where the system has
 * no such call (Windows), or when it fails, a name may be lost in a crash, but no file is damaged.
 */
void system_flush_folder_of(const char *path);

/*
 * OBS, its encoder and the game come first. Threads that the calling thread starts later are
 * lowered with it where the system inherits priorities (Linux does).
 */
void system_lower_thread_priority(void);

/* For debuggers and top. At most 15 characters. */
void system_name_thread(const char *name);

/*
 * Keeps this module in memory when OBS unloads it. The threads of the OpenMP library, which on
 * Windows is linked into it, wait for their next work for ever: the code must not go away.
 */
void system_stay_loaded(void);

#endif
