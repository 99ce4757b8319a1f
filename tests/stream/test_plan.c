/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lean plan takes the scratch memory of its own operations, not of those of the plan that was
 * tried before it. The backend is the plain one, but its 3x3 convolutions want much scratch.
 *
 *	test_plan MODEL
 */
#include <stdio.h>
#include <stdlib.h>

#include "backend/backend.h"
#include "net/run/run.h"
#include "test_support.h"

#define SCRATCH_PER_POSITION 256
#define SIDE_PX              256

static void hungry_conv3x3(struct fvsr_queue *queue, const struct fvsr_conv3x3 *a)
{
	fvsr_queue_scratch(queue, (size_t)a->frames * a->h * a->w * SCRATCH_PER_POSITION);
	fvsr_backend_cpu_plain.conv3x3(queue, a);
}

static struct fvsr_net *open_net(struct fvsr_device **device, struct fvsr_backend *hungry,
				 const char *spec)
{
	struct fvsr_model_options options;
	struct fvsr_weights *weights;
	struct fvsr_error err;
	struct fvsr_net *net;

	*hungry = fvsr_backend_cpu_plain;
	hungry->conv3x3 = hungry_conv3x3;
	fvsr_model_options_default(&options);
	options.threads = 1;
	if (hungry->device_open(device, &options, &err) < 0 ||
	    fvsr_weights_open(&weights, spec, false, NULL, NULL, &err) < 0) {
		printf("cannot open %s: %s\n", spec, err.text);
		exit(1);
	}
	(*device)->backend = hungry;
	if (fvsr_net_load(&net, *device, weights, NULL, &err) < 0) {
		printf("cannot load %s: %s\n", spec, err.text);
		exit(1);
	}
	fvsr_weights_close(weights);
	return net;
}

static struct fvsr_run_cost cost_of(const struct fvsr_net *net, uint64_t limit)
{
	struct fvsr_run_settings set = {
		.in_width = SIDE_PX,
		.in_height = SIDE_PX,
		.width = SIDE_PX,
		.height = SIDE_PX,
		.in_format = FVSR_FORMAT_RGBA8,
		.out_format = FVSR_FORMAT_RGBA8,
		.local_range = 11,
		.kv_ratio = 3,
		.topk_ratio = 2,
		.color = FVSR_COLOR_ADAIN,
		.noise = FVSR_NOISE_NORMAL,
		.lq_version = FVSR_LQ_V1_1,
		.memory_limit = limit,
	};
	struct fvsr_run_cost cost = {0};
	struct fvsr_error err = {""};
	struct fvsr_run *run;

	CHECK(!fvsr_run_open(NULL, net, &set, &cost, &err));
	CHECK(!fvsr_run_open(&run, net, &set, NULL, &err));
	CHECK(fvsr_run_queue(run)->scratch_bytes <= cost.bytes);
	fvsr_run_close(run);
	return cost;
}

int main(int argc, char **argv)
{
	/* Whole, the convolution at full size wants the most; lean, that of a frame of half size.
	 */
	const size_t whole_scratch = (size_t)SIDE_PX * SIDE_PX * SCRATCH_PER_POSITION;
	const size_t lean_scratch = whole_scratch / 4;
	struct fvsr_run_cost whole, lean, again;
	struct fvsr_backend hungry;
	struct fvsr_device *device;
	struct fvsr_net *net;

	if (argc != 2)
		return 2;
	net = open_net(&device, &hungry, argv[1]);
	whole = cost_of(net, 0);
	lean = cost_of(net, whole.bytes - 1);
	printf("whole %zu KiB, lean %zu KiB\n", whole.bytes >> 10, lean.bytes >> 10);
	CHECK(whole.bytes > whole_scratch && !whole.host_bytes);
	CHECK(lean.bytes < whole.bytes - (whole_scratch - lean_scratch) && !lean.host_bytes);
	/* With no more than that all layers stay on the device. */
	again = cost_of(net, lean.bytes);
	CHECK(again.bytes == lean.bytes && !again.host_bytes);
	fvsr_net_free(net);
	fvsr_backend_cpu_plain.device_close(device);
	return check_result();
}
