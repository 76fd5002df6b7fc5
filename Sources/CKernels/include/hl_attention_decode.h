// Causal grouped-query attention of one new row of each of many sequences, over keys and values in a cache. What the function computes and promises is
// said in Kernels/CachedAttention.swift.
#ifndef HEIRLOOM_ATTENTION_DECODE_H
#define HEIRLOOM_ATTENTION_DECODE_H

#include "hl_attention.h"

typedef struct {
  float *keys, *values;
  long count, rowStride, headStride;
} hl_kv_segment;

typedef struct {
  hl_kv_segment prefix, own;
} hl_kv_sequence;

typedef struct {
  const hl_kv_sequence *sequences;
  // Floats to add to the sequences' pointers: where a layer lies.
  long prefixOffset, ownOffset;
  // Run r is sequences runs[r] ..< runs[r + 1]; those have the same prefix. With `heads` of a key/value head's query heads at a time, it has at most
  // hl_attention_queries rows.
  const long *runs;
  long runCount;
} hl_kv_batch;

// Rows of new keys and values, to be stored as each sequence's last own position before anything is read; NULL when they are there.
typedef struct {
  const float *k, *v;
  long ldk, ldv;
} hl_kv_rows;

void hl_attention_decode(hl_pool *pool, hl_attention_shape shape, hl_kv_batch batch, hl_kv_rows rows, const float *q, long ldq, float *out, long ldo);

#endif
