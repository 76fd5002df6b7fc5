// The engine's arithmetic in C: thread pool, matrix products, attention, row reductions (everything is row-major float32); and writeback.
#ifndef HEIRLOOM_CKERNELS_H
#define HEIRLOOM_CKERNELS_H

#include "hl_attention.h"
#include "hl_attention_decode.h"
#include "hl_cpu.h"
#include "hl_dropout.h"
#include "hl_gemm.h"
#include "hl_pool.h"
#include "hl_vector.h"
#include "hl_writeback.h"

#endif
