#if defined(__x86_64__)
#define HL_TABLE hl_gemm_avx2
#define HL_TARGET "avx2,fma"
#define HL_MR 6
#define HL_WIDTH 8
#define HL_VECTORS 2
#include "hl_gemm_kernels.inc"
#endif
