import Dispatch
import Testing

/// Runs each test on a thread that is nobody else's. These tests wait for programs, for a minute and more, and there are as few shared
/// threads as processors: what speaks HTTP beside them would wait, too.
struct OwnThread: SuiteTrait, TestTrait, TestScoping {
  /// Where code runs that such a thread is for.
  fileprivate static let mark = DispatchSpecificKey<Bool>()

  var isRecursive: Bool { true }

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
  ) async throws {
    try await withTaskExecutorPreference(Executor()) { try await function() }
  }

  private final class Executor: TaskExecutor {
    private let queue = DispatchQueue(label: "test")

    init() { queue.setSpecific(key: OwnThread.mark, value: true) }

    func enqueue(_ job: consuming ExecutorJob) {
      let job = UnownedJob(job)
      queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
  }
}

extension Trait where Self == OwnThread {
  static var ownThread: Self { OwnThread() }
}

@Suite(.ownThread)
struct OwnThreadTests {
  private let began = DispatchQueue.getSpecific(key: OwnThread.mark)

  @Test("a test that waits does it on a thread of its own, from its suite's first line on", arguments: [1, 2])
  func place(_ number: Int) { #expect(began == true && DispatchQueue.getSpecific(key: OwnThread.mark) == true) }
}
