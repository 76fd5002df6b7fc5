// For the build's baseline.
#define HL_TABLE hl_rows_generic
#include "hl_row_kernels.inc"
