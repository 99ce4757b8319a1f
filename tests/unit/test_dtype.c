/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The conversions between float32 and two-byte floats: every two-byte number comes back, and what
 * lies between two of them goes to the nearer one, or to the even one from the middle.
 */
#include <math.h>

#include "base/dtype.h"
#include "check.h"

/* One of the two formats; 'infinity' is also the first of the numbers that are no finite ones. */
struct format {
	const char *name;
	float (*widen)(uint16_t value);
	uint16_t (*narrow)(float value);
	uint16_t infinity;
};

static const struct format formats[] = {
	{"BF16", fvsr_bf16_to_f32, fvsr_bf16_from_f32, 0x7f80},
	{"F16", fvsr_f16_to_f32, fvsr_f16_from_f32, 0x7c00},
};

static void test_all_come_back(const struct format *f)
{
	for (uint32_t bits = 0; bits < 0x10000; bits++) {
		uint16_t value = (uint16_t)bits;
		float wide = f->widen(value);

		if ((bits & 0x7fff) <= f->infinity)
			CHECK_CASE(f->narrow(wide) == value, f->name);
		else
			CHECK_CASE(isnan(wide) && isnan(f->widen(f->narrow(wide))), f->name);
	}
}

static void test_nearest(const struct format *f)
{
	for (uint16_t low = 0; low + 1 < f->infinity; low++) {
		uint16_t high = (uint16_t)(low + 1), even = low & 1 ? high : low;
		float middle = (float)(((double)f->widen(low) + f->widen(high)) / 2);

		CHECK_CASE(f->narrow(middle) == even, f->name);
		CHECK_CASE(f->narrow(-middle) == (even | 0x8000), f->name);
		CHECK_CASE(f->narrow(nextafterf(middle, 0)) == low, f->name);
		CHECK_CASE(f->narrow(nextafterf(middle, INFINITY)) == high, f->name);
	}
}

static void test_too_large(void)
{
	CHECK(fvsr_f16_from_f32(65519.996f) == 0x7bff && fvsr_f16_from_f32(65520) == 0x7c00);
	CHECK(fvsr_f16_from_f32(-1e30f) == 0xfc00);
	CHECK(fvsr_bf16_from_f32(3.4e38f) == 0x7f80);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		test_all_come_back(&formats[i]);
		test_nearest(&formats[i]);
	}
	test_too_large();
	return check_result();
}
