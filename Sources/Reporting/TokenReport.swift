import JSONValues

/// What models make of every target token (`score/tokens`), and what a model loses on every record (`score/loss`).
package struct TokenReport: Sendable {
  /// A token that a model finds improbable, with the record it stands in.
  package struct Hard: Sendable {
    package let record: Int
    /// Among the record's tokens, from 0.
    package let position: Int
    package let text: String
    package let probability: Double
    package let rank: Int
    /// The record's prompt and completion; nil where the data cannot be had, or a record is not a line of it.
    package let sentence: (prompt: String, completion: String)?
  }

  package struct Model: Sendable {
    /// Its axis values; empty where the models have none.
    package let labels: JSONObject
    package let statistics: [(name: String, value: Double?)]
    /// Tokens in each of equal steps of probability from 0 to 1.
    package let histogram: [Int]
    package let hardCount: Int
    package let hardest: [Hard]
    /// Texts that are hard most often: how often, of how many.
    package let hardTexts: [(text: String, hard: Int, of: Int)]
  }

  package let instance: String
  package let stage: String
  package let records: Int
  package let tokens: Int?
  /// A token is hard where its probability is at most this.
  package let threshold: Double?
  package let models: [Model]
  /// Of `score/loss`: the mean loss of each record, in order; nil of a record without targets.
  package let losses: [Double?]
  /// Of `score/loss`: FLOW's temperature, and the weights that follow.
  package let tau: Double?
  package let weights: [Double?]
}

// MARK: - From records

extension TokenReport {
  static func all(_ records: inout RunRecords) -> [TokenReport] {
    var reports: [TokenReport] = []
    for index in records.instances(of: "score/tokens") {
      guard let json = records.json(index, "report") else { continue }
      guard let models = json["models"]?.arrayValue else {
        records.note(index, "output report is not what score/tokens writes")
        continue
      }
      var sentences = RecordTexts(index, &records)
      reports.append(
        TokenReport(
          instance: records.name(index), stage: records.stage(index), records: json["records"]?.integerValue ?? 0,
          tokens: json["tokens"]?.integerValue, threshold: json["threshold"]?.numberValue,
          models: models.map { Model($0) { record in sentences.text(record, &records) } }, losses: [], tau: nil, weights: []))
    }
    for index in records.instances(of: "score/loss") {
      guard let json = records.json(index, "weights"), let tables = json["data"]?.arrayValue else { continue }
      let losses = tables.flatMap { $0["losses"]?.numbers ?? [] }
      reports.append(
        TokenReport(
          instance: records.name(index), stage: records.stage(index), records: losses.count, tokens: nil, threshold: nil, models: [],
          losses: losses, tau: json["tau"]?.numberValue, weights: tables.flatMap { $0["weights"]?.numbers ?? [] }))
    }
    return reports
  }
}

extension TokenReport.Model {
  fileprivate init(_ json: JSONValue, sentence: (Int) -> (prompt: String, completion: String)?) {
    labels = json["labels"]?.objectValue ?? JSONObject()
    let names = ["loss", "mean_p", "median_p", "share_above", "mean_token_accuracy", "mean_rank", "entropy"]
    statistics = names.filter { json[$0] != nil }.map { ($0, json[$0]?.numberValue) }
    histogram = (json["histogram"]?.arrayValue ?? []).compactMap(\.integerValue)
    hardCount = json["hard"]?["count"]?.integerValue ?? 0
    hardest = (json["hardest"]?.arrayValue ?? []).compactMap { row in
      guard let record = row["record"]?.integerValue, let text = row["text"]?.stringValue, let probability = row["p"]?.numberValue else {
        return nil
      }
      return TokenReport.Hard(
        record: record, position: row["position"]?.integerValue ?? 0, text: text, probability: probability,
        rank: row["rank"]?.integerValue ?? 0, sentence: sentence(record))
    }
    hardTexts = (json["hard_strings"]?.arrayValue ?? []).map { row in
      (row["text"]?.stringValue ?? "", row["hard"]?.integerValue ?? 0, row["of"]?.integerValue ?? 0)
    }
  }
}

/// The texts of the records behind a stage's input `data` of tokens: lines of what was tokenized, where each line is one record.
private struct RecordTexts {
  /// The tokens artifacts in order: how many records, and which instance tokenized them.
  private var parts: [(count: Int, tokenize: Int)] = []
  private var lines: [Int: [JSONValue]] = [:]

  init(_ index: Int, _ records: inout RunRecords) {
    for digest in records.inputDigests(index, "data") {
      guard let maker = records.producer(of: digest, for: index)?.instance, records.stage(maker) == "tokenize",
        let statistics = records.json(maker, "tokens", file: "statistics.json"), let count = statistics["records"]?.integerValue,
        statistics["dropped"]?.integerValue == 0, statistics["split"]?.integerValue == 0
      else { return }
      parts.append((count, maker))
    }
  }

  mutating func text(_ record: Int, _ records: inout RunRecords) -> (prompt: String, completion: String)? {
    var place = record
    for (count, tokenize) in parts {
      guard place >= count else {
        if lines[tokenize] == nil { lines[tokenize] = read(tokenize, &records) }
        guard let rows = lines[tokenize], rows.count == count, rows.indices.contains(place) else { return nil }
        return Self.texts(rows[place])
      }
      place -= count
    }
    return nil
  }

  private func read(_ tokenize: Int, _ records: inout RunRecords) -> [JSONValue] {
    records.inputDigests(tokenize, "data").flatMap { digest -> [JSONValue] in
      guard let (maker, output) = records.producer(of: digest, for: tokenize) else { return [] }
      return records.rows(maker, output.name, file: output.isDirectory ? "records.jsonl" : nil) ?? []
    }
  }

  private static func texts(_ row: JSONValue) -> (prompt: String, completion: String)? {
    if let prompt = row["prompt"]?.stringValue {
      return (prompt, row["completion"]?.stringValue ?? row["answer"]?.stringValue ?? "")
    }
    if let text = row["text"]?.stringValue { return ("", text) }
    guard let messages = row["messages"]?.arrayValue ?? row["prompt"]?.arrayValue else { return nil }
    let turns = (messages + (row["completion"]?.arrayValue ?? [])).compactMap { $0["content"]?.stringValue }
    return turns.last.map { (turns.dropLast().joined(separator: "\n"), $0) }
  }
}

extension TokenReport {
  package var json: JSONValue {
    var object = JSONObject([("instance", .string(instance)), ("stage", .string(stage)), ("records", .integer(records))])
    if let tokens { object.append("tokens", .integer(tokens)) }
    if let threshold { object.append("threshold", .number(threshold)) }
    if !models.isEmpty { object.append("models", .array(models.map(\.json))) }
    if let tau { object.append("tau", .number(tau)) }
    if !losses.isEmpty { object.append("losses", .array(losses.map(\.json))) }
    if !weights.isEmpty { object.append("weights", .array(weights.map(\.json))) }
    return .object(object)
  }
}

extension TokenReport.Model {
  fileprivate var json: JSONValue {
    [
      "labels": .object(labels), "statistics": .object(JSONObject(statistics.map { ($0.name, $0.value.json) })),
      "histogram": .array(histogram.map { .integer($0) }), "hard": .integer(hardCount), "hardest": .array(hardest.map(\.json)),
      "hard_texts": .array(hardTexts.map { ["text": .string($0.text), "hard": .integer($0.hard), "of": .integer($0.of)] }),
    ]
  }
}

extension TokenReport.Hard {
  fileprivate var json: JSONValue {
    var object = JSONObject([
      ("record", .integer(record)), ("position", .integer(position)), ("text", .string(text)), ("p", .number(probability)),
      ("rank", .integer(rank)),
    ])
    if let sentence {
      object.append("prompt", .string(sentence.prompt))
      object.append("completion", .string(sentence.completion))
    }
    return .object(object)
  }
}
