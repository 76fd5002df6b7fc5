// The blocking around the inner loops: which part of the product is a task, and in which order a task goes through its blocks.
#include "hl_gemm.h"

#include <string.h>

#include "hl_cpu.h"
#include "hl_gemm_kernels.h"

enum {
  packedFloats = 120 * 1024,      // of B, for one task: stays in the second-level cache together with a few rows of A and C
  packedFloatsOfA = 1024 * 1024,  // of a transposed A, for all tasks
  packedRows = 96,                // rows of a transposed A packed together; a multiple of every kernel's mr
  streamedRows = 8                // with no more rows than this, packed weights are read once, from memory, at the pace of the arithmetic
};

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
// A transposed A is packed once for all tasks (`packedA`: for every block of k its panels of mr rows).
typedef struct {
  const hl_gemm_kernels *kernels;
  long m, n, k;
  const float *a, *b, *packedB;
  float *packedA;
  long lda, ldb;
  bool transB;
  float *c;
  long ldc;
  bool accumulate;
  long taskRows, taskPanels, columnTasks;
} product;

static long paddedRows(const product *x) { return divideUp(x->m, x->kernels->mr) * x->kernels->mr; }

// One group of rows and one block of k of a transposed A.
static void packTask(void *context, long index) {
  const product *x = context;
  long mr = x->kernels->mr, groups = divideUp(x->m, packedRows);
  long i = index % groups * packedRows, p = index / groups * hl_gemm_kc;
  long k = least(hl_gemm_kc, x->k - p);
  x->kernels->packTransposed(least(packedRows, x->m - i), k, x->a + p * x->lda + i, x->lda, x->packedA + p * paddedRows(x) + i * k, k * mr);
}

// Few rows times packed weights: every panel is gone through once, front to back.
static void stream(const product *x, long firstRow, long rows, long firstPanel, long columns) {
  long nr = x->kernels->nr;
  for (long j = 0; j < columns; j += nr) {
    const float *panel = x->packedB + (firstPanel + j / nr) * nr * x->k;
    float *c = x->c + firstRow * x->ldc + firstPanel * nr + j;
    for (long p = 0; p < x->k; p += hl_gemm_kc) {
      x->kernels->multiplyStreaming(rows, least(nr, columns - j), least(hl_gemm_kc, x->k - p), x->a + firstRow * x->lda + p, x->lda, panel + p * nr,
                                    c, x->ldc, p == 0 && !x->accumulate);
    }
  }
}

static void runTask(void *context, long index) {
  const product *x = context;
  const hl_gemm_kernels *kernels = x->kernels;
  long nr = kernels->nr, mr = kernels->mr;
  long firstRow = index / x->columnTasks * x->taskRows, rows = least(x->taskRows, x->m - firstRow);
  long firstPanel = index % x->columnTasks * x->taskPanels, firstColumn = firstPanel * nr;
  long columns = least(x->taskPanels * nr, x->n - firstColumn);
  if (x->packedB && rows <= streamedRows) {
    stream(x, firstRow, rows, firstPanel, columns);
    return;
  }
  float *scratch = x->packedB ? NULL : hl_scratch(hl_scratch_gemm, (size_t)(divideUp(columns, nr) * nr * hl_gemm_kc) * sizeof(float));
  float *c = x->c + firstRow * x->ldc + firstColumn;
  for (long p = 0; p < x->k; p += hl_gemm_kc) {
    long k = least(hl_gemm_kc, x->k - p);
    const float *b = scratch;
    long bPanel = k * nr;
    if (x->packedB) {
      bPanel = x->k * nr;
      b = x->packedB + firstPanel * bPanel + p * nr;
    } else if (x->transB) {
      kernels->packColumns(k, columns, x->b + firstColumn * x->ldb + p, x->ldb, scratch, bPanel);
    } else {
      kernels->packRows(k, columns, x->b + p * x->ldb + firstColumn, x->ldb, scratch, bPanel);
    }
    bool overwrite = p == 0 && !x->accumulate;
    if (x->packedA) {
      kernels->multiply(rows, columns, k, hl_panels, x->packedA + p * paddedRows(x) + firstRow * k, k * mr, b, bPanel, c, x->ldc, overwrite);
    } else {
      kernels->multiply(rows, columns, k, hl_rows, x->a + firstRow * x->lda + p, x->lda, b, bPanel, c, x->ldc, overwrite);
    }
  }
}

// The number of panels a task takes: few enough for the cache and for tasks to spare, and such that the threads end together.
static long panelsOfTask(long panels, long nr, long threads) {
  long limit = most(1, packedFloats / (hl_gemm_kc * nr));
  if (threads > 1) limit = most(1, least(limit, divideUp(panels, 2 * threads)));
  long best = limit, bestTime = divideUp(divideUp(panels, limit), threads) * limit;
  for (long some = limit - 1; some > 0 && 2 * some >= limit; some--) {
    long time = divideUp(divideUp(panels, some), threads) * some;
    if (time < bestTime) {
      best = some;
      bestTime = time;
    }
  }
  return best;
}

// Chooses the tasks and runs them. The split never shows in the result, so it may depend on the number of threads.
static void run(hl_pool *pool, product *x) {
  if (x->m <= 0 || x->n <= 0) return;
  if (x->k <= 0) {
    for (long i = 0; i < x->m && !x->accumulate; i++) memset(x->c + i * x->ldc, 0, (size_t)x->n * sizeof(float));
    return;
  }
  long threads = hl_pool_threads(pool);
  long panels = divideUp(x->n, x->kernels->nr);
  x->taskPanels = panelsOfTask(panels, x->kernels->nr, threads);
  x->columnTasks = divideUp(panels, x->taskPanels);
  long rowTasks = 1;
  if (x->columnTasks < threads) rowTasks = most(1, least(divideUp(threads, x->columnTasks), x->m / 32));
  x->taskRows = divideUp(divideUp(x->m, rowTasks), x->kernels->mr) * x->kernels->mr;
  rowTasks = divideUp(x->m, x->taskRows);
  if (x->packedA) hl_pool_run(pool, divideUp(x->m, packedRows) * divideUp(x->k, hl_gemm_kc), packTask, x);
  hl_pool_run(pool, rowTasks * x->columnTasks, runTask, x);
}

void hl_gemm(hl_pool *pool, long m, long n, long k, const float *a, long lda, bool transA, const float *b, long ldb, bool transB, float *c, long ldc,
             bool accumulate) {
  product x = {.kernels = hl_gemm_kernels_current(), .m = m, .n = n, .k = k, .a = a, .b = b, .lda = lda, .ldb = ldb, .transB = transB, .c = c,
               .ldc = ldc, .accumulate = accumulate};
  if (!transA) {
    run(pool, &x);
    return;
  }
  // The packed copy of A is kept to a size that a shared cache holds: some rows of C after the other.
  long some = most(packedRows, packedFloatsOfA / most(1, k) / packedRows * packedRows);
  for (long i = 0; i < m; i += some) {
    product part = x;
    part.m = least(some, m - i);
    part.a = a + i;
    part.c = c + i * ldc;
    part.packedA = hl_scratch(hl_scratch_transposed, (size_t)(paddedRows(&part) * k) * sizeof(float));
    run(pool, &part);
  }
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
