/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options of the commands as tables: what is parsed and what --help prints cannot differ.
 */
#ifndef FVSR_TOOLS_OPTIONS_H
#define FVSR_TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum fvsr_cli_type {
	FVSR_CLI_FLAG = 1,   /* bool, set to true */
	FVSR_CLI_STRING = 2, /* const char * */
	FVSR_CLI_INT = 3,    /* int, min .. max */
	FVSR_CLI_U64 = 4,    /* uint64_t */
	FVSR_CLI_REAL = 5,   /* double, min .. max */
	FVSR_CLI_SIZE = 6,   /* struct fvsr_cli_size */
	FVSR_CLI_CHOICE = 7, /* int, one of 'choices' */
};

struct fvsr_cli_size {
	int width, height;
};

struct fvsr_cli_choice {
	const char *name; /* NULL ends a list */
	int value;
};

struct fvsr_cli_option {
	const char *name; /* without the dashes */
	char letter;      /* short form; 0: none */
	enum fvsr_cli_type type;
	void *value;
	const char *argument; /* its name in the help; NULL for flags */
	const char *help;     /* lines are broken by the writer */
	double min, max;      /* for INT and REAL, when max > min */
	const struct fvsr_cli_choice *choices;
};

struct fvsr_cli_group {
	const char *title;
	const struct fvsr_cli_option *options;
	size_t count;
};

struct fvsr_cli_usage {
	const char *name; /* "upscale" */
	const char *summary;
	const char *synopsis;    /* "[options] IN OUT" */
	const char *description; /* paragraphs */
	const char *epilogue;    /* exit status, examples */
	const struct fvsr_cli_group *groups;
	size_t num_groups;
	int min_words, max_words; /* arguments that are not options */
};

/* What fvsr_cli_parse() found: go on, or leave main() with an exit status at once. */
#define FVSR_CLI_GO (-1)

/*
 * Reads argv[1] .. argv[argc - 1] into the values of the tables and 'words' (max_words entries,
 * those that are absent become NULL). Returns FVSR_CLI_GO, or the exit status after --help has
 * been printed or an error reported.
 */
int fvsr_cli_parse(const struct fvsr_cli_usage *usage, int argc, char **argv, const char **words);

#endif
