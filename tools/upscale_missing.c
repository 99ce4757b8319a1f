/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fvsr upscale in a build without FFmpeg: says so.
 */
#include "cli.h"
#include "console.h"

int fvsr_cmd_upscale(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	fvsr_cli_error("this fvsr was built without FFmpeg, which upscaling a file needs; install "
		       "libavformat-dev, libavcodec-dev, libavutil-dev and libswscale-dev and "
		       "build it again");
	return FVSR_CLI_USAGE;
}
