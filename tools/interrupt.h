/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ctrl-C, SIGTERM and SIGHUP as something that long work can ask about, so that files are finished.
 */
#ifndef FVSR_TOOLS_INTERRUPT_H
#define FVSR_TOOLS_INTERRUPT_H

/*
 * From now on the first SIGINT, SIGTERM or SIGHUP (on Windows also a console that is closed, then
 * SIGTERM) is only noted; a second one kills as usual.
 */
void fvsr_cli_catch_signals(void);
/* The signal that came, or 0. */
int fvsr_cli_interrupted(void);

#endif
