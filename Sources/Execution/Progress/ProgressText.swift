import Artifacts
import Diagnostics

/// What events are called, in words; one place for all displays.
enum ProgressText {
  /// Lines as they may stand in a terminal or a log, whatever names and messages hold.
  static func lines(_ event: ProgressEvent) -> [String] { words(event).map { VisibleText.line($0, most: longestLine, on: .terminal) } }

  private static let longestLine = 4000

  private static func words(_ event: ProgressEvent) -> [String] {
    switch event {
    case .began, .joined, .cached, .advanced, .outlook: []
    case .started(let name, let start): [started(name, start)]
    case .finished(let name, let seconds): ["finished  \(name)  \(DurationText.text(seconds))"]
    case .warned(let name, let text): ["warning   \(name)  \(text)"]
    case .failed(let name, let problem): failure(name, problem)
    case .retrying(let name, let problem, let attempt, let wait):
      ["retrying  \(name)  attempt \(attempt) \(problem.message); again in \(DurationText.text(wait))"]
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
    let place = start.place.map { "  " + $0 } ?? ""
    return verb + name + attempt + place + (start.reasons.isEmpty ? "" : "  (\(ReasonText.shortened(start.reasons, to: 3)))")
  }

  static func failure(_ name: String, _ problem: StageProblem) -> [String] {
    ["failed    \(name)  \(problem.message)"] + problem.logTail.map { "  | \($0)" } + (problem.logPath.map { ["  log: \($0)"] } ?? [])
  }

  private static func blocked(_ owner: LockOwner?) -> String {
    guard let owner else { return "another run computes it" }
    if let job = owner.job { return "run \(owner.run) computes it (\(job.system) job \(job.id) on \(owner.runner.host))" }
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
    return (shown.isEmpty ? "nothing to do" : shown.joined(separator: ", ")) + " in \(DurationText.text(outcome.seconds))"
  }

  /// For what is only guessed: whole minutes above ten.
  static func roughDuration(_ seconds: Double) -> String {
    guard seconds < largest else { return "very long" }
    guard seconds >= 600 else { return DurationText.text(max(1, seconds.rounded())).replacing(".0 s", with: " s") }
    let minutes = Int((seconds / 60).rounded())
    return minutes < 60 ? "\(minutes) min" : "\(minutes / 60) h \(twoDigits(minutes % 60)) min"
  }

  /// Steps in the unit of time in which there are some: `118/s`, `2.50/s`, `12/min`, `4.0/h`.
  static func rate(_ perSecond: Double) -> String {
    if perSecond >= 1 { return "\(fixed(perSecond, perSecond >= 10 ? 0 : 1))/s" }
    let perMinute = perSecond * 60
    if perMinute >= 1 { return "\(fixed(perMinute, perMinute >= 10 ? 0 : 1))/min" }
    return "\(fixed(perMinute * 60, 1))/h"
  }

  /// Four significant digits.
  static func short(_ value: Double) -> String {
    let size = abs(value)
    guard size < 1e6, size == 0 || size >= 1e-3 else { return scientific(value) }
    return fixed(value, size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4)
  }

  /// `9.87e-7` of a number that is very small or very large.
  private static func scientific(_ value: Double) -> String {
    let text = "\(value)"
    guard let mark = text.lastIndex(of: "e") else { return text }
    return String(text[..<mark].prefix(value < 0 ? 6 : 5) + text[mark...])
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
