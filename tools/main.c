/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fvsr: the command line of libfvsr. Chooses the command; each one lives in a file of its own.
 */
#include <stdio.h>
#include <string.h>

#include "fvsr/fvsr.h"

#include "cli.h"
#include "console.h"
#include "platform.h"

static const struct fvsr_cli_command commands[] = {
	{"upscale", "upscale a video file", fvsr_cmd_upscale},
	{"compare", "look at what upscaling makes of a picture", fvsr_cmd_compare},
	{"join", "make one file of a video's segments", fvsr_cmd_join},
	{"plan", "say what upscaling a video will cost", fvsr_cmd_plan},
	{"pipe", "upscale raw video from a pipe to a pipe", fvsr_cmd_pipe},
	{"verify", "compare the network with golden numbers", fvsr_cmd_verify},
	{"import", "pack released weights into one file", fvsr_cmd_import},
	{"info", "describe a model file or the backends", fvsr_cmd_info},
	{"bench", "measure speed and memory", fvsr_cmd_bench},
};

#define NUM_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *to)
{
	fprintf(to,
		"fvsr %s - streaming video super-resolution with FlashVSR\n"
		"\n"
		"Usage: fvsr COMMAND [options] [arguments]\n"
		"       fvsr COMMAND --help\n"
		"       fvsr --version\n"
		"\n"
		"Commands:\n",
		fvsr_version());
	for (size_t i = 0; i < NUM_COMMANDS; i++)
		fprintf(to, "  %-10s  %s\n", commands[i].name, commands[i].summary);
	fputs("\n"
	      "Exit status: 0 when all went well, 1 when the work failed, 2 for wrong usage,\n"
	      "128 + N when signal N interrupted it.\n",
	      to);
}

static const struct fvsr_cli_command *find_command(const char *name)
{
	for (size_t i = 0; i < NUM_COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

int main(int argc, char **argv)
{
	const struct fvsr_cli_command *command;

	if (!fvsr_platform_start(&argc, &argv)) {
		fvsr_cli_error("out of memory");
		return FVSR_CLI_FAILED;
	}
	if (argc < 2) {
		print_help(stderr);
		return FVSR_CLI_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		printf("fvsr %s\n", fvsr_version());
		return FVSR_CLI_OK;
	}
	if (is_help(argv[1]) && argc == 2) {
		print_help(stdout);
		return FVSR_CLI_OK;
	}
	/* "fvsr help upscale" is "fvsr upscale --help". */
	if (is_help(argv[1]) && (command = find_command(argv[2]))) {
		char help[] = "--help";
		char *args[] = {argv[2], help, NULL};
		return command->run(2, args);
	}
	command = find_command(is_help(argv[1]) ? argv[2] : argv[1]);
	if (!command) {
		fvsr_cli_error("there is no command '%s'; see fvsr --help",
			       is_help(argv[1]) ? argv[2] : argv[1]);
		return FVSR_CLI_USAGE;
	}
	return command->run(argc - 1, argv + 1);
}
