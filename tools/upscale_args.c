/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options that the commands which begin with a video have in common.
 */
#include "upscale.h"

void fvsr_upscale_size_options(struct fvsr_upscale *up, struct fvsr_cli_option *options)
{
	options[0] = (struct fvsr_cli_option){.name = "scale",
					      .letter = 's',
					      .type = FVSR_CLI_REAL,
					      .value = &up->scale,
					      .argument = "S",
					      .min = 1,
					      .max = 16,
					      .help = "how much larger the output is (default 4)"};
	options[1] = (struct fvsr_cli_option){.name = "size",
					      .type = FVSR_CLI_SIZE,
					      .value = &up->size,
					      .argument = "WxH",
					      .help = "the output's size, instead of --scale"};
}

static struct fvsr_cli_option text_option(const char *name, char letter, const char **value,
					  const char *help)
{
	return (struct fvsr_cli_option){.name = name,
					.letter = letter,
					.type = FVSR_CLI_STRING,
					.value = value,
					.argument = "NAME",
					.help = help};
}

void fvsr_upscale_encoding_options(struct fvsr_upscale *up, struct fvsr_cli_option *options)
{
	struct fvsr_media_output_options *oo = &up->output_options;

	options[0] = text_option("format", 'f', &oo->container,
				 "FFmpeg's name of the container (default: what the\n"
				 "ending of OUT names)");
	options[1] = text_option("codec", 'c', &oo->codec,
				 "FFmpeg's name of the encoder (default libx264 where\n"
				 "the container takes it, else the container's own)");
	options[2] = text_option("preset", 0, &oo->preset, "the encoder's preset");
	options[3] = text_option("pixel-format", 0, &oo->pixel_format,
				 "FFmpeg's name of the format to encode (default\n"
				 "yuv420p, with alpha if the input and the encoder have\n"
				 "it, yuv444p for odd sizes in H.264)");
	options[4] =
		(struct fvsr_cli_option){.name = "crf",
					 .type = FVSR_CLI_INT,
					 .value = &oo->crf,
					 .argument = "N",
					 .min = 0,
					 .max = 63,
					 .help = "constant quality, lower is better (default 16)"};
}
