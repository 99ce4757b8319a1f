/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The locality-constrained block mask (section 6) without leaving the device, with neither a
 * boolean matrix nor a sort.
 *
 * block_scores takes eight query blocks in a block of threads: the mean of a key block is read once
 * for all of them, and the softmax of a row is a warp's. block_keep takes a head and query slice:
 * three passes of 11 bits find the threshold by radix selection, a fourth writes the kept key
 * blocks as ascending lists. There are few such blocks of threads, so the way through the map, at
 * the speed of one multiprocessor, bounds it.
 */
#include <float.h>

#include "generic.cuh"

enum {
	QUERIES = FVSR_SCORE_QUERIES, /* one for each warp in the end */
	SCORE_THREADS = FVSR_SCORE_THREADS,
	HEAD = 4, /* elements of a head that a lane holds */
	KEEP_THREADS = FVSR_KEEP_THREADS,
	DIGITS = 2048, /* 11 bits a pass, three passes */
};

static_assert(HEAD * 32 >= FVSR_WIDTH_attention_128, "the widest head that attention takes");
static_assert(2 * KEEP_THREADS == DIGITS, "a thread sums two digits");

DEVICE bool inside_window(int query, int key, int range)
{
	int first = query - range / 2;

	return key >= first && key < first + range;
}

/*
 * Makes a score one that the softmax has finite differences with, see "NaN and infinity" in
 * backend.h.
 */
DEVICE float tame(float score)
{
	return isnan(score) ? -INFINITY : fminf(score, FLT_MAX);
}

DEVICE float warp_max(float x)
{
#pragma unroll
	for (int i = 16; i; i /= 2)
		x = fmaxf(x, __shfl_xor_sync(ALL_LANES, x, i));
	return x;
}

/* grid: (blocks / QUERIES, query slices, heads) */
KERNEL __launch_bounds__(SCORE_THREADS)
	block_scores(const __grid_constant__ struct fvsr_select_params p)
{
	int blocks = p.block_rows * p.block_columns, keys = p.key_slices * blocks;
	int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
	int first = blockIdx.x * QUERIES, slice = blockIdx.y, head = blockIdx.z;
	float *map = p.map + ((size_t)head * p.query_slices + slice) * blocks * keys;
	float scale = 1 / sqrtf((float)p.head_dim);
	float q[QUERIES][HEAD], largest = -INFINITY, sum = 0;

#pragma unroll
	for (int i = 0; i < QUERIES; i++) {
		int block = min(first + i, blocks - 1);
		const float *mean =
			p.q_mean + ((size_t)slice * blocks + block) * p.dim + head * p.head_dim;

#pragma unroll
		for (int j = 0; j < HEAD; j++)
			q[i][j] = lane + 32 * j < p.head_dim ? mean[lane + 32 * j] : 0;
	}
	for (int key = warp; key < keys; key += QUERIES) {
		int block = key % blocks;
		const float *mean = p.k_mean +
				    ((size_t)p.slot[key / blocks] * blocks + block) * p.dim +
				    head * p.head_dim;
		float k[HEAD], mine = 0;

#pragma unroll
		for (int j = 0; j < HEAD; j++)
			k[j] = lane + 32 * j < p.head_dim ? mean[lane + 32 * j] : 0;
#pragma unroll
		for (int i = 0; i < QUERIES; i++) {
			float dot = 0;

#pragma unroll
			for (int j = 0; j < HEAD; j++)
				dot += q[i][j] * k[j];
			dot = warp_sum(dot);
			mine = lane == i ? dot : mine;
		}
		if (lane < QUERIES && first + lane < blocks) {
			int query = first + lane;
			bool inside = inside_window(query / p.block_columns,
						    block / p.block_columns, p.local_range) &&
				      inside_window(query % p.block_columns,
						    block % p.block_columns, p.local_range);

			map[(size_t)query * keys + key] = inside ? tame(mine * scale) : -INFINITY;
		}
	}
	__syncthreads();
	if (first + warp >= blocks)
		return;
	map += (size_t)(first + warp) * keys;
	for (int key = lane; key < keys; key += 32)
		largest = fmaxf(largest, map[key]);
	largest = warp_max(largest);
	for (int key = lane; key < keys; key += 32) {
		float x = map[key] > -INFINITY ? expf(map[key] - largest) : 0;

		map[key] = x;
		sum += x;
	}
	sum = warp_sum(sum);
	for (int key = lane; sum > 0 && key < keys; key += 32)
		map[key] /= sum;
}

/* Counts one more of 'digit' for all lanes of 'mask', equal ones together. */
DEVICE void count_digit(unsigned *histogram, unsigned digit, unsigned mask)
{
	unsigned same = __match_any_sync(mask, digit);

	if ((int)(threadIdx.x % 32) == __ffs(same) - 1)
		atomicAdd(histogram + digit, __popc(same));
}

/*
 * Finds the digit that holds the value of descending rank 'rank', and how many values lie above it.
 * Each thread sums two digits; 'found' stays untouched when there are not enough values. 'room' has
 * 32 words.
 */
DEVICE void find_digit(const unsigned *histogram, unsigned *room, unsigned long long rank,
		       unsigned *found, unsigned *above)
{
	int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
	unsigned high = DIGITS - 1 - 2 * threadIdx.x; /* descending order */
	unsigned a = histogram[high], b = histogram[high - 1], sum = a + b, before;

#pragma unroll
	for (int i = 1; i < 32; i *= 2) {
		unsigned other = __shfl_up_sync(ALL_LANES, sum, i);

		sum += lane >= i ? other : 0;
	}
	if (lane == 31)
		room[warp] = sum;
	__syncthreads();
	before = sum - a - b;
	for (int i = 0; i < warp; i++)
		before += room[i];
	if (rank >= before && rank < (unsigned long long)before + a)
		*found = high, *above = before;
	else if (rank >= (unsigned long long)before + a &&
		 rank < (unsigned long long)before + a + b)
		*found = high - 1, *above = before + a;
	__syncthreads();
}

/* Returns the value of descending rank p.rank among the n of 'map', all >= 0, as bits. */
DEVICE unsigned threshold(const struct fvsr_select_params &p, const float *map, size_t n)
{
	__shared__ unsigned histogram[DIGITS], room[32], found, above;
	unsigned long long rank = (unsigned long long)p.rank;
	unsigned known = 0;

	for (int pass = 0; pass < 3; pass++) {
		int shift = pass == 0 ? 21 : pass == 1 ? 10 : 0, width = pass == 2 ? 10 : 11;

		for (int i = threadIdx.x; i < DIGITS; i += KEEP_THREADS)
			histogram[i] = 0;
		if (threadIdx.x == 0)
			found = DIGITS;
		__syncthreads();
		for (size_t i = threadIdx.x; i < (n + 31) / 32 * 32; i += KEEP_THREADS) {
			unsigned bits = i < n ? __float_as_uint(map[i]) : 0;
			bool counts = bits && (pass == 0 ||
					       bits >> (shift + width) == known >> (shift + width));
			unsigned mask = __ballot_sync(ALL_LANES, counts);

			if (counts)
				count_digit(histogram, bits >> shift & ((1u << width) - 1), mask);
		}
		__syncthreads();
		find_digit(histogram, room, rank, &found, &above);
		if (found == DIGITS)
			return 0; /* fewer values above zero than the rank: zero is the limit */
		known |= found << shift;
		rank -= above;
		__syncthreads();
	}
	return known;
}

/* grid: (query slices, heads) */
KERNEL __launch_bounds__(KEEP_THREADS)
	block_keep(const __grid_constant__ struct fvsr_select_params p)
{
	int blocks = p.block_rows * p.block_columns, keys = p.key_slices * blocks;
	int slice = blockIdx.x, head = blockIdx.y, lane = threadIdx.x % 32;
	size_t first = ((size_t)head * p.query_slices + slice) * blocks;
	const float *map = p.map + first * keys;
	float limit = __uint_as_float(threshold(p, map, (size_t)blocks * keys));

	for (int block = threadIdx.x / 32; block < blocks; block += KEEP_THREADS / 32) {
		int *index = p.index + (first + block) * keys;
		int count = 0;

		for (int base = 0; base < keys; base += 32) {
			int key = base + lane;
			bool keep = key < keys && map[(size_t)block * keys + key] > limit;
			unsigned kept = __ballot_sync(ALL_LANES, keep);

			if (keep)
				index[count + __popc(kept & ((1u << lane) - 1))] = key;
			count += __popc(kept);
		}
		if (lane == 0)
			p.count[first + block] = count;
	}
}
