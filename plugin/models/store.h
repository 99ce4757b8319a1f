/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store, which gets the released model: it downloads the model's files and makes one packed
 * file of them, in the background, one such job at a time for the whole module. Nothing happens
 * without the user's click.
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
 * Creates a store. Files go to 'folder', which is made when it is needed. Folder and list are
 * copied; 'rules', which only tests give, must outlive the store. NULL: out of memory.
 */
struct model_store *model_store_create(const char *folder, const struct model_list *list,
				       const struct download_rules *rules);
/* Cancels what is going on, waits for that and frees the store. NULL is allowed. */
void model_store_destroy(struct model_store *store);

/* Starts to download and to make the packed file. False: something is going on already. */
bool model_store_download(struct model_store *store);
/* Makes the packed file of a folder of released files that the user has. False: as above. */
bool model_store_import(struct model_store *store, const char *folder);
/* Cancels what is going on. What was downloaded stays, and the next download goes on from there. */
void model_store_cancel(struct model_store *store);
/* Copies the status. Any thread. */
void model_store_get(struct model_store *store, struct model_store_status *status);
/* Returns true while something is going on. */
bool model_store_busy(const struct model_store_status *status);

/*
 * Reads a list from a JSON file. False when it cannot be read or has an entry that is not safe to
 * download: each entry needs a name without a folder, an https address, a size and a SHA-256. The
 * log says which entry is refused.
 */
bool model_list_read(struct model_list *list, const char *path);

#endif
