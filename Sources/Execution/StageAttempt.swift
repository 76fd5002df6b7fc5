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
  /// The store's fault: the run cannot go on.
  case broken(StoreError)
}

/// What went wrong in a stage: the reason, the last lines of its log, and where the rest of it is.
package struct StageProblem: Error, Sendable, Equatable {
  package var message: String
  package var logTail: [String]
  package var logPath: String?

  package init(_ message: String, logTail: [String] = [], logPath: String? = nil) {
    self.message = message
    self.logTail = logTail
    self.logPath = logPath
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
  let lifeline: Lifeline
  let child: ChildProcess

  private static let lifelineDescriptor: Int32 = 3
  private static let lockDescriptor: Int32 = 4

  func run() -> AttemptReport {
    do throws(StoreError) {
      guard let lock = try takeLock() else { return .blocked(try store.owner(ofLock: key.digest)) }
      defer { lock.release() }
      if let summary = try resultMeanwhile() { return .found(summary) }
      let work = store.workDirectory(key.digest)
      do {
        return try perform(work, lock)
      } catch let problem as StageProblem {
        return .failed(withLog(problem, work))
      } catch let error as StoreError {
        return .broken(error)
      } catch {
        return .failed(StageProblem("\(error)"))
      }
    } catch { return .broken(error) }
  }

  // MARK: - Lock

  /// The key's lock, taken from a dead runner's orphan if need be; nil when a living run has it.
  private func takeLock() throws(StoreError) -> FileLock? {
    for _ in 0..<3 {
      switch try store.lock(key.digest, owner: LockOwner(run: runID, instance: instance.name)) {
      case .held(let lock): return lock
      case .busy(let owner):
        guard let owner, Orphan.end(owner) else { return nil }
      }
    }
    return nil
  }

  /// Looked up again now that nobody else can be at it.
  private func resultMeanwhile() throws(StoreError) -> ResultSummary? {
    guard !isRerun, let summary = try store.results.summary(key.digest) else { return nil }
    for pin in instance.expect where summary.output(pin.output)?.digest != pin.digest { return nil }
    if needsBytes {
      for output in summary.outputs where try !store.holds(output) { return nil }
    }
    return summary
  }

  // MARK: - The work

  private func perform(_ work: WorkDirectory, _ lock: FileLock) throws -> AttemptReport {
    let keepsPast = attempt > 1 || (instance.contract.checkpoints && !isRerun)
    try work.prepare(keepsPast ? .kept : .forgotten)
    let order = self.order(work)
    try store.files.write(order.json.encodedBytes(pretty: true) + [0x0A], to: work.orderPath)
    let before = try lookAtInputs()
    let started = monotonicSeconds()
    let end = try execute(order, work, lock)
    let seconds = monotonicSeconds() - started
    switch end {
    case .exited(0): break
    case .exited(75): return .stopped(withLog(StageProblem("stopped before it was done; its checkpoint is kept"), work))
    default: throw StageProblem(end.description)
    }
    try compareInputs(before)
    let activity = StageActivity(reading: work.eventsPath)
    let (summary, novelty) = try collect(work, activity, seconds)
    return .succeeded(summary, novelty: novelty, seconds: seconds, warnings: activity.warnings)
  }

  private func order(_ work: WorkDirectory) -> StageOrder {
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

  private func execute(_ order: StageOrder, _ work: WorkDirectory, _ lock: FileLock) throws -> ProcessEnd {
    let log = open(work.logPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard log >= 0 else { throw StoreError("cannot write the log: \(String(cString: strerror(errno)))", path: work.logPath) }
    defer { close(log) }
    let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer { close(nothing) }
    let isNative = order.native != nil
    let process = ProcessOrder(
      words: isNative ? [program, "exec", work.path] : order.command, directory: work.path,
      environment: StageEnvironment.make(
        instance.contract, caller: variables, orderPath: work.orderPath, checkpointDirectory: work.checkpointDirectory,
        eventsPath: work.eventsPath, threads: threads, gpus: gpus, lifeline: Self.lifelineDescriptor),
      descriptors: [
        (nothing, 0), (log, 1), (log, 2), (lifeline.readEnd, Self.lifelineDescriptor), (lock.descriptor, Self.lockDescriptor),
      ])
    do {
      let pid = try child.start(process)
      if !isNative { try lifeline.watch(pid) }
      defer { if !isNative { lifeline.unwatch(pid) } }
      try store.note(LockOwner(command: ProcessIdentity(pid: pid), run: runID, instance: instance.name), in: lock)
      return child.wait()
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

  // MARK: - Inputs stay as they were

  private struct InputLook {
    let name: String
    let digest: Digest
    let path: String
    let status: FileStatus
  }

  /// Native stages are ours and do not write to inputs; a command might.
  private func lookAtInputs() throws(StoreError) -> [InputLook] {
    guard case .command = instance.contract.run else { return [] }
    var looks: [InputLook] = []
    for (name, output) in inputOutputs {
      for (digest, path) in try store.objectPaths(of: output) {
        if let status = try store.files.status(path) { looks.append(InputLook(name: name, digest: digest, path: path, status: status)) }
      }
    }
    return looks
  }

  private func compareInputs(_ before: [InputLook]) throws {
    for look in before {
      let now = try store.files.status(look.path)
      if now == look.status { continue }
      // Times may move without the bytes; only other bytes are a change.
      if now != nil, (try? Digest.ofFile(look.path).digest) == look.digest { continue }
      if now != nil { try store.setAside(look.digest) }
      throw StageProblem("the stage changed its input \(look.name); that object was put aside and will be made again")
    }
    for (name, content) in sources {
      if let path = store.sources.changedFile(since: content) { throw StageProblem("input \(name) changed while the stage ran: \(path)") }
    }
  }

  // MARK: - Outputs

  private func collect(_ work: WorkDirectory, _ activity: StageActivity, _ seconds: Double) throws -> (ResultSummary, ResultRecord.Novelty?)
  {
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
    for pin in instance.expect {
      guard let found = intakes.first(where: { $0.output.name == pin.output })?.output.digest, found != pin.digest else { continue }
      throw StageProblem("output \(pin.output) is \(found), expected \(pin.digest); nothing was stored")
    }
    return try publish(intakes, work, activity, seconds)
  }

  private func publish(
    _ intakes: [Store.Intake], _ work: WorkDirectory, _ activity: StageActivity, _ seconds: Double
  ) throws -> (ResultSummary, ResultRecord.Novelty?) {
    // The first answers as long as its bytes are here; bytes made anew because they were gone answer for themselves.
    let answering: ResultRecord.Answering = isRerun || needsBytes ? .becomesCurrent : try hasWholeAnswer() ? .keepsFirst : .becomesCurrent
    var facts = machine.facts(threads: threads, numerics: numerics)
    for (name, value) in activity.facts.members { facts.set(name, value) }
    var pending = PendingNames()
    for intake in intakes { try store.take(intake, &pending) }
    let log = try takeLog(work, &pending)
    let outcome = ResultOutcome(
      outputs: intakes.map(\.output), recipe: recipe, instance: instance.name, run: runID, finished: Double(wallClock() / 1_000_000) / 1000,
      seconds: seconds, host: facts, metrics: activity.metricsObject, warnings: activity.warnings, log: log,
      isMixed: activity.facts["mixed"]?.boolValue ?? false)
    let publication = try store.publish(
      key: key.digest, stage: instance.stage, parts: key.parts, outcome: outcome, answering, &pending)
    try work.remove()
    return (ResultSummary(publication.record), publication.novelty)
  }

  /// A log may be longer than memory, so it is taken in like an output. A stage that puts something else in its place has none.
  private func takeLog(_ work: WorkDirectory, _ pending: inout PendingNames) throws -> Digest {
    guard let survey = try? OutputSurvey(work.logPath, expecting: .file, files: store.files) else { return try store.put([], &pending) }
    let intake = try store.examine(work.logPath, as: survey, name: "log", type: "file")
    try store.take(intake, &pending)
    return intake.output.digest
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
