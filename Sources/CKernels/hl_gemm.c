#include "hl_gemm.h"

typedef struct {
  long n, k;
  const float *a, *b;
  long aRow, aK, bK, bColumn;
  float *c;
  long ldc;
  bool accumulate;
} job;

static void row(void *context, long i) {
  const job *j = context;
  for (long column = 0; column < j->n; column++) {
    float total = j->accumulate ? j->c[i * j->ldc + column] : 0;
    for (long p = 0; p < j->k; p += hl_gemm_kc) {
      long end = p + hl_gemm_kc < j->k ? p + hl_gemm_kc : j->k;
      float chain = 0;
      for (long q = p; q < end; q++) chain = __builtin_fmaf(j->a[i * j->aRow + q * j->aK], j->b[q * j->bK + column * j->bColumn], chain);
      total = p == 0 && !j->accumulate ? chain : total + chain;
    }
    j->c[i * j->ldc + column] = total;
  }
}

void hl_gemm(hl_pool *pool, long m, long n, long k, const float *a, long lda, bool transA, const float *b, long ldb, bool transB, float *c, long ldc,
             bool accumulate) {
  job j = {n, k, a, b, transA ? 1 : lda, transA ? lda : 1, transB ? 1 : ldb, transB ? ldb : 1, c, ldc, accumulate};
  hl_pool_run(pool, m, row, &j);
}
