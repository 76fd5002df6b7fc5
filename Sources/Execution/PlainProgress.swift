import Artifacts

/// A run as plain lines, for pipes and log files: what starts, what ends and how long it took; cached instances counted, not listed.
package final class PlainProgress: ProgressDisplay {
  private let write: (String) -> Void
  private var cached = 0

  /// `write` takes one line without its break.
  package init(write: @escaping (String) -> Void = StandardError.line) { self.write = write }

  package func show(_ event: ProgressEvent) {
    if case .cached = event {
      cached += 1
      return
    }
    if cached > 0 {
      write("cached    \(cached) \(cached == 1 ? "instance" : "instances")")
      cached = 0
    }
    for line in ProgressText.lines(event) { write(line) }
  }
}

/// What events are called, in words; one place for all displays.
enum ProgressText {
  static func lines(_ event: ProgressEvent) -> [String] {
    switch event {
    case .began, .cached, .advanced: []
    case .started(let name, let start): [started(name, start)]
    case .finished(let name, let seconds): ["finished  \(name)  \(duration(seconds))"]
    case .warned(let name, let text): ["warning   \(name)  \(text)"]
    case .failed(let name, let problem): failure(name, problem)
    case .retrying(let name, let problem, let attempt, let wait):
      ["retrying  \(name)  attempt \(attempt) \(problem.message); again in \(duration(wait))"]
    case .blocked(let name, let owner): ["waiting   \(name)  \(blocked(owner))"]
    case .skipped(let name, let cause): ["skipped   \(name)" + (cause.map { "  needs \($0)" } ?? "")]
    case .interrupted(let name): ["stopped   \(name)"]
    case .notice(let text): ["note      \(text)"]
    case .stopping(let running): [stopping(running)]
    case .ended(let outcome): [summary(outcome)]
    }
  }

  private static func started(_ name: String, _ start: ProgressEvent.Start) -> String {
    let verb = start.resumes ? "resumed   " : "started   "
    let attempt = start.attempt > 1 ? "  attempt \(start.attempt)" : ""
    return verb + name + attempt + (start.reasons.isEmpty ? "" : "  (\(ReasonText.shortened(start.reasons, to: 3)))")
  }

  static func failure(_ name: String, _ problem: StageProblem) -> [String] {
    ["failed    \(name)  \(problem.message)"] + problem.logTail.map { "  | \($0)" } + (problem.logPath.map { ["  log: \($0)"] } ?? [])
  }

  private static func blocked(_ owner: LockOwner?) -> String {
    guard let owner else { return "another run computes it" }
    return "run \(owner.run) computes it (process \(owner.runner.pid) on \(owner.runner.host))"
  }

  private static func stopping(_ running: Int) -> String {
    running == 0
      ? "stopping"
      : "stopping: \(running) running \(running == 1 ? "instance keeps" : "instances keep") a checkpoint; once more ends by force"
  }

  static func summary(_ outcome: RunOutcome) -> String {
    let counts: [(Int, String)] = [
      (outcome.ran, "ran"), (outcome.cached, "cached"), (outcome.failed, "failed"), (outcome.skipped, "skipped"),
      (outcome.interrupted, "interrupted"),
    ]
    let shown = counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    return (shown.isEmpty ? "nothing to do" : shown.joined(separator: ", ")) + " in \(duration(outcome.seconds))"
  }

  /// `0.4 s`, `12 s`, `3 min 20 s`, `2 h 05 min`.
  static func duration(_ seconds: Double) -> String {
    guard seconds >= 9.95 else { return "\(fixed(seconds, 1)) s" }
    guard seconds < largest else { return "very long" }
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(twoDigits(whole % 60)) s" }
    return "\(whole / 3600) h \(twoDigits(whole / 60 % 60)) min"
  }

  /// What a stage reports may be any number.
  private static let largest = 1e12

  static func fixed(_ value: Double, _ digits: Int) -> String {
    guard abs(value) < largest else { return "\(value)" }
    let scale = (0..<digits).reduce(1) { scale, _ in scale * 10 }
    let scaled = Int((abs(value) * Double(scale)).rounded())
    let fraction = String(scaled % scale)
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard digits > 0 else { return sign + String(scaled) }
    return sign + String(scaled / scale) + "." + String(repeating: "0", count: digits - fraction.utf8.count) + fraction
  }

  private static func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
