/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fvsr info: what a safetensors file holds, and what this machine can run the network on.
 */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "compare.h"
#include "console.h"
#include "options.h"
#include "report.h"

struct info {
	const char *path;
	bool backends, tensors, json;
};

static void print_backend(const struct fvsr_backend_info *info)
{
	printf("%-10s  %s\n", info->name, info->available ? info->device : info->reason);
	if (!info->available)
		printf("%-10s  (not available)\n", "");
}

static json_t *backend_to_json(const struct fvsr_backend_info *info)
{
	json_t *root = json_object();

	json_object_set_new(root, "name", json_string(info->name));
	json_object_set_new(root, "available", json_boolean(info->available));
	if (info->available)
		json_object_set_new(root, "device", json_string(info->device));
	else
		json_object_set_new(root, "reason", json_string(info->reason));
	return root;
}

static int show_backends(const struct info *args)
{
	json_t *list = args->json ? json_array() : NULL;
	struct fvsr_backend_info info;

	for (unsigned i = 0; fvsr_backend_describe(i, &info) == FVSR_OK; i++) {
		if (list)
			json_array_append_new(list, backend_to_json(&info));
		else
			print_backend(&info);
	}
	return list ? fvsr_cli_print_json(list) : FVSR_CLI_OK;
}

/* What all tensors of a file come to. */
struct summary {
	size_t tensors;
	uint64_t values, bytes;
	char types[64];
};

static void add_type(struct summary *sum, const char *type)
{
	size_t used = strlen(sum->types);

	if (strstr(sum->types, type) || used + strlen(type) + 3 > sizeof(sum->types))
		return;
	snprintf(sum->types + used, sizeof(sum->types) - used, "%s%s", used ? ", " : "", type);
}

static struct summary summarise(const fvsr_tensors *file)
{
	struct summary sum = {0};
	struct fvsr_tensor_info info;

	while (fvsr_tensors_get(file, sum.tensors, &info) == FVSR_OK) {
		sum.tensors++;
		sum.values += fvsr_cli_tensor_count(&info);
		sum.bytes += info.bytes;
		add_type(&sum, info.dtype);
	}
	return sum;
}

static void print_tensors(const fvsr_tensors *file)
{
	struct fvsr_tensor_info info;

	printf("\n");
	for (size_t i = 0; fvsr_tensors_get(file, i, &info) == FVSR_OK; i++) {
		fvsr_cli_print_text(info.name);
		printf("  %s  (", info.dtype);
		for (int d = 0; d < info.rank; d++)
			printf("%s%lld", d ? ", " : "", (long long)info.shape[d]);
		printf(")\n");
	}
}

static int print_file(const struct info *args, const fvsr_tensors *file)
{
	struct summary sum = summarise(file);
	char size[FVSR_CLI_BYTES_TEXT];
	const char *key, *value;

	printf("tensors     %zu (%s)\n", sum.tensors, sum.types);
	printf("parameters  %llu\n", (unsigned long long)sum.values);
	printf("data        %s\n", fvsr_cli_bytes(sum.bytes, size));
	for (size_t i = 0; fvsr_tensors_metadata_at(file, i, &key, &value) == FVSR_OK; i++) {
		fvsr_cli_print_text(key);
		printf("%*s", strlen(key) < 10 ? 12 - (int)strlen(key) : 2, "");
		fvsr_cli_print_text(value);
		putchar('\n');
	}
	if (args->tensors)
		print_tensors(file);
	return FVSR_CLI_OK;
}

static json_t *tensors_to_json(const fvsr_tensors *file)
{
	json_t *list = json_array();
	struct fvsr_tensor_info info;

	for (size_t i = 0; fvsr_tensors_get(file, i, &info) == FVSR_OK; i++) {
		json_t *item = json_object(), *shape = json_array();
		for (int d = 0; d < info.rank; d++)
			json_array_append_new(shape, json_integer(info.shape[d]));
		json_object_set_new(item, "name", json_string(info.name));
		json_object_set_new(item, "type", json_string(info.dtype));
		json_object_set_new(item, "shape", shape);
		json_array_append_new(list, item);
	}
	return list;
}

static int print_file_json(const struct info *args, const fvsr_tensors *file)
{
	struct summary sum = summarise(file);
	json_t *root = json_object(), *metadata = json_object();
	const char *key, *value;

	for (size_t i = 0; fvsr_tensors_metadata_at(file, i, &key, &value) == FVSR_OK; i++)
		json_object_set_new(metadata, key, json_string(value));
	json_object_set_new(root, "file", json_string(args->path));
	json_object_set_new(root, "num_tensors", json_integer((json_int_t)sum.tensors));
	json_object_set_new(root, "types", json_string(sum.types));
	json_object_set_new(root, "parameters", json_integer((json_int_t)sum.values));
	json_object_set_new(root, "bytes", json_integer((json_int_t)sum.bytes));
	json_object_set_new(root, "metadata", metadata);
	if (args->tensors)
		json_object_set_new(root, "tensors", tensors_to_json(file));
	return fvsr_cli_print_json(root);
}

static int show_file(const struct info *args)
{
	struct fvsr_error err = {""};
	fvsr_tensors *file;
	int result = fvsr_tensors_open(&file, args->path, &err);
	int status;

	if (result < 0) {
		fvsr_cli_error("cannot read %s", err.text[0] ? err.text : args->path);
		return FVSR_CLI_FAILED;
	}
	status = args->json ? print_file_json(args, file) : print_file(args, file);
	fvsr_tensors_close(file);
	return status;
}

static const char description[] =
	"Shows what a packed model (or any other safetensors file) holds: number, types\n"
	"and size of its tensors and its metadata, which names the configuration, the\n"
	"version and the hashes of the files it was made from.\n";

static const char epilogue[] =
	"Exit status: 0 on success, 1 when FILE cannot be read, 2 for wrong\n"
	"usage.\n";

int fvsr_cmd_info(int argc, char **argv)
{
	struct info args = {0};
	const struct fvsr_cli_option options[] = {
		{"backends", 0, FVSR_CLI_FLAG, &args.backends, NULL,
		 "list the backends, best first, and why one is missing", 0, 0, NULL},
		{"tensors", 0, FVSR_CLI_FLAG, &args.tensors, NULL,
		 "also list every tensor with type and shape", 0, 0, NULL},
		{"json", 0, FVSR_CLI_FLAG, &args.json, NULL, "the same as JSON", 0, 0, NULL},
	};
	const struct fvsr_cli_group group = {"Options", options,
					     sizeof(options) / sizeof(options[0])};
	const struct fvsr_cli_usage usage = {
		.name = "info",
		.summary = "describe a model file or the backends",
		.synopsis = "[options] FILE\n       fvsr info --backends [--json]",
		.description = description,
		.epilogue = epilogue,
		.groups = &group,
		.num_groups = 1,
		.min_words = 0,
		.max_words = 1,
	};
	int status = fvsr_cli_parse(&usage, argc, argv, &args.path);

	if (status != FVSR_CLI_GO)
		return status;
	if (args.backends == (args.path != NULL)) {
		fvsr_cli_error("name either a file or --backends; see fvsr info --help");
		return FVSR_CLI_USAGE;
	}
	return args.backends ? show_backends(&args) : show_file(&args);
}
