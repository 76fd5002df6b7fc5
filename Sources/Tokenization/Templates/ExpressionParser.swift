/// Reads the expressions inside one tag, by Jinja's precedence: conditional, or, and, not, comparison, `+ -`, `~`, `* / // %`, unary, postfix.
///
/// An expression is a tree that is walked by recursion, so its depth is bounded; every step of a parser and every operator in a chain counts.
struct ExpressionParser {
  private let tokens: [TemplateLexer.Token]
  private let line: Int
  private var at = 0
  private var depth = 0
  /// Operators that stand one after the other in chains, which nest to the left.
  private var links = 0

  private static let deepest = 64
  private static let mostLinks = 256

  init(_ tokens: [TemplateLexer.Token], line: Int) {
    self.tokens = tokens
    self.line = line
  }

  // MARK: - Words

  private var next: TemplateLexer.Token? { at < tokens.count ? tokens[at] : nil }

  func fault(_ message: String) -> TemplateFault { TemplateFault(line: line, message: message) }

  /// Takes the symbol or keyword if it comes next.
  mutating func take(_ word: String) -> Bool {
    guard next == .symbol(word) || next == .name(word) else { return false }
    at += 1
    return true
  }

  mutating func expect(_ word: String) throws(TemplateFault) {
    if !take(word) { throw fault("'\(word)' is missing") }
  }

  mutating func name() throws(TemplateFault) -> String {
    guard case .name(let name) = next else { throw fault("a name is missing") }
    at += 1
    return name
  }

  func end() throws(TemplateFault) {
    if at < tokens.count { throw fault("there is more in the tag than it can take") }
  }

  /// An expression, or several with commas between as a list, and nothing after it.
  mutating func whole() throws(TemplateFault) -> TemplateExpression {
    let first = try expression()
    try end()
    return first
  }

  // MARK: - Expressions

  private mutating func enter() throws(TemplateFault) {
    depth += 1
    guard depth <= Self.deepest else { throw fault("the expression is nested deeper than \(Self.deepest)") }
  }

  private mutating func link() throws(TemplateFault) {
    links += 1
    guard links <= Self.mostLinks else { throw fault("the tag has more than \(Self.mostLinks) operators") }
  }

  mutating func expression() throws(TemplateFault) -> TemplateExpression {
    try enter()
    defer { depth -= 1 }
    var value = try alternative()
    while take("if") {
      try link()
      let condition = try alternative()
      value = .choice(condition: condition, then: value, otherwise: take("else") ? try expression() : nil)
    }
    return value
  }

  /// An expression that no `if` follows.
  mutating func alternative() throws(TemplateFault) -> TemplateExpression {
    var value = try conjunction()
    while take("or") {
      try link()
      value = .or(value, try conjunction())
    }
    return value
  }

  private mutating func conjunction() throws(TemplateFault) -> TemplateExpression {
    var value = try negation()
    while take("and") {
      try link()
      value = .and(value, try negation())
    }
    return value
  }

  private mutating func negation() throws(TemplateFault) -> TemplateExpression {
    guard take("not") else { return try comparison() }
    try enter()
    defer { depth -= 1 }
    return .not(try negation())
  }

  private mutating func comparison() throws(TemplateFault) -> TemplateExpression {
    let value = try sum()
    var links: [(operation: String, right: TemplateExpression)] = []
    while let operation = comparisonOperator() { links.append((operation, try sum())) }
    return links.isEmpty ? value : .compare(value, links)
  }

  private mutating func comparisonOperator() -> String? {
    if next == .name("not"), at + 1 < tokens.count, tokens[at + 1] == .name("in") {
      at += 2
      return "not in"
    }
    for word in ["==", "!=", "<=", ">=", "<", ">", "in"] where take(word) { return word }
    return nil
  }

  private mutating func sum() throws(TemplateFault) -> TemplateExpression {
    try leftToRight(["+", "-"]) { parser throws(TemplateFault) in
      try parser.leftToRight(["~"]) { parser throws(TemplateFault) in
        try parser.leftToRight(["*", "/", "//", "%", "**"]) { parser throws(TemplateFault) in try parser.unary() }
      }
    }
  }

  private mutating func leftToRight(
    _ operators: [String], _ operand: (inout ExpressionParser) throws(TemplateFault) -> TemplateExpression
  ) throws(TemplateFault) -> TemplateExpression {
    var value = try operand(&self)
    while case .symbol(let symbol) = next, operators.contains(symbol) {
      if symbol == "/" || symbol == "**" { throw fault("'\(symbol)' is not supported") }
      try link()
      at += 1
      value = .arithmetic(value, symbol, try operand(&self))
    }
    return value
  }

  private mutating func unary() throws(TemplateFault) -> TemplateExpression {
    try enter()
    defer { depth -= 1 }
    if take("-") { return .negative(try unary()) }
    if take("+") { return try unary() }
    return try postfix(primary())
  }

  private mutating func primary() throws(TemplateFault) -> TemplateExpression {
    guard let token = next else { throw fault("an expression is missing") }
    at += 1
    switch token {
    case .string(var text):
      while case .string(let more) = next {  // strings beside each other are one
        text += more
        at += 1
      }
      return .literal(.string(text))
    case .integer(let value): return .literal(.integer(value))
    case .name("true"), .name("True"): return .literal(.bool(true))
    case .name("false"), .name("False"): return .literal(.bool(false))
    case .name("none"), .name("None"): return .literal(.none)
    case .name(let name): return .name(name)
    case .symbol("("):
      let inner = try expression()
      try expect(")")
      return inner
    case .symbol("["): return .list(try arguments(until: "]").values)
    case .symbol("{"): return .mapping(try members())
    case .symbol(let symbol): throw fault("'\(symbol)' stands where an expression is wanted")
    }
  }

  private mutating func members() throws(TemplateFault) -> [(key: TemplateExpression, value: TemplateExpression)] {
    var members: [(key: TemplateExpression, value: TemplateExpression)] = []
    while !take("}") {
      let key = try expression()
      try expect(":")
      members.append((key, try expression()))
      if !take(",") {
        try expect("}")
        break
      }
    }
    return members
  }

  // MARK: - After an expression

  private mutating func postfix(_ start: TemplateExpression) throws(TemplateFault) -> TemplateExpression {
    var value = start
    for count in 0... {
      if count > 0 { try link() }
      if take(".") {
        value = .member(value, .literal(.string(try name())))
      } else if take("[") {
        value = try subscripted(value)
      } else if take("(") {
        value = .call(value, try arguments(until: ")"))
      } else if take("|") {
        value = try filtered(value)
      } else if take("is") {
        value = try tested(value)
      } else {
        return value
      }
    }
    return value
  }

  private mutating func subscripted(_ value: TemplateExpression) throws(TemplateFault) -> TemplateExpression {
    var bounds: [TemplateExpression?] = []
    var isSlice = false
    while true {
      bounds.append(next == .symbol(":") || next == .symbol("]") ? nil : try expression())
      if take("]") { break }
      try expect(":")
      isSlice = true
    }
    if isSlice, bounds.count <= 3 { return .slice(value, bounds[0], bounds[1], bounds.count > 2 ? bounds[2] : nil) }
    guard bounds.count == 1, let index = bounds[0] else { throw fault("the index is missing") }
    return .member(value, index)
  }

  private mutating func filtered(_ value: TemplateExpression) throws(TemplateFault) -> TemplateExpression {
    let filter = try name()
    guard TemplateFunctions.filters.contains(filter) else { throw fault("filter '\(filter)' is not supported") }
    return .filter(value, filter, take("(") ? try arguments(until: ")") : TemplateArguments())
  }

  private mutating func tested(_ value: TemplateExpression) throws(TemplateFault) -> TemplateExpression {
    let isNegated = take("not")
    let test = try name()
    guard TemplateFunctions.tests.contains(test) else { throw fault("test '\(test)' is not supported") }
    var operands: [TemplateExpression] = []
    if take("(") {
      operands = try arguments(until: ")").values
    } else if TemplateFunctions.testsWithOperand.contains(test) {
      operands = [try primary()]
    }
    return isNegated ? .not(.test(value, test, operands)) : .test(value, test, operands)
  }

  private mutating func arguments(until close: String) throws(TemplateFault) -> TemplateArguments {
    var arguments = TemplateArguments()
    while !take(close) {
      if case .name(let name) = next, at + 1 < tokens.count, tokens[at + 1] == .symbol("=") {
        at += 2
        arguments.named.append((name, try expression()))
      } else {
        arguments.values.append(try expression())
      }
      if !take(",") {
        try expect(close)
        break
      }
    }
    return arguments
  }
}
