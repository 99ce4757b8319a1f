/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packed models: one safetensors file whose metadata holds the configuration. Opening one reads
 * the header only; tensors are read when asked for, straight into the caller's memory.
 */
#include "model/packed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/common.h"
#include "base/dtype.h"

#define MAX_LOGGED 20

struct packed {
	struct fvsr_file *file;
	struct fvsr_safetensors st;
	const struct fvsr_st_tensor **tensors; /* by index of the shape table */
};

static enum fvsr_dtype packed_dtype(const void *source, size_t index)
{
	const struct packed *p = source;

	return p->tensors[index]->type->weight;
}

static int packed_read(const void *source, size_t index, uint64_t first, size_t count, float *out,
		       struct fvsr_error *err)
{
	const struct packed *p = source;
	const struct fvsr_st_tensor *t = p->tensors[index];

	return fvsr_file_read_f32(p->file, t->offset + first * t->type->bytes, t->type->weight,
				  count, out, err);
}

static void packed_close(void *source)
{
	struct packed *p = source;

	fvsr_st_free(&p->st);
	fvsr_file_close(p->file);
	free(p->tensors);
	free(p);
}

static const struct fvsr_source_ops packed_ops = {
	.dtype = packed_dtype,
	.read = packed_read,
	.close = packed_close,
};

int fvsr_shape_check(const struct fvsr_shape *want, int rank, const int64_t *dims,
		     const char *where, struct fvsr_error *err)
{
	char have[128], need[128];
	int i;

	for (i = 0; i < rank && i < want->rank && dims[i] == want->dims[i]; i++)
		;
	if (i == rank && i == want->rank)
		return 0;
	fvsr_shape_text(have, sizeof(have), rank, dims);
	fvsr_shape_text(need, sizeof(need), want->rank, want->dims);
	return fvsr_fail(err, FVSR_ERR_FORMAT, "%s: tensor '%s' is %s, must be %s", where,
			 want->name, have, need);
}

static int read_config(struct fvsr_weights *weights, const struct fvsr_safetensors *st,
		       struct fvsr_error *err)
{
	const char *file = fvsr_file_name(st->file);
	const char *format = fvsr_st_metadata(st, "format");
	const char *version = fvsr_st_metadata(st, "format_version");
	const char *config = fvsr_st_metadata(st, "config");
	const char *name = fvsr_st_metadata(st, "name");
	enum fvsr_lq_version lq = fvsr_lq_version_parse(fvsr_st_metadata(st, "lq_version"));
	int result;

	if (!format || strcmp(format, FVSR_PACKED_FORMAT))
		return fvsr_fail(err, FVSR_ERR_FORMAT,
				 "%s is not a packed model; import released files first", file);
	if (!version || strcmp(version, FVSR_PACKED_VERSION))
		return fvsr_fail(err, FVSR_ERR_UNSUPPORTED,
				 "%s: packed by another version of this program", file);
	if (!config || lq == FVSR_LQ_MODEL)
		return fvsr_fail(err, FVSR_ERR_FORMAT, "%s: metadata lacks config or lq_version",
				 file);
	result = fvsr_config_parse(&weights->config, config, strlen(config), err);
	if (result < 0)
		return result;
	weights->config.lq_version = lq;
	if (name)
		fvsr_printable(weights->name, sizeof(weights->name), name, strlen(name));
	return 0;
}

static int find_tensors(struct fvsr_weights *weights, struct packed *p, struct fvsr_error *err)
{
	const struct fvsr_shapes *shapes = &weights->shapes;
	const char *file = fvsr_file_name(p->file);
	size_t i;

	p->tensors = calloc(shapes->count, sizeof(const struct fvsr_st_tensor *));
	if (!p->tensors)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	for (i = 0; i < shapes->count; i++) {
		const struct fvsr_shape *want = &shapes->items[i];
		const struct fvsr_st_tensor *t = fvsr_st_find(&p->st, want->name);
		int result;

		if (!t)
			return fvsr_fail(err, FVSR_ERR_FORMAT, "%s: tensor '%s' is missing", file,
					 want->name);
		if (t->type->weight != FVSR_DTYPE_F32 && t->type->weight != FVSR_DTYPE_BF16)
			return fvsr_fail(err, FVSR_ERR_FORMAT,
					 "%s: tensor '%s' is %s, must be F32 or BF16", file,
					 want->name, t->type->name);
		result = fvsr_shape_check(want, t->rank, t->shape, file, err);
		if (result < 0)
			return result;
		p->tensors[i] = t;
	}
	return 0;
}

static void log_unknown(const struct fvsr_weights *weights, const struct packed *p,
			const struct fvsr_log *log)
{
	size_t unknown = 0, i;

	for (i = 0; i < p->st.count; i++) {
		const char *name = p->st.tensors[i].name;
		char shown[64];

		if (fvsr_shapes_find(&weights->shapes, name) != SIZE_MAX || unknown++ >= MAX_LOGGED)
			continue;
		fvsr_printable(shown, sizeof(shown), name, strlen(name));
		fvsr_log(log, FVSR_LOG_WARNING, "%s: unknown tensor '%s' ignored",
			 fvsr_file_name(p->file), shown);
	}
	if (unknown > MAX_LOGGED)
		fvsr_log(log, FVSR_LOG_WARNING, "%s: %zu more unknown tensors ignored",
			 fvsr_file_name(p->file), unknown - MAX_LOGGED);
}

int fvsr_packed_open_file(struct fvsr_weights *weights, struct fvsr_file *file,
			  const struct fvsr_log *log, struct fvsr_error *err)
{
	struct packed *p = calloc(1, sizeof(*p));
	int result;

	if (!p) {
		fvsr_file_close(file);
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	}
	p->file = file;
	weights->source = p;
	weights->ops = &packed_ops;
	result = fvsr_st_read(&p->st, file, err);
	if (result >= 0)
		result = read_config(weights, &p->st, err);
	if (result >= 0)
		result = fvsr_shapes_create(&weights->shapes, &weights->config, err);
	if (result >= 0)
		result = find_tensors(weights, p, err);
	if (result >= 0)
		log_unknown(weights, p, log);
	return result;
}

int fvsr_packed_open(struct fvsr_weights *weights, const char *path, const struct fvsr_log *log,
		     struct fvsr_error *err)
{
	struct fvsr_file *file;
	int result = fvsr_file_open(&file, path, err);

	return result < 0 ? result : fvsr_packed_open_file(weights, file, log, err);
}
