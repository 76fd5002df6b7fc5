import Diagnostics

/// What is told of a running instance, as texts that are put into columns.
struct RunningRow {
  let name: String
  var fraction: Double?
  var rate = ""
  var elapsed = ""
  var left = ""
  /// The more important ones first.
  var metrics: [String] = []

  /// - Parameter now: on the clock of `since` and `heard`, when the activity was last heard of.
  init(
    name: String, _ activity: StageActivity, since: Double, heard: Double, now: Double, expectedSeconds: Double?
  ) {
    self.name = VisibleText.line(name, most: 400, on: .terminal)
    elapsed = DurationText.text(max(0, now - since))
    metrics = activity.metrics.map { "\(VisibleText.line($0.name, most: 40, on: .terminal)) \(ProgressText.short($0.value))" }
    fraction = activity.fraction
    rate = activity.rate.map(ProgressText.rate) ?? ""
    if let seconds = Self.secondsLeft(activity, since: since, heard: heard, now: now, expectedSeconds: expectedSeconds) {
      left = "\(DurationText.text(seconds)) left"
    }
  }

  /// What a stage has reported of itself, for a line of text: `  52 %  13/s  30 s left  loss 1.930`.
  static func told(_ activity: StageActivity) -> String {
    var parts = activity.fraction.map { ["\(Int($0 * 100)) %"] } ?? []
    if let rate = activity.rate { parts.append(ProgressText.rate(rate)) }
    if let seconds = activity.secondsLeft { parts.append("\(DurationText.text(seconds)) left") }
    parts += activity.metrics.prefix(3).map { "\(VisibleText.line($0.name, most: 40, on: .terminal)) \(ProgressText.short($0.value))" }
    return parts.map { "  " + $0 }.joined()
  }

  /// By the stage's own progress, else by how long it took before; nil when neither is known, or what was known has not come true.
  static func secondsLeft(
    _ activity: StageActivity, since: Double, heard: Double, now: Double, expectedSeconds: Double?
  ) -> Double? {
    if activity.fraction != nil {
      guard let seconds = activity.secondsLeft else { return nil }
      let left = seconds - (now - heard)
      // Seconds after what should have been the end nothing is known any more.
      return left > -max(2, seconds / 4) ? max(0, left) : nil
    }
    guard let expectedSeconds else { return nil }
    let left = expectedSeconds - (now - since)
    return left >= 0 ? left : nil
  }
}

/// Rows under each other in columns that fit a terminal: where it is narrow, names are cut in their midst and columns left out, what can
/// be done without first.
struct RunningTable {
  private let rows: [RunningRow]
  private let columns: Int
  private let style: ProgressStyle

  private static let gap = 2
  private static let longestBar = 24
  private static let shortestBar = 6

  init(_ rows: [RunningRow], columns: Int, style: ProgressStyle) {
    self.rows = rows
    // Not to the last column: where a terminal folds lines, a window that is made a little narrower would double each of them.
    self.columns = columns < 60 ? columns : columns - columns / 10
    self.style = style
  }

  /// What each column takes; 0 for one that is left out.
  private struct Widths {
    var name: Int
    var bar = 0
    var percent = 0
    var rate = 0
    var elapsed = 0
    var left = 0
    var metrics = 0

    var total: Int {
      let shown = [name, bar, percent, rate, elapsed, left, metrics].filter { $0 > 0 }
      return shown.reduce(0, +) + (shown.count - 1) * RunningTable.gap
    }
  }

  var lines: [String] {
    let widths = fitted()
    return rows.map { line($0, widths) }
  }

  private func fitted() -> Widths {
    let longest = widest(\.name)
    var widths = Widths(name: longest)
    let isMeasured = rows.contains { $0.fraction != nil }
    widths.bar = isMeasured ? Self.shortestBar : 0
    widths.percent = isMeasured ? 5 : 0
    widths.rate = widest(\.rate)
    widths.elapsed = max(6, widest(\.elapsed))
    widths.left = widest(\.left)
    // A name may take two fifths before anything else goes; a metric wants room for one at least.
    let leastName = min(longest, max(12, columns * 2 / 5))
    if widths.total > columns { widths.name = max(leastName, longest - (widths.total - columns)) }
    for column in [\Widths.rate, \.bar, \.elapsed, \.left, \.percent] where widths.total > columns { widths[keyPath: column] = 0 }
    widths.name = min(longest, max(leastName, columns - (widths.total - widths.name)), columns)
    let room = columns - widths.total - Self.gap
    if room >= 8, rows.contains(where: { !$0.metrics.isEmpty }) {
      // Bars grow into what the widest metrics leave.
      let wanted = rows.map { metrics($0, room) }.map(TerminalColumns.count).max() ?? 0
      widths.metrics = min(room, wanted)
    }
    if widths.bar > 0 { widths.bar = min(Self.longestBar, max(widths.bar, widths.bar + columns - widths.total)) }
    return widths
  }

  private func widest(_ text: KeyPath<RunningRow, String>) -> Int { rows.reduce(0) { max($0, TerminalColumns.count($1[keyPath: text])) } }

  private func line(_ row: RunningRow, _ widths: Widths) -> String {
    var parts = [TerminalColumns.pad(TerminalColumns.cutName(row.name, to: widths.name), to: widths.name)]
    if widths.bar > 0 {
      parts.append(row.fraction.map { style.bar($0, length: widths.bar) } ?? String(repeating: " ", count: widths.bar))
    }
    if widths.percent > 0 { parts.append(TerminalColumns.padLeft(row.fraction.map { "\(Int($0 * 100)) %" } ?? "", to: widths.percent)) }
    if widths.rate > 0 { parts.append(TerminalColumns.padLeft(row.rate, to: widths.rate)) }
    if widths.elapsed > 0 { parts.append(TerminalColumns.padLeft(row.elapsed, to: widths.elapsed)) }
    if widths.left > 0 { parts.append(TerminalColumns.padLeft(row.left, to: widths.left)) }
    if widths.metrics > 0 { parts.append(style.dim(metrics(row, widths.metrics))) }
    var line = parts.joined(separator: "  ")
    while line.last == " " { line.removeLast() }
    return line
  }

  /// As many as fit whole; the first one cut when not even it does.
  private func metrics(_ row: RunningRow, _ room: Int) -> String {
    var text = ""
    for metric in row.metrics.prefix(4) {
      let longer = text.isEmpty ? metric : text + "  " + metric
      if TerminalColumns.count(longer) > room { break }
      text = longer
    }
    return text.isEmpty ? TerminalColumns.cut(row.metrics.first ?? "", to: room) : text
  }
}
