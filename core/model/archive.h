/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PyTorch archive (.ckpt, .pth) is read as a whole: its tensors lie in memory afterwards.
 */
#ifndef FVSR_MODEL_ARCHIVE_H
#define FVSR_MODEL_ARCHIVE_H

#include "model/file.h"
#include "model/weights.h"

struct fvsr_archive_tensor {
	const char *name; /* "" when the archive holds one tensor and no names */
	enum fvsr_dtype dtype;
	int rank;
	int64_t shape[FVSR_MAX_RANK];
	uint64_t count;
	const unsigned char *data; /* count elements, row-major, little-endian, maybe unaligned */
};

struct fvsr_archive {
	struct fvsr_archive_tensor *tensors;
	size_t count;
	struct fvsr_archive_blob *blobs; /* private: the storages, each once */
	size_t blob_count;
	char *names;
};

/*
 * Reads all tensors of the archive in 'file', which may be closed afterwards. 'progress' (may be
 * NULL) gets bytes.
 */
int fvsr_archive_read(struct fvsr_archive *archive, struct fvsr_file *file,
		      const struct fvsr_progress *progress, struct fvsr_error *err);
void fvsr_archive_free(struct fvsr_archive *archive);
/* Returns the tensor of that name, or NULL. */
const struct fvsr_archive_tensor *fvsr_archive_find(const struct fvsr_archive *archive,
						    const char *name);

#endif
