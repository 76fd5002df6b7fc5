import Datasets
import JSONValues

/// Reads one element of a `rewards` list. A field that the kind does not take is an error, so that a misplaced one never goes unheard.
struct RewardReader {
  private let fields: JSONObject
  /// `rewards[1]`
  private let place: String
  private let kind: String

  static let kinds: [(name: String, fields: [String])] = [
    ("verify", []), ("exact", normalization), ("numeric", ["take", "tolerance", "relative_tolerance"]),
    ("regex", ["pattern", "group", "take"] + normalization), ("choice", []), ("contains", normalization), ("format", ["pattern"]),
    ("length", ["min_length", "max_length", "soft_punish_cache"]), ("repetition", ["ngram_size", "max_penalty"]),
    ("command", ["command", "timeout"]),
  ]

  private static let normalization = ["ignore_case", "ignore_punctuation", "ignore_numbers", "regexes_to_ignore", "strip"]
  private static let shared = ["name", "kind", "weight", "required"]

  /// Fields that are null count as not given.
  init(_ json: JSONValue, _ place: String) throws(RewardError) {
    guard let object = json.objectValue else { throw RewardError(place, "must be a mapping, found \(json.kindName)") }
    fields = JSONObject(object.members.filter { !$0.value.isNull }.map { ($0.key, $0.value) })
    self.place = place
    let name = fields["kind"]?.stringValue ?? ""
    guard let kind = Self.kinds.first(where: { $0.name == name }) else {
      throw RewardError(place, "'kind' must be one of \(Self.kinds.map(\.name).joined(separator: ", "))")
    }
    self.kind = kind.name
    for key in fields.keys where !Self.shared.contains(key) && !kind.fields.contains(key) {
      let takes = kind.fields.isEmpty ? "no fields of its own" : kind.fields.joined(separator: ", ")
      throw RewardError(place, "kind '\(name)' has no '\(key)'; it takes \(takes)")
    }
  }

  func term(programPath: String?, log: @escaping (String) -> Void) throws(RewardError) -> RewardSum.Term {
    let name = fields["name"]?.stringValue ?? kind
    guard !name.isEmpty else { throw RewardError(place, "'name' is empty") }
    let weight = fields["weight"]?.numberValue ?? 1
    let component = try component(name, programPath, log)
    return RewardSum.Term(name: name, weight: weight, isRequired: fields["required"]?.boolValue ?? false, component: component)
  }

  private func component(
    _ name: String, _ programPath: String?, _ log: @escaping (String) -> Void
  ) throws(RewardError) -> any RewardComponent {
    switch kind {
    case "verify": return VerifyReward(name: name)
    case "format": return FormatReward(try located { () throws(DatasetError) in try FormatReward.pattern(fields["pattern"]?.stringValue) })
    case "length": return try length()
    case "repetition": return try repetition()
    case "command": return try command(name, programPath, log)
    default: return RuleReward(try located(rule))
    }
  }

  private func located<Value>(_ body: () throws(DatasetError) -> Value) throws(RewardError) -> Value {
    do { return try body() } catch { throw RewardError(place, error.message) }
  }

  // MARK: - Kinds

  /// The fields are those of the rule of the same name.
  private func rule() throws(DatasetError) -> AnswerJudge {
    var rule = JSONObject([("rule", .string(kind))])
    for member in fields.members where !Self.shared.contains(member.key) { rule.append(member.key, member.value) }
    return try AnswerJudge(try VerifyRule(json: .object(rule)))
  }

  private func length() throws(RewardError) -> LengthReward {
    let (least, most) = (fields["min_length"]?.integerValue, fields["max_length"]?.integerValue)
    for key in ["min_length", "max_length", "soft_punish_cache"] {
      if let count = fields[key]?.integerValue, count < 0 { throw RewardError(place, "'\(key)' must be at least 0, it is \(count)") }
    }
    guard let cache = fields["soft_punish_cache"]?.integerValue else {
      guard least != nil || most != nil else { throw RewardError(place, "kind 'length' needs 'min_length', 'max_length' or both") }
      if let least, let most, least > most { throw RewardError(place, "'min_length' \(least) is above 'max_length' \(most)") }
      return .within((least ?? 0)...(most ?? .max))
    }
    guard let most, least == nil else { throw RewardError(place, "'soft_punish_cache' goes with 'max_length', and without 'min_length'") }
    guard cache <= most else { throw RewardError(place, "'soft_punish_cache' \(cache) is above 'max_length' \(most)") }
    return .overlong(most, cache: cache)
  }

  private func repetition() throws(RewardError) -> RepetitionReward {
    let size = fields["ngram_size"]?.integerValue ?? 3
    let penalty = fields["max_penalty"]?.numberValue ?? -1
    guard size > 0 else { throw RewardError(place, "'ngram_size' must be at least 1, it is \(size)") }
    guard penalty <= 0 else { throw RewardError(place, "'max_penalty' must be at most 0, it is \(JSONText.number(penalty))") }
    return RepetitionReward(size: size, penalty: penalty)
  }

  private func command(
    _ name: String, _ programPath: String?, _ log: @escaping (String) -> Void
  ) throws(RewardError) -> CommandReward {
    let words = fields["command"]?.arrayValue?.compactMap(\.stringValue) ?? []
    guard !words.isEmpty else { throw RewardError(place, "kind 'command' needs 'command', a list of words") }
    let expanded = try words.map { word throws(RewardError) -> String in
      guard word.contains("{program}") else { return word }
      guard let programPath else { throw RewardError(place, "'\(word)' asks for the input 'reward_program', which is not given") }
      return word.split(separator: "{program}", omittingEmptySubsequences: false).joined(separator: programPath)
    }
    return CommandReward(name: name, words: expanded, timeout: fields["timeout"]?.numberValue ?? 600, log: log)
  }
}
