/// A value in a template: what Jinja has, less what chat templates do not need.
enum TemplateValue: Sendable {
  case undefined
  case none
  case bool(Bool)
  case integer(Int)
  case string(String)
  case list([TemplateValue])
  case mapping([(key: String, value: TemplateValue)])
  /// Place in the renderer's list of namespaces: the one kind of value that changes.
  case namespace(Int)

  /// Python's truth: empty, zero and missing are false.
  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .bool(let value): value
    case .integer(let value): value != 0
    case .string(let value): !value.isEmpty
    case .list(let values): !values.isEmpty
    case .mapping(let members): !members.isEmpty
    case .namespace: true
    }
  }

  /// Takes away one for each element and each 32 bytes of text, until nothing is left. A value may hold another many times, so there can be
  /// far more to walk through than there is in memory.
  func weigh(_ budget: inout Int) {
    budget -= 1
    switch self {
    case .string(let text): budget -= text.utf8.count / 32
    case .list(let values): for value in values where budget >= 0 { value.weigh(&budget) }
    case .mapping(let members):
      for member in members where budget >= 0 {
        budget -= 1 + member.key.utf8.count / 32
        member.value.weigh(&budget)
      }
    default: break
    }
  }

  var kindName: String {
    switch self {
    case .undefined: "an undefined value"
    case .none: "none"
    case .bool: "a boolean"
    case .integer: "an integer"
    case .string: "a string"
    case .list: "a list"
    case .mapping: "a mapping"
    case .namespace: "a namespace"
    }
  }

  /// What `{{ value }}` writes; nil for what only debugging prints.
  var text: String? {
    switch self {
    case .undefined: ""
    case .none: "None"
    case .bool(let value): value ? "True" : "False"
    case .integer(let value): String(value)
    case .string(let value): value
    case .list, .mapping, .namespace: nil
    }
  }

  static func == (left: TemplateValue, right: TemplateValue) -> Bool {
    switch (left, right) {
    case (.undefined, .undefined), (.none, .none): true
    case (.bool(let a), .bool(let b)): a == b
    case (.integer(let a), .integer(let b)): a == b
    case (.bool(let a), .integer(let b)), (.integer(let b), .bool(let a)): (a ? 1 : 0) == b
    case (.string(let a), .string(let b)): a.utf8.elementsEqual(b.utf8)
    case (.list(let a), .list(let b)): a.count == b.count && zip(a, b).allSatisfy { $0 == $1 }
    default: false
    }
  }

  /// The member of a mapping; undefined when there is none.
  static func member(_ members: [(key: String, value: TemplateValue)], _ key: String) -> TemplateValue {
    members.first { $0.key.utf8.elementsEqual(key.utf8) }?.value ?? .undefined
  }
}

/// What a template cannot do, or may not, and in which of its lines.
struct TemplateFault: Error {
  let line: Int
  let message: String
}
