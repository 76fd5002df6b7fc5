import Diagnostics

/// A run on a terminal: what has ended scrolls by, below it a line for each running instance and one for the whole run are drawn anew in
/// place. It decides what is shown; `LiveArea` knows how a terminal is drawn on.
///
/// ```
/// finished  data[sort]  1.2 s
/// sft[2e-5]   ████████░░░░░░░░   52 %  118/s  1 min 27 s  1 min 20 s left  loss 1.930
/// sft[1e-5]   ███░░░░░░░░░░░░░   20 %  117/s        31 s  2 min 04 s left  loss 2.204
/// ████████░░░░░░  3 of 12 done  2 cached  2 running  7 waiting  1 min 30 s  about 6 min left
/// ```
package final class LiveProgress: ProgressDisplay {
  private struct Running {
    let name: String
    let since: Double
    let expectedSeconds: Double?
    var activity = StageActivity()
    /// When the activity was last heard of.
    var heard: Double
  }

  private let size: () -> TerminalSize
  private let now: () -> Double
  private let isForeground: () -> Bool
  private let style: ProgressStyle
  private let hold: TerminalHold?
  private var area: LiveArea
  private var running: [Running] = []
  private var overall = OverallLine()
  private var began: Double?
  /// Skipped one after the other for the same cause, to be told on one line.
  private var skips = SkipLine()
  private var failures: [String] = []
  /// Seconds that the run was stopped from the terminal (Ctrl-Z), and since when it is.
  private var pausedSeconds = 0.0
  private var pausedSince: Double?

  /// - Parameter hold: of the terminal whose modes are changed while something is drawn; nil where there is none, as in a test.
  package init(
    style: ProgressStyle, write: @escaping @Sendable (String) -> Void = StandardError.write,
    size: @escaping () -> TerminalSize = { StandardError.size }, now: @escaping () -> Double = monotonicSeconds,
    isForeground: @escaping () -> Bool = { true }, hold: TerminalHold? = nil
  ) {
    self.style = style
    self.size = size
    self.now = now
    self.isForeground = isForeground
    self.hold = hold
    area = LiveArea(write: write)
  }

  package var refreshSeconds: Double? { 0.1 }
  package var wantsOutlook: Bool { true }
  package var taskStyle: TaskProgress.Style { .live(style) }

  package func refresh() { draw(staying: takeSkips()) }

  package func resize() {
    area.forget()
    draw()
  }

  package func show(_ event: ProgressEvent) {
    if case .skipped(let name, let cause) = event {
      forget(name)
      overall.count(event)
      // Hundreds may hang on one that failed.
      if let line = skips.take(name, because: cause) { draw(staying: skipped(line)) }
      return
    }
    overall.count(event)
    switch event {
    case .began(_, _, let count):
      overall.total = count
      began = clock
    case .started(let name, let start):
      let since = clock - start.elapsedSeconds
      running.append(Running(name: name, since: since, expectedSeconds: start.expectedSeconds, heard: clock))
    case .advanced(let name, let activity): advance(name, activity)
    case .outlook(let outlook): overall.outlook = outlook
    case .failed(let name, _):
      forget(name)
      failures.append(name)
    case .cached(let name), .finished(let name, _), .interrupted(let name): forget(name)
    case .retrying(let name, _, _, _), .blocked(let name, _): forget(name)
    case .ended: running = []
    case .joined(let outcome): began = clock - outcome.seconds
    case .notice, .warned, .stopping, .skipped: break
    }
    switch event {
    case .began, .joined, .cached, .started, .advanced, .outlook: return
    case .ended:
      draw(staying: takeSkips() + style.lines(event) + failureLines)
      close()
    default: draw(staying: takeSkips() + style.lines(event))
    }
  }

  private func advance(_ name: String, _ activity: StageActivity) {
    guard let place = running.firstIndex(where: { $0.name.utf8.elementsEqual(name.utf8) }) else { return }
    if running[place].activity.done != activity.done || running[place].activity.of != activity.of { running[place].heard = clock }
    running[place].activity = activity
  }

  private func forget(_ name: String) { running.removeAll { $0.name.utf8.elementsEqual(name.utf8) } }

  /// Time for which the run has not been stopped.
  private var clock: Double { (pausedSince ?? now()) - pausedSeconds }

  // MARK: - Lines that stay

  private func takeSkips() -> [String] { skips.end().map(skipped) ?? [] }

  private func skipped(_ line: SkipLine.Line) -> [String] { style.lines(.skipped(line.names, because: line.cause)) }

  /// Where several have failed, the first of them are far up by now.
  private var failureLines: [String] {
    guard failures.count > 1 else { return [] }
    let shown = failures.prefix(20).map { VisibleText.line($0, most: 400, on: .terminal) }.joined(separator: ", ")
    return [style.colored("failed:", ProgressStyle.red) + " " + shown + (failures.count > 20 ? " and \(failures.count - 20) more" : "")]
  }

  // MARK: - Stopping and ending

  package func suspend() {
    draw(staying: takeSkips(), isShown: false)
    hold?.release()
    pausedSince = now()
  }

  package func resume() {
    if let since = pausedSince { pausedSeconds += now() - since }
    pausedSince = nil
    resize()
  }

  package func close() {
    running = []
    began = nil
    draw(staying: takeSkips(), isShown: false)
    hold?.release()
  }

  // MARK: - Drawing

  private func draw(staying: [String] = [], isShown: Bool = true) {
    let size = size()
    let lines = isShown && isForeground() ? areaLines(size) : []
    // Nothing is drawn while the shell has the terminal; lines that stay are written as any program's are.
    if lines.isEmpty { hold?.release() } else { hold?.take() }
    area.draw(staying: staying, area: lines, size: size)
  }

  /// One row of the terminal is left to the lines that stay.
  private func areaLines(_ size: TerminalSize) -> [String] {
    guard began != nil, !running.isEmpty || overall.waiting > 0 else { return [] }
    // The last column stays empty: some terminals wrap as soon as it is written to.
    let columns = max(1, size.columns - 1)
    let rows = max(1, size.rows - 1)
    var overall = overall
    overall.running = running.count
    overall.elapsed = began.map { clock - $0 }
    let last = overall.text(columns: columns, style: style)
    guard rows > 1, !running.isEmpty else { return [last] }
    var shown = running[...]
    var more: [String] = []
    if running.count > rows - 1 {
      // In two rows there is no room to say how many more.
      shown = running.prefix(max(1, rows - 2))
      if rows > 2 { more = [TerminalColumns.cut("and \(running.count - shown.count) more", to: columns)] }
    }
    let table = RunningTable(
      shown.map {
        RunningRow(
          name: $0.name, $0.activity, since: $0.since, heard: $0.heard, now: clock, expectedSeconds: $0.expectedSeconds)
      }, columns: columns, style: style)
    return table.lines + more + [last]
  }
}
