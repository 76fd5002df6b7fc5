/// Decides what is judged, started, stopped and retried, and when the run is over. Pure: events in, actions out; no clock, no process,
/// no store. The shell around it does what the actions say and reports what came of it.
///
/// An instance is judged when its inputs are final, so an upstream rerun that gives the same bytes stops there. Among ready instances
/// the one with the longest remaining path goes first; one that fits is never kept waiting by one that does not.
package struct Scheduler: Sendable {
  /// Whether new work is begun.
  private enum Mode: Sendable { case normal, draining, interrupted, killing }

  private struct Run: Sendable {
    var gpus: [Int]
    var deadline: Double?
    var stopCause: StopCause?
    var killAt: Double?
  }

  package private(set) var tasks: [Task]
  package let limits: Limits
  package private(set) var states: [State]
  package private(set) var free: Need
  private var freeDevices: [Int]
  private var mode = Mode.normal
  private var ready: ReadyQueue
  private var runs: [Int: Run] = [:]
  private var backingOff: Set<Int> = []
  private var attempts: [Int]
  /// Why its bytes matter when it is judged the next time.
  private var purposes: [Int: Purpose] = [:]
  /// Judged once more after they had been final.
  private var reopened: Set<Int> = []
  /// Judged with inputs that have become others meanwhile.
  private var outdated: Set<Int> = []
  /// Came out different and had to be judged again at once, so that those judged with its old outputs have not been told.
  private var untold: Set<Int> = []
  private var unfinished: Int
  private var actions: [Action] = []

  package init(tasks: [Task], limits: Limits) {
    self.tasks = tasks
    self.limits = limits
    free = Need(cpus: limits.cpus, memoryBytes: limits.memoryBytes, gpus: limits.gpus, slots: limits.jobs)
    freeDevices = Array(0..<limits.gpus)
    states = tasks.map { $0.isWanted ? .waiting($0.dependencies.count) : .outside }
    attempts = Array(repeating: 0, count: tasks.count)
    ready = ReadyQueue(priorities: Self.remainingSeconds(tasks))
    unfinished = tasks.count(where: \.isWanted)
  }

  /// Seconds from the start of each instance to the end of the last that hangs on it.
  package static func remainingSeconds(_ tasks: [Task]) -> [Double] {
    var seconds = Array(repeating: 0.0, count: tasks.count)
    for index in tasks.indices.reversed() {
      let after = tasks[index].dependents.reduce(0) { tasks[$1].isWanted ? max($0, seconds[$1]) : $0 }
      seconds[index] = tasks[index].expectedSeconds + after
    }
    return seconds
  }

  /// Tells how long each instance is expected to take, by its place; what is ready is put in order again. Reading earlier times is
  /// worth nothing where nothing has to run, so the shell may do it late.
  package mutating func expect(seconds: [Double]) {
    precondition(seconds.count == tasks.count, "\(seconds.count) durations for \(tasks.count) instances")
    for index in tasks.indices { tasks[index].expectedSeconds = seconds[index] }
    ready.order(by: Self.remainingSeconds(tasks))
  }

  // MARK: - What the shell asks

  package var isDone: Bool { unfinished == 0 }

  package var wasInterrupted: Bool { mode == .interrupted || mode == .killing }

  package var running: [Int] { runs.keys.sorted() }

  /// When `tick` is due next.
  package var nextDeadline: Double? {
    var times: [Double] = []
    for run in runs.values {
      if run.stopCause == nil, let deadline = run.deadline { times.append(deadline) }
      if let killAt = run.killAt { times.append(killAt) }
    }
    for index in backingOff {
      if case .backingOff(let until) = states[index] { times.append(until) }
    }
    return times.min()
  }

  // MARK: - The one way in

  /// Takes in what happened at `now` (seconds on any clock that only goes forward) and says what to do, in order.
  package mutating func handle(_ event: Event, now: Double) -> [Action] {
    switch event {
    case .begin: for index in tasks.indices where states[index] == .waiting(0) { judge(index) }
    case .judged(let index, let verdict): judged(index, verdict, now)
    case .released(let index): released(index)
    case .ended(let index, let ending): ended(index, ending, now)
    case .unblocked(let index): if states[index] == .blocked { judge(index) }
    case .interrupt: interrupt(now)
    case .tick: tick(now)
    }
    start(now)
    defer { actions = [] }
    return actions
  }

  // MARK: - Transitions

  /// The only place where a state changes.
  private mutating func move(_ index: Int, to state: State) {
    precondition(Self.allows(states[index], state), "instance \(index) cannot go from \(states[index]) to \(state)")
    if case .finished = states[index] { unfinished += 1 }
    if case .finished = state { unfinished -= 1 }
    if case .backingOff = states[index] { backingOff.remove(index) }
    if case .backingOff = state { backingOff.insert(index) }
    states[index] = state
  }

  private static func allows(_ from: State, _ to: State) -> Bool {
    switch (from, to) {
    case (.waiting, .waiting), (.waiting, .judging), (.judging, .ready), (.judging, .waiting), (.judging, .finished): true
    case (.ready, .running), (.running, .finished), (.running, .backingOff), (.running, .blocked): true
    case (.running, .storing), (.storing, .finished), (.storing, .backingOff): true
    case (.backingOff, .ready), (.blocked, .judging), (.ready, .judging): true
    case (.waiting, .finished), (.ready, .finished), (.backingOff, .finished), (.blocked, .finished): true
    // What was final is not when bytes turn out to be gone, or when those before it come out different.
    case (.finished(.cached), .judging), (.finished(.ran), .judging): true
    default: false
    }
  }

  private mutating func judge(_ index: Int) {
    move(index, to: .judging)
    outdated.remove(index)
    actions.append(.judge(index, purposes[index] ?? .outputs))
  }

  private mutating func finish(_ index: Int, _ outcome: Outcome, because: Int? = nil) {
    move(index, to: .finished(outcome))
    actions.append(.finish(index, outcome, because: because))
  }

  // MARK: - Judged

  private mutating func judged(_ index: Int, _ verdict: Verdict, _ now: Double) {
    guard states[index] == .judging else { return }
    if mode == .normal, outdated.remove(index) != nil {
      // An input became another between the question and the answer.
      if case .cached(changed: true) = verdict { untold.insert(index) }
      return actions.append(.judge(index, purposes[index] ?? .outputs))
    }
    switch verdict {
    case .cached(let changed): settle(index, .cached, changed: changed)
    case _ where mode != .normal: giveUp(index)
    case .run:
      move(index, to: .ready)
      ready.add(index, tasks[index].need)
    case .needs(let dependencies): reopen(dependencies, for: index)
    case .failed: fail(index)
    }
  }

  /// Cached dependencies whose bytes are gone run after all, and `index` waits for them.
  private mutating func reopen(_ dependencies: [Int], for index: Int) {
    // Any of its inputs, for it would wait for ever for one that has failed.
    for dependency in tasks[index].dependencies {
      switch states[dependency] {
      case .finished(.failed), .finished(.skipped), .finished(.interrupted):
        finish(index, .skipped, because: dependency)
        return skip(from: index)
      default: break
      }
    }
    for dependency in dependencies {
      guard case .finished = states[dependency] else { continue }
      for other in tasks[dependency].dependents where other != index {
        if case .waiting(let count) = states[other] { move(other, to: .waiting(count + 1)) }
      }
      purposes[dependency] = .bytes
      reopened.insert(dependency)
      judge(dependency)
    }
    // Not only for these: others of its inputs may be open for somebody else's sake.
    move(index, to: .waiting(tasks[index].dependencies.count { !isSettled($0) }))
  }

  private func isSettled(_ index: Int) -> Bool {
    switch states[index] {
    case .finished(.cached), .finished(.ran): true
    default: false
    }
  }

  // MARK: - Ended

  private mutating func released(_ index: Int) {
    guard states[index] == .running, let run = runs.removeValue(forKey: index) else { return }
    release(run, tasks[index].need)
    move(index, to: .storing)
  }

  private mutating func ended(_ index: Int, _ ending: Ending, _ now: Double) {
    var run: Run?
    switch states[index] {
    case .running:
      run = runs.removeValue(forKey: index)
      if let run { release(run, tasks[index].need) }
    case .storing: break
    default: return
    }
    switch ending {
    case .succeeded(let changed): settle(index, .ran, changed: changed)
    case .found(let changed): settle(index, .cached, changed: changed)
    case .blocked:
      // Nothing was tried.
      attempts[index] -= 1
      mode == .normal ? move(index, to: .blocked) : giveUp(index)
    case .withdrawn: withdraw(index)
    case .failed, .stopped:
      if run?.stopCause == .interrupt || wasInterrupted { return finish(index, .interrupted) }
      guard mode == .normal, attempts[index] <= tasks[index].retries else { return fail(index) }
      let wait = min(limits.backOffSeconds * Double(1 << min(attempts[index] - 1, 16)), 60)
      move(index, to: .backingOff(until: now + wait))
      actions.append(.retry(index, afterSeconds: wait))
    }
  }

  /// The instance's outputs are final: those that waited for it alone are judged. If it had been final before, with other outputs,
  /// everything judged with those is judged again.
  private mutating func settle(_ index: Int, _ outcome: Outcome, changed: Bool) {
    finish(index, outcome)
    attempts[index] = 0
    purposes[index] = nil
    if outdated.contains(index), mode == .normal {
      reopened.insert(index)
      if changed { untold.insert(index) }
      return judge(index)
    }
    let isNews = untold.remove(index) != nil || changed
    let isAnother = reopened.remove(index) != nil && isNews && mode == .normal
    for dependent in tasks[index].dependents {
      switch states[dependent] {
      case .waiting(let count):
        move(dependent, to: .waiting(count - 1))
        if count == 1 { mode == .normal ? judge(dependent) : giveUp(dependent) }
      case .finished(.cached), .finished(.ran): if isAnother { rejudge(dependent) }
      case .judging, .ready, .running, .storing, .backingOff: if isAnother { outdated.insert(dependent) }
      default: break
      }
    }
  }

  private mutating func rejudge(_ index: Int) {
    for other in tasks[index].dependents {
      if case .waiting(let count) = states[other] { move(other, to: .waiting(count + 1)) }
    }
    reopened.insert(index)
    judge(index)
  }

  // MARK: - Going wrong

  private mutating func fail(_ index: Int) { drop(index, .failed) }

  private mutating func withdraw(_ index: Int) { drop(index, .interrupted) }

  /// It will have no result in this run, nor will what hangs on it.
  private mutating func drop(_ index: Int, _ outcome: Outcome) {
    finish(index, outcome)
    skip(from: index)
    guard !limits.keepGoing, mode == .normal else { return }
    mode = .draining
    giveUpUnstarted()
  }

  /// Everything that hangs on a failed instance.
  private mutating func skip(from root: Int) {
    var stack = tasks[root].dependents
    while let index = stack.popLast() {
      switch states[index] {
      case .waiting:
        finish(index, .skipped, because: root)
        stack += tasks[index].dependents
      default: break
      }
    }
  }

  private mutating func giveUpUnstarted() {
    ready.removeAll()
    for index in tasks.indices {
      switch states[index] {
      case .waiting, .judging, .ready, .backingOff, .blocked: giveUp(index)
      default: break
      }
    }
  }

  private mutating func giveUp(_ index: Int) { finish(index, wasInterrupted ? .interrupted : .skipped) }

  private mutating func interrupt(_ now: Double) {
    guard !wasInterrupted else {
      mode = .killing
      for index in running { actions.append(.kill(index)) }
      return
    }
    mode = .interrupted
    giveUpUnstarted()
    for index in running { stop(index, .interrupt, killAt: tasks[index].checkpoints ? nil : now + limits.graceSeconds) }
  }

  private mutating func stop(_ index: Int, _ cause: StopCause, killAt: Double?) {
    guard runs[index]?.stopCause == nil else { return }
    runs[index]?.stopCause = cause
    runs[index]?.killAt = killAt
    actions.append(.stop(index, cause))
  }

  private mutating func tick(_ now: Double) {
    for index in running {
      guard let run = runs[index] else { continue }
      if let killAt = run.killAt, killAt <= now {
        runs[index]?.killAt = nil
        actions.append(.kill(index))
      } else if run.stopCause == nil, let deadline = run.deadline, deadline <= now {
        stop(index, .timeout, killAt: now + limits.graceSeconds)
      }
    }
    for index in backingOff.sorted() {
      guard case .backingOff(let until) = states[index], until <= now else { continue }
      move(index, to: .ready)
      ready.add(index, tasks[index].need)
    }
  }

  // MARK: - Starting

  private mutating func start(_ now: Double) {
    while mode == .normal {
      let free = self.free
      guard let index = ready.take(where: { $0.fits(in: free) }) else { return }
      if outdated.contains(index) {
        judge(index)
        continue
      }
      let need = tasks[index].need
      move(index, to: .running)
      attempts[index] += 1
      let devices = Array(freeDevices.prefix(need.gpus))
      freeDevices.removeFirst(need.gpus)
      self.free.take(need)
      runs[index] = Run(gpus: devices, deadline: tasks[index].timeoutSeconds.map { now + $0 })
      actions.append(.start(index, attempt: attempts[index], gpus: devices))
    }
  }

  private mutating func release(_ run: Run, _ need: Need) {
    free.give(need)
    freeDevices = (freeDevices + run.gpus).sorted()
  }
}
