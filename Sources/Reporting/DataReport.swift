import Artifacts
import JSONValues

/// What the stages that make or read data said of it.
package struct DataReport: Sendable {
  package struct Source: Sendable {
    package let name: String
    /// `data` or `replay`; nil where the stage has one kind only.
    package let input: String?
    package let records: Int
    /// How many of them came into a mixture, of how many that were wanted, and how many of those differ.
    package let taken: Int?
    package let wanted: Int?
    package let distinct: Int?
    /// Of the mixture.
    package let share: Double?
  }

  /// Of prompts or completions, in characters or tokens, or of whole records in tokens.
  package struct Lengths: Sendable {
    package let of: String
    package let minimum: Int?
    package let mean: Double?
    package let maximum: Int?
    /// Percentiles by name, `p50`.
    package let percentiles: [(name: String, value: Double)]
  }

  package let instance: String
  package let stage: String
  package fileprivate(set) var records: Int?
  /// Of the held-out suite that was made beside them.
  package fileprivate(set) var heldout: Int?
  package fileprivate(set) var tokens: Int?
  package fileprivate(set) var trainedTokens: Int?
  package fileprivate(set) var truncated: Int?
  package fileprivate(set) var split: Int?
  package fileprivate(set) var dropped: [(reason: String, records: Int)] = []
  package fileprivate(set) var lengths: [Lengths] = []
  /// Records of length up to so many tokens.
  package fileprivate(set) var histogram: [(upTo: Int, records: Int)] = []
  package fileprivate(set) var sources: [Source] = []
  /// Of `data/inspect`: records by kind of duplicate, and held-out questions that stand in the data, by suite.
  package fileprivate(set) var duplicates: [(kind: String, records: Int)] = []
  package fileprivate(set) var leakage: [(suite: String, found: Int, questions: Int)] = []
  /// Of `data/inspect` with a model: records that contradict what it is sure of, of how many that were asked.
  package fileprivate(set) var contradictions: (found: Int, asked: Int)?

  private init(_ index: Int, _ records: RunRecords, count: Int? = nil) {
    instance = records.name(index)
    stage = records.stage(index)
    self.records = count
  }
}

// MARK: - From records

extension DataReport {
  static func all(_ records: inout RunRecords) -> [DataReport] {
    var reports: [DataReport] = []
    for index in records.indices where records.outcomes[index] != nil {
      switch records.stage(index) {
      case "tokenize":
        if let json = records.json(index, "tokens", file: "statistics.json") { reports.append(tokenized(index, json, records)) }
      case "data/mix":
        if let json = records.json(index, "counts") { reports.append(mixed(index, json, records)) }
      case "data/inspect":
        if let json = records.json(index, "table") { reports.append(inspected(index, json, records)) }
      case "data/tasks", "data/import":
        reports.append(made(index, &records))
      default: break
      }
    }
    return reports
  }

  private static func tokenized(_ index: Int, _ json: JSONValue, _ records: RunRecords) -> DataReport {
    var report = DataReport(index, records, count: json["records"]?.integerValue)
    report.tokens = json["tokens"]?.integerValue
    report.trainedTokens = json["trained_tokens"]?.integerValue
    report.truncated = json["truncated"]?.integerValue
    report.split = json["split"]?.integerValue
    report.dropped = (json["dropped_reasons"]?.arrayValue ?? []).map { reason in
      (reason["reason"]?.stringValue ?? "", reason["records"]?.integerValue ?? 0)
    }
    report.lengths = json["length"].map { [Lengths("records, tokens", $0)] } ?? []
    report.histogram = (json["length_histogram"]?.arrayValue ?? []).compactMap { bin in
      guard let upTo = bin["up_to"]?.integerValue, let records = bin["records"]?.integerValue else { return nil }
      return (upTo, records)
    }
    return report
  }

  private static func mixed(_ index: Int, _ json: JSONValue, _ records: RunRecords) -> DataReport {
    var report = DataReport(index, records, count: json["records"]?.integerValue)
    report.sources = (json["sources"]?.arrayValue ?? []).map(Source.init)
    return report
  }

  private static func inspected(_ index: Int, _ json: JSONValue, _ records: RunRecords) -> DataReport {
    var report = DataReport(index, records, count: json["records"]?.integerValue)
    report.sources = (json["sources"]?.arrayValue ?? []).map(Source.init)
    report.duplicates = (json["duplicates"]?.objectValue?.members ?? []).compactMap { member in
      member.value.integerValue.map { (kind: member.key, records: $0) }
    }
    report.leakage = (json["leakage"]?["suites"]?.arrayValue ?? []).map { suite in
      (suite["suite"]?.stringValue ?? "", suite["found"]?.integerValue ?? 0, suite["questions"]?.integerValue ?? 0)
    }
    let names = [
      ("prompt_characters", "prompts, characters"), ("completion_characters", "completions, characters"),
      ("prompt_tokens", "prompts, tokens"), ("completion_tokens", "completions, tokens"),
    ]
    report.lengths = names.compactMap { key, name in json["lengths"]?[key].map { Lengths(name, $0) } }
    if let found = json["contradictions"]?["contradicting"]?.integerValue, let asked = json["contradictions"]?["asked"]?.integerValue {
      report.contradictions = (found, asked)
    }
    return report
  }

  private static func made(_ index: Int, _ records: inout RunRecords) -> DataReport {
    let train = records.output(index, "train").flatMap { records.bytes(index, $0) }
    let heldout = records.output(index, "heldout").flatMap { records.bytes(index, $0, file: "records.jsonl") }
    var report = DataReport(index, records, count: train.map(lines))
    report.heldout = heldout.map(lines)
    return report
  }

  private static func lines(_ bytes: [UInt8]) -> Int {
    var count = 0
    for byte in bytes where byte == 0x0A { count += 1 }
    return count + (bytes.last.map { $0 != 0x0A } == true ? 1 : 0)
  }
}

extension DataReport.Lengths {
  fileprivate init(_ name: String, _ json: JSONValue) {
    let members = json.objectValue?.members ?? []
    self.init(
      of: name, minimum: json["min"]?.integerValue, mean: json["mean"]?.numberValue, maximum: json["max"]?.integerValue,
      percentiles: members.compactMap { member in
        member.key.hasPrefix("p") ? member.value.numberValue.map { (member.key, $0) } : nil
      })
  }

  fileprivate var json: JSONValue {
    [
      "of": .string(of), "min": minimum.json, "mean": mean.json, "max": maximum.json,
      "percentiles": .object(JSONObject(percentiles.map { ($0.name, .number($0.value)) })),
    ]
  }
}

extension DataReport {
  package var json: JSONValue {
    var object = JSONObject([("instance", .string(instance)), ("stage", .string(stage))])
    let counts = [
      ("records", records), ("heldout", heldout), ("tokens", tokens), ("trained_tokens", trainedTokens), ("truncated", truncated),
      ("split", split),
    ]
    for case (let name, let count?) in counts { object.append(name, .integer(count)) }
    if !dropped.isEmpty {
      object.append("dropped", .array(dropped.map { ["reason": .string($0.reason), "records": .integer($0.records)] }))
    }
    if !lengths.isEmpty { object.append("lengths", .array(lengths.map(\.json))) }
    if !histogram.isEmpty {
      object.append("length_histogram", .array(histogram.map { ["up_to": .integer($0.upTo), "records": .integer($0.records)] }))
    }
    if !sources.isEmpty { object.append("sources", .array(sources.map(\.json))) }
    if !duplicates.isEmpty { object.append("duplicates", .object(JSONObject(duplicates.map { ($0.kind, .integer($0.records)) }))) }
    if !leakage.isEmpty {
      object.append(
        "leakage",
        .array(leakage.map { ["suite": .string($0.suite), "found": .integer($0.found), "questions": .integer($0.questions)] }))
    }
    if let contradictions {
      object.append("contradictions", ["found": .integer(contradictions.found), "asked": .integer(contradictions.asked)])
    }
    return .object(object)
  }
}

extension DataReport.Source {
  fileprivate init(_ json: JSONValue) {
    self.init(
      name: json["source"]?.stringValue ?? "", input: json["input"]?.stringValue, records: json["records"]?.integerValue ?? 0,
      taken: json["taken"]?.integerValue, wanted: json["wanted"]?.integerValue, distinct: json["distinct"]?.integerValue,
      share: json["share"]?.numberValue)
  }

  fileprivate var json: JSONValue {
    var object = JSONObject([("source", .string(name)), ("records", .integer(records))])
    if let input { object.append("input", .string(input)) }
    for case (let name, let count?) in [("wanted", wanted), ("taken", taken), ("distinct", distinct)] {
      object.append(name, .integer(count))
    }
    if let share { object.append("share", .number(share)) }
    return .object(object)
  }
}
