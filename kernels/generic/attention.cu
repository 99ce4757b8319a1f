/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attention for every card but Hopper's: over the key blocks that a list names (section 6), and
 * over the prompt (section 5, step 8), on tensor cores of compute capability 8.0.
 *
 * A block of threads takes 128 queries of one head, a warp 16 of them. Keys and values pass through
 * shared memory 64 at a time, in a pipeline of three asynchronous copies; the softmax runs along
 * (Milakov and Gimelshein 2018, Dao et al. 2022), so that scores never leave the registers. Each
 * key that is read serves 128 queries, so products and softmax bound it, not memory. head_dim, any
 * even number up to 128, is padded with zeros to 32, 64 or 128.
 */
#include "generic.cuh"

enum {
	THREADS = FVSR_ATTENTION_THREADS,
	SIDE = FVSR_PARAMS_BLOCK_SIDE, /* of a block: 2 x SIDE x SIDE tokens */
	QUERIES = FVSR_ATTENTION_QUERIES,
	KEYS = FVSR_ATTENTION_KEYS, /* of a tile; two tiles are a block */
	STAGES = FVSR_ATTENTION_STAGES,
};

static_assert(THREADS / 32 * 16 == QUERIES, "a warp has 16 queries");
static_assert(2 * KEYS == QUERIES, "two tiles are a block of tokens");

/* Returns the byte offset of a 16-byte piece in a tile of WIDTH elements a row. */
template <int WIDTH> DEVICE uint32_t swizzled(int row, int piece)
{
	int turn = WIDTH >= 64 ? row & 7 : row >> 1 & 3;

	return row * WIDTH * 2 + ((piece ^ turn) << 4);
}

/* Where the keys of a tile are; only 'rows' of them are there. */
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

/* Reads eight elements of which 'n', an even number, are there. */
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

/* Does the same as copy_tile() for heads whose pieces are not aligned. */
template <int WIDTH>
DEVICE void gather_tile(uint32_t stage, const struct fvsr_attention_params &p,
			const struct tile &tile, int offset)
{
	const int pieces = WIDTH / 8;

	for (int i = threadIdx.x; i < KEYS * pieces; i += THREADS) {
		int row = i / pieces, piece = i % pieces;
		int n = row < tile.rows ? p.head_dim - piece * 8 : 0;
		size_t at = (tile.row + row) * p.dim + offset + piece * 8;

		store16(stage + swizzled<WIDTH>(row, piece), gather8((const bf16 *)p.k + at, n));
		store16(stage + KEYS * WIDTH * 2 + swizzled<WIDTH>(row, piece),
			gather8((const bf16 *)p.v + at, n));
	}
}

template <int WIDTH>
DEVICE void copy_tile(uint32_t stage, const struct fvsr_attention_params &p,
		      const struct tile &tile, int offset)
{
	const int pieces = WIDTH / 8;

	if (p.head_dim % 8) {
		gather_tile<WIDTH>(stage, p, tile, offset);
		return;
	}
#pragma unroll
	for (int n = 0; n < KEYS * pieces / THREADS; n++) {
		int i = n * THREADS + threadIdx.x, row = i / pieces, piece = i % pieces;
		bool valid = row < tile.rows && piece * 8 < p.head_dim;
		size_t at = (tile.row + row) * p.dim + offset + piece * 8;

		copy16(stage + swizzled<WIDTH>(row, piece), (const bf16 *)p.k + (valid ? at : 0),
		       valid);
		copy16(stage + KEYS * WIDTH * 2 + swizzled<WIDTH>(row, piece),
		       (const bf16 *)p.v + (valid ? at : 0), valid);
	}
}

/* Loads the fragments of this warp's 16 queries; rows from 'rows' on become zero. */
template <int WIDTH>
DEVICE void load_queries(uint32_t q[WIDTH / 16][4], const struct fvsr_attention_params &p,
			 size_t first, int rows, int offset)
{
	int lane = threadIdx.x % 32, row = threadIdx.x / 32 * 16 + lane / 4;

#pragma unroll
	for (int i = 0; i < WIDTH / 16; i++) {
#pragma unroll
		for (int j = 0; j < 4; j++) {
			int r = row + j % 2 * 8, c = i * 16 + j / 2 * 8 + lane % 4 * 2;
			const bf16 *at = (const bf16 *)p.q + (first + r) * p.dim + offset + c;

			q[i][j] = r < rows && c < p.head_dim ? *(const uint32_t *)at : 0;
		}
	}
}

/* Adds q k^T to s (16 x KEYS), which was zero. */
template <int WIDTH>
DEVICE void multiply_keys(float s[KEYS / 8][4], const uint32_t q[WIDTH / 16][4], uint32_t keys)
{
	int lane = threadIdx.x % 32, row = (lane & 7) + (lane >> 4 << 3), piece = lane >> 3 & 1;

#pragma unroll
	for (int i = 0; i < WIDTH / 16; i++) {
#pragma unroll
		for (int j = 0; j < KEYS / 16; j++) {
			uint32_t k[4];

			load_matrix_x4(k, keys + swizzled<WIDTH>(row + 16 * j, piece + 2 * i));
			mma_bf16(s[2 * j], q[i], k);
			mma_bf16(s[2 * j + 1], q[i], k + 2);
		}
	}
}

/* Adds weights v to o (16 x WIDTH); the weights are the scores' fragments, packed. */
template <int WIDTH>
DEVICE void multiply_values(float o[WIDTH / 8][4], const float s[KEYS / 8][4], uint32_t values)
{
	int lane = threadIdx.x % 32, row = lane & 15, piece = lane >> 4;

#pragma unroll
	for (int i = 0; i < KEYS / 16; i++) {
		uint32_t a[4] = {pack_bf16(s[2 * i][0], s[2 * i][1]),
				 pack_bf16(s[2 * i][2], s[2 * i][3]),
				 pack_bf16(s[2 * i + 1][0], s[2 * i + 1][1]),
				 pack_bf16(s[2 * i + 1][2], s[2 * i + 1][3])};

#pragma unroll
		for (int j = 0; j < WIDTH / 16; j++) {
			uint32_t v[4];

			load_matrix_x4_transposed(
				v, values + swizzled<WIDTH>(row + 16 * i, piece + 2 * j));
			mma_bf16(o[2 * j], a, v);
			mma_bf16(o[2 * j + 1], a, v + 2);
		}
	}
}

/* Brings scores to the base of exp2; keys that are not there get no weight. */
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
				s[j][i] = key < p.keys ? s[j][i] + p.bias[key] * LOG2_E : -INFINITY;
		}
	}
}

struct softmax {
	float largest[2], sum[2]; /* of rows lane / 4 and lane / 4 + 8; sums of this lane's keys */
};

/* Turns scores into weights; what was summed before is scaled to the new largest score. */
template <int WIDTH>
DEVICE void weigh(struct softmax &state, float s[KEYS / 8][4], float o[WIDTH / 8][4])
{
#pragma unroll
	for (int r = 0; r < 2; r++) {
		float largest = state.largest[r], factor;

#pragma unroll
		for (int j = 0; j < KEYS / 8; j++)
			largest = fmaxf(largest, fmaxf(s[j][2 * r], s[j][2 * r + 1]));
		largest = fmaxf(largest, __shfl_xor_sync(ALL_LANES, largest, 1));
		largest = fmaxf(largest, __shfl_xor_sync(ALL_LANES, largest, 2));
		factor = exp2_fast(state.largest[r] - largest);
		state.largest[r] = largest;
		state.sum[r] *= factor;
#pragma unroll
		for (int j = 0; j < KEYS / 8; j++) {
			s[j][2 * r] = exp2_fast(s[j][2 * r] - largest);
			s[j][2 * r + 1] = exp2_fast(s[j][2 * r + 1] - largest);
			state.sum[r] += s[j][2 * r] + s[j][2 * r + 1];
		}
#pragma unroll
		for (int j = 0; j < WIDTH / 8; j++)
			o[j][2 * r] *= factor, o[j][2 * r + 1] *= factor;
	}
}

/* Returns the row of dst for query 'i' of this block of threads; -1 for none. */
DEVICE long long target_row(const struct fvsr_attention_params &p, int i)
{
	int slice = blockIdx.x / p.blocks, block = blockIdx.x % p.blocks, columns = p.w / SIDE;
	int token = blockIdx.x * QUERIES + i;
	int frame, row, column;

	if (!p.index)
		return token < p.tokens ? token : -1;
	frame = slice * 2 + i / (SIDE * SIDE);
	row = block / columns * SIDE + i / SIDE % SIDE;
	column = block % columns * SIDE + i % SIDE;
	return ((long long)frame * p.h + row) * p.w + column;
}

template <int WIDTH>
DEVICE void store(const struct fvsr_attention_params &p, const struct softmax &state,
		  const float o[WIDTH / 8][4], int offset)
{
	int lane = threadIdx.x % 32;

#pragma unroll
	for (int r = 0; r < 2; r++) {
		long long row = target_row(p, threadIdx.x / 32 * 16 + lane / 4 + 8 * r);
		float sum = state.sum[r], factor;

		sum += __shfl_xor_sync(ALL_LANES, sum, 1);
		sum += __shfl_xor_sync(ALL_LANES, sum, 2);
		factor = sum > 0 ? 1 / sum : 0;
#pragma unroll
		for (int j = 0; j < WIDTH / 8; j++) {
			int c = j * 8 + lane % 4 * 2;

			if (row >= 0 && c < p.head_dim)
				*(uint32_t *)((bf16 *)p.dst + row * p.dim + offset + c) =
					pack_bf16(o[j][2 * r] * factor, o[j][2 * r + 1] * factor);
		}
	}
}

template <int WIDTH> DEVICE void attention(const struct fvsr_attention_params &p)
{
	extern __shared__ __align__(128) unsigned char room[];
	constexpr uint32_t stage_bytes = 2 * KEYS * WIDTH * 2;
	uint32_t base = shared_address(room);
	size_t list = (size_t)blockIdx.y * p.queries + blockIdx.x;
	const int *index = p.index ? p.index + list * p.all_keys : NULL;
	int tiles = p.index ? p.count[list] * 2 : (p.keys + KEYS - 1) / KEYS;
	int offset = blockIdx.y * p.head_dim;
	int rows = p.index ? QUERIES : min(QUERIES, p.tokens - (int)blockIdx.x * QUERIES);
	struct softmax state = {{-INFINITY, -INFINITY}, {0, 0}};
	uint32_t q[WIDTH / 16][4];
	float o[WIDTH / 8][4] = {};

	static_assert(STAGES * stage_bytes <= FVSR_ATTENTION_SHARED(WIDTH), "shared memory");
#pragma unroll
	for (int i = 0; i < STAGES - 1; i++) {
		if (i < tiles)
			copy_tile<WIDTH>(base + i * stage_bytes, p, find_tile(p, index, i), offset);
		copy_commit();
	}
	load_queries<WIDTH>(q, p, (size_t)blockIdx.x * QUERIES, rows, offset);
	for (int i = 0; i < tiles; i++) {
		uint32_t stage = base + i % STAGES * stage_bytes;
		float s[KEYS / 8][4] = {};

		copy_wait<STAGES - 2>();
		__syncthreads();
		if (i + STAGES - 1 < tiles)
			copy_tile<WIDTH>(base + (i + STAGES - 1) % STAGES * stage_bytes, p,
					 find_tile(p, index, i + STAGES - 1), offset);
		copy_commit();
		multiply_keys<WIDTH>(s, q, stage);
		scale_scores(s, p, i * KEYS);
		weigh<WIDTH>(state, s, o);
		multiply_values<WIDTH>(o, s, stage + KEYS * WIDTH * 2);
	}
	copy_wait<0>();
	store<WIDTH>(p, state, o, offset);
}

/* grid: (blocks of 128 queries, heads) */
KERNEL __launch_bounds__(THREADS, 1)
	attention_32(const __grid_constant__ struct fvsr_attention_params p)
{
	attention<FVSR_WIDTH_attention_32>(p);
}

KERNEL __launch_bounds__(THREADS, 1)
	attention_64(const __grid_constant__ struct fvsr_attention_params p)
{
	attention<FVSR_WIDTH_attention_64>(p);
}

KERNEL __launch_bounds__(THREADS, 1)
	attention_128(const __grid_constant__ struct fvsr_attention_params p)
{
	attention<FVSR_WIDTH_attention_128>(p);
}
