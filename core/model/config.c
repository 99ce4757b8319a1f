/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads, checks and writes model configurations. Every value has an upper limit far above the
 * released one: with all of them held, no product of dimensions that the library forms overflows.
 */
#include "model/config.h"

#include <stdio.h>
#include <string.h>

#include "base/geometry.h"
#include "model/file.h"
#include "model/json.h"

#define MAX_PARAMETERS (1ull << 36)

struct int_key {
	const char *name;
	size_t offset;
	int min, max;
};

#define KEY(field, min, max)                                                                       \
	{                                                                                          \
#field, offsetof(struct fvsr_config, field), min, max                              \
	}

static const struct int_key int_keys[] = {
	KEY(dim, 2, 16384),       KEY(num_heads, 1, 256),   KEY(num_layers, 1, 256),
	KEY(ffn_dim, 1, 65536),   KEY(in_dim, 1, 256),      KEY(out_dim, 1, 256),
	KEY(text_dim, 1, 65536),  KEY(text_len, 1, 8192),   KEY(freq_dim, 2, 4096),
	KEY(lq_hidden1, 1, 8192), KEY(lq_hidden2, 1, 8192), KEY(lq_layers, 1, 256),
};

#define NUM_INT_KEYS     (sizeof(int_keys) / sizeof(int_keys[0]))
#define MAX_DEC_CHANNELS 4096
#define MIN_DEC_LEVELS   2

#define TRUNK_CHANNELS_STEP 8
#define MAX_TRUNK_CHANNELS  1024
#define MIN_TRUNK_BLOCKS    3 /* the first and the last but one are joined */
#define MAX_TRUNK_BLOCKS    64
#define MIN_TRUNK_SCALE     2
#define MAX_TRUNK_SCALE     4

static int *int_field(struct fvsr_config *config, const struct int_key *key)
{
	return (int *)((char *)config + key->offset);
}

static int int_value(const struct fvsr_config *config, const struct int_key *key)
{
	return *(const int *)((const char *)config + key->offset);
}

void fvsr_config_released(struct fvsr_config *config)
{
	*config = (struct fvsr_config){
		.dim = 1536,
		.num_heads = 12,
		.num_layers = 30,
		.ffn_dim = 8960,
		.in_dim = 16,
		.out_dim = 16,
		.text_dim = 4096,
		.text_len = 512,
		.prompts = 1,
		.freq_dim = 256,
		.lq_hidden1 = 2048,
		.lq_hidden2 = 3072,
		.lq_layers = 1,
		.dec_channels = {512, 256, 128, 128},
		.lq_version = FVSR_LQ_V1_1,
	};
	fvsr_config_whole_decoder(config);
}

void fvsr_config_whole_decoder(struct fvsr_config *config)
{
	int i;

	config->dec_levels = FVSR_DEC_LEVELS;
	for (i = 0; i < FVSR_DEC_LEVELS - 1; i++)
		config->dec_blocks[i] = FVSR_DEC_BLOCKS;
}

const char *fvsr_lq_version_name(enum fvsr_lq_version version)
{
	return version == FVSR_LQ_V1 ? "v1" : "v1.1";
}

enum fvsr_lq_version fvsr_lq_version_parse(const char *text)
{
	if (text && !strcmp(text, "v1"))
		return FVSR_LQ_V1;
	if (text && !strcmp(text, "v1.1"))
		return FVSR_LQ_V1_1;
	return FVSR_LQ_MODEL;
}

static int check_heads(const struct fvsr_config *c, struct fvsr_error *err)
{
	int head_dim;

	if (c->dim % c->num_heads)
		return fvsr_fail(err, FVSR_ERR_FORMAT,
				 "configuration: dim %d is not a multiple of num_heads %d", c->dim,
				 c->num_heads);
	head_dim = c->dim / c->num_heads;
	/* RoPE turns pairs within each of three parts: hd - 2 (hd / 3), hd / 3, hd / 3. */
	if (head_dim % 2 || head_dim / 3 % 2)
		return fvsr_fail(err, FVSR_ERR_FORMAT,
				 "configuration: dim %d / num_heads %d = %d does not split into "
				 "even parts for RoPE",
				 c->dim, c->num_heads, head_dim);
	return 0;
}

/* Counts the dominant terms; the limits above keep each factor small enough for 64 bits. */
static uint64_t rough_parameters(const struct fvsr_config *c)
{
	uint64_t d = (uint64_t)c->dim;
	uint64_t layer = 8 * d * d + 2 * d * (uint64_t)c->ffn_dim;
	uint64_t lq = 36 * (uint64_t)c->lq_hidden1 * (FVSR_TOKEN_SAMPLES + (uint64_t)c->lq_hidden2);
	uint64_t text = (uint64_t)c->text_dim * ((uint64_t)c->prompts * c->text_len + d);

	return layer * (uint64_t)c->num_layers + lq + text;
}

/*
 * Returns the positions for MemBlocks of a level: from 5 + 6 * level to its TGrow, or to the last
 * convolution, which is 26, where the decoder ends with it.
 */
static int most_blocks(const struct fvsr_config *c, int level)
{
	return level == c->dec_levels - 1 ? 26 - (5 + 6 * level) : 4;
}

static int check_decoder(const struct fvsr_config *c, struct fvsr_error *err)
{
	int i;

	if (c->dec_levels < MIN_DEC_LEVELS || c->dec_levels > FVSR_DEC_LEVELS)
		return fvsr_fail(err, FVSR_ERR_FORMAT,
				 "configuration: dec_levels is %d, must be %d to %d", c->dec_levels,
				 MIN_DEC_LEVELS, FVSR_DEC_LEVELS);
	for (i = 0; i < c->dec_levels; i++)
		if (c->dec_channels[i] < 1 || c->dec_channels[i] > MAX_DEC_CHANNELS)
			return fvsr_fail(err, FVSR_ERR_FORMAT,
					 "configuration: dec_channels holds %d, must be 1 to %d",
					 c->dec_channels[i], MAX_DEC_CHANNELS);
	for (; i < FVSR_DEC_LEVELS; i++)
		if (c->dec_channels[i])
			return fvsr_fail(err, FVSR_ERR_FORMAT,
					 "configuration: dec_channels holds %d beyond the %d of "
					 "dec_levels, must be 0",
					 c->dec_channels[i], c->dec_levels);
	for (i = 0; i < FVSR_DEC_LEVELS - 1; i++)
		if (c->dec_blocks[i] < 0 || c->dec_blocks[i] > most_blocks(c, i))
			return fvsr_fail(err, FVSR_ERR_FORMAT,
					 "configuration: dec_blocks holds %d, must be 0 to %d",
					 c->dec_blocks[i], most_blocks(c, i));
	return 0;
}

static int check_trunk(const struct fvsr_config *c, int i, struct fvsr_error *err)
{
	int least = i ? c->trunk_scales[i - 1] + 1 : MIN_TRUNK_SCALE;

	if (c->trunk_scales[i] < least || c->trunk_scales[i] > MAX_TRUNK_SCALE)
		return fvsr_fail(err, FVSR_ERR_FORMAT,
				 "configuration: trunk_scales holds %d, must ascend from %d to %d",
				 c->trunk_scales[i], MIN_TRUNK_SCALE, MAX_TRUNK_SCALE);
	if (c->trunk_channels[i] < 1 || c->trunk_channels[i] > MAX_TRUNK_CHANNELS ||
	    c->trunk_channels[i] % TRUNK_CHANNELS_STEP)
		return fvsr_fail(err, FVSR_ERR_FORMAT,
				 "configuration: trunk_channels holds %d, must be a multiple of %d "
				 "up to %d",
				 c->trunk_channels[i], TRUNK_CHANNELS_STEP, MAX_TRUNK_CHANNELS);
	if (c->trunk_blocks[i] < MIN_TRUNK_BLOCKS || c->trunk_blocks[i] > MAX_TRUNK_BLOCKS)
		return fvsr_fail(err, FVSR_ERR_FORMAT,
				 "configuration: trunk_blocks holds %d, must be %d to %d",
				 c->trunk_blocks[i], MIN_TRUNK_BLOCKS, MAX_TRUNK_BLOCKS);
	return 0;
}

static int check_trunks(const struct fvsr_config *c, struct fvsr_error *err)
{
	int result = 0, i;

	for (i = 0; i < fvsr_config_trunks(c) && !result; i++)
		result = check_trunk(c, i, err);
	return result;
}

int fvsr_config_check(const struct fvsr_config *c, struct fvsr_error *err)
{
	size_t i;

	if (fvsr_config_is_trunk(c))
		return check_trunks(c, err);
	for (i = 0; i < NUM_INT_KEYS; i++) {
		const struct int_key *key = &int_keys[i];
		int value = int_value(c, key);

		if (value < key->min || value > key->max)
			return fvsr_fail(err, FVSR_ERR_FORMAT,
					 "configuration: %s is %d, must be %d to %d", key->name,
					 value, key->min, key->max);
	}
	if (c->prompts < 1 || c->prompts > FVSR_PROMPTS_MAX)
		return fvsr_fail(err, FVSR_ERR_FORMAT,
				 "configuration: prompts is %d, must be 1 to %d", c->prompts,
				 FVSR_PROMPTS_MAX);
	if (check_decoder(c, err) < 0)
		return FVSR_ERR_FORMAT;
	if (c->in_dim != c->out_dim)
		return fvsr_fail(err, FVSR_ERR_FORMAT,
				 "configuration: in_dim %d and out_dim %d differ", c->in_dim,
				 c->out_dim);
	if (c->freq_dim % 2)
		return fvsr_fail(err, FVSR_ERR_FORMAT, "configuration: freq_dim %d is odd",
				 c->freq_dim);
	if (c->lq_layers > c->num_layers)
		return fvsr_fail(err, FVSR_ERR_FORMAT,
				 "configuration: lq_layers %d is more than num_layers %d",
				 c->lq_layers, c->num_layers);
	if (c->lq_version != FVSR_LQ_V1 && c->lq_version != FVSR_LQ_V1_1)
		return fvsr_fail(err, FVSR_ERR_FORMAT, "configuration: no lq_version");
	if (rough_parameters(c) > MAX_PARAMETERS)
		return fvsr_fail(err, FVSR_ERR_FORMAT, "configuration: more than 2^36 parameters");
	return check_heads(c, err);
}

/* Returns the object that holds the keys: behind "model" if there is one, else the root. */
static json_t *model_object(json_t *root)
{
	json_t *model = json_object_get(root, "model");

	return json_is_object(model) ? model : root;
}

static int set_int(int *field, const char *name, const json_t *value, struct fvsr_error *err)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < 0 || number > 1 << 24)
		return fvsr_fail(err, FVSR_ERR_FORMAT, "configuration: %s is not a number in range",
				 name);
	*field = (int)number;
	return 0;
}

static int set_bool(bool *field, const char *name, const json_t *value, struct fvsr_error *err)
{
	if (!json_is_boolean(value))
		return fvsr_fail(err, FVSR_ERR_FORMAT, "configuration: %s is not true or false",
				 name);
	*field = json_is_true(value);
	return 0;
}

static int set_lq_version(struct fvsr_config *config, const json_t *value, struct fvsr_error *err)
{
	enum fvsr_lq_version version = fvsr_lq_version_parse(json_string_value(value));

	if (version == FVSR_LQ_MODEL)
		return fvsr_fail(err, FVSR_ERR_FORMAT,
				 "configuration: lq_version is not \"v1\" or \"v1.1\"");
	config->lq_version = version;
	return 0;
}

static int set_ints(int *fields, size_t count, const char *name, const json_t *value,
		    struct fvsr_error *err)
{
	size_t i;
	int result = 0;

	if (!json_is_array(value) || json_array_size(value) != count)
		return fvsr_fail(err, FVSR_ERR_FORMAT,
				 "configuration: %s is not a list of %zu numbers", name, count);
	for (i = 0; i < count && result >= 0; i++)
		result = set_int(&fields[i], name, json_array_get(value, i), err);
	return result;
}

/* Sets a key that shapes cannot tell; returns 1 when 'name' is one of these. */
static int set_hint(struct fvsr_config *config, const char *name, const json_t *value,
		    struct fvsr_error *err)
{
	int result;

	if (!strcmp(name, "lq_version"))
		result = set_lq_version(config, value, err);
	else if (!strcmp(name, "dec_depth_to_space"))
		result = set_bool(&config->dec_depth_to_space, name, value, err);
	else if (!strcmp(name, "residual"))
		result = set_bool(&config->residual, name, value, err);
	else
		return 0;
	return result < 0 ? result : 1;
}

static int unknown_key(const char *name, const char *where, struct fvsr_error *err)
{
	char shown[64];

	fvsr_printable(shown, sizeof(shown), name, strlen(name));
	return fvsr_fail(err, FVSR_ERR_FORMAT, "configuration: unknown key '%s'%s", shown, where);
}

static int set_key(struct fvsr_config *config, const char *name, const json_t *value,
		   struct fvsr_error *err)
{
	size_t i;
	int result = set_hint(config, name, value, err);

	if (result)
		return result < 0 ? result : 0;
	if (!strcmp(name, "dec_channels"))
		return set_ints(config->dec_channels, FVSR_DEC_LEVELS, name, value, err);
	if (!strcmp(name, "dec_blocks"))
		return set_ints(config->dec_blocks, FVSR_DEC_LEVELS - 1, name, value, err);
	if (!strcmp(name, "dec_levels"))
		return set_int(&config->dec_levels, name, value, err);
	if (!strcmp(name, "prompts"))
		return set_int(&config->prompts, name, value, err);
	for (i = 0; i < NUM_INT_KEYS; i++)
		if (!strcmp(name, int_keys[i].name))
			return set_int(int_field(config, &int_keys[i]), name, value, err);
	return unknown_key(name, "", err);
}

/* Reads trunks, which have their own three keys and no other: lists of the same length. */
static int read_trunks(struct fvsr_config *config, json_t *object, struct fvsr_error *err)
{
	const struct {
		const char *name;
		int *fields;
	} lists[] = {
		{"trunk_scales", config->trunk_scales},
		{"trunk_channels", config->trunk_channels},
		{"trunk_blocks", config->trunk_blocks},
	};
	size_t trunks = json_array_size(json_object_get(object, lists[0].name)), i;
	const char *name;
	json_t *value;

	config->residual = true;
	config->prompts = 1;
	config->lq_version = FVSR_LQ_V1_1;
	if (trunks < 1 || trunks > FVSR_TRUNKS_MAX)
		return fvsr_fail(err, FVSR_ERR_FORMAT,
				 "configuration: %s is not a list of 1 to %d numbers",
				 lists[0].name, FVSR_TRUNKS_MAX);
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		value = json_object_get(object, lists[i].name);
		if (!value)
			return fvsr_fail(err, FVSR_ERR_FORMAT, "configuration: %s is missing",
					 lists[i].name);
		if (set_ints(lists[i].fields, trunks, lists[i].name, value, err) < 0)
			return FVSR_ERR_FORMAT;
	}
	json_object_foreach(object, name, value)
	{
		if (strcmp(name, lists[0].name) && strcmp(name, lists[1].name) &&
		    strcmp(name, lists[2].name))
			return unknown_key(name, " of trunks", err);
	}
	if ((size_t)fvsr_config_trunks(config) < trunks)
		return fvsr_fail(err, FVSR_ERR_FORMAT, "configuration: trunk_scales holds 0");
	return 0;
}

static int read_keys(struct fvsr_config *config, json_t *object, struct fvsr_error *err)
{
	const char *name;
	json_t *value;
	size_t i;

	memset(config, 0, sizeof(*config));
	if (json_object_get(object, "trunk_scales"))
		return read_trunks(config, object, err);
	fvsr_config_whole_decoder(config);
	config->prompts = 1;
	config->lq_version = FVSR_LQ_V1_1;
	json_object_foreach(object, name, value)
	{
		int result = set_key(config, name, value, err);

		if (result < 0)
			return result;
	}
	for (i = 0; i < NUM_INT_KEYS; i++)
		if (!json_object_get(object, int_keys[i].name))
			return fvsr_fail(err, FVSR_ERR_FORMAT, "configuration: %s is missing",
					 int_keys[i].name);
	if (!json_object_get(object, "dec_channels"))
		return fvsr_fail(err, FVSR_ERR_FORMAT, "configuration: dec_channels is missing");
	return 0;
}

static int parse_text(json_t **root, const char *text, size_t length, struct fvsr_error *err)
{
	static const struct fvsr_json_limits limits = {.depth = 8, .values = 4096};

	return fvsr_json_parse(root, text, length, &limits, "configuration", err);
}

int fvsr_config_parse(struct fvsr_config *config, const char *text, size_t length,
		      struct fvsr_error *err)
{
	json_t *root;
	int result = parse_text(&root, text, length, err);

	if (result < 0)
		return result;
	result = read_keys(config, model_object(root), err);
	json_decref(root);
	return result < 0 ? result : fvsr_config_check(config, err);
}

int fvsr_config_hints(struct fvsr_config *config, const char *text, size_t length,
		      struct fvsr_error *err)
{
	json_t *root, *value;
	const char *name;
	int result = parse_text(&root, text, length, err);

	if (result < 0)
		return result;
	json_object_foreach(model_object(root), name, value)
	{
		if (!strcmp(name, "num_heads"))
			result = set_int(&config->num_heads, name, value, err);
		else
			result = set_hint(config, name, value, err);
		if (result < 0)
			break;
	}
	json_decref(root);
	return result < 0 ? result : 0;
}

/* Appends a list of trunks' numbers; returns the length of the text. */
static int write_list(char text[FVSR_CONFIG_TEXT], int used, const char *name, const int *values,
		      int count)
{
	int i;

	used += snprintf(text + used, FVSR_CONFIG_TEXT - (size_t)used, "%s\"%s\": [",
			 used ? ", " : "{", name);
	for (i = 0; i < count; i++)
		used += snprintf(text + used, FVSR_CONFIG_TEXT - (size_t)used, "%s%d",
				 i ? ", " : "", values[i]);
	return used + snprintf(text + used, FVSR_CONFIG_TEXT - (size_t)used, "]");
}

static void write_trunks(const struct fvsr_config *c, char text[FVSR_CONFIG_TEXT])
{
	int trunks = fvsr_config_trunks(c);
	int used = write_list(text, 0, "trunk_scales", c->trunk_scales, trunks);

	used = write_list(text, used, "trunk_channels", c->trunk_channels, trunks);
	used = write_list(text, used, "trunk_blocks", c->trunk_blocks, trunks);
	snprintf(text + used, FVSR_CONFIG_TEXT - (size_t)used, "}");
}

void fvsr_config_write(const struct fvsr_config *c, char text[FVSR_CONFIG_TEXT])
{
	int used = 0;
	size_t i;

	if (fvsr_config_is_trunk(c)) {
		write_trunks(c, text);
		return;
	}
	for (i = 0; i < NUM_INT_KEYS; i++)
		used += snprintf(text + used, FVSR_CONFIG_TEXT - (size_t)used, "%s\"%s\": %d",
				 i ? ", " : "{", int_keys[i].name, int_value(c, &int_keys[i]));
	snprintf(text + used, FVSR_CONFIG_TEXT - (size_t)used,
		 ", \"prompts\": %d, \"dec_levels\": %d, \"dec_channels\": [%d, %d, %d, %d], "
		 "\"dec_blocks\": [%d, %d, %d], \"dec_depth_to_space\": %s, \"residual\": %s}",
		 c->prompts, c->dec_levels, c->dec_channels[0], c->dec_channels[1],
		 c->dec_channels[2], c->dec_channels[3], c->dec_blocks[0], c->dec_blocks[1],
		 c->dec_blocks[2], c->dec_depth_to_space ? "true" : "false",
		 c->residual ? "true" : "false");
}
