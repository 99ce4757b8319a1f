/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hopper's own instructions as functions: barriers in shared memory, bulk tensor copies and
 * warpgroup matrix products. Names follow the PTX manual, whose sections on mbarrier,
 * cp.async.bulk.tensor and wgmma say what each operand means.
 *
 * With FVSR_HOPPER_WATCHDOG a wait that takes longer than about a second writes where it stands
 * to the host memory behind fvsr_hopper_watchdog and stops, instead of hanging the GPU.
 */
#ifndef FVSR_HOPPER_CUH
#define FVSR_HOPPER_CUH

#include <stdint.h>

#include "params.h"

#define FVSR_DEVICE static __device__ __forceinline__

/* ------------------------------------------------------------------------------------------- */
/* Shared memory and its barriers                                                              */

FVSR_DEVICE uint32_t shared_address(const void *p)
{
	return (uint32_t)__cvta_generic_to_shared(p);
}

FVSR_DEVICE void barrier_init(uint32_t barrier, uint32_t arrivals)
{
	asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals)
		     : "memory");
}

/* Makes initialised barriers known to the copy engine; a __syncthreads() must follow. */
FVSR_DEVICE void barrier_init_done(void)
{
	asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
	asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

FVSR_DEVICE void barrier_arrive(uint32_t barrier)
{
	asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}

/* Arrives and announces 'bytes' that copies will deliver. */
FVSR_DEVICE void barrier_expect(uint32_t barrier, uint32_t bytes)
{
	asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier),
		     "r"(bytes)
		     : "memory");
}

FVSR_DEVICE bool barrier_try(uint32_t barrier, uint32_t parity)
{
	uint32_t done;

	asm volatile("{\n.reg .pred p;\n"
		     "mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n"
		     "selp.u32 %0, 1, 0, p;\n}\n"
		     : "=r"(done)
		     : "r"(barrier), "r"(parity)
		     : "memory");
	return done != 0;
}

#ifdef FVSR_HOPPER_WATCHDOG
extern "C" {
__device__ volatile unsigned *fvsr_hopper_watchdog;
}

FVSR_DEVICE uint32_t cycles(void)
{
	uint32_t now;

	asm volatile("mov.u32 %0, %%clock;" : "=r"(now));
	return now;
}

/*
 * After 'waited' cycles: four words for every warp (1, the barrier's address, the parity it waits
 * for, its thread), and a little later the end by an address that does not exist. A trap would be
 * code that both roles of a kernel share, and these must have nothing in common for the compiler
 * to give them different numbers of registers.
 */
FVSR_DEVICE void barrier_watch(uint32_t waited, uint32_t barrier, uint32_t parity)
{
	volatile unsigned *note =
		fvsr_hopper_watchdog + (blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32) * 4;

	asm volatile("{\n.reg .pred p;\n"
		     "setp.gt.u32 p, %0, 2000000000;\n"
		     "@p st.volatile.global.v4.u32 [%1], {%2, %3, %4, %5};\n"
		     "setp.gt.u32 p, %0, 2020000000;\n"
		     "@p st.volatile.global.u32 [%6], %2;\n}\n" ::"r"(waited),
		     "l"(note), "r"(1), "r"(barrier), "r"(parity), "r"(threadIdx.x), "l"(16ll)
		     : "memory");
}
#endif

/* Waits until the phase of 'parity' is over. */
FVSR_DEVICE void barrier_wait(uint32_t barrier, uint32_t parity)
{
#ifdef FVSR_HOPPER_WATCHDOG
	for (uint32_t start = cycles(); !barrier_try(barrier, parity);)
		barrier_watch(cycles() - start, barrier, parity);
#else
	while (!barrier_try(barrier, parity))
		;
#endif
}

/* A place in a ring of buffers, and the parity that its barriers have on this turn. */
template <int SIZE> struct ring_place {
	uint32_t slot, parity;

	__device__ __forceinline__ void advance()
	{
		if (++slot == SIZE) {
			slot = 0;
			parity ^= 1;
		}
	}
};

/* ------------------------------------------------------------------------------------------- */
/* Bulk tensor copies: global to shared memory, completing on a barrier                        */

FVSR_DEVICE void tensor_map_prefetch(const CUtensorMap *map)
{
	asm volatile("prefetch.tensormap [%0];" ::"l"(map) : "memory");
}

FVSR_DEVICE void copy_2d(uint32_t dst, const CUtensorMap *map, uint32_t barrier, int c0, int c1)
{
	asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes "
		     "[%0], [%1, {%3, %4}], [%2];" ::"r"(dst),
		     "l"(map), "r"(barrier), "r"(c0), "r"(c1)
		     : "memory");
}

FVSR_DEVICE void copy_4d(uint32_t dst, const CUtensorMap *map, uint32_t barrier, int c0, int c1,
			 int c2, int c3)
{
	asm volatile("cp.async.bulk.tensor.4d.shared::cluster.global.mbarrier::complete_tx::bytes "
		     "[%0], [%1, {%3, %4, %5, %6}], [%2];" ::"r"(dst),
		     "l"(map), "r"(barrier), "r"(c0), "r"(c1), "r"(c2), "r"(c3)
		     : "memory");
}

FVSR_DEVICE void copy_5d(uint32_t dst, const CUtensorMap *map, uint32_t barrier, int c0, int c1,
			 int c2, int c3, int c4)
{
	asm volatile("cp.async.bulk.tensor.5d.shared::cluster.global.mbarrier::complete_tx::bytes "
		     "[%0], [%1, {%3, %4, %5, %6, %7}], [%2];" ::"r"(dst),
		     "l"(map), "r"(barrier), "r"(c0), "r"(c1), "r"(c2), "r"(c3), "r"(c4)
		     : "memory");
}

FVSR_DEVICE void prefetch_l2(const void *p)
{
	asm volatile("prefetch.global.L2 [%0];" ::"l"(p) : "memory");
}

/* ------------------------------------------------------------------------------------------- */
/* Registers                                                                                   */

template <int COUNT> FVSR_DEVICE void registers_more(void)
{
	asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(COUNT));
}

template <int COUNT> FVSR_DEVICE void registers_less(void)
{
	asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(COUNT));
}

/* Nothing that reads or writes these values moves across. */
template <int COUNT> FVSR_DEVICE void pin(float (&values)[COUNT])
{
#pragma unroll
	for (int i = 0; i < COUNT; i++)
		asm volatile("" : "+f"(values[i])::"memory");
}

FVSR_DEVICE uint32_t pack_bf16(float low, float high)
{
	uint32_t packed;

	asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
	return packed;
}

FVSR_DEVICE float bf16_low(uint32_t packed)
{
	return __uint_as_float(packed << 16);
}

FVSR_DEVICE float bf16_high(uint32_t packed)
{
	return __uint_as_float(packed & 0xffff0000u);
}

FVSR_DEVICE float exp2_fast(float x)
{
	float y;

	asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
	return y;
}

/* ------------------------------------------------------------------------------------------- */
/* Matrix products of a warpgroup                                                              */

/*
 * Descriptor of a tile in shared memory whose rows are 128 bytes, swizzled over eight rows as
 * their addresses fall. 'eight_rows' is the bytes from eight rows to the next eight, and
 * 'next_columns', where a row runs along M or N, those from one stretch of 64 to the next.
 */
FVSR_DEVICE uint64_t tile_descriptor(uint32_t address, uint32_t eight_rows, uint32_t next_columns)
{
	return (uint64_t)1 << 62 | (uint64_t)(eight_rows >> 4) << 32 |
	       (uint64_t)(next_columns >> 4) << 16 | (address & 0x3ffff) >> 4;
}

FVSR_DEVICE void wgmma_fence(void)
{
	asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}

FVSR_DEVICE void wgmma_commit(void)
{
	asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}

/* Until at most 'PENDING' of the committed groups are not complete. */
template <int PENDING> FVSR_DEVICE void wgmma_wait(void)
{
	asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(PENDING) : "memory");
}

#define FVSR_HOPPER_ACC8(d, i)                                                                     \
	"+f"((d)[(i) + 0]), "+f"((d)[(i) + 1]), "+f"((d)[(i) + 2]), "+f"((d)[(i) + 3]),            \
		"+f"((d)[(i) + 4]), "+f"((d)[(i) + 5]), "+f"((d)[(i) + 6]), "+f"((d)[(i) + 7])
#define FVSR_HOPPER_ACC32_AT(d, i)                                                                 \
	FVSR_HOPPER_ACC8(d, (i)), FVSR_HOPPER_ACC8(d, (i) + 8), FVSR_HOPPER_ACC8(d, (i) + 16),     \
		FVSR_HOPPER_ACC8(d, (i) + 24)
#define FVSR_HOPPER_ACC32(d) FVSR_HOPPER_ACC32_AT(d, 0)
#define FVSR_HOPPER_ACC64(d) FVSR_HOPPER_ACC32_AT(d, 0), FVSR_HOPPER_ACC32_AT(d, 32)
#define FVSR_HOPPER_ACC128(d)                                                                      \
	FVSR_HOPPER_ACC64(d), FVSR_HOPPER_ACC32_AT(d, 64), FVSR_HOPPER_ACC32_AT(d, 96)

/*
 * d += a b (d = a b when 'add' is 0) for 64 rows, as many columns as d has registers times two
 * and 16 in depth. Both operands in shared memory, their rows along the depth.
 */
FVSR_DEVICE void wgmma_shared(float (&d)[32], uint64_t a, uint64_t b, int add)
{
	asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %34, 0;\n"
		     "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
		     "{%0, %1, %2, %3, %4, %5, %6, %7, "
		     "%8, %9, %10, %11, %12, %13, %14, %15, "
		     "%16, %17, %18, %19, %20, %21, %22, %23, "
		     "%24, %25, %26, %27, %28, %29, %30, %31}, "
		     "%32, %33, p, 1, 1, 0, 0;\n}\n"
		     : FVSR_HOPPER_ACC32(d)
		     : "l"(a), "l"(b), "r"(add));
}

FVSR_DEVICE void wgmma_shared(float (&d)[64], uint64_t a, uint64_t b, int add)
{
	asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %66, 0;\n"
		     "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 "
		     "{%0, %1, %2, %3, %4, %5, %6, %7, "
		     "%8, %9, %10, %11, %12, %13, %14, %15, "
		     "%16, %17, %18, %19, %20, %21, %22, %23, "
		     "%24, %25, %26, %27, %28, %29, %30, %31, "
		     "%32, %33, %34, %35, %36, %37, %38, %39, "
		     "%40, %41, %42, %43, %44, %45, %46, %47, "
		     "%48, %49, %50, %51, %52, %53, %54, %55, "
		     "%56, %57, %58, %59, %60, %61, %62, %63}, "
		     "%64, %65, p, 1, 1, 0, 0;\n}\n"
		     : FVSR_HOPPER_ACC64(d)
		     : "l"(a), "l"(b), "r"(add));
}

FVSR_DEVICE void wgmma_shared(float (&d)[128], uint64_t a, uint64_t b, int add)
{
	asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %130, 0;\n"
		     "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 "
		     "{%0, %1, %2, %3, %4, %5, %6, %7, "
		     "%8, %9, %10, %11, %12, %13, %14, %15, "
		     "%16, %17, %18, %19, %20, %21, %22, %23, "
		     "%24, %25, %26, %27, %28, %29, %30, %31, "
		     "%32, %33, %34, %35, %36, %37, %38, %39, "
		     "%40, %41, %42, %43, %44, %45, %46, %47, "
		     "%48, %49, %50, %51, %52, %53, %54, %55, "
		     "%56, %57, %58, %59, %60, %61, %62, %63, "
		     "%64, %65, %66, %67, %68, %69, %70, %71, "
		     "%72, %73, %74, %75, %76, %77, %78, %79, "
		     "%80, %81, %82, %83, %84, %85, %86, %87, "
		     "%88, %89, %90, %91, %92, %93, %94, %95, "
		     "%96, %97, %98, %99, %100, %101, %102, %103, "
		     "%104, %105, %106, %107, %108, %109, %110, %111, "
		     "%112, %113, %114, %115, %116, %117, %118, %119, "
		     "%120, %121, %122, %123, %124, %125, %126, %127}, "
		     "%128, %129, p, 1, 1, 0, 0;\n}\n"
		     : FVSR_HOPPER_ACC128(d)
		     : "l"(a), "l"(b), "r"(add));
}

/* The same with a in registers and b stored with its rows along the columns of d. */
FVSR_DEVICE void wgmma_registers(float (&d)[32], const uint32_t *a, uint64_t b, int add)
{
	asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %37, 0;\n"
		     "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
		     "{%0, %1, %2, %3, %4, %5, %6, %7, "
		     "%8, %9, %10, %11, %12, %13, %14, %15, "
		     "%16, %17, %18, %19, %20, %21, %22, %23, "
		     "%24, %25, %26, %27, %28, %29, %30, %31}, "
		     "{%32, %33, %34, %35}, %36, p, 1, 1, 1;\n}\n"
		     : FVSR_HOPPER_ACC32(d)
		     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(add));
}

FVSR_DEVICE void wgmma_registers(float (&d)[64], const uint32_t *a, uint64_t b, int add)
{
	asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %69, 0;\n"
		     "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 "
		     "{%0, %1, %2, %3, %4, %5, %6, %7, "
		     "%8, %9, %10, %11, %12, %13, %14, %15, "
		     "%16, %17, %18, %19, %20, %21, %22, %23, "
		     "%24, %25, %26, %27, %28, %29, %30, %31, "
		     "%32, %33, %34, %35, %36, %37, %38, %39, "
		     "%40, %41, %42, %43, %44, %45, %46, %47, "
		     "%48, %49, %50, %51, %52, %53, %54, %55, "
		     "%56, %57, %58, %59, %60, %61, %62, %63}, "
		     "{%64, %65, %66, %67}, %68, p, 1, 1, 1;\n}\n"
		     : FVSR_HOPPER_ACC64(d)
		     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(add));
}

#endif
