/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the plugin asks the operating system for, where neither C nor libobs has a portable call.
 */
#ifndef FLASHVSR_SYSTEM_H
#define FLASHVSR_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Returns the nanoseconds of a clock that never goes back. */
int64_t system_now_ns(void);

/* Returns the bytes of memory that are free without swapping; 0: they are not known. */
uint64_t system_available_memory(void);

/* Returns the size of a file; 0: there is no such file, or its size is not known. */
uint64_t system_file_bytes(const char *path);

/* Waits until what was written to the file is on the disk. False: that failed, see errno. */
bool system_flush_file(FILE *file);

/*
 * Waits until the names of the files in the folder of 'path' are on the disk, too. Where the system
 * has no such call (Windows), or the call fails, a crash may lose a name, but damages no file.
 */
void system_flush_folder_of(const char *path);

/*
 * Lets OBS, its encoder and the game go before the calling thread. Threads that it starts later are
 * lowered with it where the system inherits priorities (Linux does).
 */
void system_lower_thread_priority(void);

/* Names the calling thread for debuggers and top, with at most 15 characters. */
void system_name_thread(const char *name);

/*
 * Keeps this module in memory when OBS unloads it. The threads of the OpenMP library, which on
 * Windows is linked into it, wait for their next work for ever: the code must not go away.
 */
void system_stay_loaded(void);

#endif
