/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Matrix products and convolutions as implicit matrix products, for cards without kernels of their
 * own, on tensor cores of compute capability 8.0: bfloat16 in, float32 sums, with bias, activation,
 * residual and ReLU before the only store. Any number of output channels; input channels in
 * multiples of 8, so that each 16-byte copy stays within one tap of one pixel.
 *
 * A block of 256 threads computes a tile of 128 positions by 128, 64, 32 or 16 channels; k goes
 * through shared memory 32 elements at a time, in a pipeline four copies deep. Rows of 64 bytes are
 * swizzled so that neither copies nor matrix loads meet in a bank.
 *
 * The widest tile does 64 operations for each byte that it copies, so the tensor cores bound it;
 * the narrowest does 14, and reading the inputs bounds that one.
 */
#include "conv.cuh"

enum {
	THREADS = FVSR_GEMM_THREADS,
	ROWS = FVSR_GEMM_ROWS,
	DEPTH = FVSR_GEMM_DEPTH,
	STAGES = FVSR_GEMM_STAGES,
	ROW_BYTES = DEPTH * 2,
};

static_assert(ROW_BYTES == 64, "four threads copy a row, and it is swizzled");
static_assert(THREADS / 4 == 64 && ROWS == 2 * 64, "a thread copies two rows of the inputs");

/* Returns the byte offset of a 16-byte piece of a row. */
DEVICE uint32_t swizzled(int row, int piece)
{
	return row * ROW_BYTES + ((piece ^ (row >> 1 & 3)) << 4);
}

/* The two rows of the inputs that one thread copies, always the same piece of a step. */
struct reader {
	const bf16 *at[2]; /* the tap's pixel for each row, in src; NULL: zeros */
	int y[2], x[2];    /* of the output position; y < 0: no such row */
	struct tap tap;
	int c; /* channel */
	int k; /* tap * channels + channel */
};

DEVICE void find_pixels(struct reader &r, const struct fvsr_conv_params &p, int z)
{
	int row = first_row(p, z) + r.tap.y, column = first_column(p, z) + r.tap.x;
	const bf16 *frame = (const bf16 *)p.src;

	if (r.k < p.k)
		frame += (size_t)image_frame(p, z, r.tap.frame) * p.h * p.w * p.cin;
#pragma unroll
	for (int i = 0; i < 2; i++) {
		int pixel = r.y[i] < 0 ? -1 : source_pixel(p, r.y[i] + row, r.x[i] + column);

		r.at[i] = pixel < 0 ? NULL : frame + (size_t)pixel * p.cin;
	}
}

DEVICE void reader_start(struct reader &r, const struct fvsr_conv_params &p, int z, int first)
{
#pragma unroll
	for (int i = 0; i < 2; i++) {
		int position = first + threadIdx.x / 4 + 64 * i;

		r.y[i] = position < p.h * p.w ? position / p.w : -1;
		r.x[i] = position % p.w;
	}
	r.tap.frame = r.tap.y = r.tap.x = 0;
	r.k = r.c = threadIdx.x % 4 * 8;
	while (r.c >= p.channels) {
		r.c -= p.channels;
		next_tap(r.tap, p.ksize);
	}
	find_pixels(r, p, z);
}

DEVICE void reader_next(struct reader &r, const struct fvsr_conv_params &p, int z)
{
	bool moved = false;

	r.k += DEPTH;
	r.c += DEPTH;
	while (r.c >= p.channels) {
		r.c -= p.channels;
		next_tap(r.tap, p.ksize);
		moved = true;
	}
	if (moved)
		find_pixels(r, p, z);
}

/* Copies one step of inputs and weights to shared memory. */
template <int TILE>
DEVICE void copy_step(uint32_t stage, const struct reader &r, const struct fvsr_conv_params &p,
		      const bf16 *weight, int column)
{
	int piece = threadIdx.x % 4, row = threadIdx.x / 4;
	bool inside = r.k < p.k;
	ptrdiff_t to_past = (const bf16 *)p.past - (const bf16 *)p.src;

#pragma unroll
	for (int i = 0; i < 2; i++) {
		const bf16 *at = r.c < p.cin ? r.at[i] + r.c : r.at[i] + to_past + (r.c - p.cin);
		bool valid = inside && r.at[i];

		copy16(stage + swizzled(row + 64 * i, piece), valid ? at : (const bf16 *)p.src,
		       valid);
	}
	stage += ROWS * ROW_BYTES;
#pragma unroll
	for (int i = 0; i < (TILE + 63) / 64; i++) {
		int n = column + row + 64 * i;
		bool valid = inside && n < p.cout;

		if (row + 64 * i < TILE)
			copy16(stage + swizzled(row + 64 * i, piece),
			       valid ? weight + (size_t)n * p.k + r.k : weight, valid);
	}
}

/* How warps share a tile: each has ROWS / WARPS_M positions by TILE / warps_n channels. */
template <int TILE, int WARPS_M> struct shape {
	static constexpr int warps_n = 8 / WARPS_M;
	static constexpr int m = ROWS / WARPS_M / 16; /* fragments of 16 positions */
	static constexpr int n = TILE / warps_n / 8;  /* fragments of 8 channels, even */
};

template <int TILE, int WARPS_M>
DEVICE void multiply_step(float sum[shape<TILE, WARPS_M>::m][shape<TILE, WARPS_M>::n][4],
			  uint32_t stage)
{
	typedef shape<TILE, WARPS_M> s;
	int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
	int row = warp % WARPS_M * s::m * 16 + (lane & 15);
	int column = warp / WARPS_M * s::n * 8 + (lane & 7) + (lane >> 4 << 3);

#pragma unroll
	for (int half = 0; half < 2; half++) {
		uint32_t a[s::m][4], b[s::n / 2][4];

#pragma unroll
		for (int i = 0; i < s::m; i++)
			load_matrix_x4(a[i],
				       stage + swizzled(row + 16 * i, half * 2 + (lane >> 4)));
#pragma unroll
		for (int i = 0; i < s::n / 2; i++)
			load_matrix_x4(b[i], stage + ROWS * ROW_BYTES +
						     swizzled(column + 16 * i,
							      half * 2 + (lane >> 3 & 1)));
#pragma unroll
		for (int i = 0; i < s::m; i++)
#pragma unroll
			for (int j = 0; j < s::n; j++)
				mma_bf16(sum[i][j], a[i], &b[j / 2][j % 2 * 2]);
	}
}

/* Applies bias, activation, residual and ReLU to two neighbouring channels. */
DEVICE uint32_t finish_pair(const struct fvsr_conv_params &p, float x, float y, size_t pixel, int n)
{
	size_t at = pixel * p.cout + n;
	float first = 0, second = 0; /* of the residual */

	if (p.bias) {
		x += n < p.cout ? p.bias[n] : 0;
		y += n + 1 < p.cout ? p.bias[n + 1] : 0;
	}
	if (p.residual && n + 1 < p.cout && p.cout % 2 == 0) {
		uint32_t pair = *(const uint32_t *)((const bf16 *)p.residual + at);

		first = bf16_low(pair), second = bf16_high(pair);
	} else if (p.residual) {
		first = n < p.cout ? __bfloat162float(((const bf16 *)p.residual)[at]) : 0;
		second = n + 1 < p.cout ? __bfloat162float(((const bf16 *)p.residual)[at + 1]) : 0;
	}
	return pack_bf16(finish_value(p, x, first), finish_value(p, y, second));
}

/* Puts finished sums into a tile in shared memory, rows padded against bank conflicts. */
template <int TILE, int WARPS_M>
DEVICE void store_tile(bf16 *room, const float sum[][shape<TILE, WARPS_M>::n][4],
		       const struct fvsr_conv_params &p, int z, int first, int column)
{
	typedef shape<TILE, WARPS_M> s;
	int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
	int left = warp / WARPS_M * s::n * 8 + lane % 4 * 2;

#pragma unroll
	for (int i = 0; i < s::m * 2; i++) {
		int row = (warp % WARPS_M * s::m + i / 2) * 16 + lane / 4 + i % 2 * 8;
		int position = first + row;
		size_t pixel;

		if (position >= p.h * p.w)
			continue;
		pixel = target_pixel(p, z, position / p.w, position % p.w);
#pragma unroll
		for (int j = 0; j < s::n; j++) {
			int n = left + j * 8;

			*(uint32_t *)(room + row * (TILE + 8) + n) =
				finish_pair(p, sum[i / 2][j][i % 2 * 2],
					    sum[i / 2][j][i % 2 * 2 + 1], pixel, column + n);
		}
	}
}

/* Writes the tile from shared memory, 16 bytes at a time where channels allow it. */
template <int TILE>
DEVICE void write_tile(const bf16 *room, const struct fvsr_conv_params &p, int z, int first,
		       int column)
{
	for (int i = threadIdx.x; i < ROWS * TILE / 8; i += THREADS) {
		int row = i / (TILE / 8), n = i % (TILE / 8) * 8, position = first + row;
		const bf16 *from = room + row * (TILE + 8) + n;
		bf16 *to;

		if (position >= p.h * p.w || column + n >= p.cout)
			continue;
		to = (bf16 *)p.dst + target_pixel(p, z, position / p.w, position % p.w) * p.cout +
		     column + n;
		if (p.cout % 8 == 0)
			*(uint4 *)to = *(const uint4 *)from;
		else
			for (int j = 0; j < 8 && column + n + j < p.cout; j++)
				to[j] = from[j];
	}
}

template <int TILE, int WARPS_M> DEVICE void gemm(const struct fvsr_conv_params &p)
{
	typedef shape<TILE, WARPS_M> s;
	extern __shared__ __align__(128) unsigned char room[];
	constexpr uint32_t stage_bytes = (ROWS + TILE) * ROW_BYTES;
	uint32_t base = shared_address(room);
	int first = blockIdx.x * ROWS, column = blockIdx.y * TILE, z = blockIdx.z;
	int steps = (p.k + DEPTH - 1) / DEPTH;
	const bf16 *weight = image_weight(p, z);
	float sum[s::m][s::n][4] = {};
	struct reader r;

	static_assert(STAGES * stage_bytes <= FVSR_GEMM_SHARED(TILE), "shared memory");
	static_assert(ROWS * (TILE + 8) * 2 <= FVSR_GEMM_SHARED(TILE), "room for the result");
	reader_start(r, p, z, first);
#pragma unroll
	for (int i = 0; i < STAGES - 1; i++) {
		if (i < steps) {
			copy_step<TILE>(base + i * stage_bytes, r, p, weight, column);
			reader_next(r, p, z);
		}
		copy_commit();
	}
	for (int i = 0; i < steps; i++) {
		copy_wait<STAGES - 2>();
		__syncthreads();
		if (i + STAGES - 1 < steps) {
			copy_step<TILE>(base + (i + STAGES - 1) % STAGES * stage_bytes, r, p,
					weight, column);
			reader_next(r, p, z);
		}
		copy_commit();
		multiply_step<TILE, WARPS_M>(sum, base + i % STAGES * stage_bytes);
	}
	copy_wait<0>();
	__syncthreads();
	store_tile<TILE, WARPS_M>((bf16 *)room, sum, p, z, first, column);
	__syncthreads();
	write_tile<TILE>((const bf16 *)room, p, z, first, column);
}

/* grid: (positions / ROWS, channels / TILE, images) */
KERNEL __launch_bounds__(THREADS, 2) gemm_128(const __grid_constant__ struct fvsr_conv_params p)
{
	gemm<FVSR_WIDTH_gemm_128, 2>(p);
}

KERNEL __launch_bounds__(THREADS, 2) gemm_64(const __grid_constant__ struct fvsr_conv_params p)
{
	gemm<FVSR_WIDTH_gemm_64, 4>(p);
}

KERNEL __launch_bounds__(THREADS, 2) gemm_32(const __grid_constant__ struct fvsr_conv_params p)
{
	gemm<FVSR_WIDTH_gemm_32, 8>(p);
}

KERNEL __launch_bounds__(THREADS, 2) gemm_16(const __grid_constant__ struct fvsr_conv_params p)
{
	gemm<FVSR_WIDTH_gemm_16, 8>(p);
}
