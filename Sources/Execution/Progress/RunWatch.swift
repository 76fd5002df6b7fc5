import Artifacts
import Glibc
import Hashing

/// Shows a run of somebody else's, from what it writes down, on any display.
package struct RunWatch {
  private let store: Store
  private let display: any ProgressDisplay
  private var states: [String] = []

  package init(_ store: Store, _ display: any ProgressDisplay) { (self.store, self.display) = (store, display) }

  /// Returns when the run has ended. `look` reads it anew; between two looks it sleeps.
  package mutating func watch(_ look: () throws -> RecordedRun, sleep: () -> Void = { usleep(500_000) }) throws -> RecordedRun {
    defer { display.close() }
    var run = try look()
    display.show(.began(run: run.id, recipe: run.recipe, instances: run.instances.count))
    display.show(.joined(Self.outcome(run)))
    states = run.instances.map { $0.state == "running" ? "waiting" : $0.state }
    while true {
      tell(run)
      guard run.standing == .running else { break }
      display.refresh()
      sleep()
      run = try look()
    }
    display.show(.ended(Self.outcome(run)))
    return run
  }

  /// What is different from the last look.
  private mutating func tell(_ run: RecordedRun) {
    for (place, instance) in run.instances.enumerated() where states.indices.contains(place) {
      let name = instance.name
      if instance.state != states[place] {
        // Begun and ended between two looks, or begun anew.
        if states[place] == "waiting", instance.state != "cached", let began = instance.began {
          let elapsed = max(0, Double(wallClock()) / 1e9 - began)
          display.show(.started(name, ProgressEvent.Start(stage: instance.stage, reasons: instance.reasons, elapsedSeconds: elapsed)))
        }
        states[place] = instance.state
        switch instance.state {
        case "cached": display.show(.cached(name))
        case "ran": display.show(.finished(name, seconds: instance.seconds ?? 0))
        case "failed": display.show(.failed(name, problem(instance)))
        case "skipped": display.show(.skipped(name, because: nil))
        case "interrupted": display.show(.interrupted(name))
        case "waiting": display.show(.retrying(name, problem(instance), attempt: 1, afterSeconds: 1))
        default: break
        }
      }
      if instance.state == "running", let activity = instance.activity { display.show(.advanced(name, activity)) }
    }
  }

  private func problem(_ instance: RecordedRun.Instance) -> StageProblem {
    let path = instance.key.map { store.workDirectory($0).logPath }
    return StageProblem(instance.error ?? "failed", logTail: path.map { LogTail.lines(of: $0, store.files) } ?? [], logPath: path)
  }

  private static func outcome(_ run: RecordedRun) -> RunOutcome {
    var outcome = RunOutcome(run: run.id)
    outcome.ran = run.count("ran")
    outcome.cached = run.count("cached")
    outcome.failed = run.count("failed")
    outcome.skipped = run.count("skipped")
    outcome.interrupted = run.count("interrupted")
    outcome.seconds = run.seconds ?? max(0, Double(wallClock()) / 1e9 - run.started)
    return outcome
  }
}
