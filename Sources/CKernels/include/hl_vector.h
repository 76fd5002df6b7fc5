// Elementwise functions over arrays, and reductions in a fixed order. What they compute and promise is said in Kernels/VectorMath+Arrays.swift.
#ifndef HEIRLOOM_VECTOR_H
#define HEIRLOOM_VECTOR_H

// `out` may be `x`.
void hl_exp(const float *x, float *out, long count);
void hl_log(const float *x, float *out, long count);
void hl_sigmoid(const float *x, float *out, long count);
void hl_silu(const float *x, float *out, long count);
// Returns log Σ e^x; `out` becomes e^(x - that).
float hl_softmax(const float *x, float *out, long count);

// For drawing from softmax(factor · x): see hl_row_kernels.h.
enum { hl_sampling_block = 1024 };
float hl_sample_weights(const float *x, long count, float factor, float maximum, float *sums, float *weights);

float hl_sum(const float *x, long count);
float hl_dot(const float *x, const float *y, long count);
float hl_max(const float *x, long count);
float hl_log_sum_exp(const float *x, long count);

#endif
