import JSONValues

extension VerifyRule {
  package static let names = ["exact", "numeric", "regex", "contains", "choice"]

  /// Reads a rule; unknown members and values are errors, so that a misspelt option never changes a score in silence.
  package init(json: JSONValue) throws(DatasetError) {
    guard let object = json.objectValue else { throw DatasetError("a rule must be an object, found \(json.kindName)") }
    var members = RuleMembers(object)
    let name = try members.string("rule", default: "")
    switch name {
    case "exact": self = .exact(try TextNormalization(&members))
    case "contains": self = .contains(try TextNormalization(&members))
    case "choice": self = .choice
    case "numeric":
      self = .numeric(
        NumericRule(
          take: try members.choice("take", default: .last), tolerance: try members.number("tolerance"),
          relativeTolerance: try members.number("relative_tolerance")))
    case "regex":
      let pattern = try members.string("pattern", default: "")
      guard !pattern.isEmpty else { throw DatasetError("a regex rule needs 'pattern'") }
      let group = try members.integer("group", default: 1)
      let take: RegexRule.Take = try members.choice("take", default: .first)
      self = .regex(RegexRule(pattern: pattern, group: group, take: take, normalization: try TextNormalization(&members)))
    case "": throw DatasetError("a rule needs 'rule': one of \(Self.names.joined(separator: ", "))")
    default: throw DatasetError("unknown rule '\(name)'; known are \(Self.names.joined(separator: ", "))")
    }
    try members.finish(rule: name)
  }

  /// The rule with the members that differ from their defaults, in a fixed order.
  package var json: JSONValue {
    var object = JSONObject([("rule", .string(name))])
    switch self {
    case .exact(let normalization), .contains(let normalization): normalization.append(to: &object)
    case .choice: break
    case .numeric(let rule):
      object.set("take", .string(rule.take.rawValue))
      if rule.tolerance != 0 { object.set("tolerance", .number(rule.tolerance)) }
      if rule.relativeTolerance != 0 { object.set("relative_tolerance", .number(rule.relativeTolerance)) }
    case .regex(let rule):
      object.set("pattern", .string(rule.pattern))
      if rule.group != 1 { object.set("group", .integer(rule.group)) }
      if rule.take != .first { object.set("take", .string(rule.take.rawValue)) }
      rule.normalization.append(to: &object)
    }
    return .object(object)
  }
}

extension TextNormalization {
  fileprivate init(_ members: inout RuleMembers) throws(DatasetError) {
    self.init(
      ignoreCase: try members.flag("ignore_case", default: false),
      ignorePunctuation: try members.flag("ignore_punctuation", default: false),
      ignoreNumbers: try members.flag("ignore_numbers", default: false), regexesToIgnore: try members.strings("regexes_to_ignore"),
      strip: try members.flag("strip", default: true))
  }

  fileprivate func append(to object: inout JSONObject) {
    if ignoreCase { object.set("ignore_case", .bool(true)) }
    if ignorePunctuation { object.set("ignore_punctuation", .bool(true)) }
    if ignoreNumbers { object.set("ignore_numbers", .bool(true)) }
    if !regexesToIgnore.isEmpty { object.set("regexes_to_ignore", .array(regexesToIgnore.map { .string($0) })) }
    if !strip { object.set("strip", .bool(false)) }
  }
}

/// Typed reading of a rule's members that remembers which were asked for.
private struct RuleMembers {
  let object: JSONObject
  var asked: [String] = []

  init(_ object: JSONObject) { self.object = object }

  mutating func value(_ key: String) -> JSONValue? {
    asked.append(key)
    return object[key]
  }

  mutating func string(_ key: String, default fallback: String) throws(DatasetError) -> String {
    guard let value = value(key) else { return fallback }
    return try required(value.stringValue, key, "a string", value)
  }

  mutating func flag(_ key: String, default fallback: Bool) throws(DatasetError) -> Bool {
    guard let value = value(key) else { return fallback }
    return try required(value.boolValue, key, "a boolean", value)
  }

  mutating func integer(_ key: String, default fallback: Int) throws(DatasetError) -> Int {
    guard let value = value(key) else { return fallback }
    let number = try required(value.integerValue, key, "an integer", value)
    guard number >= 0 else { throw DatasetError("'\(key)' must be at least 0, it is \(number)") }
    return number
  }

  mutating func number(_ key: String) throws(DatasetError) -> Double {
    guard let value = value(key) else { return 0 }
    let number = try required(value.numberValue, key, "a number", value)
    guard number >= 0 else { throw DatasetError("'\(key)' must be at least 0, it is \(JSONText.number(number))") }
    return number
  }

  mutating func strings(_ key: String) throws(DatasetError) -> [String] {
    guard let value = value(key) else { return [] }
    let texts = value.arrayValue.map { $0.compactMap(\.stringValue) }
    return try required(texts?.count == value.arrayValue?.count ? texts : nil, key, "a list of strings", value)
  }

  mutating func choice<T: RawRepresentable & CaseIterable>(_ key: String, default fallback: T) throws(DatasetError) -> T
  where T.RawValue == String {
    guard let value = value(key) else { return fallback }
    let text = try required(value.stringValue, key, "a string", value)
    guard let choice = T(rawValue: text) else {
      throw DatasetError("'\(key)' is '\(text)'; known are \(T.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return choice
  }

  func finish(rule: String) throws(DatasetError) {
    if let unknown = object.keys.first(where: { !asked.contains($0) }) {
      throw DatasetError("unknown member '\(unknown)' of rule '\(rule)'")
    }
  }

  private func required<T>(_ typed: T?, _ key: String, _ expected: String, _ value: JSONValue) throws(DatasetError) -> T {
    guard let typed else { throw DatasetError("'\(key)' must be \(expected), found \(value.kindName)") }
    return typed
  }
}
