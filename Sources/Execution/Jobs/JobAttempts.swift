import Artifacts
import Glibc
import JSONValues
import Planning

/// The attempts of one job at its instance: one where a runner waits, who counts them; where none does, as many as the instance may have.
struct JobAttempts {
  private let job: JobRun
  private let recipe: Recipe
  private var order: AttemptOrder
  private let executor: LocalExecutor
  private var isAskedToStop = false
  /// Ended because its time was up.
  private var isOverTime = false

  init(_ job: JobRun, _ recipe: Recipe, _ order: AttemptOrder) throws {
    self.job = job
    self.recipe = recipe
    self.order = order
    let setting = try AttemptSetting(recipe, run: job.batch.run, job.store, job.options, queue: job.place)
    executor = LocalExecutor(setting, jobs: 1, job.pipe)
  }

  /// Nil when the job is to be started again and has no last word. What it speaks of lasts.
  mutating func report() throws -> JobEnd.Report? {
    let report = try attemptAll()
    _ = try executor.finish()
    return report
  }

  private mutating func attemptAll() throws -> JobEnd.Report? {
    var failures = 0
    while true {
      let report = try attempt()
      if isAskedToStop, let report = try stopped(report) { return report.end }
      switch report {
      case .blocked: try waitForLock()
      case .failed, .stopped:
        failures += 1
        guard job.batch.isHandedOver, failures <= order.instance.retries, !isAskedToStop else { return end(report) }
        _ = wait(within: min(job.options.backOffSeconds * Double(1 << min(failures - 1, 16)), 60))
        order = order.again
      default: return end(report)
      }
      if isAskedToStop { return try stopped(.blocked(nil))?.end }
    }
  }

  // MARK: - One attempt

  private mutating func attempt() throws -> AttemptReport {
    try job.record.note(
      "started",
      [
        ("instance", .string(order.instance.name)), ("key", .string(order.key.digest.text)), ("attempt", .integer(order.attempt)),
        ("node", .string(ProcessIdentity.hostName)),
      ] + (job.place.id.map { [("job", .string($0))] } ?? []))
    executor.submit([order])
    isOverTime = false
    var deadline = order.instance.timeoutSeconds.map { monotonicSeconds() + $0 }
    while true {
      for news in executor.poll() {
        switch news {
        case .report(_, .storing): break
        case .report(_, let report): return isOverTime ? overTime(report) : report
        case .notice(let text): StandardError.line("note: \(text)")
        default: break
        }
      }
      let wasAsked = isAskedToStop
      let isTold = wait(within: deadline.map { max(0, $0 - monotonicSeconds()) })
      // Slurm and the script that it runs both say it, so a second time says no more; force is the system's own matter.
      if isTold, !wasAsked { executor.cancel([order.index], .stop) }
      guard let limit = deadline, limit <= monotonicSeconds() else { continue }
      if isOverTime { executor.cancel([order.index], .end) }
      if !isOverTime, !isAskedToStop { executor.cancel([order.index], .stop) }
      isOverTime = true
      deadline = monotonicSeconds() + job.options.graceSeconds
    }
  }

  private func overTime(_ report: AttemptReport) -> AttemptReport {
    guard case .failed(var problem) = report.asFailure else { return report }
    problem.message = StageProblem.overTime(order.instance.timeoutSeconds ?? 0).message
    problem.isKilled = false
    return .failed(problem)
  }

  /// True when the system has just asked the job to stop.
  private mutating func wait(within seconds: Double?) -> Bool {
    let isTold = job.pipe.wait(within: seconds).contains(.interrupt)
    if isTold { isAskedToStop = true }
    return isTold
  }

  private mutating func waitForLock() throws(StoreError) {
    while !isAskedToStop {
      if let lock = try FileLock.attempt(job.store.lockPath(order.key.digest), .exclusive, job.store.files) { return lock.release() }
      if let owner = try job.store.owner(ofLock: order.key.digest), Orphan.isGone(owner) { return }
      _ = wait(within: Self.lockPollSeconds)
    }
  }

  private static let lockPollSeconds = 0.5

  // MARK: - Ends

  private struct Stopped { let end: JobEnd.Report? }

  /// What a job that was asked to stop has to say; nil when what came out is as good as if it had not been asked.
  private func stopped(_ report: AttemptReport) throws(StoreError) -> Stopped? {
    switch report {
    case .succeeded, .found, .broken: return nil
    default: break
    }
    guard try job.store.files.exists(job.files.withdrawalPath(JobName(batch: job.batch.name, index: job.member.index))) else {
      return Stopped(end: nil)
    }
    return Stopped(end: .withdrawn(StageProblem("its job was taken back; run again to go on")))
  }

  private func end(_ report: AttemptReport) -> JobEnd.Report {
    switch report {
    case .succeeded(let summary, let novelty, let seconds, let warnings):
      show(summary)
      return .succeeded(novelty: novelty.map { "\($0)" }, seconds: seconds, warnings: warnings)
    case .found(let summary):
      show(summary)
      return .found
    case .failed(let problem): return .failed(problem)
    case .stopped(let problem): return .stopped(problem)
    case .withdrawn(let problem): return .withdrawn(problem)
    case .broken(let error): return .broken("\(error)")
    case .blocked, .storing: return .failed(StageProblem("failed"))
    }
  }

  /// A view is a convenience: the result is there all the same.
  private func show(_ summary: ResultSummary) { try? job.show(summary, order.instance, recipe.graph) }
}

extension AttemptReport {
  fileprivate var asFailure: AttemptReport {
    if case .stopped(let problem) = self { .failed(problem) } else { self }
  }
}

extension AttemptOrder {
  /// The next attempt at the same.
  fileprivate var again: AttemptOrder {
    AttemptOrder(
      instance, key, attempt: attempt + 1, gpus: gpus, inputs: inputs, isRerun: isRerun, needsBytes: needsBytes, memoryLimit: memoryLimit,
      isHermetic: isHermetic)
  }
}
