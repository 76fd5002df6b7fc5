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

// MARK: - Records

// One record: its rows are first ..< first + length - before; as a sequence with its prompt's rows, which are the first `before` of `length`.
typedef struct {
  long first, length, before, promptFirst;
} sequence;

static inline sequence sequenceOf(const hl_attention_records *records, long r) {
  long prompt = records->prompts[r];
  sequence s = {.first = records->offsets[r], .promptFirst = records->offsets[prompt]};
  s.before = prompt == r ? 0 : records->offsets[prompt + 1] - s.promptFirst;
  s.length = s.before + records->offsets[r + 1] - s.first;
  return s;
}

// How many query rows are worked on together from position i on: none of them may see a block without a key of its own.
static inline long queryRows(const sequence *s, long i) { return least(least(queryBlock, keyBlock - i % keyBlock), s->length - i); }

// A sequence's keys or values of one head as rows `*ld` apart: where they are, or behind a prompt copied to `gathered` (length × dimension).
static const float *sequenceRows(const sequence *s, const float *x, long *ld, long dimension, float *gathered) {
  if (s->before == 0) return x + s->first * *ld;
  for (long i = 0; i < s->length; i++) {
    long row = i < s->before ? s->promptFirst + i : s->first + i - s->before;
    memcpy(gathered + i * dimension, x + row * *ld, (size_t)dimension * sizeof(float));
  }
  *ld = dimension;
  return gathered;
}

// MARK: - Forward

typedef struct {
  const hl_gemm_kernels *gemm;
  const hl_row_kernels *rows;
  hl_attention_shape shape;
  hl_attention_records records;
  hl_attention_inputs in;
  float *out, *logSumExp;
  long ldo;
  hl_attention_saved saved;
  hl_attention_gradients gradients;
  long headsOfTask;  // query heads of a forward task: all of a key/value head, or one
  float *shares;     // the backward pass's gradients of sequences behind a prompt
  long *sharesAt;    // where in `shares` a record's are
} attention;

static void forwardTask(void *context, long index) {
  const attention *x = context;
  const hl_gemm_kernels *gemm = x->gemm;
  long d = x->shape.dimension, group = x->shape.heads / x->shape.keyValueHeads;
  long tasksOfRecord = x->shape.heads / x->headsOfTask;
  sequence s = sequenceOf(&x->records, index / tasksOfRecord);
  long firstHead = index % tasksOfRecord * x->headsOfTask, kv = firstHead / group;
  if (s.length <= s.before) return;

  long padded = roundUp(s.length, keyBlock), width = roundUp(d, gemm->nr), copied = s.before ? roundUp(s.length * d, 16) : 0;
  float *packedKeys = hl_scratch(hl_scratch_attention, (size_t)(padded * (d + width) + queryBlock * (keyBlock + d) + copied) * sizeof(float));
  float *packedValues = packedKeys + padded * d;
  running state = {.scores = packedValues + padded * width};
  state.values = state.scores + queryBlock * keyBlock;
  float *gathered = state.values + queryBlock * d;
  long ldk = x->in.ldk, ldv = x->in.ldv;
  const float *keyRows = sequenceRows(&s, x->in.k + kv * d, &ldk, d, gathered);
  packAcross(gemm, s.length, d, keyRows, ldk, packedKeys);
  const float *valueRows = sequenceRows(&s, x->in.v + kv * d, &ldv, d, gathered);
  for (long j = 0; j < s.length; j += keyBlock) {
    packAlong(gemm, least(keyBlock, s.length - j), d, valueRows + j * ldv, ldv, packedValues + j * width);
  }

  for (long head = firstHead; head < firstHead + x->headsOfTask; head++) {
    for (long i = s.before, rows; i < s.length; i += rows) {
      rows = queryRows(&s, i);
      long firstRow = s.first + i - s.before;
      start(&state, rows, d);
      for (long j = 0; j <= i; j += keyBlock) {
        long keys = least(keyBlock, s.length - j);
        takeIn(gemm, x->rows, &state, rows, d, x->shape.scale, x->in.q + firstRow * x->in.ldq + head * d, x->in.ldq, least(keys, i + rows - j),
               packedKeys + j * d, packedValues + j * width, keys * gemm->nr, i - j + 1, 1);
      }
      for (long r = 0; r < rows; r++) {
        long row = firstRow + r;
        x->logSumExp[row * x->shape.heads + head] =
            x->rows->finishRow(state.values + r * d, d, state.maximum[r], state.denominator[r], x->out + row * x->ldo + head * d);
      }
    }
  }
}

void hl_attention_forward(hl_pool *pool, hl_attention_shape shape, hl_attention_records records, hl_attention_inputs in, float *out, long ldo,
                          float *logSumExp) {
  attention x = {.gemm = hl_gemm_kernels_current(), .rows = hl_row_kernels_current(), .shape = shape, .records = records, .in = in, .out = out,
                 .ldo = ldo, .logSumExp = logSumExp};
  // A row is worked out alone, so the split does not show; few tasks are split further, to keep all threads busy.
  x.headsOfTask = records.count * shape.keyValueHeads >= 4 * hl_pool_threads(pool) ? shape.heads / shape.keyValueHeads : 1;
  hl_pool_run(pool, records.count * (shape.heads / x.headsOfTask), forwardTask, &x);
}

// MARK: - Backward

// Gradients of one key/value head's keys and values, as rows of a sequence.
typedef struct {
  float *dk, *dv;
  long lddk, lddv;
} keyGradients;

// Where they are added up: in their place, or, behind a prompt, in the record's share (for each head, dk and then dv, length × dimension each).
static keyGradients gradientsOf(const attention *x, long record, const sequence *s, long kv) {
  const hl_attention_gradients *to = &x->gradients;
  long d = x->shape.dimension, size = s->length * d;
  if (s->before == 0) {
    return (keyGradients){to->dk + s->first * to->lddk + kv * d, to->dv + s->first * to->lddv + kv * d, to->lddk, to->lddv};
  }
  float *share = x->shares + x->sharesAt[record] + 2 * kv * size;
  return (keyGradients){share, share + size, d, d};
}

// The record's own rows of its share, to their place.
static void takeOwn(const attention *x, const sequence *s, long kv, const keyGradients *share) {
  const hl_attention_gradients *to = &x->gradients;
  long d = x->shape.dimension;
  for (long i = s->before; i < s->length; i++) {
    long row = s->first + i - s->before;
    memcpy(to->dk + row * to->lddk + kv * d, share->dk + i * d, (size_t)d * sizeof(float));
    memcpy(to->dv + row * to->lddv + kv * d, share->dv + i * d, (size_t)d * sizeof(float));
  }
}

// One key/value head of one record, with its query heads one after the other. With p the softmax weights, forward was
//   score = q kᵀ,  p = softmax(scale · score),  out = p v,
// so dv = pᵀ dOut, dp = dOut vᵀ, dScore = p (dp - Σ dOut out) scale, dq = dScore k, dk = dScoreᵀ q.
static void backwardTask(void *context, long index) {
  const attention *x = context;
  const hl_gemm_kernels *gemm = x->gemm;
  long d = x->shape.dimension, group = x->shape.heads / x->shape.keyValueHeads, nr = gemm->nr;
  long record = index / x->shape.keyValueHeads, kv = index % x->shape.keyValueHeads;
  sequence s = sequenceOf(&x->records, record);
  if (s.length <= s.before) return;
  const hl_attention_gradients *to = &x->gradients;
  keyGradients sums = gradientsOf(x, record, &s, kv);

  long padded = roundUp(s.length, keyBlock), width = roundUp(d, nr), tile = queryBlock * keyBlock, copied = s.before ? s.length * d : 0;
  size_t floats = (size_t)(padded * (2 * d + width) + 2 * queryBlock * width + 2 * tile + queryBlock * roundUp(keyBlock, gemm->mr) + queryBlock + copied);
  float *keysAcross = hl_scratch(hl_scratch_attention, floats * sizeof(float)), *valuesAcross = keysAcross + padded * d;
  float *keysAlong = valuesAcross + padded * d, *queries = keysAlong + padded * width, *dOuts = queries + queryBlock * width;
  float *weights = dOuts + queryBlock * width, *dScores = weights + tile, *turned = dScores + tile;
  float *delta = turned + queryBlock * roundUp(keyBlock, gemm->mr), *gathered = delta + queryBlock;

  long ldk = x->in.ldk, ldv = x->in.ldv;
  const float *v = sequenceRows(&s, x->in.v + kv * d, &ldv, d, gathered);
  packAcross(gemm, s.length, d, v, ldv, valuesAcross);
  const float *k = sequenceRows(&s, x->in.k + kv * d, &ldk, d, gathered);
  packAcross(gemm, s.length, d, k, ldk, keysAcross);
  for (long j = 0; j < s.length; j += keyBlock) packAlong(gemm, least(keyBlock, s.length - j), d, k + j * ldk, ldk, keysAlong + j * width);
  for (long i = 0; i < s.length; i++) {
    memset(sums.dk + i * sums.lddk, 0, (size_t)d * sizeof(float));
    memset(sums.dv + i * sums.lddv, 0, (size_t)d * sizeof(float));
  }

  for (long head = kv * group; head < (kv + 1) * group; head++) {
    for (long i = s.before, rows; i < s.length; i += rows) {
      rows = queryRows(&s, i);
      long row = s.first + i - s.before;
      const float *q = x->in.q + row * x->in.ldq + head * d, *dOut = x->saved.dOut + row * x->saved.lddo + head * d;
      float *dq = to->dq + row * to->lddq + head * d;
      packAlong(gemm, rows, d, q, x->in.ldq, queries);
      packAlong(gemm, rows, d, dOut, x->saved.lddo, dOuts);
      for (long r = 0; r < rows; r++) {
        delta[r] = x->rows->dot(dOut + r * x->saved.lddo, x->saved.out + (row + r) * x->saved.ldo + head * d, d);
      }
      for (long j = 0; j <= i; j += keyBlock) {
        long whole = least(keyBlock, s.length - j), keys = least(whole, i + rows - j);
        gemm->multiply(rows, keys, d, hl_rows, q, x->in.ldq, keysAcross + j * d, d * nr, weights, keyBlock, true);
        gemm->multiply(rows, keys, d, hl_rows, dOut, x->saved.lddo, valuesAcross + j * d, d * nr, dScores, keyBlock, true);
        for (long r = 0; r < rows; r++) {
          x->rows->backwardBlock(weights + r * keyBlock, dScores + r * keyBlock, least(keys, i + r - j + 1), x->shape.scale,
                                 x->saved.logSumExp[(row + r) * x->shape.heads + head], delta[r]);
        }
        gemm->packTransposed(keys, rows, weights, keyBlock, turned, rows * gemm->mr);
        gemm->multiply(keys, d, rows, hl_panels, turned, rows * gemm->mr, dOuts, rows * nr, sums.dv + j * sums.lddv, sums.lddv, false);
        gemm->packTransposed(keys, rows, dScores, keyBlock, turned, rows * gemm->mr);
        gemm->multiply(keys, d, rows, hl_panels, turned, rows * gemm->mr, queries, rows * nr, sums.dk + j * sums.lddk, sums.lddk, false);
        gemm->multiply(rows, d, keys, hl_rows, dScores, keyBlock, keysAlong + j * width, whole * nr, dq, to->lddq, j == 0);
      }
    }
  }
  if (s.before > 0) takeOwn(x, &s, kv, &sums);
}

// Adds to a prompt's rows of one head what each record behind it has for them, record after record.
static void shareTask(void *context, long index) {
  const attention *x = context;
  const hl_attention_gradients *to = &x->gradients;
  long d = x->shape.dimension, prompt = index / x->shape.keyValueHeads, kv = index % x->shape.keyValueHeads;
  if (x->records.prompts[prompt] != prompt) return;
  float *dk = to->dk + x->records.offsets[prompt] * to->lddk + kv * d, *dv = to->dv + x->records.offsets[prompt] * to->lddv + kv * d;
  for (long record = prompt + 1; record < x->records.count && x->records.prompts[record] == prompt; record++) {
    sequence s = sequenceOf(&x->records, record);
    if (s.length <= s.before || s.before == 0) continue;
    keyGradients share = gradientsOf(x, record, &s, kv);
    for (long i = 0; i < s.before; i++) {
      for (long c = 0; c < d; c++) dk[i * to->lddk + c] += share.dk[i * d + c];
      for (long c = 0; c < d; c++) dv[i * to->lddv + c] += share.dv[i * d + c];
    }
  }
}

// Room for the gradients of sequences behind a prompt; false when there are none.
static bool reserveShares(attention *x) {
  long count = x->records.count, total = 0;
  for (long r = 0; r < count; r++) {
    sequence s = sequenceOf(&x->records, r);
    if (s.before > 0) total += 2 * s.length * x->shape.dimension * x->shape.keyValueHeads;
  }
  if (total == 0) return false;
  x->shares = hl_scratch(hl_scratch_shares, (size_t)total * sizeof(float) + (size_t)count * sizeof(long));
  x->sharesAt = (long *)(x->shares + total);
  for (long r = 0, at = 0; r < count; r++) {
    sequence s = sequenceOf(&x->records, r);
    x->sharesAt[r] = at;
    if (s.before > 0) at += 2 * s.length * x->shape.dimension * x->shape.keyValueHeads;
  }
  return true;
}

void hl_attention_backward(hl_pool *pool, hl_attention_shape shape, hl_attention_records records, hl_attention_inputs in, hl_attention_saved saved,
                           hl_attention_gradients gradients) {
  attention x = {.gemm = hl_gemm_kernels_current(), .rows = hl_row_kernels_current(), .shape = shape, .records = records, .in = in, .saved = saved,
                 .gradients = gradients};
  bool shared = reserveShares(&x);
  hl_pool_run(pool, records.count * shape.keyValueHeads, backwardTask, &x);
  if (shared) hl_pool_run(pool, records.count * shape.keyValueHeads, shareTask, &x);
}
