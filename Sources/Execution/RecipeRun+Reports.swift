import Artifacts
import JSONValues

/// What executors report, and how instances and the run end.
extension RecipeRun {
  func hear(_ news: AttemptNews) {
    switch news {
    case .report(let index, let report): take(index, report)
    case .began(let index, let place): begin(index, place: place)
    case .standing(let index, let text):
      directory.note("queued", [("instance", .string(name(index))), ("standing", .string(text))])
    case .took(let index, let usage): usages[index] = usage
    case .notice(let text): display.show(.notice(text))
    }
  }

  func take(_ index: Int, _ report: AttemptReport) {
    executing.remove(index)
    for text in options.exchange?.notices() ?? [] { display.show(.notice(text)) }
    readers[index] = nil
    started[index] = nil
    switch report {
    case .succeeded(let summary, let novelty, let seconds, let warnings):
      if novelty == .different {
        let which = judge.isRerun(index) ? "the new ones answer from now on" : "the first answer until --rerun"
        display.show(.notice("\(name(index)): other outputs than before for the same key; \(which)"))
      }
      for warning in warnings { display.show(.warned(name(index), warning)) }
      if let key = judgements[index]?.key { options.exchange?.offer(key.digest) }
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
    case .withdrawn(let problem):
      keep(problem, index)
      display.show(.notice("\(name(index)): \(problem.message)"))
      events.append(.ended(index, .withdrawn))
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

  /// A reason that is known already (a timeout) is better than what the process said when it was ended.
  private func keep(_ problem: StageProblem, _ index: Int) {
    var problem = problem
    if let known = problems[index] { problem.message = known.message }
    problems[index] = problem
  }

  // MARK: - Ends

  func finish(_ index: Int, _ outcome: Scheduler.Outcome, _ cause: Int?) throws(StoreError) {
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
      if let usage = usages[index] { members += usage.members }
      display.show(.finished(name(index), seconds: seconds))
    case .failed:
      let problem = problems[index] ?? StageProblem("failed")
      members.append(("error", .string(problem.message)))
      display.show(.failed(name(index), problem))
    case .skipped: display.show(.skipped(name(index), because: cause.map(name)))
    // What had not begun has nothing to tell; the summary counts it.
    case .interrupted:
      if let problem = problems[index] { members.append(("error", .string(problem.message))) }
      if attempts[index] != nil { display.show(.interrupted(name(index))) }
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

  func end() throws {
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
    for executor in executors.values { for notice in try executor.finish() { display.show(.notice(notice)) } }
    store.spares.clear()
    try directory.end()
    if breakage == nil { try freePassing() }
    store.sources.save()
    if let mark, breakage == nil, outcome.exitStatus == 0, let origin, let trace = origin.trace {
      let isWanted = scheduler.tasks.map(\.isWanted)
      try UnchangedRun.remember(origin.request, trace, recipe, isWanted: isWanted, run: directory.id, judge, mark)
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
}
