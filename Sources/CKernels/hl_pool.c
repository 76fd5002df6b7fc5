#define _GNU_SOURCE
#include "hl_pool.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// A job is claimed task by task from `ticket`: the generation in the upper half, the next task in the lower. While the caller changes the job's
// fields the ticket is closed (odd generation), so a worker that read the old ticket fails its compare-and-swap and never runs a stale task.
struct hl_pool {
  _Alignas(64) _Atomic uint64_t ticket;
  _Alignas(64) _Atomic long done;
  _Alignas(64) _Atomic uint32_t wake;       // raised with every job; the workers' futex
  _Atomic uint32_t sleepers;                // workers inside futex_wait, or about to be
  _Atomic uint32_t finished;                // raised when the last task ends; the caller's futex
  _Atomic bool callerSleeps;
  _Atomic bool ending;
  _Atomic long count;
  _Atomic(hl_task) task;
  _Atomic(void *) context;
  pthread_mutex_t user;                     // held by the thread that is running a job
  int threads;
  pthread_t workers[];
};

static _Thread_local bool insideTask = false;

static const int64_t spinNanoseconds = 50000;

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void futexWait(_Atomic uint32_t *word, uint32_t expected) {
  syscall(SYS_futex, (uint32_t *)word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}

static void futexWake(_Atomic uint32_t *word, int waiters) {
  syscall(SYS_futex, (uint32_t *)word, FUTEX_WAKE_PRIVATE, waiters, NULL, NULL, 0);
}

// Claims and runs tasks of the current job until none is left.
static void takePart(hl_pool *pool) {
  for (;;) {
    uint64_t ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire);
    if ((ticket >> 32) & 1) return;
    long count = atomic_load_explicit(&pool->count, memory_order_relaxed);
    hl_task task = atomic_load_explicit(&pool->task, memory_order_relaxed);
    void *context = atomic_load_explicit(&pool->context, memory_order_relaxed);
    long index = (long)(uint32_t)ticket;
    if (index >= count) return;
    if (!atomic_compare_exchange_weak_explicit(&pool->ticket, &ticket, ticket + 1, memory_order_acq_rel, memory_order_relaxed)) continue;
    insideTask = true;
    task(context, index);
    insideTask = false;
    if (atomic_fetch_add_explicit(&pool->done, 1, memory_order_seq_cst) + 1 == count) {
      atomic_fetch_add_explicit(&pool->finished, 1, memory_order_seq_cst);
      if (atomic_load_explicit(&pool->callerSleeps, memory_order_seq_cst)) futexWake(&pool->finished, 1);
    }
  }
}

static void *work(void *argument) {
  hl_pool *pool = argument;
  uint32_t seen = 0;
  while (!atomic_load_explicit(&pool->ending, memory_order_acquire)) {
    int64_t deadline = now() + spinNanoseconds;
    uint32_t wake;
    while ((wake = atomic_load_explicit(&pool->wake, memory_order_acquire)) == seen) {
      for (int i = 0; i < 32; i++) relax();
      if (now() < deadline) continue;
      atomic_fetch_add_explicit(&pool->sleepers, 1, memory_order_seq_cst);
      if (atomic_load_explicit(&pool->wake, memory_order_seq_cst) == seen) futexWait(&pool->wake, seen);
      atomic_fetch_sub_explicit(&pool->sleepers, 1, memory_order_seq_cst);
    }
    seen = wake;
    takePart(pool);
  }
  return NULL;
}

static void announce(hl_pool *pool) {
  atomic_fetch_add_explicit(&pool->wake, 1, memory_order_seq_cst);
  if (atomic_load_explicit(&pool->sleepers, memory_order_seq_cst) > 0) futexWake(&pool->wake, INT_MAX);
}

hl_pool *hl_pool_create(int threads) {
  if (threads < 1) threads = 1;
  size_t bytes = sizeof(hl_pool) + (size_t)threads * sizeof(pthread_t);
  hl_pool *pool = NULL;
  if (posix_memalign((void **)&pool, 64, (bytes + 63) / 64 * 64) != 0) return NULL;
  __builtin_memset(pool, 0, bytes);
  pthread_mutex_init(&pool->user, NULL);
  atomic_store(&pool->ticket, (uint64_t)1 << 32);
  pool->threads = 1;
  // Signals are the program's business: a worker takes none.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool complete = true;
  for (int i = 1; i < threads && complete; i++) {
    complete = pthread_create(&pool->workers[i], NULL, work, pool) == 0;
    if (complete) pool->threads = i + 1;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (!complete) {
    hl_pool_destroy(pool);
    return NULL;
  }
  return pool;
}

void hl_pool_destroy(hl_pool *pool) {
  atomic_store(&pool->ending, true);
  announce(pool);
  for (int i = 1; i < pool->threads; i++) pthread_join(pool->workers[i], NULL);
  pthread_mutex_destroy(&pool->user);
  free(pool);
}

int hl_pool_threads(const hl_pool *pool) { return pool->threads; }

static void runInline(long count, hl_task task, void *context) {
  for (long i = 0; i < count; i++) task(context, i);
}

void hl_pool_run(hl_pool *pool, long count, hl_task task, void *context) {
  if (count <= 1 || pool->threads == 1 || insideTask || pthread_mutex_trylock(&pool->user) != 0) {
    runInline(count, task, context);
    return;
  }
  // Close, describe, open: see `takePart`. Between jobs the ticket is exhausted or closed, so nobody claims from it here.
  uint32_t generation = (uint32_t)(atomic_load_explicit(&pool->ticket, memory_order_relaxed) >> 32) | 1;
  atomic_store_explicit(&pool->ticket, (uint64_t)generation << 32, memory_order_seq_cst);
  atomic_store_explicit(&pool->count, count, memory_order_relaxed);
  atomic_store_explicit(&pool->task, task, memory_order_relaxed);
  atomic_store_explicit(&pool->context, context, memory_order_relaxed);
  atomic_store_explicit(&pool->done, 0, memory_order_relaxed);
  atomic_store_explicit(&pool->ticket, (uint64_t)(generation + 1) << 32, memory_order_seq_cst);
  announce(pool);
  takePart(pool);

  int64_t deadline = 0;
  while (atomic_load_explicit(&pool->done, memory_order_acquire) != count) {
    for (int i = 0; i < 32; i++) relax();
    int64_t time = now();
    if (deadline == 0) deadline = time + spinNanoseconds;
    if (time < deadline) continue;
    atomic_store_explicit(&pool->callerSleeps, true, memory_order_seq_cst);
    uint32_t finished = atomic_load_explicit(&pool->finished, memory_order_seq_cst);
    if (atomic_load_explicit(&pool->done, memory_order_seq_cst) != count) futexWait(&pool->finished, finished);
    atomic_store_explicit(&pool->callerSleeps, false, memory_order_seq_cst);
  }
  pthread_mutex_unlock(&pool->user);
}

// MARK: - Scratch

typedef struct {
  void *memory[hl_scratch_slots];
  size_t bytes[hl_scratch_slots];
} scratch;

static pthread_key_t scratchKey;
static pthread_once_t scratchOnce = PTHREAD_ONCE_INIT;
static _Thread_local scratch *ownScratch = NULL;

static void freeScratch(void *argument) {
  scratch *s = argument;
  for (int i = 0; i < hl_scratch_slots; i++) {
    if (s->memory[i]) munmap(s->memory[i], s->bytes[i]);
  }
  free(s);
}

static void makeScratchKey(void) { pthread_key_create(&scratchKey, freeScratch); }

void *hl_scratch(int slot, size_t bytes) {
  if (!ownScratch) {
    pthread_once(&scratchOnce, makeScratchKey);
    ownScratch = calloc(1, sizeof(scratch));
    if (!ownScratch) abort();
    pthread_setspecific(scratchKey, ownScratch);
  }
  if (ownScratch->bytes[slot] < bytes) {
    if (ownScratch->memory[slot]) munmap(ownScratch->memory[slot], ownScratch->bytes[slot]);
    size_t huge = (size_t)2 << 20;
    size_t rounded = (bytes + huge - 1) / huge * huge;
    void *memory = mmap(NULL, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) abort();
    madvise(memory, rounded, MADV_HUGEPAGE);
    ownScratch->memory[slot] = memory;
    ownScratch->bytes[slot] = rounded;
  }
  return ownScratch->memory[slot];
}
