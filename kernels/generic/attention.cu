/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attention on tensor cores of compute capability 8.0 and up: over the key blocks that a list
 * names (section 6), and over the prompt (section 5, step 8). A block of threads takes 128 queries
 * of one head, a warp 16 of them; keys and values pass through shared memory 64 at a time, three
 * copies deep; the softmax runs along (Milakov and Gimelshein 2018, Dao et al. 2022).
 *
 * head_dim, any even number up to 128, is padded with zeros to 32, 64 or 128.
 */
#include "common.cuh"

#define THREADS 256
#define QUERIES 128
#define KEYS    64 /* of a tile; two tiles are a block */
#define STAGES  3

/* Byte offset of 16-byte piece 'piece' of row 'row' of a tile of 'width' elements a row. */
template <int width> DEVICE uint32_t swizzled(int row, int piece)
{
	int turn = width >= 64 ? row & 7 : row >> 1 & 3;

	return row * width * 2 + ((piece ^ turn) << 4);
}

/* Where the keys of a tile are; 'rows' of them are real. */
struct tile {
	size_t row;
	int rows;
};

DEVICE struct tile find_tile(const struct fvsr_attention_params &p, const int *index, int i)
{
	struct tile tile;
	int block;

	if (!p.index) {
		tile.row = (size_t)i * KEYS;
		tile.rows = min(KEYS, p.keys - i * KEYS);
		return tile;
	}
	block = index[i / 2];
	tile.row = ((size_t)p.slot[block / p.blocks] * p.blocks + block % p.blocks) * QUERIES +
		   i % 2 * KEYS;
	tile.rows = KEYS;
	return tile;
}

/* Eight elements of which 'n', an even number, are there. */
DEVICE uint4 gather8(const bf16 *at, int n)
{
	uint32_t pair[4];

#pragma unroll
	for (int i = 0; i < 4; i++)
		pair[i] = 2 * i < n ? *(const uint32_t *)(at + 2 * i) : 0;
	return make_uint4(pair[0], pair[1], pair[2], pair[3]);
}

DEVICE void store16(uint32_t dst, uint4 v)
{
	asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};"
		     :
		     : "r"(dst), "r"(v.x), "r"(v.y), "r"(v.z), "r"(v.w)
		     : "memory");
}

/* The same as copy_tile for heads whose pieces are not aligned. */
template <int width>
DEVICE void gather_tile(uint32_t stage, const struct fvsr_attention_params &p,
			const struct tile &tile, int offset)
{
	const int pieces = width / 8;

	for (int i = threadIdx.x; i < KEYS * pieces; i += THREADS) {
		int row = i / pieces, piece = i % pieces;
		int n = row < tile.rows ? p.head_dim - piece * 8 : 0;
		size_t at = (tile.row + row) * p.dim + offset + piece * 8;

		store16(stage + swizzled<width>(row, piece), gather8((const bf16 *)p.k + at, n));
		store16(stage + KEYS * width * 2 + swizzled<width>(row, piece),
			gather8((const bf16 *)p.v + at, n));
	}
}

template <int width>
DEVICE void copy_tile(uint32_t stage, const struct fvsr_attention_params &p,
		      const struct tile &tile, int offset)
{
	const int pieces = width / 8;

	if (p.head_dim % 8) {
		gather_tile<width>(stage, p, tile, offset);
		return;
	}
#pragma unroll
	for (int n = 0; n < KEYS * pieces / THREADS; n++) {
		int i = n * THREADS + threadIdx.x, row = i / pieces, piece = i % pieces;
		bool valid = row < tile.rows && piece * 8 < p.head_dim;
		size_t at = (tile.row + row) * p.dim + offset + piece * 8;

		copy16(stage + swizzled<width>(row, piece), (const bf16 *)p.k + (valid ? at : 0),
		       valid);
		copy16(stage + KEYS * width * 2 + swizzled<width>(row, piece),
		       (const bf16 *)p.v + (valid ? at : 0), valid);
	}
}

/* Fragments of this warp's 16 queries; rows from 'rows' on are zero. */
template <int width>
DEVICE void load_queries(uint32_t q[width / 16][4], const struct fvsr_attention_params &p,
			 size_t first, int rows, int offset)
{
	int lane = threadIdx.x % 32, row = threadIdx.x / 32 * 16 + lane / 4;

#pragma unroll
	for (int i = 0; i < width / 16; i++) {
#pragma unroll
		for (int j = 0; j < 4; j++) {
			int r = row + j % 2 * 8, c = i * 16 + j / 2 * 8 + lane % 4 * 2;
			const bf16 *at = (const bf16 *)p.q + (first + r) * p.dim + offset + c;

			q[i][j] = r < rows && c < p.head_dim ? *(const uint32_t *)at : 0;
		}
	}
}

/* s (16 x KEYS) = q k^T */
template <int width>
DEVICE void multiply_keys(float s[KEYS / 8][4], const uint32_t q[width / 16][4], uint32_t keys)
{
	int lane = threadIdx.x % 32, row = (lane & 7) + (lane >> 4 << 3), piece = lane >> 3 & 1;

#pragma unroll
	for (int i = 0; i < width / 16; i++) {
#pragma unroll
		for (int j = 0; j < KEYS / 16; j++) {
			uint32_t k[4];

			load_matrix_x4(k, keys + swizzled<width>(row + 16 * j, piece + 2 * i));
			mma_bf16(s[2 * j], q[i], k);
			mma_bf16(s[2 * j + 1], q[i], k + 2);
		}
	}
}

/* o (16 x width) += weights v; the weights are the scores' fragments, packed */
template <int width>
DEVICE void multiply_values(float o[width / 8][4], const float s[KEYS / 8][4], uint32_t values)
{
	int lane = threadIdx.x % 32, row = lane & 15, piece = lane >> 4;

#pragma unroll
	for (int i = 0; i < KEYS / 16; i++) {
		uint32_t a[4] = {pack_bf16(s[2 * i][0], s[2 * i][1]),
				 pack_bf16(s[2 * i][2], s[2 * i][3]),
				 pack_bf16(s[2 * i + 1][0], s[2 * i + 1][1]),
				 pack_bf16(s[2 * i + 1][2], s[2 * i + 1][3])};

#pragma unroll
		for (int j = 0; j < width / 16; j++) {
			uint32_t v[4];

			load_matrix_x4_transposed(
				v, values + swizzled<width>(row + 16 * i, piece + 2 * j));
			mma_bf16(o[2 * j], a, v);
			mma_bf16(o[2 * j + 1], a, v + 2);
		}
	}
}

/* Scores to the base of exp2; keys that are not there get no weight. */
DEVICE void scale_scores(float s[KEYS / 8][4], const struct fvsr_attention_params &p, int first)
{
	int lane = threadIdx.x % 32;

#pragma unroll
	for (int j = 0; j < KEYS / 8; j++) {
#pragma unroll
		for (int i = 0; i < 4; i++) {
			int key = first + j * 8 + lane % 4 * 2 + i % 2;

			s[j][i] *= p.scale;
			if (!p.index)
				s[j][i] = key < p.keys ? s[j][i] + p.bias[key] * 1.44269504f
						       : -INFINITY;
		}
	}
}

DEVICE float power2(float x)
{
	float y;

	asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
	return y;
}

struct softmax {
	float largest[2], sum[2]; /* of rows lane / 4 and lane / 4 + 8; sums of this lane's keys */
};

/* Scores to weights; what was summed before is scaled to the new largest score. */
template <int width>
DEVICE void weigh(struct softmax &state, float s[KEYS / 8][4], float o[width / 8][4])
{
#pragma unroll
	for (int r = 0; r < 2; r++) {
		float largest = state.largest[r], factor;

#pragma unroll
		for (int j = 0; j < KEYS / 8; j++)
			largest = fmaxf(largest, fmaxf(s[j][2 * r], s[j][2 * r + 1]));
		largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, 1));
		largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, 2));
		factor = power2(state.largest[r] - largest);
		state.largest[r] = largest;
		state.sum[r] *= factor;
#pragma unroll
		for (int j = 0; j < KEYS / 8; j++) {
			s[j][2 * r] = power2(s[j][2 * r] - largest);
			s[j][2 * r + 1] = power2(s[j][2 * r + 1] - largest);
			state.sum[r] += s[j][2 * r] + s[j][2 * r + 1];
		}
#pragma unroll
		for (int j = 0; j < width / 8; j++)
			o[j][2 * r] *= factor, o[j][2 * r + 1] *= factor;
	}
}

/* Row of dst for query 'i' of this block of threads, -1: none. */
DEVICE long long target_row(const struct fvsr_attention_params &p, int i)
{
	int slice = blockIdx.x / p.blocks, block = blockIdx.x % p.blocks, columns = p.w / 8;
	int token = blockIdx.x * QUERIES + i;
	int frame, row, column;

	if (!p.index)
		return token < p.tokens ? token : -1;
	frame = slice * 2 + i / 64;
	row = block / columns * 8 + i / 8 % 8;
	column = block % columns * 8 + i % 8;
	return ((long long)frame * p.h + row) * p.w + column;
}

template <int width>
DEVICE void store(const struct fvsr_attention_params &p, const struct softmax &state,
		  const float o[width / 8][4], int offset)
{
	int lane = threadIdx.x % 32;

#pragma unroll
	for (int r = 0; r < 2; r++) {
		long long row = target_row(p, threadIdx.x / 32 * 16 + lane / 4 + 8 * r);
		float sum = state.sum[r], factor;

		sum += __shfl_xor_sync(0xFFFFFFFFu, sum, 1);
		sum += __shfl_xor_sync(0xFFFFFFFFu, sum, 2);
		factor = sum > 0 ? 1 / sum : 0;
#pragma unroll
		for (int j = 0; j < width / 8; j++) {
			int c = j * 8 + lane % 4 * 2;

			if (row >= 0 && c < p.head_dim)
				*(uint32_t *)((bf16 *)p.dst + row * p.dim + offset + c) =
					pack_bf16(o[j][2 * r] * factor, o[j][2 * r + 1] * factor);
		}
	}
}

template <int width> DEVICE void attention(const struct fvsr_attention_params &p)
{
	extern __shared__ __align__(128) unsigned char room[];
	const uint32_t stage_bytes = 2 * KEYS * width * 2;
	uint32_t base = shared_address(room);
	size_t list = (size_t)blockIdx.y * p.queries + blockIdx.x;
	const int *index = p.index ? p.index + list * p.all_keys : NULL;
	int tiles = p.index ? p.count[list] * 2 : (p.keys + KEYS - 1) / KEYS;
	int offset = blockIdx.y * p.head_dim;
	int rows = p.index ? QUERIES : min(QUERIES, p.tokens - (int)blockIdx.x * QUERIES);
	struct softmax state = {{-INFINITY, -INFINITY}, {0, 0}};
	uint32_t q[width / 16][4];
	float o[width / 8][4] = {};

#pragma unroll
	for (int i = 0; i < STAGES - 1; i++) {
		if (i < tiles)
			copy_tile<width>(base + i * stage_bytes, p, find_tile(p, index, i), offset);
		copy_commit();
	}
	load_queries<width>(q, p, (size_t)blockIdx.x * QUERIES, rows, offset);
	for (int i = 0; i < tiles; i++) {
		uint32_t stage = base + i % STAGES * stage_bytes;
		float s[KEYS / 8][4] = {};

		copy_wait<STAGES - 2>();
		__syncthreads();
		if (i + STAGES - 1 < tiles)
			copy_tile<width>(base + (i + STAGES - 1) % STAGES * stage_bytes, p,
					 find_tile(p, index, i + STAGES - 1), offset);
		copy_commit();
		multiply_keys<width>(s, q, stage);
		scale_scores(s, p, i * KEYS);
		weigh<width>(state, s, o);
		multiply_values<width>(o, s, stage + KEYS * width * 2);
	}
	copy_wait<0>();
	store<width>(p, state, o, offset);
}

/* grid: (blocks of 128 queries, heads) */
KERNEL __launch_bounds__(THREADS, 1)
	attention_32(const __grid_constant__ struct fvsr_attention_params p)
{
	attention<32>(p);
}

KERNEL __launch_bounds__(THREADS, 1)
	attention_64(const __grid_constant__ struct fvsr_attention_params p)
{
	attention<64>(p);
}

KERNEL __launch_bounds__(THREADS, 1)
	attention_128(const __grid_constant__ struct fvsr_attention_params p)
{
	attention<128>(p);
}
