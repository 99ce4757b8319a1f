/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the main programs call: open_device for each side, then trials. A trial is, in this order
 * for each side, take_turn, (repeat_turn), check_turn; then compare_sides; then end_turn for each
 * side, or renew_side to do it once more with other weights at the same addresses.
 */
#ifndef FVSR_TEST_HARNESS_H
#define FVSR_TEST_HARNESS_H

#include "ops.h"

/* All cases: arrays that end with a test without a name, and NULL after the last of them. */
extern const struct op_test *const op_tests[];

/* Empties the side and opens a device of that backend; false, with a message, when it cannot. */
bool open_device(struct side *side, const char *backend, const struct fvsr_model_options *options);
/* Returns a trial that allows what both sides' backends round. */
struct trial new_trial(const struct side *a, const struct side *b, uint64_t seed);
/* Runs the op on this side; false (and t->failure) when that is not possible. */
bool take_turn(struct trial *t, const struct op_test *test, struct side *side);
void repeat_turn(struct trial *t, const struct op_test *test, struct side *side);
void check_turn(struct trial *t, struct side *side);
void compare_sides(struct trial *t, const struct op_test *test, const struct side *plain,
		   const struct side *other);
void renew_side(struct trial *t, struct side *side);
void end_turn(struct side *side);

#endif
