// Attention of one new row of each of many sequences, over keys and values in a cache. Sequences that share their prefix are worked on together, so
// that it is read and packed once for all of them; what is a sequence's own is read where it lies.
#include "hl_attention_decode.h"

#include <stdbool.h>
#include <string.h>

#include "hl_attention_blocks.h"

typedef struct {
  const hl_gemm_kernels *gemm;
  const hl_row_kernels *kernels;
  hl_attention_shape shape;
  hl_kv_batch batch;
  hl_kv_rows rows;
  const float *q;
  float *out;
  long ldq, ldo;
} decoding;

// The rows of one run of sequences: for each sequence, `heads` query heads of a key/value head, next to each other.
typedef struct {
  const decoding *x;
  const hl_kv_sequence *sequences;
  long count, kv, heads;
  running state;
  float *q;     // count · heads × dimension
  float *sums;  // as q: the values of the block at hand
  float *packedKeys, *packedValues;
} run;

static void store(const decoding *x, long b, long kv) {
  const hl_kv_segment *own = &x->batch.sequences[b].own;
  long d = x->shape.dimension, at = x->batch.ownOffset + kv * own->headStride + (own->count - 1) * own->rowStride;
  memcpy(own->keys + at, x->rows.k + b * x->rows.ldk + kv * d, (size_t)d * sizeof(float));
  memcpy(own->values + at, x->rows.v + b * x->rows.ldv + kv * d, (size_t)d * sizeof(float));
}

// Keys first ..< first + keys of the prefix, all of one block: their scores, and where `alone` their weights and values too.
static void takePrefix(run *t, long first, long keys, bool alone) {
  const decoding *x = t->x;
  const hl_kv_segment *prefix = &t->sequences[0].prefix;
  long d = x->shape.dimension, rows = t->count * t->heads, at = x->batch.prefixOffset + t->kv * prefix->headStride + first * prefix->rowStride;
  packAcross(x->gemm, keys, d, prefix->keys + at, prefix->rowStride, t->packedKeys);
  packAlong(x->gemm, keys, d, prefix->values + at, prefix->rowStride, t->packedValues);
  if (alone) {
    takeIn(x->gemm, x->kernels, &t->state, rows, d, x->shape.scale, t->q, d, keys, t->packedKeys, t->packedValues, keys * x->gemm->nr, keys, 0);
  } else {
    // Whole registers: what is beyond the keys is written over by each sequence's own scores, or never looked at.
    x->gemm->multiply(rows, roundUp(keys, 16), d, hl_rows, t->q, d, t->packedKeys, d * x->gemm->nr, t->state.scores, keyBlock, true);
  }
}

// The weights of one block in which `prefix` keys of the prefix are followed by `own` ones of sequence s, from position `first` of its own.
static void weigh(run *t, long s, long prefix, long first, long own) {
  if (prefix + own == 0) return;
  const decoding *x = t->x;
  const hl_kv_segment *segment = &t->sequences[s].own;
  long d = x->shape.dimension, row = s * t->heads;
  const float *keys = segment->keys + x->batch.ownOffset + t->kv * segment->headStride + first * segment->rowStride;
  x->kernels->keyScores(t->heads, own, d, t->q + row * d, keys, segment->rowStride, t->state.scores + row * keyBlock + prefix);
  for (long r = row; r < row + t->heads; r++) {
    x->kernels->softmaxBlock(t->state.scores + r * keyBlock, prefix + own, x->shape.scale, &t->state.maximum[r], &t->state.denominator[r],
                             t->state.values + r * d, d);
  }
}

// Goes on with the block's sums of values, and adds them to the running ones.
static void addOwn(run *t, long s, long prefix, long first, long own) {
  if (prefix + own == 0) return;
  const decoding *x = t->x;
  const hl_kv_segment *segment = &t->sequences[s].own;
  long d = x->shape.dimension, row = s * t->heads;
  const float *values = segment->values + x->batch.ownOffset + t->kv * segment->headStride + first * segment->rowStride;
  x->kernels->addValues(t->heads, own, d, t->state.scores + row * keyBlock + prefix, values, segment->rowStride, t->sums + row * d);
  for (long i = row * d; i < (row + t->heads) * d; i++) t->state.values[i] += t->sums[i];
}

static void attend(run *t) {
  const decoding *x = t->x;
  long d = x->shape.dimension, rows = t->count * t->heads, prefix = t->sequences[0].prefix.count;
  long whole = prefix / keyBlock * keyBlock, rest = prefix - whole;
  start(&t->state, rows, d);
  for (long j = 0; j < whole; j += keyBlock) takePrefix(t, j, keyBlock, true);
  // The block that holds the end of the prefix and what follows it.
  if (rest > 0) takePrefix(t, whole, rest, false);
  for (long s = 0; s < t->count; s++) weigh(t, s, rest, 0, least(t->sequences[s].own.count, keyBlock - rest));
  memset(t->sums, 0, (size_t)(rows * d) * sizeof(float));
  if (rest > 0) {
    x->gemm->multiply(rows, d, rest, hl_rows, t->state.scores, keyBlock, t->packedValues, rest * x->gemm->nr, t->sums, d, true);
  }
  for (long s = 0; s < t->count; s++) {
    long own = t->sequences[s].own.count, first = least(own, keyBlock - rest);
    addOwn(t, s, rest, 0, first);
    for (; first < own; first += keyBlock) {
      long keys = least(keyBlock, own - first);
      weigh(t, s, 0, first, keys);
      memset(t->sums + s * t->heads * d, 0, (size_t)(t->heads * d) * sizeof(float));
      addOwn(t, s, 0, first, keys);
    }
  }
}

static void decodeTask(void *context, long index) {
  const decoding *x = context;
  long d = x->shape.dimension, group = x->shape.heads / x->shape.keyValueHeads;
  long r = index / x->shape.keyValueHeads, kv = index % x->shape.keyValueHeads;
  long first = x->batch.runs[r], count = x->batch.runs[r + 1] - first;
  float *scratch = hl_scratch(hl_scratch_attention, (size_t)(keyBlock * (d + roundUp(d, x->gemm->nr)) + queryBlock * (keyBlock + 3 * d)) * sizeof(float));
  run t = {.x = x, .sequences = x->batch.sequences + first, .count = count, .kv = kv, .heads = least(group, queryBlock / count)};
  t.packedKeys = scratch;
  t.packedValues = t.packedKeys + keyBlock * d;
  t.state.scores = t.packedValues + keyBlock * roundUp(d, x->gemm->nr);
  t.state.values = t.state.scores + queryBlock * keyBlock;
  t.sums = t.state.values + queryBlock * d;
  t.q = t.sums + queryBlock * d;

  if (x->rows.k) {
    for (long b = first; b < first + count; b++) store(x, b, kv);
  }
  for (long h = 0; h < group; h += t.heads) {
    long heads = t.heads = least(t.heads, group - h), offset = (kv * group + h) * d;
    for (long s = 0; s < count; s++) memcpy(t.q + s * heads * d, x->q + (first + s) * x->ldq + offset, (size_t)(heads * d) * sizeof(float));
    attend(&t);
    for (long i = 0; i < count * heads; i++) {
      float *out = x->out + (first + i / heads) * x->ldo + offset + i % heads * d;
      x->kernels->finishRow(t.state.values + i * d, d, t.state.maximum[i], t.state.denominator[i], out);
    }
  }
}

void hl_attention_decode(hl_pool *pool, hl_attention_shape shape, hl_kv_batch batch, hl_kv_rows rows, const float *q, long ldq, float *out, long ldo) {
  decoding x = {hl_gemm_kernels_current(), hl_row_kernels_current(), shape, batch, rows, q, out, ldq, ldo};
  hl_pool_run(pool, batch.runCount * shape.keyValueHeads, decodeTask, &x);
}
