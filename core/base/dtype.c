/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conversion of many elements at once. The loops are branch-free so that compilers vectorise them:
 * a model has 1.7 G elements.
 */
#include "base/dtype.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "weights are little-endian, and this code reads them without swapping"
#endif

/* Elements converted at a time: two bytes each, small enough for the stack and the L1 cache. */
#define CHUNK 4096

size_t fvsr_dtype_size(enum fvsr_dtype dtype)
{
	return dtype == FVSR_DTYPE_F32 ? 4 : 2;
}

const char *fvsr_dtype_name(enum fvsr_dtype dtype)
{
	switch (dtype) {
	case FVSR_DTYPE_F32:
		return "F32";
	case FVSR_DTYPE_BF16:
		return "BF16";
	default:
		return "F16";
	}
}

uint16_t fvsr_f16_from_f32(float value)
{
	uint32_t bits = fvsr_bits_of_float(value), sign = bits >> 16 & 0x8000u, rounded;
	float size = fvsr_float_of_bits(bits & 0x7fffffffu);

	if (size != size)
		return (uint16_t)(sign | 0x7e00u);
	if (size >= 65520)
		return (uint16_t)(sign | 0x7c00u);
	bits &= 0x7fffffffu;
	if (size < 0x1p-14f) /* subnormal: a multiple of 2^-24, to which the addition rounds */
		return (uint16_t)(sign |
				  (fvsr_bits_of_float(size + 0.5f) - fvsr_bits_of_float(0.5f)));
	rounded = bits + 0xfffu + (bits >> 13 & 1u);
	return (uint16_t)(sign | ((rounded >> 13) - (112u << 10)));
}

/* Copies at most CHUNK elements aside first, since 'src' may be the upper half of 'dst'. */
static void widen(enum fvsr_dtype dtype, const unsigned char *src, size_t count, float *dst)
{
	uint16_t chunk[CHUNK];

	while (count) {
		size_t n = count < CHUNK ? count : CHUNK;
		size_t i;

		memcpy(chunk, src, n * 2);
		if (dtype == FVSR_DTYPE_BF16) {
			for (i = 0; i < n; i++)
				dst[i] = fvsr_bf16_to_f32(chunk[i]);
		} else {
			for (i = 0; i < n; i++)
				dst[i] = fvsr_f16_to_f32(chunk[i]);
		}
		src += n * 2;
		dst += n;
		count -= n;
	}
}

void fvsr_dtype_to_f32(enum fvsr_dtype dtype, const void *src, size_t count, float *dst)
{
	if (dtype == FVSR_DTYPE_F32)
		memcpy(dst, src, count * 4);
	else
		widen(dtype, src, count, dst);
}

size_t fvsr_find_nonfinite(const float *values, size_t count)
{
	size_t first = 0, i;

	while (first < count) {
		size_t n = count - first < CHUNK ? count - first : CHUNK;
		unsigned int bad = 0;

		for (i = 0; i < n; i++)
			bad |= (fvsr_bits_of_float(values[first + i]) & 0x7f800000u) == 0x7f800000u;
		if (bad)
			break;
		first += n;
	}
	while (first < count && (fvsr_bits_of_float(values[first]) & 0x7f800000u) != 0x7f800000u)
		first++;
	return first;
}
