import Diagnostics
import Execution
import Synchronization
import Testing

/// A live display in front of an emulated terminal, with a clock that only the test moves.
private final class Watcher: Sendable {
  private struct State {
    var screen: ScreenEmulator
    var time = 0.0
    var isForeground = true
    var writes: [String] = []
  }

  private let state: Mutex<State>

  init(columns: Int, rows: Int, narrowing: ScreenEmulator.Narrowing = .folds) {
    state = Mutex(State(screen: ScreenEmulator(columns: columns, rows: rows, narrowing: narrowing)))
  }

  func display(isColored: Bool = false, isUnicode: Bool = true) -> LiveProgress {
    LiveProgress(
      style: ProgressStyle(isColored: isColored, isUnicode: isUnicode),
      write: { text in
        self.state.withLock {
          $0.writes.append(text)
          $0.screen.write(text)
        }
      }, size: { self.state.withLock { TerminalSize(columns: $0.screen.columns, rows: $0.screen.rows) } },
      now: { self.state.withLock { $0.time } }, isForeground: { self.state.withLock { $0.isForeground } })
  }

  func pass(_ seconds: Double) { state.withLock { $0.time += seconds } }
  func resize(columns: Int, rows: Int) { state.withLock { $0.screen.resize(columns: columns, rows: rows) } }
  func type(_ text: String) { state.withLock { $0.screen.write(text) } }
  var isForeground: Bool {
    get { state.withLock { $0.isForeground } }
    set { state.withLock { $0.isForeground = newValue } }
  }
  var screen: ScreenEmulator { state.withLock { $0.screen } }
  var writes: [String] { state.withLock { $0.writes } }
}

extension LiveProgress {
  fileprivate func begin(_ count: Int) { show(.began(run: "r1", recipe: "test", instances: count)) }

  fileprivate func start(_ name: String, expectedSeconds: Double? = nil) {
    show(.started(name, ProgressEvent.Start(stage: "s", expectedSeconds: expectedSeconds)))
  }

  fileprivate func end(_ outcome: RunOutcome = RunOutcome(run: "r1")) { show(.ended(outcome)) }
}

@Suite("Live progress")
struct LiveProgressTests {
  private static func activity(_ lines: String...) -> StageActivity {
    var activity = StageActivity()
    activity.take(Array((lines.joined(separator: "\n") + "\n").utf8))
    return activity
  }

  @Test("columns stand under each other, and the run has the last line")
  func table() {
    let watcher = Watcher(columns: 100, rows: 24)
    let display = watcher.display()
    display.begin(4)
    display.show(.cached("data"))
    display.start("sft[2e-5]")
    display.start("sft[0.00001]")
    watcher.pass(31)
    display.show(
      .advanced(
        "sft[2e-5]",
        Self.activity(
          #"{"t":0,"kind":"progress","done":0,"of":800}"#, #"{"t":30,"kind":"progress","done":400,"of":800}"#,
          #"{"kind":"metric","name":"loss","value":1.93}"#)))
    display.show(.outlook(RunOutlook(secondsLeft: 700)))
    display.refresh()
    #expect(
      watcher.screen.shown == [
        "sft[2e-5]     ████████████░░░░░░░░░░░░   50 %  13/s    31 s  30 s left  loss 1.930",
        "sft[0.00001]                                           31 s",
        "████░░░░░░░░░░░░  1 of 4 done  1 cached  2 running  1 waiting  31 s  about 12 min left",
      ])
    #expect(watcher.screen.isCursorSeen == false)
    #expect(watcher.screen.unknown == [])
    display.end()
    #expect(watcher.screen.shown == ["nothing to do in 0.0 s"])
    #expect(watcher.screen.isCursorSeen)
  }

  @Test("twenty running and five hundred waiting in a terminal of 24 rows and of 5")
  func crowd() {
    for rows in [24, 5, 3, 2, 1] {
      let watcher = Watcher(columns: 80, rows: rows)
      let display = watcher.display()
      display.begin(520)
      for index in 1...20 { display.start("train[\(index)]") }
      display.refresh()
      let shown = watcher.screen.shown
      #expect(shown.count <= max(1, rows - 1), "\(rows) rows")
      #expect(shown.last?.contains("20 running  500 waiting") == true, "\(rows) rows: \(shown)")
      if rows == 24 { #expect(shown.filter { $0.hasPrefix("train[") }.count == 20) }
      if rows == 5 { #expect(shown[1...2] == ["train[2]     0.0 s", "and 18 more"] || shown[2] == "and 18 more") }
      for index in 1...20 { display.show(.finished("train[\(index)]", seconds: 1)) }
      display.end()
      #expect(watcher.screen.transcript.count == 21, "\(rows) rows: \(watcher.screen.transcript)")
      #expect(watcher.screen.transcript.dropLast().elementsEqual((1...20).map { "finished  train[\($0)]  1.0 s" }))
    }
  }

  @Test("no line is wider than the terminal, and names keep what tells them apart", arguments: [200, 80, 40, 20, 12, 5, 2])
  func narrow(columns: Int) {
    let watcher = Watcher(columns: columns, rows: 10)
    let display = watcher.display()
    display.begin(3)
    for name in ["sequence[sort].train[lr=2e-5,seed=1]", "sequence[sort].train[lr=2e-5,seed=2]"] {
      display.start(name)
      display.show(
        .advanced(
          name,
          Self.activity(
            #"{"t":0,"kind":"progress","done":0,"of":800}"#, #"{"t":90,"kind":"progress","done":400,"of":800}"#,
            #"{"kind":"metric","name":"a_metric_of_a_very_long_name","value":1.93}"#)))
    }
    watcher.pass(90)
    display.refresh()
    let shown = watcher.screen.shown
    #expect(shown.count == 3)
    #expect(shown.allSatisfy { TerminalColumns.count($0) < max(2, columns) })
    if columns >= 20 { #expect(shown[0].contains("seed=1]") && shown[1].contains("seed=2]"), "\(shown)") }
    display.end()
    #expect(watcher.screen.transcript.joined() == "nothing to do in 0.0 s")
  }

  @Test(
    "a resize leaves nothing behind, however a terminal deals with lines that are too long",
    arguments: [ScreenEmulator.Narrowing.folds, .foldsUpwards, .cuts])
  func resize(narrowing: ScreenEmulator.Narrowing) {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<60 {
      let watcher = Watcher(columns: 100, rows: 20, narrowing: narrowing)
      let display = watcher.display()
      display.begin(100)
      var finished: [String] = []
      for index in 1...30 {
        display.start("group[a].train[\(index),some_long_axis_value]")
        display.refresh()
        if Int.random(in: 0..<3, using: &random) == 0 {
          watcher.resize(columns: Int.random(in: 20...120, using: &random), rows: Int.random(in: 3...30, using: &random))
          // The signal may be late: what ends is told before it comes.
          if Bool.random(using: &random) { display.resize() }
        }
        if index % 2 == 0 {
          display.show(.finished("group[a].train[\(index),some_long_axis_value]", seconds: 1))
          finished.append("finished  group[a].train[\(index),some_long_axis_value]  1.0 s")
        }
        display.resize()
        let screen = watcher.screen
        #expect(screen.shown.filter { $0.contains(" of 100 done") || $0.contains("/100") }.count == 1, "\(screen.shown)")
      }
      display.end()
      let transcript = watcher.screen.transcript
      switch narrowing {
      case .folds: #expect(transcript.filter { !$0.isEmpty } == finished + ["nothing to do in 0.0 s"])
      // Rows of the area may be in its scrollback, but of what stays everything is there once and in order.
      case .foldsUpwards:
        let kept = transcript.filter { $0.contains("finished") }
        #expect(kept.count == finished.count && zip(kept, finished).allSatisfy { $0.hasSuffix($1) }, "\(kept)")
      case .cuts: break
      }
      #expect(watcher.screen.unknown == [])
    }
  }

  @Test("a window that becomes narrower bit by bit leaves nothing in a scrollback that takes folded rows")
  func drag() {
    let watcher = Watcher(columns: 120, rows: 24, narrowing: .foldsUpwards)
    let display = watcher.display()
    display.begin(520)
    for index in 1...20 { display.start("train[\(index),2e-5]", expectedSeconds: 4000) }
    watcher.pass(100)
    display.refresh()
    for columns in stride(from: 119, through: 40, by: -1) {
      watcher.resize(columns: columns, rows: 24)
      display.resize()
    }
    display.end()
    #expect(watcher.screen.transcript == ["nothing to do in 0.0 s"])
  }

  @Test("a failure stands there at once, with the end of its log, and is never drawn over")
  func failure() {
    let watcher = Watcher(columns: 60, rows: 12)
    let display = watcher.display()
    display.begin(200)
    display.start("a")
    display.start("b")
    display.refresh()
    display.show(.failed("a", StageProblem("exited with status 3", logTail: ["Traceback", "why"], logPath: "/w/log.txt")))
    #expect(
      watcher.screen.shown.dropLast(2) == ["failed    a  exited with status 3", "  | Traceback", "  | why", "  log: /w/log.txt"])
    #expect(watcher.screen.shown.last?.contains("1 failed") == true)
    // Many hang on it: they are told on one line.
    for index in 0..<188 { display.show(.skipped("x[\(index)]", because: "a")) }
    display.show(.finished("b", seconds: 2))
    display.end()
    #expect(
      watcher.screen.transcript == [
        "failed    a  exited with status 3", "  | Traceback", "  | why", "  log: /w/log.txt",
        "skipped   x[0], x[1], x[2] and 185 more  needs a", "finished  b  2.0 s", "nothing to do in 0.0 s",
      ])
  }

  @Test("notices and warnings come in between, each once and whole, also those longer than the terminal is wide")
  func notices() {
    let watcher = Watcher(columns: 30, rows: 6)
    let display = watcher.display()
    display.begin(20)
    var expected: [String] = []
    for index in 0..<12 {
      display.start("s[\(index)]")
      display.refresh()
      display.show(.notice("number \(index) of things that take more than one row to say"))
      expected.append("note      number \(index) of things that take more than one row to say")
      if index % 3 == 0 {
        display.show(.warned("s[\(index)]", "w"))
        expected.append("warning   s[\(index)]  w")
      }
      watcher.pass(1)
      display.refresh()
    }
    display.end()
    #expect(watcher.screen.transcript == expected + ["nothing to do in 0.0 s"])
  }

  @Test("names and messages of any origin move nothing, and wide ones are measured")
  func hostile() {
    let names = [
      "漢字の名前[一,二]", "e\u{301}e\u{301}", "👨‍👩‍👧", "❤️", "👍🏽", "🇩🇪", "\u{9B}31mred", "a\u{1B}[2Jb", "right\u{202E}left", "tab\tx", "\u{301}mark",
      "z" + String(repeating: "\u{310}", count: 50), "한국어", "ﷺ",
    ]
    for columns in [80, 33, 14] {
      let watcher = Watcher(columns: columns, rows: 24)
      let display = watcher.display()
      display.begin(names.count)
      for name in names { display.start(name, expectedSeconds: 100) }
      watcher.pass(5)
      display.refresh()
      let screen = watcher.screen
      #expect(screen.unknown == [])
      #expect(screen.shown.count == names.count + 1)
      #expect(screen.shown.allSatisfy { TerminalColumns.count($0) < columns })
      if columns == 80 {
        // Aligned: the time ends in the same column everywhere.
        let ends = Set(screen.shown.dropLast().map { TerminalColumns.count($0) })
        #expect(ends.count == 1, "\(screen.shown)")
      }
      display.show(.failed(names[7], StageProblem("said \u{1B}]0;title\u{7}", logTail: ["\u{1B}[31mlog"])))
      display.end()
      #expect(watcher.screen.unknown == [])
    }
  }

  @Test("what is expected of past runs is said as long as it can still come true")
  func expectations() {
    let watcher = Watcher(columns: 60, rows: 10)
    let display = watcher.display()
    display.begin(2)
    display.start("known", expectedSeconds: 60)
    display.start("new")
    watcher.pass(20)
    display.refresh()
    #expect(watcher.screen.shown[0] == "known    20 s  40 s left")
    #expect(watcher.screen.shown[1] == "new      20 s")
    watcher.pass(50)
    display.refresh()
    #expect(watcher.screen.shown[0] == "known  1 min 10 s")
  }

  @Test("in the background nothing is drawn; Ctrl-Z cleans up, and the clock stands still meanwhile")
  func jobControl() {
    let watcher = Watcher(columns: 60, rows: 10)
    let display = watcher.display()
    display.begin(3)
    display.start("a")
    watcher.pass(10)
    display.refresh()
    display.suspend()
    #expect(watcher.screen.shown == [])
    #expect(watcher.screen.isCursorSeen)
    watcher.type("[1]+  Stopped\n$ bg\n")
    watcher.isForeground = false
    watcher.pass(1000)
    display.resume()
    display.show(.finished("b", seconds: 1))
    display.refresh()
    #expect(watcher.screen.shown == ["[1]+  Stopped", "$ bg", "finished  b  1.0 s"])
    watcher.type("$ fg\n")
    watcher.isForeground = true
    display.refresh()
    #expect(watcher.screen.shown.dropLast() == ["[1]+  Stopped", "$ bg", "finished  b  1.0 s", "$ fg", "a    10 s"])
    display.close()
    #expect(watcher.screen.isCursorSeen)
  }

  @Test("a redraw is one write inside a synchronized update, and what has not changed is not written again")
  func writes() {
    let watcher = Watcher(columns: 60, rows: 10)
    let display = watcher.display()
    display.begin(3)
    display.start("a")
    display.refresh()
    display.refresh()
    display.refresh()
    #expect(watcher.writes.count == 1)
    #expect(watcher.writes.allSatisfy { $0.hasPrefix("\u{1B}[?2026h") && $0.hasSuffix("\u{1B}[?2026l") })
  }

  @Test("no colour where none is welcome, ASCII where the locale has no more")
  func plainStyle() {
    for isColored in [true, false] {
      let watcher = Watcher(columns: 60, rows: 10)
      let display = watcher.display(isColored: isColored, isUnicode: false)
      display.begin(2)
      display.start("a")
      display.refresh()
      display.show(.failed("a", StageProblem("no")))
      #expect(watcher.screen.usesAttributes == isColored)
      #expect(watcher.screen.shown.last == "[###----]  0 of 2 done  1 failed  1 waiting  0.0 s")
      #expect(watcher.writes.joined().utf8.allSatisfy { $0 < 0x80 })
    }
  }
}
