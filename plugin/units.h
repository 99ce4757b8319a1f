/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Units of time. The plugin counts time in nanoseconds, as libobs does.
 */
#ifndef FLASHVSR_UNITS_H
#define FLASHVSR_UNITS_H

#define NS_PER_S  1000000000LL
#define NS_PER_MS 1000000LL

#endif
