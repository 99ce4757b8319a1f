/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is constant for a model (section 5): the timestep's embedding and modulation, and the
 * prompts' keys and values for cross-attention.
 */
#ifndef FVSR_NET_CONSTANTS_H
#define FVSR_NET_CONSTANTS_H

#include "model/config.h"
#include "net/load/loader.h"

struct fvsr_constants {
	float *t;           /* (dim) */
	float *t_mod;       /* (6, dim) */
	float *prompt;      /* (keys, text_dim): of each prompt the rows that differ */
	float *prompt_bias; /* (keys): log of how often each occurs */
	int prompt_first[FVSR_PROMPTS_MAX + 1]; /* key of each prompt; the last is 'keys' */
};

/*
 * Each computes its part. On failure they return a code, and the message is where the loader's go.
 */
int fvsr_constants_time(struct fvsr_constants *constants, struct fvsr_loader *loader);
int fvsr_constants_prompt(struct fvsr_constants *constants, struct fvsr_loader *loader);
/* Computes every layer's cross-attention keys and values on the device. */
int fvsr_constants_cross(const struct fvsr_constants *constants, struct fvsr_loader *loader);
void fvsr_constants_clear(struct fvsr_constants *constants);

#endif
