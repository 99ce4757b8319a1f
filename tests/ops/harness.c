/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory, random numbers and comparison of the op tests.
 */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

#define GUARD_VALUE         77.0f /* exact in every kind */
#define SCRATCH_GUARD_BYTES 8192
#define POISON_I32          (-7777.0f)
#define POISON_U8           165.0f

const struct op_test *const op_tests[] = {matrix_tests, attention_tests, conv_tests, picture_tests,
					  memory_tests, nonfinite_tests, NULL};

bool open_device(struct side *side, const char *backend, const struct fvsr_model_options *options)
{
	struct fvsr_error err;

	memset(side, 0, sizeof(*side));
	side->backend = fvsr_backend_find(backend, &err);
	if (side->backend && side->backend->device_open(&side->device, options, &err) == 0)
		return true;
	printf("skipped: %s%s\n", strcmp(backend, "cuda") ? "" : "needs a card: ", err.text);
	return false;
}

struct trial new_trial(const struct side *a, const struct side *b, uint64_t seed)
{
	return (struct trial){
		.seed = seed,
		.bf16 = a->backend->act_bytes == 2 || b->backend->act_bytes == 2,
		.bf16_canvas = a->backend->canvas_bytes == 2 || b->backend->canvas_bytes == 2,
	};
}

int pick(struct trial *t, int low, int high)
{
	return low + (int)(next_random(&t->random) % (uint64_t)(high - low + 1));
}

bool chance(struct trial *t, int percent)
{
	return pick(t, 0, 99) < percent;
}

/* Picks often a multiple of what vectors are made of, and often the number after one. */
int pick_channels(struct trial *t, int largest)
{
	static const int units[] = {1, 2, 8, 16, 32};
	int unit = units[pick(t, 0, largest < 32 ? 3 : 4)];
	int value = unit * pick(t, 1, largest / unit);

	return chance(t, 20) && value < largest ? value + 1 : value;
}

enum fvsr_format pick_format(struct trial *t)
{
	static const enum fvsr_format formats[] = {FVSR_FORMAT_RGBA8, FVSR_FORMAT_BGRA8,
						   FVSR_FORMAT_RGBF32P};

	return formats[pick(t, 0, 2)];
}

void fail(struct trial *t, const char *format, ...)
{
	va_list args;

	if (*t->failure)
		return;
	va_start(args, format);
	vsnprintf(t->failure, sizeof(t->failure), format, args);
	va_end(args);
}

void shape(struct trial *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(t->shape, sizeof(t->shape), format, args);
	va_end(args);
}

/* ------------------------------------------------------------------------------------------- */
/* Operands                                                                                    */

static size_t element_bytes(const struct fvsr_backend *backend, enum fvsr_kind kind)
{
	switch (kind) {
	case FVSR_ACT:
		return backend->act_bytes;
	case FVSR_CANVAS:
		return backend->canvas_bytes;
	case FVSR_F32:
	case FVSR_I32:
		return 4;
	case FVSR_U8:
		break;
	}
	return 1;
}

/* Rounds to the nearest number of 8 significant bits, ties to even. */
static float round_bf16(float x)
{
	uint32_t bits;

	memcpy(&bits, &x, sizeof(bits));
	bits += 0x7FFF + (bits >> 16 & 1);
	bits &= 0xFFFF0000u;
	memcpy(&x, &bits, sizeof(x));
	return x;
}

static bool is_rounded(const struct trial *t, enum fvsr_kind kind)
{
	return (kind == FVSR_ACT && t->bf16) || (kind == FVSR_CANVAS && t->bf16_canvas);
}

static void fill_random(const struct trial *t, const struct operand *o, float low, float high)
{
	uint64_t state = t->seed * 1000003u + (uint64_t)t->next;

	for (size_t i = 0; i < o->count; i++) {
		float u = (float)(next_random(&state) >> 40) * (1.0f / 16777216.0f);
		float x = low + (high - low) * u;

		if (o->kind == FVSR_U8 || o->kind == FVSR_I32)
			x = floorf(x + 0.5f);
		o->before[i] = is_rounded(t, o->kind) ? round_bf16(x) : x;
	}
}

static void fill_poison(const struct operand *o)
{
	float value = o->kind == FVSR_I32 ? POISON_I32 : o->kind == FVSR_U8 ? POISON_U8 : NAN;

	for (size_t i = 0; i < o->count; i++)
		o->before[i] = value;
}

/* Fills memory with guard, values, guard; false when there is none. */
static bool place(struct trial *t, struct operand *o)
{
	const struct fvsr_backend *backend = t->side->backend;
	size_t bytes = element_bytes(backend, o->kind), guard = GUARD_BYTES / bytes;
	size_t total = o->count + 2 * guard;
	float *image = malloc(total * sizeof(*image));
	struct fvsr_error err;
	bool ok = false;

	if (!o->base)
		o->base = backend->alloc(t->side->device, total * bytes);
	if (image && o->base) {
		for (size_t i = 0; i < total; i++)
			image[i] = GUARD_VALUE;
		memcpy(image + guard, o->before, o->count * sizeof(*image));
		ok = backend->upload(t->side->device, o->base, o->kind, image, total, &err) == 0;
	}
	free(image);
	return ok;
}

static struct operand *new_operand(struct trial *t, enum role role, enum fvsr_kind kind,
				   size_t count)
{
	struct operand *o = &t->side->operand[t->side->count++];

	memset(o, 0, sizeof(*o));
	o->role = role;
	o->kind = kind;
	o->count = count;
	o->before = malloc((count + 1) * sizeof(*o->before));
	return o;
}

static void *operand(struct trial *t, enum role role, enum fvsr_kind kind, size_t count, float low,
		     float high, const float *data)
{
	struct operand *o;

	if (t->next >= MAX_OPERANDS) {
		fail(t, "the case has too many operands");
		return NULL;
	}
	if (t->next == t->side->count) {
		o = new_operand(t, role, kind, count);
		if (!o->before) {
			fail(t, "out of memory");
			return NULL;
		}
		if (data)
			for (size_t i = 0; i < count; i++)
				o->before[i] = is_rounded(t, kind) ? round_bf16(data[i]) : data[i];
		else if (role == ROLE_OUTPUT || role == ROLE_LIST)
			fill_poison(o);
		else
			fill_random(t, o, low, high);
		if (!place(t, o))
			fail(t, "no memory on the device");
	}
	o = &t->side->operand[t->next++];
	if (t->dry && role != ROLE_WEIGHT)
		return NULL;
	return o->base + GUARD_BYTES;
}

void *input(struct trial *t, enum fvsr_kind kind, size_t count, float low, float high)
{
	return operand(t, ROLE_INPUT, kind, count, low, high, NULL);
}

void *weight(struct trial *t, enum fvsr_kind kind, size_t count, float low, float high)
{
	return operand(t, ROLE_WEIGHT, kind, count, low, high, NULL);
}

void *inout(struct trial *t, enum fvsr_kind kind, size_t count, float low, float high)
{
	return operand(t, ROLE_INOUT, kind, count, low, high, NULL);
}

void *output(struct trial *t, enum fvsr_kind kind, size_t count)
{
	return operand(t, ROLE_OUTPUT, kind, count, 0, 0, NULL);
}

void *list(struct trial *t, enum fvsr_kind kind, size_t count)
{
	return operand(t, ROLE_LIST, kind, count, 0, 0, NULL);
}

void *values(struct trial *t, enum fvsr_kind kind, size_t count, const float *data)
{
	return operand(t, ROLE_INPUT, kind, count, 0, 0, data);
}

static uint8_t *host_bytes(struct trial *t, size_t bytes, bool pinned)
{
	struct side *side = t->side;
	uint64_t state = t->seed;

	if (side->host)
		return side->host;
	side->host = pinned ? side->backend->host_alloc(side->device, bytes) : malloc(bytes);
	side->host_bytes = bytes;
	side->host_pinned = pinned;
	for (size_t i = 0; side->host && i < bytes; i++)
		side->host[i] = (uint8_t)(next_random(&state) >> 56);
	if (!side->host)
		fail(t, "out of memory");
	return side->host;
}

uint8_t *host_pixels(struct trial *t, size_t bytes)
{
	return host_bytes(t, bytes, false);
}

void *host_memory(struct trial *t, size_t bytes)
{
	return host_bytes(t, bytes, true);
}

const float *result(const struct side *side, int index)
{
	const struct operand *o = &side->operand[index];

	return o->after + GUARD_BYTES / element_bytes(side->backend, o->kind);
}

/* ------------------------------------------------------------------------------------------- */
/* A turn                                                                                      */

static bool open_side(struct trial *t, struct side *side)
{
	struct fvsr_error err;

	if (side->backend->queue_open(&side->queue, side->device, &err) < 0) {
		fail(t, "%s: %s", side->backend->name, err.text);
		return false;
	}
	return true;
}

/* Gives scratch memory that is as long as was asked for, not a byte more, and full of NaN. */
static void give_scratch(struct trial *t, struct side *side)
{
	const struct fvsr_backend *backend = side->backend;
	size_t floats = side->queue->scratch_bytes / sizeof(float) + 1;
	size_t guard = SCRATCH_GUARD_BYTES / sizeof(float);
	float *image = malloc((floats + guard) * sizeof(*image));
	struct fvsr_error err;

	side->scratch_bytes = floats * sizeof(float);
	side->scratch = backend->alloc(side->device, side->scratch_bytes + SCRATCH_GUARD_BYTES);
	if (!image || !side->scratch) {
		fail(t, "no scratch memory");
	} else {
		for (size_t i = 0; i < floats; i++)
			image[i] = NAN;
		for (size_t i = floats; i < floats + guard; i++)
			image[i] = GUARD_VALUE;
		if (backend->upload(side->device, side->scratch, FVSR_F32, image, floats + guard,
				    &err) < 0)
			fail(t, "%s", err.text);
	}
	free(image);
	side->queue->scratch = side->scratch;
}

static bool is_guard(const float *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!(values[i] == GUARD_VALUE))
			return false;
	return true;
}

static void check_scratch(struct trial *t, struct side *side)
{
	float guard[SCRATCH_GUARD_BYTES / sizeof(float)];

	side->backend->download(side->queue, guard, side->scratch + side->scratch_bytes, FVSR_F32,
				SCRATCH_GUARD_BYTES / sizeof(float));
	if (!is_guard(guard, SCRATCH_GUARD_BYTES / sizeof(float)))
		fail(t, "%s wrote past its scratch memory", side->backend->name);
}

static void check_operand(struct trial *t, struct side *side, int index)
{
	struct operand *o = &side->operand[index];
	size_t guard = GUARD_BYTES / element_bytes(side->backend, o->kind);
	size_t total = o->count + 2 * guard;

	o->after = malloc(total * sizeof(*o->after));
	if (!o->after) {
		fail(t, "out of memory");
		return;
	}
	side->backend->download(side->queue, o->after, o->base, o->kind, total);
	if (!is_guard(o->after, guard))
		fail(t, "%s wrote before operand %d", side->backend->name, index);
	if (!is_guard(o->after + guard + o->count, guard))
		fail(t, "%s wrote past operand %d", side->backend->name, index);
	if ((o->role == ROLE_INPUT || o->role == ROLE_WEIGHT) &&
	    memcmp(o->after + guard, o->before, o->count * sizeof(*o->before)))
		fail(t, "%s changed input %d", side->backend->name, index);
}

static void call(struct trial *t, const struct op_test *test)
{
	t->random = t->seed;
	t->next = 0;
	test->run(t);
}

/* Plans without memory, as when a stream's cost is asked for; returns the bytes of scratch. */
static size_t dry_run(struct trial *t, const struct op_test *test, struct side *side)
{
	size_t bytes;

	if (!open_side(t, side))
		return 0;
	t->dry = true;
	side->queue->planning = true;
	call(t, test);
	t->dry = false;
	bytes = side->queue->scratch_bytes;
	if (side->backend->finish(side->queue) < 0)
		fail(t, "%s: %s", side->backend->name, side->queue->message.text);
	side->backend->queue_close(side->queue);
	side->queue = NULL;
	return bytes;
}

bool take_turn(struct trial *t, const struct op_test *test, struct side *side)
{
	size_t bytes;

	t->side = side;
	bytes = dry_run(t, test, side);
	if (*t->failure || !open_side(t, side))
		return false;
	side->queue->planning = true;
	call(t, test);
	side->queue->planning = false;
	if (side->queue->scratch_bytes > bytes)
		fail(t, "%s: planning without memory finds %zu bytes of scratch, with it %zu",
		     side->backend->name, bytes, side->queue->scratch_bytes);
	if (!*t->failure)
		give_scratch(t, side);
	if (!*t->failure)
		call(t, test);
	if (side->backend->finish(side->queue) < 0)
		fail(t, "%s: %s", side->backend->name, side->queue->message.text);
	return !*t->failure;
}

/* Runs the op one more time, for the clock. */
void repeat_turn(struct trial *t, const struct op_test *test, struct side *side)
{
	t->side = side;
	call(t, test);
}

void check_turn(struct trial *t, struct side *side)
{
	check_scratch(t, side);
	for (int i = 0; i < side->count; i++)
		check_operand(t, side, i);
}

/* Empties the caches: they go by address, and the next weights may get the same one. */
static void forget_weights(struct side *side)
{
	for (int i = 0; i < side->count; i++) {
		struct operand *o = &side->operand[i];

		if (o->role == ROLE_WEIGHT && o->base)
			side->backend->forget(side->device, o->base + GUARD_BYTES,
					      o->count * element_bytes(side->backend, o->kind));
	}
}

static void close_side(struct side *side)
{
	side->backend->queue_close(side->queue);
	side->queue = NULL;
	side->backend->free(side->device, side->scratch);
	side->scratch = NULL;
}

void renew_side(struct trial *t, struct side *side)
{
	close_side(side);
	forget_weights(side);
	t->side = side;
	for (int i = 0; i < side->count; i++) {
		struct operand *o = &side->operand[i];

		if (o->role == ROLE_WEIGHT)
			for (size_t j = 0; j < o->count / 2; j++) {
				float swap = o->before[j];

				o->before[j] = o->before[o->count - 1 - j];
				o->before[o->count - 1 - j] = swap;
			}
		if (!place(t, o))
			fail(t, "an operand cannot be written again");
		free(o->after);
		o->after = NULL;
	}
}

void end_turn(struct side *side)
{
	close_side(side);
	forget_weights(side);
	for (int i = 0; i < side->count; i++) {
		free(side->operand[i].before);
		free(side->operand[i].after);
		side->backend->free(side->device, side->operand[i].base);
	}
	if (side->host_pinned)
		side->backend->host_free(side->device, side->host);
	else
		free(side->host);
	side->host = NULL;
	side->count = 0;
}

/* ------------------------------------------------------------------------------------------- */
/* Comparison                                                                                  */

/* Compares pixels: one level apart is a matter of rounding, if it is rare. */
static void compare_bytes(struct trial *t, const float *want, const float *got, size_t count,
			  bool exact, int index)
{
	size_t apart = 0, allowed = exact ? 0 : 1 + count / 200;

	for (size_t i = 0; i < count; i++) {
		if (fabsf(want[i] - got[i]) > 1)
			fail(t, "operand %d, element %zu: %g instead of %g", index, i, got[i],
			     want[i]);
		apart += want[i] != got[i];
	}
	if (apart > allowed)
		fail(t, "operand %d: %zu of %zu values differ by one", index, apart, count);
}

static void compare_floats(struct trial *t, const float *want, const float *got, size_t count,
			   double tolerance, int index)
{
	double difference = 0, norm = 0, largest = 0, worst = 0, relative;
	size_t where = 0;

	for (size_t i = 0; i < count; i++) {
		double d = fabs((double)got[i] - want[i]);

		if (!isfinite(want[i])) {
			fail(t, "operand %d, element %zu: the plain op left %g", index, i, want[i]);
			return;
		}
		if (!isfinite(got[i])) {
			fail(t, "operand %d, element %zu: %g instead of %g", index, i, got[i],
			     want[i]);
			return;
		}
		difference += d * d;
		norm += (double)want[i] * want[i];
		largest = fmax(largest, fabs(want[i]));
		if (d > worst) {
			worst = d;
			where = i;
		}
	}
	relative = sqrt(difference) / fmax(sqrt(norm), 1e-20);
	t->error = fmax(t->error, relative);
	if (relative > tolerance || worst > 10 * tolerance * largest)
		fail(t,
		     "operand %d: relative L2 %.3g (at most %.3g), element %zu: %.9g instead of "
		     "%.9g",
		     index, relative, tolerance, where, got[where], want[where]);
}

void compare_sides(struct trial *t, const struct op_test *test, const struct side *plain,
		   const struct side *other)
{
	if (plain->count != other->count)
		fail(t, "the case made different choices");
	for (int i = 0; i < plain->count && !*t->failure; i++) {
		const struct operand *o = &plain->operand[i];
		/* What is exact stays so where nothing is rounded. */
		bool exact = test->rel_f32 == 0 && o->kind != FVSR_ACT;
		double tolerance = t->bf16 && !exact ? test->rel_bf16 : test->rel_f32;

		if (o->role != ROLE_OUTPUT && o->role != ROLE_INOUT)
			continue;
		if (o->kind == FVSR_U8 || o->kind == FVSR_I32)
			compare_bytes(t, result(plain, i), result(other, i), o->count,
				      tolerance == 0, i);
		else
			compare_floats(t, result(plain, i), result(other, i), o->count, tolerance,
				       i);
	}
	if (plain->host && !*t->failure && memcmp(plain->host, other->host, plain->host_bytes))
		fail(t, "bytes in host memory differ");
	if (test->judge && !*t->failure)
		test->judge(t, plain, other);
}
