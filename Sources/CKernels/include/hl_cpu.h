// Which instruction set the kernels of this process use.
#ifndef HEIRLOOM_CPU_H
#define HEIRLOOM_CPU_H

#include <stdbool.h>

typedef enum {
  hl_isa_generic = 0,  // plain vectors of the build's baseline; used on aarch64, and on x86-64 without AVX2 and FMA (slow there)
  hl_isa_avx2 = 1,     // AVX2 and FMA
  hl_isa_avx512 = 2    // AVX-512 F, BW, DQ, VL
} hl_isa;

// The best set this CPU and operating system support, found once.
hl_isa hl_isa_best(void);
// The set in use: the best one, unless overridden.
hl_isa hl_isa_current(void);
// For tests and measurements: use `isa` from now on. False, and no change, when the CPU lacks it. Results do not depend on it.
bool hl_isa_override(hl_isa isa);
// The CPU's brand string, "" when unknown. Static storage.
const char *hl_cpu_name(void);

#endif
