/// Builds a template's statements. Every construct, filter and test that the renderer does not have is refused here, before any use.
struct TemplateParser {
  private var parts: ArraySlice<TemplateLexer.Part>
  private var depth = 0

  /// Blocks within blocks, which are walked by recursion.
  private static let deepest = 64

  private init(_ parts: [TemplateLexer.Part]) { self.parts = parts[...] }

  static func parse(_ template: String) throws(TemplateFault) -> [TemplateStatement] {
    var parser = TemplateParser(try TemplateLexer.parts(template))
    let (body, end) = try parser.body(until: [])
    precondition(end == nil, "a body without ends runs to the end")
    return body
  }

  /// The tag that ended a body: its words after the name, and its line.
  private struct End: Equatable {
    let name: String
    let words: ExpressionParser
    let line: Int

    static func == (left: End, right: End) -> Bool { left.name == right.name && left.line == right.line }
  }

  /// The statements up to a block tag with one of these names, or to the end when there are none.
  private mutating func body(until names: [String]) throws(TemplateFault) -> ([TemplateStatement], End?) {
    var statements: [TemplateStatement] = []
    while let part = parts.popFirst() {
      switch part {
      case .text(let text): statements.append(TemplateStatement(kind: .text(text), line: 0))
      case .tag(.output, let tokens, let line):
        var words = ExpressionParser(tokens, line: line)
        statements.append(TemplateStatement(kind: .output(try words.whole()), line: line))
      case .tag(.block, let tokens, let line):
        var words = ExpressionParser(tokens, line: line)
        let name = try words.name()
        if names.contains(name) { return (statements, End(name: name, words: words, line: line)) }
        statements += try block(name, words, line)
      }
    }
    guard let expected = names.last else { return (statements, nil) }
    throw TemplateFault(line: statements.last?.line ?? 1, message: "'\(expected)' is missing at the end")
  }

  private mutating func ended(by names: [String]) throws(TemplateFault) -> ([TemplateStatement], End) {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.deepest else { throw TemplateFault(line: 1, message: "blocks are nested deeper than \(Self.deepest)") }
    let (statements, end) = try body(until: names)
    guard let end else { throw TemplateFault(line: 1, message: "'\(names.last ?? "")' is missing at the end") }
    return (statements, end)
  }

  private mutating func block(_ name: String, _ words: ExpressionParser, _ line: Int) throws(TemplateFault) -> [TemplateStatement] {
    switch name {
    case "for": return [try forLoop(words, line)]
    case "if": return [try branches(words, line)]
    case "set": return [try set(words, line)]
    case "break": return [TemplateStatement(kind: .leave, line: line)]
    case "continue": return [TemplateStatement(kind: .proceed, line: line)]
    case "generation": return try ended(by: ["endgeneration"]).0
    default:
      throw TemplateFault(line: line, message: "'\(name)' is not supported; for, if, set, break, continue and generation are")
    }
  }

  private mutating func forLoop(_ words: ExpressionParser, _ line: Int) throws(TemplateFault) -> TemplateStatement {
    var words = words
    var targets = [try words.name()]
    while words.take(",") { targets.append(try words.name()) }
    try words.expect("in")
    let values = try words.alternative()
    let condition = words.take("if") ? try words.expression() : nil
    try words.end()
    var (body, end) = try ended(by: ["else", "endfor"])
    var otherwise: [TemplateStatement] = []
    if end.name == "else" { (otherwise, end) = try ended(by: ["endfor"]) }
    return TemplateStatement(kind: .forLoop(targets: targets, in: values, where: condition, body, otherwise: otherwise), line: line)
  }

  private mutating func branches(_ words: ExpressionParser, _ line: Int) throws(TemplateFault) -> TemplateStatement {
    var words = words
    var branches: [(condition: TemplateExpression, body: [TemplateStatement])] = []
    while true {
      let condition = try words.whole()
      let (body, end) = try ended(by: ["elif", "else", "endif"])
      branches.append((condition, body))
      if end.name == "elif" {
        words = end.words
        continue
      }
      let otherwise = end.name == "else" ? try ended(by: ["endif"]).0 : []
      return TemplateStatement(kind: .branches(branches, otherwise: otherwise), line: line)
    }
  }

  private mutating func set(_ words: ExpressionParser, _ line: Int) throws(TemplateFault) -> TemplateStatement {
    var words = words
    let name = try words.name()
    let member = words.take(".") ? try words.name() : nil
    guard words.take("=") else {
      try words.end()
      return TemplateStatement(kind: .setBlock(name, try ended(by: ["endset"]).0), line: line)
    }
    let value = try words.whole()
    return TemplateStatement(kind: member.map { .setMember(name, $0, value) } ?? .set(name, value), line: line)
  }
}
