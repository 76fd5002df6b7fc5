import Artifacts
import Glibc
import Hashing
import JSONValues
import Planning
import StageInterface

/// Runs a recipe: asks the judge, does what the scheduler says, and writes down what happens.
///
/// One loop on the caller's thread decides everything; it sleeps until a stage ends, a signal comes or a time is up. Each running
/// instance has a thread that blocks on its process.
package final class RecipeRun {
  private typealias Message = (index: Int, report: AttemptReport)

  private let recipe: Recipe
  /// What the recipe was read for, and from; nil when nobody will ask for the same again.
  private let origin: (request: RunRequest, trace: PlanningTrace)?
  private let graph: InstanceGraph
  private let store: Store
  private let options: RunOptions
  private let display: any ProgressDisplay
  private let judge: Judge
  private var history: ResultHistory
  private var scheduler: Scheduler
  private let directory: RunDirectory
  private let mailbox: Mailbox<Message>
  private let lifeline: Lifeline
  private let committer: ResultCommitter
  private let confinement: Confinement
  private let memory = MemoryWatch()
  private var outcome: RunOutcome

  private var events: [Scheduler.Event] = []
  private var judgements: [Int: Judgement] = [:]
  private var children: [Int: ChildProcess] = [:]
  /// Instances whose stage is done and whose result is not published yet.
  private var storing: Set<Int> = []
  private var readers: [Int: EventReader] = [:]
  private var problems: [Int: StageProblem] = [:]
  private var attempts: [Int: Int] = [:]
  private var reasons: [Int: [String]] = [:]
  private var blocked: Set<Int> = []
  /// Told already that another run computes them.
  private var announcedBlocked: Set<Int> = []
  private var outcomes: [Int: Scheduler.Outcome] = [:]
  private var seconds: [Int: Double] = [:]
  private var forecast: RunForecast
  private var started: [Int: Double] = [:]
  /// When the outlook is due next.
  private var outlookDue = 0.0
  /// For which the run was stopped by its terminal: no time that a stage has had.
  private var pausedSeconds = 0.0
  private var bytesWanted: Set<Int> = []
  private var views: RunViews
  /// Something has to run.
  private var isPrepared = false
  /// The store broke: everything stops, and the run ends with this.
  private var breakage: StoreError?

  private static let lockPollSeconds = 0.1

  /// Runs to the end. Throws `Diagnostic` for a target that does not exist (status 2), `StoreError` or `SpawnFailure` (3).
  ///
  /// - Parameter origin: what the recipe was read for and from, to be remembered when the run ends well.
  package static func run(
    _ recipe: Recipe, in storePath: String, options: RunOptions, display: any ProgressDisplay,
    origin: (request: RunRequest, trace: PlanningTrace)? = nil, files: FileSystem = .posix
  ) throws -> RunOutcome {
    let selection = try RunSelection(recipe.graph, options)
    let store = try Store.open(storePath, files: files)
    // Before signals are taken and the collector is kept out: it may take minutes.
    SourceSurvey.look(recipe.graph, selection.isWanted, store, display.taskStyle)
    let run = try RecipeRun(recipe, store, options, display, selection, origin)
    return try run.execute()
  }

  private init(
    _ recipe: Recipe, _ store: Store, _ options: RunOptions, _ display: any ProgressDisplay, _ selection: RunSelection,
    _ origin: (request: RunRequest, trace: PlanningTrace)?
  ) throws {
    self.recipe = recipe
    self.origin = origin
    self.graph = recipe.graph
    self.store = store
    self.options = options
    self.display = display
    judge = Judge(graph: recipe.graph, store: store, variables: options.variables, reruns: selection.reruns)
    history = ResultHistory(store: store)
    views = RunViews(store: store, recipe: recipe.graph.recipe)
    mailbox = try Mailbox()
    lifeline = try Lifeline()
    committer = ResultCommitter(store)
    confinement = Confinement(
      program: options.program, variables: options.variables, project: recipe.projectDirectory, store: store)
    let machine = options.machine
    let graph = recipe.graph
    let tasks = graph.instances.map { instance in
      Scheduler.Task(
        dependencies: graph.dependencies[instance.index], dependents: graph.dependents[instance.index],
        need: Scheduler.Need(instance, options), retries: instance.retries, timeoutSeconds: instance.timeoutSeconds,
        checkpoints: instance.contract.checkpoints, isWanted: selection.isWanted[instance.index])
    }
    scheduler = Scheduler(
      tasks: tasks,
      limits: Scheduler.Limits(
        jobs: max(1, options.jobs ?? machine.cpus), cpus: max(1, machine.cpus), memoryBytes: machine.memoryBytes, gpus: machine.gpus.count,
        keepGoing: options.keepGoing, graceSeconds: options.graceSeconds, backOffSeconds: options.backOffSeconds))
    forecast = RunForecast(stages: graph.instances.map(\.stage))
    directory = try RunDirectory.begin(in: store, manifest: recipe.manifest.bytes)
    outcome = RunOutcome(run: directory.id)
  }

  // MARK: - The loop

  private func execute() throws -> RunOutcome {
    var signals = InterruptSignals()
    if options.takesSignals { signals.install(wakeDescriptor: mailbox.writeEnd) }
    defer {
      display.close()
      signals.restore()
    }
    let start = clock
    do {
      try begin()
      try loop(signals)
      outcome.seconds = clock - start
      try end()
    } catch {
      abandon()
      throw error
    }
    if let breakage { throw breakage }
    return outcome
  }

  private func begin() throws(StoreError) {
    try directory.write(plan: RunPlan.json(recipe, isWanted: scheduler.tasks.map(\.isWanted)))
    directory.note("start", Self.startMembers(recipe: graph.recipe, manifest: recipe.path, numerics: graph.numerics.rawValue))
    display.show(.began(run: directory.id, recipe: graph.recipe, instances: scheduler.tasks.count(where: \.isWanted)))
    events = [.begin]
  }

  private func loop(_ signals: InterruptSignals) throws(StoreError) {
    try work()
    while !scheduler.isDone {
      try directory.flush()
      // Where a slot is idle, it waits for what is being stored.
      committer.expect(more: children.count >= max(1, options.jobs ?? options.machine.cpus))
      let (messages, wakes) = mailbox.receive(within: timeout())
      for message in messages { take(message) }
      for wake in wakes {
        switch wake {
        case .interrupt: interrupt()
        case .resize: display.resize()
        case .suspend: suspend(signals)
        case .message: break
        }
      }
      events.append(.tick)
      if !blocked.isEmpty { try lookAtBlocked() }
      try work()
      advance()
    }
  }

  /// Until the scheduler has something due, a lock may be free, or the display wants news.
  private func timeout() -> Double? {
    var seconds: [Double] = []
    if let deadline = scheduler.nextDeadline { seconds.append(deadline - clock) }
    if !blocked.isEmpty { seconds.append(Self.lockPollSeconds) }
    if let refresh = display.refreshSeconds, !children.isEmpty { seconds.append(refresh) }
    return seconds.min()
  }

  /// Hands events to the scheduler and does what it says, until there is nothing left to do. What is judged to be there is in the journal
  /// before the collector may remove anything.
  private func work() throws(StoreError) {
    try store.gate.enter()
    defer { store.gate.leave() }
    var place = 0
    while place < events.count {
      let actions = scheduler.handle(events[place], now: clock)
      place += 1
      for action in actions { try perform(action) }
    }
    events = []
    try directory.flush()
  }

  private func interrupt() {
    if !scheduler.wasInterrupted { display.show(.stopping(running: children.count)) }
    events.append(.interrupt)
  }

  private func advance() {
    guard display.refreshSeconds != nil else { return }
    for index in children.keys.sorted() {
      if readers[index]?.advance() == true, let activity = readers[index]?.activity { display.show(.advanced(name(index), activity)) }
    }
    if display.wantsOutlook, clock >= outlookDue { tellOutlook() }
    display.refresh()
  }

  private func tellOutlook() {
    let start = monotonicSeconds()
    var left: [Int: Double] = [:]
    for index in children.keys {
      guard let activity = readers[index]?.activity, activity.fraction != nil else { continue }
      left[index] = activity.secondsLeft
    }
    let elapsed = started.mapValues { clock - $0 }
    display.show(.outlook(forecast.outlook(scheduler.tasks, scheduler.states, scheduler.limits, left: left, elapsed: elapsed)))
    // However large the graph, little of the time goes into telling how much is left.
    outlookDue = clock + max(1, 50 * (monotonicSeconds() - start))
  }

  /// The terminal stops the program (Ctrl-Z), and what it has started with it: stages are in groups of their own, so they would go on.
  private func suspend(_ signals: InterruptSignals) {
    let start = monotonicSeconds()
    display.suspend()
    for child in children.values { child.pause() }
    signals.stopHere()
    for child in children.values { child.goOn() }
    pausedSeconds += monotonicSeconds() - start
    display.resume()
  }

  /// Seconds on a clock that stands still while the run is stopped, so that no stage is over its time for it.
  private var clock: Double { monotonicSeconds() - pausedSeconds }

  // MARK: - Actions

  private func perform(_ action: Scheduler.Action) throws(StoreError) {
    switch action {
    case .judge(let index, let purpose): try judge(index, purpose)
    case .start(let index, let attempt, let gpus): try start(index, attempt, gpus)
    case .stop(let index, let cause):
      if cause == .timeout { overTime(index) }
      children[index]?.signal(SIGTERM)
    case .kill(let index): children[index]?.signal(SIGKILL)
    case .retry(let index, let wait):
      let problem = problems[index] ?? StageProblem("failed")
      directory.note("retry", [("instance", .string(name(index))), ("error", .string(problem.message)), ("after", .number(wait))])
      display.show(.retrying(name(index), problem, attempt: attempts[index, default: 1], afterSeconds: wait))
      problems[index] = nil
    case .finish(let index, let outcome, let cause): try finish(index, outcome, cause)
    }
  }

  private func overTime(_ index: Int) {
    let problem = StageProblem("ran longer than its timeout of \(timeoutText(index))")
    problems[index] = problem
    if let key = judgements[index]?.key { store.workDirectory(key.digest).say("ended: \(problem.message)") }
  }

  private func judge(_ index: Int, _ purpose: Scheduler.Purpose) throws(StoreError) {
    let instance = graph.instances[index]
    guard instance.resources.gpus <= options.machine.gpus.count else {
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
    var members: [(String, JSONValue)] = [
      ("instance", .string(name(judgement.instance))), ("action", .string(judgement.actionName)),
    ]
    if let key = judgement.key { members.append(("key", .string(key.digest.text))) }
    if !reasons.isEmpty { members.append(("reasons", .array(reasons.map(JSONValue.string)))) }
    directory.note("judged", members)
  }

  private func start(_ index: Int, _ attempt: Int, _ gpus: [Int]) throws(StoreError) {
    guard let judgement = judgements[index], let key = judgement.key else { preconditionFailure("started without a key") }
    attempts[index] = attempt
    let instance = graph.instances[index]
    let child = ChildProcess()
    var resumes = attempt > 1 && instance.contract.checkpoints
    if case .resume = judgement.action { resumes = true }
    directory.note("started", [("instance", .string(name(index))), ("key", .string(key.digest.text)), ("attempt", .integer(attempt))])
    try directory.flush()
    display.show(
      .started(
        name(index),
        ProgressEvent.Start(
          stage: instance.stage, resumes: resumes, attempt: attempt, reasons: reasons[index] ?? [],
          // What goes on from a checkpoint has a part of it behind it.
          expectedSeconds: resumes ? nil : forecast.seconds(index))))
    started[index] = clock
    let handed: StageInputs
    do {
      handed = try StageInputs(instance, judge: judge)
    } catch let error as StoreError {
      return take((index, .broken(error)))
    } catch {
      return take((index, .failed(error as? StageProblem ?? StageProblem("\(error)"))))
    }
    if graph.isHermetic(instance), let notice = confinement.notice() { display.show(.notice(notice)) }
    let work = StageAttempt(
      instance: instance, key: key, recipe: graph.recipe, runID: directory.id, store: store, machine: options.machine,
      variables: options.variables, program: options.program, inputs: handed.inputs, sources: handed.sources, inputOutputs: handed.outputs,
      threads: options.threads(for: instance), numerics: graph.numerics.rawValue, gpus: gpus.map { options.machine.gpus[$0] },
      attempt: attempt, isRerun: judge.isRerun(index), needsBytes: bytesWanted.contains(index), lifeline: lifeline,
      confinement: confinement, memory: memory, isHermetic: graph.isHermetic(instance), child: child, committer: committer)
    let mailbox = mailbox
    // From here on a message comes, whatever happens: what is in `children` is waited for.
    children[index] = child
    readers[index] = EventReader(path: store.workDirectory(key.digest).eventsPath)
    startThread { work.run { mailbox.post((index, $0)) } }
  }

  // MARK: - Reports

  private func take(_ message: Message) {
    let index = message.index
    follow(message)
    readers[index] = nil
    started[index] = nil
    switch message.report {
    case .succeeded(let summary, let novelty, let seconds, let warnings):
      if novelty == .different {
        let which = judge.isRerun(index) ? "the new ones answer from now on" : "the first answer until --rerun"
        display.show(.notice("\(name(index)): other outputs than before for the same key; \(which)"))
      }
      for warning in warnings { display.show(.warned(name(index), warning)) }
      self.seconds[index] = seconds
      forecast.took(seconds, index)
      let isChanged = judge.settle(index, summary)
      events.append(.ended(index, .succeeded(changed: isChanged)))
    case .found(let summary):
      events.append(.ended(index, .found(changed: judge.settle(index, summary))))
    case .blocked(let owner):
      blocked.insert(index)
      if announcedBlocked.insert(index).inserted { display.show(.blocked(name(index), owner)) }
      events.append(.ended(index, .blocked))
    case .failed(let problem):
      keep(problem, index)
      events.append(.ended(index, .failed))
    case .stopped(let problem):
      keep(problem, index)
      events.append(.ended(index, .stopped))
    case .storing: return events.append(.released(index))
    case .broken(let error):
      if breakage == nil { breakage = error }
      problems[index] = StageProblem("the store failed: \(error)")
      events.append(.ended(index, .failed))
      if !scheduler.wasInterrupted { events.append(.interrupt) }
    }
    // Whoever waited for a key of ours may find its result now.
    for other in blocked.sorted() where other != index { unblock(other) }
  }

  /// Keeps count of who is still at it: the process of a stage, then the storing of its result.
  private func follow(_ message: Message) {
    children[message.index] = nil
    if case .storing = message.report { storing.insert(message.index) } else { storing.remove(message.index) }
  }

  /// A reason that is known already (a timeout) is better than what the process said when it was ended.
  private func keep(_ problem: StageProblem, _ index: Int) {
    var problem = problem
    if let known = problems[index] { problem.message = known.message }
    problems[index] = problem
  }

  private func lookAtBlocked() throws(StoreError) {
    for index in blocked.sorted() {
      guard let key = judgements[index]?.key else { continue }
      if let lock = try FileLock.attempt(store.lockPath(key.digest), .exclusive, store.files) {
        lock.release()
        unblock(index)
      } else if let owner = try store.owner(ofLock: key.digest), Orphan.isGone(owner) {
        // Its runner died and left a stage behind: the next attempt ends it.
        unblock(index)
      }
    }
  }

  private func unblock(_ index: Int) {
    blocked.remove(index)
    events.append(.unblocked(index))
  }

  // MARK: - Ends

  private func finish(_ index: Int, _ outcome: Scheduler.Outcome, _ cause: Int?) throws(StoreError) {
    blocked.remove(index)
    outcomes[index] = outcome
    var members: [(String, JSONValue)] = [("instance", .string(name(index))), ("outcome", .string("\(outcome)"))]
    switch outcome {
    case .cached:
      try showViews(index)
      display.show(.cached(name(index)))
    case .ran:
      try showViews(index)
      let seconds = seconds[index] ?? 0
      members.append(("seconds", .number(seconds)))
      display.show(.finished(name(index), seconds: seconds))
    case .failed:
      let problem = problems[index] ?? StageProblem("failed")
      members.append(("error", .string(problem.message)))
      display.show(.failed(name(index), problem))
    case .skipped: display.show(.skipped(name(index), because: cause.map(name)))
    // What had not begun has nothing to tell; the summary counts it.
    case .interrupted: if attempts[index] != nil { display.show(.interrupted(name(index))) }
    }
    // The judgement already says "cached", and a line for each of thousands would say it twice; not so of one that was started and then found
    // that another instance had computed the same.
    if outcome != .cached || attempts[index] != nil { directory.note("finished", members) }
  }

  private func showViews(_ index: Int) throws(StoreError) {
    guard let summary = judge.result(index) else { return }
    // What is not kept would leave a view of nothing.
    let kept = summary.outputs.filter { graph.instances[index].contract.output($0.name)?.keep != false }
    try views.show(kept, of: name(index))
  }

  private func end() throws {
    for outcome in outcomes.values {
      switch outcome {
      case .cached: self.outcome.cached += 1
      case .ran: self.outcome.ran += 1
      case .failed: self.outcome.failed += 1
      case .skipped: self.outcome.skipped += 1
      case .interrupted: self.outcome.interrupted += 1
      }
    }
    directory.note("end", Self.endMembers(outcome, status: breakage == nil ? outcome.exitStatus : 3))
    let mark = try views.end()
    try committer.drain()
    store.spares.clear()
    try directory.end()
    if breakage == nil { try freePassing() }
    store.sources.save()
    if let mark, breakage == nil, outcome.exitStatus == 0, let (request, trace) = origin {
      let isWanted = scheduler.tasks.map(\.isWanted)
      try UnchangedRun.remember(request, trace, recipe, isWanted: isWanted, run: directory.id, judge, mark)
    }
    store.results.tidy()
    display.show(.ended(outcome))
  }

  /// Outputs that are not kept go when all who take them are done, but for bytes that something else needs.
  private func freePassing() throws(StoreError) {
    var passing: [StoredOutput] = []
    for instance in graph.instances where instance.outputs.contains(where: { !$0.keep }) {
      let dependents = graph.dependents[instance.index].filter { scheduler.tasks[$0].isWanted }
      guard dependents.allSatisfy({ [.cached, .ran].contains(outcomes[$0]) }), let summary = judge.result(instance.index) else { continue }
      for output in summary.outputs where instance.contract.output(output.name)?.keep == false {
        if try store.hasObject(output.digest) { passing.append(output) }
      }
    }
    // A saving and no more: what cannot be freed now is left to `gc`, and nobody waits long for it.
    if !passing.isEmpty { _ = try? Collection(store, waitSeconds: 2).free(passing) }
  }

  /// The run cannot go on: nothing may be left running when the caller hears of it.
  private func abandon() {
    while !children.isEmpty || !storing.isEmpty {
      for child in children.values { child.signal(SIGKILL) }
      for message in mailbox.receive(within: 1).messages { follow(message) }
    }
    try? committer.drain()
  }

  // MARK: - Words

  private func name(_ index: Int) -> String { graph.instances[index].name }

  private func timeoutText(_ index: Int) -> String {
    let seconds = graph.instances[index].timeoutSeconds ?? 0
    return seconds == seconds.rounded() ? "\(Int(seconds)) s" : "\(seconds) s"
  }
}
