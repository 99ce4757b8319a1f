/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter's description for libobs, which the module registers.
 */
#ifndef FLASHVSR_FILTER_H
#define FLASHVSR_FILTER_H

#include <obs-module.h>

#define FILTER_ID "flashvsr_filter"

extern struct obs_source_info flashvsr_filter_info;

#endif
