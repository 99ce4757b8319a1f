/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands for video files in a build without FFmpeg: they say so.
 */
#include "cli.h"
#include "console.h"

static int refuse(void)
{
	fvsr_cli_error("this fvsr was built without FFmpeg's libraries, which upscaling a file "
		       "needs. Let the program ffmpeg decode and encode:\n"
		       "  ffmpeg -i IN -f yuv4mpegpipe - | fvsr pipe | ffmpeg -i - OUT");
	return FVSR_CLI_USAGE;
}

int fvsr_cmd_compare(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return refuse();
}

int fvsr_cmd_upscale(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return refuse();
}

int fvsr_cmd_plan(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return refuse();
}

int fvsr_cmd_join(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return refuse();
}
