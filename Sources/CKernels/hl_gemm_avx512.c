#if defined(__x86_64__)
#define HL_TABLE hl_gemm_avx512
#define HL_TARGET "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"
#define HL_MR 8
#define HL_WIDTH 16
#define HL_VECTORS 3
#include "hl_gemm_kernels.inc"
#endif
