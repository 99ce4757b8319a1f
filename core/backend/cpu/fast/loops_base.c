/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loops compiled to the instructions that every processor of the architecture has. */
#define LOOPS      fvsr_loops_base
#define LOOPS_NAME "baseline"
#include "backend/cpu/fast/loops_body.h"
