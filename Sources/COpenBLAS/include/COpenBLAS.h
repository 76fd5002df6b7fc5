// Declarations of the few OpenBLAS entry points that are looked up with dlsym. Nothing here is linked: the library picks its kernel when it is loaded,
// so it must be loaded only after the environment has been set on purpose (see Kernels/OpenBLAS.swift).
#ifndef HEIRLOOM_COPENBLAS_H
#define HEIRLOOM_COPENBLAS_H

enum { heirloom_cblas_row_major = 101, heirloom_cblas_no_transpose = 111, heirloom_cblas_transpose = 112 };

// void cblas_sgemm(order, transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc), 32-bit integers (the LP64 interface).
typedef void (*heirloom_cblas_sgemm)(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int);
typedef void (*heirloom_openblas_set_num_threads)(int);
typedef char *(*heirloom_openblas_get_text)(void);

#endif
