/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How like a picture is to the true one. Pictures are RGBA8 of one size; alpha does not count.
 */
#ifndef FVSR_TOOLS_LIKENESS_H
#define FVSR_TOOLS_LIKENESS_H

#include "fvsr/fvsr.h"

struct fvsr_likeness {
	double psnr_db; /* over red, green and blue; an exact copy has 100 */
	double ssim;    /* of luma (Wang and others, 2004); NaN when the picture is too small */
	double vmaf;    /* of this one picture, so without motion; NaN when there is no VMAF */
};

/* Compares with the truth. 'vmaf' false: that figure is not asked for. 0 or FVSR_ERR_*. */
int fvsr_likeness_of(const struct fvsr_picture *picture, const struct fvsr_picture *truth,
		     bool vmaf, struct fvsr_likeness *out, struct fvsr_error *err);

/* Returns true when the program `ffmpeg` is there and has libvmaf (vmaf.c). */
bool fvsr_vmaf_available(void);
/* Has `ffmpeg` compute VMAF. 0, or FVSR_ERR_* when that fails. */
int fvsr_vmaf(const struct fvsr_picture *picture, const struct fvsr_picture *truth, double *vmaf,
	      struct fvsr_error *err);

#endif
