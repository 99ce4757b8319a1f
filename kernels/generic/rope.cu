/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From q, k, v side by side to what attention reads (section 5, steps 3 to 5): RMS norm over the
 * whole width, rotary positions, window order, straight into the ring of slices; and the block
 * means of section 6. Memory bounds it, and one pass does all of it: a block of threads takes q, k
 * or v of one block of 128 tokens; a warp holds a token in registers, and its share of the mean.
 */
#include "generic.cuh"

enum {
	SIDE = FVSR_PARAMS_BLOCK_SIDE,   /* of a block: 2 x SIDE x SIDE tokens */
	TOKENS = FVSR_ATTENTION_QUERIES, /* of a block */
	WARPS = FVSR_ROPE_WARPS,
	THREADS = FVSR_ROPE_THREADS,
};

static_assert(TOKENS == 2 * SIDE * SIDE, "a block of tokens");

struct place {
	int frame, row, column;
	size_t token;
};

/* Returns where token i of a block in window order is. */
DEVICE struct place place_of(const struct fvsr_qk_rope_params &p, int block, int i)
{
	int columns = p.w / SIDE;
	struct place at;

	at.frame = i / (SIDE * SIDE);
	at.row = block / columns * SIDE + i / SIDE % SIDE;
	at.column = block % columns * SIDE + i % SIDE;
	at.token = ((size_t)at.frame * p.h + at.row) * p.w + at.column;
	return at;
}

/* Returns cosine and sine for pair j of a head, which core/base/geometry.h splits in three. */
DEVICE float2 angle_of(const struct fvsr_qk_rope_params &p, const struct place &at, int j)
{
	int part = (p.head_dim / 3 & ~1) / 2, first = p.head_dim / 2 - 2 * part;
	const float2 *table;

	if (j < first)
		table = (const float2 *)p.rope_frame + at.frame * first + j;
	else if (j < first + part)
		table = (const float2 *)p.rope_row + at.row * part + j - first;
	else
		table = (const float2 *)p.rope_column + at.column * part + j - first - part;
	return __ldg(table);
}

/* Loads the four angles of a piece: the same for all of a lane when heads divide 256. */
DEVICE void load_angles(float2 turn[4], const struct fvsr_qk_rope_params &p, const struct place &at,
			int piece)
{
	int pair = piece * 8 % p.head_dim / 2;

#pragma unroll
	for (int j = 0; j < 4; j++)
		turn[j] = angle_of(p, at, pair + j);
}

template <int PIECES> DEVICE void copy_token(uint4 *dst, const uint4 *src, int used)
{
	int lane = threadIdx.x % 32;

#pragma unroll
	for (int i = 0; i < PIECES; i++)
		if (lane + 32 * i < used)
			dst[lane + 32 * i] = __ldg(src + lane + 32 * i);
}

/* Norms and rotates one token, and adds the result to 'sum'. */
template <int PIECES>
DEVICE void turn_token(const struct fvsr_qk_rope_params &p, const struct place &at, int what,
		       uint4 *dst, const uint4 *src, float sum[PIECES][8])
{
	int lane = threadIdx.x % 32, used = p.dim / 8;
	uint4 held[PIECES];
	float squares = 0, factor;
	float2 turn[4];

#pragma unroll
	for (int i = 0; i < PIECES; i++)
		held[i] =
			lane + 32 * i < used ? __ldg(src + lane + 32 * i) : make_uint4(0, 0, 0, 0);
#pragma unroll
	for (int i = 0; i < PIECES; i++) {
		float x[8];

		unpack8(x, held[i]);
#pragma unroll
		for (int j = 0; j < 8; j++)
			squares += x[j] * x[j];
	}
	factor = rsqrtf(warp_sum(squares) / p.dim + p.eps);
#pragma unroll
	for (int i = 0; i < PIECES; i++) {
		int piece = lane + 32 * i;
		const float *norm = p.norm[what] + piece * 8;
		float x[8];

		if (piece >= used)
			continue;
		if (i == 0 || 256 % p.head_dim)
			load_angles(turn, p, at, piece);
		unpack8(x, held[i]);
#pragma unroll
		for (int j = 0; j < 8; j += 2) {
			float2 weight = *(const float2 *)(norm + j), t = turn[j / 2];
			float even = x[j] * factor * weight.x, odd = x[j + 1] * factor * weight.y;

			x[j] = even * t.x - odd * t.y;
			x[j + 1] = even * t.y + odd * t.x;
			sum[i][j] += x[j];
			sum[i][j + 1] += x[j + 1];
		}
		dst[piece] = pack8(x);
	}
}

/* Adds the sums of all warps up to the mean; 'room' holds one row of floats. */
template <int PIECES>
DEVICE void store_mean(float *mean, float *room, const float sum[PIECES][8], int dim)
{
	int lane = threadIdx.x % 32;

	for (int warp = 0; warp < WARPS; warp++) {
		if ((int)threadIdx.x / 32 == warp) {
#pragma unroll
			for (int i = 0; i < PIECES; i++) {
				float *at = room + (lane + 32 * i) * 8;

				if (lane + 32 * i >= dim / 8)
					continue;
#pragma unroll
				for (int j = 0; j < 8; j++)
					at[j] = warp ? at[j] + sum[i][j] : sum[i][j];
			}
		}
		__syncthreads();
	}
	for (int c = threadIdx.x; c < dim; c += THREADS)
		mean[c] = room[c] * (1.0f / TOKENS);
}

/* Does a block of tokens of up to COLUMNS elements, each lane pieces of 8. */
template <int COLUMNS> DEVICE void qk_rope(const struct fvsr_qk_rope_params &p)
{
	constexpr int pieces = COLUMNS / 256;
	int block = blockIdx.x, what = blockIdx.y, warp = threadIdx.x / 32;
	bf16 *base = (bf16 *)p.dst[what] + (size_t)block * TOKENS * p.dim;
	__shared__ float room[pieces * 256];
	float sum[pieces][8] = {};

	static_assert(COLUMNS % 256 == 0, "a warp has 256 columns at a time");
	for (int i = warp; i < TOKENS; i += WARPS) {
		struct place at = place_of(p, block, i);
		const bf16 *src = (const bf16 *)p.qkv + (at.token * 3 + what) * p.dim;
		uint4 *dst = (uint4 *)(base + (size_t)i * p.dim);

		if (what == 2)
			copy_token<pieces>(dst, (const uint4 *)src, p.dim / 8);
		else
			turn_token<pieces>(p, at, what, dst, (const uint4 *)src, sum);
	}
	if (what < 2)
		store_mean<pieces>(p.mean[what] + (size_t)block * p.dim, room, sum, p.dim);
}

/* grid: (nb, 3); dim and head_dim multiples of 8 */
KERNEL __launch_bounds__(THREADS, 2)
	qk_rope_512(const __grid_constant__ struct fvsr_qk_rope_params p)
{
	qk_rope<FVSR_WIDTH_qk_rope_512>(p);
}

KERNEL __launch_bounds__(THREADS, 2)
	qk_rope_1536(const __grid_constant__ struct fvsr_qk_rope_params p)
{
	qk_rope<FVSR_WIDTH_qk_rope_1536>(p);
}

/*
 * Takes any even width, a token at a time; the mean's sums lie in dynamic shared memory, a float
 * for each element. grid: (nb, 3)
 */
KERNEL __launch_bounds__(THREADS) qk_rope_any(const __grid_constant__ struct fvsr_qk_rope_params p)
{
	extern __shared__ float2 sums[]; /* FVSR_ROPE_ANY_SHARED() bytes */
	__shared__ float room[WARPS];
	int block = blockIdx.x, what = blockIdx.y, pairs = p.dim / 2;

	for (int c = threadIdx.x; c < pairs; c += blockDim.x)
		sums[c] = make_float2(0, 0);
	for (int i = 0; i < TOKENS; i++) {
		struct place at = place_of(p, block, i);
		const __nv_bfloat162 *src =
			(const __nv_bfloat162 *)p.qkv + (at.token * 3 + what) * pairs;
		__nv_bfloat162 *dst =
			(__nv_bfloat162 *)p.dst[what] + ((size_t)block * TOKENS + i) * pairs;
		float squares = 0, factor;

		for (int c = threadIdx.x; c < pairs; c += blockDim.x) {
			float2 x = __bfloat1622float2(src[c]);

			squares += x.x * x.x + x.y * x.y;
		}
		squares = warp_sum(squares);
		__syncthreads();
		if (threadIdx.x % 32 == 0)
			room[threadIdx.x / 32] = squares;
		__syncthreads();
		squares = 0;
		for (int j = 0; j < WARPS; j++)
			squares += room[j];
		factor = rsqrtf(squares / p.dim + p.eps);
		for (int c = threadIdx.x; c < pairs; c += blockDim.x) {
			float2 x = __bfloat1622float2(src[c]), turn;
			float even, odd;

			if (what == 2) {
				dst[c] = src[c];
				continue;
			}
			turn = angle_of(p, at, c % (p.head_dim / 2));
			even = x.x * factor * p.norm[what][2 * c];
			odd = x.y * factor * p.norm[what][2 * c + 1];
			x = make_float2(even * turn.x - odd * turn.y, even * turn.y + odd * turn.x);
			sums[c].x += x.x, sums[c].y += x.y;
			dst[c] = __floats2bfloat162_rn(x.x, x.y);
		}
	}
	for (int c = threadIdx.x; c < pairs && what < 2; c += blockDim.x)
		((float2 *)p.mean[what])[(size_t)block * pairs + c] =
			make_float2(sums[c].x / TOKENS, sums[c].y / TOKENS);
}
