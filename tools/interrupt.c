/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Global state, since a signal handler has nowhere else to write to.
 */
#include "interrupt.h"

#include <signal.h>

#include "platform.h"

static volatile sig_atomic_t caught;

static void handle(int number)
{
	caught = number;
}

void fvsr_cli_catch_signals(void)
{
	fvsr_platform_catch_signals(handle);
}

int fvsr_cli_interrupted(void)
{
	return caught;
}
