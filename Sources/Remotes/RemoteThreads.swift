import Artifacts
import Glibc

/// Threads for calls of remotes, which read files and wait for networks: nothing of that may run on Swift's cooperative pool, which has as
/// many threads as there are processors.
///
/// As a task's preferred executor it runs the task, all that the task awaits and all its children.
///
/// `@unchecked Sendable`: every field is guarded by `mutex`.
package final class RemoteThreads: TaskExecutor, @unchecked Sendable {
  private let most: Int
  private var mutex = pthread_mutex_t()
  private var changed = pthread_cond_t()
  private var jobs: [UnownedJob] = []
  private var next = 0
  private var threads = 0
  private var idle = 0
  private var isOver = false

  /// - Parameter most: threads at once; each call of a remote that blocks holds one.
  package init(_ most: Int) {
    self.most = max(2, most)
    pthread_mutex_init(&mutex, nil)
    pthread_cond_init(&changed, nil)
  }

  deinit {
    pthread_cond_destroy(&changed)
    pthread_mutex_destroy(&mutex)
  }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    pthread_mutex_lock(&mutex)
    jobs.append(job)
    let starts = jobs.count - next > idle && threads < most
    if starts { threads += 1 }
    pthread_cond_signal(&changed)
    pthread_mutex_unlock(&mutex)
    if starts { startThread { self.work() } }
  }

  /// Threads end when there is nothing left to do for them; a later job starts them again.
  package func finish() {
    pthread_mutex_lock(&mutex)
    isOver = true
    pthread_cond_broadcast(&changed)
    pthread_mutex_unlock(&mutex)
  }

  private func work() {
    let executor = asUnownedTaskExecutor()
    while let job = take() { job.runSynchronously(on: executor) }
  }

  private func take() -> UnownedJob? {
    pthread_mutex_lock(&mutex)
    defer { pthread_mutex_unlock(&mutex) }
    idle += 1
    while next == jobs.count, !isOver { pthread_cond_wait(&changed, &mutex) }
    idle -= 1
    guard next < jobs.count else {
      threads -= 1
      return nil
    }
    let job = jobs[next]
    next += 1
    if next == jobs.count {
      jobs.removeAll(keepingCapacity: true)
      next = 0
    }
    return job
  }

  /// Does `body` on these threads and blocks the calling thread, which must not be one of them nor of the cooperative pool, until it is done.
  package func wait<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) throws -> Result {
    let done = Landing<Swift.Result<Result, any Error>>()
    Task(executorPreference: self) {
      do { done.land(.success(try await body())) } catch { done.land(.failure(error)) }
    }
    return try done.wait().get()
  }
}

/// A value that one thread waits for and another brings.
///
/// `@unchecked Sendable`: the value is guarded by `mutex`.
final class Landing<Value: Sendable>: @unchecked Sendable {
  private var mutex = pthread_mutex_t()
  private var changed = pthread_cond_t()
  private var value: Value?

  init() {
    pthread_mutex_init(&mutex, nil)
    pthread_cond_init(&changed, nil)
  }

  deinit {
    pthread_cond_destroy(&changed)
    pthread_mutex_destroy(&mutex)
  }

  func land(_ value: Value) {
    pthread_mutex_lock(&mutex)
    if self.value == nil { self.value = value }
    pthread_cond_broadcast(&changed)
    pthread_mutex_unlock(&mutex)
  }

  func wait() -> Value {
    pthread_mutex_lock(&mutex)
    defer { pthread_mutex_unlock(&mutex) }
    while true {
      if let value { return value }
      pthread_cond_wait(&changed, &mutex)
    }
  }
}
