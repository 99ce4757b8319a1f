/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linux and its relatives: see platform.h.
 */
#include "platform.h"

#include <fcntl.h>
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

bool fvsr_platform_make_folder(const char *path)
{
	struct stat st;

	return mkdir(path, 0777) == 0 || (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

const char *fvsr_platform_last_word(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool fvsr_platform_full_path(const char *path, char *full, size_t size)
{
	char *real = realpath(path, NULL);
	bool fits = real && strlen(real) < size;

	if (fits)
		memcpy(full, real, strlen(real) + 1);
	free(real);
	return fits;
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

FILE *fvsr_platform_stream(int handle)
{
	int copy = fcntl(handle, F_DUPFD_CLOEXEC, 0);
	FILE *stream = copy >= 0 ? fdopen(copy, "wb") : NULL;

	if (!stream && copy >= 0)
		close(copy);
	return stream;
}

bool fvsr_platform_is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
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
	struct sigaction earlier;

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* Whoever starts it with nohup wants it to go on. */
	if (sigaction(SIGHUP, NULL, &earlier) == 0 && earlier.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

/* MemAvailable, not MemFree: what caches hold can be had too. */
static uint64_t machine_memory(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kib = 0;
	char line[128];

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
			break;
	fclose(file);
	return kib * 1024;
}

/* What `ulimit -v` leaves of the process's addresses; UINT64_MAX without such a limit. */
static uint64_t address_space(void)
{
	struct rlimit limit;
	unsigned long long pages = 0;
	uint64_t used;
	FILE *file;

	if (getrlimit(RLIMIT_AS, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	file = fopen("/proc/self/statm", "re");
	if (!file)
		return limit.rlim_cur;
	if (fscanf(file, "%llu", &pages) != 1)
		pages = 0;
	fclose(file);
	used = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return used < limit.rlim_cur ? limit.rlim_cur - used : 1;
}

uint64_t fvsr_platform_available_memory(void)
{
	uint64_t machine = machine_memory(), addresses = address_space();

	return machine && machine < addresses ? machine : addresses == UINT64_MAX ? 0 : addresses;
}

uint64_t fvsr_platform_peak_rss(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) < 0)
		return 0;
	return (uint64_t)usage.ru_maxrss * 1024;
}
