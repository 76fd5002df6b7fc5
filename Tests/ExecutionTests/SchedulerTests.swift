import Execution
import Foundation
import Testing

@Suite("Scheduler")
struct SchedulerTests {
  /// Ten thousand graphs, or as many as HEIRLOOM_SCHEDULER_GRAPHS says.
  private static let blocks = max(1, (ProcessInfo.processInfo.environment["HEIRLOOM_SCHEDULER_GRAPHS"].flatMap { Int($0) } ?? 10_000) / 500)

  @Test("over random graphs, failures, retries, locks, lost bytes and interrupts, every rule holds", arguments: 0..<blocks)
  func properties(block: Int) {
    for seed in 0..<500 {
      let seed = UInt64(block * 500 + seed)
      let faults = Self.play(seed, .max)
      if faults.isEmpty { continue }
      // The same world with fewer instances, as small as it still goes wrong.
      let size = (1...40).first { !Self.play(seed, $0).isEmpty } ?? 40
      Issue.record("seed \(seed): \(faults[0]); with \(size) instances: \(Self.play(seed, size).first ?? "well")")
    }
  }

  private static func play(_ seed: UInt64, _ size: Int) -> [String] {
    var simulation = SchedulerSimulation(seed: seed, size: size)
    simulation.play()
    return simulation.faults
  }

  @Test("waiting for another run's lock uses up no retry")
  func blockedKeepsRetries() {
    var scheduler = Scheduler(tasks: tasks([[]], retries: 1), limits: Scheduler.Limits(jobs: 1, cpus: 1))
    _ = scheduler.handle(.begin, now: 0)
    _ = scheduler.handle(.judged(0, .run), now: 0)
    #expect(scheduler.handle(.ended(0, .blocked), now: 1) == [])
    #expect(scheduler.handle(.unblocked(0), now: 2) == [.judge(0, .outputs)])
    #expect(scheduler.handle(.judged(0, .run), now: 2) == [.start(0, attempt: 1, gpus: [])])
    #expect(scheduler.handle(.ended(0, .failed), now: 3) == [.retry(0, afterSeconds: 1)])
  }

  private func tasks(_ dependencies: [[Int]], seconds: [Double]? = nil, retries: Int = 0) -> [Scheduler.Task] {
    var tasks = dependencies.enumerated().map { index, needed in
      Scheduler.Task(dependencies: needed, retries: retries, expectedSeconds: seconds?[index] ?? 1)
    }
    for (index, needed) in dependencies.enumerated() { for dependency in needed { tasks[dependency].dependents.append(index) } }
    return tasks
  }

  @Test("the longest remaining path starts first")
  func longestPath() {
    var scheduler = Scheduler(tasks: tasks([[], [], [1]], seconds: [3, 1, 4]), limits: Scheduler.Limits(jobs: 1, cpus: 1))
    #expect(scheduler.handle(.begin, now: 0) == [.judge(0, .outputs), .judge(1, .outputs)])
    #expect(scheduler.handle(.judged(1, .run), now: 0) == [.start(1, attempt: 1, gpus: [])])
    #expect(scheduler.handle(.judged(0, .run), now: 0) == [])
    #expect(
      scheduler.handle(.ended(1, .succeeded(changed: true)), now: 1) == [
        .finish(1, .ran, because: nil), .judge(2, .outputs), .start(0, attempt: 1, gpus: []),
      ])
  }

  @Test("retries back off and double")
  func backOff() {
    var scheduler = Scheduler(tasks: tasks([[]], retries: 2), limits: Scheduler.Limits(jobs: 1, cpus: 1))
    _ = scheduler.handle(.begin, now: 0)
    _ = scheduler.handle(.judged(0, .run), now: 0)
    #expect(scheduler.handle(.ended(0, .failed), now: 10) == [.retry(0, afterSeconds: 1)])
    #expect(scheduler.nextDeadline == 11)
    #expect(scheduler.handle(.tick, now: 11) == [.start(0, attempt: 2, gpus: [])])
    #expect(scheduler.handle(.ended(0, .failed), now: 20) == [.retry(0, afterSeconds: 2)])
    #expect(scheduler.handle(.tick, now: 22) == [.start(0, attempt: 3, gpus: [])])
    #expect(scheduler.handle(.ended(0, .failed), now: 30) == [.finish(0, .failed, because: nil)])
  }

  @Test("a timeout asks first and ends by force after the grace period")
  func timeout() {
    var task = Scheduler.Task()
    task.timeoutSeconds = 5
    var scheduler = Scheduler(tasks: [task], limits: Scheduler.Limits(jobs: 1, cpus: 1))
    _ = scheduler.handle(.begin, now: 0)
    _ = scheduler.handle(.judged(0, .run), now: 1)
    #expect(scheduler.handle(.tick, now: 5.9) == [])
    #expect(scheduler.handle(.tick, now: 6) == [.stop(0, .timeout)])
    #expect(scheduler.handle(.tick, now: 16) == [.kill(0)])
  }

  @Test("the first interrupt stops and gives checkpoints their time, the second ends by force")
  func interrupt() {
    var first = Scheduler.Task(dependents: [1])
    first.checkpoints = true
    var scheduler = Scheduler(tasks: [first, Scheduler.Task(dependencies: [0])], limits: Scheduler.Limits(jobs: 1, cpus: 1))
    _ = scheduler.handle(.begin, now: 0)
    _ = scheduler.handle(.judged(0, .run), now: 0)
    #expect(scheduler.handle(.interrupt, now: 1) == [.finish(1, .interrupted, because: nil), .stop(0, .interrupt)])
    #expect(scheduler.nextDeadline == nil)
    #expect(scheduler.handle(.interrupt, now: 2) == [.kill(0)])
    #expect(scheduler.handle(.ended(0, .stopped), now: 3) == [.finish(0, .interrupted, because: nil)])
    #expect(scheduler.isDone)
  }

  @Test("what is tried again after its input came out different is judged again first")
  func outdatedRetry() {
    var scheduler = Scheduler(tasks: tasks([[], [0], [0]], retries: 1), limits: Scheduler.Limits(jobs: 2, cpus: 2))
    _ = scheduler.handle(.begin, now: 0)
    _ = scheduler.handle(.judged(0, .cached(changed: true)), now: 0)
    #expect(scheduler.handle(.judged(1, .run), now: 0) == [.start(1, attempt: 1, gpus: [])])
    #expect(scheduler.handle(.judged(2, .needs([0])), now: 0) == [.judge(0, .bytes)])
    _ = scheduler.handle(.judged(0, .run), now: 0)
    #expect(scheduler.handle(.ended(0, .succeeded(changed: true)), now: 1) == [.finish(0, .ran, because: nil), .judge(2, .outputs)])
    #expect(scheduler.handle(.ended(1, .failed), now: 1) == [.retry(1, afterSeconds: 1)])
    #expect(scheduler.handle(.tick, now: 2) == [.judge(1, .outputs)])
    #expect(scheduler.handle(.judged(1, .run), now: 2) == [.start(1, attempt: 2, gpus: [])])
  }

  @Test("a verdict on inputs that came out different meanwhile is asked for again")
  func outdatedVerdict() {
    var scheduler = Scheduler(tasks: tasks([[], [0], [0]]), limits: Scheduler.Limits(jobs: 2, cpus: 2))
    _ = scheduler.handle(.begin, now: 0)
    _ = scheduler.handle(.judged(0, .cached(changed: true)), now: 0)
    #expect(scheduler.handle(.judged(2, .needs([0])), now: 0) == [.judge(0, .bytes)])
    #expect(scheduler.handle(.judged(0, .run), now: 0) == [.start(0, attempt: 1, gpus: [])])
    _ = scheduler.handle(.ended(0, .succeeded(changed: true)), now: 1)
    #expect(scheduler.handle(.judged(1, .cached(changed: true)), now: 1) == [.judge(1, .outputs)])
  }

  @Test("what needs bytes made again is not kept waiting for another input that has failed")
  func reopenedBesideFailure() {
    var scheduler = Scheduler(tasks: tasks([[], [], [0, 1], [0]]), limits: Scheduler.Limits(jobs: 1, cpus: 1, keepGoing: true))
    _ = scheduler.handle(.begin, now: 0)
    _ = scheduler.handle(.judged(0, .cached(changed: true)), now: 0)
    _ = scheduler.handle(.judged(1, .cached(changed: true)), now: 0)
    #expect(scheduler.handle(.judged(2, .run), now: 0) == [.start(2, attempt: 1, gpus: [])])
    #expect(scheduler.handle(.judged(3, .needs([0])), now: 0) == [.judge(0, .bytes)])
    _ = scheduler.handle(.ended(2, .blocked), now: 1)
    #expect(scheduler.handle(.judged(0, .failed), now: 1) == [.finish(0, .failed, because: nil), .finish(3, .skipped, because: 0)])
    #expect(scheduler.handle(.unblocked(2), now: 2) == [.judge(2, .outputs)])
    #expect(scheduler.handle(.judged(2, .needs([1])), now: 2) == [.finish(2, .skipped, because: 0)])
    #expect(scheduler.isDone)
  }

  @Test("those behind it hear of new outputs, although it had to be judged once more at once")
  func lateNews() {
    var scheduler = Scheduler(tasks: tasks([[], [0], [1], [0], [1]]), limits: Scheduler.Limits(jobs: 2, cpus: 2))
    _ = scheduler.handle(.begin, now: 0)
    for index in 0...2 { _ = scheduler.handle(.judged(index, .cached(changed: true)), now: 0) }
    #expect(scheduler.handle(.judged(4, .needs([1])), now: 0) == [.judge(1, .bytes)])
    _ = scheduler.handle(.judged(1, .run), now: 0)
    #expect(scheduler.handle(.judged(3, .needs([0])), now: 0) == [.judge(0, .bytes)])
    _ = scheduler.handle(.judged(0, .run), now: 0)
    _ = scheduler.handle(.ended(0, .succeeded(changed: true)), now: 1)
    #expect(scheduler.handle(.ended(1, .succeeded(changed: true)), now: 1) == [.finish(1, .ran, because: nil), .judge(1, .outputs)])
    #expect(
      scheduler.handle(.judged(1, .cached(changed: false)), now: 1) == [
        .finish(1, .cached, because: nil), .judge(2, .outputs), .judge(4, .outputs),
      ])
  }
}
