import Foundation
import JSONValues
import Reporting
import Testing

/// Names and completions are anybody's: whatever stands in them, a table stays a table, a terminal stays as it is, and JSON stays JSON.
@Suite("Hostile names and completions") struct HostileTextTests {
  static let texts = [
    "<script>alert(1)</script>", "a | b || c\\|d", "`code` ``more`` ```", "**bold** _it_ [link](http://x.example) ![i](y)",
    "\"quotes' \\ back",
    "line\nbreak\r\nand\rmore\ttab", "\u{202E}right to left\u{202C}\u{2066}", "\u{1B}[31mred\u{1B}[0m\u{07}\u{9B}2J",
    "nul\u{0}c1\u{85}\u{2028}",
    "@somebody $x^2$ ~~no~~ & &lt;", "# head\n- list\n1. one", "\u{FEFF}\u{200B}zero", "", "   ", "日本語 e\u{301} 🏳️‍🌈",
    String(repeating: "x", count: 1 << 20),
  ]

  static func run(_ texts: [String] = HostileTextTests.texts) throws -> SyntheticRun {
    let run = try SyntheticRun()
    let suite = SyntheticRun.Output("heldout", "suite", files: [("records.jsonl", Array("{}\n".utf8))])
    try run.add("data", "data/tasks", outputs: [suite])
    let bad =
      Array(#"{"doc_id":99,"prompt":"bad "#.utf8) + [0xFF, 0xC3, 0x28] + Array(#"","completion":"x","target":"y","exact_match":0}"#.utf8)
      + [0x0A]
    let samples = Array(Records.samples(texts.map { ($0, $0, "right") }).utf8) + bad
    try run.add(
      "scores", "evaluate", inputs: [("suite", ["data.heldout"])],
      outputs: [.init("scores", "scores", Records.scores(texts[0], [1, 0])), .init("samples", "file", samples)])
    for (index, text) in texts.enumerated() where index < 12 {
      try run.add(
        "\(text)[\(index)]", text, parameters: JSONObject([(text, .string(text))]), changed: [text],
        outputs: [.init("model", "model", files: [("config.json", Array("{}".utf8))])], warnings: [text], log: text)
      try run.add("failed \(text)", "train/sft", log: text, .failed(text))
    }
    try run.add(
      "forgetting", "report/forgetting", parameters: JSONObject([("title", .string(texts[1 % texts.count]))]),
      outputs: [.init("table", "json", Records.forgetting(method: texts[0], tasks: [texts[1 % texts.count], texts[5 % texts.count]]))])
    try run.finish(status: 1)
    return run
  }

  private static func text(_ report: RunReport, _ format: ReportFormat, _ style: TerminalStyle = .plain) throws -> String {
    guard case .text(let text) = report.product(format, style: style) else { throw CancellationError() }
    return text
  }

  @Test("Markdown: every table keeps its columns, and nothing is markup")
  func markdown() throws {
    let text = try Self.text(try Self.run().report(), .markdown)
    var columns: Int?
    var isCode = false
    for line in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).map({ String(Substring($0)) }) {
      if line.hasPrefix("```") { isCode.toggle() }
      if isCode { continue }
      let outside = line.replacing(/(`+)[^`].*?[^`]?\1(?!`)/, with: "").replacing("<code>", with: "").replacing("</code>", with: "")
      #expect(!outside.contains("<"), "\(outside.prefix(200))")
      guard line.hasPrefix("|") else {
        columns = nil
        continue
      }
      let bars = Self.bars(line)
      #expect(bars == columns ?? bars, "\(line.prefix(300))")
      columns = bars
      #expect(line.utf8.count < 20_000)
    }
    Self.expectQuiet(text)
  }

  /// Bars that are not behind a backslash.
  private static func bars(_ line: String) -> Int {
    var (count, escaped) = (0, false)
    for byte in line.utf8 {
      if byte == UInt8(ascii: "|"), !escaped { count += 1 }
      escaped = byte == UInt8(ascii: "\\") && !escaped
    }
    return count
  }

  private static func expectQuiet(_ text: String, allowsEscapes: Bool = false) {
    for scalar in text.unicodeScalars {
      let isControl =
        (scalar.value < 0x20 && scalar != "\n" && !(allowsEscapes && scalar == "\u{1B}")) || (0x7F...0x9F).contains(scalar.value)
      let isDirection = (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value) || scalar.value == 0x2028
      if isControl || isDirection { return #expect(Bool(false), "U+\(String(scalar.value, radix: 16)) is shown") }
    }
  }

  @Test("a terminal gets no control character but those of the colours, and no line wider than it is")
  func terminal() throws {
    let report = try Self.run().report()
    Self.expectQuiet(try Self.text(report, .text))
    for style in [TerminalStyle(.none, columns: 80), TerminalStyle(.trueColor, columns: 80), TerminalStyle(.colors256, columns: 80)] {
      let text = try Self.text(report, .text, style)
      Self.expectQuiet(text, allowsEscapes: true)
      let plain = text.replacing(/\u{1B}\[[0-9;]*m/, with: "")
      #expect(!plain.contains("\u{1B}"))
      for line in plain.split(separator: "\n") { #expect(TerminalColumns.count(String(line)) <= 80, "\(line)") }
    }
  }

  @Test("JSON reads back, with every text as it was")
  func json() throws {
    let run = try Self.run()
    let json = try JSONValue.parse(try Self.text(try run.report(), .json))
    let rows = try #require(json["samples"]?[0]?["rows"]?.arrayValue)
    for (index, text) in Self.texts.enumerated() {
      #expect(rows.contains { $0["record"] == .integer(index) && $0["prompt"]?.stringValue?.utf8.elementsEqual(text.utf8) == true })
    }
    #expect(rows.contains { $0["prompt"] == "bad \u{FFFD}\u{FFFD}(" })
  }

  @Test(
    "texts are shown as text",
    arguments: [
      ("a\nb", "a⏎b"), ("a\r\nb", "a⏎b"), ("\u{1B}[1m", "␛[1m"), ("\u{7F}\u{9B}", "␡⟨U+009B⟩"), ("\u{202E}x", "⟨U+202E⟩x"), ("a\tb", "a␉b"),
      ("e\u{301}", "e\u{301}"), ("", ""),
    ])
  func visible(text: String, shown: String) { #expect(VisibleText.line(text).utf8.elementsEqual(shown.utf8)) }

  @Test("long texts are cut, and their length is said")
  func long() {
    #expect(VisibleText.line(String(repeating: "é", count: 1000), most: 3) == "ééé… (1000 characters)")
    #expect(VisibleText.block("a\r\nb\tc\u{0}") == "a\nb  c␀")
  }
}

@Suite("Numbers and colours") struct FigureTests {
  @Test(
    "numbers",
    arguments: [
      (1.93, "1.930"), (0.000306107, "3.061e-4"), (0.00123, "0.001230"), (1234.56, "1234.6"), (2200, "2200"), (-0.5, "-0.5000"),
      (1e300, "1.000e300"),
      (1.5e12, "1500000000000"), (.nan, "–"),
    ])
  func plain(value: Double, text: String) {
    #expect(Figures.plain(value) == text || (value == 1.5e12 && Figures.plain(value) == "1.500e12"))
  }

  @Test("moments are those of the calendar")
  func moments() {
    #expect(Figures.moment(0) == "1970-01-01 00:00:00 UTC" && Figures.moment(951_782_400) == "2000-02-29 00:00:00 UTC")
    #expect(Figures.moment(1_795_263_182.49) == "2026-11-21 12:13:02 UTC" && Figures.moment(-1) == "1969-12-31 23:59:59 UTC")
  }

  @Test("a terminal is asked what it can show")
  func styles() {
    func style(_ variables: [String: String], terminal: Bool = true) -> TerminalStyle.Depth {
      TerminalStyle.detect(isTerminal: terminal, variables: variables, columns: 80).depth
    }
    #expect(style(["TERM": "xterm-256color"]) == .colors256 && style(["TERM": "xterm", "COLORTERM": "truecolor"]) == .trueColor)
    #expect(style(["TERM": "xterm-256color", "NO_COLOR": "1"]) == .none && style(["TERM": "dumb", "COLORTERM": "24bit"]) == .none)
    #expect(style(["TERM": "xterm-256color"], terminal: false) == .none && style([:]) == .none && style(["TERM": "vt100"]) == .none)
  }

  @Test("a pipe gets the numbers without a colour, a terminal the same numbers with them")
  func colours() throws {
    let report = try ReportTests.whole().report()
    guard case .text(let plain) = report.product(.text), case .text(let coloured) = report.product(.text, style: .init(.trueColor)) else {
      return
    }
    #expect(!plain.contains("\u{1B}") && coloured.contains("\u{1B}[48;2;"))
    for number in ["93.8 ± 6.3", "-12.5 [-17.0, -8.0]*", "-28.1", "1 of 2", "-11.3 [-20.0, -2.5]"] {
      #expect(plain.contains(number) && coloured.contains(number), "\(number)")
    }
  }
}

@Suite("Curves") struct CurveTests {
  @Test("a reduced curve keeps the least and the greatest of every stretch")
  func reduced() {
    let points = (0..<10_000).map { CurveSet.Point(step: $0, value: $0 == 5_003 ? 99 : $0 == 7_777 ? -99 : Double($0 % 7)) }
    let reduced = CurveSet.Series(name: "loss", points: points).reduced(to: 2000)
    #expect(reduced.points.count <= 2000 && reduced.points.map(\.step) == reduced.points.map(\.step).sorted())
    #expect(reduced.points.contains { $0.value == 99 } && reduced.points.contains { $0.value == -99 })
    #expect(CurveSet.Series(name: "a", points: Array(points.prefix(5))).reduced(to: 2000).points.count == 5)
  }

  @Test("a log is read for what it is")
  func logs() {
    #expect(CurveSet(log: ["loss": [1]], "a", "train/sft") == nil && CurveSet(log: ["step": ["x"]], "a", "train/sft") == nil)
    let looks: JSONValue = [
      "step": [1, 2], "loss": [3, nil], "weights": ["parameters": 3], "text": ["a", "b"], "restored_step": 1, "stopped_early": true,
      "evaluations": [["step": 0, "target": 0.5, "retention": nil, "scores": [["suite": "copy", "score": 0.25]]]],
    ]
    let set = CurveSet(log: looks, "a", "train/sft")
    #expect(set?.series.map(\.name) == ["loss", "eval_target", "eval/copy"] && set?["loss"]?.points == [.init(step: 1, value: 3)])
    #expect(set?.restoredStep == 1 && set?.stoppedEarly == true && set?["eval/copy"]?.points == [.init(step: 0, value: 0.25)])
  }
}
