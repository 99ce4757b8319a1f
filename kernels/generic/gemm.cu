/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Matrix products and convolutions as implicit matrix products on tensor cores of compute
 * capability 8.0 and up: bfloat16 in, float32 sums, with bias, activation, residual and ReLU
 * before the only store. Any number of output channels; input channels in multiples of 8, so that
 * each 16-byte copy stays within one tap of one pixel.
 *
 * A block of 256 threads computes 128 positions x 'tile' channels; k goes through shared memory
 * 32 elements at a time, four copies deep. Rows of 64 bytes are swizzled so that neither copies
 * nor matrix loads meet in a bank.
 */
#include "conv.cuh"

#define THREADS 256
#define ROWS    128 /* output positions of a block */
#define DEPTH   32  /* k of a step */
#define STAGES  4

/* Byte offset of 16-byte piece 'piece' of row 'row' of a tile. */
DEVICE uint32_t swizzled(int row, int piece)
{
	return row * 64 + ((piece ^ (row >> 1 & 3)) << 4);
}

/* What one thread copies of the inputs: two rows, always the same piece of a step. */
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

/* One step of inputs and weights to shared memory. */
template <int tile>
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
	stage += ROWS * 64;
#pragma unroll
	for (int i = 0; i < (tile + 63) / 64; i++) {
		int n = column + row + 64 * i;
		bool valid = inside && n < p.cout;

		if (row + 64 * i < tile)
			copy16(stage + swizzled(row + 64 * i, piece),
			       valid ? weight + (size_t)n * p.k + r.k : weight, valid);
	}
}

/* warps_m x warps_n warps; each 128 / warps_m positions by tile / warps_n channels */
template <int tile, int warps_m> struct shape {
	static const int warps_n = 8 / warps_m;
	static const int m = ROWS / warps_m / 16; /* fragments of 16 positions */
	static const int n = tile / warps_n / 8;  /* fragments of 8 channels, even */
};

template <int tile, int warps_m>
DEVICE void multiply_step(float sum[shape<tile, warps_m>::m][shape<tile, warps_m>::n][4],
			  uint32_t stage)
{
	typedef shape<tile, warps_m> s;
	int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
	int row = warp % warps_m * s::m * 16 + (lane & 15);
	int column = warp / warps_m * s::n * 8 + (lane & 7) + (lane >> 4 << 3);

#pragma unroll
	for (int half = 0; half < 2; half++) {
		uint32_t a[s::m][4], b[s::n / 2][4];

#pragma unroll
		for (int i = 0; i < s::m; i++)
			load_matrix_x4(a[i],
				       stage + swizzled(row + 16 * i, half * 2 + (lane >> 4)));
#pragma unroll
		for (int i = 0; i < s::n / 2; i++)
			load_matrix_x4(b[i], stage + ROWS * 64 +
						     swizzled(column + 16 * i,
							      half * 2 + (lane >> 3 & 1)));
#pragma unroll
		for (int i = 0; i < s::m; i++)
#pragma unroll
			for (int j = 0; j < s::n; j++)
				mma_bf16(sum[i][j], a[i], &b[j / 2][j % 2 * 2]);
	}
}

/* Bias, activation, residual and ReLU for two neighbouring channels. */
DEVICE uint32_t finish_pair(const struct fvsr_conv_params &p, float x, float y, size_t pixel, int n)
{
	size_t at = pixel * p.cout + n;

	if (p.bias) {
		x += n < p.cout ? p.bias[n] : 0;
		y += n + 1 < p.cout ? p.bias[n + 1] : 0;
	}
	x = activate(x, p.activation);
	y = activate(y, p.activation);
	if (p.residual && n + 1 < p.cout && p.cout % 2 == 0) {
		uint32_t pair = *(const uint32_t *)((const bf16 *)p.residual + at);

		x += low_bf16(pair), y += high_bf16(pair);
	} else if (p.residual) {
		x += n < p.cout ? __bfloat162float(((const bf16 *)p.residual)[at]) : 0;
		y += n + 1 < p.cout ? __bfloat162float(((const bf16 *)p.residual)[at + 1]) : 0;
	}
	if (p.relu)
		x = fmaxf(x, 0), y = fmaxf(y, 0);
	return pack_bf16(x, y);
}

/* Sums to a tile in shared memory, finished; rows are padded against bank conflicts. */
template <int tile, int warps_m>
DEVICE void store_tile(bf16 *room, const float sum[][shape<tile, warps_m>::n][4],
		       const struct fvsr_conv_params &p, int z, int first, int column)
{
	typedef shape<tile, warps_m> s;
	int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
	int left = warp / warps_m * s::n * 8 + lane % 4 * 2;

#pragma unroll
	for (int i = 0; i < s::m * 2; i++) {
		int row = (warp % warps_m * s::m + i / 2) * 16 + lane / 4 + i % 2 * 8;
		int position = first + row;
		size_t pixel;

		if (position >= p.h * p.w)
			continue;
		pixel = target_pixel(p, z, position / p.w, position % p.w);
#pragma unroll
		for (int j = 0; j < s::n; j++) {
			int n = left + j * 8;

			*(uint32_t *)(room + row * (tile + 8) + n) =
				finish_pair(p, sum[i / 2][j][i % 2 * 2],
					    sum[i / 2][j][i % 2 * 2 + 1], pixel, column + n);
		}
	}
}

template <int tile>
DEVICE void write_tile(const bf16 *room, const struct fvsr_conv_params &p, int z, int first,
		       int column)
{
	for (int i = threadIdx.x; i < ROWS * tile / 8; i += THREADS) {
		int row = i / (tile / 8), n = i % (tile / 8) * 8, position = first + row;
		const bf16 *from = room + row * (tile + 8) + n;
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

template <int tile, int warps_m> DEVICE void gemm(const struct fvsr_conv_params &p)
{
	typedef shape<tile, warps_m> s;
	extern __shared__ __align__(128) unsigned char room[];
	const uint32_t stage_bytes = (ROWS + tile) * 64;
	uint32_t base = shared_address(room);
	int first = blockIdx.x * ROWS, column = blockIdx.y * tile, z = blockIdx.z;
	int steps = (p.k + DEPTH - 1) / DEPTH;
	const bf16 *weight = image_weight(p, z);
	float sum[s::m][s::n][4] = {};
	struct reader r;

	reader_start(r, p, z, first);
#pragma unroll
	for (int i = 0; i < STAGES - 1; i++) {
		if (i < steps) {
			copy_step<tile>(base + i * stage_bytes, r, p, weight, column);
			reader_next(r, p, z);
		}
		copy_commit();
	}
	for (int i = 0; i < steps; i++) {
		copy_wait<STAGES - 2>();
		__syncthreads();
		if (i + STAGES - 1 < steps) {
			copy_step<tile>(base + (i + STAGES - 1) % STAGES * stage_bytes, r, p,
					weight, column);
			reader_next(r, p, z);
		}
		copy_commit();
		multiply_step<tile, warps_m>(sum, base + i % STAGES * stage_bytes);
	}
	copy_wait<0>();
	__syncthreads();
	store_tile<tile, warps_m>((bf16 *)room, sum, p, z, first, column);
	__syncthreads();
	write_tile<tile>((const bf16 *)room, p, z, first, column);
}

/* grid: (positions / 128, channels / tile, images) */
KERNEL __launch_bounds__(THREADS, 2) gemm_128(const __grid_constant__ struct fvsr_conv_params p)
{
	gemm<128, 2>(p);
}

KERNEL __launch_bounds__(THREADS, 2) gemm_64(const __grid_constant__ struct fvsr_conv_params p)
{
	gemm<64, 4>(p);
}

KERNEL __launch_bounds__(THREADS, 2) gemm_32(const __grid_constant__ struct fvsr_conv_params p)
{
	gemm<32, 8>(p);
}

KERNEL __launch_bounds__(THREADS, 2) gemm_16(const __grid_constant__ struct fvsr_conv_params p)
{
	gemm<16, 8>(p);
}
