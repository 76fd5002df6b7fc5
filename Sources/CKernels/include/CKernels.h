// The engine's arithmetic in C: thread pool, matrix products, attention, row reductions. Everything is row-major float32.
#ifndef HEIRLOOM_CKERNELS_H
#define HEIRLOOM_CKERNELS_H

#include "hl_attention.h"
#include "hl_attention_decode.h"
#include "hl_cpu.h"
#include "hl_gemm.h"
#include "hl_pool.h"
#include "hl_vector.h"

#endif
