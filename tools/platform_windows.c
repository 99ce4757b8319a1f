/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Windows: see platform.h. The C library takes paths, arguments and variables in the system's old
 * code page, which lacks most of the world's letters; the calls for UTF-16 take them all.
 */
#include "platform.h"

#include <fcntl.h>
#include <io.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <windows.h>

#include <psapi.h>
#include <shellapi.h>

#define DEFAULT_COLUMNS 80
#define MAX_WIDE_PATH   32768

static wchar_t *wide_of(const char *text)
{
	int n = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
	wchar_t *wide = n > 0 ? malloc((size_t)n * sizeof(*wide)) : NULL;

	if (wide)
		MultiByteToWideChar(CP_UTF8, 0, text, -1, wide, n);
	return wide;
}

static bool narrow(const wchar_t *wide, char *text, size_t size)
{
	return WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, (int)size, NULL, NULL) > 0;
}

static char *narrow_copy(const wchar_t *wide)
{
	int n = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
	char *text = n > 0 ? malloc((size_t)n) : NULL;

	if (text)
		narrow(wide, text, (size_t)n);
	return text;
}

static bool utf8_arguments(int *argc, char ***argv)
{
	int count = 0;
	wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &count);
	char **words = wide ? calloc((size_t)count + 1, sizeof(*words)) : NULL;
	bool complete = words != NULL;

	for (int i = 0; complete && i < count; i++)
		complete = (words[i] = narrow_copy(wide[i])) != NULL;
	LocalFree(wide);
	if (!complete)
		return false;
	*argc = count;
	*argv = words;
	return true;
}

/*
 * Takes the current folder, the folders of PATH and the program's own out of the places where a
 * bare name of a DLL is looked for, whoever asks: people start programs in folders that hold
 * downloads. The second call takes the current folder out of the order that a caller may still ask
 * for with LOAD_WITH_ALTERED_SEARCH_PATH.
 */
static void load_from_system_only(void)
{
	SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32);
	SetDllDirectoryW(L"");
}

bool fvsr_platform_start(int *argc, char ***argv)
{
	HANDLE error = GetStdHandle(STD_ERROR_HANDLE);
	DWORD mode;

	load_from_system_only();
	/* A console shows UTF-8 and understands the sequences that redraw a line. */
	if (GetConsoleMode(error, &mode)) {
		SetConsoleOutputCP(CP_UTF8);
		SetConsoleMode(error, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
	}
	return utf8_arguments(argc, argv);
}

const char *fvsr_platform_variable(const char *name, char *value, size_t size)
{
	wchar_t *wide = wide_of(name);
	const wchar_t *found = wide ? _wgetenv(wide) : NULL;

	free(wide);
	return found && *found && narrow(found, value, size) ? value : NULL;
}

bool fvsr_platform_executable(char *path, size_t size)
{
	wchar_t *wide = malloc(MAX_WIDE_PATH * sizeof(*wide));
	DWORD n = wide ? GetModuleFileNameW(NULL, wide, MAX_WIDE_PATH) : 0;
	bool found = n > 0 && n < MAX_WIDE_PATH && narrow(wide, path, size);

	free(wide);
	for (char *c = path; found && *c; c++)
		if (*c == '\\')
			*c = '/';
	return found;
}

static bool attributes_of(const char *path, WIN32_FILE_ATTRIBUTE_DATA *data)
{
	wchar_t *wide = wide_of(path);
	bool found = wide && GetFileAttributesExW(wide, GetFileExInfoStandard, data);

	free(wide);
	return found;
}

bool fvsr_platform_readable(const char *path)
{
	WIN32_FILE_ATTRIBUTE_DATA data;

	return attributes_of(path, &data);
}

bool fvsr_platform_make_folder(const char *path)
{
	WIN32_FILE_ATTRIBUTE_DATA data;
	wchar_t *wide = wide_of(path);
	bool made = wide && CreateDirectoryW(wide, NULL);

	free(wide);
	return made ||
	       (attributes_of(path, &data) && (data.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY));
}

const char *fvsr_platform_last_word(const char *path)
{
	const char *word = path;

	for (const char *c = path; *c; c++)
		if (*c == '/' || *c == '\\' || *c == ':')
			word = c + 1;
	return word;
}

bool fvsr_platform_full_path(const char *path, char *full, size_t size)
{
	wchar_t *wide = wide_of(path), *whole = malloc(MAX_WIDE_PATH * sizeof(*whole));
	DWORD n = wide && whole ? GetFullPathNameW(wide, MAX_WIDE_PATH, whole, NULL) : 0;
	bool found = n > 0 && n < MAX_WIDE_PATH && narrow(whole, full, size);

	free(wide);
	free(whole);
	return found;
}

int64_t fvsr_platform_file_size(const char *path)
{
	WIN32_FILE_ATTRIBUTE_DATA data;

	if (!attributes_of(path, &data) || (data.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY))
		return -1;
	return (int64_t)((uint64_t)data.nFileSizeHigh << 32 | data.nFileSizeLow);
}

FILE *fvsr_platform_open(const char *path, const char *mode)
{
	wchar_t *wide = wide_of(path);
	wchar_t wide_mode[8];
	FILE *file = NULL;

	if (wide && strlen(mode) < 4) {
		swprintf(wide_mode, 8, L"%hs%ls", mode, strchr(mode, 'b') ? L"" : L"b");
		file = _wfopen(wide, wide_mode);
	}
	free(wide);
	return file;
}

FILE *fvsr_platform_stream(int handle)
{
	int copy = _dup(handle);
	FILE *stream = copy >= 0 ? _fdopen(copy, "wb") : NULL;

	if (!stream && copy >= 0)
		_close(copy);
	return stream;
}

bool fvsr_platform_is_special(const char *path)
{
	wchar_t *wide = wide_of(path);
	HANDLE handle = INVALID_HANDLE_VALUE;
	bool special;

	if (wide)
		handle = CreateFileW(wide, FILE_READ_ATTRIBUTES,
				     FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
				     OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
	free(wide);
	if (handle == INVALID_HANDLE_VALUE)
		return false;
	special = GetFileType(handle) != FILE_TYPE_DISK;
	CloseHandle(handle);
	return special;
}

void fvsr_platform_binary_streams(void)
{
	_setmode(_fileno(stdin), _O_BINARY);
	_setmode(_fileno(stdout), _O_BINARY);
}

bool fvsr_platform_is_terminal(FILE *stream)
{
	DWORD mode;

	/* _isatty() is true for every character device, NUL among them. */
	return GetConsoleMode((HANDLE)_get_osfhandle(_fileno(stream)), &mode);
}

int fvsr_platform_terminal_columns(void)
{
	CONSOLE_SCREEN_BUFFER_INFO info;

	if (!GetConsoleScreenBufferInfo(GetStdHandle(STD_ERROR_HANDLE), &info))
		return DEFAULT_COLUMNS;
	return info.srWindow.Right - info.srWindow.Left + 1;
}

/* The handler of signals: Windows calls end_requested() with no way to hand it anything. */
static void (*signal_handler)(int number);

/*
 * The console is closed, the user logs off, or the machine goes down. Windows ends the process as
 * soon as this returns, and after a few seconds anyway: so it waits for main() to complete the file
 * and end the process.
 */
static BOOL WINAPI end_requested(DWORD event)
{
	if (event != CTRL_CLOSE_EVENT && event != CTRL_LOGOFF_EVENT && event != CTRL_SHUTDOWN_EVENT)
		return FALSE; /* Ctrl-C and Ctrl-Break are signals of the C library */
	signal_handler(SIGTERM);
	Sleep(INFINITE);
	return TRUE;
}

void fvsr_platform_catch_signals(void (*handler)(int number))
{
	signal_handler = handler;
	/* The C library goes back to the default by itself when one has come. */
	signal(SIGINT, handler);
	signal(SIGTERM, handler);
	signal(SIGBREAK, handler);
	SetConsoleCtrlHandler(end_requested, TRUE);
}

uint64_t fvsr_platform_available_memory(void)
{
	MEMORYSTATUSEX status = {.dwLength = sizeof(status)};

	return GlobalMemoryStatusEx(&status) ? status.ullAvailPhys : 0;
}

uint64_t fvsr_platform_peak_rss(void)
{
	PROCESS_MEMORY_COUNTERS counters = {.cb = sizeof(counters)};

	if (!GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof(counters)))
		return 0;
	return counters.PeakWorkingSetSize;
}
