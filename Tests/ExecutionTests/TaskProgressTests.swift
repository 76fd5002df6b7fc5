import Artifacts
import Execution
import Synchronization
import Testing

@Suite("Progress of long work")
struct TaskProgressTests {
  private final class Recorder: Sendable {
    let screen = Mutex(ScreenEmulator(columns: 60, rows: 5))
    func write(_ text: String) { screen.withLock { $0.write(text) } }
    var shown: [String] { screen.withLock { $0.shown } }
  }

  private static func progress(_ recorder: Recorder, _ meter: WorkMeter, _ style: TaskProgress.Style) -> TaskProgress {
    TaskProgress(meter, style, write: recorder.write) { TerminalSize(columns: 60, rows: 5) }
  }

  @Test("bytes, rate and time left on one line that goes without a trace")
  func bytes() {
    let recorder = Recorder()
    let meter = WorkMeter(now: { 100 })
    let progress = Self.progress(recorder, meter, .live(ProgressStyle(isColored: false, isUnicode: true)))
    recorder.write("before\n")
    meter.begin("hashing models/\u{1B}[31mbase", bytes: 4 << 30)
    meter.add(bytes: 1 << 30)
    progress.show(now: 102)
    #expect(recorder.shown == ["before", "hashing models/␛[31mbase  1.0 GiB of 4.0 GiB  512.0 MiB/s …"])
    meter.begin("removing", items: 300)
    meter.add(items: 100)
    progress.show(now: 110)
    #expect(recorder.shown == ["before", "removing  100 of 300  10/s  20 s left"])
    progress.end()
    progress.show(now: 111)
    #expect(recorder.shown == ["before"])
    #expect(recorder.screen.withLock { $0.isCursorSeen && $0.unknown.isEmpty })
  }

  @Test("plain lines without a terminal, nothing for who is quiet, nothing of what is over at once")
  func styles() throws {
    let recorder = Recorder()
    let meter = WorkMeter(now: { 0 })
    meter.begin("hashing", bytes: 2048)
    Self.progress(recorder, meter, .plain).show(now: 60)
    #expect(recorder.shown == ["hashing  0 B of 2.0 KiB"])
    let silent = Recorder()
    Self.progress(silent, meter, .silent).show(now: 60)
    #expect(silent.shown == [])
    #expect(TaskProgress.during(meter, .live(ProgressStyle(isColored: false, isUnicode: true))) { 3 } == 3)
    #expect(throws: StoreError.self) { try TaskProgress.during(meter, .plain) { throw StoreError("no", path: "/x") } }
  }

  @Test("a build service, a dumb terminal and a pipe get lines")
  func detection() {
    #expect(ProgressMode.isLive(["TERM": "xterm"], isTerminal: true))
    #expect(!ProgressMode.isLive(["TERM": "xterm", "CI": "true"], isTerminal: true))
    #expect(ProgressMode.isLive(["TERM": "xterm", "CI": "false"], isTerminal: true))
    #expect(!ProgressMode.isLive(["TERM": "dumb"], isTerminal: true) && !ProgressMode.isLive([:], isTerminal: true))
    #expect(!ProgressMode.isLive(["TERM": "xterm"], isTerminal: false))
    #expect(ProgressStyle.isUnicode(["LANG": "de_DE.UTF-8"]) && !ProgressStyle.isUnicode(["LANG": "de_DE.UTF-8", "LC_ALL": "C"]))
    #expect(!ProgressStyle.isUnicode(["LANG": "C.utf8", "TERM": "linux"]) && !ProgressStyle.isUnicode([:]))
  }
}
