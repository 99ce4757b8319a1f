/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the commands of `fvsr` share: exit codes and the table that main() chooses from.
 */
#ifndef FVSR_TOOLS_CLI_H
#define FVSR_TOOLS_CLI_H

enum fvsr_cli_exit {
	FVSR_CLI_OK = 0,
	FVSR_CLI_FAILED = 1, /* the work failed, or a comparison is outside its tolerance */
	FVSR_CLI_USAGE = 2,  /* wrong usage, or what is needed to start is not there */
	/* Interrupted by a signal: 128 + its number, as shells report it. */
	FVSR_CLI_SIGNAL = 128,
};

struct fvsr_cli_command {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

int fvsr_cmd_upscale(int argc, char **argv);
int fvsr_cmd_compare(int argc, char **argv);
int fvsr_cmd_join(int argc, char **argv);
int fvsr_cmd_plan(int argc, char **argv);
int fvsr_cmd_pipe(int argc, char **argv);
int fvsr_cmd_verify(int argc, char **argv);
int fvsr_cmd_import(int argc, char **argv);
int fvsr_cmd_info(int argc, char **argv);
int fvsr_cmd_bench(int argc, char **argv);

#endif
