import Artifacts
import Diagnostics
import Dispatch
import Synchronization

/// Long work outside stages as one line on standard error: `hashing models/base  1.2 GiB of 3.4 GiB  1.4 GiB/s  2 s left`.
///
/// The work adds to a `WorkMeter` and knows nothing of this; a timer reads it. Nothing is shown of what takes less than half a second,
/// nor where nobody looks. In plain mode there is a line every half minute.
package final class TaskProgress: Sendable {
  package enum Style: Sendable {
    case live(ProgressStyle)
    case plain
    case silent

    /// Of a command on this process's standard error.
    package static func detect(isQuiet: Bool, variables: [String: String], isTerminal: Bool = StandardError.isTerminal) -> Style {
      if isQuiet { return .silent }
      guard ProgressMode.isLive(variables, isTerminal: isTerminal) else { return .plain }
      let isColored = ColorWish.isColored(isTerminal: isTerminal, variables: variables)
      return .live(ProgressStyle(isColored: isColored, isUnicode: ProgressStyle.isUnicode(variables)))
    }

    fileprivate var isLive: Bool { if case .live = self { true } else { false } }

    fileprivate var seconds: (first: Double, between: Double)? {
      switch self {
      case .live: (0.5, 0.1)
      case .plain: (30, 30)
      case .silent: nil
      }
    }
  }

  private struct State {
    var area: LiveArea
    var isOver = false
    var timer: Timer?
    let hold: Hold?
  }

  /// `@unchecked Sendable`: dispatch sources may be cancelled from anywhere.
  private struct Timer: @unchecked Sendable { let source: any DispatchSourceTimer }

  /// `@unchecked Sendable`: touched only with the state's lock.
  private struct Hold: @unchecked Sendable { let terminal: TerminalHold }

  private let meter: WorkMeter
  private let style: Style
  private let write: @Sendable (String) -> Void
  private let size: @Sendable () -> TerminalSize
  private let state: Mutex<State>

  package init(
    _ meter: WorkMeter, _ style: Style, write: @escaping @Sendable (String) -> Void = StandardError.write,
    size: @escaping @Sendable () -> TerminalSize = { StandardError.size }, hold: TerminalHold? = nil
  ) {
    self.meter = meter
    self.style = style
    self.write = write
    self.size = size
    state = Mutex(State(area: LiveArea(write: write), hold: hold.map(Hold.init)))
  }

  /// Does work that tells `meter` how far it is, while a line shows it.
  package static func during<Result, Failure: Error>(
    _ meter: WorkMeter, _ style: Style, _ work: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let (first, between) = style.seconds else { return try work() }
    // A command that is interrupted ends at once.
    let progress = TaskProgress(meter, style, hold: style.isLive ? TerminalHold(isInterruptible: true) : nil)
    meter.whenBegun { progress.start(after: first, every: between) }
    defer {
      meter.whenBegun(nil)
      progress.end()
    }
    return try work()
  }

  private func start(after first: Double, every between: Double) {
    let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "progress"))
    timer.schedule(deadline: .now() + first, repeating: between)
    timer.setEventHandler { self.show(now: monotonicSeconds()) }
    timer.resume()
    let started = Timer(source: timer)
    state.withLock { $0.timer = started }
  }

  /// Shows how far the work is at `now`, on the clock of `meter`.
  package func show(now: Double) {
    let size = size()
    let text = Self.text(meter.reading, now: now)
    state.withLock { state in
      guard !state.isOver else { return }
      switch style {
      case .live:
        // Nothing is drawn while another job has the terminal.
        guard state.hold == nil || StandardError.isForeground else { return }
        state.hold?.terminal.take()
        state.area.draw(area: [TerminalColumns.cut(text, to: max(1, size.columns - 1))], size: size)
      case .plain: write(text + "\n")
      case .silent: break
      }
    }
  }

  /// Nothing is left on the terminal, and nothing comes any more.
  package func end() {
    state.withLock { state in
      state.isOver = true
      state.timer?.source.cancel()
      state.timer = nil
      state.area.draw(area: [], size: size())
      state.hold?.terminal.release()
    }
  }

  static func text(_ reading: WorkMeter.Reading, now: Double) -> String {
    var parts = [VisibleText.line(reading.title, most: 400, on: .terminal)]
    if reading.bytes > 0 || reading.bytesInAll > 0 {
      parts.append(ByteCount.text(reading.bytes) + (reading.bytesInAll > 0 ? " of \(ByteCount.text(reading.bytesInAll))" : ""))
    } else if reading.items > 0 || reading.itemsInAll > 0 {
      parts.append("\(reading.items)" + (reading.itemsInAll > 0 ? " of \(reading.itemsInAll)" : ""))
    }
    let seconds = now - reading.began
    if parts.count == 1, seconds >= 1 { parts.append(DurationText.text(seconds)) }
    let isBytes = reading.bytes > 0
    let (done, all) = isBytes ? (reading.bytes, reading.bytesInAll) : (reading.items, reading.itemsInAll)
    // A rate of the first moments would be one of starting.
    if seconds > 0.3, done > 0 {
      let rate = Double(done) / seconds
      parts.append(isBytes ? "\(ByteCount.text(Int(min(rate, 1e15))))/s" : ProgressText.rate(rate))
      if all > done { parts.append("\(ProgressText.roughDuration(Double(all - done) / rate)) left") }
    }
    return parts.joined(separator: "  ")
  }
}
