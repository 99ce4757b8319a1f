/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory of released files (section 2) has one safetensors file and three PyTorch archives.
 * The configuration is read off the shapes; what shapes cannot tell (heads) may
 * stand in synthetic.json or config.json beside them, and is otherwise as in the released model.
 */
#include "model/directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/common.h"
#include "model/archive.h"
#include "base/dtype.h"
#include "model/packed.h"
#include "model/source.h"

#define MAX_LOGGED       20
#define MAX_CONFIG_BYTES (64 * 1024)
#define RELEASED_HEAD    128
#define MAX_LAYERS       512
#define PIECE_BYTES      ((size_t)1 << 20) /* read at a time */

const char *const fvsr_released_files[FVSR_RELEASED_FILES] = {
	"diffusion_pytorch_model_streaming_dmd.safetensors",
	"LQ_proj_in.ckpt",
	"TCDecoder.ckpt",
	"posi_prompt.pth",
};

static const char *const prefixes[FVSR_RELEASED_FILES] = {"dit.", "lq.", "dec.", "prompt"};

/* Where one expected tensor is: in the safetensors file, or in memory. */
struct place {
	enum fvsr_dtype dtype;
	uint64_t offset;
	const unsigned char *data; /* NULL: in the file, at 'offset' */
};

struct directory {
	struct fvsr_file *file; /* the safetensors file */
	struct fvsr_safetensors st;
	struct fvsr_archive archives[FVSR_RELEASED_FILES]; /* the first is unused */
	struct place *places;                              /* by index of the shape table */
	const struct fvsr_shapes *shapes;
	struct fvsr_intake *intake; /* or NULL */
};

/* What the two kinds of file say about a tensor. */
struct found {
	int rank;
	const int64_t *shape;
	enum fvsr_dtype dtype;
	uint64_t offset;
	const unsigned char *data;
};

static enum fvsr_dtype directory_dtype(const void *source, size_t index)
{
	const struct directory *d = source;

	return d->places[index].dtype;
}

static int directory_read(const void *source, size_t index, uint64_t first, size_t count,
			  float *out, struct fvsr_error *err)
{
	const struct directory *d = source;
	const struct place *place = &d->places[index];
	uint64_t skip = first * fvsr_dtype_size(place->dtype);

	if (!place->data)
		return fvsr_file_read_f32(d->file, place->offset + skip, place->dtype, count, out,
					  err);
	fvsr_dtype_to_f32(place->dtype, place->data + skip, count, out);
	return 0;
}

/* ------------------------------------------------------------------------------------------- */
/* The safetensors file from front to back                                                     */

struct pouring {
	struct directory *d;
	const struct fvsr_weight_sink *sink;
	struct fvsr_sha256 sha;
	uint64_t at;        /* what lies before it has been read */
	unsigned char *raw; /* PIECE_BYTES */
	float *values;      /* as many elements */
	struct fvsr_error *err;
};

/* Reads the next 'bytes', at most a piece. */
static int read_piece(struct pouring *p, size_t bytes)
{
	const struct directory *d = p->d;
	int result = fvsr_file_read(d->file, p->at, p->raw, bytes, p->err);

	if (result < 0)
		return result;
	fvsr_sha256_update(&p->sha, p->raw, bytes);
	p->at += bytes;
	return d->intake->count(d->intake->opaque, bytes, fvsr_file_name(d->file), p->err);
}

/* Passes over bytes that no tensor of ours is in. */
static int pass_over(struct pouring *p, uint64_t end)
{
	int result = 0;

	while (result >= 0 && p->at < end)
		result = read_piece(p, end - p->at < PIECE_BYTES ? (size_t)(end - p->at)
								 : PIECE_BYTES);
	return result;
}

static int pour_tensor(struct pouring *p, size_t index)
{
	const struct fvsr_shape *shape = &p->d->shapes->items[index];
	const struct place *place = &p->d->places[index];
	size_t size = fvsr_dtype_size(place->dtype), piece = PIECE_BYTES / size, n;
	int result = pass_over(p, place->offset);

	for (uint64_t first = 0; result >= 0 && first < shape->count; first += n) {
		n = shape->count - first < piece ? (size_t)(shape->count - first) : piece;
		result = read_piece(p, n * size);
		if (result < 0)
			break;
		fvsr_dtype_to_f32(place->dtype, p->raw, n, p->values);
		result = fvsr_weights_check(shape->name, first, p->values, n, p->err);
		if (result >= 0)
			result = p->sink->take(p->sink->opaque, index, first, n, p->values, p->err);
	}
	return result;
}

/* Returns the tensor of ours that begins next from 'offset' on; SIZE_MAX: none. */
static size_t next_in_file(const struct directory *d, uint64_t offset)
{
	size_t next = SIZE_MAX, i;

	for (i = 0; i < d->shapes->count; i++)
		if (!d->places[i].data && d->places[i].offset >= offset &&
		    (next == SIZE_MAX || d->places[i].offset < d->places[next].offset))
			next = i;
	return next;
}

static int pour_file(struct pouring *p)
{
	const struct directory *d = p->d;
	int result = d->intake->count(d->intake->opaque, p->at, fvsr_file_name(d->file), p->err);
	size_t index;

	while (result >= 0 && (index = next_in_file(d, p->at)) != SIZE_MAX)
		result = pour_tensor(p, index);
	if (result >= 0)
		result = pass_over(p, fvsr_file_size(d->file));
	return result;
}

static bool directory_pours(const void *source, size_t index)
{
	const struct directory *d = source;

	return d->intake && !d->places[index].data;
}

static int directory_pour(void *source, const struct fvsr_weight_sink *sink, struct fvsr_error *err)
{
	struct directory *d = source;
	struct pouring p = {
		.d = d, .sink = sink, .sha = d->st.sum, .at = d->st.data_offset, .err = err};
	int result = 0;

	if (!d->intake)
		return 0;
	p.raw = malloc(PIECE_BYTES);
	p.values = malloc(PIECE_BYTES / 2 * sizeof(*p.values));
	if (!p.raw || !p.values)
		result = fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	if (result >= 0)
		result = pour_file(&p);
	if (result >= 0)
		fvsr_sha256_final(&p.sha, d->intake->files[0].sha256);
	free(p.raw);
	free(p.values);
	return result;
}

static void directory_close(void *source)
{
	struct directory *d = source;
	size_t i;

	for (i = 1; i < FVSR_RELEASED_FILES; i++)
		fvsr_archive_free(&d->archives[i]);
	fvsr_st_free(&d->st);
	fvsr_file_close(d->file);
	free(d->places);
	free(d);
}

static const struct fvsr_source_ops directory_ops = {
	.dtype = directory_dtype,
	.read = directory_read,
	.pours = directory_pours,
	.pour = directory_pour,
	.close = directory_close,
};

/* ------------------------------------------------------------------------------------------- */
/* Tensors by name                                                                             */

static bool find_in_part(const struct directory *d, size_t part, const char *name,
			 struct found *out)
{
	const struct fvsr_archive_tensor *t;

	memset(out, 0, sizeof(*out));
	if (!part) {
		const struct fvsr_st_tensor *s = fvsr_st_find(&d->st, name);

		if (!s)
			return false;
		*out = (struct found){s->rank, s->shape, s->type->weight, s->offset, NULL};
		return true;
	}
	t = fvsr_archive_find(&d->archives[part], name);
	if (!t)
		return false;
	*out = (struct found){t->rank, t->shape, t->dtype, 0, t->data};
	return true;
}

static size_t part_of(const char *name)
{
	size_t part = 0;

	while (strncmp(name, prefixes[part], strlen(prefixes[part])))
		part++;
	return part;
}

/* Finds a tensor by our name for it, which has the prefix of its part. */
static bool find_tensor(const struct directory *d, const char *name, struct found *out)
{
	size_t part = part_of(name);

	return find_in_part(d, part, name + strlen(prefixes[part]), out);
}

/* ------------------------------------------------------------------------------------------- */
/* Configuration from shapes                                                                   */

/* Returns dimension 'i' of a tensor; an error when it is not there or too large for any model. */
static int dim_of(const struct directory *d, const char *name, int i, int *out,
		  struct fvsr_error *err)
{
	struct found found;

	if (!find_tensor(d, name, &found))
		return fvsr_fail(err, FVSR_ERR_FORMAT, "%s: tensor '%s' is missing",
				 fvsr_released_files[part_of(name)], name);
	if (i >= found.rank || found.shape[i] > 1 << 20)
		return fvsr_fail(err, FVSR_ERR_FORMAT, "%s: tensor '%s' has an impossible shape",
				 fvsr_released_files[part_of(name)], name);
	*out = (int)found.shape[i];
	return 0;
}

/* Counts how many of "…0…", "…1…" there are without a gap; 'format' has one %d. */
static int count_layers(const struct directory *d, const char *before, const char *after)
{
	struct found found;
	char name[64];
	int n = 0;

	do
		snprintf(name, sizeof(name), "%s%d%s", before, n, after);
	while (find_tensor(d, name, &found) && ++n < MAX_LAYERS);
	return n;
}

static int infer_config(const struct directory *d, struct fvsr_config *c, struct fvsr_error *err)
{
	const struct {
		const char *name;
		int dim;
		int *field;
	} known[] = {
		{"dit.patch_embedding.weight", 0, &c->dim},
		{"dit.patch_embedding.weight", 1, &c->in_dim},
		{"dit.text_embedding.0.weight", 1, &c->text_dim},
		{"dit.time_embedding.0.weight", 1, &c->freq_dim},
		{"dit.blocks.0.ffn.0.weight", 0, &c->ffn_dim},
		{"dit.head.head.weight", 0, &c->out_dim},
		{"lq.conv1.weight", 0, &c->lq_hidden1},
		{"lq.conv2.weight", 0, &c->lq_hidden2},
		{"dec.decoder.1.weight", 0, &c->dec_channels[0]},
		{"dec.decoder.11.conv.0.weight", 0, &c->dec_channels[1]},
		{"dec.decoder.17.conv.0.weight", 0, &c->dec_channels[2]},
		{"dec.decoder.24.weight", 0, &c->dec_channels[3]},
		{"prompt", 1, &c->text_len},
	};
	size_t i;
	int result = 0;

	for (i = 0; i < sizeof(known) / sizeof(known[0]) && result >= 0; i++)
		result = dim_of(d, known[i].name, known[i].dim, known[i].field, err);
	if (result < 0)
		return result;
	c->out_dim /= 4; /* one patch is 2 x 2 */
	c->num_layers = count_layers(d, "dit.blocks.", ".modulation");
	c->lq_layers = count_layers(d, "lq.linear_layers.", ".weight");
	c->lq_version = FVSR_LQ_V1_1;
	c->prompts = 1;
	fvsr_config_whole_decoder(c);
	return 0;
}

/* Reads hints from synthetic.json or config.json, if one is there. */
static int read_hints(struct fvsr_config *config, const char *folder, struct fvsr_error *err)
{
	static const char *const names[] = {"synthetic.json", "config.json"};
	size_t i, bytes;
	int result = 0;

	for (i = 0; i < 2; i++) {
		char *path = fvsr_path_join(folder, names[i]), *text = NULL;

		if (!path)
			return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
		if (!fvsr_path_exists(path)) {
			free(path);
			continue;
		}
		result = fvsr_file_slurp(path, MAX_CONFIG_BYTES, &text, &bytes, err);
		free(path);
		if (result >= 0)
			result = fvsr_config_hints(config, text, bytes, err);
		free(text);
		break;
	}
	return result;
}

static int make_config(const struct directory *d, struct fvsr_config *config, const char *folder,
		       struct fvsr_error *err)
{
	int result = infer_config(d, config, err);

	if (result >= 0)
		result = read_hints(config, folder, err);
	if (result < 0)
		return result;
	if (!config->num_heads) {
		if (config->dim % RELEASED_HEAD)
			return fvsr_fail(err, FVSR_ERR_FORMAT,
					 "dim %d is not a multiple of %d; say num_heads in a "
					 "config.json beside the files",
					 config->dim, RELEASED_HEAD);
		config->num_heads = config->dim / RELEASED_HEAD;
	}
	return fvsr_config_check(config, err);
}

/* ------------------------------------------------------------------------------------------- */
/* Tensors to their places                                                                     */

/* Keeps the last output channels of a TGrow weight, which may have more than are used. */
static void trim_grow(const struct fvsr_shape *want, struct found *found, int64_t shape[5])
{
	int64_t extra = found->rank == want->rank ? found->shape[0] - want->dims[0] : 0;
	uint64_t skip;
	int i;

	memcpy(shape, found->shape, sizeof(*shape) * FVSR_MAX_RANK);
	found->shape = shape;
	for (i = 1; i < want->rank; i++)
		if (extra <= 0 || shape[i] != want->dims[i])
			return;
	skip = (uint64_t)extra * (want->count / (uint64_t)want->dims[0]) *
	       fvsr_dtype_size(found->dtype);
	shape[0] = want->dims[0];
	found->offset += skip;
	found->data += found->data ? skip : 0;
}

static int place_tensor(struct directory *d, const struct fvsr_shape *want, struct place *place,
			struct fvsr_error *err)
{
	const char *file = fvsr_released_files[part_of(want->name)];
	int64_t shape[FVSR_MAX_RANK];
	struct found found;

	if (!find_tensor(d, want->name, &found))
		return fvsr_fail(err, FVSR_ERR_FORMAT, "%s: tensor '%s' is missing", file,
				 want->name);
	if (!found.dtype)
		return fvsr_fail(err, FVSR_ERR_FORMAT,
				 "%s: tensor '%s' is not of a type for weights", file, want->name);
	if (want->grow)
		trim_grow(want, &found, shape);
	*place = (struct place){found.dtype, found.offset, found.data};
	return fvsr_shape_check(want, found.rank, found.shape, file, err);
}

static void log_one(const struct fvsr_shapes *shapes, size_t part, const char *name,
		    size_t *unknown, const struct fvsr_log *log)
{
	char full[160], shown[64];

	snprintf(full, sizeof(full), "%s%s", prefixes[part], name);
	if (fvsr_shapes_find(shapes, full) != SIZE_MAX || (*unknown)++ >= MAX_LOGGED)
		return;
	fvsr_printable(shown, sizeof(shown), name, strlen(name));
	fvsr_log(log, FVSR_LOG_WARNING, "%s: unknown tensor '%s' ignored",
		 fvsr_released_files[part], shown);
}

static void log_unknown(const struct fvsr_shapes *shapes, const struct directory *d,
			const struct fvsr_log *log)
{
	size_t unknown = 0, part, i;

	for (i = 0; i < d->st.count; i++)
		log_one(shapes, 0, d->st.tensors[i].name, &unknown, log);
	for (part = 1; part < FVSR_RELEASED_FILES; part++)
		for (i = 0; i < d->archives[part].count; i++)
			log_one(shapes, part, d->archives[part].tensors[i].name, &unknown, log);
	if (unknown > MAX_LOGGED)
		fvsr_log(log, FVSR_LOG_WARNING, "%zu more unknown tensors ignored",
			 unknown - MAX_LOGGED);
}

static int open_file(const char *folder, const char *name, struct fvsr_file **out,
		     struct fvsr_error *err)
{
	char *path = fvsr_path_join(folder, name);
	int result;

	if (!path)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	result = fvsr_file_open(out, path, err);
	free(path);
	return result;
}

/* Takes the whole file to memory and hashes it on the way. */
static int take_in(struct fvsr_intake *intake, size_t part, const struct fvsr_file *file,
		   unsigned char *data, struct fvsr_error *err)
{
	size_t bytes = (size_t)fvsr_file_size(file), at = 0, n;
	struct fvsr_sha256 sha;
	int result = 0;

	fvsr_sha256_init(&sha);
	for (; result >= 0 && at < bytes; at += n) {
		n = bytes - at < PIECE_BYTES ? bytes - at : PIECE_BYTES;
		result = fvsr_file_read(file, at, data + at, n, err);
		if (result < 0)
			break;
		fvsr_sha256_update(&sha, data + at, n);
		result = intake->count(intake->opaque, n, fvsr_file_name(file), err);
	}
	fvsr_sha256_final(&sha, intake->files[part].sha256);
	return result;
}

static int read_from_memory(struct directory *d, size_t part, const struct fvsr_file *file,
			    struct fvsr_error *err)
{
	uint64_t bytes = fvsr_file_size(file);
	unsigned char *data = bytes < SIZE_MAX ? malloc((size_t)bytes + 1) : NULL;
	struct fvsr_file *memory = NULL;
	int result;

	if (!data)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "%s: out of memory", fvsr_file_name(file));
	result = take_in(d->intake, part, file, data, err);
	if (result >= 0)
		result = fvsr_file_open_memory(&memory, data, (size_t)bytes, fvsr_file_name(file),
					       err);
	if (result >= 0)
		result = fvsr_archive_read(&d->archives[part], memory, NULL, err);
	fvsr_file_close(memory);
	free(data);
	return result;
}

static int read_archive(struct directory *d, size_t part, struct fvsr_file *file,
			const struct fvsr_progress *progress, struct fvsr_error *err)
{
	if (d->intake)
		return read_from_memory(d, part, file, err);
	return fvsr_archive_read(&d->archives[part], file, progress, err);
}

/* Opens all archives before the first is read, so that their sizes are known from the start. */
static int open_archives(struct directory *d, struct fvsr_file **files, const char *folder,
			 struct fvsr_error *err)
{
	size_t part;
	int result = 0;

	for (part = 1; part < FVSR_RELEASED_FILES && result >= 0; part++)
		result = open_file(folder, fvsr_released_files[part], &files[part], err);
	for (part = 0; result >= 0 && d->intake && part < FVSR_RELEASED_FILES; part++)
		d->intake->files[part].bytes = fvsr_file_size(part ? files[part] : d->file);
	return result;
}

static int read_files(struct directory *d, const char *folder, const struct fvsr_progress *progress,
		      struct fvsr_error *err)
{
	struct fvsr_file *files[FVSR_RELEASED_FILES] = {NULL};
	size_t part;
	int result = open_file(folder, fvsr_released_files[0], &d->file, err);

	if (result >= 0)
		result = open_archives(d, files, folder, err);
	if (result >= 0)
		result = fvsr_st_read(&d->st, d->file, err);
	for (part = 1; part < FVSR_RELEASED_FILES && result >= 0; part++)
		result = read_archive(d, part, files[part], progress, err);
	for (part = 1; part < FVSR_RELEASED_FILES; part++)
		fvsr_file_close(files[part]);
	return result;
}

int fvsr_directory_open(struct fvsr_weights *weights, const char *path, const struct fvsr_log *log,
			const struct fvsr_progress *progress, struct fvsr_intake *intake,
			struct fvsr_error *err)
{
	struct directory *d = calloc(1, sizeof(*d));
	const char *base = fvsr_path_base(path);
	size_t i;
	int result;

	if (!d)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	weights->source = d;
	weights->ops = &directory_ops;
	d->shapes = &weights->shapes;
	d->intake = intake;
	result = read_files(d, path, progress, err);
	if (result >= 0)
		result = make_config(d, &weights->config, path, err);
	if (result >= 0)
		result = fvsr_shapes_create(&weights->shapes, &weights->config, err);
	if (result < 0)
		return result;
	d->places = calloc(weights->shapes.count, sizeof(*d->places));
	if (!d->places)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	for (i = 0; i < weights->shapes.count && result >= 0; i++)
		result = place_tensor(d, &weights->shapes.items[i], &d->places[i], err);
	if (result < 0)
		return result;
	fvsr_printable(weights->name, sizeof(weights->name), base, strlen(base));
	log_unknown(&weights->shapes, d, log);
	return 0;
}
