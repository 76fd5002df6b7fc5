import Execution

extension SlurmQueue {
  /// sacct for all jobs at once; squeue for those of which it says nothing, or that it takes for ended, because a job may be in the queue
  /// again; scontrol for those that are still without a clear word. What has ended keeps its accounting.
  package func look(_ jobs: [QueueJobID]) -> [QueueJobID: QueueSight] {
    guard !jobs.isEmpty else { return [:] }
    let accounted = accounting(jobs)
    let isThorough = memory.withLock { memory in
      memory.looks += 1
      return memory.looks.isMultiple(of: Self.thoroughEvery)
    }
    let doubtful = jobs.filter { isThorough || accounted.reports[$0.text].map { $0.standing.isEnd || $0.mayGoOn } ?? true }
    let queued = doubtful.isEmpty ? Told(answered: true) : queue(doubtful)
    let open = doubtful.filter { isOpen($0, accounted, queued) }
    // A controller that is away is not asked again for each array: that takes it ten seconds and more to say.
    let recorded = open.isEmpty || !queued.answered ? Told(answered: queued.answered) : records(open)
    var sights: [QueueJobID: QueueSight] = [:]
    for job in jobs { sights[job] = accounted.reports[job.text]?.sight }
    for job in doubtful { sights[job] = sight(job, accounted, queued, recorded) }
    return sights
  }

  /// Every so many looks the queue is asked about all: accounting may have missed the end of a job.
  private static let thoroughEvery = 10

  /// What one of the programs told.
  struct Told {
    var reports: [String: JobReport] = [:]
    /// Without an answer, a job that is not among the reports may still be there.
    var answered: Bool
  }

  /// Neither accounting nor the queue say all: an end without its status, or nothing.
  private func isOpen(_ job: QueueJobID, _ accounted: Told, _ queued: Told) -> Bool {
    let queue = queued.reports[job.text]
    return (queue?.standing.isEnd ?? true) && end(accounted.reports[job.text], queue) == nil
  }

  /// The end that accounting tells, unless it is one that the job went on after, and the queue has seen it end otherwise: accounting
  /// lags behind by seconds.
  private func end(_ account: JobReport?, _ queue: JobReport?) -> JobReport? {
    guard let account, account.standing.isEnd else { return nil }
    if account.mayGoOn, let queue, queue.standing.isEnd, !queue.mayGoOn { return nil }
    return account
  }

  /// The queue knows what lives, accounting what was.
  private func sight(_ job: QueueJobID, _ accounted: Told, _ queued: Told, _ recorded: Told) -> QueueSight? {
    let (account, queue, record) = (accounted.reports[job.text], queued.reports[job.text], recorded.reports[job.text])
    if let live = [queue, record].compactMap({ $0 }).first(where: { !$0.standing.isEnd }) { return remembered(job, live.sight) }
    if let account = end(account, queue) {
      // It may wait to begin again, and nobody could be asked.
      return account.mayGoOn && !queued.answered ? nil : remembered(job, account.sight)
    }
    if let record { return remembered(job, record.sight) }
    if let queue { return remembered(job, queue.endWithoutStatus) }
    return missing(job, account, queued, isSure: queued.answered && recorded.answered)
  }

  private func remembered(_ job: QueueJobID, _ sight: QueueSight?) -> QueueSight? {
    memory.withLock { memory in
      memory.unknown[job] = nil
      if sight?.standing == .running { memory.begun.insert(job) }
    }
    return sight
  }

  /// A job that no program lists. When the controller itself says so twice, the job is over, and how it ended is not known; but for one
  /// of an array that Slurm still lists without it: of tasks that somebody takes back before they begin it keeps no record.
  private func missing(_ job: QueueJobID, _ account: JobReport?, _ queued: Told, isSure: Bool) -> QueueSight? {
    guard isSure else { return account?.sight }
    let (times, hasBegun) = memory.withLock { memory in
      memory.unknown[job, default: 0] += 1
      return (memory.unknown[job] ?? 0, memory.begun.contains(job))
    }
    if times < 2 { return account?.sight }
    let base = JobNumber(job.text)?.base
    let hasSiblings = queued.reports.keys.contains { JobNumber($0)?.base == base }
    if hasSiblings, !hasBegun, account == nil { return QueueSight(.ended(.cancelled(by: nil))) }
    return QueueSight(.ended(.infrastructure("Slurm does not know job \(job) any more")))
  }

  // MARK: - The three questions

  private func accounting(_ jobs: [QueueJobID]) -> Told {
    guard asksAccounting else {
      memory.withLock { $0.silentLooks = max(0, $0.silentLooks - 1) }
      return Told(answered: false)
    }
    let answer = program.run(
      ["sacct", "--noheader", "--parsable2", "--duplicates", "--jobs=\(bases(jobs))", "--format=\(JobTables.accountingFields)"])
    if answer.isGood { return Told(reports: JobTables.accounting(answer.output), answered: true) }
    memory.withLock { memory in
      // No accounting will be kept tomorrow either; a database that is down comes back.
      if answer.errors.contains("accounting storage is disabled") { memory.isWithoutAccounting = true }
      if case .notStarted = answer.end { memory.isWithoutAccounting = true }
      memory.silentLooks = 20
    }
    return Told(answered: false)
  }

  private func queue(_ jobs: [QueueJobID]) -> Told {
    let answer = program.run(
      ["squeue", "--noheader", "--array", "--states=all", "--jobs=\(bases(jobs))", "--format=\(JobTables.queueFormat)"])
    if answer.isGood { return Told(reports: JobTables.queue(answer.output), answered: true) }
    return Told(answered: Self.saysUnknown(answer))
  }

  /// A call for each array or job, for scontrol takes one number alone.
  private func records(_ jobs: [QueueJobID]) -> Told {
    var told = Told(answered: true)
    for base in Self.bases(jobs) {
      let answer = program.run(["scontrol", "--oneliner", "show", "job", base])
      if answer.isGood { told.reports.merge(memoryKills(in: answer.output)) { $1 } }
      if !answer.isGood, !Self.saysUnknown(answer) { told.answered = false }
    }
    return told
  }

  /// The records of scontrol. A job that failed may have had more memory than was its share: without accounting, only what Slurm wrote
  /// into its log says so. The status does not: SIGKILL comes to the program before it comes to the script, and the one may end as it
  /// likes before the other.
  private func memoryKills(in text: String) -> [String: JobReport] {
    var reports = JobTables.records(text)
    let failed = reports.filter { $0.value.state == "FAILED" }
    guard !failed.isEmpty else { return reports }
    let logs = JobTables.logs(text)
    for id in failed.keys {
      guard let log = logs[id], let end = try? files.readEnd(log, count: 4096) else { continue }
      let said = String(decoding: end, as: UTF8.self).split(whereSeparator: \.isNewline).filter { $0.hasPrefix("slurmstepd") }
      let isOutOfMemory = said.contains { line in
        Self.memoryWords.contains { line.range(of: $0) != nil }
      }
      if isOutOfMemory { reports[id]?.state = "OUT_OF_MEMORY" }
    }
    return reports
  }

  private static let memoryWords = ["exceeded memory limit", "Exceeded job memory limit", "oom-kill", "oom_kill"]

  private static func saysUnknown(_ answer: SlurmProgram.Answer) -> Bool { answer.errors.contains("Invalid job id") }

  private static func bases(_ jobs: [QueueJobID]) -> [String] {
    var seen: Set<String> = []
    return jobs.compactMap { JobNumber($0.text)?.base }.filter { seen.insert($0).inserted }
  }

  private func bases(_ jobs: [QueueJobID]) -> String { Self.bases(jobs).joined(separator: ",") }
}

extension QueueSight.Standing {
  var isEnd: Bool { if case .ended = self { true } else { false } }
}

extension JobReport {
  /// squeue says FAILED and not with which status: then nothing is told rather than half of it.
  fileprivate var endWithoutStatus: QueueSight? {
    if exitCode == nil, state.hasPrefix("FAILED") { return nil }
    return sight
  }
}
