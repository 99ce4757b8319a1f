/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FVSR_TEST_LOOPS_LITERAL_H
#define FVSR_TEST_LOOPS_LITERAL_H

#include "backend/cpu/fast/loops.h"

/* The loops as their documentation says, in double precision and without any care for speed. */
extern const struct fvsr_loops literal_loops;

#endif
