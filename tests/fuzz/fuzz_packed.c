/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any text as the header of a packed model. The data behind it is all zeros and as long as the
 * header says (up to a limit), so that inputs stay small and still describe whole models.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "model/config.h"
#include "model/packed.h"

#define MAX_DATA (1u << 20)

/* The largest number that follows a "data_offsets" anywhere. */
static size_t data_bytes(const char *text, size_t size)
{
	static const char key[] = "\"data_offsets\":[";
	size_t largest = 0, at = 0;

	for (; at + sizeof(key) < size; at++) {
		size_t k = at + sizeof(key) - 1, value = 0;

		if (memcmp(text + at, key, sizeof(key) - 1))
			continue;
		for (; k < size && strchr("0123456789,", text[k]) && text[k]; k++)
			value = text[k] == ',' || value > MAX_DATA
					? 0
					: 10 * value + (size_t)(text[k] - '0');
		if (value > largest && value <= MAX_DATA)
			largest = value;
	}
	return largest;
}

static void read_some(const struct fvsr_weights *weights)
{
	struct fvsr_weight weight;
	struct fvsr_error err;
	float out[16];
	size_t i;

	PROMISE(fvsr_config_check(fvsr_weights_config(weights), &err) == 0);
	for (i = 0; i < weights->shapes.count; i++) {
		uint64_t n;

		PROMISE(fvsr_weights_find(weights, weights->shapes.items[i].name, &weight, &err) ==
			0);
		n = weight.count < 16 ? weight.count : 16;
		PROMISE(fvsr_weights_read(weights, &weight, weight.count - n, n, out, &err) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t zeros = data_bytes((const char *)data, size), i;
	unsigned char *bytes = calloc(1, 8 + size + zeros);
	struct fvsr_weights *weights = calloc(1, sizeof(*weights));
	struct fvsr_file *file;
	struct fvsr_error err = {""};

	if (!bytes || !weights)
		abort();
	for (i = 0; i < 8; i++)
		bytes[i] = (unsigned char)((uint64_t)size >> (8 * i));
	memcpy(bytes + 8, data, size);
	if (fvsr_file_open_memory(&file, bytes, 8 + size + zeros, "fuzz", &err) < 0)
		abort();
	if (fvsr_packed_open_file(weights, file, NULL, &err) == 0)
		read_some(weights);
	else
		PROMISE(err.text[0] && !strchr(err.text, '\n'));
	fvsr_weights_close(weights);
	free(bytes);
	return 0;
}
