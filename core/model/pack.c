/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes a packed model, a few megabytes at a time: the released one is 3 GB and the machine that
 * imports it may be small.
 */
#include "model/pack.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "model/dtype.h"
#include "model/packed.h"
#include "model/source.h"

#define CHUNK     ((size_t)1 << 20) /* elements converted at a time */
#define ALIGNMENT 64                /* of the data section in the file */

struct buffers {
	float *values;
	uint16_t *halves;
};

static size_t element_bytes(enum fvsr_pack_type type)
{
	return type == FVSR_PACK_F32 ? 4 : 2;
}

uint64_t fvsr_pack_bytes(const struct fvsr_weights *weights, enum fvsr_pack_type type)
{
	return fvsr_weights_parameters(weights) * element_bytes(type);
}

/* ------------------------------------------------------------------------------------------- */
/* Header                                                                                      */

static json_t *make_metadata(const struct fvsr_pack *pack)
{
	char config[FVSR_CONFIG_TEXT];
	json_t *meta = json_object();
	bool ok;
	size_t i;

	fvsr_config_write(&pack->weights->config, config);
	ok = !json_object_set_new(meta, "format", json_string(FVSR_PACKED_FORMAT)) &&
	     !json_object_set_new(meta, "format_version", json_string(FVSR_PACKED_VERSION)) &&
	     !json_object_set_new(meta, "name", json_string(pack->name)) &&
	     !json_object_set_new(meta, "lq_version",
				  json_string(fvsr_lq_version_name(pack->lq_version))) &&
	     !json_object_set_new(meta, "config", json_string(config));
	for (i = 0; i < pack->note_count && ok; i++)
		ok = !json_object_set_new(meta, pack->notes[i].key,
					  json_string(pack->notes[i].value));
	if (ok)
		return meta;
	json_decref(meta);
	return NULL;
}

static json_t *make_entry(const struct fvsr_shape *shape, enum fvsr_pack_type type,
			  uint64_t *offset)
{
	uint64_t end = *offset + shape->count * element_bytes(type);
	json_t *dims = json_array();
	bool ok = dims != NULL;
	int i;

	for (i = 0; i < shape->rank && ok; i++)
		ok = !json_array_append_new(dims, json_integer(shape->dims[i]));
	if (!ok) {
		json_decref(dims);
		return NULL;
	}
	/* "o" takes over 'dims', also when packing fails. */
	dims = json_pack("{s:s, s:o, s:[I, I]}", "dtype", type == FVSR_PACK_F32 ? "F32" : "BF16",
			 "shape", dims, "data_offsets", (json_int_t)*offset, (json_int_t)end);
	*offset = end;
	return dims;
}

static json_t *make_header(const struct fvsr_pack *pack)
{
	const struct fvsr_shapes *shapes = &pack->weights->shapes;
	json_t *header = json_object();
	uint64_t offset = 0;
	size_t i;
	bool ok = !json_object_set_new(header, "__metadata__", make_metadata(pack));

	for (i = 0; i < shapes->count && ok; i++)
		ok = !json_object_set_new(header, shapes->items[i].name,
					  make_entry(&shapes->items[i], pack->type, &offset));
	if (ok)
		return header;
	json_decref(header);
	return NULL;
}

/* Eight bytes of length, the JSON text, spaces up to the alignment of the data. */
static char *make_block(const char *text, size_t *bytes)
{
	size_t n = strlen(text), padded = (8 + n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	char *block = malloc(padded);
	size_t i;

	if (!block)
		return NULL;
	memset(block, ' ', padded);
	for (i = 0; i < 8; i++)
		block[i] = (char)((uint64_t)(padded - 8) >> (8 * i));
	memcpy(block + 8, text, n);
	*bytes = padded;
	return block;
}

static int write_header(const struct fvsr_pack *pack, struct fvsr_new_file *file,
			struct fvsr_error *err)
{
	json_t *header = make_header(pack);
	char *text = header ? json_dumps(header, JSON_COMPACT) : NULL, *block;
	size_t bytes = 0;
	int ret;

	json_decref(header);
	block = text ? make_block(text, &bytes) : NULL;
	free(text);
	if (!block)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	ret = fvsr_new_file_write(file, block, bytes, err);
	free(block);
	return ret;
}

/* ------------------------------------------------------------------------------------------- */
/* Data                                                                                        */

/* False when a value is finite as float32 and no longer so as BF16. */
static bool round_values(const float *values, size_t count, uint16_t *out)
{
	unsigned int overflow = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		out[i] = fvsr_bf16_from_f32(values[i]);
		overflow |= (out[i] & 0x7f80u) == 0x7f80u;
	}
	return !overflow;
}

static int write_range(struct fvsr_pack *pack, const struct fvsr_weight *weight, uint64_t first,
		       size_t count, const struct buffers *buffers, struct fvsr_new_file *file,
		       struct fvsr_error *err)
{
	size_t bytes = count * element_bytes(pack->type);
	const void *data = buffers->values;
	int ret = fvsr_weights_read(pack->weights, weight, first, count, buffers->values, err);

	if (ret < 0)
		return ret;
	if (pack->type == FVSR_PACK_BF16) {
		if (!round_values(buffers->values, count, buffers->halves))
			return fvsr_fail(err, FVSR_ERR_FORMAT,
					 "tensor '%s' has values too large for BF16", weight->name);
		data = buffers->halves;
	}
	ret = fvsr_new_file_write(file, data, bytes, err);
	if (ret < 0)
		return ret;
	pack->done += bytes;
	if (!fvsr_progress(pack->progress, pack->done, pack->total, weight->name))
		return fvsr_fail(err, FVSR_ERR_CANCELLED, "cancelled");
	return 0;
}

static int write_tensor(struct fvsr_pack *pack, const char *name, const struct buffers *buffers,
			struct fvsr_new_file *file, struct fvsr_error *err)
{
	struct fvsr_weight weight;
	uint64_t first;
	int ret = fvsr_weights_find(pack->weights, name, &weight, err);

	for (first = 0; ret >= 0 && first < weight.count; first += CHUNK) {
		uint64_t left = weight.count - first;

		ret = write_range(pack, &weight, first, left < CHUNK ? (size_t)left : CHUNK,
				  buffers, file, err);
	}
	return ret;
}

static int write_all(struct fvsr_pack *pack, struct fvsr_new_file *file, struct fvsr_error *err)
{
	const struct fvsr_shapes *shapes = &pack->weights->shapes;
	struct buffers buffers;
	size_t i;
	int ret = write_header(pack, file, err);

	if (ret < 0)
		return ret;
	buffers.values = malloc(CHUNK * sizeof(*buffers.values));
	buffers.halves = malloc(CHUNK * sizeof(*buffers.halves));
	if (!buffers.values || !buffers.halves)
		ret = fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	for (i = 0; i < shapes->count && ret >= 0; i++)
		ret = write_tensor(pack, shapes->items[i].name, &buffers, file, err);
	free(buffers.values);
	free(buffers.halves);
	return ret;
}

int fvsr_pack_write(struct fvsr_pack *pack, const char *path, struct fvsr_error *err)
{
	struct fvsr_new_file *file;
	int ret = fvsr_new_file_create(&file, path, err);

	if (ret < 0)
		return ret;
	ret = write_all(pack, file, err);
	if (ret < 0) {
		fvsr_new_file_abort(file);
		return ret;
	}
	return fvsr_new_file_commit(file, err);
}
