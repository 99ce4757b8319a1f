/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_ops --backend NAME [--op NAME] [--seed N] [--rounds N] [--bench]
 *
 * Compares a backend with cpu-plain, op by op, on random shapes and operands. The seed is fresh
 * unless it is given (or in FVSR_TEST_SEED), and always printed. --bench prints the microseconds of
 * both at the sizes of a small model at 640 x 384 instead. The program exits with 77 when the
 * backend is not available.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness.h"

struct options {
	const char *backend, *op;
	uint64_t seed;
	int rounds, threads;
	bool bench;
};

static void log_line(void *opaque, enum fvsr_log_level level, const char *text)
{
	(void)opaque;
	if (level <= FVSR_LOG_WARNING)
		fprintf(stderr, "  %s\n", text);
}

static int parse(struct options *o, int argc, char **argv)
{
	const char *seed = getenv("FVSR_TEST_SEED");

	*o = (struct options){.seed = (uint64_t)time(NULL), .rounds = 15};
	if (seed)
		o->seed = strtoull(seed, NULL, 0);
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (!strcmp(argv[i], "--bench")) {
			o->bench = true;
			continue;
		}
		if (!value)
			return -1;
		if (!strcmp(argv[i], "--backend"))
			o->backend = value;
		else if (!strcmp(argv[i], "--op"))
			o->op = value;
		else if (!strcmp(argv[i], "--seed"))
			o->seed = strtoull(value, NULL, 0);
		else if (!strcmp(argv[i], "--rounds"))
			o->rounds = atoi(value);
		else if (!strcmp(argv[i], "--threads"))
			o->threads = atoi(value);
		else
			return -1;
		i++;
	}
	return o->backend ? 0 : -1;
}

/* Tells whether the op has a case of its own or for something special. */
static bool has_case(const char *op)
{
	const size_t length = strlen(op);

	for (size_t i = 0; op_tests[i]; i++)
		for (const struct op_test *test = op_tests[i]; test->name; test++)
			if (!strncmp(test->name, op, length) &&
			    (!test->name[length] || test->name[length] == ','))
				return true;
	return false;
}

static bool every_op_has_a_case(void)
{
#define OP_NAME(name, cpu) #name,
	static const char *const ops[] = {FVSR_OPS(OP_NAME)};
#undef OP_NAME
	bool good = true;

	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++)
		if (!has_case(ops[i])) {
			printf("FAILED: the op %s has no case\n", ops[i]);
			good = false;
		}
	return good;
}

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec * 1e-3;
}

static void both_turns(struct trial *t, const struct op_test *test, struct side *plain,
		       struct side *other)
{
	if (!take_turn(t, test, plain) || !take_turn(t, test, other))
		return;
	check_turn(t, plain);
	check_turn(t, other);
	if (!*t->failure)
		compare_sides(t, test, plain, other);
}

/* Runs a trial; true when both sides agree. *error grows to the trial's. */
static bool try_once(const struct op_test *test, struct side *plain, struct side *other,
		     uint64_t seed, double *error)
{
	struct trial t = new_trial(plain, other, seed);

	both_turns(&t, test, plain, other);
	/* Nothing may be left of weights that were there before. */
	if (!*t.failure && seed % 3 == 0) {
		renew_side(&t, plain);
		renew_side(&t, other);
		both_turns(&t, test, plain, other);
	}
	end_turn(plain);
	end_turn(other);
	*error = t.error > *error ? t.error : *error;
	if (*t.failure)
		printf("FAILED %s, --seed %" PRIu64 " --rounds 1: %s\n  shape: %s\n", test->name,
		       seed, t.failure, t.shape);
	return !*t.failure;
}

static bool test_op(const struct op_test *test, struct side *plain, struct side *other,
		    const struct options *o)
{
	double error = 0;
	int good = 0;

	for (int i = 0; i < o->rounds; i++)
		good += try_once(test, plain, other, o->seed + (uint64_t)i * 7919, &error);
	printf("%-20s %d of %d rounds, largest relative error %.2e\n", test->name, good, o->rounds,
	       error);
	return good == o->rounds;
}

/* Returns the best time of several calls, in microseconds; negative on failure. */
static double measure(struct trial *t, const struct op_test *test, struct side *side)
{
	double began, best = 1e30;

	if (!take_turn(t, test, side))
		return -1;
	began = now_us();
	for (int i = 0; i < 200 && (!i || now_us() - began < 3e5); i++) {
		double start = now_us(), took;

		repeat_turn(t, test, side);
		side->backend->finish(side->queue);
		took = now_us() - start;
		best = took < best ? took : best;
	}
	return best;
}

static bool bench_op(const struct op_test *test, struct side *plain, struct side *other,
		     const struct options *o)
{
	bool good = true;

	for (int i = 1; i <= test->benches; i++) {
		struct trial t = new_trial(plain, other, o->seed);
		double us[2];

		t.bench = i;
		us[0] = measure(&t, test, plain);
		us[1] = *t.failure ? -1 : measure(&t, test, other);
		end_turn(plain);
		end_turn(other);
		if (*t.failure)
			printf("FAILED %s: %s\n", test->name, t.failure);
		else
			printf("%-16s %11.1f us %11.1f us %8.1fx  %s\n", test->name, us[0], us[1],
			       us[0] / us[1], t.shape);
		good = good && !*t.failure;
	}
	return good;
}

static int run_all(struct side *plain, struct side *other, const struct options *o)
{
	bool good = true, any = false;

	for (size_t i = 0; op_tests[i]; i++) {
		for (const struct op_test *test = op_tests[i]; test->name; test++) {
			if (o->op && strcmp(o->op, test->name))
				continue;
			any = true;
			good = (o->bench ? bench_op : test_op)(test, plain, other, o) && good;
		}
	}
	if (!any)
		printf("there is no op of that name\n");
	return good && any ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct fvsr_model_options options = {.card = -1, .log.write = log_line};
	struct side plain, other;
	struct options o;
	int result = 77;

	if (parse(&o, argc, argv) < 0) {
		fprintf(stderr, "usage: test_ops --backend NAME [--op NAME] [--seed N] "
				"[--rounds N] [--threads N] [--bench]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	options.threads = o.threads;
	if (!every_op_has_a_case() || !open_device(&plain, "cpu-plain", &options))
		return 1;
	if (open_device(&other, o.backend, &options)) {
		printf("%s against %s, seed %" PRIu64 "\n", other.backend->name,
		       plain.backend->name, o.seed);
		result = run_all(&plain, &other, &o);
		other.backend->device_close(other.device);
	}
	plain.backend->device_close(plain.device);
	return result;
}
