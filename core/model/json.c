/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A gate in front of Jansson. The parser itself is sound, but it builds the whole tree before
 * anyone can say no, at some forty bytes of memory a byte of hostile text. One pass over the text
 * bounds what it can build.
 */
#include "model/json.h"

#include <string.h>

#include "common.h"
#include "model/file.h"

struct scan {
	size_t depth, deepest;
	size_t values;
};

/* Skips a string from behind its opening quote; returns the index behind the closing one. */
static size_t skip_string(const char *text, size_t length, size_t at)
{
	while (at < length && text[at] != '"')
		at += text[at] == '\\' ? 2 : 1;
	return at < length ? at + 1 : length;
}

static struct scan scan_text(const char *text, size_t length)
{
	struct scan s = {0};
	size_t at = 0;

	while (at < length) {
		switch (text[at++]) {
		case '"':
			at = skip_string(text, length, at);
			break;
		case '{':
		case '[':
			s.values++;
			if (++s.depth > s.deepest)
				s.deepest = s.depth;
			break;
		case '}':
		case ']':
			if (s.depth)
				s.depth--;
			break;
		case ',':
		case ':':
			s.values++;
			break;
		default:
			break;
		}
	}
	return s;
}

static int parse_failed(const json_error_t *jerr, const char *what, struct fvsr_error *err)
{
	char text[JSON_ERROR_TEXT_LENGTH];

	if (json_error_code(jerr) == json_error_out_of_memory)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "%s: out of memory", what);
	fvsr_printable(text, sizeof(text), jerr->text, strlen(jerr->text));
	return fvsr_fail(err, FVSR_ERR_FORMAT, "%s: bad JSON: %s", what, text);
}

int fvsr_json_parse(json_t **out, const char *text, size_t length,
		    const struct fvsr_json_limits *limits, const char *what,
		    struct fvsr_error *err)
{
	json_error_t jerr;
	struct scan s;

	if (!length || text[0] != '{')
		return fvsr_fail(err, FVSR_ERR_FORMAT, "%s: does not begin with '{'", what);
	if (memchr(text, '\0', length))
		return fvsr_fail(err, FVSR_ERR_FORMAT, "%s: holds a NUL byte", what);
	if (!fvsr_utf8_valid(text, length))
		return fvsr_fail(err, FVSR_ERR_FORMAT, "%s: is not UTF-8", what);
	s = scan_text(text, length);
	if (s.deepest > limits->depth)
		return fvsr_fail(err, FVSR_ERR_FORMAT, "%s: nested deeper than %zu", what,
				 limits->depth);
	if (s.values > limits->values)
		return fvsr_fail(err, FVSR_ERR_FORMAT, "%s: more than %zu values", what,
				 limits->values);
	*out = json_loadb(text, length, JSON_REJECT_DUPLICATES, &jerr);
	return *out ? 0 : parse_failed(&jerr, what, err);
}
