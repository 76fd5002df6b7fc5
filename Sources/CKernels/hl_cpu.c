#include "hl_cpu.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static hl_isa best = hl_isa_generic;
static char name[64] = "";
static _Atomic int overridden = -1;

#if defined(__x86_64__)
#include <cpuid.h>

static uint64_t enabledState(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

static void look(void) {
  uint32_t a, b, c, d;
  uint32_t brand[12];
  if (__get_cpuid_max(0x80000000, NULL) >= 0x80000004) {
    for (uint32_t i = 0; i < 3; i++) {
      __get_cpuid(0x80000002 + i, &brand[4 * i], &brand[4 * i + 1], &brand[4 * i + 2], &brand[4 * i + 3]);
    }
    memcpy(name, brand, sizeof brand);
    name[sizeof brand] = 0;
  }
  if (!__get_cpuid(1, &a, &b, &c, &d)) return;
  bool fma = c & (1u << 12), osxsave = c & (1u << 27), avx = c & (1u << 28);
  if (!fma || !osxsave || !avx) return;
  uint64_t state = enabledState();
  if ((state & 0x06) != 0x06 || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return;
  if (!(b & (1u << 5))) return;
  best = hl_isa_avx2;
  bool f = b & (1u << 16), dq = b & (1u << 17), bw = b & (1u << 30), vl = b & (1u << 31);
  if (f && dq && bw && vl && (state & 0xe6) == 0xe6) best = hl_isa_avx512;
}
#else
static void look(void) {}
#endif

static void lookUnderMask(void) {
  look();
  const char *mask = getenv("HEIRLOOM_KERNELS");
  if (!mask) return;
  hl_isa most = strcmp(mask, "generic") == 0 ? hl_isa_generic : strcmp(mask, "avx2") == 0 ? hl_isa_avx2 : hl_isa_avx512;
  if (best > most) best = most;
}

hl_isa hl_isa_best(void) {
  pthread_once(&once, lookUnderMask);
  return best;
}

hl_isa hl_isa_current(void) {
  int value = atomic_load_explicit(&overridden, memory_order_relaxed);
  return value < 0 ? hl_isa_best() : (hl_isa)value;
}

bool hl_isa_override(hl_isa isa) {
  if (isa > hl_isa_best()) return false;
  atomic_store(&overridden, (int)isa);
  return true;
}

const char *hl_cpu_name(void) {
  pthread_once(&once, lookUnderMask);
  return name;
}
