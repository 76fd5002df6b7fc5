import Artifacts
import Glibc
import Hashing
import JSONValues
import Planning
import StageInterface

/// What an attempt came to.
enum AttemptReport: Sendable {
  /// The result is in the store.
  case succeeded(ResultSummary, novelty: ResultRecord.Novelty?, seconds: Double, warnings: [String])
  /// Somebody else had computed it in the meantime.
  case found(ResultSummary)
  /// Another run computes it now.
  case blocked(LockOwner?)
  /// The stage's own fault, or its input's.
  case failed(StageProblem)
  /// Stopped with a checkpoint, or by a signal.
  case stopped(StageProblem)
  /// Somebody took it back, or it goes on without this run; the next run goes on with it.
  case withdrawn(StageProblem)
  /// The work is done and what it held is free; another report says what became of the result.
  case storing
  /// The store's fault: the run cannot go on.
  case broken(StoreError)
}

/// What went wrong in a stage: the reason, the last lines of its log, and where the rest of it is.
package struct StageProblem: Error, Sendable, Equatable {
  package var message: String
  package var logTail: [String]
  package var logPath: String?
  /// It was ended for the memory it used: with more it may do.
  package var isOutOfMemory = false
  /// SIGKILL ended it, and not for any limit of ours: it may have been the system, for the memory it used.
  package var isKilled = false

  package init(
    _ message: String, logTail: [String] = [], logPath: String? = nil, isOutOfMemory: Bool = false, isKilled: Bool = false
  ) {
    self.message = message
    self.logTail = logTail
    self.logPath = logPath
    self.isOutOfMemory = isOutOfMemory
    self.isKilled = isKilled
  }
}

/// One attempt at one instance, from the lock to the published result. It blocks, so it has a thread of its own; it shares nothing with
/// other attempts but the store.
struct StageAttempt: Sendable {
  let instance: StageInstance
  let key: StageKey
  let recipe: String
  let runID: String
  let store: Store
  let machine: Machine
  let variables: [String: String]
  /// The program that runs native stages.
  let program: String
  let inputs: [StageOrder.Input]
  /// Sources among the inputs, to see that they stay as they were hashed.
  let sources: [(name: String, content: SourceContent)]
  /// Outputs of others among the inputs.
  let inputOutputs: [(name: String, output: StoredOutput)]
  let threads: Int
  let numerics: String
  let gpus: [String]
  let attempt: Int
  let isRerun: Bool
  let needsBytes: Bool
  /// Bytes above which it is ended.
  let memoryLimit: Int?
  let lifeline: Lifeline
  let confinement: Confinement
  let memory: MemoryWatch
  let isHermetic: Bool
  let child: ChildProcess
  let committer: ResultCommitter
  /// The job of a queueing system that this is part of.
  var queue: QueuePlace?

  private static let lifelineDescriptor: Int32 = 3
  private static let lockDescriptor: Int32 = 4

  /// Calls `report` once, or twice if the first time says `storing`; perhaps on another thread, perhaps after it has returned.
  func run(_ report: @escaping @Sendable (AttemptReport) -> Void) {
    do throws(StoreError) {
      guard let lock = try takeLock() else { return report(.blocked(try store.owner(ofLock: key.digest))) }
      // Nobody else can be at it now.
      if let summary = try store.result(of: key.digest, instance, isRerun: isRerun, withBytes: needsBytes) {
        lock.release()
        return report(.found(summary))
      }
      let work = store.workDirectory(key.digest)
      if let end = perform(work, lock, report) {
        lock.release()
        report(end)
      }
    } catch { report(.broken(error)) }
  }

  /// Nil when the result has been handed over: then the lock goes with it.
  private func perform(_ work: WorkDirectory, _ lock: FileLock, _ report: @escaping @Sendable (AttemptReport) -> Void) -> AttemptReport? {
    do {
      return try carryOut(in: work, lock, report)
    } catch let problem as StageProblem {
      return .failed(withLog(problem, work))
    } catch let error as StoreError {
      return .broken(error)
    } catch {
      return .failed(StageProblem("\(error)"))
    }
  }

  // MARK: - Lock

  /// The key's lock, taken from a dead runner's orphan if need be; nil when a living run has it.
  private func takeLock() throws(StoreError) -> FileLock? {
    for _ in 0..<3 {
      switch try store.lock(key.digest, owner: LockOwner(run: runID, instance: instance.name, job: queue?.owner)) {
      case .held(let lock): return lock
      case .busy(let owner):
        let order = store.workDirectory(key.digest).orderPath
        let now = { () throws(StoreError) -> LockOwner? in try store.owner(ofLock: key.digest) }
        guard let owner, try Orphan.end(owner, orderPath: order, ownerNow: now) else { return nil }
      }
    }
    return nil
  }

  // MARK: - The work

  private func carryOut(
    in work: WorkDirectory, _ lock: FileLock, _ report: @escaping @Sendable (AttemptReport) -> Void
  ) throws -> AttemptReport? {
    let keepsPast = attempt > 1 || (instance.contract.checkpoints && !isRerun)
    try work.prepare(keepsPast ? .kept : .forgotten)
    let order = self.order(work)
    try store.files.write(order.json.encodedBytes(pretty: true) + [0x0A], to: work.orderPath)
    let before = try lookAtInputs()
    let started = monotonicSeconds()
    let end = try execute(order, work, lock, objects: before.map(\.path))
    let seconds = monotonicSeconds() - started
    switch end {
    case .exited(0): break
    case .exited(75): return .stopped(withLog(StageProblem("stopped before it was done; its checkpoint is kept"), work))
    default: throw StageProblem(end.description, isKilled: end.isKill)
    }
    try compareInputs(before)
    let activity = try StageActivity(reading: work.eventsPath, store.files)
    let (prepared, pending) = try collect(work, activity, seconds)
    report(.storing)
    committer.submit(
      ResultCommitter.Order(prepared, pending) { result in
        store.gate.leave()
        report(stored(result, work, lock, seconds: seconds, warnings: activity.warnings))
      })
    return nil
  }

  /// The result is there, or cannot be; the key is free for others.
  private func stored(
    _ result: Result<Store.Publication, StoreError>, _ work: WorkDirectory, _ lock: FileLock, seconds: Double, warnings: [String]
  ) -> AttemptReport {
    defer { lock.release() }
    do throws(StoreError) {
      let publication = try result.get()
      try work.remove()
      let summary = ResultSummary(publication.record)
      return .succeeded(summary, novelty: publication.novelty, seconds: seconds, warnings: warnings)
    } catch { return .broken(error) }
  }

  func order(_ work: WorkDirectory) -> StageOrder {
    let contract = instance.contract
    var native: String?
    if case .native(let name) = contract.run { native = name }
    var order = StageOrder(
      stage: contract.name, version: contract.version, native: native, parameters: instance.parameters, inputs: inputs,
      outputs: instance.outputs.map { StageOrder.Output(name: $0.name, type: $0.type.rawValue, path: work.outputPath($0.name)) },
      checkpointDirectory: work.checkpointDirectory, eventsPath: work.eventsPath, threads: threads, numerics: numerics)
    if case .command(let command) = contract.run {
      order.command = CommandExpansion.words(command, directory: contract.directory, order: order)
    }
    return order
  }

  func execute(_ order: StageOrder, _ work: WorkDirectory, _ lock: FileLock, objects: [String]) throws -> ProcessEnd {
    let log = try store.files.open(work.logPath, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW)
    defer { close(log) }
    let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer { close(nothing) }
    let isNative = order.native != nil
    let plain = ProcessOrder(
      words: isNative ? [program, "exec", work.path] : order.command, directory: work.path,
      environment: StageEnvironment.make(
        instance.contract, instance.parameters, caller: variables, orderPath: work.orderPath, checkpointDirectory: work.checkpointDirectory,
        eventsPath: work.eventsPath, threads: threads, gpus: gpus, lifeline: Self.lifelineDescriptor),
      descriptors: [
        (nothing, 0), (log, 1), (log, 2), (lifeline.readEnd, Self.lifelineDescriptor), (lock.descriptor, Self.lockDescriptor),
      ])
    do {
      let (kept, pid) = try start(plain, stage(work, objects))
      let needsWatcher = !isNative && !kept.hasWarden
      if needsWatcher { try lifeline.watch(pid) }
      defer { if needsWatcher { lifeline.unwatch(pid) } }
      let ward = memoryLimit.map { memory.watch(child, limit: $0) }
      defer { ward?.done() }
      try store.note(LockOwner(command: ProcessIdentity(pid: pid), run: runID, instance: instance.name, job: queue?.owner), in: lock)
      let end = child.wait()
      try maskSecrets(work)
      if let held = ward?.exceeded, let limit = ward?.limit { throw overLimit(held, limit, work) }
      if end != .exited(0), end != .exited(75), let remark = hiddenFiles(kept, work) {
        throw StageProblem("\(end); \(remark)", isKilled: end.isKill)
      }
      return end
    } catch let failure as SpawnFailure {
      child.signal(SIGKILL)
      _ = child.wait()
      throw StageProblem(failure.message)
    } catch {
      child.signal(SIGKILL)
      _ = child.wait()
      throw error
    }
  }

  private func start(_ order: ProcessOrder, _ stage: Confinement.Stage?) throws -> (Confinement.Kept, pid_t) {
    var kept = try confinement.keep(order, stage, lifeline: Self.lifelineDescriptor)
    if let server = kept.server {
      if let pid = try child.start(kept.order, by: server) { return (kept, pid) }
      kept = try confinement.keep(order, stage, lifeline: Self.lifelineDescriptor, mayServe: false)
    }
    return (kept, try child.start(kept.order))
  }

  /// Nil for a native stage: it is this program, and started as it is.
  private func stage(_ work: WorkDirectory, _ objects: [String]) -> Confinement.Stage? {
    guard case .command(let command) = instance.contract.run else { return nil }
    return Confinement.Stage(
      instance: instance, command: command, isHermetic: isHermetic, work: work, inputs: inputs.flatMap { $0.elements.map(\.path) },
      sources: sources.map(\.content), objects: objects, gpus: gpus)
  }

  private func overLimit(_ held: Int, _ limit: Int, _ work: WorkDirectory) -> StageProblem {
    let used = "\((held + (1 << 20) - 1) >> 20)MiB"
    let problem = StageProblem(
      "used \(used) of memory, more than its limit of \(Quantity.text(bytes: limit)) (resources.memory)", isOutOfMemory: true)
    work.say("ended: \(problem.message)")
    return problem
  }

  private func hiddenFiles(_ kept: Confinement.Kept, _ work: WorkDirectory) -> String? {
    guard let view = kept.view, let log = try? store.files.readEnd(work.logPath, count: HiddenFiles.tailBytes) else { return nil }
    return HiddenFiles(view: view, project: confinement.project, work: work.path).remark(log)
  }

  /// Events are written by the stage itself; a log is masked as it comes, but not without the warden.
  private func maskSecrets(_ work: WorkDirectory) throws(StoreError) {
    let secrets = Secrets.values(instance.contract, instance.parameters, variables)
    for path in secrets.isEmpty ? [] : [work.eventsPath, work.logPath] {
      guard let bytes = try store.files.read(path) else { continue }
      let clean = Secrets.masked(bytes, secrets)
      if clean != bytes { try store.files.write(clean, to: path) }
    }
  }

  // MARK: - Inputs stay as they were

  struct InputLook {
    let name: String
    let digest: Digest
    let path: String
    let status: FileStatus
  }

  /// Native stages are ours and do not write to inputs; a command might.
  func lookAtInputs() throws(StoreError) -> [InputLook] {
    guard case .command = instance.contract.run else { return [] }
    var looks: [InputLook] = []
    for (name, output) in inputOutputs {
      for (digest, path) in try store.objectPaths(of: output) {
        if let status = try store.files.status(path) { looks.append(InputLook(name: name, digest: digest, path: path, status: status)) }
      }
    }
    return looks
  }

  func compareInputs(_ before: [InputLook]) throws {
    for look in before {
      let now = try store.files.status(look.path)
      if now == look.status { continue }
      // Times may move without the bytes; only other bytes are a change.
      if now != nil, try isWhole(look) { continue }
      if now != nil { try store.setAside(look.digest) }
      throw StageProblem("the stage changed its input \(look.name); that object was put aside and will be made again")
    }
    for (name, content) in sources {
      if let path = store.sources.changedFile(since: content) { throw StageProblem("input \(name) changed while the stage ran: \(path)") }
    }
  }

  /// An object that cannot be read for a fault of the disk's is no stage's doing; one without permission to read may be.
  private func isWhole(_ look: InputLook) throws(StoreError) -> Bool {
    do throws(StoreError) { return try store.hash(look.path).digest == look.digest } catch {
      guard error.code == EACCES else { throw error }
      return false
    }
  }

  // MARK: - Outputs

  private func collect(_ work: WorkDirectory, _ activity: StageActivity, _ seconds: Double) throws -> (Store.Prepared, PendingWrites) {
    let intakes = try examineOutputs(work)
    for pin in instance.expect {
      guard let found = intakes.first(where: { $0.output.name == pin.output })?.output.digest, found != pin.digest else { continue }
      throw StageProblem("output \(pin.output) is \(found), expected \(pin.digest); nothing was stored")
    }
    // What is there already is not taken in again, so it has to be there until a result says that it is needed.
    try store.gate.enter()
    do { return try prepare(intakes, work, activity, seconds) } catch {
      store.gate.leave()
      throw error
    }
  }

  /// Exactly what the contract declares, hashed; nothing is moved.
  func examineOutputs(_ work: WorkDirectory) throws -> [Store.Intake] {
    guard try work.isIntact() else {
      throw StageProblem("the stage put something else in the place of its work directory or of its directory 'out'")
    }
    let declared = Set(instance.outputs.map(\.name))
    for name in try store.files.list(work.outputDirectory) ?? [] where !declared.contains(name) {
      throw StageProblem("the stage created 'out/\(Store.fileName(name))', which its contract does not declare")
    }
    var intakes: [Store.Intake] = []
    for output in instance.outputs {
      let path = work.outputPath(output.name)
      let survey: OutputSurvey
      do { survey = try OutputSurvey(path, expecting: output.type.isDirectory ? .directory : .file, files: store.files) } catch let refusal
        as OutputSurvey.Refusal
      { throw StageProblem("output \(output.name) \(refusal.message)") }
      intakes.append(try store.examine(path, as: survey, name: output.name, type: output.type.rawValue))
    }
    return intakes
  }

  /// Takes the outputs in and writes the result beside its place, inside the gate.
  private func prepare(
    _ intakes: [Store.Intake], _ work: WorkDirectory, _ activity: StageActivity, _ seconds: Double
  ) throws -> (Store.Prepared, PendingWrites) {
    // The first answers as long as its bytes are here; bytes made anew because they were gone answer for themselves.
    let answering: ResultRecord.Answering = isRerun || needsBytes ? .becomesCurrent : try hasWholeAnswer() ? .keepsFirst : .becomesCurrent
    var pending = PendingWrites()
    for intake in intakes { try store.take(intake, &pending) }
    let log = try takeLog(work, &pending)
    let outcome = ResultOutcome(
      outputs: intakes.map(\.output), recipe: recipe, instance: instance.name, run: runID, finished: Double(wallClock() / 1_000_000) / 1000,
      seconds: seconds, host: facts(activity), metrics: activity.metricsObject, warnings: activity.warnings, log: log,
      isMixed: activity.facts["mixed"]?.boolValue ?? false)
    let prepared = try store.prepare(
      key: key.digest, stage: instance.stage, parts: key.parts, outcome: outcome, answering, &pending)
    return (prepared, pending)
  }

  /// A log may be longer than memory, so it is taken in like an output. A stage that puts something else in its place has none.
  private func takeLog(_ work: WorkDirectory, _ pending: inout PendingWrites) throws -> Digest {
    guard let survey = try? OutputSurvey(work.logPath, expecting: .file, files: store.files) else { return try store.put([], &pending) }
    let intake = try store.examine(work.logPath, as: survey, name: "log", type: "file")
    try store.take(intake, &pending)
    return intake.output.digest
  }

  /// What could have changed the bytes but is not in the key.
  func facts(_ activity: StageActivity) -> JSONObject {
    var facts = machine.facts(threads: threads, numerics: numerics)
    if case .command = instance.contract.run { facts.set("hermetic", .string(isHermetic && confinement.confines ? "on" : "off")) }
    if let queue { for (name, value) in queue.facts { facts.set(name, value) } }
    for (name, value) in activity.facts.members { facts.set(name, value) }
    return facts
  }

  private func hasWholeAnswer() throws(StoreError) -> Bool {
    guard let summary = try store.results.summary(key.digest) else { return true }
    for output in summary.outputs where try !store.holds(output) { return false }
    for pin in instance.expect where summary.output(pin.output)?.digest != pin.digest { return false }
    return true
  }

  private func withLog(_ problem: StageProblem, _ work: WorkDirectory) -> StageProblem {
    var problem = problem
    problem.logPath = work.logPath
    problem.logTail = LogTail.lines(of: work.logPath, store.files)
    return problem
  }
}

extension Store {
  /// A key's result that was not there when the run looked, and is now; nil where the instance is to be run for all that.
  func result(of key: Digest, _ instance: StageInstance, isRerun: Bool, withBytes needsBytes: Bool) throws(StoreError) -> ResultSummary? {
    guard !isRerun, let summary = try results.summary(key) else { return nil }
    for pin in instance.expect where summary.output(pin.output)?.digest != pin.digest { return nil }
    if needsBytes {
      for output in summary.outputs where try !holds(output) { return nil }
    }
    return summary
  }
}
