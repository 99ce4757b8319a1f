/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Convolutions for Hopper, whose tensor cores run at full speed only by its own instructions, as
 * matrix products that are never written out: 3x3 with zero borders, the 2x2 and 3x3 phases of the
 * upsampling ones (section 7 of the specification), and those of the projection over four frames
 * (section 4), whose input gets its replicated border first. Linear layers too, where nothing
 * better is at hand: 1x1 convolutions of a picture whose pixels are the rows. The tensor cores
 * bound it, at up to 794 TFLOP/s on an H200, and it is slowest where a residual is read at the end
 * of a tile (docs/benchmarks.md).
 *
 * A tile is 16 rows of 16 (or 8) pixels by 128 (or 256, 64) output channels. One thread copies:
 * for 64 input channels and one horizontal tap the tile's pixels with the rows above and below it,
 * which all vertical taps share, since a row is a multiple of the swizzle's 1024 bytes; and for
 * each tap its weights; each goes through a ring of buffers of its own. Two warpgroups multiply,
 * one the upper half of the tile, one the lower. Pixels outside of the picture and channels past
 * the last come as zeros from the copy.
 *
 * Weights arrive in another order of output channels than they are stored in: accumulators give a
 * thread two neighbouring columns of every eight, so within 32 channels the copy puts channel
 * 8 t + 2 j + e at column 8 j + 2 t + e. Then the thread t of a quad holds eight neighbouring
 * channels, and residual and result move 16 bytes at a time without any exchange. The weights'
 * tensor map does this with dimensions (column, e, t, j, channel / 32).
 */
#include "hopper.cuh"

enum {
	TILE_H = FVSR_HOPPER_TILE_H,
	CHUNK = FVSR_HOPPER_SWIZZLE, /* input channels of a copy */
	ROW_BYTES = CHUNK * 2,       /* of a pixel, or of a weight row */
	PERMUTED = FVSR_HOPPER_PERMUTED,
};

static_assert(CHUNK == 4 * 16, "four steps of products");

/* A tile's size, and the rings of pixels and weights that fit into shared memory. */
template <int TILE_N, int PIXEL_RING, int WEIGHT_RING> struct conv_shape {
	static constexpr int tile_w = FVSR_HOPPER_TILE_W(TILE_N), tile_n = TILE_N;
	static constexpr int pixel_ring = PIXEL_RING, weight_ring = WEIGHT_RING;
	static constexpr int parts = TILE_H * tile_w / WARPGROUP; /* of 64 pixels a warpgroup */
	static constexpr uint32_t part_bytes = 64 * ROW_BYTES;
	static constexpr uint32_t pixel_bytes = (TILE_H + 2) * tile_w * ROW_BYTES;
	static constexpr uint32_t weight_bytes = tile_n * ROW_BYTES;
	static constexpr uint32_t ring_bytes =
		pixel_ring * pixel_bytes + weight_ring * weight_bytes;
};

template <class SHAPE> struct conv_barriers {
	uint64_t pixels_full[SHAPE::pixel_ring], pixels_empty[SHAPE::pixel_ring];
	uint64_t weights_full[SHAPE::weight_ring], weights_empty[SHAPE::weight_ring];
};

template <class SHAPE> struct conv_room {
	static_assert(SHAPE::ring_bytes + sizeof(struct conv_barriers<SHAPE>) + 1023 <=
			      FVSR_HOPPER_CONV_SHARED,
		      "shared memory");

	uint32_t pixels, weights; /* addresses of the rings */
	struct conv_barriers<SHAPE> *barriers;
};

struct conv_tile {
	int output, phase; /* see struct fvsr_hopper_conv_params */
	int y, x, n;       /* first pixel and output channel */
};

template <class SHAPE>
DEVICE struct conv_tile tile_at(const struct fvsr_hopper_conv_params &a, int index)
{
	struct conv_tile tile;
	int places = a.tiles_x * a.tiles_y * a.outputs;
	int channels = a.tiles_n * a.phases;
	int place = a.rows_first ? index % places : index / channels;
	int channel = a.rows_first ? index / places : index % channels;

	tile.n = channel % a.tiles_n * SHAPE::tile_n;
	tile.phase = channel / a.tiles_n;
	tile.x = place % a.tiles_x * SHAPE::tile_w;
	place /= a.tiles_x;
	tile.y = place % a.tiles_y * TILE_H;
	tile.output = place / a.tiles_y;
	return tile;
}

/* Returns the element of the result (and residual) where a pixel's channels start. */
DEVICE size_t element_at(const struct fvsr_hopper_conv_params &a, const struct conv_tile &tile,
			 int y, int x)
{
	size_t frame = tile.output;

	if (a.phases == 1)
		return ((frame * a.h + y) * a.w + x) * a.cout;
	frame = frame * (a.phases / 4) + tile.phase / 4;
	y = 2 * y + tile.phase / 2 % 2;
	x = 2 * x + tile.phase % 2;
	return ((frame * 2 * a.h + y) * 2 * a.w + x) * a.cout;
}

/* ------------------------------------------------------------------------------------------- */
/* Copying                                                                                     */

/* Asks the cache for the residual that the tile will need at its end; a warp calls it. */
template <class SHAPE>
DEVICE void prefetch_residual(const struct fvsr_hopper_conv_params &a, const struct conv_tile &tile)
{
	const uint16_t *residual = (const uint16_t *)a.residual;

	for (int i = threadIdx.x; i < TILE_H * SHAPE::tile_w; i += 32) {
		int y = tile.y + i / SHAPE::tile_w, x = tile.x + i % SHAPE::tile_w;

		if (y >= a.h || x >= a.w)
			continue;
		for (int n = tile.n; n < min(tile.n + SHAPE::tile_n, a.cout); n += 64)
			prefetch_l2(residual + element_at(a, tile, y, x) + n);
	}
}

/* Copies the weights of 64 input channels of a tap; one thread calls it. */
template <class SHAPE>
DEVICE void copy_weights(const struct fvsr_hopper_conv_params &a,
			 const struct conv_room<SHAPE> &room,
			 struct ring_place<SHAPE::weight_ring> *place, int column, int rows)
{
	uint32_t full = shared_address(&room.barriers->weights_full[place->slot]);

	barrier_wait(shared_address(&room.barriers->weights_empty[place->slot]), place->parity ^ 1);
	barrier_expect(full, SHAPE::weight_bytes);
	copy_5d(room.weights + place->slot * SHAPE::weight_bytes, &a.weight, full, column, 0, 0, 0,
		rows);
	place->advance();
}

/* Copies everything that a tile is computed from, in the order of use; one thread calls it. */
template <class SHAPE>
DEVICE void copy_tile(const struct fvsr_hopper_conv_params &a, const struct conv_room<SHAPE> &room,
		      const struct conv_tile &tile, struct ring_place<SHAPE::pixel_ring> *pixels,
		      struct ring_place<SHAPE::weight_ring> *weights)
{
	uint32_t pixel_bytes = (TILE_H + a.ksize - 1) * SHAPE::tile_w * ROW_BYTES;
	int y = tile.y + a.first + (a.ksize == 2 ? tile.phase / 2 % 2 : 0);
	int x = tile.x + a.first + (a.ksize == 2 ? tile.phase % 2 : 0);
	int rows = (tile.phase * a.cout + tile.n) / PERMUTED;

	for (int source = 0; source < a.sources; source++) {
		const CUtensorMap *map = a.two && source == 1 ? &a.past : &a.src;
		int frame = a.temporal ? a.taps[tile.output][source] : tile.output;

		for (int i = 0; i < a.chunks * a.ksize; i++) {
			int chunk = i / a.ksize, dx = i - chunk * a.ksize;
			int column = source * a.source_column + dx * a.tap_column + chunk * CHUNK;
			uint32_t full = shared_address(&room.barriers->pixels_full[pixels->slot]);

			barrier_wait(shared_address(&room.barriers->pixels_empty[pixels->slot]),
				     pixels->parity ^ 1);
			barrier_expect(full, pixel_bytes);
			copy_4d(room.pixels + pixels->slot * SHAPE::pixel_bytes, map, full,
				chunk * CHUNK, x + dx, y, frame);
			pixels->advance();
			for (int dy = 0; dy < a.ksize; dy++) {
				copy_weights<SHAPE>(a, room, weights, column, rows);
				column += a.ksize * a.tap_column;
			}
		}
	}
}

template <class SHAPE>
DEVICE void produce(const struct fvsr_hopper_conv_params &a, const struct conv_room<SHAPE> &room)
{
	struct ring_place<SHAPE::pixel_ring> pixels = {
	};
	struct ring_place<SHAPE::weight_ring> weights = {
	};

	for (int index = blockIdx.x; index < a.tiles; index += gridDim.x) {
		struct conv_tile tile = tile_at<SHAPE>(a, index);

		if (a.residual)
			prefetch_residual<SHAPE>(a, tile);
		if (threadIdx.x == 0)
			copy_tile<SHAPE>(a, room, tile, &pixels, &weights);
		__syncwarp();
	}
}

/* ------------------------------------------------------------------------------------------- */
/* Computing                                                                                   */

/* Gives a buffer back after all lanes are done with it. */
DEVICE void release(uint64_t *barrier)
{
	if (threadIdx.x % 32 == 0)
		barrier_arrive(shared_address(barrier));
}

/* Starts the products with STEPS * 16 input channels of a tap, as one group. */
template <class SHAPE, int STEPS>
DEVICE void multiply(float (&sum)[SHAPE::parts][SHAPE::tile_n / 2], uint64_t pixels,
		     uint64_t weights, int add)
{
	wgmma_fence();
#pragma unroll
	for (int k = 0; k < STEPS; k++) {
#pragma unroll
		for (int i = 0; i < SHAPE::parts; i++)
			wgmma_shared(sum[i], pixels + ((i * SHAPE::part_bytes + k * 32) >> 4),
				     weights + (k * 32 >> 4), k > 0 || add);
	}
	wgmma_commit();
}

/* Sums the whole convolution for this warpgroup's half of the tile. */
template <class SHAPE>
DEVICE void convolve(const struct fvsr_hopper_conv_params &a, const struct conv_room<SHAPE> &room,
		     float (&sum)[SHAPE::parts][SHAPE::tile_n / 2], int group,
		     struct ring_place<SHAPE::pixel_ring> *pixels,
		     struct ring_place<SHAPE::weight_ring> *weights)
{
	struct conv_barriers<SHAPE> *barriers = room.barriers;
	int loads = a.sources * a.chunks * a.ksize, left = a.chunks * a.ksize, add = 0;
	uint32_t pixel_slot = 0, weight_slot = 0;

#pragma unroll 1
	for (int i = 0; i < loads; i++) {
		/* The last chunk of a source may have fewer channels. */
		int steps = left <= a.ksize ? a.tail_steps : 4;
		uint32_t tile = room.pixels + pixels->slot * SHAPE::pixel_bytes +
				group * 8 * SHAPE::tile_w * ROW_BYTES;

		left = left == 1 ? a.chunks * a.ksize : left - 1;
		barrier_wait(shared_address(&barriers->pixels_full[pixels->slot]), pixels->parity);
#pragma unroll 1
		for (int dy = 0; dy < a.ksize; dy++) {
			uint64_t p = tile_descriptor(tile, 1024, 0);
			uint64_t w = tile_descriptor(
				room.weights + weights->slot * SHAPE::weight_bytes, 1024, 0);

			barrier_wait(shared_address(&barriers->weights_full[weights->slot]),
				     weights->parity);
			if (steps == 4) {
				multiply<SHAPE, 4>(sum, p, w, add);
			} else {
#pragma unroll 1
				for (int k = 0; k < steps; k++)
					multiply<SHAPE, 1>(sum, p + 2 * k, w + 2 * k, k || add);
			}
			wgmma_wait<1>();
			if (add) {
				release(&barriers->weights_empty[weight_slot]);
				if (dy == 0)
					release(&barriers->pixels_empty[pixel_slot]);
			}
			add = 1;
			tile += SHAPE::tile_w * ROW_BYTES;
			weight_slot = weights->slot;
			weights->advance();
		}
		pixel_slot = pixels->slot;
		pixels->advance();
	}
	wgmma_wait<0>();
#pragma unroll
	for (int i = 0; i < SHAPE::parts; i++)
		pin(sum[i]);
	release(&barriers->weights_empty[weight_slot]);
	release(&barriers->pixels_empty[pixel_slot]);
}

/* Finishes and writes eight neighbouring output channels of a pixel. */
DEVICE void finish(const struct fvsr_hopper_conv_params &a, float (&v)[8], size_t at,
		   const float (&bias)[8])
{
	uint4 residual = make_uint4(0, 0, 0, 0);

	if (a.residual)
		residual = *(const uint4 *)((const uint16_t *)a.residual + at);
	v[0] += bias[0] + bf16_low(residual.x);
	v[1] += bias[1] + bf16_high(residual.x);
	v[2] += bias[2] + bf16_low(residual.y);
	v[3] += bias[3] + bf16_high(residual.y);
	v[4] += bias[4] + bf16_low(residual.z);
	v[5] += bias[5] + bf16_high(residual.z);
	v[6] += bias[6] + bf16_low(residual.w);
	v[7] += bias[7] + bf16_high(residual.w);
	if (a.relu) {
#pragma unroll
		for (int i = 0; i < 8; i++)
			v[i] = fmaxf(v[i], 0);
	} else if (a.gelu) {
#pragma unroll
		for (int i = 0; i < 8; i++)
			v[i] = gelu_tanh(v[i]);
	}
	*(uint4 *)((uint16_t *)a.dst + at) =
		make_uint4(pack_bf16(v[0], v[1]), pack_bf16(v[2], v[3]), pack_bf16(v[4], v[5]),
			   pack_bf16(v[6], v[7]));
}

DEVICE void load_bias(float (&bias)[8], const float *from)
{
	const float4 zero = make_float4(0, 0, 0, 0);
	float4 low = from ? *(const float4 *)from : zero;
	float4 high = from ? *(const float4 *)(from + 4) : zero;

	bias[0] = low.x, bias[1] = low.y, bias[2] = low.z, bias[3] = low.w;
	bias[4] = high.x, bias[5] = high.y, bias[6] = high.z, bias[7] = high.w;
}

/* Finishes the warpgroup's half of the tile; rows past the picture are dropped. */
template <class SHAPE>
DEVICE void store(const struct fvsr_hopper_conv_params &a, const struct conv_tile &tile,
		  const float (&sum)[SHAPE::parts][SHAPE::tile_n / 2], int group)
{
	int row = threadIdx.x % WARPGROUP / 32 * 16 + threadIdx.x % 32 / 4;
	int channel = tile.n + threadIdx.x % 4 * 8;
	bool inside[SHAPE::parts * 2];
	size_t at[SHAPE::parts * 2];

#pragma unroll
	for (int i = 0; i < SHAPE::parts * 2; i++) {
		int pixel = row + i / 2 * 64 + i % 2 * 8;
		int y = tile.y + group * 8 + pixel / SHAPE::tile_w;
		int x = tile.x + pixel % SHAPE::tile_w;

		inside[i] = y < a.h && x < a.w;
		at[i] = element_at(a, tile, y, x) + channel;
	}
#pragma unroll
	for (int g = 0; g < SHAPE::tile_n / PERMUTED; g++) {
		float bias[8];

		if (tile.n + g * PERMUTED >= a.cout)
			break;
		load_bias(bias, a.bias ? a.bias + channel + g * PERMUTED : NULL);
#pragma unroll
		for (int i = 0; i < SHAPE::parts * 2; i++) {
			float v[8];

#pragma unroll
			for (int j = 0; j < 8; j++)
				v[j] = sum[i / 2][g * 16 + j / 2 * 4 + i % 2 * 2 + j % 2];
			if (inside[i])
				finish(a, v, at[i] + g * PERMUTED, bias);
		}
	}
}

template <class SHAPE>
DEVICE void consume(const struct fvsr_hopper_conv_params &a, const struct conv_room<SHAPE> &room,
		    int group)
{
	struct ring_place<SHAPE::pixel_ring> pixels = {
	};
	struct ring_place<SHAPE::weight_ring> weights = {
	};

	for (int index = blockIdx.x; index < a.tiles; index += gridDim.x) {
		struct conv_tile tile = tile_at<SHAPE>(a, index);
		float sum[SHAPE::parts][SHAPE::tile_n / 2];

		convolve<SHAPE>(a, room, sum, group, &pixels, &weights);
		store<SHAPE>(a, tile, sum, group);
	}
}

template <class SHAPE> DEVICE void init_barriers(struct conv_barriers<SHAPE> *b)
{
	for (int i = 0; i < SHAPE::pixel_ring; i++) {
		barrier_init(shared_address(&b->pixels_full[i]), 1);
		barrier_init(shared_address(&b->pixels_empty[i]), CONSUMER_WARPS);
	}
	for (int i = 0; i < SHAPE::weight_ring; i++) {
		barrier_init(shared_address(&b->weights_full[i]), 1);
		barrier_init(shared_address(&b->weights_empty[i]), CONSUMER_WARPS);
	}
	barrier_init_done();
}

template <class SHAPE> DEVICE void conv(const struct fvsr_hopper_conv_params &a)
{
	extern __shared__ uint8_t shared_raw[];
	uint8_t *shared = shared_raw + (-shared_address(shared_raw) & 1023);
	int role = __shfl_sync(ALL_LANES, threadIdx.x / WARPGROUP, 0);
	struct conv_room<SHAPE> room;

	room.pixels = shared_address(shared);
	room.weights = room.pixels + SHAPE::pixel_ring * SHAPE::pixel_bytes;
	room.barriers = (struct conv_barriers<SHAPE> *)(shared + SHAPE::ring_bytes);
	if (threadIdx.x == 0) {
		tensor_map_prefetch(&a.src);
		tensor_map_prefetch(&a.weight);
		if (a.two)
			tensor_map_prefetch(&a.past);
		init_barriers<SHAPE>(room.barriers);
	}
	__syncthreads();
	if (role == 0) {
		registers_less<40>();
		if (threadIdx.x < 32)
			produce<SHAPE>(a, room);
	} else {
		registers_more<232>();
		consume<SHAPE>(a, room, role - 1);
	}
}

KERNEL __launch_bounds__(THREADS, 1)
	hopper_conv_64(const __grid_constant__ struct fvsr_hopper_conv_params a)
{
	conv<conv_shape<FVSR_WIDTH_hopper_conv_64, 3, 12>>(a);
}

KERNEL __launch_bounds__(THREADS, 1)
	hopper_conv_128(const __grid_constant__ struct fvsr_hopper_conv_params a)
{
	conv<conv_shape<FVSR_WIDTH_hopper_conv_128, 3, 7>>(a);
}

KERNEL __launch_bounds__(THREADS, 1)
	hopper_conv_256(const __grid_constant__ struct fvsr_hopper_conv_params a)
{
	conv<conv_shape<FVSR_WIDTH_hopper_conv_256, 3, 5>>(a);
}

/* Replicates the border; a thread has eight channels of a pixel of the result at a time. */
KERNEL hopper_pad(const __grid_constant__ struct fvsr_hopper_pad_params a)
{
	size_t count = (size_t)a.frames * (a.h + 2) * (a.w + 2) * a.vectors;
	size_t step = (size_t)gridDim.x * blockDim.x;

	for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step) {
		size_t pixel = i / a.vectors, row = pixel / (a.w + 2), frame = row / (a.h + 2);
		int x = (int)(pixel - row * (a.w + 2)) - 1;
		int y = (int)(row - frame * (a.h + 2)) - 1;

		x = min(max(x, 0), a.w - 1);
		y = min(max(y, 0), a.h - 1);
		((uint4 *)a.dst)[i] =
			((const uint4 *)a.src)[((frame * a.h + y) * a.w + x) * a.vectors +
					       (i - pixel * a.vectors)];
	}
}
