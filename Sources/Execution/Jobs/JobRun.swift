import Artifacts
import Glibc
import Hashing
import JSONValues
import Planning
import StageInterface

/// One job of a queueing system, `heirloom exec --job`: plans as its run did, and makes one attempt at one instance on whatever machine the
/// system has chosen. The stage is run as a local run would run it; the result goes into the store, and the last word into the end file.
///
/// Asked to stop (SIGTERM, SIGUSR1), it stops its stage and ends with status 75 and no last word: the system starts it again, and it goes
/// on from the checkpoint.
package struct JobRun {
  let batch: JobBatch
  let member: JobBatch.Member
  let files: JobFiles
  let store: Store
  let options: RunOptions
  let pipe: WakePipe
  let record: JobRecord
  let place: QueuePlace
  private let began = monotonicSeconds()

  private var name: JobName { JobName(batch: batch.name, index: member.index) }

  /// Returns the exit status: 0 the result is there, 1 the stage failed, 75 to be started again, 2 no such job, 3 the store.
  ///
  /// - Parameters:
  ///   - path: of the batch's file.
  ///   - variables: the whole environment, with what the queueing system says in it.
  package static func run(_ path: String, program: String, variables: [String: String]) -> Int32 {
    do {
      let pipe = try WakePipe()
      JobSignals.install(pipe)
      return try JobRun(path, program, variables, pipe).run()
    } catch let refusal as Refusal {
      StandardError.line("error: \(refusal.message)")
      return 2
    } catch {
      StandardError.line("error: \((error as? SpawnFailure)?.message ?? "\(error)")")
      return 3
    }
  }

  struct Refusal: Error { let message: String }

  private init(_ path: String, _ program: String, _ variables: [String: String], _ pipe: WakePipe) throws {
    guard let place = JobFiles.place(ofBatch: path), RunID(place.run) != nil else { throw Refusal(message: "\(path) is no batch of a run") }
    guard let index = variables[QueueVariables.jobIndex].flatMap({ Int($0) }) else {
      throw Refusal(message: "\(QueueVariables.jobIndex) is not set: which job of \(place.batch) is this?")
    }
    store = try Store(reading: place.root)
    files = JobFiles(run: place.run, in: store)
    guard let batch = JobBatch(json: try files.json(path)), let member = batch.member(index) else {
      throw Refusal(message: "\(path) does not tell of a job \(index)")
    }
    self.batch = batch
    self.member = member
    self.pipe = pipe
    options = RunOptions(program: program, variables: variables, machine: Machine.current(environment: variables))
    let id = QueueVariables.job(in: variables)
    let waited = max(0, Double(wallClock()) / 1e9 - batch.submitted)
    record = try JobRecord(files, JobName(batch: batch.name, index: index), job: id)
    self.place = QueuePlace(
      executor: batch.executor, system: batch.system, cluster: batch.cluster, id: id, waitedSeconds: waited, starts: record.starts)
  }

  // MARK: - From beginning to end

  private func run() throws -> Int32 {
    // A last word is a last word, also when the system starts the job again.
    if let end = try files.end(name) { return end.isDone ? 0 : 1 }
    // The collector takes a run for alive as long as one of its jobs is.
    let alive = try FileLock.wait(files.directory + "/alive", .shared, store.files)
    defer { alive.release() }
    let plan: Plan
    do { plan = try self.plan() } catch let problem as StageProblem { return try end(.failed(problem), key: member.key) }
    switch plan {
    case .isThere(let key): return try end(.found, key: key)
    case .attempt(let recipe, let order):
      do {
        var attempts = try JobAttempts(self, recipe, order)
        guard let report = try attempts.report() else {
          let reason = JSONValue.string("asked to stop by \(batch.system); its job goes on when it is started again")
          try record.note("retry", [("instance", .string(member.instance)), ("error", reason)])
          return StageExit.stopped
        }
        return try end(report, key: order.key.digest)
      } catch let error as StoreError { return try end(.broken("\(error)"), key: order.key.digest) }
    }
  }

  private enum Plan {
    case isThere(Digest)
    case attempt(Recipe, AttemptOrder)
  }

  private func end(_ report: JobEnd.Report, key: Digest?) throws -> Int32 {
    var usage = place.usage
    usage.elapsedSeconds = monotonicSeconds() - began
    usage.node = ProcessIdentity.hostName
    usage.job = place.id
    let end = JobEnd(instance: member.instance, key: key, report: report, usage: usage)
    try note(end)
    // Before the last word, after which a new job may claim the key.
    if let key { try JobLedger.release(key, name, store) }
    try record.end(end, in: store)
    return end.isDone ? 0 : 1
  }

  private func note(_ end: JobEnd) throws(StoreError) {
    var members: [(String, JSONValue)] = [("instance", .string(member.instance))]
    switch end.report {
    case .succeeded(_, let seconds, _): members += [("outcome", "ran"), ("seconds", .number(seconds))]
    case .found: members.append(("outcome", "cached"))
    case .failed(let problem), .stopped(let problem): members += [("outcome", "failed"), ("error", .string(problem.message))]
    case .withdrawn(let problem): members += [("outcome", "interrupted"), ("error", .string(problem.message))]
    case .broken(let message): members += [("outcome", "failed"), ("error", .string(message))]
    }
    try record.note("finished", members + end.usage.members)
  }

  // MARK: - What is to be done

  /// Throws a `StageProblem` for what is the user's to mend, or a `StoreError`.
  private func plan() throws -> Plan {
    let recipe = try load()
    let graph = recipe.graph
    guard let instance = graph.instances.first(where: { $0.name.utf8.elementsEqual(member.instance.utf8) }) else {
      throw StageProblem("the captured manifest has no instance '\(member.instance)'")
    }
    let judge = Judge(graph: graph, store: store, variables: options.variables, reruns: member.isRerun ? [instance.index] : [])
    for dependency in graph.dependencies[instance.index] { judge.settle(dependency, try result(of: graph.instances[dependency].name)) }
    let (judgement, key) = try self.judge(instance, judge)
    switch judgement.action {
    case .cached(let summary):
      try show(summary, instance, graph)
      return .isThere(key.digest)
    case .needs(let missing):
      throw StageProblem("the bytes of \(graph.instances[missing[0]].name) are gone from the store; run again")
    case .run, .resume, .waits, .impossible: return .attempt(recipe, try order(instance, key, judge))
    }
  }

  /// What is relied on is written down before the collector may remove anything. Throws a `StageProblem` for what has no key, or another
  /// than when it was submitted.
  private func judge(_ instance: StageInstance, _ judge: Judge) throws -> (Judgement, StageKey) {
    let judgement = try store.gate.inside { () throws(StoreError) in
      let judgement = try judge.judge(instance.index, member.needsBytes ? .bytes : .outputs)
      try record.note("judged", RecipeRun.judgedMembers(judgement, member.instance, []))
      return judgement
    }
    guard let key = judgement.key else {
      if case .impossible(let message) = judgement.action { throw StageProblem(message) }
      throw StageProblem("an input is not final yet")
    }
    if let expected = member.key, expected != key.digest {
      throw StageProblem("its inputs, or what its key is made of, have changed since it was submitted; run again")
    }
    return (judgement, key)
  }

  private func order(_ instance: StageInstance, _ key: StageKey, _ judge: Judge) throws -> AttemptOrder {
    let (wanted, seen) = (instance.resources.gpus, options.machine.gpus.count)
    guard wanted <= seen else { throw StageProblem("needs \(wanted) GPUs; its job on \(ProcessIdentity.hostName) sees \(seen)") }
    return AttemptOrder(
      instance, key, attempt: member.attempt + record.starts - 1, gpus: Array(0..<wanted),
      inputs: try StageInputs(instance, judge: judge), isRerun: member.isRerun,
      needsBytes: member.needsBytes || judge.wantsBytes(instance.index),
      memoryLimit: instance.resources.memoryLimit == nil ? nil : member.memoryBytes, isHermetic: judge.graph.isHermetic(instance))
  }

  private func load() throws -> Recipe {
    guard let capture = PlanningCapture(json: try files.json(files.capturePath)),
      let request = RunRequest(json: try files.json(files.requestPath), capture: capture, options: options)
    else { throw StageProblem("the run's directory does not tell what was planned: \(files.directory)") }
    do { return try request.load().recipe } catch {
      throw StageProblem("the captured manifest cannot be planned here: \(error.diagnostics.first.map { "\($0.message)" } ?? "")")
    }
  }

  /// What an instance gave that this one takes outputs of.
  private func result(of instance: String) throws -> ResultSummary {
    guard let need = member.needs.first(where: { $0.instance.utf8.elementsEqual(instance.utf8) }) else {
      throw StageProblem("nothing is known of \(instance), whose outputs it takes")
    }
    var key = need.key
    if key == nil, let job = need.job {
      let end = try patiently { () throws(StoreError) in try files.end(job) }
      guard let end, end.isDone, let made = end.key else { throw StageProblem("needs \(instance), which has no result") }
      key = made
    }
    guard let key, let summary = try patiently({ () throws(StoreError) in try store.results.summary(key) }) else {
      throw StageProblem("needs \(instance), whose result is not in the store")
    }
    return summary
  }

  /// What another machine has just written may take a while to be seen on a network's file system.
  private func patiently<T>(_ look: () throws(StoreError) -> T?) throws(StoreError) -> T? {
    for _ in 0..<Self.looks {
      if let found = try look() { return found }
      usleep(Self.lookMicroseconds)
      // A look into the directory makes a client ask the server anew.
      _ = try store.files.list(files.jobsDirectory)
    }
    return try look()
  }

  private static let looks = 20
  private static let lookMicroseconds: UInt32 = 500_000

  // MARK: - Views

  /// Where a runner waits, it shows what is made.
  func show(_ summary: ResultSummary, _ instance: StageInstance, _ graph: InstanceGraph) throws(StoreError) {
    guard batch.isHandedOver else { return }
    for output in summary.outputs where instance.contract.output(output.name)?.keep != false {
      _ = try store.show(output, recipe: graph.recipe, instance: instance.name)
    }
  }
}
