import Dispatch

/// Threads of the server's own, for Swift's are as few as there are processors: whoever else in this process keeps those busy does not keep
/// clients waiting.
final class ServingExecutor: TaskExecutor {
  static let shared = ServingExecutor()
  private let queue = DispatchQueue(label: "heirloom.serve", attributes: .concurrent)

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
