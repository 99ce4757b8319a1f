/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attention for Hopper, whose tensor cores run at full speed only by its own instructions: 128
 * queries of a head against blocks of 128 keys, either those of a list (block-sparse, section 5,
 * steps 6 and 7 of the specification) or all there are, with a bias (cross-attention, step 8).
 * Functions that are written for both parameter structures hold what the two differ in.
 *
 * A thread block lives as long as the launch and takes items (head, query block) one by one.
 * Of its three warpgroups the first moves data: one warp fetches items, one copies the queries
 * and then keys and values through a ring of six buffers. The two others compute 64 queries each.
 * They start the product with the next keys before the softmax of the current ones, so that the
 * tensor cores have work meanwhile. That softmax, and items of uneven length, keep the kernel at
 * 574 TFLOP/s of the 711 that a dense one reaches (docs/benchmarks.md). (Taking turns in starting
 * products, so that one group's softmax falls into the other's products, was slower; so were
 * exponentials held before the wait for the product with the values.)
 *
 * Sums run in float32. A row's reference (what its exponents are relative to) follows its maximum
 * only when that has grown by more than 2^8: until then nothing has to be scaled again, and the
 * quotient at the end is the same.
 */
#include "hopper.cuh"

enum {
	TILE = FVSR_HOPPER_BLOCK,      /* queries, and keys of a block */
	RING = FVSR_HOPPER_RING,       /* buffers for a block of keys or values */
	WORK = 2,                      /* items fetched ahead */
	COLUMNS = FVSR_HOPPER_SWIZZLE, /* of a copy */
};

static_assert(TILE == 2 * 64, "a warpgroup has 64 queries");

struct attention_work {
	int item; /* negative: no more */
	int count;
};

struct attention_barriers {
	uint64_t full[RING], empty[RING];
	uint64_t q_full, q_empty;
	uint64_t work_full[WORK], work_empty[WORK];
	struct attention_work work[WORK];
};

/* Addresses in shared memory: queries, ring, barriers. */
template <int HEAD_DIM> struct attention_room {
	static constexpr uint32_t half = TILE * COLUMNS * 2; /* rows of one copy */
	static constexpr uint32_t tile = half * (HEAD_DIM / COLUMNS);
	static_assert(tile * (1 + RING) + sizeof(struct attention_barriers) + 1023 <=
			      FVSR_HOPPER_ATTENTION_SHARED(HEAD_DIM),
		      "shared memory");

	uint32_t q, ring;
	struct attention_barriers *barriers;

	__device__ __forceinline__ uint32_t buffer(uint32_t slot) const
	{
		return ring + slot * tile;
	}
	__device__ __forceinline__ uint32_t full(uint32_t slot) const
	{
		return shared_address(&barriers->full[slot]);
	}
	__device__ __forceinline__ uint32_t empty(uint32_t slot) const
	{
		return shared_address(&barriers->empty[slot]);
	}
};

/* Returns the next item, for a warp as a whole, and gives its place back. */
DEVICE struct attention_work take_work(struct attention_barriers *barriers,
				       struct ring_place<WORK> *place)
{
	struct attention_work work;

	barrier_wait(shared_address(&barriers->work_full[place->slot]), place->parity);
	work = barriers->work[place->slot];
	__syncwarp();
	if (threadIdx.x % 32 == 0)
		barrier_arrive(shared_address(&barriers->work_empty[place->slot]));
	place->advance();
	return work;
}

/* ------------------------------------------------------------------------------------------- */
/* What the two kinds differ in                                                                */

/* Returns item number 'n' of this thread block: whoever is free takes the next in the order. */
DEVICE struct attention_work work_at(const struct fvsr_hopper_attention_params &a, int n)
{
	int turn = atomicAdd(a.next, 1);
	int item = turn < a.items ? a.order[turn] : -1;

	return {item, item < 0 ? 0 : a.count[item]};
}

/* Items of cross-attention are all of the same length, so that their order does not matter. */
DEVICE struct attention_work work_at(const struct fvsr_hopper_cross_params &a, int n)
{
	int item = blockIdx.x + n * gridDim.x;

	return {item < a.items ? item : -1, (a.keys + TILE - 1) / TILE};
}

/* Returns key block number 'j' of an item. */
DEVICE int key_at(const struct fvsr_hopper_attention_params &a, int item, int j)
{
	return a.index[(size_t)item * a.keys + j];
}

DEVICE int key_at(const struct fvsr_hopper_cross_params &a, int item, int j)
{
	return j;
}

/* Returns the first row of a key block in the memory of keys and values. */
DEVICE int key_row(const struct fvsr_hopper_attention_params &a, int key)
{
	int slice = key / a.blocks;

	return (a.slot[slice] * a.blocks + key - slice * a.blocks) * TILE;
}

DEVICE int key_row(const struct fvsr_hopper_cross_params &a, int key)
{
	return key * TILE;
}

/* Makes the scores of key block 'j' ready; returns the factor that they still lack. */
DEVICE float weigh(const struct fvsr_hopper_attention_params &a, float (&s)[64], int j)
{
	return a.scale;
}

DEVICE float weigh(const struct fvsr_hopper_cross_params &a, float (&s)[64], int j)
{
	int column = j * TILE + threadIdx.x % 4 * 2;

#pragma unroll
	for (int i = 0; i < 32; i++) {
		int key = column + i / 2 * 8 + i % 2;
		float bias = key < a.keys ? __ldg(a.bias + key) * LOG2_E : -1e30f;

		s[i / 2 * 4 + i % 2] = fmaf(s[i / 2 * 4 + i % 2], a.scale, bias);
		s[i / 2 * 4 + i % 2 + 2] = fmaf(s[i / 2 * 4 + i % 2 + 2], a.scale, bias);
	}
	return 1;
}

/*
 * Returns the token of this thread's row r (0 or 1) of a query block, negative past the last. In
 * window order the warpgroup is the frame in the block, a warp has two of its eight rows, and
 * lane / 4 is the column.
 */
DEVICE int token_at(const struct fvsr_hopper_attention_params &a, int query, int group, int r)
{
	int slice = query / a.blocks, block = query - slice * a.blocks;
	int block_row = block / a.block_columns;
	int y = block_row * 8 + threadIdx.x % WARPGROUP / 32 * 2 + r;
	int x = (block - block_row * a.block_columns) * 8 + threadIdx.x % 32 / 4;

	return ((slice * 2 + group) * a.h + y) * a.w + x;
}

DEVICE int token_at(const struct fvsr_hopper_cross_params &a, int query, int group, int r)
{
	int token = query * TILE + group * 64 + threadIdx.x % WARPGROUP / 32 * 16 +
		    threadIdx.x % 32 / 4 + r * 8;

	return token < a.tokens ? token : -1;
}

/* ------------------------------------------------------------------------------------------- */
/* Copying                                                                                     */

/* Hands out items until there are none; one thread calls it. */
template <class PARAMS>
DEVICE void fetch_items(const PARAMS &a, struct attention_barriers *barriers)
{
	struct ring_place<WORK> place = {
	};
	struct attention_work work;
	int n = 0;

	do {
		work = work_at(a, n++);
		barrier_wait(shared_address(&barriers->work_empty[place.slot]), place.parity ^ 1);
		barriers->work[place.slot] = work;
		barrier_arrive(shared_address(&barriers->work_full[place.slot]));
		place.advance();
	} while (work.item >= 0);
}

/* Copies 128 rows of a head, 64 columns at a time; one thread calls it. */
template <int HEAD_DIM>
DEVICE void copy_tile(uint32_t dst, const CUtensorMap *map, uint32_t barrier, int head, int row)
{
	barrier_expect(barrier, attention_room<HEAD_DIM>::tile);
#pragma unroll
	for (int i = 0; i < HEAD_DIM / COLUMNS; i++)
		copy_2d(dst + i * attention_room<HEAD_DIM>::half, map, barrier,
			head * HEAD_DIM + i * COLUMNS, row);
}

template <int HEAD_DIM>
DEVICE void copy_to_ring(const struct attention_room<HEAD_DIM> &room, const CUtensorMap *map,
			 struct ring_place<RING> *place, int head, int row)
{
	if (threadIdx.x % 32 == 0) {
		barrier_wait(room.empty(place->slot), place->parity ^ 1);
		copy_tile<HEAD_DIM>(room.buffer(place->slot), map, room.full(place->slot), head,
				    row);
	}
	place->advance();
}

/*
 * Copies queries, then keys and values in the order in which they are used, K0 K1 V0 K2 V1 ...; one
 * warp calls it. Each lane holds the place of one key block, so that the list is read 32 at a time
 * and ahead.
 */
template <int HEAD_DIM, class PARAMS>
DEVICE void produce(const PARAMS &a, const struct attention_room<HEAD_DIM> &room)
{
	struct attention_barriers *barriers = room.barriers;
	struct ring_place<WORK> work_place = {
	};
	struct ring_place<RING> place = {
	};
	uint32_t q_parity = 0;
	int lane = threadIdx.x % 32;

	for (;;) {
		struct attention_work work = take_work(barriers, &work_place);
		int head = work.item / a.queries, query = work.item - head * a.queries;
		int key, row = 0, previous = 0, rows = 0;

		if (work.item < 0)
			return;
		if (work.count == 0)
			continue;
		key = lane < work.count ? key_at(a, work.item, lane) : 0;
		for (int j = 0; j <= work.count; j++) {
			if (j % 32 == 0) {
				rows = key_row(a, key);
				key = j + 32 + lane < work.count
					      ? key_at(a, work.item, j + 32 + lane)
					      : 0;
			}
			row = __shfl_sync(ALL_LANES, rows, j % 32);
			if (j < work.count)
				copy_to_ring<HEAD_DIM>(room, &a.k, &place, head, row);
			if (j == 0) {
				if (lane == 0) {
					barrier_wait(shared_address(&barriers->q_empty),
						     q_parity ^ 1);
					copy_tile<HEAD_DIM>(room.q, &a.q,
							    shared_address(&barriers->q_full), head,
							    query * TILE);
				}
				q_parity ^= 1;
			} else {
				copy_to_ring<HEAD_DIM>(room, &a.v, &place, head, previous);
			}
			previous = row;
		}
	}
}

/* ------------------------------------------------------------------------------------------- */
/* Computing                                                                                   */

/* The softmax of a thread's two rows: lane / 4 and 8 further down in its warp's 16. */
struct softmax_rows {
	float reference[2]; /* times 'scale' */
	float sum[2];       /* this thread's part */
	float alpha[2];     /* what older sums must be multiplied with */
	bool grown;         /* alpha is not 1 for some row of the warp */
};

DEVICE float row_maximum(const float (&s)[64], int row)
{
	float m[4];

#pragma unroll
	for (int i = 0; i < 4; i++)
		m[i] = fmaxf(s[4 * i + 2 * row], s[4 * i + 2 * row + 1]);
#pragma unroll
	for (int i = 4; i < 16; i++)
		m[i % 4] = fmaxf(m[i % 4], fmaxf(s[4 * i + 2 * row], s[4 * i + 2 * row + 1]));
	m[0] = fmaxf(fmaxf(m[0], m[1]), fmaxf(m[2], m[3]));
	m[0] = fmaxf(m[0], __shfl_xor_sync(ALL_LANES, m[0], 1));
	return fmaxf(m[0], __shfl_xor_sync(ALL_LANES, m[0], 2));
}

/* Makes exp2(s * scale - reference) of s. */
DEVICE void softmax_step(float (&s)[64], struct softmax_rows *rows, float scale)
{
	float largest[2] = {row_maximum(s, 0) * scale, row_maximum(s, 1) * scale};

	rows->grown = __any_sync(ALL_LANES, largest[0] > rows->reference[0] + 8 ||
						    largest[1] > rows->reference[1] + 8);
	if (rows->grown) {
#pragma unroll
		for (int r = 0; r < 2; r++) {
			float reference = fmaxf(rows->reference[r], largest[r]);

			rows->alpha[r] = exp2_fast(rows->reference[r] - reference);
			rows->reference[r] = reference;
			rows->sum[r] *= rows->alpha[r];
		}
	}
#pragma unroll
	for (int r = 0; r < 2; r++) {
		float part[2] = {0, 0};

#pragma unroll
		for (int i = 0; i < 16; i++) {
#pragma unroll
			for (int e = 0; e < 2; e++) {
				float *x = &s[4 * i + 2 * r + e];

				*x = exp2_fast(fmaf(*x, scale, -rows->reference[r]));
				part[e] += *x;
			}
		}
		rows->sum[r] += part[0] + part[1];
	}
}

/* Packs the weights as the left operand of the product with the values. */
DEVICE void pack_weights(uint32_t (&p)[32], const float (&s)[64])
{
#pragma unroll
	for (int i = 0; i < 32; i++)
		p[i] = pack_bf16(s[2 * i], s[2 * i + 1]);
}

/* Starts s = q k^T for this warpgroup's 64 queries. */
template <int HEAD_DIM> DEVICE void start_scores(float (&s)[64], uint64_t q, uint32_t buffer)
{
	uint64_t k = tile_descriptor(buffer, 1024, 0);

	wgmma_fence();
#pragma unroll
	for (int i = 0; i < HEAD_DIM / 16; i++) {
		uint64_t at = ((i / 4) * attention_room<HEAD_DIM>::half + (i % 4) * 32) >> 4;

		wgmma_shared(s, q + at, k + at, i > 0);
	}
	wgmma_commit();
}

/* Starts o += p v. */
template <int HEAD_DIM>
DEVICE void start_values(float (&o)[HEAD_DIM / 2], const uint32_t (&p)[32], uint32_t buffer,
			 bool add)
{
	uint64_t v = tile_descriptor(buffer, 1024, attention_room<HEAD_DIM>::half);

	wgmma_fence();
#pragma unroll
	for (int i = 0; i < TILE / 16; i++)
		wgmma_registers(o, p + 4 * i, v + ((i * 16 * 128) >> 4), add || i > 0);
	wgmma_commit();
}

/* Transposes w[0 .. 3] of the threads 0 .. 3 of a quad: thread t then has the four w[t]. */
DEVICE void transpose_quad(uint32_t (&w)[4])
{
	int t = threadIdx.x % 4;

#pragma unroll
	for (int i = 0; i < 4; i += 2) {
		uint32_t other = __shfl_xor_sync(ALL_LANES, t & 1 ? w[i] : w[i + 1], 1);

		if (t & 1)
			w[i] = other;
		else
			w[i + 1] = other;
	}
#pragma unroll
	for (int i = 0; i < 2; i++) {
		uint32_t other = __shfl_xor_sync(ALL_LANES, t & 2 ? w[i] : w[i + 2], 2);

		if (t & 2)
			w[i] = other;
		else
			w[i + 2] = other;
	}
}

/* Stores this thread's two rows of the result. */
template <int HEAD_DIM, class PARAMS>
DEVICE void store(const PARAMS &a, const float (&o)[HEAD_DIM / 2], const float (&factor)[2],
		  int item, int group)
{
	int head = item / a.queries, query = item - head * a.queries;
	int t = threadIdx.x % 4;

#pragma unroll
	for (int r = 0; r < 2; r++) {
		int token = token_at(a, query, group, r);
		uint16_t *dst = (uint16_t *)a.dst + (size_t)token * a.dim + head * HEAD_DIM + t * 8;

#pragma unroll
		for (int i = 0; i < HEAD_DIM / 32; i++) {
			uint32_t w[4];

#pragma unroll
			for (int j = 0; j < 4; j++) {
				const float *from = &o[(i * 4 + j) * 4 + r * 2];

				w[j] = pack_bf16(from[0] * factor[r], from[1] * factor[r]);
			}
			transpose_quad(w);
			if (token >= 0)
				*(uint4 *)(dst + i * 32) = make_uint4(w[0], w[1], w[2], w[3]);
		}
	}
}

/* Gives a buffer back after all lanes are done with it. */
DEVICE void release(uint32_t barrier)
{
	if (threadIdx.x % 32 == 0)
		barrier_arrive(barrier);
}

template <int HEAD_DIM>
DEVICE void rescale(float (&o)[HEAD_DIM / 2], const struct softmax_rows *rows)
{
#pragma unroll
	for (int i = 0; i < HEAD_DIM / 2; i++)
		o[i] *= rows->alpha[i / 2 % 2];
}

/* Computes one item, which has at least one key block. */
template <int HEAD_DIM, class PARAMS>
DEVICE void attend(const PARAMS &a, const struct attention_room<HEAD_DIM> &room,
		   struct ring_place<RING> *place, struct attention_work work, int group)
{
	uint64_t q = tile_descriptor(room.q + group * 64 * 128, 1024, 0);
	struct softmax_rows rows = {{-INFINITY, -INFINITY}, {0, 0}, {0, 0}, false};
	float o[HEAD_DIM / 2], s[64], factor[2];
	uint32_t p[32], k_slot, v_slot;

#pragma unroll
	for (int i = 0; i < HEAD_DIM / 2; i++)
		o[i] = 0;
	k_slot = place->slot;
	barrier_wait(room.full(k_slot), place->parity);
	place->advance();
	start_scores<HEAD_DIM>(s, q, room.buffer(k_slot));
	wgmma_wait<0>();
	pin(s);
	release(room.empty(k_slot));
	softmax_step(s, &rows, weigh(a, s, 0));
	pack_weights(p, s);
#pragma unroll 1
	for (int j = 1; j < work.count; j++) {
		k_slot = place->slot;
		barrier_wait(room.full(k_slot), place->parity);
		place->advance();
		start_scores<HEAD_DIM>(s, q, room.buffer(k_slot));
		v_slot = place->slot;
		barrier_wait(room.full(v_slot), place->parity);
		place->advance();
		start_values<HEAD_DIM>(o, p, room.buffer(v_slot), true);
		wgmma_wait<1>();
		pin(s);
		release(room.empty(k_slot));
		softmax_step(s, &rows, weigh(a, s, j));
		wgmma_wait<0>();
		pin(o);
		release(room.empty(v_slot));
		pack_weights(p, s);
		if (rows.grown)
			rescale<HEAD_DIM>(o, &rows);
	}
	release(shared_address(&room.barriers->q_empty));
	v_slot = place->slot;
	barrier_wait(room.full(v_slot), place->parity);
	place->advance();
	start_values<HEAD_DIM>(o, p, room.buffer(v_slot), true);
#pragma unroll
	for (int r = 0; r < 2; r++) {
		factor[r] = rows.sum[r] + __shfl_xor_sync(ALL_LANES, rows.sum[r], 1);
		factor[r] += __shfl_xor_sync(ALL_LANES, factor[r], 2);
		factor[r] = 1 / factor[r];
	}
	wgmma_wait<0>();
	pin(o);
	release(room.empty(v_slot));
	store<HEAD_DIM>(a, o, factor, work.item, group);
}

/* Computes rows 64 * group .. 64 * group + 63 of every item; a warpgroup calls it. */
template <int HEAD_DIM, class PARAMS>
DEVICE void consume(const PARAMS &a, const struct attention_room<HEAD_DIM> &room, int group)
{
	struct ring_place<WORK> work_place = {
	};
	struct ring_place<RING> place = {
	};
	uint32_t q_parity = 0;

	for (;;) {
		struct attention_work work = take_work(room.barriers, &work_place);

		if (work.item < 0)
			return;
		if (work.count == 0) {
			const float nothing[HEAD_DIM / 2] = {0}, factor[2] = {0, 0};

			store<HEAD_DIM>(a, nothing, factor, work.item, group);
			continue;
		}
		barrier_wait(shared_address(&room.barriers->q_full), q_parity);
		q_parity ^= 1;
		attend<HEAD_DIM>(a, room, &place, work, group);
	}
}

DEVICE void init_barriers(struct attention_barriers *b)
{
	for (int i = 0; i < RING; i++) {
		barrier_init(shared_address(&b->full[i]), 1);
		barrier_init(shared_address(&b->empty[i]), CONSUMER_WARPS);
	}
	barrier_init(shared_address(&b->q_full), 1);
	barrier_init(shared_address(&b->q_empty), CONSUMER_WARPS);
	for (int i = 0; i < WORK; i++) {
		barrier_init(shared_address(&b->work_full[i]), 1);
		barrier_init(shared_address(&b->work_empty[i]), CONSUMER_WARPS + 1);
	}
	barrier_init_done();
}

template <int HEAD_DIM, class PARAMS> DEVICE void attention(const PARAMS &a)
{
	extern __shared__ uint8_t shared_raw[];
	uint8_t *shared = shared_raw + (-shared_address(shared_raw) & 1023);
	int role = __shfl_sync(ALL_LANES, threadIdx.x / WARPGROUP, 0);
	struct attention_room<HEAD_DIM> room;

	room.q = shared_address(shared);
	room.ring = room.q + attention_room<HEAD_DIM>::tile;
	room.barriers =
		(struct attention_barriers *)(shared + (1 + RING) * attention_room<HEAD_DIM>::tile);
	if (threadIdx.x == 0) {
		tensor_map_prefetch(&a.q);
		tensor_map_prefetch(&a.k);
		tensor_map_prefetch(&a.v);
		init_barriers(room.barriers);
	}
	__syncthreads();
	if (role == 0) {
		registers_less<40>();
		if (threadIdx.x < 32)
			produce<HEAD_DIM>(a, room);
		else if (threadIdx.x == 32)
			fetch_items(a, room.barriers);
	} else {
		registers_more<232>();
		consume<HEAD_DIM>(a, room, role - 1);
	}
}

KERNEL __launch_bounds__(THREADS, 1)
	hopper_attention_128(const __grid_constant__ struct fvsr_hopper_attention_params a)
{
	attention<FVSR_WIDTH_hopper_attention_128>(a);
}

KERNEL __launch_bounds__(THREADS, 1)
	hopper_attention_64(const __grid_constant__ struct fvsr_hopper_attention_params a)
{
	attention<FVSR_WIDTH_hopper_attention_64>(a);
}

KERNEL __launch_bounds__(THREADS, 1)
	hopper_cross_128(const __grid_constant__ struct fvsr_hopper_cross_params a)
{
	attention<FVSR_WIDTH_hopper_cross_128>(a);
}

KERNEL __launch_bounds__(THREADS, 1)
	hopper_cross_64(const __grid_constant__ struct fvsr_hopper_cross_params a)
{
	attention<FVSR_WIDTH_hopper_cross_64>(a);
}

/*
 * Orders the items for hopper_attention_*. Those of a group run at the same time and share keys in
 * the cache, so groups stay in order; the longest go first in each, which evens out what the
 * multiprocessors have to do.
 */
KERNEL hopper_order(const __grid_constant__ struct fvsr_hopper_order_params a)
{
	int item = blockIdx.x * blockDim.x + threadIdx.x;
	int first = item / a.group * a.group, last = min(first + a.group, a.items);
	int place = first, count;

	if (item == 0)
		*a.next = 0;
	if (item >= a.items)
		return;
	count = a.count[item];
	for (int i = first; i < last; i++)
		place += a.count[i] > count || (a.count[i] == count && i < item);
	a.order[place] = item;
}
