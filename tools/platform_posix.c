/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linux and its relatives: see platform.h.
 */
#include "platform.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_COLUMNS 80

bool fvsr_platform_start(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return true;
}

const char *fvsr_platform_variable(const char *name, char *value, size_t size)
{
	const char *found = getenv(name);

	if (!found || !*found || strlen(found) >= size)
		return NULL;
	return memcpy(value, found, strlen(found) + 1);
}

bool fvsr_platform_executable(char *path, size_t size)
{
	ssize_t length = readlink("/proc/self/exe", path, size - 1);

	if (length <= 0)
		return false;
	path[length] = '\0';
	return true;
}

bool fvsr_platform_readable(const char *path)
{
	return access(path, R_OK) == 0;
}

int64_t fvsr_platform_file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (int64_t)st.st_size : -1;
}

FILE *fvsr_platform_open(const char *path, const char *mode)
{
	return fopen(path, mode);
}

void fvsr_platform_remove(const char *path)
{
	unlink(path);
}

void fvsr_platform_binary_streams(void)
{
}

bool fvsr_platform_is_terminal(FILE *stream)
{
	return isatty(fileno(stream));
}

int fvsr_platform_terminal_columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return DEFAULT_COLUMNS;
}

void fvsr_platform_catch_signals(void (*handler)(int number))
{
	/*
	 * SA_RESETHAND: whoever cannot wait for the file to be finished asks twice. Not
	 * SA_RESTART: a read that waits for a pipe or a server has to come back.
	 */
	struct sigaction action = {.sa_handler = handler, .sa_flags = (int)SA_RESETHAND};

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

uint64_t fvsr_platform_peak_rss(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) < 0)
		return 0;
	return (uint64_t)usage.ru_maxrss * 1024;
}
