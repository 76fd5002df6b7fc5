// Causal grouped-query attention over packed records, forward and backward. What the functions compute and promise is said in Kernels/Attention.swift.
#ifndef HEIRLOOM_ATTENTION_H
#define HEIRLOOM_ATTENTION_H

#include "hl_pool.h"

enum {
  hl_attention_keys = 96,     // keys in a block of the running softmax, counted from the start of the record, or of its prompt; fixes the bits
  hl_attention_queries = 48,  // queries worked on together; divides the above, so that no row sees a block without a key of its own
  hl_attention_dimension = 256
};

typedef struct {
  long heads, keyValueHeads, dimension;
  float scale;
} hl_attention_shape;

// Record r is rows offsets[r] ..< offsets[r + 1]. It comes after the rows of record prompts[r], which is r itself when there is nothing before it; the
// records that go on from one prompt lie right behind it.
typedef struct {
  long count;
  const long *offsets, *prompts;
} hl_attention_records;

// Rows of q, out, dOut, dq hold heads × dimension floats; those of k, v, dk, dv keyValueHeads × dimension; logSumExp has rows of heads floats.
typedef struct {
  const float *q, *k, *v;
  long ldq, ldk, ldv;
} hl_attention_inputs;

void hl_attention_forward(hl_pool *pool, hl_attention_shape shape, hl_attention_records records, hl_attention_inputs in, float *out, long ldo,
                          float *logSumExp);

typedef struct {
  const float *out, *logSumExp, *dOut;
  long ldo, lddo;
} hl_attention_saved;

typedef struct {
  float *dq, *dk, *dv;
  long lddq, lddk, lddv;
} hl_attention_gradients;

void hl_attention_backward(hl_pool *pool, hl_attention_shape shape, hl_attention_records records, hl_attention_inputs in, hl_attention_saved saved,
                           hl_attention_gradients gradients);

#endif
