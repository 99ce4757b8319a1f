/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loops compiled to AVX2 and FMA. */
#define LOOPS      fvsr_loops_v3
#define LOOPS_NAME "AVX2"
#include "backend/cpu/fast/loops_body.h"
