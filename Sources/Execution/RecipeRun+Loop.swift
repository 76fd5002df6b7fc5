import Artifacts
import Glibc

/// The loop, and what it does between two rounds of the scheduler.
extension RecipeRun {
  private static let lockPollSeconds = 0.1

  func execute() throws -> RunOutcome {
    var signals = InterruptSignals()
    if options.takesSignals { signals.install(wakeDescriptor: pipe.writeEnd) }
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
      let wakes = pipe.wait(within: timeout())
      for executor in executors.values { for news in executor.poll() { hear(news) } }
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
    if let refresh = display.refreshSeconds, !executing.isEmpty { seconds.append(refresh) }
    return seconds.min()
  }

  /// Hands events to the scheduler and does what it says, until there is nothing left to do. What is judged to be there is in the journal
  /// before the collector may remove anything, and what is started before anything starts.
  private func work() throws(StoreError) {
    try store.gate.enter()
    defer { store.gate.leave() }
    try judgeLookedUp()
    repeat {
      var place = 0
      while place < events.count {
        let actions = scheduler.handle(events[place], now: clock)
        place += 1
        for action in actions { try perform(action) }
      }
      events = []
      try directory.flush()
      handOver()
    } while !events.isEmpty
  }

  /// What became ready goes to its executors, all at once.
  private func handOver() {
    let orders = orders
    self.orders = [:]
    for (name, executor) in executors {
      let own = orders[name] ?? []
      executing.formUnion(own.map(\.index))
      executor.submit(own)
    }
  }

  private func interrupt() {
    if !scheduler.wasInterrupted { display.show(.stopping(running: executing.count(where: isLocal))) }
    events.append(.interrupt)
  }

  private func advance() {
    guard display.refreshSeconds != nil else { return }
    for index in executing.sorted() {
      if readers[index]?.advance() == true, let activity = readers[index]?.activity { display.show(.advanced(name(index), activity)) }
    }
    if display.wantsOutlook, clock >= outlookDue { tellOutlook() }
    display.refresh()
  }

  private func tellOutlook() {
    let start = monotonicSeconds()
    var left: [Int: Double] = [:]
    for index in executing {
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
    for executor in executors.values { executor.pause() }
    signals.stopHere()
    for executor in executors.values { executor.goOn() }
    pausedSeconds += monotonicSeconds() - start
    display.resume()
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

  func unblock(_ index: Int) {
    blocked.remove(index)
    events.append(.unblocked(index))
  }

  /// The run cannot go on: nothing may be left running here when the caller hears of it.
  private func abandon() {
    while executors.values.contains(where: \.isBusy) {
      for executor in executors.values { executor.abandon() }
      _ = pipe.wait(within: 1)
      for executor in executors.values { _ = executor.poll() }
    }
    for executor in executors.values { _ = try? executor.finish() }
  }
}
