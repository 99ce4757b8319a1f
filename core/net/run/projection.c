/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LQ projection (section 4): eight canvases become the tokens that steer two latent frames.
 */
#include "net/run/arena.h"
#include "net/run/run.h"

static bool is_v1(const struct fvsr_run *run)
{
	return run->set.lq_version == FVSR_LQ_V1;
}

static void unshuffle(struct fvsr_run *run, int place, int64_t n, int64_t last)
{
	size_t frame = fvsr_run_act(run, (size_t)run->h * run->w * 768);

	run->backend->unshuffle(run->queue, fvsr_at(run->projection.input, place * frame),
				fvsr_run_canvas(run, n, last), run->h, run->w);
}

static void conv1(struct fvsr_run *run, int place, int outputs, const int (*taps)[4])
{
	const struct fvsr_net *net = run->net;
	int hidden = net->config.lq_hidden1;
	size_t frame = fvsr_run_act(run, (size_t)run->h * run->w * hidden);
	struct fvsr_conv_frames a = {
		.dst = fvsr_at(run->projection.middle, place * frame),
		.src = run->projection.input,
		.weight = net->lq_conv1.weight,
		.bias = net->lq_conv1.bias,
		.outputs = outputs,
		.h = run->h,
		.w = run->w,
		.cin = 768,
		.cout = hidden,
	};

	for (int i = 0; i < outputs; i++)
		for (int t = 0; t < 4; t++)
			a.taps[i][t] = taps[i][t];
	run->backend->conv_frames(run->queue, &a);
	run->backend->rms_silu(run->queue, a.dst, a.dst, net->lq_gamma1, outputs * run->h * run->w,
			       hidden);
}

static void conv2(struct fvsr_run *run)
{
	const struct fvsr_net *net = run->net;
	struct fvsr_conv_frames a = {
		.dst = run->projection.output,
		.src = run->projection.middle,
		.weight = net->lq_conv2.weight,
		.bias = net->lq_conv2.bias,
		.outputs = 2,
		.h = run->h,
		.w = run->w,
		.cin = net->config.lq_hidden1,
		.cout = net->config.lq_hidden2,
		.taps = {{0, 1, 2, 3}, {2, 3, 4, 5}},
	};

	if (is_v1(run)) {
		a.taps[0][0] = 2, a.taps[0][1] = 3;
		a.taps[1][0] = 4, a.taps[1][1] = 5;
	}
	run->backend->conv_frames(run->queue, &a);
	run->backend->rms_silu(run->queue, a.dst, a.dst, net->lq_gamma2, run->rows,
			       net->config.lq_hidden2);
}

/* What the next slice finds before its own frames: of this one, the last two. */
static void keep_middle(struct fvsr_run *run)
{
	size_t frame = fvsr_run_act(run, (size_t)run->h * run->w * run->net->config.lq_hidden1);

	run->backend->copy(run->queue, run->projection.middle,
			   fvsr_at(run->projection.middle, 4 * frame), 2 * frame);
}

static void linears(struct fvsr_run *run, int i)
{
	const struct fvsr_config *c = &run->net->config;
	size_t slice = fvsr_run_act(run, (size_t)run->rows * c->dim);

	for (int layer = 0; layer < c->lq_layers; layer++) {
		const struct fvsr_linear_param *p = &run->net->lq_linear[layer];
		struct fvsr_linear a = {
			.y = fvsr_at(run->projection.tokens[layer], i * slice),
			.x = run->projection.output,
			.weight = p->weight,
			.bias = p->bias,
			.m = run->rows,
			.n = p->n,
			.k = p->k,
			.activation = FVSR_ACT_NONE,
		};

		run->backend->linear(run->queue, &a);
	}
}

void fvsr_projection_slice(struct fvsr_run *run, int64_t s, int i, int64_t last)
{
	static const int priming[2][4] = {{0, 0, 0, 0}, {0, 0, 0, 0}};
	static const int v1_1[4][4] = {{0, 1, 2, 3}, {2, 3, 4, 5}, {4, 5, 6, 7}, {6, 7, 8, 9}};
	static const int v1[4][4] = {{4, 5, 2, 3}, {2, 3, 4, 5}, {8, 9, 6, 7}, {6, 7, 8, 9}};

	for (int place = 0; place < 10; place++)
		unshuffle(run, place, FVSR_SLICE_FRAMES * s - 1 + place, last);
	if (s == 0 && !is_v1(run)) /* the priming clip: frame 0 only, and places 0, 1 hold it */
		conv1(run, 0, 2, priming);
	conv1(run, 2, 4, is_v1(run) ? v1 : v1_1);
	conv2(run);
	keep_middle(run);
	linears(run, i);
}
