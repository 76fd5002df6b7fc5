import Execution

/// A small generator whose numbers depend on its seed alone.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }
  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}

/// Plays the world around a scheduler at random, with a clock of its own, keeps its own books, and holds every step against the rules.
///
/// The books know: which instances run, on which devices and since when; how often each failed; which version of its inputs each was
/// judged with. Nothing that the scheduler says of itself is taken for granted.
struct SchedulerSimulation {
  /// Which rules were broken; the play ends with the first.
  var faults: [String] { found.lines }

  private final class Findings { var lines: [String] = [] }

  private let found = Findings()
  private var scheduler: Scheduler
  private var random: SeededGenerator
  private var now = 0.0
  private let interruptAt: Int?

  private var running: [Int: (since: Double, gpus: [Int])] = [:]
  private var blocked: Set<Int> = []
  private var withdrawn: Set<Int> = []
  /// Their processes are over; what becomes of their results is not known yet.
  private var storing: Set<Int> = []
  /// Asked to stop, or ended by force.
  private var stopped: Set<Int> = []
  private var killed: Set<Int> = []
  private var interrupts = 0
  private var outcomes: [Int: Scheduler.Outcome] = [:]
  private var causes: [Int: Int] = [:]
  /// Failures of an instance since it was last settled.
  private var failures: [Int: Int] = [:]
  /// How often the outputs of an instance became others, and those of its inputs when it was judged the last time.
  private var versions: [Int: Int] = [:]
  private var seen: [Int: [Int: Int]] = [:]
  private var settled: Set<Int> = []
  private var hasFailed = false

  /// A world made from a seed; its first `size` instances if it is to be a smaller one.
  init(seed: UInt64, size: Int = .max) {
    var random = SeededGenerator(seed: seed)
    let count = min(size, Int.random(in: 1...40, using: &random))
    var tasks: [Scheduler.Task] = []
    for index in 0..<count {
      let wanted = min(index, Int.random(in: 0...3, using: &random))
      let dependencies = Set((0..<wanted).map { _ in Int.random(in: 0..<index, using: &random) }).sorted()
      tasks.append(
        Scheduler.Task(
          dependencies: dependencies,
          need: Self.need(&random),
          retries: Int.random(in: 0...2, using: &random), timeoutSeconds: Bool.random(using: &random) ? 5 : nil,
          checkpoints: Bool.random(using: &random), expectedSeconds: Double.random(in: 0...9, using: &random)))
    }
    for (index, task) in tasks.enumerated() {
      for dependency in task.dependencies { tasks[dependency].dependents.append(index) }
    }
    if Int.random(in: 0..<4, using: &random) == 0 { Self.want(Int.random(in: 0..<count, using: &random), of: &tasks) }
    scheduler = Scheduler(
      tasks: tasks,
      limits: Scheduler.Limits(
        jobs: Int.random(in: 1...4, using: &random), cpus: 4, memoryBytes: 3, gpus: 2, keepGoing: Bool.random(using: &random)))
    interruptAt = Int.random(in: 0..<4, using: &random) == 0 ? Int.random(in: 0...60, using: &random) : nil
    self.random = random
  }

  /// One in five is carried out elsewhere.
  private static func need(_ random: inout SeededGenerator) -> Scheduler.Need {
    if Int.random(in: 0..<5, using: &random) == 0 { return .nothing }
    return Scheduler.Need(
      cpus: Int.random(in: 1...4, using: &random), memoryBytes: Int.random(in: 0...3, using: &random),
      gpus: Int.random(in: 0...2, using: &random))
  }

  /// Only one instance and what it needs.
  private static func want(_ target: Int, of tasks: inout [Scheduler.Task]) {
    for index in tasks.indices { tasks[index].isWanted = false }
    var stack = [target]
    while let index = stack.popLast() {
      tasks[index].isWanted = true
      stack += tasks[index].dependencies
    }
  }

  // MARK: - Playing

  mutating func play() {
    handle(.begin)
    var steps = 0
    while !scheduler.isDone, faults.isEmpty {
      steps += 1
      guard steps < 5000 else { return found.lines.append("the run does not end: \(scheduler.states)") }
      now += Double.random(in: 0...2, using: &random)
      if steps == interruptAt || steps == interruptAt.map({ $0 + 20 }) { handle(.interrupt) }
      handle(.tick)
      checkTimes()
      if let index = blocked.sorted().randomElement(using: &random) {
        blocked.remove(index)
        handle(.unblocked(index))
      } else if let index = storing.sorted().randomElement(using: &random), running.isEmpty || Bool.random(using: &random) {
        storing.remove(index)
        let isLost = Int.random(in: 0..<10, using: &random) == 0
        handle(.ended(index, isLost ? fail(index, .failed) : settle(index, .succeeded(changed: Bool.random(using: &random)))))
      } else if let index = running.keys.sorted().randomElement(using: &random) {
        if !killed.contains(index), !stopped.contains(index), Int.random(in: 0..<3, using: &random) == 0 {
          running[index] = nil
          storing.insert(index)
          handle(.released(index))
        } else {
          handle(.ended(index, ending(index)))
        }
      } else if let deadline = scheduler.nextDeadline {
        now = max(now, deadline)
      }
    }
    if faults.isEmpty { checkEnd() }
  }

  private mutating func ending(_ index: Int) -> Scheduler.Ending {
    running[index] = nil
    if killed.remove(index) != nil {
      stopped.remove(index)
      return fail(index, .failed)
    }
    if stopped.remove(index) != nil {
      return Bool.random(using: &random) ? fail(index, .stopped) : settle(index, .succeeded(changed: true))
    }
    switch Int.random(in: 0..<12, using: &random) {
    case 0, 1: return fail(index, .failed)
    case 2: return fail(index, .stopped)
    case 3: return settle(index, .found(changed: Bool.random(using: &random)))
    case 4:
      blocked.insert(index)
      return .blocked
    case 5: return settle(index, .succeeded(changed: false))
    case 6 where Bool.random(using: &random):
      withdrawn.insert(index)
      return .withdrawn
    default: return settle(index, .succeeded(changed: true))
    }
  }

  private mutating func fail(_ index: Int, _ ending: Scheduler.Ending) -> Scheduler.Ending {
    failures[index, default: 0] += 1
    return ending
  }

  /// The first outputs are always news to those that wait for them.
  private mutating func settle(_ index: Int, _ ending: Scheduler.Ending) -> Scheduler.Ending {
    settled.insert(index)
    switch ending {
    case .succeeded(changed: true), .found(changed: true): versions[index, default: 0] += 1
    default: break
    }
    return ending
  }

  private mutating func handle(_ event: Scheduler.Event) {
    if event == .interrupt { interrupts += 1 }
    var queue = [event]
    while !queue.isEmpty {
      for action in scheduler.handle(queue.removeFirst(), now: now) {
        if let verdict = perform(action) { queue.append(verdict) }
      }
    }
    checkBooks()
  }

  private mutating func perform(_ action: Scheduler.Action) -> Scheduler.Event? {
    switch action {
    case .judge(let index, let purpose): return .judged(index, verdict(index, purpose))
    case .start(let index, let attempt, let gpus): start(index, attempt, gpus)
    case .stop(let index, _):
      require(running[index] != nil, "\(index) is asked to stop and does not run")
      stopped.insert(index)
    case .kill(let index):
      require(running[index] != nil, "\(index) is ended by force and does not run")
      killed.insert(index)
    case .retry(let index, _):
      require(failures[index, default: 0] <= scheduler.tasks[index].retries, "\(index) is tried more often than it may")
    case .finish(let index, let outcome, let cause): finish(index, outcome, cause)
    }
    return nil
  }

  private mutating func verdict(_ index: Int, _ purpose: Scheduler.Purpose) -> Scheduler.Verdict {
    let task = scheduler.tasks[index]
    require(task.isWanted, "\(index) is judged and nobody wants it")
    require(running[index] == nil && !storing.contains(index), "\(index) is judged while it runs")
    for dependency in task.dependencies { require(settled.contains(dependency), "\(index) is judged before \(dependency) was ever final") }
    seen[index] = Dictionary(uniqueKeysWithValues: task.dependencies.map { ($0, versions[$0, default: 0]) })
    switch Int.random(in: 0..<10, using: &random) {
    case 0, 1, 2:
      if purpose == .bytes { return .run }
      guard case .found(let isChanged) = settle(index, .found(changed: Bool.random(using: &random))) else { return .run }
      return .cached(changed: isChanged)
    case 3 where !task.dependencies.isEmpty && purpose == .outputs:
      return .needs([task.dependencies.randomElement(using: &random) ?? task.dependencies[0]])
    case 4: return .failed
    default: return .run
    }
  }

  private mutating func start(_ index: Int, _ attempt: Int, _ gpus: [Int]) {
    require(running[index] == nil && !storing.contains(index), "\(index) runs twice at once")
    require(interrupts == 0, "\(index) starts after an interrupt")
    require(scheduler.limits.keepGoing || !hasFailed, "\(index) starts after a failure, and nobody said to keep going")
    let failed = failures[index, default: 0]
    require(attempt == failed + 1, "\(index) starts as attempt \(attempt) after \(failed) failures")
    require(gpus.count == scheduler.tasks[index].need.gpus && gpus.allSatisfy { (0..<2).contains($0) }, "\(index) gets devices \(gpus)")
    running[index] = (now, gpus)
    let all = running.values.flatMap(\.gpus)
    require(Set(all).count == all.count, "a device is handed out twice")
  }

  private mutating func finish(_ index: Int, _ outcome: Scheduler.Outcome, _ cause: Int?) {
    require(running[index] == nil && !storing.contains(index), "\(index) is said to be \(outcome) while it runs")
    if let before = outcomes[index] {
      require(before == .cached || before == .ran, "\(index) was \(before) for good, and is \(outcome)")
    }
    if outcome == .failed || (outcome == .interrupted && interrupts == 0) { hasFailed = true }
    if outcome == .cached || outcome == .ran { failures[index] = 0 }
    if outcome == .skipped, let cause {
      require(outcomes[cause].map { $0 != .cached && $0 != .ran } == true, "\(index) is skipped because of \(cause), which is well")
    }
    outcomes[index] = outcome
  }
}

// MARK: - Rules

extension SchedulerSimulation {
  private func require(_ isSo: Bool, _ fault: @autoclosure () -> String) {
    if !isSo { found.lines.append(fault()) }
  }

  /// After every event: what is running, what is free, and what waits for what.
  private func checkBooks() {
    let tasks = scheduler.tasks
    let limits = scheduler.limits
    let needs = running.keys.map { tasks[$0].need }
    let free = Scheduler.Need(
      cpus: limits.cpus - needs.reduce(0) { $0 + $1.cpus }, memoryBytes: limits.memoryBytes - needs.reduce(0) { $0 + $1.memoryBytes },
      gpus: limits.gpus - needs.reduce(0) { $0 + $1.gpus }, slots: limits.jobs - needs.reduce(0) { $0 + $1.slots })
    require(free.cpus >= 0 && free.memoryBytes >= 0 && free.gpus >= 0 && free.slots >= 0, "over-committed: \(free)")
    require(scheduler.free == free, "free is \(free), and the scheduler thinks \(scheduler.free)")
    require(scheduler.running == running.keys.sorted(), "other instances run than the scheduler thinks")
    for index in tasks.indices { checkState(index, tasks[index], free) }
  }

  private func checkState(_ index: Int, _ task: Scheduler.Task, _ free: Scheduler.Need) {
    let state = scheduler.states[index]
    require((state == .outside) != task.isWanted, "\(index) is \(state)")
    switch state {
    case .waiting(let count):
      let unsettled = task.dependencies.count { dependency in
        switch scheduler.states[dependency] {
        case .finished(.cached), .finished(.ran): false
        default: true
        }
      }
      require(count == unsettled && count > 0, "\(index) waits for \(count), and \(unsettled) of its inputs are not final")
    case .judging: found.lines.append("\(index) was judged, and still waits to be")
    case .ready:
      require(!task.need.fits(in: free), "\(index) is ready and fits, and waits")
    case .blocked: require(blocked.contains(index), "\(index) is blocked by nobody")
    case .running: require(running[index] != nil, "\(index) does not run")
    case .storing: require(storing.contains(index), "\(index) stores nothing")
    case .finished(let outcome): require(outcomes[index] == outcome, "\(index) is \(outcome) and was said to be \(outcomes[index] as Any)")
    case .backingOff, .outside: break
    }
  }

  /// After a tick: whoever is due has been dealt with.
  private func checkTimes() {
    for (index, run) in running {
      guard let timeout = scheduler.tasks[index].timeoutSeconds, run.since + timeout <= now else { continue }
      require(stopped.contains(index) || killed.contains(index), "\(index) has run longer than it may")
    }
    for (index, state) in scheduler.states.enumerated() {
      if case .backingOff(let until) = state { require(until > now, "\(index) should have been tried again") }
    }
    if interrupts > 1 { for index in running.keys { require(killed.contains(index), "\(index) runs on after the second interrupt") } }
  }

  /// When all is over.
  private func checkEnd() {
    require(running.isEmpty && storing.isEmpty, "something runs when all is over")
    for (index, task) in scheduler.tasks.enumerated() where task.isWanted {
      guard case .finished(let outcome) = scheduler.states[index] else {
        found.lines.append("\(index) is \(scheduler.states[index]) when all is over")
        continue
      }
      require(outcomes[index] == outcome, "what was announced of \(index) is not what became of it")
      guard interrupts == 0, scheduler.limits.keepGoing || !hasFailed else { continue }
      checkOutcome(index, task, outcome)
    }
  }

  /// In a run that nothing cut short: results are of the inputs as they are now, and only what hangs on a failure is missing.
  private func checkOutcome(_ index: Int, _ task: Scheduler.Task, _ outcome: Scheduler.Outcome) {
    let hangsOnFailure = task.dependencies.contains { [.failed, .skipped, .interrupted].contains(outcomes[$0]) }
    switch outcome {
    case .ran, .cached:
      for dependency in task.dependencies where !hangsOnFailure {
        let version = versions[dependency, default: 0]
        require(
          seen[index]?[dependency] == version,
          "\(index) is of version \(seen[index]?[dependency] ?? -1) of \(dependency), which is at \(version)")
      }
    case .skipped: require(hangsOnFailure, "\(index) is skipped, and nothing it needs has failed")
    case .interrupted: require(withdrawn.contains(index), "\(index) is interrupted, and nobody did")
    case .failed: break
    }
  }
}
