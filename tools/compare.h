/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far tensors are from their golden values, and what is still right.
 */
#ifndef FVSR_TOOLS_COMPARE_H
#define FVSR_TOOLS_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "fvsr/fvsr.h"

struct fvsr_cli_difference {
	double rel_l2; /* |got - golden|_2 / |golden|_2 */
	double max_abs;
	double psnr_db;   /* for pictures in [-1, 1] */
	double agreement; /* share of equal values */
};

/* What a tensor must keep to; a field that does not matter holds a value that always passes. */
struct fvsr_cli_limit {
	double rel_l2, max_abs;    /* at most; INFINITY: any */
	double psnr_db, agreement; /* at least; -INFINITY: any */
};

struct fvsr_cli_result {
	struct fvsr_tensor_info golden;
	struct fvsr_cli_limit limit;
	struct fvsr_cli_difference difference;
	bool is_input; /* not compared: the file holds it as input */
	bool produced;
	bool ok;
	char problem[160]; /* why it could not be compared */
};

struct fvsr_cli_results {
	struct fvsr_cli_result *items;
	size_t count;
	float *golden; /* room for the largest tensor */
};

/* One result per tensor of the file, nothing produced yet. Negative: FVSR_ERR_*. */
int fvsr_cli_results_init(struct fvsr_cli_results *results, const fvsr_tensors *file);
void fvsr_cli_results_free(struct fvsr_cli_results *results);
struct fvsr_cli_result *fvsr_cli_results_find(struct fvsr_cli_results *results, const char *name);

/* Compares what was computed with the file. 'got' has the golden tensor's number of values. */
void fvsr_cli_results_check(struct fvsr_cli_results *results, struct fvsr_cli_result *result,
			    const float *got);

/* A limit that everything keeps to, to be narrowed by the caller. */
struct fvsr_cli_limit fvsr_cli_no_limit(void);

/* Number of values of a tensor. */
size_t fvsr_cli_tensor_count(const struct fvsr_tensor_info *info);

#endif
