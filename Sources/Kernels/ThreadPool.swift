import CKernels

/// Threads that run numbered tasks. It knows nothing of what a task computes, and nothing computed with it depends on the number of
/// threads: which thread runs a task is left to chance, so a task must write only what is its own.
///
/// `@unchecked Sendable`: the C pool behind `handle` is immutable here and synchronises itself.
package final class ThreadPool: @unchecked Sendable {
  package let threads: Int
  /// The C pool, for kernels of this module that split their own work.
  let handle: OpaquePointer

  /// Starts `threads - 1` workers; none when `threads` is 1. Idle workers spin for some 50 µs and then sleep.
  package init(threads: Int) {
    precondition(threads >= 1, "a pool needs at least one thread, not \(threads)")
    guard let pool = hl_pool_create(Int32(threads)) else { preconditionFailure("cannot start \(threads) threads") }
    handle = pool
    self.threads = threads
  }

  deinit { hl_pool_destroy(handle) }

  /// Runs `body(0 ..< tasks)`, the caller taking part, and returns when all have ended. A call from inside a task, or while another thread
  /// is using the pool, runs its tasks one after the other on the caller.
  package func run(_ tasks: Int, _ body: (Int) -> Void) {
    withoutActuallyEscaping(body) { body in
      withUnsafePointer(to: body) { pointer in
        hl_pool_run(
          handle, tasks, { context, index in context!.assumingMemoryBound(to: ((Int) -> Void).self).pointee(index) },
          .init(mutating: pointer))
      }
    }
  }
}
