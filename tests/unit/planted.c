/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A library as an attacker would leave it in a folder: whoever loads it finds a file "planted-ran"
 * in the current folder. It has no function that a driver or cuBLASLt has.
 */
#include <stdio.h>

#define MARK "planted-ran"

static void leave_mark(void)
{
	FILE *file = fopen(MARK, "w");

	if (file)
		fclose(file);
}

#ifdef _WIN32
#include <windows.h>

BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, LPVOID reserved)
{
	(void)self;
	(void)reserved;
	if (reason == DLL_PROCESS_ATTACH)
		leave_mark();
	return TRUE;
}
#else
__attribute__((constructor)) static void loaded(void)
{
	leave_mark();
}
#endif
