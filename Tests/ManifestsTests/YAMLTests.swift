import Diagnostics
import Manifests
import Testing

struct YAMLTests {
  /// What the core schema reads: kind and value in one word.
  static func reading(_ scalar: Scalar.Value) -> String {
    switch scalar {
    case .null: "null"
    case .bool(let value): "bool \(value)"
    case .integer(let value): "integer \(value)"
    case .number(let value): "number \(value)"
    case .unrepresentable: "unrepresentable"
    case .string: "string"
    }
  }

  @Test(
    "scalars are read by the core schema of YAML 1.2",
    arguments: [
      ("", "null"), ("~", "null"), ("null", "null"), ("Null", "null"), ("nULL", "string"), ("true", "bool true"), ("FALSE", "bool false"),
      ("no", "string"), ("on", "string"), ("yes", "string"), ("n", "string"), ("0", "integer 0"), ("-12", "integer -12"),
      ("+3", "integer 3"),
      ("010", "integer 10"), ("0o17", "integer 15"), ("0x1F", "integer 31"), ("0o8", "string"), ("0x", "string"), ("0xg", "string"),
      ("1e-5", "number 1e-05"), ("1.0e-5", "number 1e-05"), ("1E3", "number 1000.0"), (".5", "number 0.5"), ("5.", "number 5.0"),
      ("+.5e1", "number 5.0"), (".", "string"), ("-", "string"), ("1e", "string"), ("e5", "string"), ("1_000", "string"),
      ("12:30", "string"),
      ("1.2.3", "string"), ("0b1", "string"), ("2001-01-01", "string"), (".inf", "unrepresentable"), ("-.Inf", "unrepresentable"),
      (".nan", "unrepresentable"), ("1e999", "unrepresentable"), ("99999999999999999999", "unrepresentable"),
      ("9223372036854775807", "integer 9223372036854775807"), ("0x8000000000000000", "unrepresentable"),
    ])
  func scalars(text: String, expected: String) {
    #expect(Self.reading(CoreSchema.value(of: text)) == expected)
  }

  @Test("quotes, blocks and tags make strings; tags that do not fit are errors")
  func quoted() {
    let (node, findings) = YAMLParser.parse(
      SourceFile(path: "x", text: "a: '1'\nb: \"true\"\nc: |\n  12\nd: !!str 12\ne: !!float 1\nf: !!int x\ng: !own 1\n"))
    #expect(
      node?.members?.prefix(5).map { Self.reading($0.value.scalar?.value ?? .null) } == [
        "string", "string", "string", "string", "number 1.0",
      ])
    #expect(findings.sorted.map(\.message) == ["the string 'x' is no value of tag '!!int'", "tag '!own' has no meaning here"])
  }

  @Test("merges give what is not given directly, the first of several first; aliases share")
  func merges() {
    let text = """
      base: &b {x: 1, y: 2}
      other: &o {y: 3, z: 4}
      one: {<<: *b, x: 9}
      two: {<<: [*b, *o], w: 5}
      """
    let (node, findings) = YAMLParser.parse(SourceFile(path: "x", text: text))
    #expect(findings.isEmpty)
    func flat(_ key: String) -> [String] { node?[key]?.members?.map { "\($0.key)=\($0.value.scalar?.text ?? "?")" } ?? [] }
    #expect(flat("one") == ["x=9", "y=2"])
    #expect(flat("two") == ["w=5", "x=1", "y=2", "z=4"])
  }

  @Test("a mapping of thousands of keys finds its duplicate, at both places")
  func manyKeys() {
    let text = (0..<5000).map { "k\($0): 1\n" }.joined() + "k77: 2\n"
    let findings = YAMLParser.parse(SourceFile(path: "x", text: text)).findings
    #expect(findings.all.map(\.message) == ["duplicate key 'k77'"])
    #expect(findings.all[0].location?.line == 5001 && findings.all[0].notes[0].location?.line == 78)
  }

  struct Bad: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let bytes: [UInt8]
    let rendered: String

    init(_ name: String, _ text: String, _ rendered: String) { self.init(name, bytes: Array(text.utf8), rendered) }

    init(_ name: String, bytes: [UInt8], _ rendered: String) {
      testDescription = name
      self.bytes = bytes
      self.rendered = rendered
    }
  }

  @Test(
    "what is no YAML we take is said in one whole message",
    arguments: [
      Bad("empty", "", "x.yaml:1:1: error: the file is empty\n\n^"),
      Bad("comment only", "# nothing\n", "x.yaml:2:1: error: the file is empty\n\n^"),
      Bad("two documents", "a: 1\n---\nb: 2\n", "x.yaml:2:1: error: several documents in one file; only one is allowed\n---\n^"),
      Bad("NUL", bytes: Array("a: b\0c".utf8), "x.yaml:1:5: error: the text holds a NUL byte\na: b\u{FFFD}c\n    ^"),
      Bad("escape", "a: \u{1B}[0m", "x.yaml:1:4: error: the text holds a control character that YAML does not allow\na: \u{FFFD}[0m\n   ^"),
      Bad(
        "bad UTF-8", bytes: Array("a: 1\nb: ".utf8) + [0xC3, 0x28], "x.yaml:2:4: error: the text is not valid UTF-8\nb: \u{FFFD}(\n   ^"),
      Bad("surrogate", bytes: [0x61, 0xED, 0xA0, 0x80], "x.yaml:1:2: error: the text is not valid UTF-8\na\u{FFFD}\u{FFFD}\u{FFFD}\n ^"),
      Bad("cut short", bytes: [0x61, 0xF0, 0x9F], "x.yaml:1:2: error: the text is not valid UTF-8\na\u{FFFD}\n ^"),
      Bad(
        "placeholder in a flow mapping", "with: {task: ${task}}",
        "x.yaml:1:14: error: inside { } and [ ] YAML wants quotes around ${…}: write \"${name}\"\nwith: {task: ${task}}\n             ^~~~~~~"
      ),
      Bad(
        "placeholder in a flow list", "a:\n  b: [x, ${task}]",
        "x.yaml:2:10: error: inside { } and [ ] YAML wants quotes around ${…}: write \"${name}\"\n  b: [x, ${task}]\n         ^~~~~~~"),
      Bad(
        "brackets in a flow mapping", "inputs: {data: data[*].train}",
        "x.yaml:1:16: error: inside { } and [ ] YAML wants quotes around a reference with brackets: write \"name[value].output\"\n"
          + "inputs: {data: data[*].train}\n               ^~~~~~~~~~~~~"),
      Bad(
        "brackets over several lines", "inputs: {\n  model: base.model,\n  data: data[sort].train}",
        "x.yaml:3:9: error: inside { } and [ ] YAML wants quotes around a reference with brackets: write \"name[value].output\"\n"
          + "  data: data[sort].train}\n        ^~~~~~~~~~~~~~~~"),
      Bad("U+FFFF", "a: \u{FFFF}", "x.yaml:1:4: error: the text holds a control character that YAML does not allow\na: \u{FFFF}\n   ^"),
      Bad(
        "behind a byte order mark", "\u{FEFF}a: @b",
        "x.yaml:1:4: error: a plain scalar cannot start with '@'; put the value in quotes\na: @b\n   ^"),
      Bad("tab", "a:\n\tb: 1", "x.yaml:2:1: error: a tab cannot indent; use spaces\n\tb: 1\n^"),
      Bad("at sign", "a: @b", "x.yaml:1:4: error: a plain scalar cannot start with '@'; put the value in quotes\na: @b\n   ^"),
      Bad(
        "two colons", "a: b: c",
        "x.yaml:1:5: error: a second ': ' on one line; put the value in quotes or on a line of its own\na: b: c\n    ^"),
      Bad(
        "open mapping", "a: {b: 1\nc: 2\n",
        "x.yaml:2:2: error: expected ',' or '}'\nc: 2\n ^\nx.yaml:1:4: note: in the mapping that opens here\na: {b: 1\n   ^"),
      Bad("unknown anchor", "a: &base 1\nb: *bse", "x.yaml:2:4: error: unknown anchor 'bse'; did you mean 'base'?\nb: *bse\n   ^~~~"),
      Bad(
        "an alias inside its anchor", "a: &a [*a]",
        "x.yaml:1:8: error: alias 'a' stands inside its own anchor\na: &a [*a]\n       ^~\nx.yaml:1:4: note: anchored here\na: &a [*a]\n   ^"
      ),
      Bad("a list as a key", "[a]: 1", "x.yaml:1:1: error: a key must be a plain name\n[a]: 1\n^"),
      Bad("merge of a scalar", "a: {<<: 1}", "x.yaml:1:9: error: '<<' takes a mapping or a list of mappings\na: {<<: 1}\n        ^"),
      Bad(
        "duplicate key", "a: 1\nb: 2\na: 3",
        "x.yaml:3:1: error: duplicate key 'a'\na: 3\n^\nx.yaml:1:1: note: first given here\na: 1\n^"),
    ])
  func bad(_ example: Bad) {
    let (_, findings) = YAMLParser.parse(SourceFile(path: "x.yaml", bytes: example.bytes))
    #expect(findings.sorted.map { DiagnosticRenderer().render($0) } == [example.rendered])
  }

  @Test("a byte order mark is no part of the text, and keys are told apart by their bytes")
  func marks() {
    let (node, findings) = YAMLParser.parse(SourceFile(path: "x", text: "\u{FEFF}\u{e9}: 1\ne\u{301}: 2\n"))
    #expect(findings.isEmpty && node?.members?.count == 2)
  }

  @Test("hostile files are errors, quickly")
  func hostile() {
    let clock = ContinuousClock()
    let laughs = (0..<30).map { level in
      let one = level == 0 ? "x" : "*a\(level - 1)"
      return "a\(level): &a\(level) [\(Array(repeating: one, count: 10).joined(separator: ", "))]\n"
    }.joined()
    let merges =
      "m0: &m0 {a: 1, b: 2}\n" + (1..<40).map { "m\($0): &m\($0) {<<: [*m\($0 - 1), *m\($0 - 1) ], k\($0): *m\($0 - 1) }\n" }.joined()
    let cases: [(String, String)] = [
      (laughs, "more than 1000000 nodes after aliases are expanded"), (merges, "more than 1000000 nodes after aliases are expanded"),
      (String(repeating: "[", count: 100_000), "nested deeper than 64 levels"),
      (String(repeating: "{a: ", count: 100_000), "nested deeper than 64 levels"),
      (String(repeating: "- ", count: 100_000) + "x", "nested deeper than 64 levels"),
      ("a: " + String(repeating: "x", count: 10_000_000), "the file has more than 4194304 bytes"),
    ]
    for (text, message) in cases {
      var findings = Findings()
      let time = clock.measure { findings = YAMLParser.parse(SourceFile(path: "x", text: text)).findings }
      #expect(findings.sorted.map(\.message) == [message])
      #expect(time < .seconds(1), "\(message) took \(time)")
      #expect(DiagnosticRenderer().render(findings.sorted).utf8.count < 1000)
    }
    let line = "a: " + String(repeating: "x", count: 4_000_000)
    let time = clock.measure { _ = YAMLParser.parse(SourceFile(path: "x", text: line)) }
    #expect(time < .seconds(1))
  }

  @Test("a check warns where PyYAML reads something else, and only there")
  func differences() {
    let text = """
      a: 1e-5
      b: 1.0e-5
      c: no
      d: 010
      e: 1_000
      f: 12:30
      g: 2001-01-01
      h: "no"
      i: 1.5e3
      on: 0o17
      "off": [true, ~, 3, .5, 0x1F, plain]
      """
    let warnings = YAMLDifferences.warnings(SourceFile(path: "x", text: text))
    #expect(
      warnings.map { "\($0.location?.line ?? 0): \($0.message)" } == [
        "1: '1e-5' is the number 1e-05 here (YAML 1.2), but a string to PyYAML (YAML 1.1)",
        "3: 'no' is a string here (YAML 1.2), but the boolean false to PyYAML (YAML 1.1)",
        "4: '010' is the integer 10 here (YAML 1.2), but the integer 8 to PyYAML (YAML 1.1)",
        "5: '1_000' is a string here (YAML 1.2), but the integer 1000 to PyYAML (YAML 1.1)",
        "6: '12:30' is a string here (YAML 1.2), but an integer to PyYAML (YAML 1.1)",
        "7: '2001-01-01' is a string here (YAML 1.2), but a date to PyYAML (YAML 1.1)",
        "9: '1.5e3' is the number 1500.0 here (YAML 1.2), but a string to PyYAML (YAML 1.1)",
        "10: 'on' is a string here (YAML 1.2), but the boolean true to PyYAML (YAML 1.1)",
        "10: '0o17' is the integer 15 here (YAML 1.2), but a string to PyYAML (YAML 1.1)",
      ])
  }
}

struct TemplateTests {
  @Test("texts are taken apart at their placeholders")
  func pieces() throws {
    #expect(try Template(parsing: "a-${b.c}-$${d}$").pieces == [.text("a-"), .placeholder(["b", "c"]), .text("-${d}$")])
    #expect(try Template(parsing: "${a}").whole == ["a"])
    #expect(try Template(parsing: " ${a}").whole == nil)
    #expect(try Template(parsing: "$${a}").literal == "${a}")
    #expect(try Template(parsing: "$$ $5").literal == "$$ $5")
    #expect(throws: Template.Fault.self) { try Template(parsing: "${}") }
    #expect(throws: Template.Fault.self) { try Template(parsing: "${a") }
    #expect(throws: Template.Fault.self) { try Template(parsing: "${a..b}") }
  }
}
