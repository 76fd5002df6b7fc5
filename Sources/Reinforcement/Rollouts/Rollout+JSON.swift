import Datasets
import Evaluation
import Generation
import JSONValues

extension Rollout {
  /// Members of a line that are not the record's; no column may have one of these names.
  package static let members = ["prompt_text", "prompt_ids", "sampling_temperature", "completions", "greedy"]

  /// Refuses a record whose columns would be lost in a rollout's line.
  package static func check(_ record: Record) throws(DatasetError) {
    if let taken = record.extras.keys.first(where: { members.contains($0) }) {
      throw DatasetError("the record's column '\(taken)' has the name of a member of rollouts; rename it")
    }
  }

  /// The record's members, then the prompt as it was read, how it was asked, the samples, and the greedy one.
  package var json: JSONValue {
    var row = record.json.objectValue ?? JSONObject()
    row.append("prompt_text", .string(promptText))
    row.append("prompt_ids", .array(promptIDs.map { .integer(Int($0)) }))
    if let temperature { row.append("sampling_temperature", .number(temperature)) }
    row.append("completions", .array(samples.map(\.json)))
    if let greedy { row.append("greedy", greedy.json) }
    return .object(row)
  }

  package init(json: JSONValue) throws(DatasetError) {
    guard let row = json.objectValue else { throw DatasetError("a rollout must be an object, found \(json.kindName)") }
    guard let text = row["prompt_text"]?.stringValue else { throw DatasetError("'prompt_text' must be a string: this is no rollout") }
    guard let samples = row["completions"]?.arrayValue else { throw DatasetError("'completions' must be a list") }
    let columns = JSONObject(row.members.filter { !Self.members.contains($0.key) }.map { ($0.key, $0.value) })
    var read: [Sample] = []
    for (index, sample) in samples.enumerated() { read.append(try Sample(json: sample, "completions[\(index)]")) }
    let temperature = row["sampling_temperature"]?.numberValue
    guard temperature.map({ $0 >= 0 }) ?? row["sampling_temperature"]?.isNull ?? true else {
      throw DatasetError("'sampling_temperature' must be a number, 0 or more")
    }
    var greedy: Sample?
    if let json = row["greedy"], !json.isNull { greedy = try Sample(json: json, "greedy") }
    self.init(
      record: try Record(row: .object(columns)), promptText: text, promptIDs: try Sample.ids(row["prompt_ids"], "prompt_ids"),
      temperature: temperature, samples: read, greedy: greedy)
  }
}

extension Rollout.Sample {
  var json: JSONValue {
    var object = JSONObject([
      ("text", .string(text)), ("ids", .array(ids.map { .integer(Int($0)) })),
      ("logprobs", hasLogProbabilities ? .array(logProbabilities.map { .number(Self.decimal($0)) }) : .null),
      ("finish", .string(finish.rawValue)),
    ])
    if let rewards {
      object.append("reward", rewards.total.map { .number($0) } ?? .null)
      object.append("rewards", rewards.json)
    }
    return .object(object)
  }

  /// The number with the fewest digits that is this float again.
  private static func decimal(_ value: Float) -> Double {
    if let short = Double(value.description), Float(short).bitPattern == value.bitPattern { return short }
    return Double(value)
  }

  init(json: JSONValue, _ place: String) throws(DatasetError) {
    guard json.objectValue != nil else { throw DatasetError("'\(place)' must be an object, found \(json.kindName)") }
    guard let text = json["text"]?.stringValue else { throw DatasetError("'\(place).text' must be a string") }
    guard let finish = json["finish"]?.stringValue.flatMap(Completion.Finish.init) else {
      throw DatasetError("'\(place).finish' is no way for a completion to end")
    }
    let ids = try Self.ids(json["ids"], place + ".ids")
    let isUnknown = json["logprobs"]?.isNull ?? false
    guard let values = isUnknown ? [] : json["logprobs"]?.arrayValue else { throw DatasetError("'\(place).logprobs' must be a list") }
    let logs = values.compactMap { $0.numberValue.map { Float($0) } }
    guard logs.count == values.count, logs.allSatisfy(\.isFinite) else { throw DatasetError("'\(place).logprobs' must be numbers") }
    guard logs.count == ids.count || isUnknown else { throw DatasetError("'\(place)' has \(ids.count) ids and \(logs.count) logprobs") }
    self.init(text: text, ids: ids, logProbabilities: logs, finish: finish, rewards: try Self.rewards(json, place))
  }

  static func ids(_ json: JSONValue?, _ place: String) throws(DatasetError) -> [Int32] {
    guard let values = json?.arrayValue else { throw DatasetError("'\(place)' must be a list of token ids") }
    let ids = values.compactMap { $0.integerValue.flatMap { Int32(exactly: $0) } }.filter { $0 >= 0 }
    guard ids.count == values.count else { throw DatasetError("'\(place)' holds something that is no token id") }
    return ids
  }

  private static func rewards(_ json: JSONValue, _ place: String) throws(DatasetError) -> RewardBreakdown? {
    guard let rewards = json["rewards"], !rewards.isNull else { return nil }
    guard let members = rewards.objectValue?.members else {
      throw DatasetError("'\(place).rewards' must be an object, found \(rewards.kindName)")
    }
    var components: [RewardBreakdown.Component] = []
    for (name, value) in members {
      guard value.isNull || value.numberValue != nil else { throw DatasetError("'\(place).rewards.\(name)' must be a number or null") }
      components.append(.init(name, value.numberValue))
    }
    let total = json["reward"] ?? .null
    guard total.isNull || total.numberValue != nil else { throw DatasetError("'\(place).reward' must be a number or null") }
    return RewardBreakdown(components: components, total: total.numberValue)
  }
}
