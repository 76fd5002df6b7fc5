#if defined(__x86_64__)
#define HL_TABLE hl_rows_avx2
#define HL_TARGET "avx2,fma"
#include "hl_row_kernels.inc"
#endif
