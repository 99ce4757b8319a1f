/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A parser of our own in front of Jansson's values. Jansson's own parser builds the whole tree
 * before anyone can say no, at some forty bytes of memory a byte of hostile text, and when memory
 * runs out inside it, it drops characters and may run into an assertion. This one counts as it
 * goes and fails in order; the tree, and all that reads or writes it, stays Jansson's.
 */
#include "model/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/common.h"
#include "model/file.h"

struct parser {
	const char *text;
	size_t length, at;
	const struct fvsr_json_limits *limits;
	size_t depth, values;
	/*
	 * Decoded strings that are still needed, one behind the other. Each is shorter, with its
	 * NUL, than it was between its quotes, so 'length' bytes hold them all.
	 */
	char *strings;
	size_t used;
	const char *what;
	struct fvsr_error *err;
};

static int parse_value(struct parser *p, json_t **out);

static int bad(const struct parser *p, const char *why)
{
	return fvsr_fail(p->err, FVSR_ERR_FORMAT, "%s: bad JSON at byte %zu: %s", p->what, p->at,
			 why);
}

static int no_memory(const struct parser *p)
{
	return fvsr_fail(p->err, FVSR_ERR_MEMORY, "%s: out of memory", p->what);
}

/* Returns the next byte that is no space and leaves it; NUL at the end, where no text has one. */
static char peek(struct parser *p)
{
	while (p->at < p->length && strchr(" \t\r\n", p->text[p->at]))
		p->at++;
	return p->at < p->length ? p->text[p->at] : '\0';
}

/* ------------------------------------------------------------------------------------------- */
/* Strings                                                                                     */

/* Takes four hexadecimal digits. */
static int take_hex(struct parser *p, unsigned int *out)
{
	int i;

	for (*out = 0, i = 0; i < 4; i++, p->at++) {
		char c = p->at < p->length ? p->text[p->at] : '\0';
		unsigned int digit;

		if (c >= '0' && c <= '9')
			digit = (unsigned int)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (unsigned int)((c | 0x20) - 'a') + 10;
		else
			return bad(p, "a bad \\u escape");
		*out = *out << 4 | digit;
	}
	return 0;
}

static void put_code(struct parser *p, unsigned int code)
{
	char *to = p->strings + p->used;

	if (code < 0x80) {
		to[0] = (char)code;
		p->used += 1;
	} else if (code < 0x800) {
		to[0] = (char)(0xc0 | code >> 6);
		to[1] = (char)(0x80 | (code & 0x3f));
		p->used += 2;
	} else if (code < 0x10000) {
		to[0] = (char)(0xe0 | code >> 12);
		to[1] = (char)(0x80 | (code >> 6 & 0x3f));
		to[2] = (char)(0x80 | (code & 0x3f));
		p->used += 3;
	} else {
		to[0] = (char)(0xf0 | code >> 18);
		to[1] = (char)(0x80 | (code >> 12 & 0x3f));
		to[2] = (char)(0x80 | (code >> 6 & 0x3f));
		to[3] = (char)(0x80 | (code & 0x3f));
		p->used += 4;
	}
}

/* Takes a character from behind "\u"; one beyond 16 bits comes as two of them. */
static int take_code(struct parser *p)
{
	unsigned int code, low;
	int result = take_hex(p, &code);

	if (result < 0)
		return result;
	if (code >= 0xd800 && code < 0xdc00) {
		if (p->length - p->at < 2 || memcmp(p->text + p->at, "\\u", 2))
			return bad(p, "half a surrogate pair");
		p->at += 2;
		result = take_hex(p, &low);
		if (result < 0)
			return result;
		if (low < 0xdc00 || low > 0xdfff)
			return bad(p, "half a surrogate pair");
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	} else if (code >= 0xdc00 && code <= 0xdfff) {
		return bad(p, "half a surrogate pair");
	} else if (!code) {
		return bad(p, "an escaped NUL");
	}
	put_code(p, code);
	return 0;
}

static int take_escape(struct parser *p)
{
	static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	char c = p->at < p->length ? p->text[p->at++] : '\0';
	const char *found = c ? strchr(letters, c) : NULL;

	if (c == 'u')
		return take_code(p);
	if (!found)
		return bad(p, "an unknown escape");
	p->strings[p->used++] = values[found - letters];
	return 0;
}

/* Takes a string from behind its opening quote; it lies in 'strings' until 'used' is set back. */
static int take_string(struct parser *p, const char **out)
{
	int result = 0;

	*out = p->strings + p->used;
	while (result >= 0) {
		unsigned char c = p->at < p->length ? (unsigned char)p->text[p->at] : 0;

		if (c < 0x20)
			return bad(p, "a string without its end");
		p->at++;
		if (c == '"')
			break;
		if (c == '\\')
			result = take_escape(p);
		else
			p->strings[p->used++] = (char)c;
	}
	p->strings[p->used++] = '\0';
	return result;
}

/* ------------------------------------------------------------------------------------------- */
/* Values                                                                                      */

static size_t skip_digits(struct parser *p)
{
	size_t start = p->at;

	while (p->at < p->length && p->text[p->at] >= '0' && p->text[p->at] <= '9')
		p->at++;
	return p->at - start;
}

/* Skips what may follow the whole part of a number, which is no longer 'whole' then. */
static int skip_fraction(struct parser *p, bool *whole)
{
	if (p->at < p->length && p->text[p->at] == '.') {
		p->at++;
		*whole = false;
		if (!skip_digits(p))
			return bad(p, "a bad number");
	}
	if (p->at < p->length && (p->text[p->at] | 0x20) == 'e') {
		p->at++;
		*whole = false;
		if (p->at < p->length && (p->text[p->at] == '+' || p->text[p->at] == '-'))
			p->at++;
		if (!skip_digits(p))
			return bad(p, "a bad number");
	}
	return 0;
}

static int parse_number(struct parser *p, json_t **out)
{
	bool negative = p->text[p->at] == '-', whole = true;
	size_t start, digits, i;
	int64_t value = 0;
	int result;

	p->at += negative;
	start = p->at;
	digits = skip_digits(p);
	if (!digits || (digits > 1 && p->text[start] == '0'))
		return bad(p, "a bad number");
	result = skip_fraction(p, &whole);
	if (result < 0)
		return result;
	for (i = 0; i < digits && whole; i++) {
		int digit = p->text[start + i] - '0';

		whole = value <= (INT64_MAX - digit) / 10;
		value = whole ? 10 * value + digit : 0;
	}
	*out = whole ? json_integer(negative ? -value : value) : json_null();
	return *out ? 0 : no_memory(p);
}

static int parse_string(struct parser *p, json_t **out)
{
	size_t used = p->used;
	const char *text;
	int result;

	p->at++;
	result = take_string(p, &text);
	p->used = used;
	if (result < 0)
		return result;
	*out = json_string_nocheck(text);
	return *out ? 0 : no_memory(p);
}

static int parse_word(struct parser *p, json_t **out)
{
	static const char *const words[] = {"null", "true", "false"};
	size_t i;

	for (i = 0; i < 3; i++) {
		size_t n = strlen(words[i]);

		if (p->length - p->at < n || memcmp(p->text + p->at, words[i], n))
			continue;
		p->at += n;
		*out = i == 0 ? json_null() : json_boolean(i == 1);
		return 0;
	}
	return bad(p, "no value");
}

/* Takes what follows an item: returns 1 before another, 0 at the end of the container. */
static int take_separator(struct parser *p, char end)
{
	char c = peek(p);

	if (c != ',' && c != end)
		return bad(p, "neither a comma nor an end");
	p->at++;
	return c == ',';
}

static int parse_member(struct parser *p, json_t *object)
{
	size_t used = p->used;
	json_t *value = NULL;
	const char *key;
	int result;

	if (peek(p) != '"')
		return bad(p, "no key");
	p->at++;
	result = take_string(p, &key);
	if (result < 0)
		return result;
	if (json_object_get(object, key))
		return bad(p, "a duplicate key");
	if (peek(p) != ':')
		return bad(p, "no colon");
	p->at++;
	result = parse_value(p, &value);
	if (result >= 0 && json_object_set_new_nocheck(object, key, value) < 0)
		result = no_memory(p);
	p->used = used;
	return result;
}

static int parse_item(struct parser *p, json_t *array)
{
	json_t *value = NULL;
	int result = parse_value(p, &value);

	if (result >= 0 && json_array_append_new(array, value) < 0)
		result = no_memory(p);
	return result;
}

static int parse_container(struct parser *p, json_t **out)
{
	bool object = p->text[p->at++] == '{';
	char end = object ? '}' : ']';
	json_t *container;
	int result = 1;

	if (++p->depth > p->limits->depth)
		return fvsr_fail(p->err, FVSR_ERR_FORMAT, "%s: nested deeper than %zu", p->what,
				 p->limits->depth);
	container = object ? json_object() : json_array();
	if (!container)
		return no_memory(p);
	if (peek(p) == end) {
		p->at++;
		result = 0;
	}
	while (result > 0) {
		result = object ? parse_member(p, container) : parse_item(p, container);
		if (result >= 0)
			result = take_separator(p, end);
	}
	p->depth--;
	if (result < 0)
		json_decref(container);
	else
		*out = container;
	return result;
}

static int parse_value(struct parser *p, json_t **out)
{
	char c = peek(p);

	if (++p->values > p->limits->values)
		return fvsr_fail(p->err, FVSR_ERR_FORMAT, "%s: more than %zu values", p->what,
				 p->limits->values);
	if (c == '{' || c == '[')
		return parse_container(p, out);
	if (c == '"')
		return parse_string(p, out);
	if (c == '-' || (c >= '0' && c <= '9'))
		return parse_number(p, out);
	return parse_word(p, out);
}

static int parse_root(struct parser *p, json_t **out)
{
	int result = parse_value(p, out);

	if (result < 0)
		return result;
	peek(p);
	if (p->at == p->length)
		return 0;
	json_decref(*out);
	return bad(p, "text behind its end");
}

int fvsr_json_parse(json_t **out, const char *text, size_t length,
		    const struct fvsr_json_limits *limits, const char *what, struct fvsr_error *err)
{
	struct parser p = {
		.text = text,
		.length = length,
		.limits = limits,
		.what = what,
		.err = err,
	};
	int result;

	if (!length || text[0] != '{')
		return fvsr_fail(err, FVSR_ERR_FORMAT, "%s: does not begin with '{'", what);
	if (memchr(text, '\0', length))
		return fvsr_fail(err, FVSR_ERR_FORMAT, "%s: holds a NUL byte", what);
	if (!fvsr_utf8_valid(text, length))
		return fvsr_fail(err, FVSR_ERR_FORMAT, "%s: is not UTF-8", what);
	p.strings = malloc(length);
	if (!p.strings)
		return no_memory(&p);
	result = parse_root(&p, out);
	free(p.strings);
	return result;
}
