/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the main program calls for a trial, in this order for each side: take_turn, (repeat_turn),
 * check_turn; then compare_sides; then end_turn for each side, or renew_side to do it once more
 * with other weights at the same addresses.
 */
#ifndef FVSR_TEST_HARNESS_H
#define FVSR_TEST_HARNESS_H

#include "ops.h"

/* False (and t->failure) when the op could not be run. */
bool take_turn(struct trial *t, const struct op_test *test, struct side *side);
void repeat_turn(struct trial *t, const struct op_test *test, struct side *side);
void check_turn(struct trial *t, struct side *side);
void compare_sides(struct trial *t, const struct op_test *test, const struct side *plain,
		   const struct side *other);
void renew_side(struct trial *t, struct side *side);
void end_turn(struct side *side);

#endif
