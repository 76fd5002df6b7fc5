/// A run on a terminal: what has ended scrolls by, below it a line for each running instance is drawn anew in place.
///
/// `sft[2e-5]  [########--------]  52 %  118/s  1 min 20 s left  loss 1.93`
package final class LiveProgress: ProgressDisplay {
  private struct Running {
    let name: String
    let since: Double
    var activity = StageActivity()
  }

  private let write: (String) -> Void
  private let width: () -> Int
  private let now: () -> Double
  private let usesColour: Bool
  private var running: [Running] = []
  private var cached = 0
  private var ended = 0
  private var total = 0
  /// Lines on the screen that are ours to redraw.
  private var drawn = 0

  private static let mostLines = 12

  package init(
    usesColour: Bool, write: @escaping (String) -> Void = StandardError.write, width: @escaping () -> Int = { StandardError.width },
    now: @escaping () -> Double = monotonicSeconds
  ) {
    self.usesColour = usesColour
    self.write = write
    self.width = width
    self.now = now
  }

  package var refreshSeconds: Double? { 0.1 }

  package func refresh() { draw(above: []) }

  package func resize() { draw(above: []) }

  package func show(_ event: ProgressEvent) {
    switch event {
    case .began(_, _, let count): total = count
    case .cached:
      cached += 1
      ended += 1
    case .started(let name, _): running.append(Running(name: name, since: now()))
    case .advanced(let name, let activity):
      if let place = running.firstIndex(where: { $0.name == name }) { running[place].activity = activity }
    case .finished(let name, _), .failed(let name, _), .interrupted(let name), .skipped(let name, _):
      running.removeAll { $0.name == name }
      ended += 1
      draw(above: coloured(event))
    case .retrying(let name, _, _, _), .blocked(let name, _):
      running.removeAll { $0.name == name }
      draw(above: coloured(event))
    case .notice, .warned, .stopping: draw(above: coloured(event))
    case .ended:
      running = []
      draw(above: coloured(event))
    }
  }

  // MARK: - Drawing

  /// Takes back what was drawn, writes lines that stay, draws again: in one write, so nothing flickers.
  private func draw(above lines: [String]) {
    var text = drawn > 0 ? "\u{1B}[\(drawn)A\u{1B}[J" : ""
    for line in lines { text += line + "\n" }
    let columns = max(20, width())
    let shown = running.prefix(Self.mostLines).map { line($0, columns) }
    var all = Array(shown)
    if running.count > all.count { all.append("and \(running.count - all.count) more") }
    if !running.isEmpty { all.append(cut("\(ended) of \(total) done, \(cached) from the store", columns)) }
    for line in all { text += line + "\n" }
    drawn = all.count
    if !text.isEmpty { write(text) }
  }

  private func line(_ running: Running, _ columns: Int) -> String {
    var parts: [String] = []
    let activity = running.activity
    if let fraction = activity.fraction {
      parts.append(bar(fraction, columns))
      parts.append("\(Int(fraction * 100)) %")
      if let rate = activity.rate { parts.append("\(ProgressText.fixed(rate, rate >= 10 ? 0 : 2))/s") }
      if let left = activity.secondsLeft { parts.append("\(ProgressText.duration(left)) left") }
    } else {
      parts.append(ProgressText.duration(now() - running.since))
    }
    if let metric = activity.metrics.last { parts.append("\(metric.name) \(Self.short(metric.value))") }
    return cut(running.name + "  " + parts.joined(separator: "  "), columns)
  }

  private func bar(_ fraction: Double, _ columns: Int) -> String {
    let length = min(24, max(6, columns / 5))
    let full = Int((fraction * Double(length)).rounded(.down))
    return "[" + String(repeating: "#", count: full) + String(repeating: "-", count: length - full) + "]"
  }

  /// Four significant digits.
  private static func short(_ value: Double) -> String {
    let size = abs(value)
    guard size < 1e6, size == 0 || size >= 1e-3 else { return "\(value)" }
    return ProgressText.fixed(value, size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4)
  }

  private func cut(_ text: String, _ columns: Int) -> String { text.count < columns ? text : String(text.prefix(columns - 2)) + "…" }

  /// The first word carries the colour: red for failures, green for what is done, yellow for the rest that matters.
  private func coloured(_ event: ProgressEvent) -> [String] {
    let lines = ProgressText.lines(event)
    guard usesColour, let first = lines.first, let space = first.firstIndex(of: " ") else { return lines }
    let code: String
    switch event {
    case .failed: code = "31"
    case .finished: code = "32"
    case .retrying, .blocked, .skipped, .interrupted, .notice, .warned, .stopping: code = "33"
    default: return lines
    }
    return ["\u{1B}[\(code)m\(first[..<space])\u{1B}[0m\(first[space...])"] + lines.dropFirst()
  }
}
