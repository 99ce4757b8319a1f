/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hopper's own instructions as functions: barriers in shared memory, bulk tensor copies and
 * warpgroup matrix products. Names follow the PTX manual, whose sections on mbarrier,
 * cp.async.bulk.tensor and wgmma say what each operand means.
 *
 * With FVSR_HOPPER_WATCHDOG a wait that takes longer than about a second writes where it stands
 * to the host memory behind fvsr_hopper_watchdog and stops, instead of hanging the GPU.
 */
#ifndef FVSR_KERNELS_HOPPER_CUH
#define FVSR_KERNELS_HOPPER_CUH

#include <stdint.h>

#include "../common.cuh"
#include "params.h"

enum {
	WARPGROUP = FVSR_HOPPER_WARPGROUP,
	THREADS = FVSR_HOPPER_THREADS,
	CONSUMER_WARPS = (THREADS - WARPGROUP) / 32,
};

/* ------------------------------------------------------------------------------------------- */
/* Shared memory and its barriers                                                              */

DEVICE void barrier_init(uint32_t barrier, uint32_t arrivals)
{
	asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals)
		     : "memory");
}

/* Makes initialised barriers known to the copy engine; a __syncthreads() must follow. */
DEVICE void barrier_init_done(void)
{
	asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
	asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

DEVICE void barrier_arrive(uint32_t barrier)
{
	asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}

/* Arrives and announces 'bytes' that copies will deliver. */
DEVICE void barrier_expect(uint32_t barrier, uint32_t bytes)
{
	asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier),
		     "r"(bytes)
		     : "memory");
}

DEVICE bool barrier_try(uint32_t barrier, uint32_t parity)
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

DEVICE uint32_t cycles(void)
{
	uint32_t now;

	asm volatile("mov.u32 %0, %%clock;" : "=r"(now));
	return now;
}

/*
 * Writes four words for the warp when it has waited too long (1, the barrier's address, the parity
 * that the warp waits for, its thread), and a little later ends the kernel by an address that does
 * not exist. A trap would be code that both roles of a kernel share, and these must have nothing in
 * common for the compiler to give them different numbers of registers.
 */
DEVICE void barrier_watch(uint32_t waited, uint32_t barrier, uint32_t parity)
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
DEVICE void barrier_wait(uint32_t barrier, uint32_t parity)
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

DEVICE void tensor_map_prefetch(const CUtensorMap *map)
{
	asm volatile("prefetch.tensormap [%0];" ::"l"(map) : "memory");
}

DEVICE void copy_2d(uint32_t dst, const CUtensorMap *map, uint32_t barrier, int c0, int c1)
{
	asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes "
		     "[%0], [%1, {%3, %4}], [%2];" ::"r"(dst),
		     "l"(map), "r"(barrier), "r"(c0), "r"(c1)
		     : "memory");
}

DEVICE void copy_4d(uint32_t dst, const CUtensorMap *map, uint32_t barrier, int c0, int c1, int c2,
		    int c3)
{
	asm volatile("cp.async.bulk.tensor.4d.shared::cluster.global.mbarrier::complete_tx::bytes "
		     "[%0], [%1, {%3, %4, %5, %6}], [%2];" ::"r"(dst),
		     "l"(map), "r"(barrier), "r"(c0), "r"(c1), "r"(c2), "r"(c3)
		     : "memory");
}

DEVICE void copy_5d(uint32_t dst, const CUtensorMap *map, uint32_t barrier, int c0, int c1, int c2,
		    int c3, int c4)
{
	asm volatile("cp.async.bulk.tensor.5d.shared::cluster.global.mbarrier::complete_tx::bytes "
		     "[%0], [%1, {%3, %4, %5, %6, %7}], [%2];" ::"r"(dst),
		     "l"(map), "r"(barrier), "r"(c0), "r"(c1), "r"(c2), "r"(c3), "r"(c4)
		     : "memory");
}

DEVICE void prefetch_l2(const void *p)
{
	asm volatile("prefetch.global.L2 [%0];" ::"l"(p) : "memory");
}

/* ------------------------------------------------------------------------------------------- */
/* Registers                                                                                   */

template <int COUNT> DEVICE void registers_more(void)
{
	asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(COUNT));
}

template <int COUNT> DEVICE void registers_less(void)
{
	asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(COUNT));
}

/* Keeps what reads or writes these values from moving across. */
template <int COUNT> DEVICE void pin(float (&values)[COUNT])
{
#pragma unroll
	for (int i = 0; i < COUNT; i++)
		asm volatile("" : "+f"(values[i])::"memory");
}

/* ------------------------------------------------------------------------------------------- */
/* Matrix products of a warpgroup                                                              */

/*
 * Returns the descriptor of a tile in shared memory whose rows are 128 bytes, swizzled over eight
 * rows as their addresses fall. 'eight_rows' is the bytes from eight rows to the next eight, and
 * 'next_columns', where a row runs along M or N, those from one stretch of 64 to the next.
 */
DEVICE uint64_t tile_descriptor(uint32_t address, uint32_t eight_rows, uint32_t next_columns)
{
	return (uint64_t)1 << 62 | (uint64_t)(eight_rows >> 4) << 32 |
	       (uint64_t)(next_columns >> 4) << 16 | (address & 0x3ffff) >> 4;
}

DEVICE void wgmma_fence(void)
{
	asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}

DEVICE void wgmma_commit(void)
{
	asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}

/* Waits until at most PENDING of the committed groups are not complete. */
template <int PENDING> DEVICE void wgmma_wait(void)
{
	asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(PENDING) : "memory");
}

#define ACC8(d, i)                                                                                 \
	"+f"((d)[(i) + 0]), "+f"((d)[(i) + 1]), "+f"((d)[(i) + 2]), "+f"((d)[(i) + 3]),            \
		"+f"((d)[(i) + 4]), "+f"((d)[(i) + 5]), "+f"((d)[(i) + 6]), "+f"((d)[(i) + 7])
#define ACC32_AT(d, i) ACC8(d, (i)), ACC8(d, (i) + 8), ACC8(d, (i) + 16), ACC8(d, (i) + 24)
#define ACC32(d)       ACC32_AT(d, 0)
#define ACC64(d)       ACC32_AT(d, 0), ACC32_AT(d, 32)
#define ACC128(d)      ACC64(d), ACC32_AT(d, 64), ACC32_AT(d, 96)

/*
 * Adds a b to d (replaces d when 'add' is 0) for 64 rows, twice as many columns as d has registers
 * and 16 in depth. Both operands are in shared memory, their rows along the depth.
 */
DEVICE void wgmma_shared(float (&d)[32], uint64_t a, uint64_t b, int add)
{
	asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %34, 0;\n"
		     "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
		     "{%0, %1, %2, %3, %4, %5, %6, %7, "
		     "%8, %9, %10, %11, %12, %13, %14, %15, "
		     "%16, %17, %18, %19, %20, %21, %22, %23, "
		     "%24, %25, %26, %27, %28, %29, %30, %31}, "
		     "%32, %33, p, 1, 1, 0, 0;\n}\n"
		     : ACC32(d)
		     : "l"(a), "l"(b), "r"(add));
}

DEVICE void wgmma_shared(float (&d)[64], uint64_t a, uint64_t b, int add)
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
		     : ACC64(d)
		     : "l"(a), "l"(b), "r"(add));
}

DEVICE void wgmma_shared(float (&d)[128], uint64_t a, uint64_t b, int add)
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
		     : ACC128(d)
		     : "l"(a), "l"(b), "r"(add));
}

/* Do the same with a in registers and b stored with its rows along the columns of d. */
DEVICE void wgmma_registers(float (&d)[32], const uint32_t *a, uint64_t b, int add)
{
	asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %37, 0;\n"
		     "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
		     "{%0, %1, %2, %3, %4, %5, %6, %7, "
		     "%8, %9, %10, %11, %12, %13, %14, %15, "
		     "%16, %17, %18, %19, %20, %21, %22, %23, "
		     "%24, %25, %26, %27, %28, %29, %30, %31}, "
		     "{%32, %33, %34, %35}, %36, p, 1, 1, 1;\n}\n"
		     : ACC32(d)
		     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(add));
}

DEVICE void wgmma_registers(float (&d)[64], const uint32_t *a, uint64_t b, int add)
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
		     : ACC64(d)
		     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(add));
}

#endif
