import JSONValues
import Tokenization

/// The forms of rows that are accepted as they are, each named by the members that give it away, tried in this order.
package enum RowForm: String, CaseIterable, Sendable {
  /// `data_source, prompt, reward_model{style, ground_truth}, extra_info` (veRL).
  case verl
  /// `conversations: [{from, value}]` with, or without, `ground_truth` (ShareGPT).
  case sharegpt
  /// `messages` with, or without, `ground_truth` and `dataset` (TRL, open-instruct).
  case messages
  /// `prompt, chosen, rejected` (TRL's preferences): the chosen one is the completion.
  case preference
  /// `prompt` with `completion`, `answer` or `choices` (TRL, TRACE, ours), as strings or as chat; or alone.
  case prompt
  /// `instruction, input, output` (Alpaca).
  case alpaca
  /// `text`.
  case text

  private var signature: [String] {
    switch self {
    case .verl: ["data_source", "prompt", "reward_model"]
    case .sharegpt: ["conversations"]
    case .messages: ["messages"]
    case .preference: ["prompt", "chosen", "rejected"]
    case .prompt: ["prompt"]
    case .alpaca: ["instruction", "output"]
    case .text: ["text"]
    }
  }

  /// Every member that rows of some form are read by, so no name for a column of one's own.
  package static let members: [String] =
    Array(Set(allCases.flatMap(\.signature) + ["completion", "input", "system", "ground_truth", "answer", "verify", "choices", "gold"]))
    .sorted()

  /// Columns that would say something else of the record once it is written in Heirloom's form, and the member beside which they do.
  fileprivate var contradictions: (mark: String, columns: [String]) {
    switch self {
    case .sharegpt: ("conversations", ["messages"])
    case .preference: ("chosen", ["completion"])
    case .alpaca: ("instruction", ["completion", "chosen", "reward_model"])
    case .verl, .messages, .prompt, .text: ("", [])
    }
  }

  package static func of(_ row: JSONObject) -> RowForm? {
    allCases.first { form in form.signature.allSatisfy { row[$0] != nil } }
  }
}

extension Record {
  /// Reads a row of any accepted form; columns that no field takes stay as extras.
  package init(row value: JSONValue, mapping: FieldMapping = .none) throws(DatasetError) {
    guard let object = value.objectValue else { throw DatasetError("a record must be an object, found \(value.kindName)") }
    let row = try mapping.apply(to: object)
    guard let form = RowForm.of(row) else {
      throw DatasetError(
        "no known form of record: it has \(FieldMapping.list(row.keys)), not 'text', 'messages', 'prompt', 'conversations' or 'instruction' and 'output'; "
          + "a field mapping can name the columns")
    }
    var reader = RowReader(row: row)
    switch form {
    case .text: self.init(.text(try reader.string("text")))
    case .messages: self.init(.conversation(try reader.messages("messages")))
    case .sharegpt: self.init(.conversation(try reader.conversation("conversations", system: "system")))
    case .alpaca: self.init(try reader.alpaca())
    case .preference: self.init(.prompted(try reader.utterance("prompt"), completion: try reader.utterance("chosen")))
    case .prompt: self.init(try reader.prompted())
    case .verl: self.init(.prompted(try reader.utterance("prompt"), completion: nil))
    }
    try reader.judge(&self, form)
    try reader.refuseContradictions(of: form)
    extras = reader.rest
  }
}

/// Typed reading of a row's members that remembers which were taken.
private struct RowReader {
  let row: JSONObject
  private var taken: [String] = []

  init(row: JSONObject) { self.row = row }

  /// The members that nothing has taken.
  var rest: JSONObject {
    JSONObject(row.members.filter { member in !taken.contains(member.key) }.map { ($0.key, $0.value) })
  }

  mutating func take(_ key: String) -> JSONValue? {
    guard let value = row[key] else { return nil }
    taken.append(key)
    if value.isNull { return .none }
    return value
  }

  mutating func string(_ key: String) throws(DatasetError) -> String {
    let value = try required(key)
    guard let text = value.stringValue else { throw DatasetError("'\(key)' must be a string, found \(value.kindName)") }
    return text
  }

  private mutating func required(_ key: String) throws(DatasetError) -> JSONValue {
    guard let value = take(key) else { throw DatasetError("'\(key)' is \(row[key] == nil ? "missing" : "null")") }
    return value
  }

  /// A string, or a list of turns.
  mutating func utterance(_ key: String) throws(DatasetError) -> Utterance {
    let value = try required(key)
    if let text = value.stringValue { return .text(text) }
    guard value.arrayValue != nil else { throw DatasetError("'\(key)' must be a string or a list of messages, found \(value.kindName)") }
    return .messages(try turns(value, key, role: "role", content: "content"))
  }

  mutating func messages(_ key: String) throws(DatasetError) -> [ChatMessage] {
    try turns(try required(key), key, role: "role", content: "content")
  }

  mutating func conversation(_ key: String, system: String) throws(DatasetError) -> [ChatMessage] {
    let turns = try turns(try required(key), key, role: "from", content: "value").map { turn in
      ChatMessage(role: Self.roles[turn.role] ?? turn.role, content: turn.content)
    }
    guard let text = take(system)?.stringValue, !text.isEmpty else { return turns }
    return [ChatMessage(role: "system", content: text)] + turns
  }

  private static let roles = [
    "human": "user", "gpt": "assistant", "model": "assistant", "bot": "assistant", "chatgpt": "assistant", "observation": "tool",
    "function": "tool",
  ]

  mutating func prompted() throws(DatasetError) -> Record.Content {
    let prompt = try utterance("prompt")
    guard let value = row["completion"], !value.isNull else {
      _ = take("completion")
      return .prompted(prompt, completion: nil)
    }
    let completion = try utterance("completion")
    switch (prompt, completion) {
    case (.text, .messages): throw DatasetError("'prompt' is a string but 'completion' is a list of messages")
    case (.messages, .text): break
    default: break
    }
    return .prompted(prompt, completion: completion)
  }

  mutating func alpaca() throws(DatasetError) -> Record.Content {
    let instruction = try string("instruction")
    let input = row["input"] == nil || row["input"]?.isNull == true ? "" : try string("input")
    _ = take("input")
    return .prompted(.text(input.isEmpty ? instruction : "\(instruction)\n\(input)"), completion: .text(try string("output")))
  }

  /// Answer, rule and choices, wherever this form has them.
  mutating func judge(_ record: inout Record, _ form: RowForm) throws(DatasetError) {
    if form == .verl, let truth = row["reward_model"]?["ground_truth"], !truth.isNull {
      record.answers = try answers(truth, "reward_model.ground_truth")
    }
    if form == .messages || form == .sharegpt, let truth = take("ground_truth") { record.answers = try answers(truth, "ground_truth") }
    if let answer = take("answer") { record.answers = try answers(answer, "answer") }
    if let rule = take("verify") { record.verify = try VerifyRule(json: rule) }
    guard let choices = take("choices") else { return }
    record.choices = try strings(choices, "choices")
    guard record.choices.count >= 2 else { throw DatasetError("'choices' needs at least 2 entries, it has \(record.choices.count)") }
    guard let gold = take("gold")?.integerValue else {
      throw DatasetError("a record with 'choices' needs 'gold', the index of the right one")
    }
    guard record.choices.indices.contains(gold) else {
      throw DatasetError("'gold' is \(gold), but 'choices' has \(record.choices.count) entries, counted from 0")
    }
    record.gold = gold
  }

  mutating func refuseContradictions(of form: RowForm) throws(DatasetError) {
    let (mark, columns) = form.contradictions
    for column in columns where take(column) != nil {
      throw DatasetError("'\(column)' stands beside '\(mark)', and each says what the record is; a field mapping can say which counts")
    }
  }

  /// One answer or a list of them; numbers become their text.
  private func answers(_ value: JSONValue, _ key: String) throws(DatasetError) -> [String] {
    switch value {
    case .string(let text): return [text]
    case .integer(let number): return [String(number)]
    case .number(let number): return [JSONText.number(number)]
    case .array(let values) where !values.isEmpty:
      var texts: [String] = []
      for element in values {
        if case .array = element { throw DatasetError("'\(key)' must be a string, a number or a list of them, found a list in a list") }
        texts += try answers(element, key)
      }
      return texts
    default:
      throw DatasetError(
        "'\(key)' must be a string, a number or a list of them, found \(value.arrayValue == nil ? value.kindName : "an empty list")")
    }
  }

  private func strings(_ value: JSONValue, _ key: String) throws(DatasetError) -> [String] {
    guard let values = value.arrayValue else { throw DatasetError("'\(key)' must be a list of strings, found \(value.kindName)") }
    var texts: [String] = []
    for (index, element) in values.enumerated() {
      guard let text = element.stringValue else { throw DatasetError("'\(key)[\(index)]' must be a string, found \(element.kindName)") }
      texts.append(text)
    }
    return texts
  }

  private func turns(_ value: JSONValue, _ key: String, role: String, content: String) throws(DatasetError) -> [ChatMessage] {
    guard let values = value.arrayValue else { throw DatasetError("'\(key)' must be a list of messages, found \(value.kindName)") }
    guard !values.isEmpty else { throw DatasetError("'\(key)' has no messages") }
    var messages: [ChatMessage] = []
    for (index, turn) in values.enumerated() {
      let place = "\(key)[\(index)]"
      guard let name = turn[role]?.stringValue, !name.isEmpty else { throw DatasetError("'\(place)' needs '\(role)', a string") }
      guard let body = turn[content] else { throw DatasetError("'\(place)' needs '\(content)'") }
      messages.append(ChatMessage(role: name, content: try text(body, "\(place).\(content)")))
    }
    return messages
  }

  /// A string, or OpenAI's list of parts, of which text is the kind that is understood.
  private func text(_ value: JSONValue, _ place: String) throws(DatasetError) -> String {
    if let text = value.stringValue { return text }
    guard let parts = value.arrayValue else { throw DatasetError("'\(place)' must be a string, found \(value.kindName)") }
    var joined = ""
    for part in parts {
      guard part["type"]?.stringValue == "text", let text = part["text"]?.stringValue else {
        throw DatasetError("'\(place)' has a part of type '\(part["type"]?.stringValue ?? "unknown")'; only text is understood")
      }
      joined += text
    }
    return joined
  }
}
