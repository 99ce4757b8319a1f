/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes a packed model, a few megabytes at a time: the released one is 3 GB and the machine that
 * imports it may be small.
 */
#include "model/pack.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/common.h"
#include "base/dtype.h"
#include "model/new_file.h"
#include "model/packed.h"
#include "model/source.h"

#define CHUNK     ((size_t)1 << 20) /* elements converted at a time */
#define METADATA  "__metadata__"
#define ALIGNMENT 64 /* of the data section in the file */

/* A packed file that is being written: tensors at their places, the header in front at the end. */
struct writer {
	struct fvsr_pack *pack;
	struct fvsr_new_file *file;
	json_t *header;
	uint64_t data;     /* where the data begins */
	uint64_t *offsets; /* of each tensor in the data */
	float *values;     /* CHUNK */
	uint16_t *halves;  /* CHUNK */
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

/* Sets an entry, also one that is there already. */
static bool set_metadata(json_t *meta, const struct fvsr_pack *pack)
{
	char config[FVSR_CONFIG_TEXT];
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
	return ok;
}

/* Makes an array without json_pack(), which leaves a number out when memory runs out. */
static json_t *make_array(const int64_t *numbers, int count)
{
	json_t *array = json_array();
	bool ok = array != NULL;
	int i;

	for (i = 0; i < count && ok; i++)
		ok = !json_array_append_new(array, json_integer(numbers[i]));
	if (ok)
		return array;
	json_decref(array);
	return NULL;
}

static json_t *make_entry(const struct fvsr_shape *shape, enum fvsr_pack_type type,
			  uint64_t *offset)
{
	uint64_t end = *offset + shape->count * element_bytes(type);
	const int64_t range[2] = {(int64_t)*offset, (int64_t)end};
	json_t *entry = json_object();
	bool ok = !json_object_set_new(entry, "dtype",
				       json_string(type == FVSR_PACK_F32 ? "F32" : "BF16")) &&
		  !json_object_set_new(entry, "shape", make_array(shape->dims, shape->rank)) &&
		  !json_object_set_new(entry, "data_offsets", make_array(range, 2));

	*offset = end;
	if (ok)
		return entry;
	json_decref(entry);
	return NULL;
}

static json_t *make_header(const struct fvsr_pack *pack)
{
	const struct fvsr_shapes *shapes = &pack->weights->shapes;
	json_t *header = json_object(), *meta = json_object();
	bool ok = set_metadata(meta, pack) && !json_object_set(header, METADATA, meta);
	uint64_t offset = 0;
	size_t i;

	json_decref(meta);
	for (i = 0; i < shapes->count && ok; i++)
		ok = !json_object_set_new(header, shapes->items[i].name,
					  make_entry(&shapes->items[i], pack->type, &offset));
	if (ok)
		return header;
	json_decref(header);
	return NULL;
}

/* Returns the room for the header, whichever name it will have; the data is behind. 0: no memory.
 */
static uint64_t header_room(const struct writer *w)
{
	const char *other_name = w->pack->other_name ? w->pack->other_name : "";
	json_t *name = json_string(other_name);
	char *text = w->header ? json_dumps(w->header, JSON_COMPACT) : NULL;
	char *other = json_dumps(name, JSON_ENCODE_ANY);
	uint64_t room = 0;

	if (text && other)
		room = (8 + strlen(text) + strlen(other) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	json_decref(name);
	free(text);
	free(other);
	return room;
}

/* Writes eight bytes of length, the JSON text, and spaces up to the data. */
static int write_header(const struct writer *w, struct fvsr_error *err)
{
	bool ok = set_metadata(json_object_get(w->header, METADATA), w->pack);
	char *text = ok ? json_dumps(w->header, JSON_COMPACT) : NULL;
	char *block = text ? malloc(w->data) : NULL;
	size_t i;
	int result;

	if (!block || 8 + strlen(text) > w->data) {
		free(text);
		free(block);
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	}
	memset(block, ' ', w->data);
	for (i = 0; i < 8; i++)
		block[i] = (char)((w->data - 8) >> (8 * i));
	memcpy(block + 8, text, strlen(text));
	result = fvsr_new_file_write_at(w->file, 0, block, w->data, err);
	free(text);
	free(block);
	return result;
}

/* ------------------------------------------------------------------------------------------- */
/* Data                                                                                        */

/* Rounds to BF16; false when a value that was finite no longer is. */
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

/* Writes at most CHUNK elements to their place. */
static int write_range(void *opaque, size_t index, uint64_t first, size_t count,
		       const float *values, struct fvsr_error *err)
{
	const struct writer *w = opaque;
	const struct fvsr_pack *pack = w->pack;
	const char *name = pack->weights->shapes.items[index].name;
	size_t size = element_bytes(pack->type);
	const void *data = values;
	int result;

	if (pack->type == FVSR_PACK_BF16) {
		if (!round_values(values, count, w->halves))
			return fvsr_fail(err, FVSR_ERR_FORMAT,
					 "tensor '%s' has values too large for BF16", name);
		data = w->halves;
	}
	result = fvsr_new_file_write_at(w->file, w->data + w->offsets[index] + first * size, data,
					count * size, err);
	return result < 0 ? result : pack->count(pack->opaque, count * size, name, err);
}

static int write_tensor(struct writer *w, size_t index, struct fvsr_error *err)
{
	const struct fvsr_weights *weights = w->pack->weights;
	struct fvsr_weight weight;
	uint64_t first;
	size_t n;
	int result = fvsr_weights_find(weights, weights->shapes.items[index].name, &weight, err);

	for (first = 0; result >= 0 && first < weight.count; first += n) {
		n = weight.count - first < CHUNK ? (size_t)(weight.count - first) : CHUNK;
		result = fvsr_weights_read(weights, &weight, first, n, w->values, err);
		if (result >= 0)
			result = write_range(w, index, first, n, w->values, err);
	}
	return result;
}

static int write_data(struct writer *w, struct fvsr_error *err)
{
	const struct fvsr_weights *weights = w->pack->weights;
	const struct fvsr_source_ops *ops = weights->ops;
	const struct fvsr_weight_sink sink = {.take = write_range, .opaque = w};
	uint64_t offset = 0;
	size_t i;
	int result = 0;

	for (i = 0; i < weights->shapes.count; i++) {
		w->offsets[i] = offset;
		offset += weights->shapes.items[i].count * element_bytes(w->pack->type);
	}
	for (i = 0; i < weights->shapes.count && result >= 0; i++)
		if (!ops->pours || !ops->pours(weights->source, i))
			result = write_tensor(w, i, err);
	if (result >= 0 && ops->pour)
		result = ops->pour(weights->source, &sink, err);
	return result;
}

static int write_all(struct writer *w, struct fvsr_error *err)
{
	struct fvsr_pack *pack = w->pack;
	int result;

	w->header = make_header(pack);
	w->data = header_room(w);
	w->offsets = malloc(pack->weights->shapes.count * sizeof(*w->offsets));
	w->values = malloc(CHUNK * sizeof(*w->values));
	w->halves = malloc(CHUNK * sizeof(*w->halves));
	if (!w->data || !w->offsets || !w->values || !w->halves)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	result = write_data(w, err);
	if (result >= 0 && pack->seal)
		result = pack->seal(pack, pack->opaque, err);
	return result < 0 ? result : write_header(w, err);
}

int fvsr_pack_write(struct fvsr_pack *pack, const char *path, struct fvsr_error *err)
{
	struct writer w = {.pack = pack};
	int result = fvsr_new_file_create(&w.file, path, err);

	if (result < 0)
		return result;
	result = write_all(&w, err);
	json_decref(w.header);
	free(w.offsets);
	free(w.values);
	free(w.halves);
	if (result < 0) {
		fvsr_new_file_abort(w.file);
		return result;
	}
	return fvsr_new_file_commit(w.file, err);
}
