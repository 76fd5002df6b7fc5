import Artifacts
import Hashing
import JSONValues
import Planning

/// What the scheduler says, done.
extension RecipeRun {
  func perform(_ action: Scheduler.Action) throws(StoreError) {
    switch action {
    case .judge(let index, let purpose): try judge(index, purpose)
    case .start(let index, let attempt, let gpus): start(index, attempt, gpus)
    case .stop(let index, let cause):
      if cause == .timeout { overTime(index) }
      executor(of: index).cancel([index], .stop)
    case .kill(let index): executor(of: index).cancel([index], .end)
    case .retry(let index, let wait):
      let problem = problems[index] ?? StageProblem("failed")
      directory.note("retry", [("instance", .string(name(index))), ("error", .string(problem.message)), ("after", .number(wait))])
      display.show(.retrying(name(index), problem, attempt: attempts[index, default: 1], afterSeconds: wait))
      problems[index] = nil
    case .finish(let index, let outcome, let cause): try finish(index, outcome, cause)
    }
  }

  private func overTime(_ index: Int) {
    let problem = StageProblem.overTime(graph.instances[index].timeoutSeconds ?? 0)
    problems[index] = problem
    if let key = judgements[index]?.key { store.workDirectory(key.digest).say("ended: \(problem.message)") }
  }

  // MARK: - Judging

  /// Those that another place was asked about; what it gave is in the store now.
  func judgeLookedUp() throws(StoreError) {
    for index in lookups?.answered() ?? [] where scheduler.states[index] == .judging {
      try judge(index, bytesWanted.contains(index) ? .bytes : .outputs)
    }
  }

  private func judge(_ index: Int, _ purpose: Scheduler.Purpose) throws(StoreError) {
    let instance = graph.instances[index]
    guard !isLocal(index) || instance.resources.gpus <= options.machine.gpus.count else {
      problems[index] = StageProblem("needs \(instance.resources.gpus) GPUs; this machine has \(options.machine.gpus.count)")
      return events.append(.judged(index, .failed))
    }
    let judgement = try judge.judge(index, purpose)
    judgements[index] = judgement
    if purpose == .bytes || judge.wantsBytes(index) { bytesWanted.insert(index) }
    switch judgement.action {
    case .cached(let summary):
      let isChanged = judge.settle(index, summary)
      note(judgement, reasons: [])
      events.append(.judged(index, .cached(changed: isChanged)))
    case .run where isLookedUp(judgement), .resume where isLookedUp(judgement), .needs where isLookedUp(judgement): break
    case .run, .resume:
      if !isPrepared { try prepare() }
      note(judgement, reasons: try judge.reasons(judgement, &history))
      events.append(.judged(index, .run))
    case .needs(let dependencies): events.append(.judged(index, .needs(dependencies)))
    case .impossible(let message):
      problems[index] = StageProblem(message)
      events.append(.judged(index, .failed))
    case .waits: preconditionFailure("\(instance.name) was judged before its inputs were final")
    }
  }

  /// True when another place is being asked for the result, and the instance will be judged again when that is over.
  private func isLookedUp(_ judgement: Judgement) -> Bool {
    let index = judgement.instance
    guard let lookups, let key = judgement.key, !judge.isRerun(index) else { return false }
    // What nobody takes further is wanted for itself.
    let bytes = bytesWanted.contains(index) || graph.dependents[index].allSatisfy { !scheduler.tasks[$0].isWanted }
    return lookups.ask(index, key.digest, bytes: bytes)
  }

  /// What only a run that has something to do needs.
  private func prepare() throws(StoreError) {
    isPrepared = true
    var expected = ExpectedDurations(store: store)
    var seconds: [Double?] = []
    for instance in graph.instances { seconds.append(try expected.seconds(of: instance, recipe: graph.recipe)) }
    scheduler.expect(seconds: seconds.map { $0 ?? 1 })
    forecast.known = seconds
    try views.showWaiting()
  }

  private func note(_ judgement: Judgement, reasons: [String]) {
    self.reasons[judgement.instance] = reasons
    directory.note("judged", Self.judgedMembers(judgement, name(judgement.instance), reasons))
  }

  // MARK: - Starting

  /// Makes the attempt's order; its executor gets it when the round is over.
  private func start(_ index: Int, _ attempt: Int, _ gpus: [Int]) {
    guard let judgement = judgements[index], let key = judgement.key else { preconditionFailure("started without a key") }
    attempts[index] = attempt
    let instance = graph.instances[index]
    if isLocal(index) { begin(index, place: nil) } else { noteSubmitted(index, key) }
    let inputs: StageInputs
    do { inputs = try StageInputs(instance, judge: judge) } catch {
      if let error = error as? StoreError { return take(index, .broken(error)) }
      return take(index, .failed(error as? StageProblem ?? StageProblem("\(error)")))
    }
    readers[index] = EventReader(path: store.workDirectory(key.digest).eventsPath)
    orders[places[index], default: []].append(
      AttemptOrder(
        instance, key, attempt: attempt, gpus: gpus, inputs: inputs, isRerun: judge.isRerun(index),
        needsBytes: bytesWanted.contains(index),
        isHermetic: graph.isHermetic(instance),
        needs: isLocal(index) ? [] : graph.dependencies[index].map { JobBatch.Need(instance: name($0), key: judge.result($0)?.key) }))
  }

  private func noteSubmitted(_ index: Int, _ key: StageKey) {
    directory.note(
      "submitted",
      [
        ("instance", .string(name(index))), ("key", .string(key.digest.text)), ("executor", .string(places[index])),
        ("attempt", .integer(attempts[index, default: 1])),
      ])
  }

  /// The attempt begins: here at once, elsewhere when its job does.
  func begin(_ index: Int, place: AttemptPlace?) {
    guard let judgement = judgements[index], let key = judgement.key else { return }
    let instance = graph.instances[index]
    let attempt = attempts[index, default: 1]
    var resumes = attempt > 1 && instance.contract.checkpoints
    if case .resume = judgement.action { resumes = true }
    var members: [(String, JSONValue)] = [
      ("instance", .string(name(index))), ("key", .string(key.digest.text)), ("attempt", .integer(attempt)),
    ]
    if let place { members += place.members }
    directory.note("started", members)
    display.show(
      .started(
        name(index),
        ProgressEvent.Start(
          stage: instance.stage, resumes: resumes, attempt: attempt, reasons: reasons[index] ?? [],
          // What goes on from a checkpoint has a part of it behind it.
          expectedSeconds: resumes ? nil : forecast.seconds(index), place: place?.text)))
    started[index] = clock
  }
}

extension StageProblem {
  static func overTime(_ seconds: Double) -> StageProblem {
    StageProblem("ran longer than its timeout of " + (seconds == seconds.rounded() ? "\(Int(seconds)) s" : "\(seconds) s"))
  }
}
