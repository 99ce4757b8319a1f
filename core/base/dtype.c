/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conversion between the types that weights are stored in and the float32 that the network asks
 * for. Loops are branch-free so that compilers vectorise them: a model has 1.7 G elements.
 */
#include "base/dtype.h"

#include <string.h>

#include "base/common.h"

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

static inline float float_of_bits(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static inline uint32_t bits_of_float(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

float fvsr_bf16_to_f32(uint16_t value)
{
	return float_of_bits((uint32_t)value << 16);
}

uint16_t fvsr_bf16_from_f32(float value)
{
	uint32_t bits = bits_of_float(value);

	/* A NaN stays one even if its only payload bits are those cut off. */
	if ((bits & 0x7fffffffu) > 0x7f800000u)
		return (uint16_t)(bits >> 16 | 0x40u);
	bits += 0x7fffu + (bits >> 16 & 1u);
	return (uint16_t)(bits >> 16);
}

/*
 * The exponent of a half is rebased by one multiplication, which is exact and brings subnormals
 * along; infinities and NaNs then get the float's own exponent.
 */
static inline float f16_to_f32(uint16_t half)
{
	uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
	uint32_t rest = (uint32_t)(half & 0x7fffu) << 13;
	float scaled = float_of_bits(rest) * 0x1p112f;
	uint32_t special = (half & 0x7c00u) == 0x7c00u ? 0x7f800000u : 0;

	return float_of_bits(bits_of_float(scaled) | special | sign);
}

/* Copies at most CHUNK elements aside first: 'src' may be the upper half of 'dst'. */
static void widen(enum fvsr_dtype dtype, const unsigned char *src, size_t count, float *dst)
{
	uint16_t chunk[CHUNK];

	while (count) {
		size_t n = count < CHUNK ? count : CHUNK;
		size_t i;

		memcpy(chunk, src, n * 2);
		if (dtype == FVSR_DTYPE_BF16) {
			for (i = 0; i < n; i++)
				dst[i] = float_of_bits((uint32_t)chunk[i] << 16);
		} else {
			for (i = 0; i < n; i++)
				dst[i] = f16_to_f32(chunk[i]);
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

int fvsr_dtype_read_f32(const struct fvsr_file *file, uint64_t offset, enum fvsr_dtype dtype,
			size_t count, float *out, struct fvsr_error *err)
{
	size_t bytes = count * fvsr_dtype_size(dtype);
	/*
	 * Two-byte types are read into the upper half of 'out' and widened in place. Element i is
	 * written at 4i and read at 2n + 2i: the writer reaches the reader only at the last one.
	 */
	unsigned char *raw = (unsigned char *)out + (count * sizeof(float) - bytes);
	int ret = fvsr_file_read(file, offset, raw, bytes, err);

	if (ret < 0)
		return ret;
	if (dtype != FVSR_DTYPE_F32)
		widen(dtype, raw, count, out);
	return 0;
}

size_t fvsr_find_nonfinite(const float *values, size_t count)
{
	size_t first = 0, i;

	while (first < count) {
		size_t n = count - first < CHUNK ? count - first : CHUNK;
		unsigned int bad = 0;

		for (i = 0; i < n; i++)
			bad |= (bits_of_float(values[first + i]) & 0x7f800000u) == 0x7f800000u;
		if (bad)
			break;
		first += n;
	}
	while (first < count && (bits_of_float(values[first]) & 0x7f800000u) != 0x7f800000u)
		first++;
	return first;
}
