// Matrix products whose every element has the same bits whatever the shape of the call, the instruction set, or the number of threads.
//
// An element of C = op(A) op(B) is, over blocks of hl_gemm_kc consecutive k: a chain of fused multiply-adds from +0, k ascending; the blocks'
// results are added in order (to the old C first, when accumulating).
#ifndef HEIRLOOM_GEMM_H
#define HEIRLOOM_GEMM_H

#include <stdbool.h>
#include <stddef.h>

#include "hl_cpu.h"
#include "hl_pool.h"

enum { hl_gemm_kc = 384 };

// C (m × n) = [C +] op(A) (m × k) op(B) (k × n). Row-major; A is stored m × k, or k × m when transA; B is k × n, or n × k when transB.
void hl_gemm(hl_pool *pool, long m, long n, long k, const float *a, long lda, bool transA, const float *b, long ldb, bool transB, float *c, long ldc,
             bool accumulate);

// Weights (n × k, rows ldw apart) rearranged for y = x Wᵀ with the kernels of `isa`: hl_packed_floats floats, 64-byte aligned, written by hl_pack.
size_t hl_packed_floats(hl_isa isa, long n, long k);
void hl_pack(hl_pool *pool, hl_isa isa, long n, long k, const float *weights, long ldw, float *packed);
// y (m × n) = [y +] x (m × k) Wᵀ with packed W: the bits of hl_gemm.
void hl_gemm_packed(hl_pool *pool, hl_isa isa, long m, long n, long k, const float *x, long ldx, const float *packed, float *y, long ldy,
                    bool accumulate);

#endif
