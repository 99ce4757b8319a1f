/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any text as a configuration. What is accepted must be within its limits, read back as written,
 * and give a table of tensors.
 */
#include "fuzz.h"

#include <string.h>

#include "model/config.h"
#include "model/shapes.h"

static void check_config(const struct fvsr_config *config)
{
	char text[FVSR_CONFIG_TEXT];
	struct fvsr_shapes shapes;
	struct fvsr_config again;
	struct fvsr_error err;
	size_t i;

	PROMISE(fvsr_config_check(config, &err) == 0);
	fvsr_config_write(config, text);
	PROMISE(strlen(text) < sizeof(text) - 1);
	PROMISE(fvsr_config_parse(&again, text, strlen(text), &err) == 0);
	again.lq_version = config->lq_version;
	PROMISE(!memcmp(&again, config, sizeof(again)));
	if (config->num_layers > 8 || fvsr_shapes_create(&shapes, config, &err) < 0)
		return;
	for (i = 0; i < shapes.count; i++) {
		PROMISE(shapes.items[i].count > 0 && shapes.items[i].count < 1ull << 37);
		PROMISE(fvsr_shapes_find(&shapes, shapes.items[i].name) == i);
	}
	fvsr_shapes_free(&shapes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fvsr_config config = {0};
	struct fvsr_error err = {""};

	if (fvsr_config_parse(&config, (const char *)data, size, &err) == 0)
		check_config(&config);
	else
		PROMISE(err.text[0] && !strchr(err.text, '\n'));
	(void)fvsr_config_hints(&config, (const char *)data, size, &err);
	return 0;
}
