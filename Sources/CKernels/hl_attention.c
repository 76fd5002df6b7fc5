// Attention in blocks of keys, with a running softmax: no matrix of queries × keys is ever whole. The products are the matrix product's own inner loops.
#include "hl_attention.h"

#include <stdbool.h>
#include <string.h>

#include "hl_attention_blocks.h"
#include "hl_cpu.h"

const hl_row_kernels *hl_row_kernels_current(void) {
#if defined(__x86_64__)
  switch (hl_isa_current()) {
    case hl_isa_avx512: return &hl_rows_avx512;
    case hl_isa_avx2: return &hl_rows_avx2;
    case hl_isa_generic: break;
  }
#endif
  return &hl_rows_generic;
}

// MARK: - Forward

typedef struct {
  const hl_gemm_kernels *gemm;
  const hl_row_kernels *rows;
  hl_attention_shape shape;
  const long *offsets;
  hl_attention_inputs in;
  float *out, *logSumExp;
  long ldo;
  hl_attention_saved saved;
  hl_attention_gradients gradients;
  long headsOfTask;  // query heads of a forward task: all of a key/value head, or one
} attention;

static void forwardTask(void *context, long index) {
  const attention *x = context;
  const hl_gemm_kernels *gemm = x->gemm;
  long d = x->shape.dimension, group = x->shape.heads / x->shape.keyValueHeads;
  long tasksOfRecord = x->shape.heads / x->headsOfTask;
  long first = x->offsets[index / tasksOfRecord], length = x->offsets[index / tasksOfRecord + 1] - first;
  long firstHead = index % tasksOfRecord * x->headsOfTask, kv = firstHead / group;
  if (length <= 0) return;

  long padded = roundUp(length, keyBlock), width = roundUp(d, gemm->nr);
  float *packedKeys = hl_scratch(hl_scratch_attention, (size_t)(padded * (d + width) + queryBlock * (keyBlock + d)) * sizeof(float));
  float *packedValues = packedKeys + padded * d;
  running state = {.scores = packedValues + padded * width};
  state.values = state.scores + queryBlock * keyBlock;
  packAcross(gemm, length, d, x->in.k + first * x->in.ldk + kv * d, x->in.ldk, packedKeys);
  for (long j = 0; j < length; j += keyBlock) {
    packAlong(gemm, least(keyBlock, length - j), d, x->in.v + (first + j) * x->in.ldv + kv * d, x->in.ldv, packedValues + j * width);
  }

  for (long head = firstHead; head < firstHead + x->headsOfTask; head++) {
    for (long i = 0; i < length; i += queryBlock) {
      long rows = least(queryBlock, length - i);
      start(&state, rows, d);
      for (long j = 0; j <= i; j += keyBlock) {
        long keys = least(keyBlock, length - j);
        takeIn(gemm, x->rows, &state, rows, d, x->shape.scale, x->in.q + (first + i) * x->in.ldq + head * d, x->in.ldq, least(keys, i + rows - j),
               packedKeys + j * d, packedValues + j * width, keys * gemm->nr, i - j + 1, 1);
      }
      for (long r = 0; r < rows; r++) {
        long row = first + i + r;
        x->logSumExp[row * x->shape.heads + head] =
            x->rows->finishRow(state.values + r * d, d, state.maximum[r], state.denominator[r], x->out + row * x->ldo + head * d);
      }
    }
  }
}

void hl_attention_forward(hl_pool *pool, hl_attention_shape shape, long records, const long *offsets, hl_attention_inputs in, float *out, long ldo,
                          float *logSumExp) {
  attention x = {.gemm = hl_gemm_kernels_current(), .rows = hl_row_kernels_current(), .shape = shape, .offsets = offsets, .in = in, .out = out,
                 .ldo = ldo, .logSumExp = logSumExp};
  // A row is worked out alone, so the split does not show; few tasks are split further, to keep all threads busy.
  x.headsOfTask = records * shape.keyValueHeads >= 4 * hl_pool_threads(pool) ? shape.heads / shape.keyValueHeads : 1;
  hl_pool_run(pool, records * (shape.heads / x.headsOfTask), forwardTask, &x);
}

// MARK: - Backward

// One key/value head of one record, with its query heads one after the other. With p the softmax weights, forward was
//   score = q kᵀ,  p = softmax(scale · score),  out = p v,
// so dv = pᵀ dOut, dp = dOut vᵀ, dScore = p (dp - Σ dOut out) scale, dq = dScore k, dk = dScoreᵀ q.
static void backwardTask(void *context, long index) {
  const attention *x = context;
  const hl_gemm_kernels *gemm = x->gemm;
  long d = x->shape.dimension, group = x->shape.heads / x->shape.keyValueHeads, nr = gemm->nr;
  long record = index / x->shape.keyValueHeads, kv = index % x->shape.keyValueHeads;
  long first = x->offsets[record], length = x->offsets[record + 1] - first;
  if (length <= 0) return;
  const hl_attention_gradients *to = &x->gradients;
  const float *k = x->in.k + first * x->in.ldk + kv * d, *v = x->in.v + first * x->in.ldv + kv * d;
  float *dk = to->dk + first * to->lddk + kv * d, *dv = to->dv + first * to->lddv + kv * d;

  long padded = roundUp(length, keyBlock), width = roundUp(d, nr), tile = queryBlock * keyBlock;
  size_t floats = (size_t)(padded * (2 * d + width) + 2 * queryBlock * width + 2 * tile + queryBlock * roundUp(keyBlock, gemm->mr) + queryBlock);
  float *keysAcross = hl_scratch(hl_scratch_attention, floats * sizeof(float)), *valuesAcross = keysAcross + padded * d;
  float *keysAlong = valuesAcross + padded * d, *queries = keysAlong + padded * width, *dOuts = queries + queryBlock * width;
  float *weights = dOuts + queryBlock * width, *dScores = weights + tile, *turned = dScores + tile;
  float *delta = turned + queryBlock * roundUp(keyBlock, gemm->mr);

  packAcross(gemm, length, d, k, x->in.ldk, keysAcross);
  packAcross(gemm, length, d, v, x->in.ldv, valuesAcross);
  for (long j = 0; j < length; j += keyBlock) packAlong(gemm, least(keyBlock, length - j), d, k + j * x->in.ldk, x->in.ldk, keysAlong + j * width);
  for (long i = 0; i < length; i++) {
    memset(dk + i * to->lddk, 0, (size_t)d * sizeof(float));
    memset(dv + i * to->lddv, 0, (size_t)d * sizeof(float));
  }

  for (long head = kv * group; head < (kv + 1) * group; head++) {
    for (long i = 0; i < length; i += queryBlock) {
      long rows = least(queryBlock, length - i), row = first + i;
      const float *q = x->in.q + row * x->in.ldq + head * d, *dOut = x->saved.dOut + row * x->saved.lddo + head * d;
      float *dq = to->dq + row * to->lddq + head * d;
      packAlong(gemm, rows, d, q, x->in.ldq, queries);
      packAlong(gemm, rows, d, dOut, x->saved.lddo, dOuts);
      for (long r = 0; r < rows; r++) {
        delta[r] = x->rows->dot(dOut + r * x->saved.lddo, x->saved.out + (row + r) * x->saved.ldo + head * d, d);
      }
      for (long j = 0; j <= i; j += keyBlock) {
        long whole = least(keyBlock, length - j), keys = least(whole, i + rows - j);
        gemm->multiply(rows, keys, d, hl_rows, q, x->in.ldq, keysAcross + j * d, d * nr, weights, keyBlock, true);
        gemm->multiply(rows, keys, d, hl_rows, dOut, x->saved.lddo, valuesAcross + j * d, d * nr, dScores, keyBlock, true);
        for (long r = 0; r < rows; r++) {
          x->rows->backwardBlock(weights + r * keyBlock, dScores + r * keyBlock, least(keys, i + r - j + 1), x->shape.scale,
                                 x->saved.logSumExp[(row + r) * x->shape.heads + head], delta[r]);
        }
        gemm->packTransposed(keys, rows, weights, keyBlock, turned, rows * gemm->mr);
        gemm->multiply(keys, d, rows, hl_panels, turned, rows * gemm->mr, dOuts, rows * nr, dv + j * to->lddv, to->lddv, false);
        gemm->packTransposed(keys, rows, dScores, keyBlock, turned, rows * gemm->mr);
        gemm->multiply(keys, d, rows, hl_panels, turned, rows * gemm->mr, queries, rows * nr, dk + j * to->lddk, to->lddk, false);
        gemm->multiply(rows, d, keys, hl_rows, dScores, keyBlock, keysAlong + j * width, whole * nr, dq, to->lddq, j == 0);
      }
    }
  }
}

void hl_attention_backward(hl_pool *pool, hl_attention_shape shape, long records, const long *offsets, hl_attention_inputs in,
                           hl_attention_saved saved, hl_attention_gradients gradients) {
  attention x = {.gemm = hl_gemm_kernels_current(), .rows = hl_row_kernels_current(), .shape = shape, .offsets = offsets, .in = in, .saved = saved,
                 .gradients = gradients};
  hl_pool_run(pool, records * shape.keyValueHeads, backwardTask, &x);
}
