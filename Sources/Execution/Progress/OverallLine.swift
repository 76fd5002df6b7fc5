import Diagnostics

/// How far a whole run is, on one line: what matters less is left out where a terminal is narrow.
///
/// `████████░░░░░░░░  312 of 520 done  40 cached  2 failed  20 running  186 waiting  3 min 20 s  about 12 min 05 s left`
struct OverallLine {
  var total = 0
  var ran = 0
  var cached = 0
  var failed = 0
  /// Skipped or interrupted.
  var dropped = 0
  var running = 0
  var elapsed: Double?
  var outlook: RunOutlook?

  var waiting: Int { max(0, total - ran - cached - failed - dropped - running) }

  /// Counts what has ended.
  mutating func count(_ event: ProgressEvent) {
    switch event {
    case .joined(let outcome):
      (ran, cached, failed) = (outcome.ran, outcome.cached, outcome.failed)
      dropped = outcome.skipped + outcome.interrupted
    case .cached: cached += 1
    case .finished: ran += 1
    case .failed: failed += 1
    case .skipped, .interrupted: dropped += 1
    default: break
    }
  }

  /// `12 of 520 done, 2 failed, 20 running, 486 waiting`.
  var counts: String {
    let others = [(failed, "failed"), (dropped, "skipped"), (running, "running"), (waiting, "waiting")].filter { $0.0 > 0 }
    return (["\(ran + cached) of \(total) done"] + others.map { "\($0.0) \($0.1)" }).joined(separator: ", ")
  }

  func text(columns: Int, style: ProgressStyle) -> String {
    // By place in the line; the one with the highest rank goes first where there is no room.
    var parts: [(rank: Int, text: String, shown: String)] = []
    func add(_ rank: Int, _ text: String, code: Int? = nil) { parts.append((rank, text, code.map { style.colored(text, $0) } ?? text)) }
    let ended = ran + cached
    let fraction = total > 0 ? Double(ended + failed + dropped) / Double(total) : 0
    let length = min(24, max(8, columns / 6))
    parts.append((9, String(repeating: " ", count: length), style.bar(fraction, length: length)))
    add(0, "\(ended) of \(total) done")
    if cached > 0 { add(7, "\(cached) cached") }
    if failed > 0 { add(1, "\(failed) failed", code: ProgressStyle.red) }
    if dropped > 0 { add(6, "\(dropped) skipped") }
    if running > 0 { add(4, "\(running) running") }
    if waiting > 0 { add(5, "\(waiting) waiting") }
    if let elapsed { add(8, DurationText.text(elapsed)) }
    if let left = outlook?.secondsLeft {
      add(3, (outlook?.isLeast == true ? "at least " : "about ") + ProgressText.roughDuration(left) + " left")
    }
    while parts.count > 1, parts.reduce(-2, { $0 + TerminalColumns.count($1.text) + 2 }) > columns {
      guard let place = parts.indices.max(by: { parts[$0].rank < parts[$1].rank }) else { break }
      parts.remove(at: place)
    }
    if parts.count == 1, TerminalColumns.count(parts[0].text) > columns { return TerminalColumns.cut("\(ended)/\(total)", to: columns) }
    return parts.map(\.shown).joined(separator: "  ")
  }
}
