import Artifacts
import JSONValues

/// How it learns where jobs stand: from the files that they leave, and from the queue.
extension QueueWatch {
  // MARK: - Last words

  /// Looks for end files, a directory at a time: that is also how a network's file system is made to look anew. True when there were any.
  func hearLastWords() throws(StoreError) -> Bool {
    var hasHeard = false
    for run in Set(jobs.values.map(\.run)).sorted() {
      let files = JobFiles(run: run, in: store)
      let names = Set(try store.files.list(files.jobsDirectory) ?? [])
      for (index, job) in jobs.sorted(by: { $0.key < $1.key }) where job.run == run && names.contains(JobFiles.endName(job.name)) {
        guard let end = try files.end(job.name) else { continue }
        hasHeard = try hear(end, index, job) || hasHeard
      }
    }
    return hasHeard
  }

  /// False while what it speaks of is not to be seen yet.
  private func hear(_ end: JobEnd, _ index: Int, _ job: QueuedJob) throws(StoreError) -> Bool {
    var summary: ResultSummary?
    if end.isDone, end.key == job.order.key.digest {
      summary = try store.results.summary(job.order.key.digest)
      // It was there before the last word; the file system may be late with it.
      if summary == nil, !isOverdue(job) {
        if case .over = job.state {} else { jobs[index]?.state = .over(.exited(0), since: monotonicSeconds()) }
        return false
      }
    }
    if case .failed(let problem) = end.report, problem.isKilled, !hasVerdict(on: index) { return false }
    var usage = end.usage
    usage.cpuSeconds = usage.cpuSeconds ?? job.usage?.cpuSeconds
    usage.maxMemoryBytes = usage.maxMemoryBytes ?? job.usage?.maxMemoryBytes
    if !job.hasBegun { box.post(.began(index, AttemptPlace(executor: name, job: usage.job ?? job.id?.text, node: usage.node))) }
    box.post(.took(index, usage))
    complete(index, report(end, summary, job))
    return true
  }

  /// Whether the queue has said how a job ended whose own word is that its stage was killed: a system that holds jobs to their memory may
  /// kill the stage alone, and then the job does not know why. Asked for as long as late files are waited for.
  private func hasVerdict(on index: Int) -> Bool {
    guard var job = jobs[index] else { return true }
    if case .over = job.state { return true }
    defer { jobs[index] = job }
    guard let since = job.killedSince else {
      job.killedSince = monotonicSeconds()
      mustAsk = true
      return false
    }
    return monotonicSeconds() - since > patience.lateFiles
  }

  private func isOverdue(_ job: QueuedJob) -> Bool {
    guard case .over(_, let since) = job.state else { return false }
    return monotonicSeconds() - since > patience.lateFiles
  }

  private func report(_ end: JobEnd, _ summary: ResultSummary?, _ job: QueuedJob) -> AttemptReport {
    switch end.report {
    case .succeeded(let novelty, let seconds, let warnings):
      guard let summary else { return .failed(StageProblem("its job says that the result is in the store, where it is not")) }
      // Of two instances that share a key, one has made it.
      if job.isAdopted, job.run == run { return .found(summary) }
      return .succeeded(summary, novelty: novelty.flatMap(ResultRecord.Novelty.init(text:)), seconds: seconds, warnings: warnings)
    case .found:
      guard let summary else { return .failed(StageProblem("its job says that the result is in the store, where it is not")) }
      return .found(summary)
    case .failed(var problem):
      if problem.isKilled, ranOutOfMemory(job) {
        problem.message += ": \(outOfMemory(job))"
        problem.isOutOfMemory = true
      }
      if problem.isOutOfMemory { giveMore(job) }
      return .failed(problem)
    case .stopped(let problem): return .stopped(problem)
    case .withdrawn(let problem): return .withdrawn(problem)
    case .broken(let message): return .failed(StageProblem("the store failed where its job ran: \(message)"))
    }
  }

  /// Of a job whose stage was killed: by the queue's own word, or by what it accounts for.
  private func ranOutOfMemory(_ job: QueuedJob) -> Bool {
    if case .over(.outOfMemory, _) = job.state { return true }
    guard let had = given(job), let used = job.usage?.maxMemoryBytes else { return false }
    return used >= had
  }

  /// The next attempt, if there is one, gets twice the memory.
  func giveMore(_ job: QueuedJob) {
    guard let had = given(job) ?? job.usage?.maxMemoryBytes, had <= Int.max / 2 else { return }
    memory[job.order.index] = had * 2
  }

  /// By what the queue says: it may be the site's default.
  func given(_ job: QueuedJob) -> Int? { job.memoryBytes ?? memory[job.order.index] ?? job.order.instance.resources.memoryBytes }

  // MARK: - The queue

  /// One question for all. True when something is otherwise than before.
  func ask() throws(StoreError) -> Bool {
    var hasChanged = try lookForAnswers()
    let known = jobs.compactMap { index, job in job.id.map { (index, $0) } }
    guard !known.isEmpty else { return hasChanged }
    let sights = queue.look(known.map(\.1))
    for (index, id) in known.sorted(by: { $0.0 < $1.0 }) {
      if let sight = sights[id] {
        hasChanged = note(sight, index) || hasChanged
      } else {
        try bearSilence(index)
      }
    }
    return hasChanged
  }

  private func note(_ sight: QueueSight, _ index: Int) -> Bool {
    guard var job = jobs[index] else { return false }
    defer { jobs[index] = job }
    job.silentSince = nil
    job.node = sight.node ?? job.node
    job.usage = sight.usage ?? job.usage
    job.memoryBytes = sight.memoryBytes ?? job.memoryBytes
    switch sight.standing {
    case .waiting(let reason):
      let text = "waits in \(name)" + (job.id.map { " as job \($0)" } ?? "") + (reason.map { ": \($0)" } ?? "")
      let isAgain = job.hasBegun
      job.state = .queued
      job.hasBegun = false
      if isAgain { box.post(.notice("\(job.order.instance.name): its job was put back into the queue and goes on later")) }
      guard job.standing != text else { return isAgain }
      job.standing = text
      box.post(.standing(index, text))
      return true
    case .running:
      job.state = .queued
      job.standing = nil
      guard !job.hasBegun else { return false }
      job.hasBegun = true
      box.post(.began(index, place(job)))
      return true
    case .ended(let end):
      if case .over = job.state { return false }
      job.state = .over(end, since: monotonicSeconds())
      return true
    }
  }

  // MARK: - Silence

  /// Nothing was said of it, and nothing follows from that. Only where the queue, asked by name, knows no such job time and again, the
  /// key's lock is free and there is no last word, is it gone; then it is as if the cluster had failed.
  private func bearSilence(_ index: Int) throws(StoreError) {
    guard var job = jobs[index] else { return }
    let now = monotonicSeconds()
    guard let since = job.silentSince else {
      job.silentSince = now
      jobs[index] = job
      return
    }
    guard now - since >= patience.unknown, case .queued = job.state else { return }
    guard let found = try? queue.find([job.name.batch]) else { return }
    guard found[job.name.batch]?[job.name.index] == nil else {
      job.silentSince = nil
      jobs[index] = job
      return
    }
    guard let lock = try FileLock.attempt(store.lockPath(job.order.key.digest), .exclusive, store.files) else { return }
    lock.release()
    job.state = .over(.infrastructure("\(name) does not know the job any more"), since: now)
    jobs[index] = job
  }

  // MARK: - Answers that have not come

  /// Submissions that may have been heard, and those of runners that are dead.
  private func lookForAnswers() throws(StoreError) -> Bool {
    let waiting = jobs.filter { if case .unanswered = $0.value.state { true } else { false } }
    guard !waiting.isEmpty else { return false }
    var hasChanged = false
    var orphans: [Int] = []
    for (index, job) in waiting.sorted(by: { $0.key < $1.key }) {
      if job.run == run {
        // Another batch's is on its way.
        if unanswered[job.name.batch] != nil { orphans.append(index) }
      } else if let id = try JobLedger.ids(ofBatch: job.name.batch, run: job.run, store)?[job.name.index] {
        jobs[index]?.id = id
        jobs[index]?.state = .queued
        hasChanged = true
      } else if let claim = try JobLedger.claim(on: job.order.key.digest, store), claim.name == job.name {
        if try isForsaken(claim) { orphans.append(index) }
      } else {
        // Given up by whoever was to submit it, or by the job itself, whose last word is then on its way.
        jobs[index]?.state = .over(.infrastructure("it was given up"), since: monotonicSeconds())
      }
    }
    return try find(orphans) || hasChanged
  }

  /// Whoever was about to submit it is dead. On another machine the lock on its run's directory tells.
  private func isForsaken(_ claim: JobClaim) throws(StoreError) -> Bool {
    switch claim.runner.standing {
    case .gone: true
    case .alive: false
    case .unknown: try !RecordedRun.isAlive("\(store.root)/runs/\(claim.run)", store.files)
    }
  }

  /// Asks the queue by name; what it does not know was never submitted, unless somebody is still at it.
  private func find(_ orphans: [Int]) throws(StoreError) -> Bool {
    var batches: [String: [Int]] = [:]
    for index in orphans {
      guard let job = jobs[index] else { continue }
      batches[job.name.batch, default: []].append(index)
    }
    for (batch, members) in batches where unanswered[batch] == nil {
      guard let run = jobs[members[0]]?.run, try JobFiles(run: run, in: store).isBeingSubmitted(batch) else { continue }
      batches[batch] = nil
      try giveUpUnheard(members)
    }
    guard !batches.isEmpty else { return false }
    guard let found = try? queue.find(batches.keys.sorted()) else {
      try giveUpUnheard(batches.values.flatMap { $0 })
      return false
    }
    for (batch, members) in batches.sorted(by: { $0.key < $1.key }) {
      let ids = found[batch] ?? [:]
      if !ids.isEmpty { try answered(batch, ids) }
      if let own = unanswered[batch] {
        // Of a long one, a part may have been heard: of that the system is not told again.
        if own.indices.allSatisfy({ ids[$0] != nil }) { unanswered[batch] = nil } else { try submit(own) }
        if unanswered[batch] != nil { try giveUpUnheard(members) }
      } else {
        for index in members where jobs[index]?.id == nil { try submitAgain(index) }
      }
    }
    return true
  }

  private func giveUpUnheard(_ orphans: [Int]) throws(StoreError) {
    for index in orphans {
      guard let job = jobs[index], case .unanswered(let since) = job.state, monotonicSeconds() - since > patience.submission else {
        continue
      }
      complete(
        index, .failed(StageProblem("\(name) could not be asked for \(Int(patience.submission)) s; what was submitted is found again")))
    }
  }
}

extension ResultRecord.Novelty {
  fileprivate init?(text: String) {
    switch text {
    case "same": self = .same
    case "earlier": self = .earlier
    case "different": self = .different
    default: return nil
    }
  }
}
