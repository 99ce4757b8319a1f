/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Models have their configuration as JSON; here is what it may say.
 */
#ifndef FVSR_MODEL_CONFIG_H
#define FVSR_MODEL_CONFIG_H

#include "fvsr/fvsr.h"

/* Room for any configuration that fvsr_config_write() writes. */
#define FVSR_CONFIG_TEXT 1024

#define FVSR_DEC_LEVELS     4  /* of the released decoder, and the most there are */
#define FVSR_DEC_BLOCKS     3  /* MemBlocks of a level of the released decoder */
#define FVSR_DEC_BLOCKS_MAX 15 /* as many as there are positions for on any level */
#define FVSR_PROMPTS_MAX    8
#define FVSR_TRUNKS_MAX     3 /* for 2, 3 and 4 times */
#define FVSR_TRUNK_SKIPS    4 /* features that a trunk's 1x1 joins (section 11) */

/* Tells whether a model is made of trunks, and has no projection, transformer and decoder. */
static inline bool fvsr_config_is_trunk(const struct fvsr_config *config)
{
	return config->trunk_scales[0] > 0;
}

/* Returns how many trunks a model has. */
static inline int fvsr_config_trunks(const struct fvsr_config *config)
{
	int trunks = 0;

	while (trunks < FVSR_TRUNKS_MAX && config->trunk_scales[trunks])
		trunks++;
	return trunks;
}

/*
 * A decoder of fewer levels ends with one convolution, whose channels are pixels of a frame and
 * frames of the video (section 9): the side of such a square of pixels, how many frames, and all
 * channels. With all levels these are 1, 1 and 3.
 */
static inline int fvsr_config_rgb_side(const struct fvsr_config *config)
{
	return 1 << (FVSR_DEC_LEVELS - config->dec_levels);
}

static inline int fvsr_config_rgb_frames(const struct fvsr_config *config)
{
	return config->dec_levels == 2 ? 4 : config->dec_levels == 3 ? 2 : 1;
}

static inline int fvsr_config_rgb_channels(const struct fvsr_config *config)
{
	int side = fvsr_config_rgb_side(config);

	return 3 * fvsr_config_rgb_frames(config) * side * side;
}

/* Fills in the released model's. */
void fvsr_config_released(struct fvsr_config *config);
/* Gives the decoder all levels and MemBlocks of the released one, as where nothing is said. */
void fvsr_config_whole_decoder(struct fvsr_config *config);
/* Checks all values; FVSR_ERR_FORMAT when one is out of range or two do not fit together. */
int fvsr_config_check(const struct fvsr_config *config, struct fvsr_error *err);
/*
 * Reads and checks a configuration: {"dim": ..., ...}, or the same behind "model". Keys are those
 * of docs/model-format.md; unknown ones are an error, since they would change the picture.
 */
int fvsr_config_parse(struct fvsr_config *config, const char *text, size_t length,
		      struct fvsr_error *err);
/*
 * Takes from such a JSON text only what the shapes of tensors cannot tell: num_heads,
 * dec_depth_to_space, residual and lq_version, each if it is there. Nothing is checked.
 */
int fvsr_config_hints(struct fvsr_config *config, const char *text, size_t length,
		      struct fvsr_error *err);
/* Writes it as fvsr_config_parse() reads it; without lq_version, which packed files keep apart. */
void fvsr_config_write(const struct fvsr_config *config, char text[FVSR_CONFIG_TEXT]);

const char *fvsr_lq_version_name(enum fvsr_lq_version version);
/* Returns the version that a text names; FVSR_LQ_MODEL for neither "v1" nor "v1.1". */
enum fvsr_lq_version fvsr_lq_version_parse(const char *text);

#endif
