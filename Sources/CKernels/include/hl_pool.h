// A pool of threads that runs numbered tasks. It knows nothing of what a task computes.
#ifndef HEIRLOOM_POOL_H
#define HEIRLOOM_POOL_H

#include <stddef.h>

typedef struct hl_pool hl_pool;
typedef void (*hl_task)(void *context, long index);

// Starts threads - 1 workers (none for 1). NULL when a thread cannot be started.
hl_pool *hl_pool_create(int threads);
void hl_pool_destroy(hl_pool *pool);
int hl_pool_threads(const hl_pool *pool);

// Runs task(context, 0 ..< count), the caller taking part, and returns when all are done. Called from inside a task, or while another thread
// is using the pool, it runs the tasks on the caller alone.
void hl_pool_run(hl_pool *pool, long count, hl_task task, void *context);

// The calling thread's own scratch memory, 64-byte aligned, at least `bytes` long, kept until the thread ends and grown when needed
// (contents are not kept then). Slots are independent, so that routines that call each other do not share.
enum { hl_scratch_gemm = 0, hl_scratch_transposed = 1, hl_scratch_attention = 2, hl_scratch_shares = 3, hl_scratch_slots = 4 };
void *hl_scratch(int slot, size_t bytes);

#endif
