/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * After fvsr has started, a bare name is looked for in System32 only, whoever asks. Runs in a
 * folder with a planted cublasLt64_13.dll (see tests/unit/planted.c), which Windows' loader finds
 * before.
 */
#include <stdio.h>

#include <windows.h>

#include "platform.h"

#define NAME "cublasLt64_13.dll"

static bool finds_planted(void)
{
	HMODULE module = LoadLibraryA(NAME);

	if (module)
		FreeLibrary(module);
	return module != NULL;
}

int main(int argc, char **argv)
{
	bool before = finds_planted(), after;

	if (!fvsr_platform_start(&argc, &argv))
		return 1;
	after = finds_planted();
	printf("%s by its bare name in the current folder: %s before, %s after\n", NAME,
	       before ? "found" : "not found", after ? "found" : "not found");
	return before && !after ? 0 : 1;
}
