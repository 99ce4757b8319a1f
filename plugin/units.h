/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Units of time, and arithmetic with them. The plugin counts time in nanoseconds, as libobs does.
 */
#ifndef FLASHVSR_UNITS_H
#define FLASHVSR_UNITS_H

#include <stdint.h>

#define NS_PER_S 1000000000LL

/* Returns 'ns' times 'num' / 'den', for small factors. */
static inline int64_t ns_scaled(int64_t ns, int num, int den)
{
	return ns * num / den;
}

#endif
