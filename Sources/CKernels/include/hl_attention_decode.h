// Causal grouped-query attention of one new row against a key/value cache. What the functions compute and promise is said in
// Kernels/CachedAttention.swift.
#ifndef HEIRLOOM_ATTENTION_DECODE_H
#define HEIRLOOM_ATTENTION_DECODE_H

#include "hl_attention.h"

typedef struct {
  const float *keys, *values;
  long count, rowStride, headStride;
} hl_kv_segment;

typedef struct {
  hl_kv_segment prefix, own;
} hl_kv_sequence;

void hl_attention_decode(hl_pool *pool, hl_attention_shape shape, long count, const hl_kv_sequence *sequences, const float *q, long ldq, float *out,
                         long ldo);

#endif
