// What a matrix product needs of an instruction set: one table of functions each, all compiled from hl_gemm_kernels.inc.
#ifndef HEIRLOOM_GEMM_KERNELS_H
#define HEIRLOOM_GEMM_KERNELS_H

#include <stdbool.h>

// Where an element of op(A) lies: row-major rows `stride` floats apart, or panels of `rows` rows with the rows adjacent for each k.
typedef enum { hl_rows, hl_panels } hl_layout;

typedef struct {
  // The register tile: rows of A, columns of a packed panel of B.
  long mr, nr;

  // C (m × n) = or += A (m × k) B for one block of k (at most hl_gemm_kc). B is in panels of nr columns, `bPanel` floats apart, each k × nr.
  // A is in rows `aStride` apart, or, as hl_panels, in panels of mr rows `aStride` apart, each k × mr.
  void (*multiply)(long m, long n, long k, hl_layout layout, const float *a, long aStride, const float *b, long bPanel, float *c, long ldc,
                   bool overwrite);

  // The same for one panel of B (n at most nr), with A in rows, where the block of B that comes next lies right behind this one, in memory rather than
  // in a cache.
  void (*multiplyStreaming)(long m, long n, long k, const float *a, long lda, const float *b, float *c, long ldc, bool overwrite);

  // Packs k × n of B, stored k × n (rows ldb apart), into panels `panel` floats apart; columns beyond n, up to a
  // whole register, are filled with zeros.
  void (*packRows)(long k, long n, const float *b, long ldb, float *packed, long panel);
  // The same for B stored n × k.
  void (*packColumns)(long k, long n, const float *b, long ldb, float *packed, long panel);
  // Packs m × k of A, stored k × m (rows lda apart), into panels of mr rows `panel` floats apart; rows beyond m are filled with zeros.
  void (*packTransposed)(long m, long k, const float *a, long lda, float *packed, long panel);
} hl_gemm_kernels;

extern const hl_gemm_kernels hl_gemm_generic, hl_gemm_avx2, hl_gemm_avx512;

const hl_gemm_kernels *hl_gemm_kernels_current(void);

#endif
