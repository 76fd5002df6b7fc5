/// An expression of a template.
indirect enum TemplateExpression: Sendable {
  case literal(TemplateValue)
  case name(String)
  case list([TemplateExpression])
  case mapping([(key: TemplateExpression, value: TemplateExpression)])
  case not(TemplateExpression)
  case negative(TemplateExpression)
  case and(TemplateExpression, TemplateExpression)
  case or(TemplateExpression, TemplateExpression)
  /// `a < b == c`: each operator holds between its neighbours.
  case compare(TemplateExpression, [(operation: String, right: TemplateExpression)])
  case arithmetic(TemplateExpression, String, TemplateExpression)
  case member(TemplateExpression, TemplateExpression)
  case slice(TemplateExpression, TemplateExpression?, TemplateExpression?, TemplateExpression?)
  case call(TemplateExpression, TemplateArguments)
  case filter(TemplateExpression, String, TemplateArguments)
  case test(TemplateExpression, String, [TemplateExpression])
  case choice(condition: TemplateExpression, then: TemplateExpression, otherwise: TemplateExpression?)
}

struct TemplateArguments: Sendable {
  var values: [TemplateExpression] = []
  var named: [(name: String, value: TemplateExpression)] = []
}

/// A statement of a template, and the line where it begins.
struct TemplateStatement: Sendable {
  indirect enum Kind: Sendable {
    case text(String)
    case output(TemplateExpression)
    case forLoop(targets: [String], in: TemplateExpression, where: TemplateExpression?, [TemplateStatement], otherwise: [TemplateStatement])
    case branches([(condition: TemplateExpression, body: [TemplateStatement])], otherwise: [TemplateStatement])
    case set(String, TemplateExpression)
    case setMember(String, String, TemplateExpression)
    case setBlock(String, [TemplateStatement])
    case leave
    case proceed
  }

  let kind: Kind
  let line: Int
}
