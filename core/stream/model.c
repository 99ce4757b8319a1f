/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A model is opened once, which brings its weights from where they are to a backend, and shared by
 * counting its owners.
 */
#include "stream/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fvsr_model_options_default(struct fvsr_model_options *options)
{
	memset(options, 0, sizeof(*options));
	options->card = -1;
}

static void describe(struct fvsr_model *model, const struct fvsr_weights *weights)
{
	const struct fvsr_backend *backend = model->device->backend;
	struct fvsr_model_info *info = &model->info;

	info->config = *fvsr_weights_config(weights);
	info->parameters = fvsr_weights_parameters(weights);
	snprintf(info->name, sizeof(info->name), "%s", fvsr_weights_name(weights));
	snprintf(info->backend, sizeof(info->backend), "%s", backend->name);
	info->card = backend->host_memory ? -1 : model->device->card;
	if (backend->host_memory)
		info->host_bytes = model->net->bytes;
	else
		info->device_bytes = model->net->bytes;
}

static int open_on_device(struct fvsr_model *model, const char *spec,
			  const struct fvsr_model_options *options, struct fvsr_error *err)
{
	struct fvsr_weights *weights;
	int result = fvsr_weights_open(&weights, spec, options->allow_directory, &options->log,
				       &options->progress, err);

	if (result < 0)
		return result;
	if (fvsr_weights_config(weights)->lq_layers > FVSR_MAX_LQ_LAYERS)
		result = fvsr_fail(err, FVSR_ERR_UNSUPPORTED, "more than %d projection layers",
				   FVSR_MAX_LQ_LAYERS);
	else
		result =
			fvsr_net_load(&model->net, model->device, weights, &options->progress, err);
	if (!result)
		describe(model, weights);
	fvsr_weights_close(weights);
	return result;
}

int fvsr_model_open(fvsr_model **out, const char *spec, const struct fvsr_model_options *options,
		    struct fvsr_error *err)
{
	struct fvsr_model_options defaults;
	const struct fvsr_backend *backend;
	struct fvsr_model *model;
	int result;

	if (!out || !spec)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "no model was named");
	if (!options) {
		fvsr_model_options_default(&defaults);
		options = &defaults;
	}
	backend = fvsr_backend_find(options->backend, err);
	if (!backend)
		return FVSR_ERR_BACKEND;
	model = calloc(1, sizeof(*model));
	if (!model)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	atomic_init(&model->owners, 1);
	result = backend->device_open(&model->device, options, err);
	if (!result)
		result = open_on_device(model, spec, options, err);
	if (result < 0) {
		fvsr_model_unref(model);
		return result;
	}
	*out = model;
	return 0;
}

fvsr_model *fvsr_model_ref(fvsr_model *model)
{
	atomic_fetch_add(&model->owners, 1);
	return model;
}

void fvsr_model_unref(fvsr_model *model)
{
	if (!model || atomic_fetch_sub(&model->owners, 1) != 1)
		return;
	fvsr_net_free(model->net);
	if (model->device)
		model->device->backend->device_close(model->device);
	free(model);
}

void fvsr_model_describe(const fvsr_model *model, struct fvsr_model_info *info)
{
	*info = model->info;
}
