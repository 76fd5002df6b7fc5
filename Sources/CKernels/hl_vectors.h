// Vectors of sixteen floats in the compiler's own notation. The same source is compiled once for every instruction set: on AVX2 a vector is two
// registers, on a baseline CPU four; the arithmetic, and so the bits, are the same.
#ifndef HEIRLOOM_VECTORS_H
#define HEIRLOOM_VECTORS_H

#include <stdint.h>

typedef float v16 __attribute__((vector_size(64)));
typedef float v16u __attribute__((vector_size(64), aligned(4)));
typedef int32_t v16i __attribute__((vector_size(64)));
typedef float v4 __attribute__((vector_size(16)));
typedef float v4u __attribute__((vector_size(16), aligned(4)));

// Vectors are passed to inlined functions only, so the calling convention that this warns of is never used.
#pragma clang diagnostic ignored "-Wpsabi"

#define HL_INLINE static inline __attribute__((always_inline))

// The functions between HL_BEGIN and HL_END are compiled for the instruction set that the including file names in HL_TARGET.
#define HL_STRING(x) #x
#define HL_PRAGMA(x) _Pragma(HL_STRING(x))
#ifdef HL_TARGET
#define HL_BEGIN HL_PRAGMA(clang attribute push(__attribute__((target(HL_TARGET))), apply_to = function))
#define HL_END HL_PRAGMA(clang attribute pop)
#else
#define HL_BEGIN
#define HL_END
#endif

#endif
