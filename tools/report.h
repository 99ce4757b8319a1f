/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Helpers for what commands print on standard output, for people and as JSON.
 */
#ifndef FVSR_TOOLS_REPORT_H
#define FVSR_TOOLS_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define FVSR_CLI_BYTES_TEXT 32

/* "12.3 MiB" into text, which is returned. */
const char *fvsr_cli_bytes(uint64_t bytes, char text[FVSR_CLI_BYTES_TEXT]);

/* Prints the object and drops the reference; reports when standard output fails. 0 or an exit. */
int fvsr_cli_print_json(json_t *root);

/* A number, or null where it is infinite or not a number: JSON knows neither. */
json_t *fvsr_cli_json_real(double value);

#endif
