/// Runs a template's statements over its variables and collects the text.
///
/// A template comes with a model and is run as it is, so what it may spend is bounded: every step, every element of a value that is looked
/// at or made, and every 32 bytes of text count. That bounds its time, its memory, and how deep its values nest.
struct TemplateRenderer {
  private enum Flow { case next, leave, proceed }

  private var scopes: [[String: TemplateValue]]
  private var namespaces: [[String: TemplateValue]] = []
  private var output = ""
  private var line = 1
  /// What is left before a template counts as endless.
  private var budget = 4_000_000
  private static let longestText = 1 << 24
  private static let longestRange = 100_000

  static func render(_ statements: [TemplateStatement], _ variables: [String: TemplateValue]) throws(TemplateFault) -> String {
    var renderer = TemplateRenderer(scopes: [variables])
    _ = try renderer.run(statements)
    return renderer.output
  }

  private init(scopes: [[String: TemplateValue]]) { self.scopes = scopes }

  private func fault(_ message: String) -> TemplateFault { TemplateFault(line: line, message: message) }

  private mutating func spend(_ steps: Int) throws(TemplateFault) {
    budget -= steps
    if budget < 0 { throw fault("the template does not come to an end") }
  }

  /// Pays for a value that is made or looked at as a whole.
  private mutating func spend(on value: TemplateValue) throws(TemplateFault) {
    if case .string(let text) = value, text.utf8.count > Self.longestText {
      throw fault("a text has more than \(Self.longestText) bytes")
    }
    value.weigh(&budget)
    try spend(0)
  }

  /// What a loop over the value goes through, paid for.
  private mutating func elements(_ value: TemplateValue) throws(TemplateFault) -> [TemplateValue]? {
    switch value {
    case .string(let text): try spend(text.utf8.count)
    case .list(let values): try spend(values.count)
    case .mapping(let members): try spend(members.count)
    default: break
    }
    return value.elements
  }

  // MARK: - Statements

  private mutating func run(_ statements: [TemplateStatement]) throws(TemplateFault) -> Flow {
    for statement in statements {
      if statement.line > 0 { line = statement.line }
      try spend(1)
      let flow = try run(statement.kind)
      if flow != .next { return flow }
    }
    return .next
  }

  private mutating func run(_ statement: TemplateStatement.Kind) throws(TemplateFault) -> Flow {
    switch statement {
    case .text(let text): try write(text)
    case .output(let expression): try write(text(value(expression)))
    case .forLoop(let targets, let values, let condition, let body, let otherwise):
      return try loop(targets, values, condition, body, otherwise)
    case .branches(let branches, let otherwise):
      for (condition, body) in branches where try value(condition).isTrue { return try run(body) }
      return try run(otherwise)
    case .set(let name, let expression): assign(name, try value(expression))
    case .setMember(let name, let member, let expression):
      guard case .namespace(let index) = lookUp(name) else { throw fault("'\(name)' is no namespace") }
      namespaces[index][member] = try value(expression)
    case .setBlock(let name, let body):
      let before = output
      output = ""
      let flow = try run(body)
      assign(name, .string(output))
      output = before
      return flow
    case .leave: return .leave
    case .proceed: return .proceed
    }
    return .next
  }

  private mutating func write(_ text: String) throws(TemplateFault) {
    try spend(on: .string(text))
    guard output.utf8.count + text.utf8.count <= Self.longestText else {
      throw fault("the conversation takes more than \(Self.longestText) bytes")
    }
    output += text
  }

  private mutating func loop(
    _ targets: [String], _ values: TemplateExpression, _ condition: TemplateExpression?, _ body: [TemplateStatement],
    _ otherwise: [TemplateStatement]
  ) throws(TemplateFault) -> Flow {
    let source = try value(values)
    guard let all = try elements(source) else { throw fault("\(source.kindName) cannot be looped over") }
    scopes.append([:])
    defer { scopes.removeLast() }
    var elements: [TemplateValue] = []
    for element in all {
      try bind(targets, element)
      if let condition, try !value(condition).isTrue { continue }
      elements.append(element)
    }
    if elements.isEmpty { return try run(otherwise) }
    for (index, element) in elements.enumerated() {
      try spend(8)
      scopes[scopes.count - 1] = ["loop": Self.loopVariable(elements, index)]
      try bind(targets, element)
      if try run(body) == .leave { break }
    }
    return .next
  }

  private mutating func bind(_ targets: [String], _ element: TemplateValue) throws(TemplateFault) {
    guard targets.count > 1 else { return assign(targets[0], element) }
    guard case .list(let parts) = element, parts.count == targets.count else {
      throw fault("\(targets.count) names for \(element.kindName)")
    }
    for (target, part) in zip(targets, parts) { assign(target, part) }
  }

  private static func loopVariable(_ elements: [TemplateValue], _ index: Int) -> TemplateValue {
    let count = elements.count
    return .mapping([
      ("index", .integer(index + 1)), ("index0", .integer(index)), ("first", .bool(index == 0)), ("last", .bool(index + 1 == count)),
      ("length", .integer(count)), ("revindex", .integer(count - index)), ("revindex0", .integer(count - index - 1)),
      ("previtem", index > 0 ? elements[index - 1] : .undefined), ("nextitem", index + 1 < count ? elements[index + 1] : .undefined),
    ])
  }

  private mutating func assign(_ name: String, _ value: TemplateValue) { scopes[scopes.count - 1][name] = value }

  private func lookUp(_ name: String) -> TemplateValue {
    for scope in scopes.reversed() { if let value = scope[name] { return value } }
    return .undefined
  }

  private func text(_ value: TemplateValue) throws(TemplateFault) -> String {
    guard let text = value.text else { throw fault("\(value.kindName) cannot be written into the text") }
    return text
  }

  // MARK: - Expressions

  private mutating func value(_ expression: TemplateExpression) throws(TemplateFault) -> TemplateValue {
    try spend(1)
    switch expression {
    case .literal(let value): return value
    case .name(let name): return lookUp(name)
    case .list(let expressions): return try paid(.list(try values(expressions)))
    case .mapping(let members): return try paid(try mapping(members))
    case .not(let operand): return .bool(try !value(operand).isTrue)
    case .negative(let operand):
      guard let integer = try value(operand).integer, integer != .min else { throw fault("only an integer can be negative") }
      return .integer(-integer)
    case .and(let left, let right):
      let first = try value(left)
      return first.isTrue ? try value(right) : first
    case .or(let left, let right):
      let first = try value(left)
      return first.isTrue ? first : try value(right)
    case .compare(let left, let links): return try compare(left, links)
    case .arithmetic(let left, let operation, let right): return try paid(try arithmetic(paid(value(left)), operation, paid(value(right))))
    case .member(let object, let key): return try member(value(object), value(key))
    case .slice(let object, let start, let end, let step): return try paid(try slice(object, start, end, step))
    case .call(let function, let arguments): return try call(function, arguments)
    case .filter(let operand, let name, let arguments): return try filter(value(operand), name, arguments)
    case .test(let operand, let name, let operands):
      let (operand, operands) = (try value(operand), try values(operands))
      for value in operands.isEmpty ? [] : [operand] + operands { try spend(on: value) }
      guard let result = TemplateFunctions.test(name, operand, operands.first) else {
        throw fault("test '\(name)' cannot take \(operand.kindName)")
      }
      return .bool(result)
    case .choice(let condition, let then, let otherwise):
      if try value(condition).isTrue { return try value(then) }
      return try otherwise.map { otherwise throws(TemplateFault) in try value(otherwise) } ?? .undefined
    }
  }

  private mutating func paid(_ value: TemplateValue) throws(TemplateFault) -> TemplateValue {
    try spend(on: value)
    return value
  }

  private mutating func filter(
    _ operand: TemplateValue, _ name: String, _ arguments: TemplateArguments
  ) throws(TemplateFault) -> TemplateValue {
    let (values, named) = (try values(arguments.values), try named(arguments))
    // These take a text apart, letter by letter.
    if ["list", "first", "last", "join", "select", "reject"].contains(name) { _ = try elements(operand) }
    let looksInside = !["length", "count", "first", "last", "default", "d", "safe"].contains(name)
    for value in looksInside ? [operand] + values : [] { try spend(on: value) }
    guard let result = TemplateFunctions.filter(name, operand, values, named) else {
      throw fault("filter '\(name)' cannot take \(operand.kindName) with these arguments")
    }
    return looksInside ? try paid(result) : result
  }

  private mutating func values(_ expressions: [TemplateExpression]) throws(TemplateFault) -> [TemplateValue] {
    var values: [TemplateValue] = []
    for expression in expressions { values.append(try value(expression)) }
    return values
  }

  private mutating func named(_ arguments: TemplateArguments) throws(TemplateFault) -> [String: TemplateValue] {
    var values: [String: TemplateValue] = [:]
    for (name, expression) in arguments.named { values[name] = try value(expression) }
    return values
  }

  private mutating func mapping(_ members: [(key: TemplateExpression, value: TemplateExpression)]) throws(TemplateFault) -> TemplateValue {
    var result: [(key: String, value: TemplateValue)] = []
    for (key, expression) in members {
      guard case .string(let key) = try value(key) else { throw fault("a mapping's key is no string") }
      result.append((key, try value(expression)))
    }
    return .mapping(result)
  }

  private mutating func compare(
    _ first: TemplateExpression, _ links: [(operation: String, right: TemplateExpression)]
  ) throws(TemplateFault) -> TemplateValue {
    var left = try value(first)
    for (operation, expression) in links {
      let right = try value(expression)
      try spend(on: left)
      try spend(on: right)
      guard let holds = Self.holds(left, operation, right) else {
        throw fault("'\(operation)' cannot compare \(left.kindName) with \(right.kindName)")
      }
      if !holds { return .bool(false) }
      left = right
    }
    return .bool(true)
  }

  private static func holds(_ left: TemplateValue, _ operation: String, _ right: TemplateValue) -> Bool? {
    switch operation {
    case "==": return left == right
    case "!=": return !(left == right)
    case "in": return TemplateFunctions.contains(right, left)
    case "not in": return TemplateFunctions.contains(right, left).map { !$0 }
    default: break
    }
    guard let a = left.integer, let b = right.integer else { return nil }
    switch operation {
    case "<": return a < b
    case "<=": return a <= b
    case ">": return a > b
    default: return a >= b
    }
  }

  private func arithmetic(_ left: TemplateValue, _ operation: String, _ right: TemplateValue) throws(TemplateFault) -> TemplateValue {
    if operation == "~" { return .string(try text(left) + text(right)) }
    if operation == "+", case .string(let a) = left, case .string(let b) = right { return .string(a + b) }
    if operation == "+", case .list(let a) = left, case .list(let b) = right { return .list(a + b) }
    guard let a = left.integer, let b = right.integer, let result = Self.arithmetic(a, operation, b) else {
      throw fault("'\(operation)' cannot join \(left.kindName) and \(right.kindName)")
    }
    return .integer(result)
  }

  /// Python's integers, whose quotient is rounded down; nil on overflow and division by zero.
  private static func arithmetic(_ a: Int, _ operation: String, _ b: Int) -> Int? {
    let result: (partialValue: Int, overflow: Bool)
    switch operation {
    case "+": result = a.addingReportingOverflow(b)
    case "-": result = a.subtractingReportingOverflow(b)
    case "*": result = a.multipliedReportingOverflow(by: b)
    default:
      if b == 0 || b == -1 && a == .min { return nil }
      let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
      let isRoundedUp = remainder != 0 && (remainder < 0) != (b < 0)
      if operation == "%" { return isRoundedUp ? remainder + b : remainder }
      return isRoundedUp ? quotient - 1 : quotient
    }
    return result.overflow ? nil : result.partialValue
  }

  private func member(_ object: TemplateValue, _ key: TemplateValue) throws(TemplateFault) -> TemplateValue {
    switch (object, key) {
    case (.mapping(let members), .string(let name)): return TemplateValue.member(members, name)
    case (.namespace(let index), .string(let name)): return namespaces[index][name] ?? .undefined
    case (.list(let values), .integer(let index)): return Self.element(values, index)
    case (.string(let text), .integer(let index)): return Self.letter(text.unicodeScalars, index)
    case (.undefined, _): throw fault("an undefined value has no members")
    default: return .undefined
    }
  }

  private static func element(_ values: [TemplateValue], _ index: Int) -> TemplateValue {
    let place = index < 0 ? values.count + index : index
    return values.indices.contains(place) ? values[place] : .undefined
  }

  private static func letter(_ letters: String.UnicodeScalarView, _ index: Int) -> TemplateValue {
    guard index.magnitude <= letters.count else { return .undefined }
    let letter = index < 0 ? letters.suffix(-index).first : letters.dropFirst(index).first
    return letter.map { .string(String($0)) } ?? .undefined
  }

  private mutating func slice(
    _ object: TemplateExpression, _ start: TemplateExpression?, _ end: TemplateExpression?, _ step: TemplateExpression?
  ) throws(TemplateFault) -> TemplateValue {
    let object = try value(object)
    guard let elements = try elements(object) else { throw fault("\(object.kindName) has no slices") }
    let (first, last, stride) = (try bound(start), try bound(end), try bound(step) ?? 1)
    guard stride != 0 else { throw fault("a slice's step is 0") }
    let chosen = Self.indices(elements.count, first, last, stride).map { elements[$0] }
    if case .string = object { return .string(chosen.compactMap(\.text).joined()) }
    return .list(chosen)
  }

  private mutating func bound(_ expression: TemplateExpression?) throws(TemplateFault) -> Int? {
    guard let expression else { return nil }
    let bound = try value(expression)
    if case .none = bound { return nil }
    guard let integer = bound.integer else { throw fault("a slice's bound is no integer") }
    return integer
  }

  /// Python's `range(*slice(start, end, step).indices(count))`.
  private static func indices(_ count: Int, _ start: Int?, _ end: Int?, _ step: Int) -> [Int] {
    let (low, high) = step > 0 ? (0, count) : (-1, count - 1)
    func bound(_ value: Int?, _ absent: Int) -> Int {
      guard let value else { return absent }
      return min(max(value < 0 ? value + count : value, low), high)
    }
    return Array(stride(from: bound(start, step > 0 ? low : high), to: bound(end, step > 0 ? high : low), by: step))
  }

  // MARK: - Calls

  private mutating func call(_ function: TemplateExpression, _ arguments: TemplateArguments) throws(TemplateFault) -> TemplateValue {
    let values = try values(arguments.values)
    if case .name(let name) = function { return try call(name, values, named(arguments)) }
    guard case .member(let target, .literal(.string(let name))) = function else { throw fault("this cannot be called") }
    let object = try value(target)
    if case .string = object { try spend(on: object) }
    for value in values { try spend(on: value) }
    var result: TemplateValue?
    switch (object, name, values.count) {
    case (.string(let text), _, _): result = TemplateFunctions.method(name, text, values)
    case (.mapping(let members), "items", 0): result = .list(members.map { .list([.string($0.key), $0.value]) })
    case (.mapping(let members), "keys", 0): result = .list(members.map { .string($0.key) })
    case (.mapping(let members), "values", 0): result = .list(members.map(\.value))
    case (.mapping(let members), "get", 1...2):
      if case .string(let key) = values[0], case let found = TemplateValue.member(members, key) {
        if case .undefined = found { result = values.count > 1 ? values[1] : TemplateValue.none } else { result = found }
      }
    default: break
    }
    guard arguments.named.isEmpty, let result else { throw fault("\(object.kindName) has no method '\(name)' that takes these arguments") }
    return name == "get" ? result : try paid(result)
  }

  private mutating func call(_ name: String, _ values: [TemplateValue], _ named: [String: TemplateValue]) throws(TemplateFault)
    -> TemplateValue
  {
    switch (name, values.count) {
    case ("namespace", 0):
      try spend(50)
      namespaces.append(named)
      return .namespace(namespaces.count - 1)
    case ("raise_exception", 1): throw fault(values[0].text ?? "the template refuses these messages")
    case ("range", 1...3):
      let bounds = values.compactMap(\.integer)
      let step = bounds.count > 2 ? bounds[2] : 1
      guard bounds.count == values.count, step != 0 else { throw fault("range wants integers and a step other than 0") }
      let numbers = Array(
        stride(from: bounds.count > 1 ? bounds[0] : 0, to: bounds.count > 1 ? bounds[1] : bounds[0], by: step).prefix(Self.longestRange + 1)
      )
      guard numbers.count <= Self.longestRange else { throw fault("a range has more than \(Self.longestRange) numbers") }
      return try paid(.list(numbers.map { .integer($0) }))
    case ("strftime_now", _): throw fault("strftime_now is not supported: the same messages must give the same text every day")
    default: throw fault("function '\(name)' is not supported; namespace, range and raise_exception are")
    }
  }
}
