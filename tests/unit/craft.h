/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes the files that the loaders read, good ones and (by way of many knobs) bad ones, byte by
 * byte: nothing here goes through the code under test.
 */
#ifndef FVSR_TEST_CRAFT_H
#define FVSR_TEST_CRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct bytes {
	unsigned char *data;
	size_t size, space;
};

void bytes_add(struct bytes *b, const void *data, size_t size);
void bytes_text(struct bytes *b, const char *text);
/* Appends a little-endian number of 'size' bytes. */
void bytes_number(struct bytes *b, uint64_t value, int size);
void bytes_fill(struct bytes *b, unsigned char value, size_t count);
void bytes_free(struct bytes *b);

/* Letters that no single code page of Windows has. */
#define TEMP_NAME "fvsr-test-\xc3\xbc-\xe6\xbc\xa2-"

/* Creates an empty folder where the system keeps such; temp_remove() empties and frees it. */
char *temp_create(void);
void temp_remove(char *folder);
/* Makes "folder/name" in a buffer of the caller's. */
const char *temp_path(char out[512], const char *folder, const char *name);
bool write_file(const char *path, const void *data, size_t size);
/* Returns the number of names in a folder. */
int folder_entries(const char *folder);
/* Do as fopen(), unlink(), link(), mkdir(), stat(), truncate(), with UTF-8 paths everywhere. */
FILE *open_file(const char *path, const char *mode);
bool remove_file(const char *path);
bool link_file(const char *path, const char *name);
bool make_folder(const char *path);
long long file_size(const char *path);
bool resize_file(const char *path, long bytes);

/* Makes a safetensors file: length, header, then 'data_bytes' bytes counting 0, 1, 2, ... */
void craft_st(struct bytes *out, const char *header, size_t data_bytes);

/* One entry of a zip archive. Fields named 'central_...' differ from the local ones if set. */
struct craft_entry {
	const char *name;
	const void *data;
	size_t size;
	uint16_t method, flags;
	bool wrong_crc;
	const char *central_name;
	uint32_t central_size; /* 0: the same */
	bool zip64_size;       /* sizes in a ZIP64 field, saying 2^40 bytes */
};

struct craft_zip_options {
	size_t repeat_offset_of; /* > 0: entry 0's central header points at that entry */
	bool bad_end;            /* the end record's offset points past the file */
	bool no_end;             /* no end record at all */
};

void craft_zip(struct bytes *out, const struct craft_entry *entries, size_t count,
	       const struct craft_zip_options *options);

/* 'dtype' is one of enum fvsr_dtype, or 4 (safetensors only): I16, not a type of weights. */
struct craft_tensor {
	const char *name; /* "" and alone: the archive is one tensor */
	int dtype;
	int rank;
	int64_t shape[5];
	const void *data;
};

/* Makes the data.pkl that PyTorch would write for these tensors, one storage each. */
void craft_pickle(struct bytes *out, const struct craft_tensor *tensors, size_t count);
/* Makes the whole archive. */
void craft_archive(struct bytes *out, const struct craft_tensor *tensors, size_t count);
/* Makes a safetensors file of tensors; 'metadata' is a JSON object or NULL. */
void craft_st_tensors(struct bytes *out, const struct craft_tensor *tensors, size_t count,
		      const char *metadata);
/* Append parts of a pickle, for crafting others. */
void pickle_text(struct bytes *out, const char *text);
void pickle_int(struct bytes *out, int64_t value);
void pickle_storage(struct bytes *out, int dtype, const char *key, int64_t elements);

#endif
