// The blocking around the inner loops: which part of the product is a task, and in which order a task goes through its blocks.
#include "hl_gemm.h"

#include "hl_cpu.h"
#include "hl_gemm_kernels.h"

// Packed B of a task stays in the second-level cache together with a few rows of A and C.
enum { packedFloats = 120 * 1024, packedRows = 96 };

static const hl_gemm_kernels *kernelsOf(hl_isa isa) {
#if defined(__x86_64__)
  switch (isa) {
    case hl_isa_avx512: return &hl_gemm_avx512;
    case hl_isa_avx2: return &hl_gemm_avx2;
    case hl_isa_generic: break;
  }
#endif
  (void)isa;
  return &hl_gemm_generic;
}

const hl_gemm_kernels *hl_gemm_kernels_current(void) { return kernelsOf(hl_isa_current()); }

static long least(long a, long b) { return a < b ? a : b; }
static long most(long a, long b) { return a > b ? a : b; }
static long divideUp(long a, long b) { return (a + b - 1) / b; }

// A product split into tasks of `taskRows` × `taskPanels` panels of columns. B is packed by each task, or comes packed (`packedB`, panels of k × nr).
typedef struct {
  const hl_gemm_kernels *kernels;
  long m, n, k;
  const float *a, *b, *packedB;
  long lda, ldb;
  bool transA, transB;
  float *c;
  long ldc;
  bool accumulate;
  long taskRows, taskPanels, columnTasks;
} product;

static void runTask(void *context, long index) {
  const product *x = context;
  const hl_gemm_kernels *kernels = x->kernels;
  long nr = kernels->nr, mr = kernels->mr;
  long firstRow = index / x->columnTasks * x->taskRows, rows = least(x->taskRows, x->m - firstRow);
  long firstPanel = index % x->columnTasks * x->taskPanels, firstColumn = firstPanel * nr;
  long columns = least(x->taskPanels * nr, x->n - firstColumn);
  float *bScratch = 0, *aScratch = 0;
  if (!x->packedB || x->transA) {
    long bFloats = x->packedB ? 0 : divideUp(columns, nr) * nr * hl_gemm_kc;
    bScratch = hl_scratch(hl_scratch_gemm, (size_t)(bFloats + divideUp(packedRows, mr) * mr * hl_gemm_kc) * sizeof(float));
    aScratch = bScratch + bFloats;
  }
  float *c = x->c + firstRow * x->ldc + firstColumn;
  for (long p = 0; p < x->k; p += hl_gemm_kc) {
    long k = least(hl_gemm_kc, x->k - p);
    const float *b = bScratch;
    long bPanel = k * nr;
    if (x->packedB) {
      bPanel = x->k * nr;
      b = x->packedB + firstPanel * bPanel + p * nr;
    } else if (x->transB) {
      kernels->packColumns(k, columns, x->b + firstColumn * x->ldb + p, x->ldb, bScratch, bPanel);
    } else {
      kernels->packRows(k, columns, x->b + p * x->ldb + firstColumn, x->ldb, bScratch, bPanel);
    }
    bool overwrite = p == 0 && !x->accumulate;
    if (!x->transA) {
      kernels->multiply(rows, columns, k, hl_rows, x->a + firstRow * x->lda + p, x->lda, b, bPanel, c, x->ldc, overwrite);
      continue;
    }
    for (long i = 0; i < rows; i += packedRows) {
      long some = least(packedRows, rows - i);
      kernels->packTransposed(some, k, x->a + p * x->lda + firstRow + i, x->lda, aScratch, k * mr);
      kernels->multiply(some, columns, k, hl_panels, aScratch, k * mr, b, bPanel, c + i * x->ldc, x->ldc, overwrite);
    }
  }
  if (x->k == 0 && !x->accumulate) {
    for (long i = 0; i < rows; i++) {
      for (long j = 0; j < columns; j++) c[i * x->ldc + j] = 0;
    }
  }
}

// Chooses the tasks and runs them. The split never shows in the result, so it may depend on the number of threads.
static void run(hl_pool *pool, product *x) {
  if (x->m <= 0 || x->n <= 0) return;
  long threads = hl_pool_threads(pool);
  long panels = divideUp(x->n, x->kernels->nr);
  long mostPanels = most(1, packedFloats / (hl_gemm_kc * x->kernels->nr));
  long wanted = threads == 1 ? 1 : 2 * threads;
  x->taskPanels = most(1, least(mostPanels, divideUp(panels, wanted)));
  x->columnTasks = divideUp(panels, x->taskPanels);
  long rowTasks = 1;
  if (x->columnTasks < threads) rowTasks = most(1, least(divideUp(threads, x->columnTasks), x->m / 32));
  x->taskRows = divideUp(divideUp(x->m, rowTasks), x->kernels->mr) * x->kernels->mr;
  rowTasks = divideUp(x->m, x->taskRows);
  hl_pool_run(pool, rowTasks * x->columnTasks, runTask, x);
}

void hl_gemm(hl_pool *pool, long m, long n, long k, const float *a, long lda, bool transA, const float *b, long ldb, bool transB, float *c, long ldc,
             bool accumulate) {
  product x = {.kernels = hl_gemm_kernels_current(), .m = m, .n = n, .k = k, .a = a, .b = b, .lda = lda, .ldb = ldb, .transA = transA,
               .transB = transB, .c = c, .ldc = ldc, .accumulate = accumulate};
  run(pool, &x);
}

// MARK: - Packed weights

size_t hl_packed_floats(hl_isa isa, long n, long k) {
  long nr = kernelsOf(isa)->nr;
  return (size_t)(divideUp(n, nr) * nr * k);
}

typedef struct {
  const hl_gemm_kernels *kernels;
  long n, k;
  const float *weights;
  long ldw;
  float *packed;
} packing;

static void packPanel(void *context, long index) {
  const packing *x = context;
  long nr = x->kernels->nr;
  x->kernels->packColumns(x->k, least(nr, x->n - index * nr), x->weights + index * nr * x->ldw, x->ldw, x->packed + index * nr * x->k, 0);
}

void hl_pack(hl_pool *pool, hl_isa isa, long n, long k, const float *weights, long ldw, float *packed) {
  packing x = {kernelsOf(isa), n, k, weights, ldw, packed};
  hl_pool_run(pool, divideUp(n, x.kernels->nr), packPanel, &x);
}

void hl_gemm_packed(hl_pool *pool, hl_isa isa, long m, long n, long k, const float *x, long ldx, const float *packed, float *y, long ldy,
                    bool accumulate) {
  product work = {.kernels = kernelsOf(isa), .m = m, .n = n, .k = k, .a = x, .lda = ldx, .packedB = packed, .c = y, .ldc = ldy,
                  .accumulate = accumulate};
  run(pool, &work);
}
