// Attention of one new row of each of many sequences, over keys and values in a cache.
#include "hl_attention_decode.h"

#include <stdbool.h>
#include <string.h>

#include "hl_attention_blocks.h"

typedef struct {
  const hl_gemm_kernels *gemm;
  const hl_row_kernels *rows;
  hl_attention_shape shape;
  const hl_kv_sequence *sequences;
  const float *q;
  float *out;
  long ldq, ldo;
} decoding;

// Rows first ..< first + count of a sequence's keys (or values), of one head, as adjacent rows: in place when one segment holds them all, otherwise
// gathered into `gathered`.
static const float *rowsOf(const hl_kv_sequence *s, bool values, long kv, long first, long count, long dimension, float *gathered, long *ld) {
  const hl_kv_segment *whole = first >= s->prefix.count ? &s->own : &s->prefix;
  long start = first >= s->prefix.count ? first - s->prefix.count : first;
  if (start + count <= whole->count) {
    *ld = whole->rowStride;
    return (values ? whole->values : whole->keys) + kv * whole->headStride + start * whole->rowStride;
  }
  for (long i = 0; i < count; i++) {
    bool own = first + i >= s->prefix.count;
    const hl_kv_segment *segment = own ? &s->own : &s->prefix;
    long position = own ? first + i - s->prefix.count : first + i;
    const float *from = (values ? segment->values : segment->keys) + kv * segment->headStride + position * segment->rowStride;
    memcpy(gathered + i * dimension, from, (size_t)dimension * sizeof(float));
  }
  *ld = dimension;
  return gathered;
}

static void decodeTask(void *context, long index) {
  const decoding *x = context;
  const hl_gemm_kernels *gemm = x->gemm;
  long d = x->shape.dimension, group = x->shape.heads / x->shape.keyValueHeads;
  long b = index / x->shape.keyValueHeads, kv = index % x->shape.keyValueHeads;
  const hl_kv_sequence *sequence = &x->sequences[b];
  long length = sequence->prefix.count + sequence->own.count, width = roundUp(d, gemm->nr);
  float *packedKeys = hl_scratch(hl_scratch_attention, (size_t)(keyBlock * (2 * d + width) + queryBlock * (keyBlock + d)) * sizeof(float));
  float *packedValues = packedKeys + keyBlock * d, *gathered = packedValues + keyBlock * width;
  running state = {.scores = gathered + keyBlock * d};
  state.values = state.scores + queryBlock * keyBlock;

  // The query heads that share this key/value head are the rows here, `queryBlock` of them at a time.
  for (long h = 0; h < group; h += queryBlock) {
    long rows = least(queryBlock, group - h), offset = (kv * group + h) * d;
    start(&state, rows, d);
    for (long j = 0; j < length; j += keyBlock) {
      long keys = least(keyBlock, length - j), ld;
      const float *from = rowsOf(sequence, false, kv, j, keys, d, gathered, &ld);
      packAcross(gemm, keys, d, from, ld, packedKeys);
      from = rowsOf(sequence, true, kv, j, keys, d, gathered, &ld);
      packAlong(gemm, keys, d, from, ld, packedValues);
      takeIn(gemm, x->rows, &state, rows, d, x->shape.scale, x->q + b * x->ldq + offset, d, keys, packedKeys, packedValues, keys * gemm->nr, keys, 0);
    }
    for (long r = 0; r < rows; r++) {
      x->rows->finishRow(state.values + r * d, d, state.maximum[r], state.denominator[r], x->out + b * x->ldo + offset + r * d);
    }
  }
}

void hl_attention_decode(hl_pool *pool, hl_attention_shape shape, long count, const hl_kv_sequence *sequences, const float *q, long ldq, float *out,
                         long ldo) {
  decoding x = {hl_gemm_kernels_current(), hl_row_kernels_current(), shape, sequences, q, out, ldq, ldo};
  hl_pool_run(pool, count * shape.keyValueHeads, decodeTask, &x);
}
