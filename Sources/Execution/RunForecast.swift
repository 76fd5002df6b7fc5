/// What is to be expected of a run that goes on.
package struct RunOutlook: Sendable, Equatable {
  /// Nil where too little is known.
  package let secondsLeft: Double?
  /// Of some instances nothing is known, so that it will take longer.
  package let isLeast: Bool

  package init(secondsLeft: Double?, isLeast: Bool = false) { (self.secondsLeft, self.isLeast) = (secondsLeft, isLeast) }
}

/// How long the rest of a run takes, found by playing it through: with the slots and the memory there are, the longest remaining path
/// first, each instance for as long as it took before. Pure, and a guess: what turns out to be in the store takes no time.
package struct RunForecast: Sendable {
  private let stages: [String]
  /// Seconds by instance from earlier runs; nil where nothing is known of its stage either.
  package var known: [Double?]
  /// What instances of a stage took in this run.
  private var mean: [String: (sum: Double, count: Int)] = [:]

  package init(stages: [String]) {
    self.stages = stages
    known = Array(repeating: nil, count: stages.count)
  }

  /// An instance has run.
  package mutating func took(_ seconds: Double, _ index: Int) {
    let before = mean[stages[index]] ?? (0, 0)
    mean[stages[index]] = (before.sum + seconds, before.count + 1)
  }

  /// From earlier runs, else the mean of its stage in this one.
  package func seconds(_ index: Int) -> Double? { known[index] ?? mean[stages[index]].map { $0.sum / Double($0.count) } }

  /// - Parameters:
  ///   - left: of running instances, by their own progress.
  ///   - elapsed: of running instances, since they began.
  package func outlook(
    _ tasks: [Scheduler.Task], _ states: [Scheduler.State], _ limits: Scheduler.Limits, left: [Int: Double], elapsed: [Int: Double]
  ) -> RunOutlook {
    var rest = Array(repeating: 0.0, count: tasks.count)
    var open = Array(repeating: false, count: tasks.count)
    var running: [Int] = []
    var (unknown, all) = (0, 0)
    for index in tasks.indices {
      switch states[index] {
      case .outside, .finished, .storing: continue
      case .running: running.append(index)
      default: break
      }
      open[index] = true
      all += 1
      if let seconds = left[index] ?? remaining(index, elapsed[index]) { rest[index] = seconds } else { unknown += 1 }
    }
    // Where most is unknown, a number would say more than there is to say.
    guard all > 0, unknown * 2 <= all else { return RunOutlook(secondsLeft: nil) }
    let seconds = play(tasks, open, running, rest, limits)
    return RunOutlook(secondsLeft: seconds > 0 ? seconds : nil, isLeast: unknown > 0)
  }

  /// Nil also for what runs longer than it did: of its end nothing is known any more.
  private func remaining(_ index: Int, _ elapsed: Double?) -> Double? {
    guard let seconds = seconds(index) else { return nil }
    guard let elapsed else { return seconds }
    return elapsed <= seconds ? seconds - elapsed : nil
  }

  /// Seconds until the last open instance has ended.
  private func play(
    _ tasks: [Scheduler.Task], _ open: [Bool], _ running: [Int], _ rest: [Double], _ limits: Scheduler.Limits
  ) -> Double {
    var priorities = Array(repeating: 0.0, count: tasks.count)
    for index in tasks.indices.reversed() where open[index] {
      priorities[index] = rest[index] + (tasks[index].dependents.reduce(0) { open[$1] ? max($0, priorities[$1]) : $0 })
    }
    var ready = ReadyQueue(priorities: priorities)
    var waits = tasks.indices.map { index in tasks[index].dependencies.count { open[$0] } }
    var free = Scheduler.Need(cpus: limits.cpus, memoryBytes: limits.memoryBytes, gpus: limits.gpus, slots: max(1, limits.jobs))
    var ends: [(time: Double, index: Int)] = []
    for index in running {
      free.take(tasks[index].need)
      ends.append((rest[index], index))
    }
    let isRunning = Set(running)
    for index in tasks.indices where open[index] && waits[index] == 0 && !isRunning.contains(index) { ready.add(index, tasks[index].need) }
    var now = 0.0
    while true {
      while let index = ready.take(where: { [free] need in need.fits(in: free) }) {
        free.take(tasks[index].need)
        ends.append((now + rest[index], index))
      }
      guard let place = ends.indices.min(by: { ends[$0].time < ends[$1].time }) else { return now }
      let end = ends.remove(at: place)
      now = max(now, end.time)
      free.give(tasks[end.index].need)
      for dependent in tasks[end.index].dependents where open[dependent] {
        waits[dependent] -= 1
        if waits[dependent] == 0 { ready.add(dependent, tasks[dependent].need) }
      }
    }
  }
}
