/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only global state of the command line: a signal handler has nowhere else to write to.
 */
#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t caught;

static void handle(int number)
{
	caught = number;
}

void fvsr_cli_catch_signals(void)
{
	/*
	 * SA_RESETHAND: whoever cannot wait for the file to be finished asks twice. Not
	 * SA_RESTART: a read that waits for a pipe or a server has to come back.
	 */
	struct sigaction action = {.sa_handler = handle, .sa_flags = (int)SA_RESETHAND};

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

int fvsr_cli_interrupted(void)
{
	return caught;
}
