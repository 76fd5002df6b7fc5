import Artifacts
import Hashing
import JSONValues
import Planning

/// How orders become jobs: by adoption where there is one for the key, else, unless one has just done, in batches of those that need the same.
extension QueueWatch {
  func take(_ orders: [AttemptOrder]) throws(StoreError) {
    var batches: [(JobBatch, QueueBatch)] = []
    do {
      // Two runners that want the same key look and claim one after the other.
      let lock = try JobLedger.lock(store)
      defer { lock.release() }
      var fresh: [AttemptOrder] = []
      var twins: [AttemptOrder] = []
      var keys: Set<Digest> = []
      for order in orders {
        if try adopt(order) { continue }
        if try find(order) { continue }
        if keys.insert(order.key.digest).inserted { fresh.append(order) } else { twins.append(order) }
      }
      for (need, members) in grouped(fresh) { batches.append(try claim(members, need)) }
      // Two instances of one key are one job; where it cannot be shared, a rerun, each has its own.
      for order in twins where try !adopt(order) {
        batches += try grouped([order]).map { need, members throws(StoreError) in try claim(members, need) }
      }
    }
    for (_, batch) in batches { try submit(batch) }
    mustAsk = true
  }

  // MARK: - Adoption

  /// False when there is no job for the key that could still come to something.
  private func adopt(_ order: AttemptOrder) throws(StoreError) -> Bool {
    guard !order.isRerun, let claim = try JobLedger.claim(on: order.key.digest, store), claim.system == queue.name,
      claim.cluster == queue.cluster, claim.name != past[order.index], try JobFiles(run: claim.run, in: store).end(claim.name) == nil
    else { return false }
    let id = try JobLedger.ids(ofBatch: claim.batch, run: claim.run, store)?[claim.index]
    var job = QueuedJob(
      order, run: claim.run, name: claim.name, id: id, state: id == nil ? .unanswered(since: monotonicSeconds()) : .queued,
      checkpoint: try checkpoint(order.key.digest))
    job.isAdopted = true
    try ledger.adopted(claim, instance: order.instance.name, by: name)
    follow(job)
    box.post(.notice("\(order.instance.name): waits for \(name) job \(id?.text ?? claim.batch), submitted by run \(claim.run)"))
    return true
  }

  /// The last job of a key gives it up when the result is in the store: who finds no claim looks there again before it submits another.
  private func find(_ order: AttemptOrder) throws(StoreError) -> Bool {
    let (key, isRerun) = (order.key.digest, order.isRerun)
    guard let summary = try store.result(of: key, order.instance, isRerun: isRerun, withBytes: order.needsBytes) else { return false }
    box.post(.report(order.index, .found(summary)))
    return true
  }

  // MARK: - Batches

  /// In the order in which they came.
  private func grouped(_ orders: [AttemptOrder]) -> [(QueueNeed, [AttemptOrder])] {
    var groups: [(QueueNeed, [AttemptOrder])] = []
    var places: [QueueNeed: Int] = [:]
    for order in orders {
      let need = QueueNeed(order.instance, options, memoryBytes: memory[order.index])
      if let place = places[need] {
        groups[place].1.append(order)
      } else {
        places[need] = groups.count
        groups.append((need, [order]))
      }
    }
    return groups
  }

  /// Writes down what is about to be submitted.
  private func claim(_ orders: [AttemptOrder], _ need: QueueNeed) throws(StoreError) -> (JobBatch, QueueBatch) {
    let batch = JobBatch(
      name: ledger.nextName(for: orders.map(\.instance.name), key: orders.first?.key.digest), run: run, executor: name, system: queue.name,
      cluster: queue.cluster, submitted: Double(wallClock() / 1_000_000) / 1000, isHandedOver: false,
      members: orders.enumerated().map { place, order in
        JobBatch.Member(
          index: place, instance: order.instance.name, key: order.key.digest,
          attempt: order.attempt + resubmissions[order.index, default: 0], isRerun: order.isRerun, needsBytes: order.needsBytes,
          memoryBytes: need.memoryBytes, needs: order.needs)
      })
    try ledger.intend(batch)
    for (place, order) in orders.enumerated() {
      let job = JobName(batch: batch.name, index: place)
      let claim = JobClaim(system: queue.name, cluster: queue.cluster, run: run, name: job)
      try JobLedger.claim(order.key.digest, claim, store)
      follow(
        QueuedJob(
          order, run: run, name: job, state: .unanswered(since: monotonicSeconds()), checkpoint: try checkpoint(order.key.digest)))
    }
    let queueBatch = QueueBatch(batch, ledger.files, need, orders.map(\.instance), options, excluded: excluded.map(\.node))
    return (batch, queueBatch)
  }

  /// Names, sizes and times of what lies in the checkpoint directory.
  func checkpoint(_ key: Digest) throws(StoreError) -> [String] {
    let directory = store.workDirectory(key).checkpointDirectory
    var entries: [String] = []
    for name in try store.files.list(directory) ?? [] {
      guard let status = try store.files.status("\(directory)/\(name)", followingLinks: false) else { continue }
      entries.append("\(name) \(status.size) \(status.modified)")
    }
    return entries
  }

  // MARK: - Submission

  func submit(_ batch: QueueBatch) throws(StoreError) {
    var locked = batch
    locked.lock = try ledger.files.submissionLock(batch.name)
    defer { locked.lock?.release() }
    let ids: [QueueJobID]
    do throws(QueueProblem) {
      ids = try queue.submit(locked)
      guard ids.count == batch.indices.count else {
        throw QueueProblem(.transient, "it answered with \(ids.count) numbers for \(batch.indices.count) jobs")
      }
    } catch { return try note(error, batch) }
    unanswered[batch.name] = nil
    try answered(batch.name, Dictionary(zip(batch.indices, ids), uniquingKeysWith: { first, _ in first }))
    let count = ids.count == 1 ? "1 job" : "\(ids.count) jobs"
    let shown = ids.count > 2 ? "\(ids[0]) to \(ids[ids.count - 1])" : ids.map(\.text).joined(separator: ", ")
    box.post(.notice("\(count) submitted to \(name): \(shown)"))
  }

  /// What may be heard another time is asked for by name before it is said again; what is refused is the instances' failure.
  private func note(_ problem: QueueProblem, _ batch: QueueBatch) throws(StoreError) {
    switch problem.kind {
    case .transient:
      if unanswered.updateValue(batch, forKey: batch.name) == nil { box.post(.notice("\(name): \(problem.message); asking again")) }
    case .refused:
      unanswered[batch.name] = nil
      try ledger.refused(batch.name)
      for (index, job) in jobs.sorted(by: { $0.key < $1.key }) where job.run == run && job.name.batch == batch.name {
        try JobLedger.release(job.order.key.digest, job.name, store)
        complete(index, .failed(StageProblem("\(name) refused the job: \(problem.message)")))
      }
    }
  }

  /// The queue has said under which numbers it knows the jobs of a batch.
  func answered(_ batch: String, _ ids: [Int: QueueJobID]) throws(StoreError) {
    // Also of a batch of another run's: its own ledger may never hear of it.
    try ledger.submitted(batch, ids.mapValues(\.text))
    for (index, var job) in jobs where job.name.batch == batch {
      guard let id = ids[job.name.index], case .unanswered = job.state else { continue }
      job.id = id
      job.state = .queued
      jobs[index] = job
    }
  }

  // MARK: - Once more

  /// For no fault of the stage's: it does not count as one of its attempts.
  func submitAgain(_ index: Int) throws(StoreError) {
    guard let job = jobs.removeValue(forKey: index) else { return }
    past[index] = job.name
    resubmissions[index, default: 0] += 1
    try JobLedger.release(job.order.key.digest, job.name, store)
    try take([job.order])
  }

  // MARK: - Taking back

  func cancel(_ indices: [Int], _ how: AttemptCancellation) throws(StoreError) {
    let wanted = indices.compactMap { jobs[$0] }
    let ids = wanted.compactMap(\.id)
    guard options.cancelsJobs else {
      for job in wanted { letGo(job) }
      return
    }
    for job in wanted {
      let path = JobFiles(run: job.run, in: store).withdrawalPath(job.name)
      try store.files.write([], to: path)
    }
    queue.cancel(ids, how == .stop ? .checkpoint : .now)
    for job in wanted {
      jobs[job.order.index]?.isCancelled = true
      if how == .end { complete(job.order.index, .stopped(StageProblem("taken back"))) }
    }
    mustAsk = true
  }

  private func letGo(_ job: QueuedJob) {
    if let id = job.id { left.append(id) }
    complete(job.order.index, .stopped(StageProblem("goes on in \(name)" + (job.id.map { " as job \($0)" } ?? ""))))
  }
}

extension QueueNeed {
  /// - Parameters:
  ///   - memoryBytes: what it gets after it had too little.
  ///   - isHandedOver: its job makes all the attempts that it may have.
  init(
    _ instance: StageInstance, _ options: RunOptions, memoryBytes: Int? = nil, isHandedOver: Bool = false
  ) {
    // A stage that is over its time is ended by its job, which then says so; the queue's own limit is beyond that.
    let margin = options.graceSeconds * 2 + 60
    let attempts = Double(1 + (isHandedOver ? instance.retries : 0))
    self.init(
      cpus: max(1, options.threads ?? instance.resources.cpus), memoryBytes: memoryBytes ?? instance.resources.memoryBytes,
      gpus: instance.resources.gpus, seconds: instance.timeoutSeconds.map { ($0 + margin) * attempts },
      checkpoints: instance.contract.checkpoints)
  }
}

extension QueueBatch {
  /// - Parameter instances: of the batch's members, for what their contracts want of the environment.
  init(
    _ batch: JobBatch, _ files: JobFiles, _ need: QueueNeed, _ instances: [StageInstance], _ options: RunOptions,
    after: [QueueJobID] = [], excluded: [String] = []
  ) {
    var environment = StageEnvironment.base(options.variables)
    // The machine that a job runs on has its own.
    environment["TMPDIR"] = nil
    for instance in instances {
      var names = instance.contract.namedVariables(instance.parameters)
      if case .command(let command) = instance.contract.run { names += command.environment + command.keyedEnvironment }
      for name in names { environment[name] = options.variables[name] }
    }
    let log = { @Sendable (index: Int) in files.logPath(JobName(batch: batch.name, index: index)) }
    self.init(
      name: batch.name, words: [options.program, "exec", "--job", files.batchPath(batch.name)], indices: batch.members.map(\.index),
      directory: files.jobsDirectory, environment: environment, logPath: log, scriptDirectory: files.jobsDirectory, need: need,
      after: after, excludedNodes: excluded)
  }
}
