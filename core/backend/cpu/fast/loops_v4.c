/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loops compiled to AVX-512. */
#define LOOPS      fvsr_loops_v4
#define LOOPS_NAME "AVX-512"
#include "backend/cpu/fast/loops_body.h"
