/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Output for people and programs.
 */
#include "report.h"

#include <math.h>
#include <stdio.h>

#include "cli.h"
#include "console.h"

const char *fvsr_cli_bytes(uint64_t bytes, char text[FVSR_CLI_BYTES_TEXT])
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1024;
		unit++;
	}
	snprintf(text, FVSR_CLI_BYTES_TEXT, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return text;
}

int fvsr_cli_print_json(json_t *root)
{
	int failed = !root || json_dumpf(root, stdout, JSON_INDENT(2)) < 0;

	json_decref(root);
	putchar('\n');
	if (fflush(stdout) != 0 || failed) {
		fvsr_cli_error("cannot write the result to standard output");
		return FVSR_CLI_FAILED;
	}
	return FVSR_CLI_OK;
}

json_t *fvsr_cli_json_real(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}
