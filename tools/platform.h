/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the command line asks the operating system for. Texts are UTF-8 on every system: on Windows
 * that is not what the C library's own calls take, so no other file calls those.
 */
#ifndef FVSR_TOOLS_PLATFORM_H
#define FVSR_TOOLS_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * First call of main(): makes argv UTF-8 and terminals show it. False when out of memory. The new
 * array belongs to the process.
 */
bool fvsr_platform_start(int *argc, char ***argv);

/* A variable's value, or NULL when it is unset, empty or longer than 'size'. */
const char *fvsr_platform_variable(const char *name, char *value, size_t size);

/* The running program's file, false when that cannot be found out. */
bool fvsr_platform_executable(char *path, size_t size);

bool fvsr_platform_readable(const char *path);

/* Makes a folder, unless it is there already. */
bool fvsr_platform_make_folder(const char *path);

/* The last word of a path, behind its folders. */
const char *fvsr_platform_last_word(const char *path);

/* The absolute path of what exists. */
bool fvsr_platform_full_path(const char *path, char *full, size_t size);

/* Bytes of a regular file, -1 when it is none. */
int64_t fvsr_platform_file_size(const char *path);

/* fopen(). Binary, whatever 'mode' says. */
FILE *fvsr_platform_open(const char *path, const char *mode);

/* A stream of its own for the C library's descriptor 'handle', to write to; NULL on failure. */
FILE *fvsr_platform_stream(int handle);

/* True for what is there and is neither a file nor a folder: a device, a named pipe. */
bool fvsr_platform_is_special(const char *path);

/* Makes stdin and stdout pass bytes through unchanged. */
void fvsr_platform_binary_streams(void);

bool fvsr_platform_is_terminal(FILE *stream);

/* Of the terminal that messages go to. */
int fvsr_platform_terminal_columns(void);

/*
 * Calls 'handler' once for Ctrl-C, a request to end, or a terminal that goes away; a second time
 * ends the program. A reader that goes away, or a limit on the size of files, is from then on an
 * error of the call that writes, not the program's end.
 */
void fvsr_platform_catch_signals(void (*handler)(int number));

/* Memory that can be had without pushing others out, bytes; 0 when unknown. */
uint64_t fvsr_platform_available_memory(void);

/* The most memory that the process has had, bytes; 0 when unknown. */
uint64_t fvsr_platform_peak_rss(void);

#endif
