import Artifacts
import JSONValues
import Planning

/// What is made of jobs that are over without a last word.
extension QueueWatch {
  func concludeOverdue() throws(StoreError) {
    for (index, job) in jobs.sorted(by: { $0.key < $1.key }) {
      guard case .over(let end, let since) = job.state, monotonicSeconds() - since > wait(for: job) else { continue }
      // It may have come since.
      if try JobFiles(run: job.run, in: store).end(job.name) != nil { continue }
      try conclude(end, index, job)
    }
  }

  /// Of a job that was over when it was looked at for the first time, nothing late is to be expected; nor of one that was taken back.
  private func wait(for job: QueuedJob) -> Double {
    let wasSeen = job.hasBegun || job.standing != nil || !job.isAdopted
    return wasSeen && !job.isCancelled ? patience.lateFiles : min(patience.lateFiles, 2)
  }

  private func conclude(_ end: QueueEnd, _ index: Int, _ job: QueuedJob) throws(StoreError) {
    if job.isAdopted, !job.hasBegun, job.standing == nil { return try submitAgain(index) }
    // It may have begun between two looks; what was taken back out of the queue has not.
    if !job.hasBegun, !job.isCancelled, !end.isCancellation { box.post(.began(index, place(job))) }
    if let usage = job.usage { box.post(.took(index, JobUsage(usage, job))) }
    if job.isCancelled { return try fail(index, .withdrawn(StageProblem("its job was taken back; run again to go on"))) }
    switch end {
    case .exited(75): try resume(index, job, "its job stopped, and the queue did not start it again")
    case .exited(let status): try fail(index, .failed(problem("its job exited with status \(status) without a last word", job)))
    case .outOfMemory:
      giveMore(job)
      var problem = problem(outOfMemory(job), job)
      problem.isOutOfMemory = true
      try fail(index, .failed(problem))
    case .timeLimit: try resume(index, job, "its job ran out of its time in \(name)")
    case .cancelled(let person):
      let who = person.map { " by \($0)" } ?? ""
      try fail(index, .withdrawn(StageProblem("its job\(job.id.map { " \($0)" } ?? "") was cancelled\(who); run again to go on")))
    case .infrastructure(let reason): try bear(reason, index, job)
    }
  }

  func outOfMemory(_ job: QueuedJob) -> String {
    let had = given(job).map { " it was given (\(Quantity.text(bytes: $0)))" } ?? ""
    let way = job.order.instance.retries == 0 ? "; with 'retries', a further attempt gets twice as much" : ""
    return "its job ran out of the memory\(had)\(way)"
  }

  /// The end of this attempt: the key is free for others.
  private func fail(_ index: Int, _ report: AttemptReport) throws(StoreError) {
    if let job = jobs[index] { try JobLedger.release(job.order.key.digest, job.name, store) }
    complete(index, report)
  }

  /// The stage's log if it has one, else what the job itself printed.
  private func problem(_ message: String, _ job: QueuedJob) -> StageProblem {
    let paths = [store.workDirectory(job.order.key.digest).logPath, JobFiles(run: job.run, in: store).logPath(job.name)]
    for path in paths {
      let lines = LogTail.lines(of: path, store.files)
      if !lines.isEmpty { return StageProblem(message, logTail: lines, logPath: path) }
    }
    return StageProblem(message)
  }

  /// Goes on from the checkpoint, as long as it comes further each time.
  private func resume(_ index: Int, _ job: QueuedJob, _ reason: String) throws(StoreError) {
    let limit = job.order.instance.timeoutSeconds == nil ? "the site's time limit" : "'timeout'"
    guard job.order.instance.contract.checkpoints else {
      return try fail(index, .failed(problem("\(reason), and the stage writes no checkpoint; raise \(limit)", job)))
    }
    guard try checkpoint(job.order.key.digest) != job.checkpoint else {
      return try fail(index, .failed(problem("\(reason) before it had come further than its last checkpoint; raise \(limit)", job)))
    }
    box.post(.notice("\(job.order.instance.name): \(reason); submitted again to go on from its checkpoint"))
    try submitAgain(index)
  }

  /// The cluster's fault costs the stage none of its attempts.
  private func bear(_ reason: String, _ index: Int, _ job: QueuedJob) throws(StoreError) {
    if let node = job.node, !excluded.contains(where: { $0.node == node }) { excluded.append((node, reason)) }
    troubles[index, default: 0] += 1
    guard troubles[index, default: 0] <= patience.infrastructure else {
      return try fail(index, .failed(problem("the cluster failed it \(troubles[index, default: 0]) times, the last time: \(reason)", job)))
    }
    // One that failed to be launched may still stand in the queue, held.
    if let id = job.id { queue.cancel([id], .now) }
    let place = job.node.map { " on \($0), which is left out from now on" } ?? ""
    box.post(.notice("\(job.order.instance.name): \(reason)\(place); submitted again"))
    try submitAgain(index)
  }
}

extension QueueEnd {
  fileprivate var isCancellation: Bool { if case .cancelled = self { true } else { false } }
}

extension JobUsage {
  init(_ usage: QueueUsage, _ job: QueuedJob) {
    self.init(
      elapsedSeconds: usage.elapsedSeconds, cpuSeconds: usage.cpuSeconds, maxMemoryBytes: usage.maxMemoryBytes, node: job.node,
      job: job.id?.text)
  }
}
