#if defined(__x86_64__)
#define HL_TABLE hl_rows_avx512
#define HL_TARGET "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"
#include "hl_row_kernels.inc"
#endif
