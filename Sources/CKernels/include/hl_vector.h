// Elementwise functions and row reductions on vectors.
#ifndef HEIRLOOM_VECTOR_H
#define HEIRLOOM_VECTOR_H
#endif
