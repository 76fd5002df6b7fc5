import Execution
import Testing

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

/// Plays the world around a scheduler at random, with a clock of its own, and holds every step against the rules.
struct SchedulerSimulation {
  private var scheduler: Scheduler
  private var random: SeededGenerator
  private var now = 0.0
  private var started: [Int] = []
  private var blocked: Set<Int> = []
  private var stopped: Set<Int> = []
  private var settled: Set<Int> = []
  private var devices: [Int: [Int]] = [:]
  private var outcomes: [Int: Scheduler.Outcome] = [:]
  private let interruptAt: Int?

  init(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let count = Int.random(in: 1...40, using: &random)
    var tasks: [Scheduler.Task] = []
    for index in 0..<count {
      let wanted = min(index, Int.random(in: 0...3, using: &random))
      let dependencies = Set((0..<wanted).map { _ in Int.random(in: 0..<index, using: &random) }).sorted()
      tasks.append(
        Scheduler.Task(
          dependencies: dependencies,
          need: Scheduler.Need(
            cpus: Int.random(in: 1...4, using: &random), memoryBytes: Int.random(in: 0...3, using: &random),
            gpus: Int.random(in: 0...2, using: &random)),
          retries: Int.random(in: 0...2, using: &random), timeoutSeconds: Bool.random(using: &random) ? 5 : nil,
          checkpoints: Bool.random(using: &random), expectedSeconds: Double.random(in: 0...9, using: &random)))
    }
    for (index, task) in tasks.enumerated() {
      for dependency in task.dependencies { tasks[dependency].dependents.append(index) }
    }
    scheduler = Scheduler(
      tasks: tasks,
      limits: Scheduler.Limits(
        jobs: Int.random(in: 1...4, using: &random), cpus: 4, memoryBytes: 3, gpus: 2, keepGoing: Bool.random(using: &random)))
    interruptAt = Int.random(in: 0..<4, using: &random) == 0 ? Int.random(in: 0...60, using: &random) : nil
    self.random = random
  }

  mutating func play() {
    handle(.begin)
    var steps = 0
    while !scheduler.isDone {
      steps += 1
      guard steps < 5000 else {
        Issue.record("the run does not end: \(scheduler.states)")
        return
      }
      now += Double.random(in: 0...2, using: &random)
      if steps == interruptAt { handle(.interrupt) }
      if steps == interruptAt.map({ $0 + 20 }) { handle(.interrupt) }
      handle(.tick)
      if let index = blocked.randomElement(using: &random) {
        blocked.remove(index)
        handle(.unblocked(index))
      } else if let index = started.randomElement(using: &random) {
        started.removeAll { $0 == index }
        devices[index] = nil
        handle(.ended(index, ending(index)))
      } else if let deadline = scheduler.nextDeadline {
        now = max(now, deadline)
      }
    }
    check()
    for index in scheduler.tasks.indices {
      guard case .finished(let outcome) = scheduler.states[index] else {
        Issue.record("instance \(index) is \(scheduler.states[index]) when all is over")
        continue
      }
      #expect(outcomes[index] == outcome, "what was announced of \(index) is what became of it")
    }
    #expect(started.isEmpty)
  }

  private mutating func ending(_ index: Int) -> Scheduler.Ending {
    if stopped.remove(index) != nil { return Bool.random(using: &random) ? .stopped : .succeeded(changed: true) }
    switch Int.random(in: 0..<12, using: &random) {
    case 0, 1: return .failed
    case 2: return .stopped
    case 3: return .found(changed: Bool.random(using: &random))
    case 4:
      blocked.insert(index)
      return .blocked
    case 5: return .succeeded(changed: false)
    default: return .succeeded(changed: true)
    }
  }

  private mutating func handle(_ event: Scheduler.Event) {
    var queue = [event]
    while !queue.isEmpty {
      for action in scheduler.handle(queue.removeFirst(), now: now) {
        switch action {
        case .judge(let index, let purpose): queue.append(.judged(index, verdict(index, purpose)))
        case .start(let index, _, let gpus): start(index, gpus)
        case .stop(let index, _), .kill(let index):
          #expect(started.contains(index), "only what runs is stopped")
          stopped.insert(index)
        case .retry: break
        case .finish(let index, let outcome, _):
          outcomes[index] = outcome
          if outcome == .cached || outcome == .ran { settled.insert(index) }
        }
      }
    }
    check()
  }

  private mutating func verdict(_ index: Int, _ purpose: Scheduler.Purpose) -> Scheduler.Verdict {
    let dependencies = scheduler.tasks[index].dependencies
    for dependency in dependencies { #expect(settled.contains(dependency), "\(index) is judged before \(dependency) was ever final") }
    switch Int.random(in: 0..<10, using: &random) {
    case 0, 1, 2: return purpose == .bytes ? .run : .cached(changed: Bool.random(using: &random))
    case 3 where !dependencies.isEmpty && purpose == .outputs: return .needs([dependencies[0]])
    case 4: return .failed
    default: return .run
    }
  }

  private mutating func start(_ index: Int, _ gpus: [Int]) {
    #expect(!started.contains(index), "\(index) runs twice at once")
    #expect(gpus.count == scheduler.tasks[index].need.gpus)
    started.append(index)
    devices[index] = gpus
    let all = devices.values.flatMap { $0 }
    #expect(Set(all).count == all.count, "a device is handed out twice")
  }

  private func check() {
    let running = scheduler.running
    let needs = running.map { scheduler.tasks[$0].need }
    #expect(running.count <= scheduler.limits.jobs)
    #expect(needs.reduce(0) { $0 + $1.cpus } <= 4 && needs.reduce(0) { $0 + $1.memoryBytes } <= 3 && needs.reduce(0) { $0 + $1.gpus } <= 2)
    #expect(running == started.sorted())
    guard running.count < scheduler.limits.jobs else { return }
    for index in scheduler.tasks.indices where scheduler.states[index] == .ready {
      let need = scheduler.tasks[index].need
      let fits = need.cpus <= scheduler.free.cpus && need.memoryBytes <= scheduler.free.memoryBytes && need.gpus <= scheduler.free.gpus
      #expect(!fits, "\(index) is ready and fits, and waits")
    }
  }
}

@Suite("Scheduler")
struct SchedulerTests {
  @Test("over random graphs, failures, retries, locks and interrupts, every rule holds", arguments: 0..<20)
  func properties(block: Int) {
    for seed in 0..<100 {
      var simulation = SchedulerSimulation(seed: UInt64(block * 100 + seed))
      simulation.play()
    }
  }

  private func tasks(_ dependencies: [[Int]], seconds: [Double]? = nil, retries: Int = 0) -> [Scheduler.Task] {
    var tasks = dependencies.enumerated().map { index, needed in
      Scheduler.Task(dependencies: needed, retries: retries, expectedSeconds: seconds?[index] ?? 1)
    }
    for (index, needed) in dependencies.enumerated() { for dependency in needed { tasks[dependency].dependents.append(index) } }
    return tasks
  }

  @Test("the longest remaining path starts first")
  func longestPath() {
    var scheduler = Scheduler(tasks: tasks([[], [], [1]], seconds: [3, 1, 4]), limits: Scheduler.Limits(jobs: 1, cpus: 1))
    #expect(scheduler.handle(.begin, now: 0) == [.judge(0, .outputs), .judge(1, .outputs)])
    #expect(scheduler.handle(.judged(1, .run), now: 0) == [.start(1, attempt: 1, gpus: [])])
    #expect(scheduler.handle(.judged(0, .run), now: 0) == [])
    #expect(
      scheduler.handle(.ended(1, .succeeded(changed: true)), now: 1) == [
        .finish(1, .ran, because: nil), .judge(2, .outputs), .start(0, attempt: 1, gpus: []),
      ])
  }

  @Test("retries back off and double")
  func backOff() {
    var scheduler = Scheduler(tasks: tasks([[]], retries: 2), limits: Scheduler.Limits(jobs: 1, cpus: 1))
    _ = scheduler.handle(.begin, now: 0)
    _ = scheduler.handle(.judged(0, .run), now: 0)
    #expect(scheduler.handle(.ended(0, .failed), now: 10) == [.retry(0, afterSeconds: 1)])
    #expect(scheduler.nextDeadline == 11)
    #expect(scheduler.handle(.tick, now: 11) == [.start(0, attempt: 2, gpus: [])])
    #expect(scheduler.handle(.ended(0, .failed), now: 20) == [.retry(0, afterSeconds: 2)])
    #expect(scheduler.handle(.tick, now: 22) == [.start(0, attempt: 3, gpus: [])])
    #expect(scheduler.handle(.ended(0, .failed), now: 30) == [.finish(0, .failed, because: nil)])
  }

  @Test("a timeout asks first and ends by force after the grace period")
  func timeout() {
    var task = Scheduler.Task()
    task.timeoutSeconds = 5
    var scheduler = Scheduler(tasks: [task], limits: Scheduler.Limits(jobs: 1, cpus: 1))
    _ = scheduler.handle(.begin, now: 0)
    _ = scheduler.handle(.judged(0, .run), now: 1)
    #expect(scheduler.handle(.tick, now: 5.9) == [])
    #expect(scheduler.handle(.tick, now: 6) == [.stop(0, .timeout)])
    #expect(scheduler.handle(.tick, now: 16) == [.kill(0)])
  }

  @Test("the first interrupt stops and gives checkpoints their time, the second ends by force")
  func interrupt() {
    var first = Scheduler.Task(dependents: [1])
    first.checkpoints = true
    var scheduler = Scheduler(tasks: [first, Scheduler.Task(dependencies: [0])], limits: Scheduler.Limits(jobs: 1, cpus: 1))
    _ = scheduler.handle(.begin, now: 0)
    _ = scheduler.handle(.judged(0, .run), now: 0)
    #expect(scheduler.handle(.interrupt, now: 1) == [.finish(1, .interrupted, because: nil), .stop(0, .interrupt)])
    #expect(scheduler.nextDeadline == nil)
    #expect(scheduler.handle(.interrupt, now: 2) == [.kill(0)])
    #expect(scheduler.handle(.ended(0, .stopped), now: 3) == [.finish(0, .interrupted, because: nil)])
    #expect(scheduler.isDone)
  }
}
