// Dropout, handed to the kernels of the instruction set in use.
#include "hl_dropout.h"

#include "hl_row_kernels.h"

void hl_dropout_bits(uint64_t seed, uint64_t stream, uint64_t first, long count, uint16_t threshold, uint64_t *bits) {
  hl_row_kernels_current()->dropoutBits(seed, stream, first, count, threshold, bits);
}

void hl_dropout_forward(const uint64_t *bits, float factor, const float *x, float *y, long count) {
  hl_row_kernels_current()->dropoutForward(bits, factor, x, y, count);
}

void hl_dropout_backward(const uint64_t *bits, float factor, const float *dy, float *dx, long count) {
  hl_row_kernels_current()->dropoutBackward(bits, factor, dy, dx, count);
}
