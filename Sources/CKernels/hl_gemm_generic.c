// For the build's baseline: NEON on aarch64; on x86-64 without FMA every multiply-add is a call, which is slow but gives the same bits.
#define HL_TABLE hl_gemm_generic
#define HL_MR 6
#define HL_WIDTH 8
#define HL_VECTORS 2
#include "hl_gemm_kernels.inc"
