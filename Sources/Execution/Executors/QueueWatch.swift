import Artifacts
import Glibc
import Hashing
import JSONValues
import Planning
import Synchronization

/// What one run has in a queue: submits it, keeps asking about it, and says what became of it.
///
/// Three things hold whatever happens. The end file is the truth: what the queue says of a job's end counts only when no last word comes.
/// No information is never failure: a job of which nothing can be learned is waited for. And nothing is submitted twice: intent and claim
/// last before the queue hears of a job, and a claim that somebody else has on the key is adopted.
///
/// `@unchecked Sendable`: all but `commands`, `box`, `pipe` and `logs` is used on its own thread only, from `start` on.
final class QueueWatch: @unchecked Sendable {
  enum Command: Sendable {
    case submit([AttemptOrder])
    case cancel([Int], AttemptCancellation)
    case close
  }

  let queue: any QueueSystem
  /// As the run calls it.
  let name: String
  let run: String
  let store: Store
  let options: RunOptions
  let origin: RecipeRun.Origin
  let box: NewsBox
  private let pipe: WakePipe
  private let closed: WakePipe
  private let commands = Mutex<[Command]>([])
  private let logs = Mutex<[Int: String]>([:])

  var ledger: JobLedger
  /// By instance.
  var jobs: [Int: QueuedJob] = [:]
  /// The job that had the instance last: its claim is no reason not to submit another.
  var past: [Int: JobName] = [:]
  /// Batches whose submission may not have been heard.
  var unanswered: [String: QueueBatch] = [:]
  /// Bytes that an instance gets after it had too few.
  var memory: [Int: Int] = [:]
  /// How often the cluster failed an instance, and how often it had no time left without having come further.
  var troubles: [Int: Int] = [:]
  /// How often an instance was submitted again for no fault of its own.
  var resubmissions: [Int: Int] = [:]
  /// Nodes that failed, and how.
  var excluded: [(node: String, reason: String)] = []
  /// Jobs that go on without the run.
  var left: [QueueJobID] = []
  var mustAsk = true
  private var interval: Double
  private var nextQuestion = 0.0
  private var isClosing = false

  init(
    _ queue: any QueueSystem, named name: String, run: String, _ store: Store, _ options: RunOptions, _ origin: RecipeRun.Origin,
    _ box: NewsBox
  ) throws {
    self.queue = queue
    self.name = name
    self.run = run
    self.store = store
    self.options = options
    self.origin = origin
    self.box = box
    pipe = try WakePipe()
    closed = try WakePipe()
    ledger = JobLedger(run: run, in: store)
    interval = options.patience.quick
  }

  var patience: QueuePatience { options.patience }

  // MARK: - For the run's thread

  func start() { startThread { self.work() } }

  func tell(_ command: Command) {
    commands.withLock { $0.append(command) }
    pipe.wake(.resize)
  }

  func log(_ index: Int) -> String? { logs.withLock { $0[index] } }

  /// Ends the thread; hands back what people should know.
  func close() -> [String] {
    tell(.close)
    while closed.wait(within: nil).isEmpty {}
    return lastNotices
  }

  // MARK: - The loop

  private func work() {
    do throws(StoreError) {
      try ledger.begin(origin)
      while !isClosing { try round() }
    } catch { breakDown(error) }
    closed.wake(.resize)
  }

  private func round() throws(StoreError) {
    for command in commands.withLock({ commands in
      defer { commands = [] }
      return commands
    }) {
      switch command {
      case .submit(let orders): try take(orders)
      case .cancel(let indices, let how): try cancel(indices, how)
      case .close: isClosing = true
      }
    }
    if isClosing { return }
    var hasChanged = try hearLastWords()
    if monotonicSeconds() >= nextQuestion || mustAsk {
      if mustAsk { interval = patience.quick }
      mustAsk = false
      hasChanged = try ask() || hasChanged
      interval = hasChanged ? patience.quick : min(interval * 1.5, patience.slow)
      nextQuestion = monotonicSeconds() + interval
    }
    try concludeOverdue()
    _ = pipe.wait(within: jobs.isEmpty ? nil : pause)
  }

  /// Until last words are looked for, or the queue is asked.
  private var pause: Double {
    let isPressing = jobs.values.contains { if case .over = $0.state { true } else { false } }
    let files = min(isPressing ? patience.quick : interval, patience.files)
    return max(0, min(files, nextQuestion - monotonicSeconds()))
  }

  /// Without the store nothing can be known.
  private func breakDown(_ error: StoreError) {
    for index in jobs.keys.sorted() { complete(index, .broken(error)) }
    while !isClosing {
      for command in commands.withLock({ commands in
        defer { commands = [] }
        return commands
      }) {
        switch command {
        case .submit(let orders): for order in orders { box.post(.report(order.index, .broken(error))) }
        case .cancel: break
        case .close: isClosing = true
        }
      }
      if !isClosing { _ = pipe.wait(within: nil) }
    }
  }

  // MARK: - Jobs come and go

  func follow(_ job: QueuedJob) {
    jobs[job.order.index] = job
    logs.withLock { $0[job.order.index] = JobFiles(run: job.run, in: store).logPath(job.name) }
  }

  /// The run hears what became of the attempt.
  func complete(_ index: Int, _ report: AttemptReport) {
    if let job = jobs.removeValue(forKey: index) { past[index] = job.name }
    box.post(.report(index, report))
  }

  /// A node's or the queue's own account is better than nothing.
  func place(_ job: QueuedJob) -> AttemptPlace { AttemptPlace(executor: name, job: job.id?.text, node: job.node) }

  private var lastNotices: [String] {
    var notices = excluded.map { "\(name): node \($0.node) was left out after it had failed: \($0.reason)" }
    if !left.isEmpty {
      let jobs = left.count == 1 ? "1 job goes" : "\(left.count) jobs go"
      notices.append(
        "\(jobs) on in \(name) without this run (\(Self.listed(left.map(\.text)))): run again to wait for \(left.count == 1 ? "it" : "them"), "
          + "or take back with 'heirloom cancel --run \(run)'")
    }
    return notices
  }

  static func listed(_ texts: [String]) -> String {
    texts.prefix(8).joined(separator: ", ") + (texts.count > 8 ? " and \(texts.count - 8) more" : "")
  }
}
