/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the stand-in share: ending the program, and calls that are to fail.
 */
#ifndef FAKE_CUDA_FAKE_H
#define FAKE_CUDA_FAKE_H

/* An entry of the driver's library. */
#define FAKE(name) __attribute__((visibility("default"))) int name

#define ERROR_UNKNOWN 999

/* Ends the program, which did what it must not. */
_Noreturn void fake_broken(const char *what);
/* Begin a call; true when it is to fail. The second aborts where no context is current. */
int fake_fails(void);
int fake_begin(void);

#endif
