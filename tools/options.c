/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small option parser: long options (--name VALUE, --name=VALUE), single letters (-q, -m VALUE),
 * "--" before words that begin with a dash. Everything that is not understood is an error.
 */
#include "options.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "console.h"

#define HELP_COLUMN 26

static void print_indented(const char *text, int column)
{
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");
		if (line != text)
			printf("%*s", column, "");
		printf("%.*s\n", (int)length, line);
		line += length + (line[length] == '\n');
	}
}

static void print_option(const struct fvsr_cli_option *option)
{
	char head[80];
	char letter[8] = "";
	int length;

	if (option->letter)
		snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	length = snprintf(head, sizeof(head), "  %s--%s%s%s", letter, option->name,
			  option->argument ? " " : "", option->argument ? option->argument : "");
	if (length > HELP_COLUMN - 2)
		printf("%s\n%*s", head, HELP_COLUMN, "");
	else
		printf("%-*s", HELP_COLUMN, head);
	print_indented(option->help, HELP_COLUMN);
}

static void print_help(const struct fvsr_cli_usage *usage)
{
	printf("fvsr %s - %s\n\nUsage: fvsr %s %s\n\n%s", usage->name, usage->summary, usage->name,
	       usage->synopsis, usage->description);
	for (size_t g = 0; g < usage->num_groups; g++) {
		printf("\n%s:\n", usage->groups[g].title);
		for (size_t i = 0; i < usage->groups[g].count; i++)
			print_option(&usage->groups[g].options[i]);
	}
	printf("  -h, --help              this text\n");
	printf("\n%s", usage->epilogue);
}

static const struct fvsr_cli_option *find(const struct fvsr_cli_usage *usage, const char *name,
					  size_t length)
{
	for (size_t g = 0; g < usage->num_groups; g++) {
		for (size_t i = 0; i < usage->groups[g].count; i++) {
			const struct fvsr_cli_option *option = &usage->groups[g].options[i];
			if (strlen(option->name) == length &&
			    memcmp(option->name, name, length) == 0)
				return option;
		}
	}
	return NULL;
}

static const struct fvsr_cli_option *find_letter(const struct fvsr_cli_usage *usage, char letter)
{
	for (size_t g = 0; g < usage->num_groups; g++) {
		for (size_t i = 0; i < usage->groups[g].count; i++) {
			if (usage->groups[g].options[i].letter == letter)
				return &usage->groups[g].options[i];
		}
	}
	return NULL;
}

static bool read_int(const struct fvsr_cli_option *option, const char *text)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (end == text || *end || errno || value < INT_MIN || value > INT_MAX)
		return false;
	if (option->max > option->min &&
	    ((double)value < option->min || (double)value > option->max))
		return false;
	*(int *)option->value = (int)value;
	return true;
}

static bool read_u64(const struct fvsr_cli_option *option, const char *text)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (end == text || *end || errno || text[strspn(text, " \t")] == '-')
		return false;
	*(uint64_t *)option->value = value;
	return true;
}

static bool read_real(const struct fvsr_cli_option *option, const char *text)
{
	char *end;
	double value;

	errno = 0;
	value = strtod(text, &end);
	if (end == text || *end || errno || !isfinite(value))
		return false;
	if (option->max > option->min && (value < option->min || value > option->max))
		return false;
	*(double *)option->value = value;
	return true;
}

static bool read_size(const struct fvsr_cli_option *option, const char *text)
{
	struct fvsr_cli_size size;
	char rest;

	if (sscanf(text, "%6dx%6d%c", &size.width, &size.height, &rest) != 2 || size.width < 1 ||
	    size.height < 1)
		return false;
	*(struct fvsr_cli_size *)option->value = size;
	return true;
}

static bool read_choice(const struct fvsr_cli_option *option, const char *text)
{
	for (const struct fvsr_cli_choice *choice = option->choices; choice->name; choice++) {
		if (strcmp(choice->name, text) == 0) {
			*(int *)option->value = choice->value;
			return true;
		}
	}
	return false;
}

static bool read_value(const struct fvsr_cli_option *option, const char *text)
{
	switch (option->type) {
	case FVSR_CLI_FLAG:
		return false;
	case FVSR_CLI_STRING:
		*(const char **)option->value = text;
		return true;
	case FVSR_CLI_INT:
		return read_int(option, text);
	case FVSR_CLI_U64:
		return read_u64(option, text);
	case FVSR_CLI_REAL:
		return read_real(option, text);
	case FVSR_CLI_SIZE:
		return read_size(option, text);
	case FVSR_CLI_CHOICE:
		return read_choice(option, text);
	}
	return false;
}

/* What would have been right, for the message about a value that is not. */
static void describe(const struct fvsr_cli_option *option, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	switch (option->type) {
	case FVSR_CLI_SIZE:
		snprintf(text, size, "a size such as 1920x1080");
		break;
	case FVSR_CLI_CHOICE:
		for (const struct fvsr_cli_choice *c = option->choices; c->name && used < size; c++)
			used += (size_t)snprintf(text + used, size - used, "%s%s",
						 c == option->choices ? ""
						 : c[1].name          ? ", "
								      : " or ",
						 c->name);
		break;
	default:
		if (option->max > option->min)
			snprintf(text, size, "a %snumber from %g to %g",
				 option->type == FVSR_CLI_INT ? "whole " : "", option->min,
				 option->max);
		else
			snprintf(text, size, "a %snumber",
				 option->type == FVSR_CLI_REAL ? "" : "whole ");
	}
}

static int complain(const struct fvsr_cli_usage *usage, const char *format, const char *what)
{
	char text[256];

	snprintf(text, sizeof(text), format, what);
	fvsr_cli_error("%s; see fvsr %s --help", text, usage->name);
	return FVSR_CLI_USAGE;
}

struct cursor {
	int argc, at;
	char **argv;
};

/* One option with its value, at argv[at]. */
static int parse_option(const struct fvsr_cli_usage *usage, struct cursor *cursor)
{
	char *word = cursor->argv[cursor->at];
	const struct fvsr_cli_option *option;
	const char *text = NULL;
	char right[160];

	if (word[1] == '-') {
		size_t length = strcspn(word + 2, "=");
		option = find(usage, word + 2, length);
		if (word[2 + length])
			text = word + 3 + length;
	} else {
		option = word[2] ? NULL : find_letter(usage, word[1]);
	}
	if (!option)
		return complain(usage, "unknown option '%s'", word);
	if (option->type == FVSR_CLI_FLAG) {
		if (text)
			return complain(usage, "--%s takes no value", option->name);
		*(bool *)option->value = true;
		return FVSR_CLI_GO;
	}
	if (!text) {
		if (cursor->at + 1 >= cursor->argc)
			return complain(usage, "--%s needs a value", option->name);
		text = cursor->argv[++cursor->at];
	}
	if (read_value(option, text))
		return FVSR_CLI_GO;
	describe(option, right, sizeof(right));
	fvsr_cli_error("--%s: '%s' is not %s", option->name, text, right);
	return FVSR_CLI_USAGE;
}

int fvsr_cli_parse(const struct fvsr_cli_usage *usage, int argc, char **argv, const char **words)
{
	struct cursor cursor = {.argc = argc, .argv = argv};
	int num_words = 0;
	bool only_words = false;

	for (int i = 0; i < usage->max_words; i++)
		words[i] = NULL;
	for (cursor.at = 1; cursor.at < argc; cursor.at++) {
		char *word = argv[cursor.at];
		if (!only_words && strcmp(word, "--") == 0) {
			only_words = true;
		} else if (only_words || word[0] != '-' || word[1] == '\0') {
			if (num_words >= usage->max_words)
				return complain(usage, "'%s' is one argument too many", word);
			words[num_words++] = word;
		} else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
			print_help(usage);
			return FVSR_CLI_OK;
		} else {
			int status = parse_option(usage, &cursor);
			if (status != FVSR_CLI_GO)
				return status;
		}
	}
	if (num_words < usage->min_words)
		return complain(usage, "arguments are missing: fvsr ... %s", usage->synopsis);
	return FVSR_CLI_GO;
}
