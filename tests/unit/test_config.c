/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configurations: what is read, what is refused, and that what is written reads back.
 */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "model/config.h"
#include "model/shapes.h"

#define REST                                                                                       \
	"\"num_layers\":2,\"ffn_dim\":8,\"in_dim\":4,\"out_dim\":4,\"text_dim\":4,"                \
	"\"text_len\":3,\"freq_dim\":8,\"lq_hidden1\":2,\"lq_hidden2\":3,\"lq_layers\":1"
#define HEADS "\"dim\":12,\"num_heads\":2,"
#define DEC   ",\"dec_channels\":[4,3,2,2]"
#define FLAT  ",\"dec_levels\":2,\"dec_channels\":[4,3,0,0]"

/* Without the padding behind the last field, which may hold anything. */
#define CONFIG_BYTES (offsetof(struct fvsr_config, residual) + sizeof(bool))

static const struct {
	const char *text, *message;
} cases[] = {
	{"{" HEADS REST DEC "}", NULL},
	{"{\"model\":{" HEADS REST DEC "},\"seed\":7}", NULL},
	{"{" HEADS REST DEC ",\"residual\":true,\"dec_depth_to_space\":true}", NULL},
	{"{" HEADS REST DEC ",\"lq_version\":\"v1\"}", NULL},
	{"{" HEADS REST DEC ",\"dec_levels\":4,\"dec_blocks\":[0,0,0]}", NULL},
	{"{" HEADS REST ",\"dec_levels\":3,\"dec_channels\":[4,3,2,0]}", NULL},
	{"{" HEADS REST FLAT ",\"dec_blocks\":[1,2,0]}", NULL},
	{"{" HEADS REST DEC ",\"prompts\":8}", NULL},
	{"{" HEADS REST DEC ",\"prompts\":9}", "prompts is 9, must be 1 to 8"},
	{"{" HEADS REST DEC ",\"prompts\":0}", "prompts is 0, must be 1 to 8"},
	{"{" HEADS REST DEC ",\"prompts\":[1]}", "prompts is not a number"},
	{"{" HEADS REST FLAT ",\"dec_blocks\":[1,15,0]}", NULL},
	{"{" HEADS REST FLAT ",\"dec_blocks\":[1,16,0]}", "dec_blocks holds 16, must be 0 to 15"},
	{"{" HEADS REST FLAT ",\"dec_blocks\":[5,1,0]}", "dec_blocks holds 5, must be 0 to 4"},

	{"", "does not begin with '{'"},
	{"{" HEADS REST DEC, "bad JSON"},
	{"{}", "dim is missing"},
	{"{" HEADS REST "}", "dec_channels is missing"},
	{"{\"dim\":12," REST DEC "}", "num_heads is missing"},
	{"{" HEADS REST DEC ",\"scale\":4}", "unknown key 'scale'"},
	{"{" HEADS REST DEC ",\"dim\":12}", "a duplicate key"},
	{"{" HEADS REST DEC ",\"residual\":1}", "residual is not true or false"},
	{"{" HEADS REST DEC ",\"dec_depth_to_space\":null}", "is not true or false"},
	{"{" HEADS REST DEC ",\"lq_version\":\"v2\"}", "lq_version is not"},
	{"{" HEADS REST DEC ",\"lq_version\":1}", "lq_version is not"},
	{"{" HEADS REST ",\"dec_channels\":[4,3,2]}", "not a list of 4"},
	{"{" HEADS REST ",\"dec_channels\":[4,3,2,2,2]}", "not a list of 4"},
	{"{" HEADS REST ",\"dec_channels\":4}", "not a list of 4"},
	{"{" HEADS REST ",\"dec_channels\":[4,3,2,\"2\"]}", "dec_channels is not a number"},
	{"{" HEADS REST ",\"dec_channels\":[4,0,2,2]}", "dec_channels holds 0"},
	{"{" HEADS REST ",\"dec_channels\":[4,3,2,5000]}", "dec_channels holds 5000"},
	{"{" HEADS REST DEC ",\"dec_levels\":1}", "dec_levels is 1, must be 2 to 4"},
	{"{" HEADS REST DEC ",\"dec_levels\":5}", "dec_levels is 5, must be 2 to 4"},
	{"{" HEADS REST DEC ",\"dec_levels\":[2]}", "dec_levels is not a number"},
	{"{" HEADS REST DEC ",\"dec_levels\":3}", "holds 2 beyond the 3 of dec_levels"},
	{"{" HEADS REST DEC ",\"dec_levels\":2}", "holds 2 beyond the 2 of dec_levels"},
	{"{" HEADS REST ",\"dec_levels\":3,\"dec_channels\":[4,3,0,0]}", "dec_channels holds 0"},
	{"{" HEADS REST ",\"dec_channels\":[4,3,0,0]}", "dec_channels holds 0"},
	{"{" HEADS REST DEC ",\"dec_blocks\":[3,5,3]}", "dec_blocks holds 5, must be 0 to 4"},
	{"{" HEADS REST DEC ",\"dec_blocks\":[3,-1,3]}", "dec_blocks is not a number in range"},
	{"{" HEADS REST DEC ",\"dec_blocks\":[3,3]}", "dec_blocks is not a list of 3"},
	{"{" HEADS REST DEC ",\"dec_blocks\":3}", "dec_blocks is not a list of 3"},
	{"{\"dim\":12.0,\"num_heads\":2," REST DEC "}", "dim is not a number"},
	{"{\"dim\":-12,\"num_heads\":2," REST DEC "}", "dim is not a number in range"},
	{"{\"dim\":4294967308,\"num_heads\":2," REST DEC "}", "dim is not a number in range"},
	{"{\"dim\":1e400,\"num_heads\":2," REST DEC "}", "dim is not a number"},
	{"{\"dim\":0,\"num_heads\":2," REST DEC "}", "dim is 0"},
	{"{\"dim\":16386,\"num_heads\":2," REST DEC "}", "dim is 16386, must be"},
	{"{\"dim\":12,\"num_heads\":0," REST DEC "}", "num_heads is 0"},
	{"{\"dim\":12,\"num_heads\":5," REST DEC "}", "not a multiple of num_heads"},
	{"{\"dim\":10,\"num_heads\":2," REST DEC "}", "even parts"},
	{"{\"dim\":64,\"num_heads\":1," REST DEC "}", "even parts"},
};

static void test_cases(void)
{
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fvsr_config config;
		struct fvsr_error err = {""};
		int result = fvsr_config_parse(&config, cases[i].text, strlen(cases[i].text), &err);
		bool ok = cases[i].message
				  ? result == FVSR_ERR_FORMAT && strstr(err.text, cases[i].message)
				  : result == 0 && config.dim == 12 && config.dec_channels[1] == 3;

		if (!CHECK_CASE(ok, cases[i].text))
			printf("  got %d '%s'\n", result, err.text);
	}
}

static void check_shape(const struct fvsr_shapes *shapes, const char *name, int64_t first,
			int64_t second)
{
	size_t i = fvsr_shapes_find(shapes, name);

	CHECK_CASE(i != SIZE_MAX && shapes->items[i].dims[0] == first &&
			   shapes->items[i].dims[1] == second,
		   name);
}

#define TRUNKS(scales, channels, blocks)                                                           \
	"{\"trunk_scales\":" scales ",\"trunk_channels\":" channels ",\"trunk_blocks\":" blocks "}"

/* Checks that trunks have their own keys alone, and that nothing of another model is left. */
static void test_trunks(void)
{
	static const struct {
		const char *text, *message;
	} wrong[] = {
		{"{\"trunk_channels\":[8],\"trunk_blocks\":[3]}", "unknown key 'trunk_"},
		{"{\"trunk_scales\":[2],\"trunk_blocks\":[3]}", "trunk_channels is missing"},
		{"{\"trunk_scales\":[2],\"trunk_channels\":[8]}", "trunk_blocks is missing"},
		{"{\"trunk_scales\":[2],\"trunk_channels\":[8],\"trunk_blocks\":[3],\"dim\":12}",
		 "unknown key 'dim' of trunks"},
		{TRUNKS("[]", "[]", "[]"), "not a list of 1 to 3"},
		{TRUNKS("[2,3,4,5]", "[8,8,8,8]", "[3,3,3,3]"), "not a list of 1 to 3"},
		{TRUNKS("4", "8", "3"), "not a list of 1 to 3"},
		{TRUNKS("[2,4]", "[8]", "[3,3]"), "trunk_channels is not a list of 2"},
		{TRUNKS("[2,4]", "[8,8]", "3"), "trunk_blocks is not a list of 2"},
		{TRUNKS("[2,0]", "[8,8]", "[3,3]"), "trunk_scales holds 0"},
		{TRUNKS("[2,2]", "[8,8]", "[3,3]"), "trunk_scales holds 2, must ascend"},
		{TRUNKS("[1]", "[8]", "[3]"), "trunk_scales holds 1, must"},
		{TRUNKS("[5]", "[8]", "[3]"), "trunk_scales holds 5, must"},
		{TRUNKS("[2]", "[0]", "[3]"), "trunk_channels holds 0"},
		{TRUNKS("[2]", "[12]", "[3]"), "trunk_channels holds 12, must be a multiple of 8"},
		{TRUNKS("[2]", "[2048]", "[3]"), "up to 1024"},
		{TRUNKS("[2]", "[8]", "[2]"), "trunk_blocks holds 2, must be 3 to 64"},
		{TRUNKS("[2,4]", "[8,8]", "[3,65]"), "trunk_blocks holds 65"},
	};
	static const char good[] = TRUNKS("[2,4]", "[24,32]", "[5,6]");
	struct fvsr_config config, again;
	struct fvsr_shapes shapes;
	struct fvsr_error err;
	char text[FVSR_CONFIG_TEXT];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		if (!CHECK_CASE(fvsr_config_parse(&config, wrong[i].text, strlen(wrong[i].text),
						  &err) == FVSR_ERR_FORMAT &&
					strstr(err.text, wrong[i].message),
				wrong[i].text))
			printf("  got '%s'\n", err.text);
	CHECK(fvsr_config_parse(&config, good, strlen(good), &err) == 0);
	CHECK(fvsr_config_is_trunk(&config) && config.residual && !config.dim);
	CHECK(config.trunk_scales[1] == 4 && config.trunk_channels[0] == 24);
	fvsr_config_write(&config, text);
	CHECK(fvsr_config_parse(&again, text, strlen(text), &err) == 0);
	CHECK(!memcmp(&config, &again, CONFIG_BYTES));
	CHECK(fvsr_shapes_create(&shapes, &config, &err) == 0);
	CHECK(shapes.count == 2 * (1 + 15 + 1 + 1 + 1) + 2 * (1 + 18 + 1 + 1 + 1));
	check_shape(&shapes, "trunk.2.blocks.4.conv.2.weight", 24, 24);
	check_shape(&shapes, "trunk.4.join.weight", 32, 128);
	check_shape(&shapes, "trunk.4.head.weight", 48, 32);
	CHECK(fvsr_shapes_find(&shapes, "trunk.2.blocks.5.conv.0.weight") == SIZE_MAX);
	CHECK(fvsr_shapes_find(&shapes, "prompt") == SIZE_MAX);
	fvsr_shapes_free(&shapes);
}

static void test_checks(void)
{
	static const struct {
		size_t offset;
		int value;
		const char *message;
	} changes[] = {
		{offsetof(struct fvsr_config, out_dim), 8, "in_dim 16 and out_dim 8 differ"},
		{offsetof(struct fvsr_config, freq_dim), 255, "freq_dim 255 is odd"},
		{offsetof(struct fvsr_config, lq_layers), 31, "lq_layers 31 is more than"},
		{offsetof(struct fvsr_config, lq_version), 0, "no lq_version"},
		{offsetof(struct fvsr_config, ffn_dim), 1 << 20, "ffn_dim is 1048576"},
		{offsetof(struct fvsr_config, text_len), 0, "text_len is 0"},
	};
	struct fvsr_config config;
	struct fvsr_error err;
	size_t i;

	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		fvsr_config_released(&config);
		CHECK(fvsr_config_check(&config, &err) == 0);
		memcpy((char *)&config + changes[i].offset, &changes[i].value, sizeof(int));
		CHECK(fvsr_config_check(&config, &err) == FVSR_ERR_FORMAT);
		CHECK_CASE(strstr(err.text, changes[i].message), changes[i].message);
	}
	fvsr_config_released(&config);
	config.dim = 16384, config.num_heads = 128, config.num_layers = 256;
	CHECK(fvsr_config_check(&config, &err) == FVSR_ERR_FORMAT);
	CHECK(strstr(err.text, "2^36"));
}

static void test_round_trip(void)
{
	struct fvsr_config config, again;
	struct fvsr_error err;
	char text[FVSR_CONFIG_TEXT];

	fvsr_config_released(&config);
	config.residual = true;
	config.prompts = 3;
	fvsr_config_write(&config, text);
	CHECK(fvsr_config_parse(&again, text, strlen(text), &err) == 0);
	CHECK(!memcmp(&config, &again, CONFIG_BYTES));
	config.dec_levels = 2, config.dec_blocks[0] = 1, config.dec_blocks[1] = 0;
	config.dec_channels[2] = config.dec_channels[3] = 0;
	fvsr_config_write(&config, text);
	CHECK(fvsr_config_parse(&again, text, strlen(text), &err) == 0);
	CHECK(!memcmp(&config, &again, CONFIG_BYTES));
}

static void test_hints(void)
{
	static const char text[] = "{\"dim\":\"ignored\",\"num_heads\":6,\"lq_version\":\"v1\"}";
	struct fvsr_config config;
	struct fvsr_error err;

	fvsr_config_released(&config);
	CHECK(fvsr_config_hints(&config, text, strlen(text), &err) == 0);
	CHECK(config.num_heads == 6 && config.lq_version == FVSR_LQ_V1 && config.dim == 1536);
	CHECK(fvsr_config_hints(&config, "{\"num_heads\":\"6\"}", 17, &err) == FVSR_ERR_FORMAT);
}

/*
 * Checks that depth-to-space changes the convolutions behind the upsampling, and those alone, and
 * that more prompts change the prompt.
 */
static void test_shapes(void)
{
	struct fvsr_config config;
	struct fvsr_error err;
	struct fvsr_shapes nearest, depth;
	size_t i, changed = 0;

	fvsr_config_released(&config);
	CHECK(fvsr_shapes_create(&nearest, &config, &err) == 0);
	config.dec_depth_to_space = true;
	config.prompts = 3;
	CHECK(fvsr_shapes_create(&depth, &config, &err) == 0);
	CHECK(nearest.count == 825 + 8 + 66 + 1 && depth.count == nearest.count);
	for (i = 0; i < nearest.count; i++)
		changed += nearest.items[i].count != depth.items[i].count;
	CHECK(changed == 4);
	check_shape(&nearest, "dec.decoder.10.weight", 256, 512);
	check_shape(&depth, "dec.decoder.10.weight", 1024, 512);
	check_shape(&depth, "dec.decoder.16.weight", 512, 256);
	check_shape(&depth, "dec.decoder.22.weight", 512, 128);
	check_shape(&depth, "dec.decoder.15.conv.weight", 512, 256);
	check_shape(&nearest, "prompt", 1, 512);
	check_shape(&depth, "prompt", 3, 512);
	CHECK(fvsr_shapes_find(&nearest, "dit.blocks.30.modulation") == SIZE_MAX);
	fvsr_shapes_free(&nearest);
	fvsr_shapes_free(&depth);
}

static size_t count_named(const struct fvsr_shapes *shapes, const char *prefix)
{
	size_t i, count = 0;

	for (i = 0; i < shapes->count; i++)
		count += !strncmp(shapes->items[i].name, prefix, strlen(prefix));
	return count;
}

/* Checks that MemBlocks that are left out leave their positions empty; so do levels. */
static void test_flat_shapes(void)
{
	struct fvsr_config config;
	struct fvsr_error err;
	struct fvsr_shapes shapes;

	fvsr_config_released(&config);
	config.dec_blocks[0] = 1, config.dec_blocks[1] = 2, config.dec_blocks[2] = 0;
	CHECK(fvsr_shapes_create(&shapes, &config, &err) == 0);
	CHECK(count_named(&shapes, "dec.") == 66 - 6 * 6);
	check_shape(&shapes, "dec.decoder.5.conv.0.weight", 512, 1024);
	check_shape(&shapes, "dec.decoder.12.conv.4.weight", 256, 256);
	check_shape(&shapes, "dec.decoder.26.weight", 3, 128);
	CHECK(fvsr_shapes_find(&shapes, "dec.decoder.6.conv.0.weight") == SIZE_MAX);
	CHECK(fvsr_shapes_find(&shapes, "dec.decoder.13.conv.0.weight") == SIZE_MAX);
	CHECK(fvsr_shapes_find(&shapes, "dec.decoder.17.conv.0.weight") == SIZE_MAX);
	fvsr_shapes_free(&shapes);

	config.dec_levels = 3, config.dec_channels[3] = 0, config.dec_blocks[2] = 1;
	CHECK(fvsr_shapes_create(&shapes, &config, &err) == 0);
	CHECK(count_named(&shapes, "dec.") == 3 + 4 * 6 + 2 * 2 + 2);
	check_shape(&shapes, "dec.decoder.16.weight", 128, 256);
	check_shape(&shapes, "dec.decoder.17.conv.0.weight", 128, 256);
	check_shape(&shapes, "dec.decoder.26.weight", 24, 128);
	CHECK(fvsr_shapes_find(&shapes, "dec.decoder.21.conv.weight") == SIZE_MAX);
	CHECK(fvsr_shapes_find(&shapes, "dec.decoder.24.weight") == SIZE_MAX);
	fvsr_shapes_free(&shapes);

	config.dec_levels = 2, config.dec_channels[2] = 0;
	CHECK(fvsr_shapes_create(&shapes, &config, &err) == 0);
	CHECK(count_named(&shapes, "dec.") == 3 + 3 * 6 + 2 + 2);
	check_shape(&shapes, "dec.decoder.10.weight", 256, 512);
	check_shape(&shapes, "dec.decoder.26.weight", 192, 256);
	CHECK(shapes.items[fvsr_shapes_find(&shapes, "dec.decoder.26.bias")].dims[0] == 192);
	CHECK(fvsr_shapes_find(&shapes, "dec.decoder.15.conv.weight") == SIZE_MAX);
	CHECK(fvsr_shapes_find(&shapes, "dec.decoder.17.conv.0.weight") == SIZE_MAX);
	fvsr_shapes_free(&shapes);
}

int main(void)
{
	test_cases();
	test_trunks();
	test_checks();
	test_round_trip();
	test_hints();
	test_shapes();
	test_flat_shapes();
	return check_result();
}
