import Diagnostics
import Testing

struct RenderingTests {
  @Test("a finding is its place, its message, the source line and a caret under the word")
  func wholeFinding() {
    let source = SourceFile(path: "pipelines/x.yaml", text: "stages:\n  train:\n    with: {learning_rat: 1e-5}\n")
    let diagnostic = Diagnostic(
      .error, "unknown parameter 'learning_rat' of train/sft", at: SourceLocation(source: source, line: 3, column: 12, length: 12),
      suggestion: "learning_rate",
      notes: [.init("in train[1]"), .init("first given here", at: SourceLocation(source: source, line: 2, column: 3, length: 5))])
    #expect(
      DiagnosticRenderer().render(diagnostic) == """
        pipelines/x.yaml:3:12: error: unknown parameter 'learning_rat' of train/sft; did you mean 'learning_rate'?
            with: {learning_rat: 1e-5}
                   ^~~~~~~~~~~~
        note: in train[1]
        pipelines/x.yaml:2:3: note: first given here
          train:
          ^~~~~
        """)
  }

  @Test("the caret stands under its place behind tabs, wide characters, emoji and combining marks")
  func columns() {
    let source = SourceFile(path: "x", text: "\tä: 日本 e\u{301} 🎉 bad\r\nnext")
    let text = DiagnosticRenderer().render(Diagnostic(.error, "no", at: SourceLocation(source: source, line: 1, column: 13, length: 3)))
    #expect(text == "x:1:13: error: no\n\tä: 日本 e\u{301} 🎉 bad\n\t             ^~~")
  }

  @Test("a long line is cut around the place")
  func longLine() {
    let source = SourceFile(path: "x", text: String(repeating: "a", count: 5000) + "BAD" + String(repeating: "b", count: 5000))
    let text = DiagnosticRenderer(widestLine: 20).render(
      Diagnostic(.warning, "no", at: SourceLocation(source: source, line: 1, column: 5001, length: 3)))
    #expect(text == "x:1:5001: warning: no\n…aaaaaaaaaaBADbbbbbbb…\n           ^~~")
  }

  @Test("control characters of the source reach no terminal, and a place beyond the end still has a caret")
  func controls() {
    let source = SourceFile(path: "x", text: "a\u{1B}[2Jb")
    let text = DiagnosticRenderer().render(Diagnostic(.error, "no", at: SourceLocation(source: source, line: 1, column: 99)))
    #expect(text == "x:1:99: error: no\na\u{FFFD}[2Jb\n      ^")
  }

  @Test("an argument is named whole, without line and column")
  func argument() {
    let source = SourceFile(kind: .argument, path: "--set sed=3", bytes: [])
    let diagnostic = Diagnostic(.error, "unknown param 'sed'", at: SourceLocation(source: source, line: 1, column: 1), suggestion: "seed")
    #expect(DiagnosticRenderer().render(diagnostic) == "--set sed=3: error: unknown param 'sed'; did you mean 'seed'?")
  }

  @Test("colour only when asked")
  func colour() {
    let diagnostic = Diagnostic(.error, "no", at: nil)
    #expect(DiagnosticRenderer().render([diagnostic]) == "error: no\n")
    #expect(DiagnosticRenderer(style: .colored).render(diagnostic) == "\u{1B}[1;31merror:\u{1B}[0m \u{1B}[1mno\u{1B}[0m")
  }

  @Test("findings are sorted by place, each once")
  func sorted() {
    let source = SourceFile(path: "x", text: "a\nb\n")
    var findings = Findings()
    findings.error("second", at: SourceLocation(source: source, line: 2, column: 1))
    findings.error("first", at: SourceLocation(source: source, line: 1, column: 1))
    findings.error("second", at: SourceLocation(source: source, line: 2, column: 1))
    findings.warning("nowhere", at: nil)
    #expect(findings.sorted.map(\.message) == ["nowhere", "first", "second"])
    #expect(findings.hasErrors)
  }

  @Test("lines end at LF, CR, CR LF and the Unicode breaks that libyaml counts")
  func lines() {
    let source = SourceFile(path: "x", text: "a\r\nb\rc\u{85}d\u{2028}e")
    #expect((1...6).map { source.line($0) } == ["a", "b", "c", "d", "e", nil])
    #expect(source.location(ofByte: 3).text == "x:2:1")
  }
}

struct NearestNameTests {
  @Test(
    "the nearest name is offered, and none that is far",
    arguments: [
      ("learning_rat", "learning_rate"), ("Learning_Rate", "learning_rate"), ("laerning_rate", "learning_rate"), ("los", "loss"),
      ("bteas", "betas"), ("x", nil), ("epoch", nil), ("", nil), ("weight", nil),
    ] as [(String, String?)])
  func nearest(name: String, expected: String?) {
    #expect(NearestName.find(name, among: ["learning_rate", "loss", "betas", "y"]) == expected)
  }

  @Test("a name of a million characters is refused quickly")
  func long() {
    let name = String(repeating: "x", count: 1_000_000)
    #expect(NearestName.find(name, among: ["xx", name + "y"]) != nil)
  }

  @Test("of a great many the first hundred are shown, errors before warnings, before long") func many() {
    let source = SourceFile(path: "x.yaml", text: String(repeating: "a: 0\n", count: 300_000))
    func diagnostics(_ severity: Diagnostic.Severity, _ lines: Range<Int>) -> [Diagnostic] {
      lines.map { Diagnostic(severity, "it is wrong", at: SourceLocation(source: source, line: $0, column: 1)) }
    }
    let start = ContinuousClock.now
    let text = DiagnosticRenderer().render(diagnostics(.warning, 1..<5) + diagnostics(.error, 5..<300_000))
    #expect(ContinuousClock.now - start < .seconds(5))
    #expect(text.hasPrefix("x.yaml:5:1: error: it is wrong\na: 0\n^\nx.yaml:6:1:"))
    #expect(text.hasSuffix("x.yaml:104:1: error: it is wrong\na: 0\n^\nand 299899 more\n"))
  }
}
