import Execution
import JSONValues
import Synchronization
import Testing

@Suite("Progress")
struct ProgressTests {
  private final class Screen: Sendable {
    let text = Mutex("")
    func write(_ more: String) { text.withLock { $0 += more } }
    var all: String { text.withLock { $0 } }
  }

  private static let outcome: RunOutcome = {
    var outcome = RunOutcome(run: "r1")
    outcome.ran = 1
    outcome.cached = 2
    outcome.failed = 1
    outcome.seconds = 83.4
    return outcome
  }()

  private static let events: [ProgressEvent] = [
    .began(run: "r1", recipe: "test", instances: 4), .cached("a"), .cached("b"),
    .started("sft[2e-5]", ProgressEvent.Start(stage: "train/sft", reasons: ["learning_rate 1e-5 -> 2e-5"])),
    .warned("sft[2e-5]", "3 records dropped"), .finished("sft[2e-5]", seconds: 71.8),
    .started("c", ProgressEvent.Start(stage: "say", resumes: true)),
    .failed("c", StageProblem("exited with status 3", logTail: ["why"], logPath: "/w/log.txt")), .ended(outcome),
  ]

  @Test("plain lines")
  func plain() {
    let screen = Screen()
    let display = PlainProgress { screen.write($0 + "\n") }
    for event in Self.events { display.show(event) }
    #expect(
      screen.all == """
        cached    2 instances
        started   sft[2e-5]  (learning_rate 1e-5 -> 2e-5)
        warning   sft[2e-5]  3 records dropped
        finished  sft[2e-5]  1 min 12 s
        resumed   c
        failed    c  exited with status 3
          | why
          log: /w/log.txt
        1 ran, 2 cached, 1 failed in 1 min 23 s

        """)
  }

  @Test("JSON lines end with the summary")
  func json() throws {
    let screen = Screen()
    let display = JSONProgress { screen.write($0 + "\n") }
    for event in Self.events { display.show(event) }
    let lines = try screen.all.split(separator: "\n").map { try JSONValue.parse(String($0)) }
    let kinds = ["run", "cached", "cached", "started", "warning", "finished", "started", "failed", "summary"]
    #expect(lines.map { $0["kind"]?.stringValue } == kinds)
    #expect(lines.last?.encoded() == #"{"kind":"summary","ran":1,"cached":2,"failed":1,"skipped":0,"seconds":83.4,"run":"r1"}"#)
  }
}
