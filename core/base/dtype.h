/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Number formats: the two-byte floats that weights, activations and canvases are kept in, and
 * their way to and from float32. There is one conversion of each kind, so that all parts of the
 * library round alike.
 */
#ifndef FVSR_BASE_DTYPE_H
#define FVSR_BASE_DTYPE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum fvsr_dtype {
	FVSR_DTYPE_F32 = 1,
	FVSR_DTYPE_BF16 = 2,
	FVSR_DTYPE_F16 = 3,
};

static inline float fvsr_float_of_bits(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static inline uint32_t fvsr_bits_of_float(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static inline float fvsr_bf16_to_f32(uint16_t value)
{
	return fvsr_float_of_bits((uint32_t)value << 16);
}

/*
 * Rounds to nearest, ties to even. A finite value above the largest BF16 becomes infinite; a NaN
 * stays one even if its only payload bits are those cut off.
 */
static inline uint16_t fvsr_bf16_from_f32(float value)
{
	uint32_t bits = fvsr_bits_of_float(value);
	uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;

	return (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? bits >> 16 | 0x40u : rounded);
}

/*
 * Rebases the exponent by one multiplication, which is exact and brings subnormals along;
 * infinities and NaNs then get the float's own exponent.
 */
static inline float fvsr_f16_to_f32(uint16_t half)
{
	uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
	uint32_t rest = (uint32_t)(half & 0x7fffu) << 13;
	float scaled = fvsr_float_of_bits(rest) * 0x1p112f;
	uint32_t special = (half & 0x7c00u) == 0x7c00u ? 0x7f800000u : 0;

	return fvsr_float_of_bits(fvsr_bits_of_float(scaled) | special | sign);
}

/* Rounds to nearest, ties to even. Values from 65520 on become infinite, NaNs the quiet one. */
uint16_t fvsr_f16_from_f32(float value);

/* Returns the bytes of an element. */
size_t fvsr_dtype_size(enum fvsr_dtype dtype);
/* Returns the name that safetensors files use, a static string. */
const char *fvsr_dtype_name(enum fvsr_dtype dtype);

/*
 * Converts 'count' elements. 'src' is little-endian, may be unaligned, and a two-byte one
 * may be the end of the memory that 'dst' is.
 */
void fvsr_dtype_to_f32(enum fvsr_dtype dtype, const void *src, size_t count, float *dst);

/* Returns the index of the first NaN or infinity, or 'count'. */
size_t fvsr_find_nonfinite(const float *values, size_t count);

#endif
