import Artifacts
import Diagnostics

/// A run as plain lines, for pipes and log files: what starts, what ends and how long it took; cached instances counted, not listed. While
/// nothing ends for long, a line every half minute tells how far it is.
package final class PlainProgress: ProgressDisplay {
  private let write: (String) -> Void
  private let style: ProgressStyle
  private let now: () -> Double
  private var cached = 0
  private var overall = OverallLine()
  private var running: [(name: String, activity: StageActivity)] = []
  private var began = 0.0
  /// When anything was told last.
  private var told = 0.0

  private static let quietSeconds = 30.0

  /// `write` takes one line without its break.
  package init(
    isColored: Bool = false, write: @escaping (String) -> Void = StandardError.line, now: @escaping () -> Double = monotonicSeconds
  ) {
    style = ProgressStyle(isColored: isColored, isUnicode: false)
    self.write = write
    self.now = now
  }

  package var refreshSeconds: Double? { 5 }

  package var taskStyle: TaskProgress.Style { .plain }

  package func show(_ event: ProgressEvent) {
    count(event)
    switch event {
    case .cached:
      cached += 1
      return
    case .began, .joined, .advanced, .outlook: return
    default: break
    }
    if cached > 0 {
      write("cached    \(cached) \(cached == 1 ? "instance" : "instances")")
      cached = 0
    }
    told = now()
    for line in style.lines(event) { write(line) }
  }

  package func refresh() {
    guard !running.isEmpty, now() - told >= Self.quietSeconds else { return }
    told = now()
    overall.running = running.count
    let most = running.prefix(3).map(Self.text).joined(separator: "; ")
    let more = running.count > 3 ? "; and \(running.count - 3) more" : ""
    write("running   \(overall.counts), after \(DurationText.text(now() - began)): \(most)\(more)")
  }

  private static func text(_ running: (name: String, activity: StageActivity)) -> String {
    var text = VisibleText.line(running.name, most: 400, on: .terminal)
    if let fraction = running.activity.fraction { text += " \(Int(fraction * 100)) %" }
    if let left = running.activity.secondsLeft { text += ", \(DurationText.text(left)) left" }
    if let metric = running.activity.metrics.first { text += ", \(metric.name) \(ProgressText.short(metric.value))" }
    return text
  }

  private func count(_ event: ProgressEvent) {
    switch event {
    case .began(_, _, let count):
      overall.total = count
      began = now()
    case .started(let name, _): running.append((name, StageActivity()))
    case .advanced(let name, let activity):
      if let place = running.firstIndex(where: { $0.name == name }) { running[place].activity = activity }
    case .cached(let name), .finished(let name, _), .failed(let name, _), .retrying(let name, _, _, _), .blocked(let name, _),
      .skipped(let name, _), .interrupted(let name):
      running.removeAll { $0.name == name }
      overall.count(event)
    case .joined, .ended: overall.count(event)
    case .warned, .notice, .stopping, .outlook: break
    }
  }
}
