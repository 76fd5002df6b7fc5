// Dropout: the bits of a mask, and rows under it. What the functions compute and promise is said in Kernels/Layers/Dropout.swift.
#ifndef HEIRLOOM_DROPOUT_H
#define HEIRLOOM_DROPOUT_H

#include <stdint.h>

// `count` words of 64 bits, the first from blocks first ..< first + 8 of the stream.
void hl_dropout_bits(uint64_t seed, uint64_t stream, uint64_t first, long count, uint16_t threshold, uint64_t *bits);
// y = mask · x · factor; `count` floats.
void hl_dropout_forward(const uint64_t *bits, float factor, const float *x, float *y, long count);
// dx += mask · dy · factor; `count` floats.
void hl_dropout_backward(const uint64_t *bits, float factor, const float *dy, float *dx, long count);

#endif
