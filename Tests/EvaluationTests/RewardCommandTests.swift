import Datasets
import Evaluation
import Foundation
import JSONValues
import Testing
import Tokenization

@Suite("Reward programs") struct RewardCommandTests {
  /// A program of these lines of shell, or of Python where it says so, and the reward that asks it.
  private final class Asked {
    let path = FileManager.default.temporaryDirectory.path + "/heirloom-reward-" + UUID().uuidString
    let sum: RewardSum
    let lines: Lines

    final class Lines {
      var all: [String] = []
    }

    init(_ program: String, with interpreter: String = "/bin/sh", timeout: Double = 60) throws {
      try Data(program.utf8).write(to: URL(fileURLWithPath: path))
      let lines = Lines()
      self.lines = lines
      sum = try RewardSum(
        [["name": "judge", "kind": "command", "command": [.string(interpreter), "{program}"], "timeout": .number(timeout)]],
        programPath: path, log: { lines.all.append($0) })
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func scores(_ completions: [String], prompt: Utterance = .text("q")) throws -> [Double?] {
      try sum.score(
        completions.enumerated().map { index, text in
          let record = Record(.prompted(prompt, completion: .text("gold")), answers: ["4"], extras: JSONObject([("topic", "sums")]))
          return RewardRequest(
            record: record, promptText: "q", completion: text, completionIDs: [7, 2], isComplete: true, place: "prompts.jsonl:\(index + 1)")
        }
      ).map(\.total)
    }

    func failure(_ completions: [String]) -> String? {
      do {
        _ = try scores(completions)
        return nil
      } catch { return "\(error)" }
    }
  }

  private static let lengths = """
    import json, sys
    print("ready", file=sys.stderr, flush=True)
    for line in sys.stdin:
        if not line.strip():
            sys.stdout.flush()
            continue
        text = json.loads(line)["completions"]
        print(json.dumps(None if text == "?" else {"score": len(text) / 2} if text.isupper() else len(text)))
    """

  @Test("a number, null or {\"score\": …} for each record, batch after batch, from one process")
  func answers() throws {
    let asked = try Asked(Self.lengths, with: "python3")
    #expect(try asked.scores(["a", "abc", "?", "ABC"]) == [1, 3, nil, 1.5])
    #expect(try asked.scores([]) == [])
    #expect(try asked.scores(["ab"]) == [2])
    try asked.sum.close()
    #expect(asked.lines.all == ["reward 'judge': ready"])
  }

  @Test("a program may end its batches with an empty line too, and write its last line without an end")
  func emptyLines() throws {
    let asked = try Asked("while read -r line; do if [ -z \"$line\" ]; then echo; else echo 0.5; fi; done")
    for count in [3, 1, 2] { #expect(try asked.scores([String](repeating: "a", count: count)) == [Double?](repeating: 0.5, count: count)) }
    try asked.sum.close()
  }

  @Test("it reads TRL's names and the record's own columns")
  func input() throws {
    let copy = FileManager.default.temporaryDirectory.path + "/heirloom-reward-copy-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: copy) }
    let asked = try Asked("while read -r line; do printf '%s\\n' \"$line\" >> '\(copy)'; [ -z \"$line\" ] || echo 1; done")
    _ = try asked.scores(["four"])
    _ = try asked.scores(["\"five\"\n"], prompt: .messages([ChatMessage(role: "user", content: "q")]))
    try asked.sum.close()
    let rows = try String(contentsOfFile: copy, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
    #expect(rows.map(\.isEmpty) == [false, true, false, true, true])
    #expect(
      rows[0]
        == #"{"prompts":"q","completions":"four","prompt":"q","completion":"four","completion_ids":[7,2],"answer":"4","topic":"sums"}"#)
    let chat = try JSONValue.parse(String(rows[2]))
    #expect(chat["prompts"] == [["role": "user", "content": "q"]])
    #expect(chat["completions"] == [["role": "assistant", "content": "\"five\"\n"]])
  }

  @Test("much to say on every pipe locks nothing up")
  func fullPipes() throws {
    let program = """
      import sys
      for line in sys.stdin:
          sys.stderr.write("e" * 300000 + "\\n")
          if line.strip():
              sys.stdout.write(" " * 100000 + "1\\n")
      """
    let asked = try Asked(program, with: "python3")
    let long = String(repeating: "x", count: 200_000)
    #expect(try asked.scores([String](repeating: long, count: 8)) == [Double?](repeating: 1, count: 8))
    try asked.sum.close()
    #expect(asked.lines.all.count == 9)
  }

  @Test("a program that dies: the first record without an answer, how it ended, and what it said last")
  func death() throws {
    let dying = "read -r a; echo 1; read -r a; echo 'about to fail' >&2; echo 'out of memory' >&2; exit 3"
    expect(
      try Asked(dying).failure(["a", "b", "c"]),
      "prompts.jsonl:2: reward 'judge': the program ended with status 3, with 1 of 3 records answered; its standard error ends: about to fail | out of memory"
    )
    expect(try Asked("kill -9 $$").failure(["a"]), "prompts.jsonl:1: reward 'judge': the program was ended by signal 9")
    expect(try Asked("exit 0").failure(["a"]), "prompts.jsonl:1: reward 'judge': the program ended")
    expect(try Asked("printf 0.").failure(["a"]), "prompts.jsonl:1: reward 'judge': the program ended in the middle of a line")
  }

  @Test("one that closes its input is no signal that ends us")
  func brokenPipe() throws {
    let asked = try Asked("exec < /dev/null; echo 1; exit 4")
    let long = String(repeating: "x", count: 300_000)
    expect(
      asked.failure([long, long]), "prompts.jsonl:2: reward 'judge': the program ended with status 4, with 1 of 2 records answered")
  }

  @Test("a program that cannot be started")
  func noProgram() throws {
    expect(
      try Asked("", with: "/no/such/program").failure(["a"]),
      "prompts.jsonl:1: reward 'judge': the program cannot be started: there is no program '/no/such/program'")
    expect(
      try Asked("", with: "/etc/passwd").failure(["a"]),
      "prompts.jsonl:1: reward 'judge': the program cannot be started: '/etc/passwd' is not executable; name its interpreter first")
  }

  @Test("answers that are none")
  func malformed() throws {
    for text in ["yes", "NaN", "Infinity", "\"1\"", "[1]", "{\"reward\": 1}", "1e999", "true"] {
      let asked = try Asked("read -r a; echo 1; cat <<'END'\n\(text)\nEND\ncat > /dev/null")
      expect(
        asked.failure(["a", "b"]),
        "prompts.jsonl:2: reward 'judge': the program answered '\(text)', not a finite number, null or {\"score\": …}")
    }
  }

  @Test("too few answers, and too many")
  func count() throws {
    expect(
      try Asked("echo 1; echo; cat > /dev/null").failure(["a", "b", "c"]),
      "prompts.jsonl:2: reward 'judge': the program ended its batch with 1 of 3 records answered")
    let many = "reward 'judge': the program answered more lines than there were records; the first beyond them is '2'"
    expect(try Asked("printf '1\\n2\\n'; cat > /dev/null").failure(["a"]), many)
    let late = try Asked("echo 1; cat > /dev/null; echo 2")
    #expect(late.failure(["a"]) == nil)
    #expect { try late.sum.close() } throws: { "\($0)" == many }
  }

  @Test("one that hangs is ended when its time is up")
  func hanging() throws {
    expect(
      try Asked("echo thinking >&2; cat > /dev/null", timeout: 0.5).failure(["a", "b"]),
      "prompts.jsonl:1: reward 'judge': the program did not answer within 0.5 s, with 0 of 2 records answered; its standard error ends: thinking"
    )
  }

  @Test("no zombie is left, however it ends")
  func reaped() throws {
    for program in ["exit 3", "echo x; cat > /dev/null", "printf '1\\n2\\n'; cat > /dev/null", "echo $$; cat > /dev/null"] {
      let file = FileManager.default.temporaryDirectory.path + "/heirloom-reward-pid-" + UUID().uuidString
      defer { try? FileManager.default.removeItem(atPath: file) }
      do {
        let asked = try Asked("echo $$ > '\(file)'; \(program)")
        _ = asked.failure(["a"])
      }
      let pid = try #require(Int(String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)))
      #expect(!FileManager.default.fileExists(atPath: "/proc/\(pid)"))
    }
  }

  private func expect(_ found: String?, _ wanted: String?, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(found == wanted, sourceLocation: sourceLocation)
  }
}
