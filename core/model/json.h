/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON from files that nobody vouches for.
 */
#ifndef FVSR_MODEL_JSON_H
#define FVSR_MODEL_JSON_H

#include <jansson.h>

#include "fvsr/fvsr.h"

struct fvsr_json_limits {
	size_t depth;  /* nested objects and arrays */
	size_t values; /* objects, arrays, keys and values together */
};

/*
 * Parses one object. Checked before Jansson sees it: the first byte is '{', no NUL, UTF-8, depth
 * and number of values, which also bounds the memory that parsing takes. Duplicate keys are an
 * error. 'what' opens the message.
 */
int fvsr_json_parse(json_t **out, const char *text, size_t length,
		    const struct fvsr_json_limits *limits, const char *what,
		    struct fvsr_error *err);

#endif
