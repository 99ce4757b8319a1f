/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two halves of `fvsr verify`: streams through the network, and parts on their own.
 */
#ifndef FVSR_TOOLS_VERIFY_H
#define FVSR_TOOLS_VERIFY_H

#include "fvsr/fvsr.h"

#include "compare.h"

/*
 * Bicubic (bicubic.* from lr_u8) and colour correction (color.adain and color.wavelet of color.hq
 * towards color.lq). Returns 0, or an exit status after an error has been reported.
 */
int fvsr_cli_verify_parts(struct fvsr_cli_results *results, const char *backend);

#endif
