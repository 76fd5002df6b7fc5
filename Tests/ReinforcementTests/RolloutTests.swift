import Datasets
import Evaluation
import Foundation
import JSONValues
import Reinforcement
import Testing
import Tokenization

@Suite("Rollouts") struct RolloutTests {
  private static func path() -> String { FileManager.default.temporaryDirectory.path + "/heirloom-rollouts-" + UUID().uuidString }

  private static let rewards = RewardBreakdown(components: [.init("accuracy", 1), .init("judge", nil)], total: 0.9)

  private static let example = Rollout(
    record: Record(
      .prompted(.text("2 + 2 ="), completion: nil), answers: ["4"], verify: .numeric(NumericRule()),
      extras: JSONObject([("topic", "sums")])),
    promptText: "2 + 2 =", promptIDs: [3, 1, 4], temperature: 0.7,
    samples: [
      .init(text: " 4", ids: [15, 2], logProbabilities: [-0.05, -0.25], finish: .stop, rewards: rewards),
      .init(text: " a\n\"b\"", ids: [7], logProbabilities: [-3], finish: .length),
    ], greedy: .init(text: "", ids: [2], logProbabilities: [0], finish: .stop))

  @Test("a line that people can read")
  func line() {
    #expect(
      Self.example.json.encoded()
        == #"{"prompt":"2 + 2 =","answer":"4","verify":{"rule":"numeric","take":"last"},"topic":"sums","prompt_text":"2 + 2 =","prompt_ids":[3,1,4],"sampling_temperature":0.7,"#
        + #""completions":[{"text":" 4","ids":[15,2],"logprobs":[-0.05,-0.25],"finish":"stop","reward":0.9,"rewards":{"accuracy":1,"judge":null}},"#
        + #"{"text":" a\n\"b\"","ids":[7],"logprobs":[-3],"finish":"length"}],"greedy":{"text":"","ids":[2],"logprobs":[0],"finish":"stop"}}"#
    )
  }

  @Test("what is written reads back, conversations too, one line at a time")
  func roundTrip() throws {
    let path = Self.path()
    defer { try? FileManager.default.removeItem(atPath: path) }
    var chat = Self.example
    chat.record.content = .conversation([ChatMessage(role: "user", content: "q"), ChatMessage(role: "assistant", content: "a")])
    chat.greedy = nil
    chat.temperature = nil
    try RolloutFile.write([Self.example, chat], to: path)
    var seen: [Int] = []
    try RolloutFile(path).read { rollout, line in
      #expect(rollout == (line == 1 ? Self.example : chat))
      seen.append(line)
    }
    #expect(seen == [1, 2])
    let other = Self.path()
    defer { try? FileManager.default.removeItem(atPath: other) }
    let writer = try RolloutWriter(other)
    for rollout in [Self.example, chat] { try writer.append(rollout) }
    try writer.close()
    #expect(FileManager.default.contents(atPath: path) == FileManager.default.contents(atPath: other))
  }

  @Test("log-probabilities read back to the same bits")
  func bits() throws {
    var random = CounterRandom(seed: 1, "floats")
    var values: [Float] = [-0.0, -.leastNonzeroMagnitude, -.leastNormalMagnitude, -.greatestFiniteMagnitude, -1e-7, -0.1, -16_777_216]
    while values.count < 20_000 {
      let value = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()) | 0x8000_0000)
      if value.isFinite { values.append(value) }
    }
    let sample = Rollout.Sample(text: "", ids: values.map { _ in 1 }, logProbabilities: values, finish: .stop)
    let rollout = Rollout(record: Record(.prompted(.text("q"), completion: nil)), promptText: "q", promptIDs: [1], samples: [sample])
    let back = try Rollout(json: JSONValue.parse(rollout.json.encoded()))
    #expect(back.samples[0].logProbabilities.map(\.bitPattern) == sample.logProbabilities.map(\.bitPattern))
    #expect(sample.logProbabilities.dropFirst().map(\.bitPattern) == values.dropFirst().map(\.bitPattern))
  }

  @Test("a line that is no rollout is an error at its place")
  func faults() throws {
    let good = Self.example.json.encoded()
    func failure(_ changes: (String, String)...) throws -> String? {
      let path = Self.path()
      defer { try? FileManager.default.removeItem(atPath: path) }
      var line = good
      for change in changes { line = line.replacingOccurrences(of: change.0, with: change.1) }
      try Data((good + "\n\n" + line + "\n").utf8).write(to: URL(fileURLWithPath: path))
      do {
        _ = try RolloutFile(path, name: "rollouts.jsonl").rollouts()
        return nil
      } catch { return "\(error)" }
    }
    func expect(_ found: String?, _ wanted: String?, sourceLocation: SourceLocation = #_sourceLocation) {
      #expect(found == wanted.map { "rollouts.jsonl:3: " + $0 }, sourceLocation: sourceLocation)
    }
    try expect(failure(), nil)
    try expect(failure((good, "[]")), "a rollout must be an object, found a list")
    try expect(failure(("prompt_text", "text_of_prompt")), "'prompt_text' must be a string: this is no rollout")
    try expect(failure(("\"completions\":[", "\"completions\":7,\"others\":[")), "'completions' must be a list")
    try expect(failure(("[3,1,4]", "[3,-1,4]")), "'prompt_ids' holds something that is no token id")
    try expect(failure(("_temperature\":0.7", "_temperature\":-1")), "'sampling_temperature' must be a number, 0 or more")
    try expect(failure(("\"ids\":[7]", "\"ids\":[7.5]")), "'completions[1].ids' holds something that is no token id")
    try expect(failure(("[-3]", "[null]")), "'completions[1].logprobs' must be numbers")
    try expect(failure(("[-3]", "[-1e300]")), "'completions[1].logprobs' must be numbers")
    try expect(failure(("[-3]", "[]")), "'completions[1]' has 1 ids and 0 logprobs")
    try expect(failure(("\"length\"", "\"tired\"")), "'completions[1].finish' is no way for a completion to end")
    try expect(failure(("\"judge\":null", "\"judge\":\"good\"")), "'completions[0].rewards.judge' must be a number or null")
    try expect(failure(("\"reward\":0.9", "\"reward\":true")), "'completions[0].reward' must be a number or null")
    try expect(failure(("\"greedy\":{", "\"greedy\":3,\"none\":{")), "'greedy' must be an object, found an integer")
    try expect(
      failure(("\"verify\":{\"rule\":\"numeric\"", "\"verify\":{\"rule\":\"magic\"")),
      "unknown rule 'magic'; known are exact, numeric, regex, contains, choice")
  }

  @Test("a record with a column of a rollout's own name is refused")
  func reserved() {
    let record = Record(.prompted(.text("q"), completion: nil), extras: JSONObject([("greedy", true)]))
    #expect { try Rollout.check(record) } throws: {
      "\($0)" == "the record's column 'greedy' has the name of a member of rollouts; rename it"
    }
  }
}
