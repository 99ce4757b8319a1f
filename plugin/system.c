/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking Windows and POSIX: see system.h.
 */
#include "system.h"

#include "units.h"

#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

int64_t system_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

#ifdef _WIN32

#include <io.h>
#include <string.h>

#include <windows.h>

uint64_t system_available_memory(void)
{
	MEMORYSTATUSEX status = {.dwLength = sizeof(status)};

	return GlobalMemoryStatusEx(&status) ? status.ullAvailPhys : 0;
}

uint64_t system_file_bytes(const char *path)
{
	wchar_t wide[1024];
	struct _stat64 info;

	if (!MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, sizeof(wide) / sizeof(*wide)))
		return 0;
	return _wstat64(wide, &info) == 0 ? (uint64_t)info.st_size : 0;
}

/* Calls _commit(), which is FlushFileBuffers(). */
bool system_flush_file(FILE *file)
{
	return fflush(file) == 0 && _commit(_fileno(file)) == 0;
}

void system_flush_folder_of(const char *path)
{
	(void)path;
}

void system_lower_thread_priority(void)
{
	SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_BELOW_NORMAL);
}

/* Looks SetThreadDescription() up, because Windows has it only since version 10 1607. */
void system_name_thread(const char *name)
{
	typedef HRESULT(WINAPI * describe_thread)(HANDLE thread, PCWSTR text);
	FARPROC found = GetProcAddress(GetModuleHandleA("kernel32.dll"), "SetThreadDescription");
	describe_thread describe;
	wchar_t wide[64];

	memcpy(&describe, &found, sizeof(describe));
	if (describe && MultiByteToWideChar(CP_UTF8, 0, name, -1, wide, 64))
		describe(GetCurrentThread(), wide);
}

void system_stay_loaded(void)
{
	static const char here;
	HMODULE module;

	GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
			   &here, &module);
}

#else

#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Reads MemAvailable, not MemFree, because memory that holds caches can be had, too. */
uint64_t system_available_memory(void)
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

uint64_t system_file_bytes(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && S_ISREG(info.st_mode) ? (uint64_t)info.st_size : 0;
}

bool system_flush_file(FILE *file)
{
	return fflush(file) == 0 && fsync(fileno(file)) == 0;
}

void system_flush_folder_of(const char *path)
{
	char *copy = strdup(path);
	const int folder = copy ? open(dirname(copy), O_RDONLY | O_CLOEXEC | O_DIRECTORY) : -1;

	free(copy);
	if (folder < 0)
		return;
	(void)fsync(folder);
	close(folder);
}

void system_lower_thread_priority(void)
{
#ifdef __linux__
	/* On Linux this is the calling thread alone, whatever POSIX says. */
	setpriority(PRIO_PROCESS, 0, 5);
#endif
}

void system_name_thread(const char *name)
{
#ifdef __linux__
	pthread_setname_np(pthread_self(), name);
#else
	(void)name;
#endif
}

void system_stay_loaded(void)
{
}

#endif
