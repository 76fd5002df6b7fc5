import Foundation
import JSONValues

extension Suite {
  package static let suiteName = "suite.json"
  package static let recordsName = "records.jsonl"

  package func write(to directory: String) throws(DatasetError) {
    let path = directory + "/" + Self.suiteName
    do {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      try Data((json.encoded(pretty: true) + "\n").utf8).write(to: URL(fileURLWithPath: path))
    } catch { throw DatasetError("cannot be written: \(error.localizedDescription)", file: path) }
    try RecordFile.write(records, to: directory + "/" + Self.recordsName)
  }

  /// `suite.json`: everything but the records.
  package var json: JSONValue {
    var object = JSONObject([("suite", 1), ("name", .string(name)), ("kind", .string(scoring.kind)), ("metric", .string(metric))])
    object.append("higher_is_better", .bool(scoring.higherIsBetter))
    object.append("prompt_template", .string(promptTemplate))
    object.append("delimiter", .string(delimiter))
    object.append("num_fewshot", 0)
    if case .generation(let scorer, let maxNewTokens, let stop) = scoring {
      if let scorer { object.append("scorer", scorer.json) }
      object.append("max_new_tokens", .integer(maxNewTokens))
      object.append("stop", .array(stop.map { .string($0) }))
    }
    return .object(object)
  }

  package init(directory: String) throws(DatasetError) {
    let path = directory + "/" + Self.suiteName
    guard let data = FileManager.default.contents(atPath: path) else {
      throw DatasetError("no such file: this is not a suite directory", file: path)
    }
    do throws(DatasetError) {
      self = try Suite(json: try Self.parse([UInt8](data)))
    } catch { throw error.located(file: path) }
    let file = RecordFile(directory + "/" + Self.recordsName)
    var records: [Record] = []
    try file.read { record, _ throws(DatasetError) in
      try check(record)
      records.append(record)
    }
    guard !records.isEmpty else { throw DatasetError("the suite has no records", file: file.name) }
    self.records = records
  }

  private static func parse(_ bytes: [UInt8]) throws(DatasetError) -> JSONValue {
    do { return try JSONValue(parsing: bytes) } catch { throw DatasetError("not valid JSON: \(error)") }
  }

  private static let members = [
    "suite", "name", "kind", "metric", "higher_is_better", "prompt_template", "delimiter", "num_fewshot", "scorer", "max_new_tokens",
    "stop",
  ]

  private init(json: JSONValue) throws(DatasetError) {
    guard let object = json.objectValue else { throw DatasetError("a suite must be an object, found \(json.kindName)") }
    if let unknown = object.keys.first(where: { !Self.members.contains($0) }) { throw DatasetError("unknown member '\(unknown)'") }
    guard json["suite"]?.integerValue == 1 else { throw DatasetError("'suite' must be 1, the version of this form") }
    guard json["num_fewshot"]?.integerValue ?? 0 == 0 else { throw DatasetError("'num_fewshot' must be 0: examples stand in the prompts") }
    guard let name = json["name"]?.stringValue else { throw DatasetError("'name' must be a string") }
    let scoring = try Self.scoring(object)
    let metric = json["metric"]?.stringValue
    if let metric, !scoring.metrics.contains(metric) {
      throw DatasetError("'metric' is '\(metric)'; \(scoring.kind) suites have \(scoring.metrics.joined(separator: ", "))")
    }
    self.init(
      name: name, scoring: scoring, promptTemplate: json["prompt_template"]?.stringValue ?? "{prompt}",
      delimiter: json["delimiter"]?.stringValue ?? "", metric: metric, records: [])
  }

  private static func scoring(_ object: JSONObject) throws(DatasetError) -> Scoring {
    switch object["kind"]?.stringValue {
    case "multiple_choice": return .multipleChoice
    case "perplexity": return .perplexity
    case "generation":
      let tokens = object["max_new_tokens"] ?? 32
      guard let count = tokens.integerValue, count > 0 else { throw DatasetError("'max_new_tokens' must be a positive integer") }
      let stop = object["stop"]?.arrayValue?.compactMap(\.stringValue) ?? []
      let scorer: VerifyRule? = if let rule = object["scorer"] { try VerifyRule(json: rule) } else { nil }
      return .generation(scorer, maxNewTokens: count, stop: stop)
    default: throw DatasetError("'kind' must be generation, multiple_choice or perplexity")
    }
  }

  /// Refuses a record that this kind of suite cannot score.
  package func check(_ record: Record) throws(DatasetError) {
    switch scoring {
    case .perplexity: if case .text = record.content {} else { throw DatasetError("a record of a perplexity suite needs 'text'") }
    case .multipleChoice:
      if record.choices.isEmpty || record.prompt == nil {
        throw DatasetError("a record of a multiple-choice suite needs 'prompt', 'choices' and 'gold'")
      }
    case .generation(let scorer, _, _):
      guard record.prompt != nil else { throw DatasetError("a record of a generation suite needs a prompt") }
      guard !record.expectedAnswers.isEmpty else { throw DatasetError("a record of a generation suite needs 'answer' or a completion") }
      guard scorer != nil || record.verify != nil else { throw DatasetError("the record has no 'verify' and the suite no 'scorer'") }
    }
  }
}

extension Record {
  /// What counts as right: the answers, or else the completion.
  package var expectedAnswers: [String] {
    answers.isEmpty ? completion.map { [$0.plainText] } ?? [] : answers
  }
}
