// The row operations of attention and of vector math, one table for every instruction set, all compiled from hl_row_kernels.inc.
#ifndef HEIRLOOM_ROW_KERNELS_H
#define HEIRLOOM_ROW_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  // One block of the running softmax for one row: `scores` (hl_attention_keys floats, 64-byte aligned, the first `count` valid) become weights
  // e^(scale · score - maximum), zero from `count` on. Updates the row's maximum and denominator, and rescales its sum of values to the new maximum.
  void (*softmaxBlock)(float *scores, long count, float scale, float *maximum, float *denominator, float *values, long dimension);
  // out = values / denominator; returns maximum + log denominator.
  float (*finishRow)(const float *values, long dimension, float maximum, float denominator, float *out);
  // For one row of one block: `scores` become the weights p = e^(scale · score - logSumExp) and `dWeights` becomes dScore =
  // p · (dWeights - delta) · scale; both zero from `count` on, up to hl_attention_keys.
  void (*backwardBlock)(float *scores, float *dWeights, long count, float scale, float logSumExp, float delta);

  // For `rows` queries (`dimension` floats each, adjacent) against `count` keys, `stride` floats apart: scores[r][i] = Σ q[r][p] keys[i][p], as the
  // matrix product adds it. Rows of scores are hl_attention_keys floats apart.
  void (*keyScores)(long rows, long count, long dimension, const float *q, const float *keys, long stride, float *scores);
  // sums[r] (`dimension` floats each, adjacent) += Σ weights[r][i] values[i], the fused multiply-adds going on from what sums held; values are `stride`
  // floats apart, rows of weights hl_attention_keys.
  void (*addValues)(long rows, long count, long dimension, const float *weights, const float *values, long stride, float *sums);

  // x as sampling sees it, a block of hl_sampling_block numbers at a time: e = e^(factor · x - maximum); sums[b] = Σ e of block b, as `sum` adds. Returns
  // the sum of all blocks' Σ e, each in the order of Kernels' rowSum. `weights` receives e; it may be NULL.
  float (*sampleWeights)(const float *x, long count, float factor, float maximum, float *sums, float *weights);

  // See hl_dropout.h.
  void (*dropoutBits)(uint64_t seed, uint64_t stream, uint64_t first, long count, uint16_t threshold, uint64_t *bits);
  void (*dropoutForward)(const uint64_t *bits, float factor, const float *x, float *y, long count);
  void (*dropoutBackward)(const uint64_t *bits, float factor, const float *dy, float *dx, long count);

  void (*exp)(const float *x, float *out, long count);
  void (*log)(const float *x, float *out, long count);
  void (*sigmoid)(const float *x, float *out, long count);
  void (*silu)(const float *x, float *out, long count);
  float (*sum)(const float *x, long count);
  float (*dot)(const float *x, const float *y, long count);
  float (*max)(const float *x, long count);
  float (*logSumExp)(const float *x, long count);
  float (*softmax)(const float *x, float *out, long count);
} hl_row_kernels;

extern const hl_row_kernels hl_rows_generic, hl_rows_avx2, hl_rows_avx512;

const hl_row_kernels *hl_row_kernels_current(void);

#endif
