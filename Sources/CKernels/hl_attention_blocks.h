// What attention over records and attention of one new row share: keys and values packed a block at a time, and the running softmax over the blocks. The
// same functions in the same order, so a row has the same bits in both.
#ifndef HEIRLOOM_ATTENTION_BLOCKS_H
#define HEIRLOOM_ATTENTION_BLOCKS_H

#include <string.h>

#include "hl_attention.h"
#include "hl_gemm_kernels.h"
#include "hl_row_kernels.h"

enum { keyBlock = hl_attention_keys, queryBlock = hl_attention_queries };

static inline long least(long a, long b) { return a < b ? a : b; }
static inline long roundUp(long a, long multiple) { return (a + multiple - 1) / multiple * multiple; }

// Keys or values of one head, rows `ld` apart, as the right-hand side of a product over the head's dimension: panels of nr rows.
static inline void packAcross(const hl_gemm_kernels *g, long rows, long dimension, const float *x, long ld, float *packed) {
  g->packColumns(dimension, rows, x, ld, packed, dimension * g->nr);
}

// Rows as the right-hand side of a product over the rows (the block's k): panels of nr of the head's dimensions.
static inline void packAlong(const hl_gemm_kernels *g, long rows, long dimension, const float *x, long ld, float *packed) {
  g->packRows(rows, dimension, x, ld, packed, rows * g->nr);
}

// The running softmax of some rows of one head: sums of values (rows × dimension), and each row's maximum and denominator.
typedef struct {
  float *scores;  // queryBlock × keyBlock
  float *values;
  float maximum[queryBlock], denominator[queryBlock];
} running;

static inline void start(running *state, long rows, long dimension) {
  for (long r = 0; r < rows; r++) {
    state->maximum[r] = -__builtin_inff();
    state->denominator[r] = 0;
  }
  memset(state->values, 0, (size_t)(rows * dimension) * sizeof(float));
}

// Takes in `keys` keys of a block (whose packed values are panels `valuesPanel` apart); row r sees the first `seen + r · seenStep` of them.
static inline void takeIn(const hl_gemm_kernels *gemm, const hl_row_kernels *kernels, running *state, long rows, long dimension, float scale,
                          const float *q, long ldq, long keys, const float *packedKeys, const float *packedValues, long valuesPanel, long seen,
                          long seenStep) {
  gemm->multiply(rows, keys, dimension, hl_rows, q, ldq, packedKeys, dimension * gemm->nr, state->scores, keyBlock, true);
  for (long r = 0; r < rows; r++) {
    kernels->softmaxBlock(state->scores + r * keyBlock, least(keys, seen + r * seenStep), scale, &state->maximum[r], &state->denominator[r],
                          state->values + r * dimension, dimension);
  }
  gemm->multiply(rows, dimension, keys, hl_rows, state->scores, keyBlock, packedValues, valuesPanel, state->values, dimension, false);
}

#endif
