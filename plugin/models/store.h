/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Getting the released model: downloading its files and making one packed file of them, in the
 * background, one such job at a time for the whole module. Nothing happens but on the user's click.
 */
#ifndef FLASHVSR_MODEL_STORE_H
#define FLASHVSR_MODEL_STORE_H

#include "models/download.h"

#define MODEL_STORE_FILES 8

/* What to download, from data/models.json. */
struct model_list {
	char name[64], page[256];
	char packed[64]; /* name of the packed file */
	struct model_list_file {
		char name[128], url[512], sha256[65];
		uint64_t bytes;
	} files[MODEL_STORE_FILES];
	unsigned count;
};

enum model_store_state {
	STORE_IDLE = 1,
	STORE_DOWNLOADING,
	STORE_CHECKING,
	STORE_IMPORTING,
	STORE_DONE, /* 'packed' is there */
	STORE_CANCELLED,
	STORE_FAILED,
};

struct model_store_status {
	enum model_store_state state;
	char what[128];       /* the file at hand */
	uint64_t done, total; /* bytes; total 0: not known */
	char reason[512];
	char packed[1024]; /* path of the packed file, where it is or will be */
};

struct model_store;

/*
 * Files go to 'folder', which is made when it is needed. It and the list are copied; 'rules', which
 * are NULL but in tests, must outlive the store. NULL: out of memory.
 */
struct model_store *model_store_create(const char *folder, const struct model_list *list,
				       const struct download_rules *rules);
/* Cancels and waits for that. NULL is allowed. */
void model_store_destroy(struct model_store *store);

/* False: something is going on already. */
bool model_store_download(struct model_store *store);
/* From a folder of released files that the user has. */
bool model_store_import(struct model_store *store, const char *folder);
/* What was downloaded so far stays, and the next download goes on from there. */
void model_store_cancel(struct model_store *store);
/* Any thread. */
void model_store_get(struct model_store *store, struct model_store_status *status);
bool model_store_busy(const struct model_store_status *status);

/*
 * From a JSON file. False when it cannot be read or has an entry that is not safe to download: each
 * needs a name without a folder, an https address, a size and a SHA-256. The log says which.
 */
bool model_list_read(struct model_list *list, const char *path);

#endif
