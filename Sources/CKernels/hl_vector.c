// The array functions, handed to the kernels of the instruction set in use.
#include "hl_vector.h"

#include "hl_row_kernels.h"

void hl_exp(const float *x, float *out, long count) { hl_row_kernels_current()->exp(x, out, count); }
void hl_log(const float *x, float *out, long count) { hl_row_kernels_current()->log(x, out, count); }
void hl_sigmoid(const float *x, float *out, long count) { hl_row_kernels_current()->sigmoid(x, out, count); }
void hl_silu(const float *x, float *out, long count) { hl_row_kernels_current()->silu(x, out, count); }
float hl_softmax(const float *x, float *out, long count) { return hl_row_kernels_current()->softmax(x, out, count); }

float hl_sample_weights(const float *x, long count, float factor, float maximum, float *sums, float *weights) {
  return hl_row_kernels_current()->sampleWeights(x, count, factor, maximum, sums, weights);
}

float hl_sum(const float *x, long count) { return hl_row_kernels_current()->sum(x, count); }
float hl_dot(const float *x, const float *y, long count) { return hl_row_kernels_current()->dot(x, y, count); }
float hl_max(const float *x, long count) { return hl_row_kernels_current()->max(x, count); }
float hl_log_sum_exp(const float *x, long count) { return hl_row_kernels_current()->logSumExp(x, count); }
