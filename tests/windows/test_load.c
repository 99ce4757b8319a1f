/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What OBS does with a module, as far as that goes without OBS: Windows' loader resolves every
 * import, the functions that OBS looks up are there, and loading, naming and unloading return.
 * The obs.dll beside this program has the real one's names only (see CMakeLists.txt).
 *
 *	test_load OBS-FLASHVSR.DLL
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <windows.h>

static int failures;

static void check(int ok, const char *what)
{
	if (!ok) {
		printf("FAILED: %s (error %lu)\n", what, GetLastError());
		failures++;
	}
}

static void find(HMODULE module, const char *name, void *function)
{
	FARPROC found = GetProcAddress(module, name);

	check(found != NULL, name);
	memcpy(function, &found, sizeof(found));
}

int main(int argc, char **argv)
{
	HMODULE module;
	void (*set_pointer)(void *);
	uint32_t (*version)(void);
	int (*load)(void);
	void (*set_locale)(const char *);

	if (argc != 2)
		return 2;
	module = LoadLibraryA(argv[1]);
	check(module != NULL, "LoadLibrary");
	if (!module)
		return 1;
	find(module, "obs_module_set_pointer", &set_pointer);
	find(module, "obs_module_ver", &version);
	find(module, "obs_module_load", &load);
	find(module, "obs_module_set_locale", &set_locale);
	if (failures)
		return 1;
	set_pointer(&module);
	printf("module of libobs %u.%u\n", version() >> 24, version() >> 16 & 255);
	check(version() >> 24 == 29, "the oldest OBS that is supported");
	set_locale("en-US");
	check(load(), "obs_module_load");
	/* Threads of the CPU backend may still wait inside: it has to stay. */
	check(FreeLibrary(module), "FreeLibrary");
	check(GetModuleHandleA("obs-flashvsr.dll") == module, "the module stays");
	printf("%d failures\n", failures);
	return failures ? 1 : 0;
}
