/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of backends, best first.
 */
#include "backend/backend.h"

#include <stdio.h>
#include <string.h>

static const struct fvsr_backend *const backends[] = {
	&fvsr_backend_cuda,
#ifdef FVSR_WITH_ONEDNN
	&fvsr_backend_cpu,
#endif
	&fvsr_backend_cpu_plain,
};

const struct fvsr_backend *fvsr_backend_at(unsigned index)
{
	return index < sizeof(backends) / sizeof(*backends) ? backends[index] : NULL;
}

int fvsr_backend_describe(unsigned index, struct fvsr_backend_info *info)
{
	const struct fvsr_backend *backend = fvsr_backend_at(index);

	if (!info)
		return FVSR_ERR_ARGUMENT;
	memset(info, 0, sizeof(*info));
	if (!backend)
		return FVSR_ERR_EOF;
	snprintf(info->name, sizeof(info->name), "%s", backend->name);
	backend->describe(info);
	return 0;
}

const struct fvsr_backend *fvsr_backend_find(const char *name, struct fvsr_error *err)
{
	bool automatic = !name || !*name || !strcmp(name, "auto");
	const struct fvsr_backend *backend;
	struct fvsr_backend_info info;

	for (unsigned i = 0; (backend = fvsr_backend_at(i)); i++) {
		if (!automatic && strcmp(name, backend->name))
			continue;
		fvsr_backend_describe(i, &info);
		if (info.available)
			return backend;
		if (!automatic) {
			fvsr_fail(err, FVSR_ERR_BACKEND, "backend '%s': %s", name, info.reason);
			return NULL;
		}
	}
	fvsr_fail(err, FVSR_ERR_BACKEND, "there is no backend '%s' in this build",
		  automatic ? "auto" : name);
	return NULL;
}
