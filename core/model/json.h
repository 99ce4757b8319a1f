/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON is read from files that nobody vouches for.
 */
#ifndef FVSR_MODEL_JSON_H
#define FVSR_MODEL_JSON_H

#include <jansson.h>

#include "fvsr/fvsr.h"

struct fvsr_json_limits {
	size_t depth;  /* nested objects and arrays */
	size_t values; /* values of any kind, the outermost included */
};

/*
 * Parses one object, which must begin at the first byte, into Jansson's values. Strict: UTF-8, no
 * NUL (escaped neither), no duplicate keys. Numbers that are not whole or not below 2^63 become
 * null, so that a reader of numbers refuses them and others pass over them. 'what' opens the
 * message.
 */
int fvsr_json_parse(json_t **out, const char *text, size_t length,
		    const struct fvsr_json_limits *limits, const char *what,
		    struct fvsr_error *err);

#endif
