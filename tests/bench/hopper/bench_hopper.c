/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Test and bench of the Hopper kernels, alone: core/backend/cuda/hopper against the definitions in
 * check.cu on random inputs and poisoned outputs, then their speed at 768 x 1408. Build and run on
 *a machine with an H100 or H200, from the root of the tree:
 *
 *	sh tests/bench/hopper/run.sh
 *
 * "run.sh check" only tests, "run.sh time" only times. The tests use kernels with a watchdog: one
 * that hangs stops with a list of the barriers its warps wait for. Times are medians over runs
 * that take turns between several sets of buffers, larger together than the cache.
 */
/* The bench tries other tiles than the engine would take. */
static int forced_tile_n;
#define FVSR_HOPPER_TILE_N(cout)                                                                   \
	(forced_tile_n ? forced_tile_n : (cout) % 256 == 0 ? 256 : (cout) > 64 ? 128 : 64)

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "machine.h"
#include "backend/cuda/hopper/conv.c"

#define GUARD_BYTES 65536
#define REPEATS     6
#define MAX_SETS    4

struct bench {
	struct machine machine;
	struct check_result *result; /* on the device */
	unsigned long long *scan;    /* on the device, two */
	unsigned seed;
	int failures;
};

/* ------------------------------------------------------------------------------------------- */
/* Memory                                                                                      */

static void fill(struct bench *b, void *dst, size_t count, float size)
{
	unsigned seed = b->seed++;
	void *params[] = {&dst, &count, &size, &seed};

	machine_launch(&b->machine, "fill_bf16", 1024, 256, params);
}

static void *new_bf16(struct bench *b, size_t count, float size)
{
	void *memory = machine_alloc(&b->machine, count * 2);

	fill(b, memory, count, size);
	return memory;
}

static void *new_f32(struct bench *b, size_t count, float size)
{
	void *memory = machine_alloc(&b->machine, count * sizeof(float));
	unsigned seed = b->seed++;
	void *params[] = {&memory, &count, &size, &seed};

	machine_launch(&b->machine, "fill_f32", 64, 256, params);
	return memory;
}

/* Returns room for a result, poisoned, with more poison behind it. */
static void *new_output(struct bench *b, size_t count)
{
	return new_bf16(b, count + GUARD_BYTES / 2, -1);
}

static void release(struct bench *b, const void *memory)
{
	if (memory)
		machine_free(&b->machine, (void *)memory);
}

/* ------------------------------------------------------------------------------------------- */
/* Judging                                                                                     */

static void scan(struct bench *b, const void *data, size_t count, unsigned long long out[2])
{
	void *params[] = {&data, &count, &b->scan};

	out[0] = out[1] = 0;
	machine_upload(&b->machine, b->scan, out, 2 * sizeof(*out));
	machine_launch(&b->machine, "scan_bf16", 512, 256, params);
	machine_download(&b->machine, out, b->scan, 2 * sizeof(*out));
}

/* Work that a test repeats: the result must be the same to the last bit. */
typedef void work_fn(void *opaque, int run);

static void judge(struct bench *b, const char *name, void *dst, size_t count, work_fn *work,
		  void *opaque)
{
	unsigned long long first[2], again[2], guard[2];
	struct check_result r;
	float worst;
	int moved = 0;
	bool ok;

	machine_download(&b->machine, &r, b->result, sizeof(r));
	memcpy(&worst, &r.worst, sizeof(worst));
	scan(b, dst, count, first);
	for (int i = 0; i < REPEATS; i++) {
		fill(b, dst, count, -1);
		work(opaque, 0);
		machine_finish(&b->machine, name);
		scan(b, dst, count, again);
		moved += again[1] != first[1];
	}
	scan(b, (char *)dst + count * 2, GUARD_BYTES / 2, guard);
	ok = !r.bad && !first[0] && !moved && guard[0] == GUARD_BYTES / 2 && r.size > 0 &&
	     sqrt(r.error / r.size) < 6e-3 && worst < 3e-2f;
	printf("%-5s %-44s error %.5f worst row %.5f%s%s%s%s\n", ok ? "ok" : "FAIL", name,
	       sqrt(r.error / r.size), worst, r.bad ? "  NaN" : "",
	       first[0] ? "  not all written" : "", moved ? "  changes from run to run" : "",
	       guard[0] != GUARD_BYTES / 2 ? "  wrote past the end" : "");
	fflush(stdout);
	b->failures += !ok;
}

static void clear_result(struct bench *b)
{
	const struct check_result none = {0};

	machine_upload(&b->machine, b->result, &none, sizeof(none));
}

/* Returns the step between rows of the result that are checked: all of them, or about 'most'. */
static int stride_for(size_t rows, size_t most)
{
	return rows <= most ? 1 : (int)(rows / most);
}

/* ------------------------------------------------------------------------------------------- */
/* Attention                                                                                   */

struct attention_case {
	struct bench *bench;
	struct fvsr_block_attention a[MAX_SETS];
	int sets;
	int *index, *count; /* host */
	double pairs;       /* kept pairs of blocks, over all heads */
};

static unsigned next_random(unsigned *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* Makes a list like the locality mask's: a share, which differs from block to block, of a window.
 */
static int make_list(int *list, const struct fvsr_block_attention *a, int query, int share,
		     unsigned *state)
{
	int columns = a->w / 8, rows = a->h / 8, blocks = rows * columns, count = 0;
	int row = query % blocks / columns, column = query % blocks % columns;

	for (int key = 0; key < a->key_slices * blocks; key++) {
		int r = key % blocks / columns - row, c = key % blocks % columns - column;

		if (r >= -5 && r <= 5 && c >= -5 && c <= 5 &&
		    (int)(next_random(state) % 100) < share)
			list[count++] = key;
	}
	return count;
}

static void make_lists(struct attention_case *t, bool odd_counts)
{
	static const int odd[] = {0, 1, 2, 3, 31, 32, 33, 5, 64, 65};
	const struct fvsr_block_attention *a = &t->a[0];
	int blocks = a->h / 8 * (a->w / 8), queries = a->query_slices * blocks;
	int keys = a->key_slices * blocks, items = a->heads * queries;
	unsigned state = 12345;

	t->index = calloc((size_t)items * keys, sizeof(int));
	t->count = calloc((size_t)items, sizeof(int));
	if (!t->index || !t->count)
		die("out of memory");
	t->pairs = 0;
	for (int i = 0; i < items; i++) {
		int *list = t->index + (size_t)i * keys, count, want;

		count = make_list(list, a, i % queries, 40 + (int)(next_random(&state) % 40),
				  &state);
		if (odd_counts) {
			want = odd[(i + 1) % 10];
			count = make_list(list, a, i % queries, 100, &state);
			count = count < want ? count : want;
		}
		t->count[i] = count;
		t->pairs += count;
	}
}

static void new_attention(struct bench *b, struct attention_case *t,
			  const struct fvsr_block_attention *shape, int sets, bool odd_counts)
{
	int blocks = shape->h / 8 * (shape->w / 8), slots = 0;
	int queries = shape->query_slices * blocks, keys = shape->key_slices * blocks;
	int items = shape->heads * queries;
	size_t q = (size_t)queries * 128 * shape->dim, k;

	t->bench = b;
	t->sets = sets;
	t->a[0] = *shape;
	for (int i = 0; i < shape->key_slices; i++)
		slots = shape->slot[i] >= slots ? shape->slot[i] + 1 : slots;
	k = (size_t)slots * blocks * 128 * shape->dim;
	make_lists(t, odd_counts);
	for (int i = 0; i < sets; i++) {
		struct fvsr_block_attention *a = &t->a[i];

		*a = *shape;
		a->dst = new_output(b, q);
		a->q = new_bf16(b, q, 1.5f);
		a->k = new_bf16(b, k, 1.5f);
		a->v = new_bf16(b, k, 1);
		a->index = machine_alloc(&b->machine, (size_t)items * keys * sizeof(int));
		a->count = machine_alloc(&b->machine, (size_t)items * sizeof(int));
		machine_upload(&b->machine, (void *)a->index, t->index,
			       (size_t)items * keys * sizeof(int));
		machine_upload(&b->machine, (void *)a->count, t->count,
			       (size_t)items * sizeof(int));
	}
}

static void free_attention(struct attention_case *t)
{
	for (int i = 0; i < t->sets; i++) {
		const struct fvsr_block_attention *a = &t->a[i];
		const void *all[] = {a->dst, a->q, a->k, a->v, a->index, a->count};

		for (int j = 0; j < 6; j++)
			release(t->bench, all[j]);
	}
	free(t->index);
	free(t->count);
}

static void run_attention(void *opaque, int run)
{
	struct attention_case *t = opaque;

	if (!fvsr_cuda_hopper_block_attention(&t->bench->machine.queue, &t->a[run % t->sets]))
		die("attention: shape not taken");
}

static void test_attention(struct bench *b, const struct fvsr_block_attention *shape,
			   bool odd_counts)
{
	int blocks = shape->h / 8 * (shape->w / 8), queries = shape->query_slices * blocks;
	size_t rows = (size_t)shape->heads * queries * 128,
	       count = rows / shape->heads * shape->dim;
	struct attention_case t;
	struct check_attention c;
	char name[96];
	void *params[] = {&c};

	new_attention(b, &t, shape, 1, odd_counts);
	snprintf(name, sizeof(name), "attention %dx%d, %d heads of %d, %d <- %d%s", shape->h,
		 shape->w, shape->heads, shape->dim / shape->heads, shape->query_slices,
		 shape->key_slices, odd_counts ? ", odd" : "");
	clear_result(b);
	run_attention(&t, 0);
	machine_finish(&b->machine, name);
	c = (struct check_attention){
		.dst = t.a[0].dst,
		.q = t.a[0].q,
		.k = t.a[0].k,
		.v = t.a[0].v,
		.index = t.a[0].index,
		.count = t.a[0].count,
		.queries = queries,
		.keys = shape->key_slices * blocks,
		.blocks = blocks,
		.h = shape->h,
		.w = shape->w,
		.dim = shape->dim,
		.head_dim = shape->dim / shape->heads,
		.stride = stride_for(rows, 6000),
		.result = b->result,
	};
	memcpy(c.slot, shape->slot, sizeof(c.slot));
	machine_launch(&b->machine, "check_attention", (unsigned)(rows / (size_t)c.stride), 128,
		       params);
	judge(b, name, t.a[0].dst, count, run_attention, &t);
	free_attention(&t);
}

static const struct fvsr_block_attention production = {
	.slot = {2, 3, 0, 1},
	.query_slices = 1,
	.key_slices = 4,
	.h = 48,
	.w = 88,
	.dim = 1536,
	.heads = 12,
};

static void test_attentions(struct bench *b)
{
	static const struct fvsr_block_attention shapes[] = {
		{.slot = {0},
		 .query_slices = 1,
		 .key_slices = 1,
		 .h = 8,
		 .w = 8,
		 .dim = 128,
		 .heads = 1},
		{.slot = {2, 0, 1},
		 .query_slices = 2,
		 .key_slices = 3,
		 .h = 16,
		 .w = 24,
		 .dim = 256,
		 .heads = 2},
		{.slot = {1, 2, 3, 0},
		 .query_slices = 1,
		 .key_slices = 4,
		 .h = 40,
		 .w = 56,
		 .dim = 384,
		 .heads = 3},
		{.slot = {0, 1},
		 .query_slices = 2,
		 .key_slices = 2,
		 .h = 24,
		 .w = 32,
		 .dim = 256,
		 .heads = 4},
	};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		test_attention(b, &shapes[i], false);
		test_attention(b, &shapes[i], true);
	}
	test_attention(b, &production, false);
	test_attention(b, &production, true);
}

/* ------------------------------------------------------------------------------------------- */
/* Convolutions                                                                                */

enum conv_kind { CONV_3X3 = 1, CONV_UP, CONV_FRAMES };

struct conv_shape {
	enum conv_kind kind;
	const char *note;
	int frames, h, w, cin, cout; /* frames: outputs of CONV_FRAMES */
	bool past, bias, residual, relu;
	int grow, ksize;
	int tile_n;    /* 0: the engine's choice */
	int per_chunk; /* how often a chunk has it */
};

struct conv_case {
	struct bench *bench;
	const struct conv_shape *shape;
	struct check_conv c[MAX_SETS]; /* has all pointers and sizes */
	int sets;
	size_t in_frame, in_count, out_count;
};

/* Counts the weights of an output channel, over cin; those of all parts of an upsampling. */
static int taps_of(const struct conv_shape *s)
{
	if (s->kind == CONV_FRAMES)
		return 36;
	return s->kind == CONV_UP ? 4 * s->ksize * s->ksize * s->grow : s->past ? 18 : 9;
}

static void new_conv(struct bench *b, struct conv_case *t, const struct conv_shape *s, int sets)
{
	int taps = taps_of(s), window = s->kind == CONV_UP ? s->ksize * s->ksize : taps;
	size_t area = (size_t)s->h * s->w;
	int in_frames = s->kind == CONV_FRAMES ? 2 * s->frames + 2 : s->frames;
	size_t grown = s->kind == CONV_UP ? 4 * (size_t)s->grow : 1;
	void *weight =
		new_bf16(b, (size_t)taps * s->cout * s->cin, 1 / sqrtf((float)(window * s->cin)));
	void *bias = s->bias ? new_f32(b, s->cout, 1) : NULL;

	t->bench = b;
	t->shape = s;
	t->sets = sets;
	t->in_count = in_frames * area * s->cin;
	t->out_count = s->frames * grown * area * s->cout;
	for (int i = 0; i < sets; i++) {
		t->c[i] = (struct check_conv){
			.dst = new_output(b, t->out_count),
			.src = new_bf16(b, t->in_count, 1),
			.past = s->past ? new_bf16(b, t->in_count, 1) : NULL,
			.residual = s->residual ? new_bf16(b, t->out_count, 1) : NULL,
			.weight = weight,
			.bias = bias,
			.h = s->h,
			.w = s->w,
			.cin = s->cin,
			.cout = s->cout,
			.grow = s->grow,
			.ksize = s->ksize,
			.relu = s->relu,
			.result = b->result,
		};
		for (int o = 0; o < 4; o++)
			for (int f = 0; f < 4; f++)
				t->c[i].taps[o][f] = 2 * o + f < in_frames ? 2 * o + f : 0;
	}
}

static void free_conv(struct conv_case *t)
{
	for (int i = 0; i < t->sets; i++) {
		const void *all[] = {t->c[i].dst, t->c[i].src, t->c[i].past, t->c[i].residual};

		for (int j = 0; j < 4; j++)
			release(t->bench, all[j]);
	}
	release(t->bench, t->c[0].weight);
	release(t->bench, t->c[0].bias);
}

static bool run_3x3(struct fvsr_cuda_queue *queue, const struct conv_shape *s,
		    const struct check_conv *c)
{
	struct fvsr_conv3x3 a = {
		.dst = (void *)c->dst,
		.src = c->src,
		.past = c->past,
		.weight = c->weight,
		.bias = c->bias,
		.residual = c->residual,
		.frames = s->frames,
		.h = s->h,
		.w = s->w,
		.cin = s->cin,
		.cout = s->cout,
		.relu = s->relu,
	};

	return fvsr_cuda_hopper_conv3x3(queue, &a);
}

static bool run_up(struct fvsr_cuda_queue *queue, const struct conv_shape *s,
		   const struct check_conv *c)
{
	struct fvsr_upsample_conv a = {
		.dst = (void *)c->dst,
		.src = c->src,
		.weight = c->weight,
		.frames = s->frames,
		.h = s->h,
		.w = s->w,
		.cin = s->cin,
		.cout = s->cout,
		.grow = s->grow,
		.ksize = s->ksize,
		.relu = s->relu,
	};

	return fvsr_cuda_hopper_upsample_conv(queue, &a);
}

static bool run_frames(struct fvsr_cuda_queue *queue, const struct conv_shape *s,
		       const struct check_conv *c)
{
	struct fvsr_conv_frames a = {
		.dst = (void *)c->dst,
		.src = c->src,
		.weight = c->weight,
		.bias = c->bias,
		.outputs = s->frames,
		.h = s->h,
		.w = s->w,
		.cin = s->cin,
		.cout = s->cout,
	};

	memcpy(a.taps, c->taps, sizeof(a.taps));
	return fvsr_cuda_hopper_conv_frames(queue, &a);
}

static void run_conv(void *opaque, int run)
{
	struct conv_case *t = opaque;
	const struct check_conv *c = &t->c[run % t->sets];
	struct fvsr_cuda_queue *queue = &t->bench->machine.queue;
	bool taken;

	forced_tile_n = t->shape->tile_n;
	taken = t->shape->kind == CONV_3X3  ? run_3x3(queue, t->shape, c)
		: t->shape->kind == CONV_UP ? run_up(queue, t->shape, c)
					    : run_frames(queue, t->shape, c);
	forced_tile_n = 0;
	if (!taken)
		die("convolution: shape not taken");
}

static void name_conv(char *name, size_t bytes, const struct conv_shape *s)
{
	static const char *const kinds[] = {"", "3x3", "up", "frames"};

	snprintf(name, bytes, "%s %d x %dx%d %d->%d%s%s%s%s%s", kinds[s->kind], s->frames, s->h,
		 s->w, s->cin, s->cout, s->past ? " past" : "", s->residual ? " residual" : "",
		 s->kind == CONV_UP ? s->ksize == 2 ? " k2" : " k3" : "",
		 s->grow == 2 ? " grow" : "",
		 s->tile_n == 64    ? " n64"
		 : s->tile_n == 128 ? " n128"
		 : s->tile_n        ? " n256"
				    : "");
}

static void test_conv(struct bench *b, const struct conv_shape *s)
{
	static const char *const checks[] = {"", "check_conv3x3", "check_upsample", "check_frames"};
	struct conv_case t;
	size_t rows, work;
	char name[96];

	new_conv(b, &t, s, 1);
	name_conv(name, sizeof(name), s);
	clear_result(b);
	run_conv(&t, 0);
	machine_finish(&b->machine, name);
	rows = t.out_count / s->cout;
	work = (size_t)s->cin * s->cout * taps_of(s);
	t.c[0].stride = stride_for(rows, (size_t)2e10 / work + 1);
	{
		void *params[] = {&t.c[0]};

		machine_launch(&b->machine, checks[s->kind],
			       (unsigned)(rows / (size_t)t.c[0].stride), 128, params);
	}
	judge(b, name, (void *)t.c[0].dst, t.out_count, run_conv, &t);
	free_conv(&t);
}

static void test_convs(struct bench *b)
{
	static const struct conv_shape shapes[] = {
		{CONV_3X3, "", 1, 16, 16, 64, 128, .tile_n = 128},
		{CONV_3X3, "", 1, 16, 16, 64, 256, .bias = true},
		{CONV_3X3, "", 1, 16, 16, 64, 64, .relu = true},
		{CONV_3X3, "", 2, 37, 53, 128, 128, .bias = true, .relu = true},
		{CONV_3X3, "", 2, 37, 53, 784, 512, .bias = true, .relu = true},
		{CONV_3X3, "", 1, 37, 53, 784, 512, .bias = true, .tile_n = 128},
		{CONV_3X3, "", 2, 19, 33, 256, 256, .past = true, .bias = true, .relu = true},
		{CONV_3X3, "", 2, 19, 33, 128, 128, .residual = true, .relu = true},
		{CONV_3X3, "", 1, 5, 7, 40, 96, .past = true, .bias = true, .residual = true},
		{CONV_3X3, "", 3, 24, 40, 24, 32, .bias = true},
		{CONV_3X3, "", 1, 33, 17, 8, 160, .residual = true},
		{CONV_UP, "", 2, 19, 21, 128, 256, .grow = 1, .ksize = 2},
		{CONV_UP, "", 1, 19, 21, 128, 128, .grow = 2, .ksize = 2, .relu = true},
		{CONV_UP, "", 2, 9, 40, 72, 64, .grow = 2, .ksize = 3},
		{CONV_FRAMES, "", 4, 16, 24, 128, 256, .bias = true},
		{CONV_FRAMES, "", 2, 21, 19, 72, 128, .bias = true},
		{CONV_3X3, "", 2, 96, 176, 512, 512, .past = true, .bias = true, .relu = true},
		{CONV_3X3, "", 2, 384, 704, 128, 128, .bias = true, .residual = true, .relu = true},
		{CONV_FRAMES, "", 4, 48, 88, 768, 2048, .bias = true},
	};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
		test_conv(b, &shapes[i]);
}

static void test_all(struct bench *b, const char *variant)
{
	printf("kernels \"%s\"\n", variant);
	machine_use(&b->machine, variant);
	test_convs(b);
	test_attentions(b);
}

/* ------------------------------------------------------------------------------------------- */
/* Speed                                                                                       */

static void time_attention(struct bench *b)
{
	struct attention_case t;
	double ms, flop;

	new_attention(b, &t, &production, 2, false);
	ms = machine_time(&b->machine, run_attention, &t, 20);
	flop = t.pairs * 128 * 128 * 128 * 4;
	printf("attention, density %.2f, %7.3f ms %6.0f TFLOP/s of 711, %5.1f ms for 30\n",
	       t.pairs / (12.0 * 66 * 264), ms, flop / ms * 1e-9, ms * 30);
	fflush(stdout);
	free_attention(&t);
}

static double time_conv(struct bench *b, const struct conv_shape *s)
{
	double flop = 2.0 * taps_of(s) * s->cin * s->cout * s->h * s->w * s->frames, ms;
	struct conv_case t;
	char name[96];

	new_conv(b, &t, s, 2);
	name_conv(name, sizeof(name), s);
	ms = machine_time(&b->machine, run_conv, &t, 20);
	printf("%-8s %-44s %7.3f ms %6.0f TFLOP/s", s->note, name, ms, flop / ms * 1e-9);
	if (s->per_chunk)
		printf("  x%2d = %6.2f ms", s->per_chunk, ms * s->per_chunk);
	printf("\n");
	fflush(stdout);
	free_conv(&t);
	return ms * s->per_chunk;
}

/* What a chunk of eight frames has, and other tiles for the same. */
static const struct conv_shape decoder[] = {
	{CONV_3X3, "1/8", 2, 96, 176, 784, 512, .bias = true, .relu = true, .per_chunk = 1},
	{CONV_3X3, "1/8", 2, 96, 176, 512, 512, .relu = true, .per_chunk = 1},
	{CONV_3X3, "1/8", 2, 96, 176, 512, 512, .past = true, .bias = true, .relu = true,
	 .per_chunk = 3},
	{CONV_3X3, "1/8", 2, 96, 176, 512, 512, .bias = true, .relu = true, .per_chunk = 3},
	{CONV_3X3, "1/8", 2, 96, 176, 512, 512, .bias = true, .residual = true, .relu = true,
	 .per_chunk = 3},
	{CONV_UP, "1/4", 2, 96, 176, 512, 256, .grow = 1, .ksize = 2, .per_chunk = 1},
	{CONV_3X3, "1/4", 2, 192, 352, 256, 256, .past = true, .bias = true, .relu = true,
	 .per_chunk = 3},
	{CONV_3X3, "1/4", 2, 192, 352, 256, 256, .bias = true, .relu = true, .per_chunk = 3},
	{CONV_3X3, "1/4", 2, 192, 352, 256, 256, .bias = true, .residual = true, .relu = true,
	 .per_chunk = 3},
	{CONV_UP, "1/2", 1, 192, 352, 256, 128, .grow = 2, .ksize = 2, .per_chunk = 2},
	{CONV_3X3, "1/2", 2, 384, 704, 128, 128, .past = true, .bias = true, .relu = true,
	 .per_chunk = 6},
	{CONV_3X3, "1/2", 2, 384, 704, 128, 128, .bias = true, .relu = true, .per_chunk = 6},
	{CONV_3X3, "1/2", 2, 384, 704, 128, 128, .bias = true, .residual = true, .relu = true,
	 .per_chunk = 6},
	{CONV_UP, "1/1", 1, 384, 704, 128, 128, .grow = 2, .ksize = 2, .relu = true,
	 .per_chunk = 4},
	{CONV_3X3, "1/1", 1, 768, 1408, 128, 128, .relu = true, .per_chunk = 8},
};

static const struct conv_shape projection[] = {
	{CONV_FRAMES, "lq", 4, 48, 88, 768, 2048, .bias = true, .per_chunk = 1},
	{CONV_FRAMES, "lq", 2, 48, 88, 2048, 3072, .bias = true, .per_chunk = 1},
};

static const struct conv_shape others[] = {
	{CONV_3X3, "1/8", 2, 96, 176, 512, 512, .bias = true, .relu = true, .tile_n = 128},
	{CONV_UP, "1/4", 2, 96, 176, 512, 256, .grow = 1, .ksize = 2, .tile_n = 128},
	{CONV_3X3, "1/4", 2, 192, 352, 256, 256, .bias = true, .relu = true, .tile_n = 128},
	{CONV_FRAMES, "lq", 4, 48, 88, 768, 2048, .bias = true, .tile_n = 128},
};

static void time_convs(struct bench *b)
{
	double ms = 0;

	for (size_t i = 0; i < sizeof(decoder) / sizeof(*decoder); i++)
		ms += time_conv(b, &decoder[i]);
	printf("decoder without input, last convolution and copies: %.2f ms (libraries: 19.5)\n",
	       ms);
	ms = 0;
	for (size_t i = 0; i < sizeof(projection) / sizeof(*projection); i++)
		ms += time_conv(b, &projection[i]);
	printf("projection without the linear layer: %.2f ms (libraries: 7.7)\n", ms);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		time_conv(b, &others[i]);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "all";
	struct bench b = {.seed = 1};

	if (argc < 2)
		die("usage: bench_hopper FOLDER_OF_KERNELS [check|time]");
	machine_open(&b.machine, argv[1]);
	b.result = machine_alloc(&b.machine, sizeof(*b.result));
	b.scan = machine_alloc(&b.machine, 2 * sizeof(*b.scan));
	if (strcmp(what, "time")) {
		test_all(&b, "watched");
		if (!b.failures)
			test_all(&b, "fast");
		printf("%d failures\n", b.failures);
	}
	if (strcmp(what, "check")) {
		machine_use(&b.machine, "fast");
		time_attention(&b);
		time_convs(&b);
	}
	release(&b, b.result);
	release(&b, b.scan);
	machine_close(&b.machine);
	return b.failures != 0;
}
